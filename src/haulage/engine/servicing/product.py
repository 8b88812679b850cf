"""The product under a root: what its ``product.json`` says, or what the definition's probe finds; and that manifest after a fix.

``product.json`` is written by the product's maker (docs/fix-bundles.md); a fix changes it together with the files it speaks of.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from haulage.engine.servicing import file_version, level, path_rules, strict_json, trusted
from haulage.engine.servicing.definition import PRODUCT_ID, FixDefinition, Probe
from haulage.engine.servicing.document import MOST_FILES, SHA256, VERSION, WORD
from haulage.engine.servicing.errors import RefusedError
from haulage.engine.servicing.path_rules import PRODUCT_FILE, ROOT_NAME
from haulage.engine.servicing.strict_json import Fields, bad
from haulage.engine.servicing.trusted import TrustedKey

FORMAT = 1
MOST_BYTES = 32 << 20
MOST_ROOTS = 32
MOST_PROTECTED = 256


@dataclass(frozen=True)
class ListedFile:
    """A file of the product as its maker lists it."""

    sha256: str
    version: str | None = None


@dataclass(frozen=True)
class Product:
    """What stands under a root. None is "not known": never equal to anything a fix asks for.

    ``roots`` are other folders of the product by name, as the manifest writes them; ``protected`` pairs a path with the role a
    signer needs to touch what lies below it; ``keys`` are trusted for this product; ``files`` None: the manifest lists none.
    """

    id: str
    version: str | None = None
    service_level: str | None = None
    architecture: str | None = None
    language: str | None = None
    roots: Mapping[str, str] = field(default_factory=dict)
    protected: tuple[tuple[str, str], ...] = ()
    keys: tuple[TrustedKey, ...] = ()
    files: Mapping[str, ListedFile] | None = None
    has_manifest: bool = True

    @property
    def versions_by_content(self) -> dict[str, str]:
        """Versions of listed files by SHA-256, for files that carry none."""
        return {each.sha256: each.version for each in (self.files or {}).values() if each.version is not None}


def find(root: str, definition: FixDefinition) -> Product:
    """The product under ``root``. Raises RefusedError ``product-not-found``, DocumentError for an unreadable manifest."""
    product = read_manifest(root)
    if product is None:
        product = _probed(root, definition.product.id, definition.product.probe)
    if product is None:
        raise RefusedError(
            "product-not-found",
            f"{root} holds no {PRODUCT_FILE}{' and no ' + definition.product.probe.path if definition.product.probe else ''}.",
            f"Give the folder of {definition.product.id} with --root.",
        )
    return product


def read_manifest(root: str) -> Product | None:
    """What ``product.json`` says; None where there is none. Raises DocumentError ``bad-document``."""
    data = manifest_bytes(root)
    return None if data is None else from_bytes(data)


def manifest_bytes(root: str) -> bytes | None:
    """``product.json`` as it stands; None where there is none."""
    path = os.path.join(root, PRODUCT_FILE)
    try:
        with open(path, "rb") as file:
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RefusedError(
            "no-rights", f"{path} cannot be read: {error.strerror}.", "Run the bundle as an administrator."
        ) from error


def from_bytes(data: bytes) -> Product:
    """Raises DocumentError ``bad-document``."""
    fields = Fields(strict_json.decoded(data, PRODUCT_FILE, most_bytes=MOST_BYTES, canonical=False), PRODUCT_FILE)
    if fields.integer("format", most=1 << 31) != FORMAT:
        raise bad(fields.at("format"), f"this reader knows format {FORMAT} only")
    product = Product(
        id=fields.text("id", pattern=PRODUCT_ID),
        version=fields.text("version", most=128, pattern=VERSION),
        service_level=_optional_word(fields, "service_level"),
        architecture=_optional_word(fields, "architecture"),
        language=_optional_word(fields, "language"),
        roots=_roots(fields) if fields.has("roots") else {},
        protected=_protected(fields) if fields.has("protected") else (),
        keys=trusted.keys_from_fields(fields, "keys") if fields.has("keys") else (),
        files=_files(fields) if fields.has("files") else None,
    )
    fields.done()
    level.parsed(str(product.version), fields.at("version"))
    return product


def _optional_word(fields: Fields, name: str) -> str | None:
    return fields.text_or_none(name, most=64, pattern=WORD) if fields.has(name) else None


def _roots(fields: Fields) -> dict[str, str]:
    found = {}
    for name, value in fields.mapping("roots", most=MOST_ROOTS).items():
        if not ROOT_NAME.fullmatch(name) or name == "root":
            raise bad(fields.at("roots"), f"{name[:40]!r} is not the name of a root")
        found[name] = strict_json.checked_text(value, f"{fields.at('roots')}.{name}", most=4096)
    return found


def _protected(fields: Fields) -> tuple[tuple[str, str], ...]:
    found = []
    for each in fields.objects("protected", most=MOST_PROTECTED):
        path = path_rules.checked_path(each.text("path", most=1024), each.at("path"))
        found.append((path, each.text("role", most=32, pattern=trusted.ROLE)))
        each.done()
    return tuple(found)


def _files(fields: Fields) -> dict[str, ListedFile]:
    found = {}
    for path, value in fields.mapping("files", most=MOST_FILES).items():
        inner = Fields(value, f"{fields.at('files')}[{path[:80]!r}]")
        path_rules.checked_path(path, inner.where)
        version = inner.text_or_none("version", most=128, pattern=VERSION) if inner.has("version") else None
        found[path] = ListedFile(inner.text("sha256", most=64, pattern=SHA256), version)
        inner.done()
    return found


def _probed(root: str, product: str, probe: Probe | None) -> Product | None:
    """A product without manifest: there if the probe's file is, with that file's version (or none that is known)."""
    if probe is None:
        return None
    path = os.path.join(root, *probe.path.split("/"))
    if not os.path.isfile(path):
        return None
    version = file_version.of_path(path, relative=probe.path)
    text = str(version.version) if isinstance(version, file_version.Known) else None
    return Product(id=product, version=text, has_manifest=False)


def changed_by(product: Product, definition: FixDefinition, files: Mapping[str, ListedFile | None]) -> Product:
    """The product after a fix: what it becomes, and its list of files with those that changed (None: gone) (Q246331)."""
    listed = product.files
    if listed is not None:
        merged: dict[str, ListedFile | None] = {**listed, **files}
        listed = {path: each for path, each in sorted(merged.items()) if each is not None}
    return replace(
        product,
        version=definition.becomes.version or product.version,
        service_level=definition.becomes.service_level or product.service_level,
        files=listed,
    )


def manifest_after(data: bytes, changed: Product) -> bytes:
    """``product.json`` with version, service level and list of files of ``changed``; all else as its maker wrote it."""
    value: dict[str, Any] = json.loads(data.decode("utf-8"))
    before = from_bytes(data)
    if changed.version != before.version:
        value["version"] = changed.version
    if changed.service_level != before.service_level:
        value["service_level"] = changed.service_level
    if changed.files is not None and changed.files != before.files:
        value["files"] = {path: _listed(each) for path, each in changed.files.items()}
    if from_bytes(data) == changed:
        return data
    return json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8") + b"\n"


def _listed(file: ListedFile) -> dict[str, Any]:
    return {"sha256": file.sha256, **({} if file.version is None else {"version": file.version})}
