"""What people do with sites."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

from haulage.base.clock import iso
from haulage.base.errors import ConflictError, NotFoundError, UsageError
from haulage.base.ids import SiteCode
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import SiteStatus
from haulage.domain.replication.records import list_definitions
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.definitions import InvitationState, Kind, SiteState, state_of
from haulage.engine.status import on_requests, on_sites
from haulage.engine.trust.enrolment import encode_join, new_join, token_key
from haulage.operations.desk import Desk

LIFE_HOURS = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """An invitation; ``join`` is shown once and kept nowhere."""

    code: SiteCode
    parent: SiteCode
    join: str
    expires: dt.datetime


def invite_site(
    desk: Desk, actor: str, code: SiteCode, *, parent: SiteCode | None = None, name: str = "", hours: float = LIFE_HOURS
) -> Invited:
    """Let a new site in below ``parent`` (this site if not given). Only the central site adds to the table of sites."""
    below = parent or desk.code
    if not 0 < hours <= 24 * 30:
        raise UsageError("bad-life", "A join string lives between a moment and 30 days.", "Give --hours between 0 and 720.")
    with desk.database.writing() as tx:
        _require_central(desk, tx)
        above = estate.find_site(tx, below)
        if above is None or (above.status is SiteStatus.INVITED and below != desk.code):
            raise NotFoundError("no-such-site", f"Site {below} is not known or has not joined yet.", "Invite and join it first.")
        known = estate.find_site(tx, code)
        if known is not None and (known.key or known.parent != below):
            raise ConflictError("site-exists", f"Site {code} is in the hierarchy already.", f"haulage site remove {code} first.")
        expires = desk.clock.now() + dt.timedelta(hours=hours)
        join = new_join(url=above.url, site=code, parent=below, root_sha256=desk.root_sha256)
        if known is None:
            life = estate.next_number(tx, "revision")
            state = SiteState(code=code, name=name, parent=below, url="", key=None, certificate=None, state="invited", life=life)
            desk.definitions.issue(tx, Kind.SITE, code, state)
        invitation = InvitationState(
            code=code, parent=below, name=name, token_key=token_key(join).public.text, expires=iso(expires)
        )
        desk.definitions.issue(tx, Kind.INVITATION, f"{desk.code}.{secrets.token_hex(8)}", invitation)
        desk.journal.record(tx, on_requests.SITE_INVITATION_ASKED, actor=actor, child=code, parent=below)
        desk.journal.record(tx, on_sites.SITE_INVITED, child=code, parent=below, until=iso(expires))
        return Invited(code=code, parent=below, join=encode_join(join), expires=expires)


def remove_site(desk: Desk, actor: str, code: SiteCode) -> None:
    """Take a site without children out of the hierarchy. Everything owed to it goes in the same transaction, everywhere."""
    with desk.database.writing() as tx:
        _require_central(desk, tx)
        if estate.find_site(tx, code) is None:
            raise NotFoundError("no-such-site", f"There is no site {code}.", "haulage site list shows those there are.")
        if code == desk.code:
            raise UsageError("own-site", f"Site {code} cannot remove itself.", "Stop its server and remove its home instead.")
        below = estate.hierarchy(tx).children(code)
        if below:
            raise ConflictError("site-has-children", f"Below {code} are {', '.join(below)}.", "Remove them first.")
        for stored in list_definitions(tx, Kind.INVITATION):
            definition = desk.definitions.find(tx, Kind.INVITATION, stored.id)
            if definition is not None and state_of(definition, InvitationState).code == code and stored.owner == desk.code:
                desk.definitions.issue(tx, Kind.INVITATION, stored.id, None)
        desk.definitions.issue(tx, Kind.SITE, code, None)
        desk.journal.record(tx, on_requests.SITE_REMOVAL_ASKED, actor=actor, child=code)


def _require_central(desk: Desk, tx: Transaction) -> None:
    central = estate.hierarchy(tx).central
    if central != desk.code:
        raise ConflictError("not-central", f"Only the central site, {central}, changes the table of sites.", f"Do it at {central}.")
