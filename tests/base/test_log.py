"""Log lines: one each, bounded, escaped, in both forms; and a log that cannot be written stops nothing."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pathlib
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import TransferError
from haulage.base.log import MESSAGE_CHARACTERS, CmTrace, JsonLines, set_up_logging
from haulage.base.text import shown, shown_bytes
from haulage.testing.clock import HandClock

CMTRACE = re.compile(
    r'<!\[LOG\[(?P<text>.*)\]LOG\]!><time="\d\d:\d\d:\d\d\.\d{3}\+000" date="\d\d-\d\d-\d{4}" component="[^"]*" context="" '
    r'type="(?P<type>[123])" thread="\d+" file="">'
)


def record(
    message: str, *args: object, level: int = logging.INFO, error: BaseException | None = None, **extra: object
) -> logging.LogRecord:
    exc_info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("haulage.jobs", level, "file.py", 1, message, args, exc_info)
    vars(made).update(extra)
    return made


def as_json(made: logging.LogRecord) -> dict[str, Any]:
    line = JsonLines(HandClock()).format(made)
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_json_line() -> None:
    assert as_json(record("job %s of %d", "a", 3, package="HQ100042", bytes=5)) == {
        "time": "2026-01-01T00:00:00.000000Z",
        "level": "info",
        "component": "jobs",
        "message": "job a of 3",
        "package": "HQ100042",
        "bytes": 5,
    }


def test_b18_control_and_direction_characters_are_escaped() -> None:
    found = as_json(record("a\nb\r\x1b[31m\u202e%s", "c\0", path="x\ny"))
    assert found["message"] == "a\\nb\\r\\x1b[31m\\u202ec\\x00"
    assert found["path"] == "x\\ny"


def test_fields_cannot_replace_what_the_line_says_itself() -> None:
    assert as_json(record("real", time="never", component="none"))["time"].startswith("2026")


def test_i14_long_messages_are_cut() -> None:
    assert len(as_json(record("x" * 1_000_000))["message"]) < MESSAGE_CHARACTERS + 50


def test_wrong_arguments_are_shown_not_raised() -> None:
    assert as_json(record("%d items", "three"))["message"] == "%d items ('three',)"


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_a_defect_has_its_trace_an_expected_error_only_its_sentence() -> None:
    defect = as_json(record("defect", error=raised(ZeroDivisionError("a\nb"))))
    assert defect["trace"][0] == "Traceback (most recent call last):"
    assert "in raised" in "".join(defect["trace"])
    expected = as_json(record("failed", error=raised(TransferError("disk-full", "The disk is full."))))
    assert expected["trace"] == ["The disk is full. [disk-full]"]


@pytest.mark.parametrize(("level", "kind"), [(logging.INFO, "1"), (logging.WARNING, "2"), (logging.ERROR, "3")])
def test_a_cmtrace_line(level: int, kind: str) -> None:
    found = CMTRACE.fullmatch(CmTrace(HandClock()).format(record("hello ]LOG]!>", level=level)))
    assert found
    assert (found["text"], found["type"]) == ("hello ]LOG]! >", kind)


FORGED = '<![LOG[all is well]LOG]!><time="00:00:00.000+000" date="01-01-2020" component="x" context="" type="1" thread="1" file="">'
MARKS = st.sampled_from(["]LOG]!>", "<![LOG[", "]LOG]", "]", '"', "<", "\r\n", 'type="1"', FORGED])


def as_cmtrace_reads(line: str) -> dict[str, str]:
    """A line as its reader takes it apart: from the first mark to the next, then attributes."""
    begin, end = "<![LOG[", "]LOG]!>"
    assert line.startswith(begin)
    text, _end, rest = line[len(begin) :].partition(end)
    assert rest.startswith("<")
    assert rest.endswith(">")
    return {"text": text, **dict(re.findall(r'(\w+)="([^"]*)"', rest))}


@given(
    st.lists(MARKS | st.text(st.characters(), max_size=20), max_size=8).map("".join), st.sampled_from([logging.INFO, logging.ERROR])
)
def test_b18_no_text_forges_a_line_or_a_column_in_cmtrace(text: str, level: int) -> None:
    line = CmTrace(HandClock()).format(record("%s", text, level=level, number=2302))
    read = as_cmtrace_reads(line)
    assert read["text"].startswith("[2302] ")
    assert (read["type"], read["component"]) == ("3" if level == logging.ERROR else "1", "jobs")
    assert line.count("<![LOG[") == line.count("]LOG]!>") == 1
    assert 0 < int(read["thread"]) < 1 << 31
    assert json.loads(JsonLines(HandClock()).format(record("%s", text, number=2302)))["number"] == 2302


@given(st.text(st.characters(), max_size=300))
def test_any_text_is_one_printable_line_in_both_forms(text: str) -> None:
    assert "\n" not in JsonLines(HandClock()).format(record("%s", text))
    line = CmTrace(HandClock()).format(record("%s", text))
    assert CMTRACE.fullmatch(line)
    assert line.isprintable()
    line.encode()


@given(st.text(st.characters(), max_size=50), st.binary(max_size=50))
def test_shown_is_printable_and_keeps_plain_text(text: str, data: bytes) -> None:
    assert shown(text).isprintable()
    assert shown_bytes(data).isprintable()
    assert (shown(text) == text) >= text.isprintable()


@pytest.fixture
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    yield
    for handler in list(root.handlers):
        if handler.name == "haulage":
            root.removeHandler(handler)
            with contextlib.suppress(OSError):
                handler.close()
    root.setLevel(level)


@pytest.mark.usefixtures("_restored")
def test_set_up_writes_one_line_each_even_when_called_twice(tmp_path: pathlib.Path) -> None:
    for _ in range(2):
        set_up_logging(folder=str(tmp_path), level="warning", clock=HandClock())
    logging.getLogger("haulage.x").info("not this")
    logging.getLogger("haulage.x").warning("this \ud800")
    lines = (tmp_path / "haulage.log").read_text().splitlines()
    assert [json.loads(line)["message"] for line in lines] == ["this \\ud800"]


@pytest.mark.usefixtures("_restored")
def test_f63_a_log_that_cannot_be_written_stops_nothing(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(folder=str(tmp_path), clock=HandClock())
    handler = next(each for each in logging.getLogger().handlers if each.name == "haulage")
    assert isinstance(handler, logging.FileHandler)
    assert handler.stream is not None
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, handler.stream.fileno())
    os.close(full)
    logging.getLogger("haulage.x").warning("lost")
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.usefixtures("_restored")
def test_standard_error_by_default(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(clock=HandClock(), form="cmtrace")
    logging.getLogger("haulage.x").warning("there")
    assert "<![LOG[there]LOG]!>" in capsys.readouterr().err
    assert sys.stderr is not None
