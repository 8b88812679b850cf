"""A site is backed up while a publication and a transfer are under way, its home is destroyed, and it is made again from the
backup: the hierarchy converges byte-exactly, unaided, whichever site it was."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from haulage.engine.status import on_backups, on_requests, on_sites
from haulage.engine.trees.local_reader import LocalReader
from haulage.testing.lab.lab import Lab
from tests.lab.scenes import add_point, assert_same, change_bulk, create, current_on, on_point, publish, wait_moving, write_bulk


def take(lab: Lab, code: str, target: Path, *options: str) -> dict[str, Any]:
    made: dict[str, Any] = lab[code].quick("backup", str(target), *options)
    return made


def take_meanwhile(lab: Lab, code: str, target: Path, *options: str) -> Callable[[], dict[str, Any]]:
    """Begin a backup in another process; returns what waits for it."""
    made: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: made.append(lab[code].cli("backup", str(target), *options)))
    thread.start()

    def wait() -> dict[str, Any]:
        thread.join(120)
        return made[0]

    return wait


def destroy(lab: Lab, code: str) -> None:
    lab.kill(code)
    shutil.rmtree(lab[code].home)


def restore(lab: Lab, code: str, backup: str, *options: str) -> dict[str, Any]:
    made: dict[str, Any] = lab[code].cli("restore", backup, *options)
    lab.start(code)
    return made


def same_at(folder: Path, package: str, version: int, source: Path) -> None:
    assert current_on(folder, package) == version
    with contextlib.closing(on_point(folder, package, version)) as found, contextlib.closing(LocalReader(str(source))) as expected:
        assert_same(expected, found)


def newest(lab: Lab, package: str, code: str = "HQ1") -> int:
    number: int = lab[code].api.get(f"/packages/{package}")["version"]
    return number


def said(lab: Lab, code: str, number: int) -> list[dict[str, Any]]:
    return [row for row in lab[code].api.rows("/status", {"number": number}) if row["site"] == code]


VICTIMS = ("LA1", "CHI", "HQ1")


def test_f53_f54_f64_h1_each_site_of_three_is_lost_and_restored(new_lab: Callable[[], Lab], tmp_path: Path) -> None:
    """One after the other; without time for all, the one that nobody above can help."""
    victims = VICTIMS if os.environ.get("HAULAGE_LONG") == "1" else VICTIMS[-1:]
    lab = new_lab()
    lab.central("HQ1")
    lab.site("CHI", parent="HQ1")
    lab.site("LA1", parent="CHI")
    folder = add_point(lab, "LA1/SHOP", tmp_path / "point")
    source = write_bulk(tmp_path / "source", 12, seed=1)
    package = create(lab, source, "LA1/SHOP", "CHI")
    publish(lab, package)
    lab.wait_present(package, 1)
    chance = random.Random(64)
    for victim in victims:
        change_bulk(source, 8, seed=chance.randrange(1 << 30))
        before = newest(lab, package)
        lab.quick("HQ1", "package", "publish", package)
        wait = take_meanwhile(lab, victim, tmp_path / "backups" / victim, "--keep", "3")
        lab.until(lambda before=before: newest(lab, package) > before, "it is published")  # type: ignore[misc]
        wait_moving(lab, package, "CHI", 0.1, version=newest(lab, package))
        early, late = wait(), take(lab, victim, tmp_path / "backups" / victim, "--keep", "3")
        assert early["rows"] > 0
        assert late["keys_proved"] is True
        assert said(lab, victim, on_backups.BACKUP_DONE.number)
        lab.wait_present(package)
        # What happens after the backup, and is forgotten with it.
        change_bulk(source, 4, seed=chance.randrange(1 << 30))
        lost = publish(lab, package)
        assert lost
        rows = lab.wait_present(package)
        epoch = lab[victim].api.get("/site")["epoch"]
        destroy(lab, victim)
        made = restore(lab, victim, late["path"] if victim != "CHI" else early["path"])
        assert made["epoch"] > epoch
        assert made["versions_absent"]
        if victim == "HQ1":
            forgotten = rows["CHI"]["present"]
            lab.until(lambda lost=forgotten: newest(lab, package) == lost, "the owner takes its lost version back")  # type: ignore[misc]
        rows = lab.wait_present(package)
        assert all(row["present"] == newest(lab, package) for row in rows.values())
        same_at(folder, package, newest(lab, package), source)
        assert said(lab, victim, on_requests.RESTORE_DONE.number)
        # And it goes on as ever.
        change_bulk(source, 4, seed=chance.randrange(1 << 30))
        again = newest(lab, package)
        publish(lab, package)
        assert newest(lab, package) == again + (1001 if victim == "HQ1" else 1)
        lab.wait_present(package)
        same_at(folder, package, newest(lab, package), source)
    assert sorted(os.listdir(tmp_path / "backups")) == sorted(victims)
    assert not said(lab, "CHI", on_sites.EQUIVOCATING_DEFINITION.number)
    for site in lab:
        assert site.quick("store", "check")["damaged"] == 0


def test_f54_h1_a_lone_site_is_restored_elsewhere_and_its_content_from_its_own_point(
    new_lab: Callable[[], Lab], tmp_path: Path
) -> None:
    """With another address; the source is gone, only the point still has the version. Keys under a passphrase."""
    lab = new_lab()
    lab.central("HQ1")
    folder = add_point(lab, "HQ1/SHOP", tmp_path / "point")
    source = write_bulk(tmp_path / "source", 6, seed=3)
    package = create(lab, source, "HQ1/SHOP")
    publish(lab, package)
    lab.wait_present(package, 1)
    words = tmp_path / "words"
    words.write_text("four words nobody guesses\n")
    lab.stop("HQ1")
    made = take(lab, "HQ1", tmp_path / "backups", "--passphrase-file", str(words))
    assert made["sealed"] is True
    refused = lab["HQ1"].cli("restore", made["path"], "--passphrase-file", str(words), expect=4)
    assert refused["error"]["code"] == "home-exists"
    saved = tmp_path / "saved"
    source.rename(saved)
    shutil.rmtree(lab["HQ1"].home)
    refused = lab["HQ1"].cli("restore", made["path"], expect=8)
    assert refused["error"]["code"] == "passphrase-needed"
    assert not os.path.exists(lab["HQ1"].home)
    restored = restore(lab, "HQ1", made["path"], "--passphrase-file", str(words), "--listen", "127.0.0.1:0", "--url", "")
    assert restored["versions_absent"] == [f"{package}:1"]
    lab.wait_present(package, 1)
    same_at(folder, package, 1, saved)
    assert lab["HQ1"].quick("store", "check")["damaged"] == 0
    lab.quick("HQ1", "package", "extract", f"{package}:1", "--to", str(tmp_path / "out"))
    with contextlib.closing(LocalReader(str(tmp_path / "out"))) as found, contextlib.closing(LocalReader(str(saved))) as expected:
        assert_same(expected, found)
