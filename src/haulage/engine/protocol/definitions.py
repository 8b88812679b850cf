"""Definitions: what an owner says about one object, whole, with a revision. Signed once, relayed unchanged. Pure; who may own what
beyond the id's own prefix, and what is done about it, is decided elsewhere."""

from __future__ import annotations

import enum
import itertools
import re
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from msgspec import Meta, field

from haulage.base.errors import FormatError
from haulage.base.ids import SiteCode
from haulage.engine.protocol.codec import Body, Document, builtins, convert, decode, too_new
from haulage.engine.protocol.fields import (
    ITEMS_MAX,
    NAME_MAX,
    Count,
    Digest,
    Group,
    Key,
    Moment,
    Name,
    Package,
    Pem,
    PointPlace,
    RealVersion,
    Site,
    Text,
    Token,
    Url,
    Version,
    Where,
    Word,
)

DEFINITION_MAX_BYTES = 2 * 1024 * 1024
"""Of the payload: signed, and carried in a message, it still fits."""


GROUPS_MAX = 1000
"""That one package is assigned to."""


ORDER_MAX = 10_000
"""Targets of one order."""


class Kind(enum.StrEnum):
    """The kinds of objects known to this version."""

    SITE = "site"
    PACKAGE = "package"
    VERSION = "version"
    POINT = "point"
    ORDER = "order"
    INVITATION = "invitation"
    SHELF = "shelf"
    FIX = "fix"
    GROUP = "group"


class Definition(Document, frozen=True, kw_only=True):
    """One object at one revision. A tombstone has ``deleted`` and an empty state. ``kind`` stays a string: one of a kind that is
    not known here is relayed and not applied."""

    PAYLOAD_TYPE: ClassVar[str] = "application/vnd.haulage.definition+json"

    kind: Word
    id: Token
    owner: Site
    revision: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    deleted: bool = False
    state: dict[str, Any] = field(default_factory=dict)


class SiteState(Body, frozen=True, kw_only=True):
    """A site: id = its code, owner = the central site."""

    code: Site
    name: Name
    parent: Site | None
    url: Annotated[str, Meta(max_length=2048)]
    """Empty until joined."""
    key: Key | None
    """Signs requests, envelopes, offers and this site's definitions. None until joined."""
    certificate: Pem | None
    """The TLS certificate issued to its server."""
    state: Literal["invited", "active", "removed"]
    life: Count = 0
    """Rises when the code is given to another server after a removal: what the one before said is not said by this one."""


class PackageState(Body, frozen=True, kw_only=True):
    """A package: id = the package id, owner = the site in its prefix."""

    name: Name
    version: Version
    """The newest version; 0 for none."""
    assignments: Annotated[tuple[Where, ...], Meta(max_length=ITEMS_MAX)] = ()
    """Sorted, each once; those of its groups are among them, so that nobody below must know what a group holds."""
    groups: Annotated[tuple[Group, ...], Meta(max_length=GROUPS_MAX)] = ()
    """Groups of its owner's that it is assigned to; sorted, each once."""
    direct: Annotated[tuple[Where, ...], Meta(max_length=ITEMS_MAX)] = ()
    """With groups: those of the assignments that were named by themselves. Without groups all were, and this is empty."""
    keep: Annotated[int, Meta(ge=1, le=1_000_000)] = 2
    streams: Annotated[str, Meta(min_length=1, max_length=NAME_MAX)] = "keep"
    """``keep``, ``refuse`` or ``drop:PATTERN``."""
    comment: Text = ""


class GroupState(Body, frozen=True, kw_only=True):
    """Places under one name, for packages of its owner: id = ``OWNER.`` + the name."""

    name: Group
    places: Annotated[tuple[Where, ...], Meta(max_length=ITEMS_MAX)] = ()
    """Sorted, each once; never another group."""


class VersionState(Body, frozen=True, kw_only=True):
    """A version: id = ``PACKAGE:NUMBER``, owner = the package's. This signed statement is what makes a manifest authentic."""

    package: Package
    version: RealVersion
    manifest: Digest
    """BLAKE3 of the manifest's root page."""
    sha256: Digest
    """SHA-256 of the same page."""
    files: Count
    folders: Count
    symlinks: Count
    streams: Count
    bytes: Count
    captured: Moment


class PointState(Body, frozen=True, kw_only=True):
    """A distribution point: id = its place, owner = whoever defined it."""

    place: PointPlace
    kind: Word
    url: Url
    options: dict[Token, Text] = field(default_factory=dict)


class OrderTarget(Body, frozen=True, kw_only=True):
    """One package at one place."""

    package: Package
    place: Where


class OrderState(Body, frozen=True, kw_only=True):
    """Something to be done once about packages at the places of one site: id = ``OWNER.`` + 16 hexadecimal digits."""

    action: Literal["verify", "repair", "retry", "hold", "release", "cancel"]
    targets: Annotated[tuple[OrderTarget, ...], Meta(min_length=1, max_length=ORDER_MAX)]
    """At places of one site; sorted by package and place, each once."""
    issued: Moment
    actor: Name = ""
    """Who asked for it, as the site where it was asked for knows them."""


