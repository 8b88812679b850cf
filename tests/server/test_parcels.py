"""Parcels by range: exactly the bytes asked for, or an answer that says why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from haulage.base.ids import SiteCode
from haulage.domain.catalog import records as catalog
from haulage.domain.transit.records import ParcelRecord, list_parcels, put_parcel
from haulage.server.parcel_answer import Span, span_of
from tests.server.asgi import PARCEL_BYTES, Reply, Served


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-0", Span(first=0, last=0)),
        ("bytes=5-", Span(first=5, last=99)),
        ("bytes=5-1000", Span(first=5, last=99)),
        ("bytes=-10", Span(first=90, last=99)),
        ("bytes=-1000", Span(first=0, last=99)),
        ("bytes=9-5", None),
        ("bytes=1-2,4-5", None),
        ("bytes=-", None),
        ("items=0-1", None),
        ("bytes=" + "9" * 30 + "-", None),
    ],
)
def test_which_range_is_meant(header: str | None, expected: Span | None) -> None:
    assert span_of(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=-0", "bytes=100-200"])
def test_a_range_beyond_the_end_is_none(header: str) -> None:
    with pytest.raises(ValueError, match=r"beyond|empty"):
        span_of(header, 100)


def _get(served: Served, parcel: str, **headers: str) -> Reply:
    target = f"/hop/v1/parcels/{parcel}"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return served.ask("GET", target, headers={**served.signed("GET", target), **named})


def test_a_part_is_exactly_that_part_and_is_counted(served: Served, parcel: str) -> None:
    before = served.service.core.provider.served_bytes.get(SiteCode("CHI"), 0)
    reply = _get(served, parcel, Range=f"bytes=1000000-{len(PARCEL_BYTES) - 1}", If_Range=f'"{parcel}"')
    assert (reply.status, reply.body) == (206, PARCEL_BYTES[1_000_000:])
    assert reply.headers["content-range"] == f"bytes 1000000-{len(PARCEL_BYTES) - 1}/{len(PARCEL_BYTES)}"
    assert reply.headers["etag"] == f'"{parcel}"'
    assert served.service.core.provider.served_bytes[SiteCode("CHI")] - before == len(PARCEL_BYTES) - 1_000_000


def test_without_a_range_it_is_all_of_it(served: Served, parcel: str) -> None:
    assert (_get(served, parcel).status, _get(served, parcel).body) == (200, PARCEL_BYTES)


def test_if_range_of_another_parcel_gives_all_of_this_one(served: Served, parcel: str) -> None:
    assert _get(served, parcel, Range="bytes=5-", If_Range='"other"').status == 200


def test_beyond_the_end(served: Served, parcel: str) -> None:
    reply = _get(served, parcel, Range=f"bytes={len(PARCEL_BYTES)}-")
    assert (reply.status, reply.headers["content-range"]) == (416, f"bytes */{len(PARCEL_BYTES)}")


def test_a_parcel_that_is_not_kept_is_said_to_be_gone(served: Served) -> None:
    assert _get(served, "cd" * 32).code == "parcel-gone"
    assert _get(served, "..%2f..%2fkeys").status in (400, 403, 404)


def test_b71_a_parcel_of_what_is_not_assigned_below_the_child_is_not_there_for_it(served: Served, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not for children")
    package, other = served.publish(str(tmp_path)), "ef" * 32
    with served.opened.core.database.reading() as tx:
        target = catalog.list_versions(tx, package)[0].manifest
    (Path(served.opened.home.content) / "parcels" / f"{other}.parcel").write_bytes(b"secret")
    record = ParcelRecord(
        id=other,
        target=target,
        bases=(),
        level="fast",
        needs=(),
        abilities=(),
        size=6,
        head_size=6,
        figures={},
        used=served.clock.now(),
    )
    with served.opened.core.database.writing() as tx:
        put_parcel(tx, record)
    assert _get(served, other).code == "parcel-gone"


def test_i3_b16_a_damaged_byte_of_a_parcel_is_never_served(served: Served, parcel: str) -> None:
    """Whatever range it lies in: what goes is right, the rest does not go, and the parcel is gone for the next question."""
    path = Path(served.opened.home.content) / "parcels" / f"{parcel}.parcel"
    with served.opened.core.database.reading() as tx:
        record = next(one for one in list_parcels(tx) if one.id == parcel)
    try:
        for offset in (0, 20, 200, 1_000, 899_999, 1_000_000, len(PARCEL_BYTES) - 1):
            damaged = bytearray(PARCEL_BYTES)
            damaged[offset] ^= 4
            path.write_bytes(damaged)
            with served.opened.core.database.writing() as tx:
                put_parcel(tx, record)
            reply = _get(served, parcel)
            assert reply.status == 404 or (PARCEL_BYTES.startswith(reply.body) and len(reply.body) <= offset), offset
            assert not path.exists(), offset
            assert _get(served, parcel).status == 404
    finally:
        path.write_bytes(PARCEL_BYTES)
        with served.opened.core.database.writing() as tx:
            put_parcel(tx, record)
    assert str(path) not in served.service.core.provider.inspect_all()
