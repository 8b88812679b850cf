"""Two trees of a small product and bundles made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haulage.engine.bundles import building
from haulage.engine.bundles.writing import Written
from haulage.engine.servicing import trusted
from haulage.engine.servicing.trusted import TrustedKey
from haulage.engine.trust.keys import SigningKey

KEY = SigningKey.from_seed(b"k" * 32)
TRUSTED = TrustedKey(KEY.public.raw, name="maker")
BEFORE = {"bin/press.py": "print('998')\n", "same": "s", "gone": "g"}
AFTER = {"bin/press.py": "print('right')\n", "same": "s", "added/deep/file": "a" * 5000}


def write_tree(folder: Path, files: Mapping[str, str], version: str | None = "1.0") -> str:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    if version is not None:
        (folder / "product.json").write_text(json.dumps({"format": 1, "id": "press", "version": version}))
    return str(folder)


def write_keys(path: Path, *keys: TrustedKey) -> str:
    path.write_text(json.dumps(trusted.keys_to_value(keys or (TRUSTED,))))
    return str(path)


def make_bundle(
    folder: Path, written: Mapping[str, Any] | None = None, before: Mapping[str, str] = BEFORE, after: Mapping[str, str] = AFTER
) -> Written:
    """A bundle in ``folder`` from trees below it."""
    said = {"id": "Q316316", "title": "Compressing stops with error 998", **(written or {})}
    name = said["id"]
    trees = [write_tree(folder / f"{name}-before", before), write_tree(folder / f"{name}-after", after, "1.1")]
    return building.build(building.prepare(said, trees[:1], trees[1]), str(folder / f"{name}.pyz"), [KEY])
