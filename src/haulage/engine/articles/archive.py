"""The files of a folder, an archive or a single file, one after another and bounded. Nothing outside the folder is read, no link is
followed, and what is not taken is told. Must not know what the files say."""

from __future__ import annotations

import errno
import os
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Self

import msgspec
from backports import zstd

from haulage.base.errors import FormatError, HaulageError, NotFoundError, TransferError
from haulage.base.text import shown
from haulage.engine.articles.article import MOST_SOURCE_BYTES

_ZSTD, _GZIP = b"\x28\xb5\x2f\xfd", b"\x1f\x8b"
_TAR_MARK_AT, _TAR_MARK = 257, b"ustar"
_MOST_TAR_HEADER_BYTES = 64 << 10
"""Long names and extended headers come before a member and are held in memory."""
_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_MOST_WINDOW_LOG = 27
"""zstd may look back 128 MiB and no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What an archive may hold at most. Beyond depth and size a file is refused; beyond count and total, everything after it."""

    depth: int = 16
    files: int = 500_000
    file_bytes: int = MOST_SOURCE_BYTES
    total_bytes: int = 8 << 30


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A file, or why it was not taken."""

    name: str
    """Its path below what was opened, with ``/``; fit to be shown."""
    data: bytes = b""
    refused: HaulageError | None = None


def walk(path: str, bounds: Bounds = Bounds(), *, name: str = "") -> Iterator[Found]:
    """Every file at ``path``: of a folder in order of names, of an archive (.tar, .tar.gz, .tar.zst) in its own order, otherwise
    the file itself. ``name`` is what the one who gave it calls it, where that is not its path.

    Raises :class:`NotFoundError` ``no-such-source``, :class:`TransferError` ``source-unreadable``, :class:`FormatError`
    ``bad-archive`` or ``archive-too-big``: what was yielded before stands."""
    try:
        if os.path.isdir(path):
            yield from _Counter(bounds).of(_folder(os.fsencode(path), bounds))
            return
        with open(path, "rb") as file:
            start = file.read(_TAR_MARK_AT + len(_TAR_MARK))
            file.seek(0)
            if _is_archive(start):
                yield from _Counter(bounds).of(_archive(file, start, bounds))
            else:
                yield _taken(shown(os.path.basename(name or path)), file, bounds)
    except FileNotFoundError:
        raise NotFoundError("no-such-source", f"There is nothing at {shown(name or path)}.", "Check the path.") from None
    except OSError as error:
        raise TransferError(
            "source-unreadable",
            f"{shown(name or path)} cannot be read: {error.strerror or error}.",
            "Check its rights and its disk.",
        ) from None


def _is_archive(start: bytes) -> bool:
    return start.startswith((_ZSTD, _GZIP)) or start[_TAR_MARK_AT : _TAR_MARK_AT + len(_TAR_MARK)] == _TAR_MARK


class _Counter:
    """Ends a walk that goes on too long."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds

    def of(self, found: Iterator[Found]) -> Iterator[Found]:
        """Pass on what is within the bounds.

        Raises :class:`FormatError` ``archive-too-big`` at the first that is not."""
        total = 0
        for number, one in enumerate(found, start=1):
            total += len(one.data)
            if number > self._bounds.files or total > self._bounds.total_bytes:
                limit = f"{self._bounds.files} files or {self._bounds.total_bytes} bytes"
                raise FormatError("archive-too-big", f"It has more than {limit}; reading stopped at {one.name}.", "Split it.")
            yield one


