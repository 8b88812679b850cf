"""Files that belong to Haulage itself, or to another product below the same folder: a fix touches them only if it is a fix of that
product (B96)."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable

from haulage.engine.servicing import product
from haulage.engine.servicing.errors import RefusedError, ServicingError

SERVER = "haulage-server"
AGENT = "haulage-agent"
OWN = (SERVER, AGENT)
_HOME_FILE = "haulage.toml"


def check_belongs(root: str, paths: Iterable[str], fix_product: str) -> None:
    """``paths`` are absolute. Raises RefusedError ``not-its-files``."""
    known: dict[str, str | None] = {}
    for path in paths:
        folder = os.path.dirname(path)
        if folder not in known:
            known[folder] = owner_of(folder, root)
        owner = known[folder]
        if owner is not None and owner != fix_product:
            raise RefusedError(
                "not-its-files",
                f"{path} belongs to {owner}, and the fix is for {fix_product}.",
                f"Get a fix that is made and signed for {owner}.",
            )


def owner_of(folder: str, root: str) -> str | None:
    """Whose the files in a folder are: the nearest sign of Haulage at or above it, or the manifest of a product nested in ``root``;
    None if nothing says."""
    at = folder
    while True:
        found = _sign(at)
        if found is not None and (found in OWN or _is_below(at, root)):
            return found
        above = os.path.dirname(at)
        if above == at:
            return None
        at = above


def _is_below(folder: str, root: str) -> bool:
    return folder != root and folder.startswith(root.rstrip(os.sep) + os.sep)


def _sign(folder: str) -> str | None:
    if os.path.isfile(os.path.join(folder, "product.json")):
        try:
            manifest = product.read_manifest(folder)
        except ServicingError:
            manifest = None
        if manifest is not None:
            return manifest.id
    if os.path.isfile(os.path.join(folder, _HOME_FILE)):
        return SERVER
    beside = os.path.join(glob.escape(os.path.dirname(folder)), "haulage-*.dist-info")
    if os.path.basename(folder) == "haulage" and glob.glob(beside):
        return SERVER
    return None