class InvitationState(Body, frozen=True, kw_only=True):
    """Leave to join as ``code`` below ``parent``: id = ``OWNER.`` + 16 hexadecimal digits. ``token_key`` is the public half of a
    key that only the join string's bearer can derive, so nothing here is a secret."""

    code: Site
    parent: Site
    name: Name
    token_key: Key
    expires: Moment


PACKED_MAX_BYTES = 1_400_000
"""Of what a definition carries compressed: in base64 it leaves room for the rest."""
SHELF_MAX = 1000
FIXES_MAX = 2000
FIX_FILES_MAX = 5000


class ShelfEntry(Body, frozen=True, kw_only=True):
    """One article of a shelf: ``bytes`` of its source as it was imported, in the order of the entries."""

    id: Annotated[str, Meta(pattern=r"\A[A-Z]{1,8}-?[0-9]{1,7}\Z")]
    form: Word
    """What kind of source it is: ``archive-text``, ``archive-web``, ``markdown``; one of a newer version is kept and not read."""
    name: Name
    """What it was called where it was imported from."""
    bytes: Count
    sha256: Digest


class ShelfState(Body, frozen=True, kw_only=True):
    """Articles of the knowledge base that travel together: id = ``OWNER.`` + the shelf's name."""

    articles: Annotated[tuple[ShelfEntry, ...], Meta(min_length=1, max_length=SHELF_MAX)]
    """Sorted by id, each once."""
    packed: Annotated[bytes, Meta(max_length=PACKED_MAX_BYTES)]
    """Their sources one behind the other, as one zstd frame."""


class FixFileState(Body, frozen=True, kw_only=True):
    """What is known of one file of a fix."""

    path: Annotated[str, Meta(min_length=1, max_length=1024)]
    version: Name = ""
    bytes: Count = 0
    platform: Name = ""


FixId = Annotated[str, Meta(pattern=r"\A[A-Z][A-Z0-9-]{1,31}\Z")]
Fixes = Annotated[tuple[FixId, ...], Meta(max_length=FIXES_MAX)]


class FixState(Body, frozen=True, kw_only=True):
    """A fix: id = ``OWNER.`` + the fix's id. Known from a bundle (then ``packed`` holds its definition, and ``package`` brings the
    bundle), or read in an article and confirmed by a person."""

    fix: FixId
    title: Text
    article: Annotated[str, Meta(max_length=64)] = ""
    origin: Literal["bundle", "person"]
    evidence: Text = ""
    """The sentences of the article that a person confirmed."""
    supersedes: Fixes = ()
    contains: Fixes = ()
    requires: Fixes = ()
    files: Annotated[tuple[FixFileState, ...], Meta(max_length=FIX_FILES_MAX)] = ()
    """Only where no definition says it better."""
    packed: Annotated[bytes, Meta(max_length=PACKED_MAX_BYTES)] = b""
    """The definition as the bundle carries it, as one zstd frame; empty without a bundle."""
    unpacked_bytes: Count = 0
    bundle: Digest | None = None
    """SHA-256 of the bundle."""
    bundle_bytes: Count = 0
    package: Package | None = None
    signer: Name = ""
    """The key whose signature was believed where it was imported."""


S = TypeVar("S", bound=Body)

STATES: dict[str, type[Body]] = {
    Kind.SITE: SiteState,
    Kind.PACKAGE: PackageState,
    Kind.VERSION: VersionState,
    Kind.POINT: PointState,
    Kind.ORDER: OrderState,
    Kind.INVITATION: InvitationState,
    Kind.SHELF: ShelfState,
    Kind.FIX: FixState,
    Kind.GROUP: GroupState,
}

_IDS: dict[str, re.Pattern[str]] = {
    Kind.SITE: re.compile(r"[A-Z0-9]{3}"),
    Kind.PACKAGE: re.compile(r"[A-Z0-9]{3}[0-9A-F]{5}"),
    Kind.VERSION: re.compile(r"[A-Z0-9]{3}[0-9A-F]{5}:[1-9][0-9]{0,8}"),
    Kind.POINT: re.compile(r"[A-Z0-9]{3}/[A-Za-z0-9][A-Za-z0-9._-]{0,62}"),
    Kind.ORDER: re.compile(r"[A-Z0-9]{3}\.[0-9a-f]{16}"),
    Kind.INVITATION: re.compile(r"[A-Z0-9]{3}\.[0-9a-f]{16}"),
    Kind.SHELF: re.compile(r"[A-Z0-9]{3}\.[A-Z]{1,8}-?\.?[0-9]{1,7}"),
    Kind.FIX: re.compile(r"[A-Z0-9]{3}\.[A-Z][A-Z0-9-]{1,31}"),
    Kind.GROUP: re.compile(r"[A-Z0-9]{3}\.[a-z0-9][a-z0-9-]{0,62}"),
}
_OWNED_BY_PREFIX = frozenset({Kind.PACKAGE, Kind.VERSION, Kind.ORDER, Kind.INVITATION, Kind.SHELF, Kind.FIX, Kind.GROUP})


