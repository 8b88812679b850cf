"""What every link promises, whatever carries it. A link proves itself by a subclass that gives it a parent."""

from __future__ import annotations

import abc
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from haulage.base.errors import HaulageError, NotFoundError, Remedy, TransferError
from haulage.base.ids import PackageId, VersionNumber
from haulage.engine.links.link import Link
from haulage.engine.protocol.asks import Pending, Position, Want

PARCEL = "ab" * 32
DATA = bytes(range(256)) * 4000
WANT = Want(package=PackageId("HQ100042"), version=VersionNumber(7), target="ab" * 32, held=("cd" * 32,))
GONE = NotFoundError("parcel-gone", "That parcel is not here any more.", "Ask for it again.", remedy=Remedy.RETRY)


@dataclass
class Parent:
    """What the far side holds, and what it was told."""

    envelopes: list[bytes] = field(default_factory=list)
    stored: list[bytes] = field(default_factory=list)
    offers: dict[str, bytes] = field(default_factory=dict)
    parcels: dict[str, bytes] = field(default_factory=dict)
    positions: list[Position] = field(default_factory=list)
    wants: list[Want] = field(default_factory=list)
    waiting: threading.Event = field(default_factory=threading.Event)
    """Set when a feed with nothing to give began to wait."""

    def feed(self, position: Position) -> list[bytes]:
        self.positions.append(position)
        return self.envelopes[position.sequence :]

    def report(self, envelopes: list[bytes]) -> Position:
        self.stored += envelopes
        return Position(epoch=1, stream=1, sequence=len(self.stored))

    def want(self, want: Want) -> bytes | Pending:
        self.wants.append(want)
        return self.offers.get(want.target) or Pending(reason="building", retry_after_seconds=7)

    def parcel(self, parcel: str) -> bytes:
        if parcel not in self.parcels:
            raise GONE
        return self.parcels[parcel]


class LinkPromises(abc.ABC):
    """The suite."""

    @pytest.fixture
    def parent(self) -> Parent:
        return Parent(parcels={PARCEL: DATA})

    @pytest.fixture
    @abc.abstractmethod
    def link(self, parent: Parent) -> Iterator[Link]:
        """A link to that parent."""

    def test_feed_gives_what_stands_after_the_position(self, link: Link, parent: Parent) -> None:
        parent.envelopes = [b'{"n":1}', b'{"n":2}', '{"n":"ü\u2028"}'.encode()]
        assert link.feed(Position(), 1) == parent.envelopes
        assert link.feed(Position(epoch=3, stream=2, sequence=1), 1) == parent.envelopes[1:]
        assert parent.positions == [Position(), Position(epoch=3, stream=2, sequence=1)]

    def test_i11_a_feed_without_news_is_empty_and_no_error(self, link: Link) -> None:
        assert link.feed(Position(), 0) == []

    def test_report_hands_over_in_order_and_tells_the_position(self, link: Link, parent: Parent) -> None:
        assert link.report([b'{"n":1}', b'{"n":2}']) == Position(epoch=1, stream=1, sequence=2)
        assert link.report([]) == Position(epoch=1, stream=1, sequence=2)
        assert parent.stored == [b'{"n":1}', b'{"n":2}']

    def test_want_brings_an_offer_or_patience(self, link: Link, parent: Parent) -> None:
        assert link.want(WANT) == Pending(reason="building", retry_after_seconds=7)
        parent.offers[WANT.target] = b'{"offer":1}'
        assert link.want(WANT) == b'{"offer":1}'
        assert parent.wants == [WANT, WANT]

    @pytest.mark.parametrize("offset", [0, 1, 65_537, len(DATA) - 1, len(DATA)])
    def test_a_parcel_is_read_from_any_offset_to_its_end(self, link: Link, offset: int) -> None:
        assert b"".join(link.read_parcel(PARCEL, offset, len(DATA), len(DATA))) == DATA[offset:]

    def test_a_part_of_a_parcel_is_read(self, link: Link) -> None:
        assert b"".join(link.read_parcel(PARCEL, 10, 70_000, len(DATA))) == DATA[10:70_000]
        assert list(link.read_parcel(PARCEL, 10, 10, len(DATA))) == []

    def test_several_parcels_at_once_do_not_wait_for_each_other(self, link: Link) -> None:
        readers = [link.read_parcel(PARCEL, n, len(DATA), len(DATA)) for n in range(5)]
        firsts = [next(reader) for reader in readers]
        rests = [b"".join(reader) for reader in reversed(readers)]
        for n in range(5):
            assert firsts[n] + rests[4 - n] == DATA[n:]

    def test_i3_a_parcel_of_another_size_is_refused(self, link: Link) -> None:
        for size in (len(DATA) - 1, len(DATA) + 1):
            with pytest.raises(TransferError):
                list(link.read_parcel(PARCEL, 100, size, size))

    def test_the_peers_own_error_comes_through(self, link: Link) -> None:
        with pytest.raises(NotFoundError) as caught:
            list(link.read_parcel("cd" * 32, 0, 10, 10))
        assert (caught.value.code, caught.value.hint, caught.value.remedy) == (GONE.code, GONE.hint, GONE.remedy)
        assert GONE.message in caught.value.message

    def test_a_reader_may_leave_early(self, link: Link) -> None:
        reader = link.read_parcel(PARCEL, 0, len(DATA), len(DATA))
        assert DATA.startswith(next(reader))
        reader.close()  # type: ignore[attr-defined]
        assert link.feed(Position(), 0) == []

    def test_i12_closing_ends_what_waits_and_refuses_what_comes(self, link: Link, parent: Parent) -> None:
        codes: list[str] = []

        def wait() -> None:
            try:
                link.feed(Position(), 3600)
            except HaulageError as error:
                codes.append(error.code)

        waiter = threading.Thread(target=wait)
        waiter.start()
        assert parent.waiting.wait(30)
        link.close()
        waiter.join(30)
        with pytest.raises(TransferError):
            link.report([])
        link.close()
        assert codes == ["link-closed"]
