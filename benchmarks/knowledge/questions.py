"""Questions with known answers, and texts no article is about, as the tables beside have them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

_HERE = os.path.dirname(os.path.abspath(__file__))
_ESCAPE = re.compile(r"\\([\\nt])")
_MEANS = {"\\": "\\", "n": "\n", "t": "\t"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A text and the articles that answer it; none for an unrelated one."""

    id: str
    half: str
    kind: str
    answers: tuple[str, ...]
    text: str


def questions() -> list[Known]:
    """All questions, both halves."""
    return _read("questions.tsv")


def unrelated() -> list[Known]:
    """Texts that no article is about."""
    return _read("unrelated.tsv")


def _read(name: str) -> list[Known]:
    with open(os.path.join(_HERE, name), encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith(("#", "id\t"))]
    return [
        Known(id=id, half=half, kind=kind, answers=tuple(filter(None, answers.split(","))), text=_ESCAPE.sub(_meant, text))
        for id, half, kind, answers, text in rows
    ]


def _meant(found: re.Match[str]) -> str:
    return _MEANS[found[1]]
