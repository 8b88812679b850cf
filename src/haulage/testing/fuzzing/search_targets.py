"""Fuzzing target of the search room: any text as a question and as something to diagnose."""

from __future__ import annotations

from collections.abc import Sequence

from haulage.engine.search.asked import MOST_WORDS, sound, take_apart
from haulage.engine.search.signature import complaint, signature
from haulage.testing.fuzzing.target import Target

_SEEDS = (
    'KB500001 "data streams" distrib* client.lkp SMS_INBOX_MANAGER 0x800703e6',
    "Cannot write, Win32 Error = 998 $$<PRESS_MANAGER><Tue Jan 15 23:06:02.110 2002 GMT><thread=2020 (0x7E4)>",
    '<![LOG[Failed 0x80070005]LOG]!><time="08:00:01.123+000" date="01-02-2002" component="Press" type="3" thread="12" file="">',
    "status 2302; HLG2328; Press.dll 2.0.1493.2038 of SP4, ERROR_SHARING_VIOLATION",
)


def _seeds() -> Sequence[bytes]:
    return [seed.encode() for seed in _SEEDS]


def _take(data: bytes) -> None:
    """Every text is a question: never refused, and what is made of it is bounded and can be stored."""
    text = data.decode("utf-8", "surrogatepass") if _decodes(data) else data.decode("latin-1")
    asked = take_apart(text)
    assert len(asked.words) <= MOST_WORDS
    assert all(word.isalnum() for word in asked.words)
    assert all(0 <= number < 1 << 32 for number in signature(text).errors)
    complaint(text)
    sound(text).encode()


def _decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


TARGETS = (Target(name="search-question", reads="a question, or a text to diagnose", take=_take, seeds=_seeds, runs=5_000),)
