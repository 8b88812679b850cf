"""What happens between sites is said with the number that means it."""

from __future__ import annotations

import random
from collections.abc import Iterator

from haulage.base.errors import FormatError, NotAllowedError
from haulage.base.ids import Place
from haulage.engine.protocol.envelopes import Message, MessageKind
from haulage.operations import packages
from haulage.server.heralds import StreamHerald
from haulage.testing.simulation.network import Host
from tests.domain.worlds import ACTOR, CHI, HQ1, LA1, lab


def test_a_child_that_was_told_of_a_package_is_named_once_per_change() -> None:
    with lab() as here:
        package = here.package("CHI")
        here.settle()
        first = here.said(HQ1, 2339)
        assert {(record.site, record.fields["child"]) for record in first} == {("HQ1", "CHI")}
        here.publish(package)
        here.settle()
        second = here.said(HQ1, 2339)
        assert len(second) > len(first)
        here.settle()
        assert here.said(HQ1, 2339) == second


def test_q319207_a_point_that_fails_tells_no_child_anything() -> None:
    with lab() as here:
        here.point("CHI/p")
        package = here.package("CHI/p", "LA1")
        here.publish(package)
        here.settle()
        before = here.said(HQ1, 2339) + here.said(CHI, 2339)
        for point in here.world.points.values():
            point.broken = True
        here.order(package, "CHI/p", "repair")
        here.settle_for_a_day()
        assert here.row(package, "CHI/p").tries
        assert here.said(HQ1, 2339) + here.said(CHI, 2339) == before


def test_a_definition_that_is_refused_is_named_by_what_it_is() -> None:
    with lab() as here:
        core = here.core(CHI)
        herald = StreamHerald(core.journal)
        message = Message(kind=MessageKind.DEFINITION, key="package/HQ100009", body=b"{}")
        with core.database.writing() as tx:
            herald.message_refused(tx, HQ1, message, NotAllowedError("unknown-signer", "Nobody signed it.", ""))
            herald.message_refused(tx, HQ1, message, FormatError("format-too-new", "It has format 9.", "Update."))
        (refused,), (newer,) = here.said(CHI, 3334), here.said(CHI, 3335)
        assert (refused.fields["kind"], refused.fields["object"], refused.fields["other"]) == ("package", "HQ100009", "HQ1")
        assert newer.fields["object"] == "HQ100009"
        assert not here.said(CHI, 3337)


def test_content_that_cannot_be_taken_into_a_store_is_said_as_such() -> None:
    """2321, not 3502: the line did its work, what came is wrong."""
    with lab() as here:
        package = here.package("CHI")
        here.publish(package)
        site = here.world.sites[CHI]
        assert site.core is not None
        assert site.core.parts.link is not None
        read_parcel = site.core.parts.link.read_parcel
        spoiled: list[int] = []

        def spoil(parcel: str, offset: int, end: int, size: int) -> Iterator[bytes]:
            for piece in read_parcel(parcel, offset, end, size):
                hit = offset and not spoiled
                spoiled.extend([offset] * bool(hit))
                yield bytes(len(piece)) if hit else piece

        site.core.parts.link.read_parcel = spoil  # type: ignore[method-assign]
        here.settle()
        assert spoiled
        assert here.row(package, "CHI").present == 1
        (said,) = here.said(CHI, 2321)
        assert said.place == Place("CHI")


def test_a_withdrawn_package_says_nothing_to_those_it_never_concerned() -> None:
    with lab() as here:
        package = here.package("CHI")
        here.settle()
        packages.unassign_package(here.desk(HQ1), ACTOR, package, [Place("CHI")])
        here.settle()
        assert here.said(LA1, 2339) == []


def test_a_transfer_that_goes_on_and_one_that_is_overtaken_say_so() -> None:
    with lab() as here:
        package = here.package("CHI")
        here.source(random.Random(1).randbytes(400))
        here.publish(package)
        pieces: list[str] = []

        def newer(host: Host) -> None:
            pieces.append(host.code)
            if len(pieces) > 1:
                return
            here.source(random.Random(2).randbytes(400))
            here.publish(package)
            here.core(HQ1).publisher.run(package)
            here.world.sites[CHI].step("pull")

        here.world.network.on_piece = newer
        here.settle()
        assert here.row(package, "CHI").present == 2
        (overtaken,) = here.said(CHI, 3506)
        assert (overtaken.fields["version"], overtaken.fields["newer"]) == (1, 2)


def test_a_removal_says_that_it_begins_and_that_it_is_done() -> None:
    with lab() as here:
        here.point("CHI/p")
        package = here.package("CHI/p")
        here.publish(package)
        here.settle()
        packages.unassign_package(here.desk(HQ1), ACTOR, package, [Place("CHI/p")])
        here.settle()
        (begun,), (done,) = here.said(CHI, 2358), here.said(CHI, 2359)
        assert begun.sequence < done.sequence
