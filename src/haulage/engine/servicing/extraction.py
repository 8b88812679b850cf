"""Laying the files of a bundle into a new folder, for looking at them or for the manual way. Changes no product."""

from __future__ import annotations

import os

from haulage.engine.servicing import document, durable
from haulage.engine.servicing.definition import FileAction, FixDefinition
from haulage.engine.servicing.errors import RefusedError
from haulage.engine.servicing.file_facts import FileFacts
from haulage.engine.servicing.switch import Contents, write_all

FILES = "files"
TOOLS = "tools"


def extract(definition: FixDefinition, source: Contents, folder: str) -> int:
    """``files/`` as they come below the product's root, ``tools/`` for programs, ``definition.json``. The folder must be new or
    empty. Returns how many files. Raises RefusedError ``folder-not-empty``, StepError."""
    if os.path.lexists(folder) and (not os.path.isdir(folder) or os.listdir(folder)):
        raise RefusedError("folder-not-empty", f"{folder} is not an empty folder.", "Give a new one.")
    folder = os.path.abspath(folder)
    durable.make_folder(folder)
    targets: dict[str, list[tuple[str, FileFacts]]] = {}
    count = 0
    for file in definition.files:
        if file.carried:
            path = f"{TOOLS if file.action is FileAction.TOOL else FILES}/{file.path}"
            _make_above(folder, path)
            full = os.path.join(folder, *path.split("/"))
            targets.setdefault(file.sha256, []).append((full, FileFacts(file.sha256, file.size, file.mode)))
            count += 1
    write_all(targets, source)
    durable.write_durable(os.path.join(folder, "definition.json"), document.to_bytes(definition), mode=0o644)
    return count


def _make_above(folder: str, path: str) -> None:
    for part in path.split("/")[:-1]:
        folder = os.path.join(folder, part)
        durable.make_folder(folder)
