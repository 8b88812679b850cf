"""Taking a fix away: all as before it, or refused with the name of what stands on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from haulage.engine.servicing.apply import Options
from haulage.engine.servicing.definition import Becomes
from haulage.engine.servicing.errors import RefusedError, StepError
from haulage.engine.servicing.record import Act, load_record
from haulage.testing.crash_points.press import FIX, NEW, OLD, ROLLUP, ROLLUP_CONTENT, RUNNING
from tests.engine.servicing.around import PLAIN, Press


@pytest.fixture
def press(tmp_path: Path) -> Press:
    return Press(tmp_path)


@pytest.mark.parametrize("fix", [PLAIN, replace(PLAIN, becomes=Becomes(version="2.0.1494"))])
def test_all_is_as_before_to_the_bit(press: Press, fix: object) -> None:
    before = press.everything()
    press.install(fix)  # type: ignore[arg-type]
    assert press.uninstall().act is Act.UNINSTALLED
    left = press.everything()
    assert left.pop(".servicing/record.json")
    assert left == before
    assert not (press.root / "lib").exists(), "folders made for it go, too"
    assert [event.act for event in load_record(press.places).history] == [Act.INSTALLED, Act.UNINSTALLED]


def test_programs_are_taken_back_and_services_run(press: Press) -> None:
    press.install()
    press.uninstall()
    assert (press.root / "data" / "press.db").read_bytes() == OLD["data/press.db"]
    assert press.around.running() == set(RUNNING)


def test_what_stands_on_it_is_named(press: Press) -> None:
    press.install()
    press.install(ROLLUP, ROLLUP_CONTENT, "b" * 64)
    before = press.everything()
    with pytest.raises(RefusedError, match="Q323206 stands on Q316316") as refused:
        press.uninstall()
    assert refused.value.code == "newer-stands-on-it"
    assert press.everything() == before
    press.uninstall(ROLLUP.id)
    assert (press.root / "bin" / "press.exe").read_bytes() == NEW["bin/press.exe"]
    entry = load_record(press.places).find(FIX.id)
    assert entry is not None
    assert entry.superseded_by is None
    press.uninstall()


def test_what_stands_on_it_stands_also_on_its_repair(press: Press) -> None:
    later = replace(PLAIN, id="Q2", files=PLAIN.files[:1])
    press.install()
    (press.root / "bin" / "press.exe").write_bytes(OLD["bin/press.exe"])
    press.install(later, digest="b" * 64)
    (press.root / "old" / "legacy.txt").write_bytes(OLD["old/legacy.txt"])
    assert press.install().act is Act.REPAIRED
    with pytest.raises(RefusedError, match="Q2 stands on Q316316"):
        press.uninstall()


def test_a_fix_that_came_with_a_rollup_goes_with_it(press: Press) -> None:
    press.install(ROLLUP, ROLLUP_CONTENT)
    with pytest.raises(RefusedError, match="came with Q323206") as refused:
        press.uninstall()
    assert refused.value.code == "not-installed"


def test_other_fixes_lines_of_the_manifest_stay(press: Press) -> None:
    other = replace(PLAIN, id="Q2", files=PLAIN.files[1:2])
    press.install(replace(PLAIN, files=PLAIN.files[:1]))
    press.install(other, digest="b" * 64)
    press.uninstall()
    manifest = (press.root / "product.json").read_text()
    assert PLAIN.files[1].sha256 in manifest
    assert PLAIN.files[0].sha256 not in manifest


def test_a_file_changed_since_is_not_lost(press: Press) -> None:
    press.install()
    (press.root / "bin" / "press.exe").write_bytes(b"made better by somebody")
    with pytest.raises(RefusedError, match="somebody changed it since"):
        press.uninstall()
    assert (press.root / "bin" / "press.exe").read_bytes() == b"made better by somebody"
    press.uninstall(options=Options(force=True))
    assert (press.root / "bin" / "press.exe").read_bytes() == OLD["bin/press.exe"]


def test_a_damaged_backup_is_found_before_anything_is_changed(press: Press) -> None:
    press.install()
    (press.root / ".servicing" / "fixes" / "000001" / "file-0").write_bytes(b"rot")
    before = press.everything()
    with pytest.raises(RefusedError) as refused:
        press.uninstall()
    assert refused.value.code == "backup-damaged"
    assert press.everything() == before


def test_one_that_is_made_to_stay_stays(press: Press) -> None:
    press.install(replace(PLAIN, uninstallable=False))
    with pytest.raises(RefusedError) as refused:
        press.uninstall()
    assert refused.value.code == "not-uninstallable"
    kept = {path.name for path in (press.root / ".servicing" / "fixes" / "000001").iterdir()}
    assert kept == {"definition.json"}, "no backup is kept that nobody may use"


def test_q299435_one_that_cannot_be_taken_away_stays_whole(press: Press) -> None:
    press.install()
    before = press.everything()
    press.around.fails = {"down"}
    with pytest.raises(StepError):
        press.uninstall()
    left = press.everything()
    for path, facts in before.items():
        assert left[path][:2] == facts[:2]
    assert press.around.running() == set(RUNNING)