def define(kind: Kind, id: str, owner: SiteCode, revision: int, state: Body | None) -> Definition:
    """Build a checked definition; ``state`` None makes a tombstone. Raises FormatError ``bad-definition`` or ``bad-document``."""
    plain = {} if state is None else builtins(state)
    definition = Definition(kind=kind, id=id, owner=owner, revision=revision, deleted=state is None, state=plain)
    check_definition(definition)
    return definition


def decode_definition(payload: bytes) -> Definition:
    """Read and check the payload of a definition. One of an unknown kind passes: it is to be relayed.
    Raises FormatError ``bad-document``, ``bad-definition``, ``format-too-new``."""
    definition = decode(payload, Definition, max_bytes=DEFINITION_MAX_BYTES)
    check_definition(definition)
    return definition


def check_definition(definition: Definition) -> None:
    """Id grammar, owner against the id's prefix (B26), state against its schema and against the id.
    Raises FormatError ``bad-definition``, ``bad-document``, ``format-too-new``."""
    kind = definition.kind
    if kind not in _IDS:
        return
    if not _IDS[kind].fullmatch(definition.id):
        raise _bad(definition, "the id is not one of this kind")
    if kind in _OWNED_BY_PREFIX and definition.id[:3] != definition.owner:
        raise _bad(definition, f"site {definition.owner} cannot own an id of {definition.id[:3]}")
    if definition.deleted:
        if definition.state:
            raise _bad(definition, "a tombstone has no state")
        return
    state = convert(definition.state, STATES[kind])
    _check_state(definition, state)


def is_known(definition: Definition) -> bool:
    """Whether this version can apply definitions of that kind."""
    return definition.kind in STATES


def state_of(definition: Definition, kind: type[S]) -> S:
    """The typed state of a definition that is not a tombstone. Raises FormatError ``bad-definition``, ``bad-document``,
    ``format-too-new``."""
    expected = STATES.get(definition.kind)
    if expected is None:
        raise too_new(f"Definitions of kind {definition.kind!r} are not known here.")
    if expected is not kind or definition.deleted:
        raise _bad(definition, f"it does not hold a {kind.__name__}")
    return convert(definition.state, kind)


def _check_state(definition: Definition, state: Body) -> None:
    if isinstance(state, VersionState):
        named = f"{state.package}:{state.version}"
    elif isinstance(state, SiteState):
        named = state.code
    elif isinstance(state, PointState):
        named = state.place
    elif isinstance(state, GroupState):
        named = f"{definition.owner}.{state.name}"
    elif isinstance(state, FixState):
        named = f"{definition.owner}.{state.fix}"
    else:
        named = definition.id
    if named != definition.id:
        raise _bad(definition, f"its state speaks of {named}")
    if isinstance(state, SiteState) and state.state == "active" and not (state.key and state.url and state.certificate):
        raise _bad(definition, "an active site has a key, a URL and a certificate")
    if isinstance(state, PackageState):
        _check_assignments(definition, state)
    if isinstance(state, GroupState) and not _in_order(list(state.places)):
        raise _bad(definition, "its places are not sorted and distinct")
    if isinstance(state, ShelfState) and not _in_order([entry.id for entry in state.articles]):
        raise _bad(definition, "its articles are not sorted and distinct")
    if isinstance(state, OrderState):
        _check_targets(definition, state)
    if isinstance(state, FixState) and state.fix in {*state.supersedes, *state.contains, *state.requires}:
        raise _bad(definition, "it names itself")


def _check_assignments(definition: Definition, state: PackageState) -> None:
    if not (_in_order(list(state.assignments)) and _in_order(list(state.groups)) and _in_order(list(state.direct))):
        raise _bad(definition, "its assignments are not sorted and distinct")
    if not set(state.direct) <= set(state.assignments if state.groups else ()):
        raise _bad(definition, "it names places by themselves that are none of its assignments")


def _check_targets(definition: Definition, state: OrderState) -> None:
    if len({target.place[:3] for target in state.targets}) != 1:
        raise _bad(definition, "its targets are not at one site")
    if not _in_order([f"{target.package}@{target.place}" for target in state.targets]):
        raise _bad(definition, "its targets are not sorted and distinct")


def _in_order(ids: list[str]) -> bool:
    return all(before < after for before, after in itertools.pairwise(ids))


def _bad(definition: Definition, cause: str) -> FormatError:
    return FormatError(
        "bad-definition",
        f"The definition of {definition.kind} {definition.id} by {definition.owner} is refused: {cause}.",
        "Look at the site that issued it; the definition known before stays in force.",
    )
