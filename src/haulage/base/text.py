"""Showing text that came from outside: nothing in it may move the cursor, reverse the line or grow without bound."""

from __future__ import annotations


def shown(text: str, *, limit: int = 2000) -> str:
    """``text`` with every invisible or controlling character (and every space but the plain one) escaped, cut
    after ``limit`` characters of the original."""
    cut = text[:limit]
    if not cut.isprintable():
        cut = "".join(_escape(character) for character in cut)
    return cut if len(text) <= limit else f"{cut}… ({len(text)} characters)"


def shown_bytes(data: bytes, *, limit: int = 2000) -> str:
    """A raw name: UTF-8 where it is, ``\\xNN`` where it is not, escaped like :func:`shown`."""
    return shown(data.decode("utf-8", "backslashreplace"), limit=limit)


def _escape(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x100:
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
