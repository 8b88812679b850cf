"""Making bundles at a packager's desk: keys, building, rolling up, looking. Needs no home and no server."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from haulage.base import files
from haulage.base.clock import SystemClock
from haulage.base.errors import ConflictError, UsageError
from haulage.engine.bundles import building, rollup
from haulage.engine.bundles.building import Prepared
from haulage.engine.bundles.definition_file import read_file
from haulage.engine.bundles.reading import BundleFacts, authorised, read_bundle
from haulage.engine.bundles.refusals import as_haulage_errors
from haulage.engine.bundles.writing import Written
from haulage.engine.servicing import screens, strict_json, trust_store, trusted
from haulage.engine.servicing.detection import detect
from haulage.engine.servicing.inspection import look
from haulage.engine.servicing.places import opened_root
from haulage.engine.servicing.record import load_record
from haulage.engine.servicing.trusted import TrustedKey
from haulage.engine.trust.keys import SigningKey
from haulage.engine.trust.keystore import read_secret, write_secret

Row = dict[str, Any]


def make_key(path: str, name: str) -> Row:
    """A new signing key in ``path`` (for its owner alone) and the file that tells others to trust it in ``path.pub``. Raises
    ConflictError ``key-exists``."""
    for each in (path, f"{path}.pub"):
        if os.path.lexists(each):
            raise ConflictError("key-exists", f"There is a file {each} already.", "Move it away first, if it is not needed.")
    key = SigningKey.generate()
    write_secret(path, key.to_pem())
    public = TrustedKey(key.public.raw, name=name)
    files.write_durable(f"{path}.pub", strict_json.encoded(trusted.keys_to_value([public])) + b"\n")
    return {"id": key.public.id, "private": path, "public": f"{path}.pub"}


def build(
    trees: Sequence[str],
    definition: str | None,
    said: Mapping[str, Any],
    output: str | None,
    keys: Sequence[str],
    expires: str | None,
) -> Row:
    """From ``[BEFORE…] AFTER`` or a folder; ``said`` stands over the definition file. Returns what was built."""
    written = _written(definition, said)
    *befores, after = trees
    return _built(building.prepare(written, befores, after), output, keys, expires)


def roll_up(
    bundles: Sequence[str],
    definition: str | None,
    said: Mapping[str, Any],
    output: str | None,
    keys: Sequence[str],
    expires: str | None,
    leave_out: Sequence[str] = (),
) -> Row:
    """One bundle of several. Returns what was built."""
    folder = os.path.dirname(os.path.abspath(output or "."))
    with rollup.rolled_up(_written(definition, said), bundles, folder, leave_out) as prepared:
        return _built(prepared, output, keys, expires)


def check(path: str, trust: Sequence[str]) -> Row:
    """What a bundle says, every byte of it proved; with ``trust`` also whether one of those keys answers for it."""
    facts = read_bundle(path)
    if trust:
        with as_haulage_errors():
            given = trust_store.told(trust).for_signers(facts.signed_by)
        authorised(facts, given, SystemClock().now())
    return _row(facts, trusted_by_one=bool(trust))


def assess(root: str, bundles: Sequence[str]) -> list[Row]:
    """How each fix stands to the product under ``root``; without bundles: what its record names."""
    with as_haulage_errors():
        places = opened_root(root)
        if not bundles:
            return [
                {
                    "fix": each.id,
                    "state": "superseded" if each.superseded_by else "installed",
                    "reasons": [f"since {each.time} by {each.actor}"],
                }
                for each in load_record(places).entries
            ]
        rows = []
        for definition in (read_bundle(each).definition for each in bundles):
            found = detect(definition, look(places, definition))
            reasons = [*found.reasons, *(each.reason for each in found.blockers)]
            rows.append({"fix": definition.id, "state": found.state.value, "reasons": reasons})
        return rows


def _written(path: str | None, said: Mapping[str, Any]) -> Row:
    value: Row = {} if path is None else read_file(path)
    product = {**value.get("product", {}), **said.get("product", {})}
    whole = {**value, **said, **({"product": product} if product else {})}
    return {**whole, "title": whole.get("title", whole["id"])} if "id" in whole else whole


def _built(prepared: Prepared, output: str | None, keys: Sequence[str], expires: str | None) -> Row:
    if not keys:
        raise UsageError("no-key", "Nobody signs the bundle.", "Give --key FILE; haulage fix keys new FILE makes one.")
    signers = [SigningKey.from_pem(read_secret(each)) for each in keys]
    with as_haulage_errors():
        until = None if expires is None else trusted.parsed_time(expires, "--expires")
    path = output or f"{prepared.definition.id}.pyz"
    made: Written = building.build(prepared, path, signers, expires=until)
    return {
        "id": prepared.definition.id,
        "path": made.path,
        "bytes": made.size_bytes,
        "sha256": made.sha256,
        "digest": made.digest,
        "files": len(prepared.definition.files),
        "content_bytes": made.content_bytes,
        "plain_bytes": made.plain_bytes,
        "signed_by": list(made.signed_by),
        "notes": list(prepared.notes),
    }


def _row(facts: BundleFacts, *, trusted_by_one: bool) -> Row:
    definition = facts.definition
    return {
        "id": definition.id,
        "title": definition.title,
        "article": definition.article,
        "product": screens.product_range(definition),
        "files": len(definition.files),
        "supersedes": list(definition.supersedes),
        "contains": list(definition.contains),
        "requires": list(definition.requires.fixes),
        "services": [each.name for each in definition.services],
        "reboot": definition.reboot.value,
        "uninstallable": definition.uninstallable,
        "bytes": facts.size_bytes,
        "plain_bytes": facts.plain_bytes,
        "sha256": facts.sha256,
        "digest": facts.digest,
        "signed_by": [trusted.fingerprint(each) for each in facts.signed_by],
        "trusted": trusted_by_one,
        "expires": None if facts.expires is None else trusted.written_time(facts.expires),
        "own_program": facts.own_program,
    }