def _folder(top: bytes, bounds: Bounds) -> Iterator[Found]:
    """Depth first, names in byte order. Each folder is listed as a whole, not held open."""
    waiting: list[tuple[bytes, int]] = [(b"", 0)]
    while waiting:
        inside, depth = waiting.pop()
        with os.scandir(os.path.join(top, inside)) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
        folders = []
        for entry in listed:
            path = os.path.join(inside, entry.name)
            name = shown(os.fsdecode(path))
            if entry.name.startswith(b"."):
                yield _refused(name, "hidden-file", "is hidden")
            elif entry.is_symlink():
                yield _refused(name, "link", "is a link, which is not followed")
            elif entry.is_dir(follow_symlinks=False):
                if depth + 1 >= bounds.depth:
                    yield _refused(name, "too-deep", f"is more than {bounds.depth} folders deep")
                else:
                    folders.append((path, depth + 1))
            elif entry.is_file(follow_symlinks=False):
                yield _opened(os.path.join(top, path), name, bounds)
            else:
                yield _refused(name, "not-a-file", "is no ordinary file")
        waiting.extend(reversed(folders))


def _opened(path: bytes, name: str, bounds: Bounds) -> Found:
    """A file as it is opened: had it become a link or a pipe since it was listed, it is refused."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return _refused(name, "link", "is a link, which is not followed")
        return Found(name=name, refused=TransferError("source-unreadable", f"{name} cannot be read: {error.strerror}."))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return _refused(name, "not-a-file", "is no ordinary file")
        return _taken(name, file, bounds)


def _taken(name: str, file: IO[bytes], bounds: Bounds) -> Found:
    data = file.read(bounds.file_bytes + 1)
    if _is_archive(data):
        # Archives within archives would multiply what one walk may read.
        return _refused(name, "archive-inside", "is an archive among other files: import it by itself")
    if len(data) > bounds.file_bytes:
        return _refused(name, "article-too-big", f"has more than {bounds.file_bytes} bytes")
    return Found(name=name, data=data)


def _archive(file: IO[bytes], start: bytes, bounds: Bounds) -> Iterator[Found]:
    """Members in order, never written anywhere: a name is a label, whatever path it claims to be."""
    try:
        if start.startswith(_ZSTD):
            options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _MOST_WINDOW_LOG}
            with zstd.ZstdFile(file, options=options) as plain:
                yield from _members(plain, "r|", bounds)
        else:
            yield from _members(file, "r|gz" if start.startswith(_GZIP) else "r|", bounds)
    except (tarfile.TarError, zstd.ZstdError, EOFError, ValueError) as error:
        raise FormatError(
            "bad-archive", f"The archive cannot be read on: {shown(str(error), limit=200)}.", "Copy it again."
        ) from None


def _members(plain: IO[bytes] | zstd.ZstdFile, mode: str, bounds: Bounds) -> Iterator[Found]:
    total = 0
    with tarfile.open(fileobj=plain, mode=mode, tarinfo=_BoundedHeader, errorlevel=2) as archive:  # type: ignore[call-overload]
        for member in archive:
            archive.members = []  # tarfile remembers every member it has seen; there may be very many
            name = shown(member.name.removeprefix("./"), limit=500)
            total += member.size
            if total > bounds.total_bytes:
                raise FormatError("archive-too-big", f"Its members have more than {bounds.total_bytes} bytes.", "Split it.")
            if member.isdir():
                continue
            if not member.isreg():
                yield _refused(name, "link" if member.islnk() or member.issym() else "not-a-file", "is no ordinary file")
            elif member.name.count("/") >= bounds.depth + 1:
                yield _refused(name, "too-deep", f"is more than {bounds.depth} folders deep")
            elif any(part.startswith(".") for part in member.name.removeprefix("./").split("/")):
                yield _refused(name, "hidden-file", "is hidden, or leads out of the archive")
            elif (content := archive.extractfile(member)) is not None:
                yield _taken(name, content, bounds)


class _BoundedHeader(tarfile.TarInfo):
    """Refuses headers that would be held in memory and are too long for it."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        made = super().frombuf(buf, encoding, errors)
        if made.size < 0 or (made.type in _HEADERS and made.size > _MOST_TAR_HEADER_BYTES):
            raise tarfile.ReadError("a header has an impossible size")
        return made


def _refused(name: str, code: str, why: str) -> Found:
    return Found(name=name, refused=FormatError(code, f"{name} {why}."))
