"""Uncompressed tar archives: what lies in them compressed is found; damage harms nobody."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.archives.containers import comes_back, contents, gzipped, zipped

JAR = zipped([(str(number), contents(number, 2000)) for number in range(3)])
LONG = "folder/" * 30


def tarred(files: Sequence[tuple[str, bytes]], *, kind: int = tarfile.GNU_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as file:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            file.addfile(entry, io.BytesIO(data))
        for name, type_ in (("link", tarfile.SYMTYPE), ("folder", tarfile.DIRTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type = type_
            entry.linkname = "a"
            file.addfile(entry)
    return out.getvalue()


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_containers_in_a_tar_are_looked_into(kind: int) -> None:
    files = [("plain", b"x" * 700), ("a.jar", JAR), ("empty", b""), ("NEWS.gz", gzipped(contents(9, 3000)))]
    if kind != tarfile.USTAR_FORMAT:
        files.insert(1, (LONG + "b.jar", JAR))
    recipe = comes_back(tarred(files, kind=kind))
    assert recipe is not None
    assert len(recipe.members) == 3 * (len(files) - 3) + 1


def test_a_size_in_binary_is_read() -> None:
    whole = bytearray(tarred([("a.jar", JAR)]))
    whole[124:136] = b"\x80" + len(JAR).to_bytes(11, "big")
    assert comes_back(bytes(whole)) is not None
    whole[124:136] = b"\x80" + b"\xff" * 11
    assert comes_back(bytes(whole)) is not None, "the file's end is the archive's"
    whole[124:136] = b"no number..."
    assert comes_back(bytes(whole)) is None


SMALL = tarred([("a", gzipped(contents(1, 600))), ("b", JAR)])


@given(st.data())
@settings(deadline=None, max_examples=40)
def test_damage_harms_nobody(data: st.DataObject) -> None:
    whole = bytearray(SMALL)
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    comes_back(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
