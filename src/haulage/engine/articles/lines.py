"""Bytes of an article as lines of text: its character set, line ends, tabs. Must not know what any line means."""

from __future__ import annotations

import re

from haulage.base.errors import FormatError
from haulage.engine.articles.article import MOST_SOURCE_BYTES
from haulage.engine.articles.oddity import Oddities, OddityKind

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_MANY_BLANKS = re.compile(r"\n{4,}")


def source_lines(data: bytes, oddities: Oddities) -> list[str]:
    """The lines of ``data`` without line ends and trailing spaces, tabs as spaces. UTF-8 with a mark is read as such, everything
    else as cp1252; what that does not know stays visible as ``\\x81``.

    Raises :class:`FormatError` ``article-too-big``."""
    if len(data) > MOST_SOURCE_BYTES:
        raise FormatError(
            "article-too-big",
            f"The article has {len(data)} bytes; the most is {MOST_SOURCE_BYTES}.",
            "Split it, or look whether it is an article at all.",
        )
    text = _decoded(data, oddities)
    if "\r" in text:
        plain = text.replace("\r\n", "\n")
        if "\r" in plain or text.count("\n") != text.count("\r\n"):
            oddities.add(OddityKind.LINE_ENDS, "mixed")
        text = plain.replace("\r", "\n")
    elif "\n" in text:
        oddities.add(OddityKind.LINE_ENDS, "LF")
    if "\t" in text:
        oddities.add(OddityKind.TABS)
        text = text.expandtabs(8)
    if not text.isprintable() and (control := _CONTROL.search(text)):
        oddities.add(OddityKind.CONTROL_CHARACTERS, repr(control[0]))
        text = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    return [line.rstrip() for line in text.split("\n")]


def tidy(lines: list[str]) -> str:
    """Lines as one text without blank lines around it, at most two within, ending with a line end; "" for none."""
    text = "\n".join(lines).strip("\n")
    return _MANY_BLANKS.sub("\n\n\n", text) + "\n" if text.strip() else ""


def _decoded(data: bytes, oddities: Oddities) -> str:
    if data.isascii():
        return data.decode("ascii")
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8", "backslashreplace")
    oddities.add(OddityKind.NOT_ASCII)
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as error:
        oddities.add(OddityKind.NOT_CP1252, f"byte {data[error.start]:#04x} at {error.start}")
        return data.decode("cp1252", "backslashreplace")
