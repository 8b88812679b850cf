"""The child's end of the hop when its parent does not know it (any more)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from haulage.base.errors import NotAllowedError
from haulage.base.ids import SiteCode
from haulage.domain.replication.uplink import Uplink
from haulage.engine.protocol.asks import ChunkWant, Pending, Position, Want
from tests.domain.replication.hops import End

HQ1 = SiteCode("HQ1")


class Forgetful:
    """A parent that was put back to before this site joined; it lets it in again by its claim."""

    def __init__(self, refuses: str = "unknown-signer") -> None:
        self.parent = End("HQ1", "CHI")
        self.claims: list[bytes] = []
        self._refuses = refuses

    def feed(self, position: Position, wait_seconds: float) -> list[bytes]:
        self._require_known()
        return self.parent.streams.outgoing(SiteCode("CHI"), position)

    def report(self, envelopes: Sequence[bytes]) -> Position:
        self._require_known()
        return self.parent.streams.incoming(SiteCode("CHI"), list(envelopes))

    def want(self, want: Want) -> bytes | Pending:
        raise AssertionError(want)

    def read_parcel(self, parcel: str, offset: int, end: int, size: int) -> Iterator[bytes]:
        raise AssertionError((parcel, offset, end, size))

    def ask_chunks(self, want: ChunkWant) -> list[bytes]:
        raise AssertionError(want)

    def give_chunks(self, parts: Sequence[bytes]) -> None:
        raise AssertionError(parts)

    def claim(self, document: bytes) -> None:
        self.claims.append(document)

    def close(self) -> None:
        return None

    def _require_known(self) -> None:
        if not self.claims:
            raise NotAllowedError(self._refuses, "CHI is not known here.", "")


@pytest.mark.parametrize("first", ["push", "pull"])
def test_f53_a_parent_restored_to_before_a_site_joined_lets_it_in_again(first: str) -> None:
    child, link = End("CHI", "HQ1"), Forgetful()
    uplink = Uplink(HQ1, child.streams, link, claim=lambda: b"claim")
    with pytest.raises(NotAllowedError, match="not known"):
        uplink.push() if first == "push" else uplink.pull(0)
    assert link.claims == [b"claim"]
    uplink.push()
    uplink.pull(0)
    assert link.claims == [b"claim"]


def test_a_site_without_a_claim_just_hears_that_it_is_unknown() -> None:
    child, link = End("CHI", "HQ1"), Forgetful()
    with pytest.raises(NotAllowedError, match="not known"):
        Uplink(HQ1, child.streams, link, claim=lambda: None).push()
    assert not link.claims


def test_a_site_that_was_removed_does_not_claim_its_place_again() -> None:
    child, link = End("CHI", "HQ1"), Forgetful("site-removed")
    with pytest.raises(NotAllowedError):
        Uplink(HQ1, child.streams, link, claim=lambda: b"claim").push()
    assert not link.claims
