"""How a hierarchy comes to be in the simulation: a central site, and children that join with real join strings."""

from __future__ import annotations

import hashlib

from haulage.base.errors import HaulageError
from haulage.base.ids import SiteCode
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import Site, SiteStatus
from haulage.engine.protocol.definitions import Kind, SiteState
from haulage.engine.trust.enrolment import make_claim, parse_join, peek_claim
from haulage.engine.trust.keys import SigningKey
from haulage.operations.sites import invite_site
from haulage.testing.simulation.site import SimSite

ACTOR = "simulation"


def key_of(code: SiteCode, incarnation: int) -> SigningKey:
    """The key of a site, the same in every run."""
    return SigningKey.from_seed(hashlib.sha256(f"{code} {incarnation}".encode()).digest())


def found(site: SimSite) -> None:
    """Make a fresh disk the central site's."""
    core = site.assemble()
    state = SiteState(
        code=site.code,
        name="",
        parent=None,
        url=f"https://{site.code.lower()}.test",
        key=site.key,
        certificate="certificate",
        state="active",
    )
    with core.database.writing() as tx:
        estate.create_identity(tx, site.code, None, site.clock.now())
        core.definitions.issue(tx, Kind.SITE, site.code, state)


def invite(central: SimSite, code: SiteCode, parent: SiteCode) -> str:
    """A join string."""
    assert central.desk is not None
    return invite_site(central.desk, ACTOR, code, parent=parent, hours=700).join


def join(site: SimSite, parent: SimSite, join_string: str) -> None:
    """Make a fresh disk that of a child. Raises what the parent answers; the same call may be repeated."""
    string = parse_join(join_string)
    document = make_claim(string, site.signing, csr_pem="request", url=f"https://{site.code.lower()}.test", name="")
    assert parent.core is not None
    with parent.core.database.writing() as tx:
        answers = list(parent.core.enrolment.claim(tx, document))
    core = site.assemble()
    with core.database.writing() as tx:
        estate.create_identity(tx, site.code, string.parent, site.clock.now())
        claim = peek_claim(document)
        estate.put_claim(tx, site.code, claim.token_key, claim.key, document, site.clock.now())
        for answer in answers:
            core.definitions.adopt(tx, answer, source=None)
        me = estate.find_site(tx, site.code)
        if me is None or not me.key:
            estate.put_site(tx, _joining(site, string.parent, me))


def may_join(error: HaulageError) -> bool:
    """Whether a refused claim may be accepted later."""
    return error.code in ("invitation-unknown", "database-busy")


def _joining(site: SimSite, parent: SiteCode, known: Site | None) -> Site:
    return Site(
        code=site.code,
        name="",
        parent=parent,
        url=f"https://{site.code.lower()}.test",
        key=site.key,
        certificate="",
        status=SiteStatus.JOINING,
        life=known.life if known else 0,
    )
