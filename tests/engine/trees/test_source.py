"""How a source is written."""

from __future__ import annotations

import pytest

from haulage.base.errors import UsageError
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.engine.trees.model import ReadPolicy
from haulage.engine.trees.source import SourceKind, SourceSpec, open_source, parse_source


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("/srv/a b", SourceSpec(kind=SourceKind.FOLDER, path="/srv/a b")),
        ("ntfs:/img/n.img!/", SourceSpec(kind=SourceKind.NTFS_IMAGE, path="/img/n.img")),
        ("ntfs:/img/n.img!/Office/x!/y", SourceSpec(kind=SourceKind.NTFS_IMAGE, path="/img/n.img", inside="Office/x!/y")),
    ],
)
def test_good_sources(text: str, spec: SourceSpec) -> None:
    assert parse_source(text) == spec
    assert parse_source(spec.text()) == spec


@pytest.mark.parametrize(
    "text", ["", "relative", "ntfs:/img", "ntfs:img!/", "ntfs:/img!/a/../b", "ntfs:/img!/a//b", "/a\0b", "smb://x/y", "~", "C:\\x"]
)
def test_b31_bad_sources(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_source(text)
    assert caught.value.code == "bad-source"


def test_the_factory_of_the_kind_is_used() -> None:
    reader = MemoryReader(MemoryTree())
    asked: list[tuple[SourceSpec, ReadPolicy]] = []

    def make(spec: SourceSpec, policy: ReadPolicy) -> MemoryReader:
        asked.append((spec, policy))
        return reader

    policy = ReadPolicy(keep_special_bits=True)
    assert open_source("/srv/x", policy, {SourceKind.FOLDER: make}) is reader
    assert asked == [(SourceSpec(kind=SourceKind.FOLDER, path="/srv/x"), policy)]
