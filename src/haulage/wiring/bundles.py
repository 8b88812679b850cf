"""Bundles of fixes in a home: copied aside, read as data, and kept as what their packages are captured from. Nothing of them is run
here. Also the look at a product folder on this machine."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence

from haulage.base.clock import Clock
from haulage.base.errors import TransferError
from haulage.base.files import copy, make_folder, remove_tree, rename, sync_folder, sync_path
from haulage.domain.fixes.model import Assessment
from haulage.engine.bundles.reading import BundleFacts, read_bundle
from haulage.engine.bundles.refusals import as_haulage_errors
from haulage.engine.servicing.definition import FixDefinition
from haulage.engine.servicing.detection import detect
from haulage.engine.servicing.errors import ServicingError
from haulage.engine.servicing.inspection import look
from haulage.engine.servicing.places import opened_root
from haulage.engine.servicing.product import read_manifest
from haulage.engine.servicing.trusted import TrustedKey, keys_from_bytes
from haulage.wiring.home import Home

BUNDLES = "fixes"
KEYS = "fix-keys.json"


class KeptBundle:
    """Implements :class:`~haulage.operations.fixes.Kept`."""

    def __init__(self, staged: str, folder: str, facts: BundleFacts) -> None:
        self._staged = staged
        self.facts = facts
        self.source = os.path.join(folder, facts.definition.id)

    def keep(self) -> None:
        """Under the fix's name, in place of what a killed import left there."""
        with contextlib.suppress(FileNotFoundError):
            remove_tree(self.source)
        rename(self._staged, self.source)
        sync_folder(os.path.dirname(self.source))


class Bundles:
    """The folder of bundles of one home."""

    def __init__(self, home: Home) -> None:
        self.folder = home.file(BUNDLES)
        self._keys = home.file("trust", KEYS)

    @contextlib.contextmanager
    def staged(self, path: str) -> Iterator[KeptBundle]:
        """A copy of the bundle at ``path``, read and proved: what is judged is what is kept (I2). Raises like ``read_bundle``."""
        read_bundle(path)
        make_folder(self.folder, mode=0o700)
        staged = os.path.join(self.folder, f".{secrets.token_hex(8)}")
        make_folder(staged)
        try:
            aside = os.path.join(staged, "bundle")
            copy(path, aside)
            facts = read_bundle(aside)
            named = os.path.join(staged, f"{facts.definition.id}.pyz")
            os.chmod(aside, 0o755)  # noqa: S103  (what is distributed is run where it arrives)
            rename(aside, named)
            sync_path(named)
            sync_folder(staged)
            yield KeptBundle(staged, self.folder, facts)
        except OSError as error:
            raise TransferError(
                "bundle-unwritable", f"{path} cannot be kept: {error.strerror or error}.", "Look at the disk."
            ) from error
        finally:
            with contextlib.suppress(FileNotFoundError):
                remove_tree(staged)

    def clear(self) -> None:
        """What killed imports left."""
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self.folder):
                if name.startswith("."):
                    remove_tree(os.path.join(self.folder, name))

    def keys(self) -> tuple[TrustedKey, ...]:
        """Signers of fixes this site trusts without being told: ``trust/fix-keys.json``, if somebody put it there."""
        try:
            with open(self._keys, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return ()
        with as_haulage_errors():
            return keys_from_bytes(data, self._keys)


def assess(clock: Clock, root: str, fixes: Sequence[FixDefinition]) -> Assessment:
    """Hold the product under ``root`` against fixes; nothing there is changed. Raises NotFoundError ``no-root``,
    ``product-not-found``."""
    with as_haulage_errors():
        places = opened_root(root)
        product = read_manifest(places.root)
    results: list[dict[str, object]] = []
    for fix in sorted(fixes, key=lambda fix: fix.id):
        try:
            found = detect(fix, look(places, fix))
        except ServicingError as error:
            results.append({"fix": fix.id, "state": "unknown", "reasons": [error.message]})
            continue
        reasons = [*found.reasons, *(blocker.reason for blocker in found.blockers)]
        results.append({"fix": fix.id, "state": found.state.value, "reasons": reasons})
    return Assessment(
        root=root,
        product=product.id if product is not None else "unknown",
        version=(product.version if product is not None else None) or "",
        service_level=(product.service_level if product is not None else None) or "",
        taken=clock.now(),
        results=tuple(results),
    )
