"""Definitions: id, owner and state must agree."""

from __future__ import annotations

from typing import Any

import pytest

from haulage.base.errors import FormatError
from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber
from haulage.engine.protocol.codec import Body, builtins, canonical, encode
from haulage.engine.protocol.definitions import (
    Definition,
    InvitationState,
    Kind,
    OrderState,
    OrderTarget,
    PackageState,
    PointState,
    SiteState,
    VersionState,
    check_definition,
    decode_definition,
    define,
    is_known,
    state_of,
)

HQ1, CHI = SiteCode("HQ1"), SiteCode("CHI")
TIME = "2026-01-02T03:04:05.000006Z"
KEY = "A" * 43 + "="
VERSION = VersionState(
    package=PackageId("HQ100042"),
    version=VersionNumber(7),
    manifest="ab" * 32,
    sha256="cd" * 32,
    files=1,
    folders=1,
    symlinks=0,
    streams=2,
    bytes=2**63 - 1,
    captured=TIME,
)
TARGET = OrderTarget(package=PackageId("CHI00001"), place=Place("CHI"))
GOOD: list[tuple[Kind, str, SiteCode, Body]] = [
    (Kind.SITE, "CHI", HQ1, SiteState(code=CHI, name="Chicago", parent=HQ1, url="", key=None, certificate=None, state="invited")),
    (Kind.SITE, "HQ1", HQ1, SiteState(code=HQ1, name="", parent=None, url="https://h:1", key=KEY, certificate="P", state="active")),
    (
        Kind.PACKAGE,
        "HQ100042",
        HQ1,
        PackageState(name="7-Zip", version=VersionNumber(0), assignments=(Place("CHI"), Place("CHI/D"))),
    ),
    (Kind.VERSION, "HQ100042:7", HQ1, VERSION),
    (Kind.POINT, "CHI/D", HQ1, PointState(place=Place("CHI/D"), kind="folder", url="folder:/srv/d", options={"a": "b"})),
    (Kind.ORDER, "HQ1.0123456789abcdef", HQ1, OrderState(action="repair", targets=(TARGET,), issued=TIME)),
    (Kind.INVITATION, "HQ1.0123456789abcdef", HQ1, InvitationState(code=CHI, parent=HQ1, name="", token_key=KEY, expires=TIME)),
]


@pytest.mark.parametrize(("kind", "id", "owner", "state"), GOOD)
def test_a_definition_round_trips_with_its_state(kind: Kind, id: str, owner: SiteCode, state: Body) -> None:
    definition = define(kind, id, owner, 5, state)
    again = decode_definition(encode(definition))
    assert again == definition
    assert is_known(again)
    assert state_of(again, type(state)) == state


@pytest.mark.parametrize(("kind", "id", "owner", "state"), GOOD)
def test_a_tombstone_holds_nothing(kind: Kind, id: str, owner: SiteCode, state: Body) -> None:
    tombstone = decode_definition(encode(define(kind, id, owner, 6, None)))
    assert tombstone.deleted
    assert tombstone.state == {}
    with pytest.raises(FormatError):
        state_of(tombstone, type(state))
    with pytest.raises(FormatError):
        check_definition(Definition(kind=kind, id=id, owner=owner, revision=6, deleted=True, state=builtins(state)))


@pytest.mark.parametrize(
    ("kind", "id"), [(Kind.PACKAGE, "XYZ00001"), (Kind.VERSION, "XYZ00001:1"), (Kind.ORDER, "XYZ." + "0" * 16)]
)
def test_b26_nobody_owns_an_id_of_another_site(kind: Kind, id: str) -> None:
    with pytest.raises(FormatError) as caught:
        define(kind, id, SiteCode("ABC"), 1, None)
    assert caught.value.code == "bad-definition"


@pytest.mark.parametrize(
    ("kind", "id"),
    [
        (Kind.SITE, "chi"),
        (Kind.SITE, "CHI/D"),
        (Kind.PACKAGE, "HQ10004"),
        (Kind.PACKAGE, "HQ10004g"),
        (Kind.VERSION, "HQ100042"),
        (Kind.VERSION, "HQ100042:0"),
        (Kind.VERSION, "HQ100042:07"),
        (Kind.POINT, "CHI"),
        (Kind.POINT, "CHI/../x"),
        (Kind.ORDER, "HQ1.0123"),
    ],
)
def test_ids_follow_the_grammar_of_their_kind(kind: Kind, id: str) -> None:
    with pytest.raises(FormatError):
        define(kind, id, HQ1, 1, None)


@pytest.mark.parametrize(("kind", "id", "owner", "state"), [row for row in GOOD if row[0] in (Kind.SITE, Kind.VERSION, Kind.POINT)])
def test_a_state_speaks_of_its_own_object(kind: Kind, id: str, owner: SiteCode, state: Body) -> None:
    other = {"CHI": "LA1", "HQ1": "LA1", "HQ100042:7": "HQ100042:8", "CHI/D": "CHI/E"}[id]
    with pytest.raises(FormatError) as caught:
        define(kind, other, owner, 1, state)
    assert caught.value.code == "bad-definition"


@pytest.mark.parametrize("size", [-1, 2**63, 1.0, "1", None])
def test_b34_sizes_out_of_range_are_refused(size: Any) -> None:
    plain = builtins(define(Kind.VERSION, "HQ100042:7", HQ1, 1, VERSION))
    plain["state"]["bytes"] = size
    with pytest.raises(FormatError):
        decode_definition(canonical(plain))


@pytest.mark.parametrize("digest", ["ab" * 31, "ab" * 33, "AB" * 32, "gg" * 32, "sha256:" + "ab" * 32, "ab" * 32 + "\n", ""])
def test_b35_digests_of_another_form_are_refused(digest: str) -> None:
    plain = builtins(define(Kind.VERSION, "HQ100042:7", HQ1, 1, VERSION))
    plain["state"]["manifest"] = digest
    with pytest.raises(FormatError):
        decode_definition(canonical(plain))


def test_assignments_are_sorted_and_distinct() -> None:
    for places in (("CHI/D", "CHI"), ("CHI", "CHI")):
        with pytest.raises(FormatError):
            define(
                Kind.PACKAGE,
                "HQ100042",
                HQ1,
                1,
                PackageState(name="", version=VersionNumber(0), assignments=tuple(map(Place, places))),
            )


def test_b101_a_title_of_a_megabyte_is_refused() -> None:
    with pytest.raises(FormatError):
        define(Kind.PACKAGE, "HQ100042", HQ1, 1, PackageState(name="x" * 1_000_000, version=VersionNumber(0)))


def test_b101_a_name_of_more_than_forty_characters_stays_whole() -> None:
    name = "\u202e" + "länger als vierzig Zeichen " * 8 + "\r\n"
    definition = define(Kind.PACKAGE, "HQ100042", HQ1, 1, PackageState(name=name, version=VersionNumber(0)))
    assert state_of(decode_definition(encode(definition)), PackageState).name == name


def test_an_active_site_has_a_key_a_url_and_a_certificate() -> None:
    state = SiteState(code=CHI, name="", parent=HQ1, url="https://c", key=None, certificate="P", state="active")
    with pytest.raises(FormatError):
        define(Kind.SITE, "CHI", HQ1, 1, state)


def test_b37_a_kind_from_the_future_passes_to_be_relayed() -> None:
    definition = Definition(kind="deployment", id="HQ1.x", owner=HQ1, revision=1, state={"new": [1]})
    again = decode_definition(encode(definition))
    assert not is_known(again)
    with pytest.raises(FormatError) as caught:
        state_of(again, PackageState)
    assert caught.value.code == "format-too-new"
