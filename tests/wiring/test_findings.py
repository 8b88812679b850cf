"""What ``haulage doctor`` finds on a server, one wrong thing at a time."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from haulage.base.clock import SystemClock
from haulage.base.ids import PackageId, VersionNumber
from haulage.base.notify_settings import WebhookSettings
from haulage.domain.repair.lacks import Lack
from haulage.domain.telling.notifier import begun
from haulage.domain.telling.views import notifier_view
from haulage.engine.content.model import ManifestId
from haulage.server.backups import BackupOrder
from haulage.wiring import findings
from haulage.wiring.backing_up import Backups
from haulage.wiring.findings import Findings
from haulage.wiring.founding import init_central
from haulage.wiring.home import load_home
from haulage.wiring.site import OpenedSite, open_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenedSite]:
    home = init_central(str(tmp_path_factory.mktemp("findings") / "hq"), code="HQ1", listen="127.0.0.1:0")
    opened = open_site(load_home(home.path), SystemClock())
    yield opened
    opened.close()


class _Later:
    """The clock some days on."""

    def __init__(self, days: float) -> None:
        self._days = days

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + dt.timedelta(days=self._days)

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nobody waits {seconds} s here")


def _codes(
    site: OpenedSite, *, days: float = 0, silent: dt.datetime | None = None, removed: str = "", offset: float = 0, late: int = 0
) -> dict[str, str]:
    found = Findings(
        site.home,
        site.core,
        _Later(days),
        parent_silent_since=lambda: silent,
        parent_said_removed=lambda: removed,
        clock_offset_seconds=lambda: offset,
        scrub_late_days=lambda: late,
    )()
    assert all(one["what"] and one["hint"] for one in found)
    return {str(one["code"]): str(one["severity"]) for one in found if one["severity"] != "information"}


def test_a_receiver_that_is_not_told_is_named_and_one_that_is_not(site: OpenedSite) -> None:
    chosen = WebhookSettings(name="ops", url="https://hooks.example.org/word", secret_env="HAULAGE_HOOK")
    since = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    fine = begun("ops", "", 0)
    fails = dataclasses.replace(fine, tries=7, failing_since=since, failure="500 Broken")
    for row, said in (
        (fine, None),
        (fails, "it fails since 2026-03-01"),
        (dataclasses.replace(fails, gone=True), "it wants no more"),
    ):
        view = notifier_view(chosen, row, 12, 7)
        found = Findings(
            site.home,
            site.core,
            _Later(0),
            parent_silent_since=lambda: None,
            parent_said_removed=lambda: "",
            clock_offset_seconds=lambda: 0.0,
            scrub_late_days=lambda: 0,
            notifiers=lambda view=view: [view],  # type: ignore[misc]
        )()
        about = [str(one["what"]) for one in found if one["code"] == "notifier-fails"]
        assert len(about) == (said is not None)
        assert all(said in one and "500 Broken" in one and "12 wait" in one and "word" not in one for one in about if said)


def _of_database(site: OpenedSite) -> tuple[str, str]:
    found = Findings(
        site.home,
        site.core,
        _Later(0),
        parent_silent_since=lambda: None,
        parent_said_removed=lambda: "",
        clock_offset_seconds=lambda: 0.0,
        scrub_late_days=lambda: 0,
    )()
    (one,) = (one for one in found if one["code"] == "database")
    return str(one["severity"]), str(one["what"])


def test_f9_the_version_of_sqlite_is_named_and_what_keeps_its_defect_away(
    site: OpenedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "SQLITE_VERSION", (3, 40, 1))
    severity, what = _of_database(site)
    assert severity == "information"
    assert f"SQLite {sqlite3.sqlite_version}" in what
    assert "one connection alone checkpoints" in what
    monkeypatch.setattr(type(site.core.database), "commits_alone", lambda _self: False)
    severity, what = _of_database(site)
    assert (severity, "checkpoint by themselves" in what) == ("error", True)
    monkeypatch.setattr(findings, "SQLITE_VERSION", (3, 51, 3))
    severity, what = _of_database(site)
    assert (severity, "free of" in what) == ("information", True)


def test_the_root_key_is_named_until_it_is_taken_away(site: OpenedSite) -> None:
    assert _codes(site) == {"root-key-here": "warning"}
    path = Path(site.home.keys.path("root"))
    away = path.rename(path.parent.parent / "away")
    assert _codes(site) == {}
    away.rename(path)


def test_b105_keys_others_may_read_are_an_error(site: OpenedSite) -> None:
    for path in (site.home.keys.folder, site.home.token_path):
        mode = os.stat(path).st_mode
        os.chmod(path, mode | 0o040)
        assert _codes(site)["key-exposed"] == "error"
        os.chmod(path, mode)
    assert "key-exposed" not in _codes(site)


def test_a_certificate_that_ends_soon_is_named_in_time(site: OpenedSite) -> None:
    assert "certificate-expires" not in _codes(site, days=4 * 365)
    assert _codes(site, days=5 * 365 - 30)["certificate-expires"] == "warning"


def test_f11_a_damaged_database_is_an_error(site: OpenedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "database-damaged" not in _codes(site)
    monkeypatch.setattr(type(site.core.database), "damages", lambda _self: ("page 3 is used twice", "and more"))
    assert _codes(site)["database-damaged"] == "error"


def test_q137610_scarce_space_is_named(site: OpenedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.core, "parts", dataclasses.replace(site.core.parts, free_bytes=lambda: 1000))
    assert _codes(site)["space-scarce"] == "warning"


def test_a_silent_parent_a_wrong_clock_and_a_removal_are_named(site: OpenedSite) -> None:
    silent = dt.datetime.now(dt.UTC)
    assert _codes(site, silent=silent)["parent-away"] == "warning"
    assert _codes(site, offset=-120.0)["clock-differs"] == "warning"
    removed = _codes(site, silent=silent, removed="Site HQ1 was removed.")
    assert removed["site-removed"] == "error"
    assert "parent-away" not in removed


def test_i15_damage_and_a_late_scrub_are_named(site: OpenedSite) -> None:
    assert _codes(site, late=40)["scrub-late"] == "warning"
    lack = Lack(package=PackageId("HQ100001"), version=VersionNumber(1), manifest=ManifestId(bytes(32)), uses=(), places=())
    site.core.healer.lacks = (lack,)
    try:
        assert _codes(site)["store-damaged"] == "error"
    finally:
        site.core.healer.lacks = ()
    assert "store-damaged" not in _codes(site)


def test_f64_a_late_backup_is_a_finding(site: OpenedSite, tmp_path: Path) -> None:
    assert "backup-late" not in _codes(site, days=29)
    assert _codes(site, days=31)["backup-late"] == "warning"
    Backups(site).take(BackupOrder(target=str(tmp_path / "backups")), "me")
    assert "backup-late" not in _codes(site, days=29)
    asked = dataclasses.replace(site.home.settings.backup, target=str(tmp_path / "backups"), every_hours=12.0)
    settings = dataclasses.replace(site.home.settings, backup=asked)
    scheduled = dataclasses.replace(site, home=dataclasses.replace(site.home, settings=settings))
    assert "backup-late" not in _codes(scheduled, days=0.9)
    assert _codes(scheduled, days=1.1)["backup-late"] == "warning"
