"""The users, tokens and sessions of an estate. Nobody has a password: a made-up one would open a real server."""

from __future__ import annotations

import datetime as dt

from haulage.domain.people import records
from haulage.domain.people.model import SessionRecord, Token, User
from haulage.domain.people.roles import Role
from haulage.engine.database.transaction import Transaction

_USERS = (
    ("ada", "Ada Byron", Role.ADMINISTRATOR, False, 0.1),
    ("olaf", "Olaf Lindqvist", Role.OPERATOR, False, 2.0),
    ("rita", "Rita Okafor", Role.READER, False, 30.0),
    ("nightly", "Nightly build", Role.OPERATOR, False, None),
    ("gerd", "Gerd Pohl", Role.OPERATOR, True, 9000.0),
)
_TOKENS = (
    ("1f0c2b7d", "Nightly build of the tills", Role.OPERATOR, "nightly", 0.5, 80),
    ("77aa01e4", "Figures for the wall in the office", Role.READER, "", 1.0, 300),
    ("c0ffee12", "Migration of last year", Role.ADMINISTRATOR, "ada", None, -12),
)
_BROWSERS = (
    ("ada", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "192.0.2.17", 0.1),
    ("ada", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15", "192.0.2.80", 5.0),
    ("olaf", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0", "198.51.100.4", 2.0),
)


def make_people(tx: Transaction, now: dt.datetime) -> None:
    """All of them, as if they had worked here for a while."""
    for name, shown, role, disabled, hours in _USERS:
        signed_in = None if hours is None else now - dt.timedelta(hours=hours)
        made = now - dt.timedelta(days=400)
        records.put_user(
            tx,
            User(name=name, display_name=shown, role=role, password_hash="", disabled=disabled, created=made, signed_in=signed_in),
        )
    for number, (token_id, what, role, owner, hours, days) in enumerate(_TOKENS):
        used = None if hours is None else now - dt.timedelta(hours=hours)
        made, ends = now - dt.timedelta(days=60 + number), now + dt.timedelta(days=days)
        records.add_token(
            tx,
            Token(
                id=token_id,
                name=what,
                digest=f"{number:064x}",
                role=role,
                owner=owner,
                made_by="ada",
                created=made,
                expires=ends,
                used=used,
            ),
        )
    for number, (user, browser, address, hours) in enumerate(_BROWSERS):
        seen = now - dt.timedelta(hours=hours)
        records.put_session(
            tx,
            SessionRecord(
                digest=f"{number:064x}",
                session=f"{number:016x}",
                user=user,
                proof="",
                token="",
                address=address,
                browser=browser,
                began=seen - dt.timedelta(hours=1),
                seen=seen,
                issued=seen,
            ),
        )
