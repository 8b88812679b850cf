"""The book of definitions: what owners say about their objects, signed once, kept in revision order, relayed unchanged.

Generic: what a kind means (who may define it, who needs it, what follows from it) is registered as its rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from haulage.base.clock import Clock
from haulage.base.errors import ConflictError, HaulageError, NotAllowedError, TransferError
from haulage.base.ids import SiteCode
from haulage.domain.replication import records
from haulage.domain.replication.records import StoredDefinition
from haulage.domain.replication.seal import Seal
from haulage.domain.replication.streams import Streams
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.codec import Body, encode
from haulage.engine.protocol.definitions import Definition, Kind, decode_definition, define
from haulage.engine.protocol.envelopes import Message


class KindRules(Protocol):
    """What one kind of object means here."""

    role: str
    """The role whose key signs it: ``site`` (the owner's) or ``hierarchy``."""

    def keys(self, tx: Transaction, definition: Definition) -> Sequence[str]:
        """The keys one of which must have signed it; empty if the signer is not known here yet.
        Raises NotAllowedError when its owner has no power over the object (I4)."""
        ...

    def audience(self, tx: Transaction, definition: Definition) -> set[SiteCode]:
        """The children that need it."""
        ...

    def apply(self, tx: Transaction, definition: Definition) -> None:
        """Make it take effect here; a tombstone has ``deleted``."""
        ...


class Alarms(Protocol):
    """What the book has to tell a manager."""

    def equivocation(self, tx: Transaction, definition: Definition) -> None:
        """An owner signed two different things under one revision (B41)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Relations:
    """Who is above and below this site, as functions of the present tables."""

    parent: Callable[[Transaction], SiteCode | None]
    is_mine_or_below: Callable[[Transaction, SiteCode], bool]
    next_revision: Callable[[Transaction, int], int]
    is_lost: Callable[[Transaction, int], bool]
    """Whether this site may have given a revision and lost it when it was restored from a backup."""
    found_again: Callable[[Transaction, Definition], None]
    """A definition of this site's own came back that it had lost."""


class Definitions:
    """The definitions known to one site."""

    def __init__(
        self,
        code: SiteCode,
        *,
        seal: Seal,
        clock: Clock,
        streams: Streams,
        relations: Relations,
        rules: Mapping[str, KindRules],
        alarms: Alarms,
    ) -> None:
        self._code = code
        self._seal = seal
        self._clock = clock
        self._streams = streams
        self._relations = relations
        self._rules = rules
        self._alarms = alarms

    def issue(self, tx: Transaction, kind: Kind, object_id: str, state: Body | None) -> Definition:
        """Sign, keep, apply and relay a new revision of an object of ours; ``state`` None deletes it. Raises ConflictError when
        the object belongs to another site."""
        before = records.find_definition(tx, kind, object_id)
        if before is not None and before.owner != self._code and not before.deleted:
            raise ConflictError(
                "owned-elsewhere", f"The {kind} {object_id} belongs to site {before.owner}.", f"Change it at {before.owner}."
            )
        revision = self._relations.next_revision(tx, before.revision if before else 0)
        definition = define(kind, object_id, self._code, revision, state)
        rules = self._rules[kind]
        document = self._seal.sign(Definition.PAYLOAD_TYPE, encode(definition), role=rules.role)
        self._keep(tx, definition, document, rules, source=None)
        return definition

    def take(self, tx: Transaction, peer: SiteCode, message: Message) -> None:
        """A definition from a neighbour. Older or known ones have no effect; those of a signer not known yet are kept aside."""
        self.adopt(tx, message.body, source=peer)

    def adopt(self, tx: Transaction, document: bytes, *, source: SiteCode | None) -> None:
        """Take in a signed definition, whoever brought it. Raises NotAllowedError, FormatError."""
        definition = decode_definition(self._seal.peek(document, Definition.PAYLOAD_TYPE))
        rules = self._rules.get(definition.kind)
        if rules is None:
            raise NotAllowedError(
                "definition-kind-unknown", f"Definitions of kind {definition.kind!r} are not known here.", "Update."
            )
        own = definition.owner == self._code
        if source is not None and source != self._relations.parent(tx) and not own:
            self._check_from_below(tx, definition, source)
        before = records.find_definition(tx, definition.kind, definition.id)
        if before is not None and definition.revision <= before.revision and definition.owner == before.owner:
            if definition.revision == before.revision and document != before.document:
                self._alarms.equivocation(tx, definition)
            return
        if own:
            self._check_lost(tx, definition, source)
        keys = rules.keys(tx, definition)
        if not keys:
            records.park(tx, definition.kind, definition.id, definition.revision, document, source)
            return
        self._seal.open(document, Definition.PAYLOAD_TYPE, keys)
        if before is not None and before.owner != definition.owner and not before.deleted:
            raise ConflictError(
                "owned-elsewhere",
                f"Site {definition.owner} defines {definition.kind} {definition.id}, which belongs to {before.owner}.",
                f"Remove it at {before.owner} first, or choose another name.",
            )
        self._keep(tx, definition, document, rules, source=source)
        if own:
            self._relations.found_again(tx, definition)

    def remind(self, tx: Transaction, peer: SiteCode) -> None:
        """A neighbour was put back to an older state: tell it what it said of its own objects, so that it uses no number twice."""
        own = [named for named in records.list_names(tx) if named.owner == peer]
        for stored in sorted(own, key=lambda stored: stored.kind != Kind.SITE):
            if stored.kind != Kind.ORDER:
                self._streams.mark(tx, peer, "definition", f"{stored.kind}/{stored.id}")

    def render(self, tx: Transaction, peer: SiteCode, key: str, sequence: int) -> bytes | None:
        """The message body that tells a neighbour a definition: the document as its owner signed it."""
        kind, _slash, object_id = key.partition("/")
        stored = records.find_definition(tx, kind, object_id)
        if stored is None:
            return None
        records.put_told(tx, peer, kind, object_id, stored.revision, sequence)
        return stored.document

    def retry_parked(self, tx: Transaction) -> None:
        """A site became known: what waited for its key may be taken now."""
        for document, source in records.take_parked(tx):
            try:
                with tx.begin_nested():
                    self.adopt(tx, document, source=source)
            except TransferError:
                raise
            except HaulageError:
                # It was refused on its merits; whoever sent it will be heard when it sends a better one.
                continue

    def extend(self, tx: Transaction, kind: str, object_id: str) -> None:
        """Children that came to need a definition which itself did not change are told it now."""
        definition = self.find(tx, kind, object_id)
        if definition is not None and not definition.deleted:
            told = records.told_peers(tx, kind, object_id)
            needing = self._rules[kind].audience(tx, definition) - set(told)
            self._streams.mark_all(tx, sorted(needing), "definition", f"{kind}/{object_id}")

    def snapshot(self, tx: Transaction, peer: SiteCode) -> list[tuple[str, str]]:
        """Every definition a neighbour needs who knows nothing, sites first."""
        up = peer == self._relations.parent(tx)
        out: list[tuple[str, str]] = []
        for named in records.list_names(tx):
            rules = self._rules.get(named.kind)
            if rules is None:
                continue
            if up:
                needed = self._goes_up(tx, named.kind, named.owner)
            else:
                definition = None if named.deleted else self.find(tx, named.kind, named.id)
                needed = definition is not None and peer in rules.audience(tx, definition)
            if needed:
                out.append((named.kind, f"{named.kind}/{named.id}"))
        out.sort(key=lambda item: (item[0] != Kind.SITE, item[0] != Kind.INVITATION))
        return [("definition", key) for _kind, key in out]

    def find(self, tx: Transaction, kind: str, object_id: str) -> Definition | None:
        """One definition, tombstones included."""
        stored = records.find_definition(tx, kind, object_id)
        return None if stored is None else decode_definition(self._seal.peek(stored.document, Definition.PAYLOAD_TYPE))

    def _goes_up(self, tx: Transaction, kind: str, owner: SiteCode) -> bool:
        return kind not in (Kind.SITE, Kind.ORDER) and self._relations.is_mine_or_below(tx, owner)

    def _check_from_below(self, tx: Transaction, definition: Definition, source: SiteCode) -> None:
        """A child may only bring what sites of its own subtree own (I4)."""
        if not self._relations.is_mine_or_below(tx, definition.owner):
            raise NotAllowedError(
                "out-of-scope",
                f"Site {source} brought a definition owned by {definition.owner}, which is not below it.",
                f"It was refused; look at site {source}.",
            )

    def _check_lost(self, tx: Transaction, definition: Definition, source: SiteCode | None) -> None:
        """What this site said itself it knows better than anybody, unless it lost it with a restore. What was deleted and forgotten
        does not come back to life by a neighbour that was restored."""
        if not self._relations.is_lost(tx, definition.revision):
            raise NotAllowedError(
                "own-definition",
                f"{source} brought {definition.kind} {definition.id} of this very site at revision {definition.revision}.",
                f"It was refused; was {source} restored from an old backup?",
            )

    def _keep(self, tx: Transaction, definition: Definition, document: bytes, rules: KindRules, *, source: SiteCode | None) -> None:
        records.put_definition(
            tx,
            StoredDefinition(
                kind=definition.kind,
                id=definition.id,
                owner=definition.owner,
                revision=definition.revision,
                deleted=definition.deleted,
                document=document,
                stored=self._clock.now(),
            ),
        )
        rules.apply(tx, definition)
        # Who was told the state before must hear of the change too; asked after it took effect, for it may have been the removal
        # of a neighbour.
        peers = set(records.told_peers(tx, definition.kind, definition.id))
        if not definition.deleted:
            peers |= rules.audience(tx, definition)
        parent = self._relations.parent(tx)
        if parent is not None and self._goes_up(tx, definition.kind, definition.owner):
            peers.add(parent)
        peers.discard(source or self._code)
        self._streams.mark_all(tx, sorted(peers), "definition", f"{definition.kind}/{definition.id}")
