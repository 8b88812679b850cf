"""The files beside the store that are made from it: built parcels, hints of captures. What is damaged of them is taken away, and
made again when it is wanted; nothing is lost by that."""

from __future__ import annotations

import os
from collections.abc import Iterator

from haulage.base.files import remove_durable
from haulage.domain.transit.provider import Provider
from haulage.engine.content.digest import DIGEST_SIZE, digest
from haulage.engine.content.model import Damage

HINTS = ".hints"


def check_beside(provider: Provider, hints_folder: str | None) -> list[Damage]:
    """Read all of it; what is damaged is named and gone."""
    parcels = [
        Damage(where=path, chunks=(), cause="the parcel is not what its name says; it is built again when somebody asks")
        for path in provider.inspect_all()
    ]
    return [*parcels, *_damaged_hints(hints_folder)]


def _damaged_hints(folder: str | None) -> Iterator[Damage]:
    try:
        names = sorted(os.listdir(folder)) if folder is not None else []
    except FileNotFoundError:
        names = []
    for name in names:
        path = os.path.join(folder or "", name)
        if name.endswith(HINTS) and not _whole(path):
            remove_durable(path)
            yield Damage(where=path, chunks=(), cause="what a capture noted is damaged; the next one reads every file again")


def _whole(path: str) -> bool:
    """Whether the file ends in the digest of all before, as every form of hints does."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return digest(data[:-DIGEST_SIZE]) == data[-DIGEST_SIZE:]
