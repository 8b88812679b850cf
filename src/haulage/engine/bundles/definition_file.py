"""A definition as a person writes it, in TOML with defaults, and the files it speaks of, made into a definition. Knows no keys."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from haulage.base.errors import FormatError, NotFoundError, UsageError
from haulage.engine.bundles.comparison import Changes, stream_order
from haulage.engine.servicing import document
from haulage.engine.servicing.definition import FixDefinition, FixFile
from haulage.engine.servicing.product import Product

MOST_BYTES = 8 << 20

DEFAULTS: dict[str, Any] = {
    "format": document.FORMAT, "article": None, "explanation": "", "programs": [], "services": [], "keep": [],
    "requires": {}, "supersedes": [], "contains": [], "after": [], "breaks": [], "mends": [], "schemas": [], "detect": [],
    "becomes": {}, "reboot": "no", "uninstallable": True, "product": {},
}  # fmt: skip
INNER: dict[str, dict[str, Any]] = {
    "product": {
        "versions": "any",
        "service_levels": [],
        "levels_order": [],
        "architecture": "any",
        "language": "any",
        "probe": None,
    },
    "requires": {"fixes": [], "service_level": None},
    "becomes": {"version": None, "service_level": None},
}
LISTED: dict[str, dict[str, Any]] = {
    "programs": {"undo": None, "timeout_seconds": 300, "exits": {}},
    "services": {"pid_file": None, "start": None, "stop": None, "stop_seconds": 60, "start_seconds": 60, "required": True},
    "breaks": {"mended_by": None},
    "detect": {"present": True, "sha256": None, "versions": None},
}
FILE_FIELDS = ("action", "version", "shared", "mode", "before")


def read_file(path: str) -> dict[str, Any]:
    """The TOML file as a value. Raises NotFoundError ``no-definition``, FormatError ``bad-document``."""
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise NotFoundError("no-definition", f"There is no definition file {path}.", "Write one: docs/guide/fix.md.") from None
    if len(data) > MOST_BYTES:
        raise FormatError("bad-document", f"{path} has more than {MOST_BYTES} bytes.", "Give a definition file.")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise FormatError("bad-document", f"{path} is not TOML: {error}.", "Correct the line it names.") from None


def made(written: Mapping[str, Any], changes: Changes) -> FixDefinition:
    """The definition: what was written, defaults, the files. Raises DocumentError naming the field, UsageError ``no-such-file``."""
    value: dict[str, Any] = {**DEFAULTS, **written}
    for name, defaults in INNER.items():
        if isinstance(value[name], dict):
            value[name] = {**defaults, **value[name]}
    for name, defaults in LISTED.items():
        if isinstance(value[name], list):
            value[name] = [{**defaults, **each} if isinstance(each, dict) else each for each in value[name]]
    files = _files(value.pop("files", []), changes)
    return document.from_value({**value, "files": files})


def with_product(written: Mapping[str, Any], before: Product | None, after: Product | None) -> dict[str, Any]:
    """What was written, and what the manifests of the trees say where nothing was: product, version it is for, what it becomes."""
    value = dict(written)
    product = dict(value.get("product", {}))
    known = before or after
    if known is not None:
        product.setdefault("id", known.id)
    if before is not None and before.version is not None:
        product.setdefault("versions", f"={before.version}")
    if product:
        value["product"] = product
    if before is not None and after is not None:
        becomes = {
            name: getattr(after, name) for name in ("version", "service_level") if getattr(after, name) != getattr(before, name)
        }
        value["becomes"] = {**becomes, **value.get("becomes", {})}
    return value


def _files(written: Any, changes: Changes) -> list[dict[str, Any]]:
    """The found files, each changed by what was written of it, and files to remove that were only written."""
    if not isinstance(written, list) or not all(isinstance(each, dict) and isinstance(each.get("path"), str) for each in written):
        raise FormatError("bad-document", "files must be a list of tables, each with a path.", "Write [[files]] with path = …")
    by_path = {each.path: _plain(each) for each in changes.files}
    for each in written:
        path = each["path"]
        if path in by_path:
            by_path[path].update({name: each[name] for name in FILE_FIELDS if name in each})
        elif each.get("action") == "remove":
            by_path[path] = {**_plain(None), **each}
        else:
            raise UsageError("no-such-file", f"The definition speaks of {path}, which is not in the folder.", "Put it there.")
        unknown = sorted(set(each) - {"path", *FILE_FIELDS})
        if unknown:
            raise FormatError("bad-document", f"{path} has the unknown field {unknown[0]!r}.", "Correct the name.")
    found = [document.file_from_value(each, f"fix.files[{each['path'][:80]!r}]") for each in by_path.values()]
    return [_plain(each) for each in stream_order(found)]


def _plain(file: FixFile | None) -> dict[str, Any]:
    if file is None:
        return {"sha256": "", "size": 0, "mode": 0, "version": None, "shared": False, "before": []}
    return {
        "path": file.path,
        "action": file.action.value,
        "sha256": file.sha256,
        "size": file.size,
        "mode": file.mode if file.carried else 0,
        "version": file.version,
        "shared": file.shared,
        "before": [{"sha256": each.sha256, "version": each.version} for each in file.before],
    }
