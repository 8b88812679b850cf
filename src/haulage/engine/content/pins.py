"""Pins on disk: one small file each, checked whole. A pin that cannot be read is an error, never an absence (I11). Knows nothing
of chunks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from haulage.base import files
from haulage.base.clock import iso, parse_iso
from haulage.base.errors import IntegrityError, UsageError
from haulage.engine.content.digest import digest
from haulage.engine.content.model import ManifestId, Pin
from haulage.engine.content.store_errors import naming

_FIRST_LINE = "haulage-pin 1"
_SUFFIX = ".pin"
_MAX_OWNER_LENGTH = 512
_MAX_FILE_BYTES = 4096
_FORM = re.compile(r"haulage-pin 1\nowner (.+)\nmanifest ([0-9a-f]{64})\nexpires (\S+)\nblake3 [0-9a-f]{64}\n")


def encode_pin(pin: Pin) -> bytes:
    """The one way to write this pin. Raises UsageError ``bad-pin-owner``."""
    _require_owner(pin.owner)
    expires = iso(pin.expires) if pin.expires else "never"
    body = f"{_FIRST_LINE}\nowner {pin.owner}\nmanifest {pin.manifest.hex()}\nexpires {expires}\n".encode()
    return body + f"blake3 {digest(body).hex()}\n".encode()


def decode_pin(data: bytes) -> Pin:
    """The inverse; anything that would not be written like this is refused. Raises ValueError."""
    match = _FORM.fullmatch(data.decode())
    if not match:
        raise ValueError("not a pin of version 1")
    owner, manifest, expires = match.groups()
    pin = Pin(
        owner=owner,
        manifest=ManifestId(bytes.fromhex(manifest)),
        expires=None if expires == "never" else parse_iso(expires),
    )
    try:
        same = encode_pin(pin) == data
    except UsageError as error:
        raise ValueError(error.message) from error
    if not same:
        raise ValueError("does not match its digest")
    return pin


def _require_owner(owner: str) -> None:
    if not 0 < len(owner) <= _MAX_OWNER_LENGTH or not owner.isprintable():
        raise UsageError(
            "bad-pin-owner", f"{owner!r} cannot own a pin.", f"Use 1 to {_MAX_OWNER_LENGTH} printable characters on one line."
        )


def pin_file_name(owner: str) -> str:
    """The file of an owner's pin: derived, so that setting and removing need no search."""
    return digest(owner.encode()).hex()[:32] + _SUFFIX


class PinFolder:
    """The pins of one store. The store's lock orders its calls."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def put(self, pin: Pin) -> None:
        """Set or replace, durably. Raises UsageError, TransferError."""
        data = encode_pin(pin)
        path = os.path.join(self._folder, pin_file_name(pin.owner))
        with naming(path, "write"):
            files.write_durable(path, data)

    def remove(self, owner: str) -> None:
        """Remove, durably; no error if there is none. Raises UsageError, TransferError."""
        _require_owner(owner)
        path = os.path.join(self._folder, pin_file_name(owner))
        with naming(path, "remove"):
            files.remove_durable(path)

    def all(self) -> list[Pin]:
        """Every pin, by owner. Raises IntegrityError ``pin-unreadable`` naming the first file that is not a whole pin."""
        return sorted((self._read(name) for name in self._names()), key=lambda pin: pin.owner)

    def damaged(self) -> Iterator[tuple[str, str]]:
        """Path and cause of each pin file that cannot be read."""
        for name in self._names():
            try:
                self._read(name)
            except IntegrityError as error:
                yield os.path.join(self._folder, name), error.message

    def drop_unreadable(self) -> int:
        """Remove each pin file that cannot be read, durably; returns how many. Raises TransferError."""
        paths = [path for path, _cause in self.damaged()]
        for path in paths:
            with naming(path, "remove"):
                files.remove_durable(path)
        return len(paths)

    def _names(self) -> list[str]:
        with naming(self._folder, "list"):
            return sorted(name for name in os.listdir(self._folder) if not is_temporary(name))

    def _read(self, name: str) -> Pin:
        path = os.path.join(self._folder, name)
        try:
            with open(path, "rb") as file:
                pin = decode_pin(file.read(_MAX_FILE_BYTES))
            if pin_file_name(pin.owner) != name:
                raise ValueError("belongs under another name")
        except (OSError, ValueError) as error:
            raise IntegrityError(
                "pin-unreadable",
                f"The pin {path} cannot be read: {error}.",
                "Nothing is swept until it is set again by its owner, or moved away by you.",
            ) from error
        return pin


def is_temporary(name: str) -> bool:
    """Whether this is a file of an unfinished durable write."""
    return name.startswith(".") and name.endswith(".tmp")
