"""Fuzzing targets of what a fix bundle brings: the definition, the signed statement with its contents, programs with headers."""

from __future__ import annotations

import functools
import hashlib
import io
import lzma
import struct
from collections.abc import Sequence

from haulage.base.errors import FormatError
from haulage.engine.bundles.refusals import as_haulage_errors
from haulage.engine.servicing import container, document, elf, payload, pe, statement, trusted
from haulage.engine.servicing.definition import FileAction, FixDefinition, FixFile, KnownState, ProductRange
from haulage.engine.servicing.payload import Payload
from haulage.engine.servicing.statement import Statement
from haulage.testing.fuzzing.mutation import Coding
from haulage.testing.fuzzing.target import AS_IT_IS, SEALED, Target, both, opened, promised

CONTENTS = (b"print('right')\n" * 20, b"\0" * 300)


@functools.cache
def _definition() -> FixDefinition:
    files = [
        FixFile(f"bin/{name}", FileAction.ADD, hashlib.sha256(data).hexdigest(), len(data), before=(KnownState("0" * 64, "1.0"),))
        for name, data in zip("ab", CONTENTS, strict=True)
    ]
    return FixDefinition(id="Q316316", title="t", product=ProductRange(id="press", versions=">=1,<2"), files=tuple(files))


def _take_document(data: bytes) -> None:
    with as_haulage_errors():
        found = document.from_bytes(data)
    assert promised(lambda: document.to_bytes(found)) == data


def _bundle(stream: bytes, said: bytes) -> bytes:
    members = [(payload.STATEMENT, said), (payload.SIGNATURES, trusted.signatures_to_bytes([])), (payload.CONTENT, stream)]
    return b"".join(container.written(container.member_of(name, data) for name, data in members))


def _statement(stream: bytes) -> bytes:
    return statement.to_bytes(Statement(_definition(), hashlib.sha256(stream).hexdigest(), len(stream)))


@functools.cache
def _stream() -> bytes:
    return lzma.compress(b"".join(CONTENTS), check=lzma.CHECK_NONE)


def _take_bundle(data: bytes) -> None:
    """The whole file as it is; or, sealed, a stream of contents behind a statement that fits it."""
    sealed, rest = opened(data)
    with as_haulage_errors():
        bundle = Payload(io.BytesIO(_bundle(rest, _statement(rest)) if sealed else rest))
        bundle.check_content()
        found = {sha256: b"".join(pieces) for sha256, pieces in bundle.contents({each.sha256 for each in bundle.definition.files})}
    assert all(hashlib.sha256(each).hexdigest() == sha256 for sha256, each in found.items())
    assert sum(map(len, found.values())) <= statement.plain_size(bundle.definition)


def _bundle_seeds() -> Sequence[bytes]:
    return [AS_IT_IS + _bundle(_stream(), _statement(_stream())), SEALED + _stream()]


def _take_program(data: bytes) -> None:
    """A version, or a reason why there is none."""
    sealed, rest = opened(data)
    version, reason, _ = (elf if sealed else pe).read(io.BytesIO(rest), len(rest))
    if version is None:
        assert reason
        raise FormatError("no-version", reason)


def program_with_version(*numbers: int) -> bytes:
    """The smallest Windows program with a version resource: one section that holds the three levels of directories."""
    high, low = numbers[0] << 16 | numbers[1], numbers[2] << 16 | numbers[3]
    base, raw = 0x1000, 0x200
    directory = struct.pack("<IIHHHH", 0, 0, 0, 0, 0, 1)
    levels = b"".join(
        directory + struct.pack("<II", kind, target) for kind, target in ((16, 0x80000018), (1, 0x80000030), (0x409, 0x48))
    )
    info = struct.pack("<HHH", 92, 52, 0) + "VS_VERSION_INFO\0".encode("utf-16-le") + b"\0\0"
    info += struct.pack("<IIII", pe.FIXED_FILE_INFO, 0x10000, high, low) + bytes(36)
    section = levels + struct.pack("<IIII", base + 0x58, len(info), 0, 0) + info
    optional = (
        struct.pack("<H", 0x10B).ljust(92, b"\0")
        + struct.pack("<I", 16)
        + bytes(16)
        + struct.pack("<II", base, len(section))
        + bytes(104)
    )
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x14C, 1, 0, 0, 0, len(optional), 0)
    table = b".rsrc\0\0\0" + struct.pack("<IIII", len(section), base, len(section), raw) + bytes(16)
    head = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64) + coff + optional + table
    return head.ljust(raw, b"\0") + section


def program_with_note(version: str) -> bytes:
    """The smallest ELF program with a build id and a package note."""
    package = b'{"type":"deb","version":"' + version.encode() + b'"}\0'
    notes = b""
    for owner, kind, body in ((b"GNU\0", elf.GNU_BUILD_ID, bytes(range(20))), (b"FDO\0", elf.PACKAGE_NOTE, package)):
        notes += struct.pack("<III", len(owner), len(body), kind) + owner + body.ljust((len(body) + 3) // 4 * 4, b"\0")
    header = b"\x7fELF\2\1\1".ljust(16, b"\0") + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return header + struct.pack("<IIQQQQQQ", elf.PT_NOTE, 4, 120, 0, 0, len(notes), len(notes), 4) + notes


TARGETS = (
    Target(
        name="fix-definition",
        reads="definitions of fixes",
        take=_take_document,
        seeds=lambda: [document.to_bytes(_definition())],
        coding=Coding.JSON,
    ),
    Target(name="fix-bundle", reads="fix bundles and their streams", take=_take_bundle, seeds=_bundle_seeds, runs=2000),
    Target(
        name="program-version",
        reads="headers of Windows and ELF programs",
        take=_take_program,
        seeds=lambda: [*both([program_with_version(2, 0, 1493, 2038)]), *both([program_with_note("1.2-3")])],
    ),
)
