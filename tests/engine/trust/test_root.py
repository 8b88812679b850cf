"""The root of trust: pinned by digest, signed by its own keys, each key once."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from tuf.api.metadata import Metadata, Root  # type: ignore[attr-defined]
from tuf.api.serialization.json import JSONSerializer

from haulage.base.errors import HaulageError
from haulage.base.ids import SiteCode
from haulage.engine.trust.keys import SigningKey
from haulage.engine.trust.root import TrustedRoot, load_root, make_root, root_digest

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
ROOT, SECOND, HIERARCHY, TARGETS, SNAPSHOT = (SigningKey.from_seed(bytes([n]) * 32) for n in range(1, 6))
AUTHORITY = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def make(*root_keys: SigningKey) -> bytes:
    return make_root(
        central=SiteCode("HQ1"),
        root_keys=root_keys or (ROOT,),
        hierarchy=[HIERARCHY.public],
        targets=TARGETS.public,
        snapshot=SNAPSHOT.public,
        timestamp=SNAPSHOT.public,
        authority_pem=AUTHORITY,
        now=NOW,
    )


def load(data: bytes, now: dt.datetime = NOW) -> TrustedRoot:
    return load_root(data, pinned_sha256=hashlib.sha256(data).hexdigest(), now=now)


def resigned(change: Callable[[dict[str, Any]], None], *keys: SigningKey) -> bytes:
    """A root changed and signed again, by whoever holds the root key."""
    raw = json.loads(make())
    change(raw["signed"])
    metadata: Metadata[Root] = Metadata.from_dict(raw)
    metadata.signatures.clear()
    for key in keys or (ROOT,):
        metadata.sign(key.signer, append=True)
    return metadata.to_bytes(JSONSerializer(compact=True))


def test_a_root_says_what_was_put_in() -> None:
    data = make(ROOT, SECOND)
    root = load(data)
    assert root.central == "HQ1"
    assert root.hierarchy == (HIERARCHY.public,)
    assert root.authority_pem == AUTHORITY
    assert root.sha256 == root_digest(data)
    assert root.version == 1
    assert root.expires.year == 2036


def test_it_is_a_real_tuf_root() -> None:
    metadata = Metadata[Root].from_bytes(make(ROOT, SECOND))
    metadata.verify_delegate(Root.type, metadata)
    assert metadata.signed.consistent_snapshot
    assert metadata.signed.roles["root"].threshold == 2
    assert set(metadata.signed.roles) == {"root", "targets", "snapshot", "timestamp"}


def test_another_root_than_the_pinned_one_is_refused() -> None:
    with pytest.raises(HaulageError) as caught:
        load_root(make(SECOND), pinned_sha256=root_digest(make()), now=NOW)
    assert caught.value.code == "wrong-root"


def test_b39_an_expired_root_is_refused() -> None:
    with pytest.raises(HaulageError) as caught:
        load(make(), NOW + dt.timedelta(days=3700))
    assert caught.value.code == "root-expired"


def test_a_root_without_enough_signatures_is_refused() -> None:
    raw = json.loads(make(ROOT, SECOND))
    raw["signatures"] = raw["signatures"][:1]
    with pytest.raises(HaulageError) as caught:
        load(Metadata.from_dict(raw).to_bytes(JSONSerializer(compact=True)))
    assert caught.value.code == "bad-signature"


def test_the_extra_field_is_signed() -> None:
    raw = json.loads(make())
    raw["signed"]["x-haulage"]["central"] = "LA1"
    with pytest.raises(HaulageError) as caught:
        load(Metadata.from_dict(raw).to_bytes(JSONSerializer(compact=True)))
    assert caught.value.code == "bad-signature"


def test_one_key_under_two_names_is_refused() -> None:
    def double(signed: dict[str, Any]) -> None:
        signed["keys"]["f" * 64] = dict(signed["keys"][ROOT.public.id])
        signed["roles"]["root"] = {"keyids": [ROOT.public.id, "f" * 64], "threshold": 1}

    with pytest.raises(HaulageError, match="under a name that is not its own"):
        load(resigned(double))


@pytest.mark.parametrize(
    "change",
    [
        lambda signed: signed.pop("x-haulage"),
        lambda signed: signed["x-haulage"].update(format=2),
        lambda signed: signed["x-haulage"].update(hierarchy=[]),
        lambda signed: signed["x-haulage"].update(hierarchy=["AAAA"]),
        lambda signed: signed["x-haulage"].update(central="hq"),
        lambda signed: signed["x-haulage"].update(crit=["colour"]),
        lambda signed: signed.update(consistent_snapshot=False),
    ],
)
def test_a_root_that_lacks_what_a_hierarchy_needs_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    with pytest.raises(HaulageError) as caught:
        load(resigned(change))
    assert caught.value.code == "bad-root"


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b'{"signed":1}', b"[" * 100_000, b'{"signatures":[],"signed":{}}'])
def test_i24_rubbish_is_refused_as_such(data: bytes) -> None:
    with pytest.raises(HaulageError) as caught:
        load(data)
    assert caught.value.code == "bad-root"


def test_b27_a_root_with_a_key_written_twice_is_refused() -> None:
    data = make()
    with pytest.raises(HaulageError) as caught:
        load(data.replace(b'{"signatures":', b'{"signatures":[],"signatures":', 1))
    assert caught.value.code == "bad-root"
