"""The log: forgettable sentences for developers, one bounded line each, as JSON or as CMTrace reads it. Nothing that a message
holds can make a second line or move a cursor; a log that cannot be written never stops the work (F63)."""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import sys
import threading
import traceback

from haulage.base.clock import Clock, SystemClock, iso
from haulage.base.errors import HaulageError
from haulage.base.text import shown

MESSAGE_CHARACTERS = 4000
_TRACE_CHARACTERS = 8000
_FILE_BYTES = 10 << 20
_FILES_KEPT = 5
_HANDLER = "haulage"

_CMTRACE_TYPE = {logging.WARNING: 2, logging.ERROR: 3, logging.CRITICAL: 3}

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""Attributes every record has; whatever else it has came in by ``extra`` and is a field."""


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, component, message, then the fields given as ``extra``."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": iso(self._clock.now()),
            "level": record.levelname.lower(),
            "component": record.name.removeprefix("haulage."),
            "message": _message(record),
        }
        for name, value in vars(record).items():
            if name not in _OWN and name not in line:
                line[name] = value if isinstance(value, int | float | bool | None) else shown(str(value))
        if trace := _trace(record):
            line["trace"] = trace
        return json.dumps(line, ensure_ascii=False, default=repr)


class CmTrace(logging.Formatter):
    """The form CMTrace shows in columns; severity by colour."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def format(self, record: logging.LogRecord) -> str:
        now = self._clock.now()
        text = _message(record)
        number = getattr(record, "number", None)
        if isinstance(number, int):
            # It has no column of its own here; in JSON it is a field.
            text = f"[{number}] {text}"
        if trace := _trace(record):
            text += " | " + " | ".join(trace)
        kind = _CMTRACE_TYPE.get(record.levelno, 1)
        when = f'time="{now:%H:%M:%S}.{now.microsecond // 1000:03d}+000" date="{now:%m-%d-%Y}"'
        component = record.name.removeprefix("haulage.").replace('"', "'")
        # Of the system: a number that fits the reader's 32 bits, which Python's own does not.
        thread = threading.get_native_id()
        # The reader begins a line at the one mark and ends its text at the other; inside the text neither may occur.
        text = text.replace("]LOG]!>", "]LOG]! >").replace("<![LOG[", "<! [LOG[")
        return f'<![LOG[{text}]LOG]!><{when} component="{component}" context="" type="{kind}" thread="{thread}" file="">'


class _Unfailing(logging.handlers.RotatingFileHandler):
    """A full or vanished log disk costs lines, not work."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802  (the name is the library's)
        return


def set_up_logging(*, form: str = "json", level: str = "info", folder: str | None = None, clock: Clock | None = None) -> None:
    """Send everything logged in this process to standard error, or with ``folder`` to ``haulage.log`` there: at most six files of
    10 MiB. ``form``: ``json`` or ``cmtrace``. May be called again."""
    clock = clock or SystemClock()
    handler: logging.Handler
    if folder is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        path = os.path.join(folder, "haulage.log")
        handler = _Unfailing(path, maxBytes=_FILE_BYTES, backupCount=_FILES_KEPT, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(CmTrace(clock) if form == "cmtrace" else JsonLines(clock))
    root = logging.getLogger()
    for old in list(root.handlers):
        if old.name == _HANDLER:
            root.removeHandler(old)
            old.close()
    handler.name = _HANDLER
    root.addHandler(handler)
    root.setLevel(level.upper())


def _message(record: logging.LogRecord) -> str:
    try:
        text = record.getMessage()
    except (TypeError, ValueError, KeyError):
        text = f"{record.msg} {record.args}"
    return shown(text, limit=MESSAGE_CHARACTERS)


def _trace(record: logging.LogRecord) -> list[str]:
    """The exception, newest frames kept; an expected error says only what it says."""
    if not record.exc_info or record.exc_info[1] is None:
        return []
    error = record.exc_info[1]
    if isinstance(error, HaulageError):
        return [shown(str(error), limit=MESSAGE_CHARACTERS)]
    text = "".join(traceback.format_exception(error))[-_TRACE_CHARACTERS:]
    return [shown(line) for line in text.rstrip().split("\n")]
