"""Bundles from trees, from definitions, from bundles."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import stat
from pathlib import Path

import pytest

from haulage.base.errors import ConflictError, FormatError, HaulageError, IntegrityError, NotAllowedError, UsageError
from haulage.engine.bundles import building, definition_file, reading, rollup
from haulage.engine.servicing.definition import FileAction
from haulage.engine.trust.keys import SigningKey
from tests.engine.bundles.making import AFTER, BEFORE, KEY, TRUSTED, make_bundle, write_tree

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def test_two_trees_become_files_with_what_was_before(tmp_path: Path) -> None:
    facts = reading.read_bundle(make_bundle(tmp_path).path)
    found = {each.path: each for each in facts.definition.files}
    assert {path: each.action for path, each in found.items()} == {
        "bin/press.py": FileAction.REPLACE,
        "gone": FileAction.REMOVE,
        "added/deep/file": FileAction.ADD,
    }
    assert found["bin/press.py"].before[0].sha256 == hashlib.sha256(BEFORE["bin/press.py"].encode()).hexdigest()
    assert (facts.definition.product.id, facts.definition.product.versions) == ("press", "=1.0")
    assert facts.definition.becomes.version == "1.1"
    assert facts.signed_by == (KEY.public.raw,)
    assert facts.own_program


def test_equal_input_makes_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one, other = make_bundle(tmp_path / "a"), make_bundle(tmp_path / "b")
    assert Path(one.path).read_bytes() == Path(other.path).read_bytes()
    assert stat.S_IMODE(Path(one.path).stat().st_mode) & 0o111


def test_several_trees_before_are_all_known(tmp_path: Path) -> None:
    old = write_tree(tmp_path / "old", {"bin/press.py": "oldest"}, None)
    middle = write_tree(tmp_path / "middle", BEFORE, None)
    new = write_tree(tmp_path / "new", AFTER, None)
    made = building.prepare({"id": "QA", "title": "t", "product": {"id": "press"}}, [old, middle], new).definition
    assert len({each.path: each for each in made.files}["bin/press.py"].before) == 2


def test_a_folder_with_a_definition_file(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "folder", {"bin/x": "x", "setup.sh": "exit 0"}, None)
    text = tmp_path / "QA.toml"
    text.write_text(
        'id = "QA"\ntitle = "t"\nreboot = "may"\n[product]\nid = "press"\n'
        '[[files]]\npath = "setup.sh"\naction = "tool"\n[[files]]\npath = "old"\naction = "remove"\n'
        '[[programs]]\nwhen = "after"\ncommand = ["{tools}/setup.sh"]\n[[services]]\nkind = "systemd"\nname = "press"\n'
    )
    made = building.prepare(definition_file.read_file(str(text)), [], folder).definition
    assert {each.path: each.action.value for each in made.files} == {"bin/x": "add", "setup.sh": "tool", "old": "remove"}
    assert made.services[0].stop_seconds == 60
    with pytest.raises(FormatError, match="unknown field 'colour'"):
        building.prepare({**definition_file.read_file(str(text)), "colour": "red"}, [], folder)


def test_what_a_fix_cannot_carry_is_refused(tmp_path: Path) -> None:
    before, after = write_tree(tmp_path / "a", BEFORE), write_tree(tmp_path / "b", BEFORE)
    with pytest.raises(UsageError) as nothing:
        building.prepare({"id": "QA", "title": "t"}, [before], after)
    assert nothing.value.code == "nothing-changed"
    (tmp_path / "b" / "link").symlink_to("same")
    with pytest.raises(FormatError) as link:
        building.prepare({"id": "QA", "title": "t"}, [before], after)
    assert link.value.code == "not-a-file"


def test_a_source_that_changes_while_it_is_built_is_refused(tmp_path: Path) -> None:
    before, after = write_tree(tmp_path / "a", BEFORE), write_tree(tmp_path / "b", AFTER)
    prepared = building.prepare({"id": "QA", "title": "t"}, [before], after)
    (tmp_path / "b" / "bin" / "press.py").write_text("something else")
    with pytest.raises(IntegrityError):
        building.build(prepared, str(tmp_path / "QA.pyz"), [KEY])
    assert list(tmp_path.glob("*.pyz*")) == []


def test_q287990_truncated_at_any_offset_is_refused(tmp_path: Path) -> None:
    data = Path(make_bundle(tmp_path).path).read_bytes()
    damaged = tmp_path / "damaged.pyz"
    for cut in range(1, 3000, 151):
        for torn in (data[:-cut], data[:-cut] + b"\xff" * cut, data + bytes(cut)):
            damaged.write_bytes(torn)
            with pytest.raises(HaulageError):
                reading.read_bundle(str(damaged))


def test_b90_unsigned_wrong_role_expired(tmp_path: Path) -> None:
    facts = reading.read_bundle(make_bundle(tmp_path).path)
    reading.authorised(facts, [TRUSTED], NOW)
    stranger = type(TRUSTED)(SigningKey.from_seed(b"s" * 32).public.raw)
    cases = [
        ([], "not-trusted"),
        ([stranger], "not-trusted"),
        ([type(TRUSTED)(TRUSTED.raw, roles=("site",))], "wrong-role"),
        ([type(TRUSTED)(TRUSTED.raw, expires=NOW)], "expired"),
    ]
    for keys, code in cases:
        with pytest.raises(NotAllowedError) as refused:
            reading.authorised(facts, keys, NOW)
        assert refused.value.code == code
    with pytest.raises(NotAllowedError) as role:
        reading.authorised(facts, [TRUSTED], NOW, [("bin", "agent-update")])
    assert role.value.code == "wrong-role"


def test_b90_a_bundle_that_is_no_longer_good(tmp_path: Path) -> None:
    before, after = write_tree(tmp_path / "a", BEFORE), write_tree(tmp_path / "b", AFTER)
    prepared = building.prepare({"id": "QA", "title": "t"}, [before], after)
    facts = reading.read_bundle(building.build(prepared, str(tmp_path / "QA.pyz"), [KEY], expires=NOW).path)
    reading.authorised(facts, [TRUSTED], NOW - dt.timedelta(seconds=1))
    with pytest.raises(NotAllowedError):
        reading.authorised(facts, [TRUSTED], NOW)


def test_a_rollup_holds_the_last_state_of_each_file(tmp_path: Path) -> None:
    one = make_bundle(tmp_path)
    last = {**AFTER, "bin/press.py": "print('better')\n"}
    two = make_bundle(tmp_path, {"id": "Q319207", "after": ["Q316316"]}, AFTER, last)
    three = make_bundle(tmp_path, {"id": "Q281754"}, {"other": "1"}, {"other": "2"})
    said = {"id": "Q323206", "title": "Rollup", "product": {"id": "press"}}
    with rollup.rolled_up(said, [one.path, two.path, three.path], str(tmp_path)) as prepared:
        built = building.build(prepared, str(tmp_path / "Q323206.pyz"), [KEY])
    made = reading.read_bundle(built.path).definition
    assert made.contains == ("Q281754", "Q316316", "Q319207")
    files = {each.path: each for each in made.files}
    assert set(files) == {"added/deep/file", "bin/press.py", "gone", "other"}
    known = {each.sha256 for each in files["bin/press.py"].before}
    assert known == {hashlib.sha256(tree["bin/press.py"].encode()).hexdigest() for tree in (BEFORE, AFTER)}


def test_q192922_a_rollup_of_fixes_that_clash_is_refused(tmp_path: Path) -> None:
    one = make_bundle(tmp_path)
    two = make_bundle(tmp_path, {"id": "QB"}, BEFORE, {**BEFORE, "bin/press.py": "otherwise"})
    with pytest.raises(ConflictError) as refused, rollup.rolled_up({"id": "QC", "title": "t"}, [one.path, two.path], str(tmp_path)):
        pass
    assert refused.value.code == "conflict"


def test_prepended_and_appended_bytes_are_no_bundle(tmp_path: Path) -> None:
    """What a zip reader that searches from the end would take, this one refuses."""
    made = Path(make_bundle(tmp_path).path)
    copy = tmp_path / "copy.pyz"
    shutil.copy(made, copy)
    copy.write_bytes(b"#!/bin/sh\n" + made.read_bytes())
    with pytest.raises(IntegrityError):
        reading.read_bundle(str(copy))
