"""What changes of a page by itself: sent at once, again when it differs, ended when nobody may see it or the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import TransferError
from haulage.console.frame import live
from haulage.console.frame.live import MOST_OF_ALL, MOST_OF_ONE, Streams, as_event, watch
from haulage.server.bells import Bells


def collected(texts: list[str | None], after: Callable[[Bells, int], None]) -> list[bytes]:
    """Events of a page that looks as listed, one look after the other; the last look stays."""
    bells, looks = Bells(), 0

    def render() -> str | None:
        nonlocal looks
        text = texts[min(looks, len(texts) - 1)]
        looks += 1
        after(bells, looks)
        return text

    async def run() -> list[bytes]:
        return [event async for event in watch(render, bells)]

    return asyncio.run(run())


def test_a_page_is_sent_at_once_and_again_only_when_it_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.001)
    events = collected(["one", "one", "two", "two", None], lambda bells, looks: None)
    assert events == [b"data: one\n\n", b"data: two\n\n"]


def test_a_quiet_page_keeps_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.001)
    looks_before = ["one"] * (live.KEEP_ALIVE_LOOKS + 1)
    assert collected([*looks_before, None], lambda bells, looks: None) == [b"data: one\n\n", b": still here\n\n"]


def test_a_server_that_stops_waits_for_no_watcher() -> None:
    assert collected(["one"], lambda bells, looks: bells.close()) == [b"data: one\n\n"]


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1))
def test_no_text_breaks_out_of_its_event(text: str) -> None:
    event = as_event(text)
    assert event.endswith(b"\n\n")
    lines = event.decode().removesuffix("\n\n").split("\n")
    assert all(line.startswith("data: ") for line in lines)
    assert "\n".join(line.removeprefix("data: ") for line in lines) == text.replace("\r\n", "\n").replace("\r", "\n")


def test_watchers_are_bounded_and_counted_out() -> None:
    streams = Streams()
    for _ in range(MOST_OF_ONE):
        streams.enter("one")
    with pytest.raises(TransferError) as refused:
        streams.enter("one")
    assert refused.value.code == "too-many-watching"
    streams.leave("one")
    streams.enter("one")
    for index in range(MOST_OF_ALL - MOST_OF_ONE):
        streams.enter(f"other {index}")
    with pytest.raises(TransferError):
        streams.enter("one too many")
