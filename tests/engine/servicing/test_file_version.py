"""Versions that files carry in themselves; unknown is an answer."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import pytest

from haulage.engine.servicing import file_version
from haulage.engine.servicing.file_version import Known, Unknown
from haulage.testing.fuzzing.bundle_targets import program_with_note, program_with_version


def version_of(data: bytes, path: str = "x") -> str:
    found = file_version.of_file(io.BytesIO(data), path)
    return f"{found.version} ({found.how})" if isinstance(found, Known) else found.reason


def test_a_windows_program() -> None:
    assert version_of(program_with_version(2, 0, 1493, 2038)) == "2.0.1493.2038 (PE version resource)"


def test_an_elf_program() -> None:
    assert version_of(program_with_note("1.2-3")) == "1.2-3 (ELF package note)"
    only_id = file_version.of_file(io.BytesIO(program_with_note("?")), "x")
    assert isinstance(only_id, Unknown)
    assert only_id.identity == f"build-id:{bytes(range(20)).hex()}"


@pytest.mark.parametrize(
    ("path", "text", "version"),
    [
        ("lib/press-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nVersion: 1.2\n\nVersion: 9\n", "1.2 (package metadata)"),
        ("lib/press-1.2.dist-info/METADATA", "Version: 1\nVersion: 2\n", "the metadata states no version"),
        ("package.json", '{"version": "4.5.6"}', "4.5.6 (package metadata)"),
        ("package.json", '{"version": 4}', "the metadata states no version"),
        ("press.nuspec", "<metadata><version>1.0.1</version></metadata>", "1.0.1 (package metadata)"),
        ("notes.txt", "Version: 1", "files of this kind carry no version"),
    ],
)
def test_metadata_of_packages(path: str, text: str, version: str) -> None:
    assert version_of(text.encode(), path) == version


@pytest.mark.parametrize("make", [lambda: program_with_version(1, 2, 3, 4), lambda: program_with_note("1.2")])
def test_q267258_headers_cut_off_anywhere_are_unknown(make: Callable[[], bytes]) -> None:
    data = make()
    whole = version_of(data)
    for cut in range(4, len(data), 3):
        found = version_of(data[:cut])
        assert found == whole or "malformed" in found or "no package note" in found or "build id only" in found


def test_many_resources_are_not_followed_without_end() -> None:
    data = bytearray(program_with_version(1, 2, 3, 4))
    struct.pack_into("<HH", data, 0x200 + 12, 0xFFFF, 0xFFFF)
    assert "malformed" in version_of(bytes(data))
