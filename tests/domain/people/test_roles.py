"""Roles: each may do what the one before it may, and whoever may not is told what is missing."""

from __future__ import annotations

import itertools

import pytest

from haulage.base.errors import NotAllowedError, UsageError
from haulage.domain.people.roles import Role, require_role, role_of


def test_each_role_may_more_than_the_one_before() -> None:
    assert sorted([Role.ADMINISTRATOR, Role.READER, Role.OPERATOR]) == [Role.READER, Role.OPERATOR, Role.ADMINISTRATOR]
    assert len({role.words for role in Role}) == len(Role)
    with pytest.raises(TypeError):
        _ = Role.READER < "reader"


@pytest.mark.parametrize(("role", "needed"), list(itertools.product(Role, Role)))
def test_whoever_lacks_a_role_hears_which_and_who_gives_it(role: Role, needed: Role) -> None:
    if role >= needed:
        require_role(role, needed, "ada")
        return
    with pytest.raises(NotAllowedError) as refused:
        require_role(role, needed, "ada")
    assert refused.value.code == "role-too-low"
    assert needed.value in refused.value.message
    assert role.value in refused.value.message
    assert f"--role {needed.value}" in refused.value.hint


def test_a_role_is_one_of_three_words() -> None:
    assert [role_of(role.value) for role in Role] == list(Role)
    for wrong in ("", "Reader", "admin", "root\0", "x" * 10_000):
        with pytest.raises(UsageError, match="is no role"):
            role_of(wrong)
