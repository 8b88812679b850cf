"""A site that was removed hears so, tells its administrators, and does not ask for ever; and a stop that hangs leaves no sign."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from haulage.base.clock import SystemClock
from haulage.base.errors import NotAllowedError, TransferError
from haulage.base.ids import SiteCode
from haulage.engine.status import on_sites
from haulage.engine.status.message import StatusFilter
from haulage.engine.trust.keys import SigningKey
from haulage.operations.sites import invite_site, remove_site
from haulage.server.lifecycle import end_now
from haulage.server.presence import Presence
from haulage.server.uplinks import Contact
from tests.server.asgi import Served

OLD, HQ1 = SiteCode("OLD"), SiteCode("HQ1")


def test_a_removed_site_is_told_so_and_an_unknown_one_is_not(served: Served) -> None:
    target = "/hop/v1/feed?epoch=0&stream=0&sequence=0&wait=0"
    invite_site(served.service.desk, "test", OLD)
    remove_site(served.service.desk, "test", OLD)
    for sender, code in (("OLD", "site-removed"), ("ZZZ", "unknown-signer"), ("CHI", "unknown-signer")):
        headers = served.signed("GET", target, key=SigningKey.generate(), sender=sender)
        reply = served.ask("GET", target, headers=headers)
        assert (reply.status, reply.code) == (403, code)


def test_the_parents_word_is_told_once_and_until_it_is_taken_back(served: Served) -> None:
    contact = Contact(HQ1, served.opened.core, SystemClock(), Presence(SystemClock()), lambda: 0.0)
    contact.bad(TransferError("no-answer", "Nobody answered.", ""))
    assert contact.removed == ""
    before = _said(served)
    for _time in range(3):
        contact.bad(NotAllowedError("site-removed", "Site CHI was removed from the hierarchy.", ""))
    assert contact.removed == "Site CHI was removed from the hierarchy."
    assert _said(served) == before + 1
    contact.good()
    assert contact.removed == ""


def _said(served: Served) -> int:
    with served.opened.core.database.reading() as tx:
        return len(served.opened.core.journal.find(tx, StatusFilter(numbers=(on_sites.PARENT_AWAY.number,)), limit=100))


def test_a_stop_that_hangs_leaves_no_server_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    monkeypatch.setattr("logging.shutdown", lambda: None)
    file = tmp_path / "server.json"
    file.write_text("{}")
    end_now(str(file))
    end_now(str(file))
    assert not file.exists()
    assert codes == [0, 0]


def test_f46_a_clock_that_differs_is_named_once_and_again_after_it_was_right(served: Served) -> None:
    off = [3600.0]
    contact = Contact(HQ1, served.opened.core, SystemClock(), Presence(SystemClock()), lambda: off[0])

    def said() -> list[object]:
        core = served.opened.core
        with core.database.reading() as tx:
            return [one.record.fields["seconds"] for one in core.journal.find(tx, StatusFilter(numbers=(3309,)), limit=9)]

    contact.good()
    contact.good()
    assert said() == [3600]
    off[0] = 1.0
    contact.good()
    off[0] = -900.0
    contact.good()
    assert sorted(said(), key=str) == [-900, 3600]
