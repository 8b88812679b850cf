"""Small definitions and facts for tests of rules."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from haulage.engine.servicing.definition import FileAction, FixDefinition, FixFile, KnownState, ProductRange
from haulage.engine.servicing.detection import Facts, InstalledFix, PresentFile
from haulage.engine.servicing.file_version import FileVersion, Known, Unknown
from haulage.engine.servicing.level import parsed
from haulage.engine.servicing.product import Product

ORDER = ("RTM", "SP1", "SP2", "SP3", "SP4")


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def file(path: str, after: str, *before: str, version: str | None = None, **more: Any) -> FixFile:
    states = tuple(KnownState(sha(each)) for each in before)
    return FixFile(path, FileAction.REPLACE, sha(after), len(after), version=version, before=states, **more)


def fix(name: str = "Q316316", **fields: Any) -> FixDefinition:
    fields.setdefault("files", (file("bin/x", "new", "old"),))
    fields.setdefault("product", ProductRange(id="press", levels_order=ORDER))
    return FixDefinition(id=name, title=name, **fields)


def present(content: str, version: str | None = None) -> PresentFile:
    known: FileVersion = Unknown("it carries none") if version is None else Known(parsed(version), "a test")
    return PresentFile(sha(content), known)


def facts(files: Mapping[str, PresentFile | None] | None = None, *installed: FixDefinition, **product: Any) -> Facts:
    stands = Product(**{"id": "press", "version": "1.0", "service_level": "SP3", **product})
    recorded = [InstalledFix(each.id, "", each.replaces, each) for each in installed]
    return Facts(stands, {"bin/x": present("old")} if files is None else files, recorded)
