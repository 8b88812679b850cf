"""Only members that differ are worth expanding."""

from __future__ import annotations

from haulage.engine.archives.differing import differing, differing_streams
from haulage.engine.archives.fingerprint import abilities, ability, feasible, needed
from haulage.engine.archives.look import find, look, look_at
from haulage.engine.archives.recipe import Codec
from haulage.engine.archives.view import BytesView
from tests.engine.archives.containers import contents, made_again, zipped

OLD = [(str(number), contents(number, 5000)) for number in range(8)]
NEW = [OLD[3], OLD[0], ("5", contents(55, 5000)), *OLD[1:3], ("new", contents(99, 4000)), ("copy", OLD[0][1])]


def test_members_of_both_sides_stay_compressed() -> None:
    old, new = zipped(OLD), zipped(NEW)
    old_recipe, new_recipe = look(BytesView(old), b"", prove=False), look(BytesView(new), b"")
    assert old_recipe is not None
    assert new_recipe is not None
    old_left, new_left = differing(BytesView(old), old_recipe, BytesView(new), new_recipe)
    assert [member.offset for member in old_left.members] == [old_recipe.members[number].offset for number in (4, 5, 6, 7)]
    assert [member.offset for member in new_left.members] == [new_recipe.members[number].offset for number in (2, 5)]
    assert made_again(new, new_left) == new


def test_streams_that_did_not_change_need_no_proof() -> None:
    old, new = BytesView(zipped(OLD)), BytesView(zipped(NEW))
    old_found, new_found = differing_streams(old, find(old, b""), new, find(new, b""))
    proven = look_at(new, new_found)
    assert proven is not None
    assert (len(old_found), len(proven.members)) == (4, 2)


def test_equal_containers_leave_nothing() -> None:
    view = BytesView(zipped(OLD))
    recipe = look(view, b"")
    assert recipe is not None
    assert [each.members for each in differing(view, recipe, view, recipe)] == [(), ()]


def test_a_recipe_is_only_for_machines_with_the_same_libraries() -> None:
    recipe = look(BytesView(zipped(OLD)), b"")
    assert recipe is not None
    assert needed(recipe) == {ability(Codec.DEFLATE)} <= abilities()
    assert feasible(recipe, abilities()) == recipe
    assert feasible(recipe, [ability(Codec.BZIP2), "deflate-0011223344556677"]).members == ()
