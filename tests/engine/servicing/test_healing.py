"""Documents of servicing that are damaged stop it with words; what a death left is ended by a check as well, and logged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from haulage.engine.servicing import durable
from haulage.engine.servicing.definition import Outcome
from haulage.engine.servicing.errors import DocumentError, ServicingError
from haulage.engine.servicing.file_facts import FileFacts
from haulage.engine.servicing.journal import Change, Journal, KeptData, Phase, from_value, load_journal, plain, save_journal
from haulage.engine.servicing.record import Act, Entry, RecordedFile, load_record
from haulage.testing.crash_points.press import FIX, RUNNING
from tests.engine.servicing.around import Press


class Death(BaseException):
    """Nobody in the product survives it."""


@pytest.fixture
def press(tmp_path: Path) -> Press:
    return Press(tmp_path)


def _die(press: Press, step: str, occurrence: int = 1) -> None:
    left = [occurrence]

    def watch(name: str) -> None:
        left[0] -= name == step
        if left[0] == 0:
            raise Death

    with durable.watching_steps(watch), pytest.raises(Death):
        press.install()


def test_i12_a_check_ends_what_was_begun_and_says_so(press: Press) -> None:
    before = press.everything()
    _die(press, "program", 2)
    assert (press.root / ".servicing" / "journal.json").exists()
    assert press.around.running() == set()
    looked = press.check()
    assert looked.healed is not None
    assert (looked.healed.fix, looked.healed.forward) == (FIX.id, False)
    assert press.everything() == before
    assert press.around.running() == set(RUNNING)
    assert "an earlier start was cut off (installed, switching)" in (press.root / "Logs" / "Q316316.log").read_text()


def test_i12_an_install_heals_and_goes_on(press: Press) -> None:
    _die(press, "unlink")
    report = press.install()
    assert report.healed is not None
    assert report.act is Act.INSTALLED


def test_i12_what_cannot_be_undone_now_is_tried_again(press: Press) -> None:
    before = press.everything()
    _die(press, "program", 2)
    press.around.sound = lambda: False  # services die of it: a disk that is not mounted, say
    with pytest.raises(BaseException, match="half a product"):
        press.check()
    press.around.sound = lambda: True
    press.check()
    assert press.everything() == before


@pytest.mark.parametrize("name", ["journal.json", "record.json"])
@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"format":2}', b"\x00" * 100])
def test_i14_a_damaged_document_stops_everything_with_its_path(press: Press, name: str, text: bytes) -> None:
    press.install()
    (press.root / ".servicing" / name).write_bytes(text)
    before = press.everything()
    for act in (press.install, press.check, press.uninstall):
        with pytest.raises(ServicingError, match=name) as refused:
            act()
        assert refused.value.code == f"{name.split('.')[0]}-damaged"
    assert press.everything() == before


def test_i14_a_definition_that_is_gone_is_named(press: Press) -> None:
    _die(press, "program", 2)
    (press.root / ".servicing" / "fixes" / "000001" / "definition.json").unlink()
    with pytest.raises(ServicingError, match=r"definition\.json") as refused:
        press.check()
    assert refused.value.code == "unfinished"


def _journal() -> Journal:
    facts = FileFacts("a" * 64, 10, 0o644, 1_700_000_000_123_456_789, -5, (0, 7), (("user.x", "eA=="),))
    bare = FileFacts("b" * 64, 0, 0o600)
    entry = Entry("Q1", "t", 3, 2, "2026-11-22T10:00:00Z", "x", "c" * 64, True, True, ("Q2",), ("Q3",), "Q4", ("lib",), (
        RecordedFile("bin/x", facts, None, 3, 0), RecordedFile("bin/y", None, bare, 2, 4, changed=False),
    ))  # fmt: skip
    return Journal(
        sequence=3,
        act=Act.REPAIRED,
        fix="Q1",
        actor="x",
        time="2026-11-22T10:00:00Z",
        roots={"home": "/srv"},
        changes=(Change("bin/x", facts, bare), Change("n", None, bare)),
        folders=("lib", "lib/new"),
        running=(0, 2),
        kill=True,
        begun=1,
        reboot=Outcome.REBOOT,
        data=(KeptData("home:site.db", None),),
        entry=entry,
        phase=Phase.RESTORING,
    )


def test_a_journal_is_read_as_it_was_written(press: Press) -> None:
    press.places.make()
    save_journal(press.places, _journal())
    assert load_journal(press.places) == _journal()


@pytest.mark.parametrize("key", sorted(plain(_journal())))
def test_a_journal_without_a_field_or_with_one_more_is_refused(key: str) -> None:
    value = json.loads(json.dumps(plain(_journal())))
    value[key + "x"] = 1
    with pytest.raises(DocumentError):
        from_value(value)
    del value[key + "x"], value[key]
    with pytest.raises(DocumentError, match=key):
        from_value(value)


def test_the_record_of_nothing_is_empty(press: Press) -> None:
    assert load_record(press.places).entries == ()
