"""A quick look at bytes, to decide what is worth trying on them. Knows only bytes; a wrong guess costs size or time, no truth."""

from __future__ import annotations

from backports import zstd

HEAD_BYTES = 4096
"""What is looked at of a content to call it text."""
_SAMPLE_BYTES = 16 * 1024
_SAMPLES = 8
_LEAST_GAIN = 50
"""Packed is what zstd 1 makes smaller by less than a fiftieth."""


def looks_text(head: bytes | memoryview) -> bool:
    """Whether a content that begins like this is text: no zero byte among the first."""
    return b"\0" not in bytes(head[:HEAD_BYTES])


def looks_packed(sample: bytes | memoryview) -> bool:
    """Whether bytes are compressed or encrypted already, judged by a few samples of them; False for the shortest."""
    view = memoryview(sample)
    if len(view) < 256:
        return False
    if len(view) > _SAMPLES * _SAMPLE_BYTES:
        step = (len(view) - _SAMPLE_BYTES) // (_SAMPLES - 1)
        taken = b"".join([view[at * step : at * step + _SAMPLE_BYTES] for at in range(_SAMPLES)])
    else:
        taken = bytes(view)
    return len(zstd.compress(taken, 1)) > len(taken) - len(taken) // _LEAST_GAIN
