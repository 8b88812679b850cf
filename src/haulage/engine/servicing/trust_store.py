"""Whose signature counts at this root: keys of the product's manifest, keys given by hand, keys a person said yes to earlier."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from haulage.engine.servicing import durable, strict_json, trusted
from haulage.engine.servicing.errors import RefusedError, ServicingError
from haulage.engine.servicing.places import Places
from haulage.engine.servicing.product import Product
from haulage.engine.servicing.trusted import TrustedKey

FINGERPRINT_DIGITS = 64


@dataclass(frozen=True)
class Trust:
    """``keys`` count; ``fingerprints`` name keys that count for fixes, whichever bundle shows them."""

    keys: tuple[TrustedKey, ...] = ()
    fingerprints: tuple[str, ...] = ()

    def for_signers(self, signed_by: Sequence[bytes]) -> tuple[TrustedKey, ...]:
        """All keys that count, with those a fingerprint names."""
        named = [TrustedKey(each) for each in signed_by if any(trusted.fingerprint(each) == given for given in self.fingerprints)]
        return (*self.keys, *named)


def gather(places: Places, product: Product | None, given: Sequence[str]) -> Trust:
    """Everything that was said about trust here. ``given``: names of key files, or whole fingerprints. Raises RefusedError
    ``no-such-key-file``, DocumentError ``bad-document``."""
    said = told(given)
    return Trust((*(product.keys if product is not None else ()), *remembered(places), *said.keys), said.fingerprints)


def told(given: Sequence[str]) -> Trust:
    """What was said by hand. Raises like :func:`gather`."""
    keys: list[TrustedKey] = []
    fingerprints = []
    for word in given:
        if len(word) == FINGERPRINT_DIGITS and all(each in "0123456789abcdef" for each in word.lower()):
            fingerprints.append(word.lower())
        else:
            keys += read_keys(word)
    return Trust(tuple(keys), tuple(fingerprints))


def read_keys(path: str) -> tuple[TrustedKey, ...]:
    """Raises RefusedError ``no-such-key-file``, DocumentError ``bad-document``."""
    try:
        with open(path, "rb") as file:
            return trusted.keys_from_bytes(file.read(trusted.MOST_BYTES + 1), path)
    except OSError as error:
        raise RefusedError(
            "no-such-key-file", f"{path} is no fingerprint and cannot be read as a file of keys: {error.strerror}.", "See --trust."
        ) from error


def remembered(places: Places) -> tuple[TrustedKey, ...]:
    """Keys somebody said yes to; none if the file is not there. Raises DocumentError if it is damaged."""
    try:
        return read_keys(_path(places))
    except ServicingError as error:
        if error.code == "no-such-key-file":
            return ()
        raise


def remember(places: Places, key: TrustedKey) -> None:
    """From now on ``key`` counts at this root; durable."""
    known = {each.raw: each for each in (*remembered(places), key)}
    places.make()
    durable.write_durable(_path(places), strict_json.encoded(trusted.keys_to_value(known.values())), mode=0o644)


def _path(places: Places) -> str:
    return os.path.join(places.state, "keys.json")
