"""A fix on one machine: what is done, what is refused and with which words, and that what is refused changes nothing."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from haulage.engine.servicing import durable, preflight
from haulage.engine.servicing.apply import Options
from haulage.engine.servicing.definition import (
    Becomes,
    FileAction,
    FixDefinition,
    FixFile,
    KnownState,
    Outcome,
    Program,
    Reboot,
    Requirements,
    Schema,
    When,
)
from haulage.engine.servicing.errors import RefusedError, ServicingError, StepError
from haulage.engine.servicing.file_facts import FileFacts
from haulage.engine.servicing.journal import Change
from haulage.engine.servicing.lock import Lock
from haulage.engine.servicing.plan import Decision
from haulage.engine.servicing.record import Act, load_record
from haulage.testing.crash_points.press import FIX, NEW, OLD, ROLLUP, ROLLUP_CONTENT, RUNNING, Carried, sha256
from haulage.testing.crash_points.trial import memory_folder
from tests.engine.servicing.around import DIGEST, PLAIN, Press, codes, with_file


@pytest.fixture
def press(tmp_path: Path) -> Press:
    return Press(tmp_path)


def test_a_fix_is_installed_and_said(press: Press) -> None:
    report = press.install()
    assert report.act is Act.INSTALLED
    for path, data in NEW.items():
        assert (press.root / path).read_bytes() == data
    assert not (press.root / "old" / "legacy.txt").exists()
    assert os.stat(press.root / "bin" / "press.exe").st_mode & 0o777 == 0o755
    assert os.getxattr(press.root / "bin" / "press.exe", "user.origin") == b"the press maker"
    assert press.around.running() == set(RUNNING), "what ran runs, what did not does not"
    written = Path(report.log).read_text()
    assert f"file bin/press.exe: replaced (sha256 {sha256(NEW['bin/press.exe'])}, was {sha256(OLD['bin/press.exe'])})" in written
    assert written.index("press-executive: stopped") < written.index("press-monitor: stopped") < written.index(": replaced")
    assert written.index("press-monitor: started") < written.index("press-executive: started")


def test_q258149_the_record_tells_id_files_hashes_time_actor(press: Press) -> None:
    press.install()
    entry = load_record(press.places).find("Q316316")
    assert entry is not None
    assert (entry.actor, entry.time, entry.bundle) == ("operator", "2026-11-22T10:00:00Z", DIGEST)
    recorded = {
        each.path: (each.before and each.before.sha256, each.after and each.after.sha256)
        for each in entry.files
        if each.path != "product.json"
    }
    assert recorded == {
        "bin/press.exe": (sha256(OLD["bin/press.exe"]), sha256(NEW["bin/press.exe"])),
        "bin/i386/distmgr.dll": (sha256(OLD["bin/i386/distmgr.dll"]), sha256(NEW["bin/i386/distmgr.dll"])),
        "lib/new/streams.dll": (None, sha256(NEW["lib/new/streams.dll"])),
        "old/legacy.txt": (sha256(OLD["old/legacy.txt"]), None),
    }
    assert json.loads((press.root / ".servicing" / "record.json").read_text())["history"][0]["act"] == "installed"


def test_q313874_a_second_run_finds_all_already_current_and_changes_no_byte(press: Press) -> None:
    press.install()
    before = press.everything()
    press.lines.clear()
    report = press.install()
    assert report.act is None
    assert {each.decision for each in report.files} == {Decision.ALREADY_CURRENT}
    assert f"file bin/press.exe: already-current (sha256 {sha256(NEW['bin/press.exe'])})" in press.lines
    assert press.everything() == before


def test_q313874_a_refused_file_is_logged_with_the_reason(press: Press) -> None:
    (press.root / "bin" / "press.exe").write_bytes(b"of nobody knows where")
    with pytest.raises(ServicingError) as refused:
        press.install()
    assert refused.value.code == "state-unknown"
    assert any(line.startswith("file bin/press.exe: refused (") for line in press.lines)


def test_q310505_a_check_names_role_level_and_files_and_changes_nothing(press: Press) -> None:
    before = press.everything()
    looked = press.check()
    assert (looked.facts.product.id, looked.facts.product.service_level) == ("haulage-demo-press", "SP4")
    assert {each.path: each.decision for each in looked.files} == {
        "bin/press.exe": Decision.REPLACE,
        "bin/i386/distmgr.dll": Decision.REPLACE,
        "lib/new/streams.dll": Decision.ADD,
        "old/legacy.txt": Decision.REMOVE,
    }
    assert looked.refusals == ()
    assert press.everything() == before
    assert not (press.root / ".servicing").exists()


@pytest.mark.parametrize("last", ["--check", "up", "prepare"])
def test_q299435_a_check_that_fails_afterwards_brings_back_the_old_bytes(press: Press, last: str) -> None:
    before = press.everything()
    press.around.fails = {last}
    with pytest.raises(StepError) as failed:
        press.install()
    assert failed.value.code == "program-failed"
    left = press.everything()
    assert {path: left[path] for path in before} == before
    assert [path for path in left if path not in before] == []
    assert press.around.running() == set(RUNNING)
    assert load_record(press.places).entries == ()


def test_q299435_a_service_that_does_not_come_up_brings_back_the_old_bytes(press: Press) -> None:
    before = press.everything()
    press.around.fails = {"press-monitor"}
    with pytest.raises(StepError, match="press-monitor did not come up"):
        press.install()
    assert press.everything() == before


def test_q264630_a_shared_file_in_a_later_version_stays(press: Press) -> None:
    path = "lib/new/package.json"
    (press.root / "lib" / "new").mkdir(parents=True)
    (press.root / path).write_text('{"name": "shared", "version": "3.2.0"}')
    ours = b'{"name": "shared", "version": "3.1.0"}'
    shared = FixFile(path, FileAction.ADD, sha256(ours), len(ours), version="3.1.0", shared=True)
    fix = replace(PLAIN, files=(*PLAIN.files, shared))
    before = press.everything()
    with pytest.raises(ServicingError) as refused:
        press.install(with_file(fix, path, shared=False), Carried(*NEW.values(), ours))
    assert refused.value.code == "newer-file"
    assert press.everything() == before
    report = press.install(fix, Carried(*NEW.values(), ours))
    assert report.act is Act.INSTALLED
    assert any(each.path == path and each.decision is Decision.NEWER_KEPT for each in report.files)
    press.install(with_file(replace(fix, id="Q1"), path, shared=False), Carried(*NEW.values(), ours), "b" * 64, Options(force=True))
    assert press.everything()[path] == before[path], "not even by force"


def test_q246331_the_manifest_changes_with_the_files(press: Press) -> None:
    press.install(replace(FIX, becomes=Becomes(version="2.0.1494")))
    manifest = json.loads((press.root / "product.json").read_text())
    assert manifest["version"] == "2.0.1494"
    for path in ("bin/press.exe", "bin/i386/distmgr.dll", "lib/new/streams.dll"):
        assert manifest["files"][path]["sha256"] == sha256((press.root / path).read_bytes())


def test_q246331_a_file_replaced_by_hand_is_repaired(press: Press) -> None:
    press.install()
    (press.root / "bin" / "press.exe").write_bytes(OLD["bin/press.exe"])
    report = press.install()
    assert report.act is Act.REPAIRED
    assert (press.root / "bin" / "press.exe").read_bytes() == NEW["bin/press.exe"]
    press.uninstall()
    assert (press.root / "bin" / "press.exe").read_bytes() == OLD["bin/press.exe"], "what was there before the first time"


def test_q259781_a_right_that_was_taken_away_is_named_and_given_back(press: Press) -> None:
    press.install()
    (press.root / "bin" / "press.exe").chmod(0o644)
    looked = press.check()
    assert [each.reason for each in looked.files if each.path == "bin/press.exe"] == ["mode 0644 lacks rights of 0755"]
    press.install()
    assert os.stat(press.root / "bin" / "press.exe").st_mode & 0o777 == 0o755


def test_q259781_missing_rights_are_named_before_anything_is_done() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # others may look, and not write
        press = Press(Path(folder))
        user = os.geteuid()
        (press.root / "bin").chmod(0o555)
        if user == 0:
            os.seteuid(65534)
        try:
            found = press.check()
        finally:
            os.seteuid(user)
            (press.root / "bin").chmod(0o755)
    assert "no-rights" in codes(found)
    assert any(str(press.root) in each.message for each in found.refusals)


def test_a_second_servicing_is_refused_with_the_name_of_the_first(press: Press) -> None:
    press.places.make()
    before = press.everything()
    with Lock(press.places.lock, {"fix": "Q1", "actor": "anna", "pid": 4711, "since": "now"}):
        with pytest.raises(RefusedError, match="Q1 by anna, process 4711, since now") as refused:
            press.install()
        assert refused.value.code == "busy"
    assert press.everything() == before


def test_too_little_space_is_refused_with_figures(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_free_bytes", lambda _folder: 1000)
    with pytest.raises(RefusedError, match="1000 are free") as refused:
        press.install()
    assert refused.value.code == "no-space"
    assert "and 1048576 bytes for journal, record and log" in refused.value.message
    assert not (press.root / "lib").exists()


def test_the_room_asked_for_is_new_and_old_the_largest_again_and_the_margin(press: Press) -> None:
    old, new = (FileFacts(sha256="0" * 64, size=size, mode=0o644) for size in (300_000, 400_000))
    changes = [Change("bin/press.exe", old, new), Change("gone", replace(old, size=20_000), None)]
    needed = preflight.needed_bytes(press.places, changes, [], 7)
    assert needed == {
        press.places.root: 320_000 + 300_000 + 7 + (1 << 20),
        os.path.dirname(press.places.file("bin/press.exe")): 400_000,
    }


@pytest.mark.parametrize("where", ["bin", "bin/press.exe"])
def test_links_on_the_way_are_refused(press: Press, where: str) -> None:
    path = press.root / where
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")
    with pytest.raises(RefusedError) as refused:
        press.install()
    assert refused.value.code == "link-on-the-way"
    assert path.is_symlink()


def test_a_twin_in_another_letter_case_is_refused(press: Press) -> None:
    (press.root / "lib" / "new").mkdir(parents=True)
    (press.root / "lib" / "new" / "STREAMS.dll").write_bytes(b"")
    with pytest.raises(RefusedError) as refused:
        press.install()
    assert refused.value.code == "case-twin"


def test_b96_files_of_haulage_itself_are_for_its_own_fixes_only(press: Press) -> None:
    (press.root / "lib" / "new").mkdir(parents=True)
    (press.root / "lib" / "haulage.toml").write_text("")
    with pytest.raises(RefusedError, match="haulage-server") as refused:
        press.install()
    assert refused.value.code == "not-its-files"
    assert (press.root / "bin" / "press.exe").read_bytes() == OLD["bin/press.exe"]


def test_b96_nor_are_files_of_a_product_inside_the_product(press: Press) -> None:
    manifest = json.loads((press.root / "product.json").read_text())
    (press.root / "bin" / "i386" / "product.json").write_text(json.dumps({**manifest, "id": "something-else"}))
    with pytest.raises(RefusedError, match="something-else"):
        press.install()


def test_b94_q247230_older_is_not_put_over_newer_and_superseded_is_refused(press: Press) -> None:
    press.install(ROLLUP, ROLLUP_CONTENT, "b" * 64)
    before = press.everything()
    with pytest.raises(RefusedError, match="Q323206") as refused:
        press.install()
    assert refused.value.code == "superseded"
    assert press.everything() == before


@pytest.mark.parametrize(("level", "passes"), [("RTM", False), ("SP2", False), ("SP3", True), ("SP4", True), (None, False)])
def test_q311457_only_allowed_levels_pass_and_nothing_is_changed_on_others(press: Press, level: str | None, passes: bool) -> None:
    order = ("RTM", "SP1", "SP2", "SP3", "SP4")
    manifest = json.loads((press.root / "product.json").read_text())
    (press.root / "product.json").write_text(json.dumps({**manifest, "service_level": level}))
    before = press.everything()
    fix = replace(PLAIN, product=replace(PLAIN.product, service_levels=(), levels_order=order), requires=Requirements((), "SP3"))
    if passes:
        assert press.install(fix).act is Act.INSTALLED
        return
    with pytest.raises(ServicingError) as refused:
        press.install(fix)
    assert refused.value.code == "prerequisites-missing"
    assert press.everything() == before


def test_q311457_a_fix_that_must_come_first_is_named(press: Press) -> None:
    with pytest.raises(RefusedError, match="Q320743 must be installed first") as refused:
        press.install(replace(PLAIN, requires=Requirements(("Q320743",))), options=Options(force=True))
    assert refused.value.code == "prerequisites-missing", "not even by force"


def test_data_behind_a_link_is_refused(press: Press) -> None:
    (press.root / "data").rename(press.root / "elsewhere")
    (press.root / "data").symlink_to("elsewhere")
    assert codes(press.check()) == ["link-on-the-way"]


def test_b94_another_content_under_the_same_number_is_refused(press: Press) -> None:
    press.install(PLAIN)
    with pytest.raises(RefusedError) as refused:
        press.install(PLAIN, digest="c" * 64)
    assert refused.value.code == "other-content"


def test_a_file_in_use_is_named_and_nothing_is_changed(press: Press) -> None:
    before = press.everything()
    used = str(press.root / "bin" / "press.exe")
    press.machine = replace(press.machine, users_of=lambda _paths: {4711: used})
    with pytest.raises(ServicingError, match="in use by process 4711") as refused:
        press.install(PLAIN)
    assert refused.value.code == "files-in-use"
    with pytest.raises(ServicingError, match="in use by process 4711"):
        press.install()
    assert press.everything() == before
    assert press.around.running() == set(RUNNING)


def test_a_program_that_must_say_yes_first_refuses_the_fix(press: Press) -> None:
    press.around.fails = {"may-i"}
    asking = replace(FIX, programs=(Program(When.CHECK, ("{tools}/migrate", "may-i")), *FIX.programs))
    assert codes(press.check(asking)) == ["check-failed"]
    before = press.everything()
    with pytest.raises(RefusedError):
        press.install(asking)
    assert press.everything() == before
    assert press.around.running() == set(RUNNING)


def test_q216744_the_need_to_start_again_is_handed_on(press: Press) -> None:
    assert press.install(replace(PLAIN, reboot=Reboot.MUST)).reboot is Outcome.REBOOT
    assert press.uninstall().reboot is Outcome.REBOOT


def test_a_bundle_without_a_content_is_undone(press: Press) -> None:
    before = press.everything()
    with pytest.raises(StepError) as failed:
        press.install(PLAIN, Carried(NEW["bin/press.exe"]))
    assert failed.value.code == "content-missing"
    assert press.everything() == before


def test_data_that_programs_may_change_is_given_back_byte_by_byte(press: Press) -> None:
    press.around.fails = {"--check"}
    with pytest.raises(StepError):
        press.install()
    assert (press.root / "data" / "press.db").read_bytes() == OLD["data/press.db"]
    assert not (press.root / "data" / "press.db-wal").exists(), "it was not there before"


def test_content_that_the_fix_names_as_older_needs_no_version(press: Press) -> None:
    unknown = with_file(PLAIN, "bin/press.exe", before=(KnownState(sha256(b"another")),), version=None)
    assert codes(press.check(unknown)) == ["state-unknown", "state-unknown"]
    assert codes(press.check(unknown, options=Options(force=True))) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("step", ["stop-service", "unlink", "start-service"])
def test_a_signal_has_it_undone_and_a_second_one_waits(
    press: Press, request: pytest.FixtureRequest, number: int, step: str
) -> None:
    before, heard = press.everything(), list[str]()
    # Tests that run in the background have it ignored, and what is ignored stays so.
    outer = signal.signal(number, signal.SIG_DFL)
    request.addfinalizer(lambda: signal.signal(number, outer))
    handler = signal.getsignal(number)

    def ask_to_end(name: str) -> None:
        if name == step or (heard and name == "fsync-folder"):
            heard.append(name)
            os.kill(os.getpid(), number)

    with durable.watching_steps(ask_to_end), pytest.raises(StepError) as failed:
        press.install()
    assert failed.value.code == "interrupted"
    assert len(heard) >= 2
    assert press.everything() == before
    assert press.around.running() == set(RUNNING)
    assert signal.getsignal(number) is handler


def _schema_fix(fix: str, form: str, *after: str) -> FixDefinition:
    data = f"writes the form {form}".encode()
    file = FixFile(f"bin/{fix}.dll", FileAction.ADD, sha256(data), len(data))
    return replace(PLAIN, id=fix, files=(file,), schemas=(Schema("print-queue", form),), after=after)


@pytest.mark.parametrize("order", [("Q1", "Q2"), ("Q2", "Q1")])
def test_q192922_two_fixes_of_the_same_data_end_alike_in_both_orders(press: Press, order: tuple[str, str]) -> None:
    fixes = {"Q1": _schema_fix("Q1", "1"), "Q2": _schema_fix("Q2", "2", "Q1")}
    content = Carried(b"writes the form 1", b"writes the form 2")
    refused = []
    for name in (*order, *order):
        try:
            press.install(fixes[name], content, name[1] * 64)
        except ServicingError as refusal:
            refused.append((name, refusal.code))
            press.uninstall("Q2")
            press.install(fixes[name], content, name[1] * 64)
    assert refused == ([] if order == ("Q1", "Q2") else [("Q1", "conflict")])
    assert [entry.id for entry in load_record(press.places).entries] == ["Q1", "Q2"]
    assert {path.name for path in (press.root / "bin").glob("Q*.dll")} == {"Q1.dll", "Q2.dll"}


def test_q192922_two_that_nothing_orders_are_not_put_together(press: Press) -> None:
    content = Carried(b"writes the form 1", b"writes the form 2")
    press.install(_schema_fix("Q1", "1"), content)
    with pytest.raises(RefusedError, match="print-queue") as refused:
        press.install(_schema_fix("Q2", "2"), content, "b" * 64)
    assert refused.value.code == "conflict"


def test_q134716_one_root_that_is_held_up_holds_up_no_other() -> None:
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        roots = []
        for number in range(50):
            (Path(folder) / str(number)).mkdir()
            roots.append(Press(Path(folder) / str(number)))
        roots[7].places.make()
        with Lock(roots[7].places.lock, {"fix": "Q1", "actor": "anna", "pid": 1, "since": "now"}):
            done = []
            for press in roots:
                with contextlib.suppress(ServicingError):
                    done.append(press.install(PLAIN).act)
        assert done == [Act.INSTALLED] * 49
        assert load_record(roots[7].places).entries == ()
