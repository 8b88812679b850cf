"""One tree of a product, as a builder sees it: plain files with hash, size, mode and version. Reads only (I9)."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from haulage.base.errors import NotFoundError
from haulage.engine.servicing import file_version, path_rules, product
from haulage.engine.servicing.file_version import Known
from haulage.engine.servicing.product import Product

PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeFile:
    """A file; ``version`` None where it carries none that can be ordered."""

    path: str
    full: str
    sha256: str
    size_bytes: int
    mode: int
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A folder as it stood when it was read. ``others`` are links and devices, which a fix cannot carry."""

    folder: str
    files: dict[str, TreeFile]
    others: dict[str, str]
    product: Product | None


def read_tree(folder: str) -> Tree:
    """Every file below ``folder`` but ``product.json`` and servicing's own. Raises NotFoundError ``no-folder``, FormatError
    ``bad-document`` for a name that no fix may carry."""
    if not os.path.isdir(folder):
        raise NotFoundError("no-folder", f"There is no folder {folder}.", "Give the folder of one tree of the product.")
    manifest = product.read_manifest(folder)
    listed = manifest.versions_by_content if manifest is not None else {}
    files: dict[str, TreeFile] = {}
    others: dict[str, str] = {}
    for path, entry in _walk(folder, ""):
        if entry.is_file(follow_symlinks=False):
            files[path] = _file(path, entry, listed)
        else:
            others[path] = _kind(entry)
    return Tree(folder=folder, files=files, others=others, product=manifest)


def digest_of(path: str) -> str:
    """SHA-256 of a file in hexadecimal."""
    hasher = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(PIECE_BYTES):
            hasher.update(piece)
    return hasher.hexdigest()


def _walk(folder: str, below: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda each: each.name)
    for entry in listed:
        path = below + entry.name
        if path in (path_rules.STATE_FOLDER, path_rules.PRODUCT_FILE):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, path + "/")
        else:
            yield path, entry


def _file(path: str, entry: os.DirEntry[str], listed: dict[str, str]) -> TreeFile:
    found = entry.stat(follow_symlinks=False)
    sha256 = digest_of(entry.path)
    version = file_version.of_path(entry.path, listed=listed, relative=path, sha256=sha256)
    return TreeFile(
        path=path,
        full=entry.path,
        sha256=sha256,
        size_bytes=found.st_size,
        mode=stat.S_IMODE(found.st_mode) & 0o777,
        version=str(version.version) if isinstance(version, Known) else None,
    )


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return f"a link to {os.readlink(entry.path)}"
    return "no plain file"
