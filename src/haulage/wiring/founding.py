"""``haulage init``: a central site, with every key of its hierarchy."""

from __future__ import annotations

from haulage.base.clock import Clock, SystemClock
from haulage.base.files import make_folder, write_durable
from haulage.base.ids import SiteCode, site_code
from haulage.domain.estate import records as estate
from haulage.engine.protocol.definitions import Kind, SiteState
from haulage.engine.trust.certificates import KeyPair, issue, make_authority, make_csr, make_tls_key
from haulage.engine.trust.root import make_root, root_digest
from haulage.wiring.building import NewHome, Plan, begin, choose_address
from haulage.wiring.databases import look_at
from haulage.wiring.home import Home
from haulage.wiring.site import open_site

DEFAULT_LISTEN = "127.0.0.1:8440"


def init_central(
    path: str,
    *,
    code: str,
    name: str = "",
    listen: str = DEFAULT_LISTEN,
    url: str | None = None,
    database: str = "",
    clock: Clock | None = None,
) -> Home:
    """Make the home of a central site. Raises ConflictError ``home-exists``, ``folder-not-empty``, ``database-taken`` before
    anything is changed (Q269405), UsageError for what cannot work, and like :func:`look_at`. A killed one is run again."""
    clock = clock or SystemClock()
    site = site_code(code)
    address, public_url = choose_address(listen, url)
    make_csr(make_tls_key(), code=site, url=public_url)
    made = look_at(database, site, path)
    new = begin(path, Plan(action="init", code=site, name=name, listen=address, url=public_url, database=database), go_on=made)
    try:
        if not made:
            certificate = _make_trust(new, clock)
            _make_site(new, certificate, clock)
        return new.finish()
    finally:
        new.release()


def _make_trust(new: NewHome, clock: Clock) -> str:
    """Every key, the authority and the root; returns the server's certificate."""
    home, code = new.home, new.plan.code
    keys = {role: home.keys.create(role).public for role in ("site", "package", "hierarchy", "targets", "snapshot", "timestamp")}
    root_key = home.keys.create("root")
    authority = make_authority(code, now=clock.now())
    home.keys.write("ca", authority.key_pem)
    root = make_root(
        central=code,
        root_keys=[root_key],
        hierarchy=[keys["hierarchy"]],
        targets=keys["targets"],
        snapshot=keys["snapshot"],
        timestamp=keys["timestamp"],
        authority_pem=authority.certificate_pem,
        now=clock.now(),
    )
    keep_root(home, root)
    return _certify(home, code, authority, clock)


def _certify(home: Home, code: SiteCode, authority: KeyPair, clock: Clock) -> str:
    tls_key = make_tls_key()
    home.keys.write("tls", tls_key)
    url = home.settings.site.url
    return issue(authority, make_csr(tls_key, code=code, url=url), code=code, url=url, now=clock.now())


def _make_site(new: NewHome, certificate: str, clock: Clock) -> None:
    """Who this server is, and its own definition, in one transaction."""
    plan, opened = new.plan, open_site(new.home, clock, founding=True)
    try:
        state = SiteState(
            code=plan.code,
            name=plan.name,
            parent=None,
            url=plan.url,
            key=opened.site_key.public.text,
            certificate=certificate,
            state="active",
        )
        with opened.core.database.writing() as tx:
            estate.create_identity(tx, plan.code, None, clock.now())
            opened.core.definitions.issue(tx, Kind.SITE, plan.code, state)
    finally:
        opened.close()


def keep_root(home: Home, root: bytes) -> None:
    """Keep a root of trust and the digest that pins it; the document first, so that a pin never stands alone."""
    make_folder(home.file("trust"))
    write_durable(home.file("trust", "root.json"), root)
    write_durable(home.file("trust", "root.sha256"), root_digest(root).encode() + b"\n")
