"""The document of a definition: one spelling, every field checked, errors that name the field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from haulage.engine.servicing import document, exits, strict_json
from haulage.engine.servicing.definition import (
    Becomes,
    Breakage,
    Detection,
    FixFile,
    Outcome,
    ProductRange,
    Program,
    Reboot,
    Requirements,
    Schema,
    Service,
    ServiceKind,
    When,
)
from haulage.engine.servicing.errors import DocumentError
from haulage.engine.servicing.exits import BY_CODE, Exit, of_error
from tests.engine.servicing.fixes import ORDER, file, fix

FULL = fix(
    explanation="One line.\nAnother.",
    article="Q316316",
    product=ProductRange("press", ">=2,<3", ("SP3",), ORDER, "x86_64", "en"),
    files=(file("bin/x", "new", "old", version="2.0", shared=True),),
    programs=(Program(When.VERIFY, ("{root}/x", ""), ("undo",), 5, {7: Outcome.REBOOT}),),
    services=(Service(ServiceKind.PIDFILE, "press", "run/p.pid", ("a",), None, 5, 6, False),),
    keep=("home:site.db",),
    requires=Requirements(("QA",), "SP2"),
    supersedes=("QB",),
    after=("QC",),
    breaks=(Breakage("addresses", "QD"),),
    schemas=(Schema("s", "f"),),
    detect=(Detection("bin/x", versions=">=2"),),
    becomes=Becomes("2.1", "SP4"),
    reboot=Reboot.MAY,
    uninstallable=False,
)


def test_it_comes_back_as_it_was() -> None:
    data = document.to_bytes(FULL)
    assert document.from_bytes(data) == FULL
    assert document.to_bytes(document.from_bytes(data)) == data


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": "q1"}, "fix.id"),
        ({"format": 2}, "fix.format"),
        ({"title": "a\u202eb"}, "fix.title"),
        ({"title": "a\x1b[2J"}, "fix.title"),
        ({"colour": "red"}, "colour"),
        ({"reboot": "perhaps"}, "fix.reboot"),
        ({"uninstallable": 1}, "fix.uninstallable"),
        ({"supersedes": ["Q316316"]}, "fix.supersedes"),
        ({"supersedes": ["QB", "QB"]}, "fix.supersedes"),
        ({"keep": ["../x"]}, "fix.keep"),
        ({"files": [{"path": "x"}]}, r"fix.files\[0\].action"),
    ],
)
def test_every_field_is_checked_and_named(change: dict[str, Any], field: str) -> None:
    value = {**json.loads(document.to_bytes(FULL)), **change}
    with pytest.raises(DocumentError, match=field):
        document.from_bytes(strict_json.encoded(value))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/x",
        "a//b",
        "../x",
        "a/./b",
        "a\\b",
        "c:x",
        "a/con",
        "nul.txt",
        "a.",
        "a ",
        "x\ny",
        ".servicing/record.json",
        "Product.json",
        "a" * 300,
    ],
)
def test_paths_that_are_not_the_same_everywhere(path: str) -> None:
    with pytest.raises(DocumentError):
        document.to_bytes(fix(files=(file(path, "new"),)))


@pytest.mark.parametrize("paths", [("a", "A"), ("a", "a/b"), ("a", "a"), ("\u00e9", "e\u0301")])
def test_two_paths_that_are_one_file_somewhere(paths: tuple[str, str]) -> None:
    files: tuple[FixFile, ...] = tuple(file(each, each) for each in paths)
    with pytest.raises(DocumentError, match=r"fix\.files"):
        document.to_bytes(fix(files=files))


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":2}',
        b'{"a":1.5}',
        b'{"a":NaN}',
        b"[" * 100_000,
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b"\xff",
        b'{"a":"\\ud800"}',
        b'{"a":' + b"9" * 5000 + b"}",
    ],
)
def test_json_of_another_spelling_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentError):
        strict_json.decoded(data, "x", most_bytes=1 << 20)


def test_errors_end_as_documented() -> None:
    assert of_error(DocumentError("bad-document", "x")) is Exit.DAMAGED
    sources = [path.read_text() for path in Path(exits.__file__).parent.glob("*.py") if path.name != "exits.py"]
    assert [code for code in BY_CODE if not any(f'"{code}"' in text for text in sources)] == []
