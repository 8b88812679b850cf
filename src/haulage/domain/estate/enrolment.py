"""How a new site comes in: an invitation, a claim that proves the join string, the central site's signature.

The parent serves the new site as soon as the claim proves right, while its own parent is away too; the claim travels up, and the
central site, which believes nobody but the token's signature, signs the site for everyone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from haulage.base.clock import Clock
from haulage.base.errors import ConflictError, NotAllowedError, NotFoundError
from haulage.base.ids import SiteCode
from haulage.domain.estate import records
from haulage.domain.estate.model import Site, SiteStatus
from haulage.domain.replication.definitions import Definitions
from haulage.domain.replication.records import list_definitions
from haulage.domain.replication.streams import Streams
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.asks import Claim
from haulage.engine.protocol.definitions import InvitationState, Kind, SiteState, state_of
from haulage.engine.protocol.envelopes import Message, MessageKind
from haulage.engine.trust.enrolment import peek_claim, verify_claim

IssueCertificate = Callable[[Claim], str]


class Herald(Protocol):
    """What enrolment has to tell a manager."""

    def joined(self, tx: Transaction, code: SiteCode, parent: SiteCode) -> None:
        """A site joined below this one."""
        ...


class Enrolment:
    """Takes claims, here or relayed from below."""

    def __init__(
        self,
        code: SiteCode,
        *,
        clock: Clock,
        streams: Streams,
        definitions: Definitions,
        root_sha256: str,
        issue_certificate: IssueCertificate | None,
        herald: Herald,
    ) -> None:
        self._code = code
        self._clock = clock
        self._streams = streams
        self._definitions = definitions
        self._root_sha256 = root_sha256
        self._issue_certificate = issue_certificate
        self._herald = herald

    def check(self, tx: Transaction, document: bytes) -> None:
        """Whether a claim proves itself by an invitation; only reads. Raises like :meth:`claim`."""
        self._proven(tx, document)

    def claim(self, tx: Transaction, document: bytes) -> Sequence[bytes]:
        """A joiner's claim, at its parent-to-be. Returns the site definitions known here, for the joiner to start from. The same
        claim again is harmless; another one for a used invitation is refused."""
        claim = self._proven(tx, document)
        if claim.parent != self._code:
            raise NotAllowedError(
                "wrong-parent",
                f"Site {claim.code} is to join below {claim.parent}, not {self._code}.",
                "Use the URL in the join string.",
            )
        before = records.find_site(tx, SiteCode(claim.code))
        if before is not None and before.key and before.key != claim.key:
            raise ConflictError(
                "site-exists",
                f"Site {claim.code} has joined already with another key.",
                f"If it was lost: haulage site remove {claim.code}, then invite it again.",
            )
        if before is None or not before.key:
            self._keep(tx, claim, document)
            self._serve(tx, claim)
        return [stored.document for stored in list_definitions(tx, Kind.SITE)]

    def take(self, tx: Transaction, peer: SiteCode, message: Message) -> None:
        """A claim relayed from below: relay it on, or sign the site if this is the central one."""
        claim = self._proven(tx, message.body)
        if not records.hierarchy(tx).is_within(SiteCode(claim.parent), peer):
            raise NotAllowedError("out-of-scope", f"Site {peer} relayed a claim for {claim.parent}, which is not below it.", "")
        self._keep(tx, claim, message.body)
        self._forward(tx, claim)

    def render(self, tx: Transaction, _peer: SiteCode, key: str, _sequence: int) -> bytes | None:
        """The claim of a site, for the parent."""
        return records.find_claim(tx, SiteCode(key))

    def snapshot(self, tx: Transaction) -> list[tuple[str, str]]:
        """Claims of sites below that the central site has not answered yet. This site's own went to the parent by itself."""
        return [(MessageKind.CLAIM, code) for code in records.open_claims(tx) if code != self._code]

    def forget(self, tx: Transaction, code: SiteCode) -> None:
        """A site is gone; its claim with it."""
        records.remove_claim(tx, code)

    def _proven(self, tx: Transaction, document: bytes) -> Claim:
        named = peek_claim(document)
        invitation = self._invitation(tx, named)
        claim = verify_claim(document, invitation, root_sha256=self._root_sha256, now=self._clock.now())
        used = records.claimed_key(tx, claim.token_key)
        if used is not None and used != claim.key:
            raise NotAllowedError(
                "join-string-used", f"The join string of site {claim.code} was used before.", f"haulage invite site {claim.code}"
            )
        return claim

    def _invitation(self, tx: Transaction, claim: Claim) -> InvitationState:
        for stored in list_definitions(tx, Kind.INVITATION):
            definition = self._definitions.find(tx, Kind.INVITATION, stored.id)
            if definition is not None:
                state = state_of(definition, InvitationState)
                if state.token_key == claim.token_key:
                    return state
        raise NotFoundError(
            "invitation-unknown",
            f"No invitation of site {claim.code} below {claim.parent} is known at {self._code}.",
            f"It may not have arrived here yet; try again, or run: haulage invite site {claim.code}",
        )

    def _keep(self, tx: Transaction, claim: Claim, document: bytes) -> None:
        records.put_claim(tx, SiteCode(claim.code), claim.token_key, claim.key, document, self._clock.now())

    def _serve(self, tx: Transaction, claim: Claim) -> None:
        """Let the new site in here, before the central site has heard of it."""
        known = records.find_site(tx, SiteCode(claim.code))
        name = claim.name or (known.name if known else "")
        site = Site(
            code=SiteCode(claim.code),
            name=name,
            parent=self._code,
            url=claim.url,
            key=claim.key,
            certificate="",
            status=SiteStatus.JOINING,
            life=known.life if known else 0,
        )
        records.put_site(tx, site)
        self._forward(tx, claim)
        self._streams.resync(tx, site.code, "it has joined")
        self._herald.joined(tx, site.code, self._code)

    def _forward(self, tx: Transaction, claim: Claim) -> None:
        if self._issue_certificate is None:
            parent = records.find_site(tx, self._code)
            if parent is not None and parent.parent is not None:
                self._streams.mark(tx, parent.parent, MessageKind.CLAIM, claim.code)
            return
        before = self._definitions.find(tx, Kind.SITE, claim.code)
        if before is None or before.deleted:
            raise NotAllowedError("site-removed", f"Site {claim.code} was removed from the hierarchy.", "Invite it again.")
        state = state_of(before, SiteState)
        if state.key is not None and state.key != claim.key:
            raise ConflictError(
                "site-exists", f"Site {claim.code} is active with another key.", f"haulage site remove {claim.code}"
            )
        if state.key is None:
            signed = SiteState(
                code=claim.code,
                name=claim.name or state.name,
                parent=state.parent,
                url=claim.url,
                key=claim.key,
                certificate=self._issue_certificate(claim),
                state="active",
                life=state.life,
            )
            self._definitions.issue(tx, Kind.SITE, claim.code, signed)
