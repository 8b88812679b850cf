"""``haulage join``: a child site. It can serve at once; its certificate comes by its parent once the central site has signed."""

from __future__ import annotations

import hashlib
import os

from haulage.base.clock import Clock, SystemClock
from haulage.base.errors import TransferError
from haulage.base.files import write_durable
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import Site, SiteStatus
from haulage.engine.links.joining import fetch_root, send_claim
from haulage.engine.links.loop import LoopThread
from haulage.engine.protocol.asks import Claim, Pending
from haulage.engine.trust.certificates import make_csr, make_tls_key
from haulage.engine.trust.enrolment import CLAIM_MAX_BYTES, JoinString, make_claim, parse_join, peek_claim
from haulage.engine.trust.keys import SigningKey
from haulage.wiring.building import NewHome, Plan, begin, choose_address
from haulage.wiring.databases import look_at
from haulage.wiring.founding import DEFAULT_LISTEN, keep_root
from haulage.wiring.home import Home
from haulage.wiring.site import open_site


def join(
    path: str,
    join_string: str,
    *,
    name: str = "",
    listen: str = DEFAULT_LISTEN,
    url: str | None = None,
    database: str = "",
    clock: Clock | None = None,
) -> Home:
    """Make the home of a child site. Raises UsageError ``bad-join-string``, ConflictError ``home-exists`` (Q269405),
    TransferError while the parent cannot be reached, and whatever the parent answers. A killed or failed one is run again with
    the same join string: what was claimed already is claimed by the same keys."""
    clock = clock or SystemClock()
    string = parse_join(join_string)
    address, public_url = choose_address(listen, url)
    make_csr(make_tls_key(), code=string.site, url=public_url)
    subject = hashlib.sha256("".join(join_string.split()).lower().encode()).hexdigest()
    plan = Plan(action="join", code=string.site, name=name, listen=address, url=public_url, subject=subject, database=database)
    look_at(database, string.site, path)
    new = begin(path, plan)
    loop = LoopThread("haulage-join")
    try:
        keep_root(new.home, fetch_root(string.url, string.root_sha256, clock=clock, loop=loop))
        document = _claim(new, string)
        authority = new.home.root(clock).authority_pem
        answer = send_claim(string.url, document, authority_pem=authority, clock=clock, loop=loop)
        if isinstance(answer, Pending):
            raise TransferError(
                "join-pending",
                f"Site {string.parent} has not decided about {string.site} yet.",
                "Run the same command again later.",
            )
        _make_site(new, string, document, answer, clock)
        return new.finish()
    finally:
        loop.close()
        new.release()


def _claim(new: NewHome, string: JoinString) -> bytes:
    """The claim, kept before it is sent: sending the same one again is harmless, another one would be refused."""
    home = new.home
    kept = home.file("trust", "claim.json")
    if os.path.exists(kept):
        with open(kept, "rb") as file:
            return file.read(2 * CLAIM_MAX_BYTES)
    for key in ("site", "package", "targets", "snapshot", "timestamp"):
        if not home.keys.has(key):
            home.keys.create(key)
    if not home.keys.has("tls"):
        home.keys.write("tls", make_tls_key())
    site_key: SigningKey = home.keys.load("site")
    csr = make_csr(home.keys.read("tls"), code=string.site, url=new.plan.url)
    document = make_claim(string, site_key, csr_pem=csr, url=new.plan.url, name=new.plan.name)
    write_durable(kept, document, mode=0o600)
    return document


def _make_site(new: NewHome, string: JoinString, document: bytes, definitions: list[bytes], clock: Clock) -> None:
    """Who this server is, and the sites its parent knows, in one transaction."""
    claim = peek_claim(document)
    opened = open_site(new.home, clock, founding=True)
    try:
        core = opened.core
        with core.database.writing() as tx:
            if estate.read_identity(tx) is not None:
                return
            estate.create_identity(tx, string.site, string.parent, clock.now())
            # A parent that is put back to before it heard of this site is told again.
            estate.put_claim(tx, string.site, claim.token_key, claim.key, document, clock.now())
            for definition in definitions:
                core.definitions.adopt(tx, definition, source=None)
            me = estate.find_site(tx, string.site)
            if me is None or not me.key:
                estate.put_site(tx, _joining(string, claim, me))
    finally:
        opened.close()


def _joining(string: JoinString, claim: Claim, known: Site | None) -> Site:
    return Site(
        code=string.site,
        name=claim.name or (known.name if known else ""),
        parent=string.parent,
        url=claim.url,
        key=claim.key,
        certificate="",
        status=SiteStatus.JOINING,
        life=known.life if known else 0,
    )
