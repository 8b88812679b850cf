"""The rule for one file, for every state it may be in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.engine.servicing.definition import FileAction, FixFile, KnownState
from haulage.engine.servicing.detection import FileState, PresentFile, file_state
from haulage.engine.servicing.file_facts import FileFacts
from haulage.engine.servicing.file_version import Known, Unknown
from haulage.engine.servicing.level import Version
from haulage.engine.servicing.plan import Decision, decide, folders_above, missing_folders

OURS, THEIRS = "a" * 64, "b" * 64


def _file(action: FileAction = FileAction.REPLACE, *before: str, version: str | None = "2.0.5", mode: int = 0o644) -> FixFile:
    return FixFile("bin/x", action, OURS, 10, mode, version, tuple(KnownState(each) for each in before))


def _present(sha256: str = THEIRS, mode: int = 0o644) -> FileFacts:
    return FileFacts(sha256, 9, mode, 1, 1, (0, 0), ())


@pytest.mark.parametrize(
    ("file", "state", "present", "force", "decision"),
    [
        (_file(), FileState.CURRENT, _present(OURS), False, Decision.ALREADY_CURRENT),
        (_file(mode=0o755), FileState.CURRENT, _present(OURS), False, Decision.REPLACE),
        (_file(mode=0o600), FileState.CURRENT, _present(OURS), False, Decision.ALREADY_CURRENT),
        (_file(), FileState.OLDER, _present(), False, Decision.REPLACE),
        (_file(), FileState.LATER, _present(), True, Decision.NEWER_KEPT),
        (_file(), FileState.UNKNOWN, _present(), False, Decision.REFUSED),
        (_file(), FileState.UNKNOWN, _present(), True, Decision.REPLACE),
        (_file(FileAction.ADD), FileState.MISSING, None, False, Decision.ADD),
        (_file(), FileState.MISSING, None, False, Decision.ADD),
        (_file(FileAction.REPLACE, THEIRS), FileState.MISSING, None, True, Decision.REFUSED),
        (_file(FileAction.REMOVE), FileState.OLDER, _present(), False, Decision.REMOVE),
        (_file(FileAction.REMOVE), FileState.CURRENT, None, False, Decision.ALREADY_CURRENT),
        (_file(FileAction.REMOVE), FileState.UNKNOWN, _present(), False, Decision.REFUSED),
    ],
)
def test_each_state_has_its_decision(
    file: FixFile, state: FileState, present: FileFacts | None, force: bool, decision: Decision
) -> None:
    plan = decide(file, state, present, force=force)
    assert plan.decision is decision
    assert (plan.change is not None) == (decision in (Decision.REPLACE, Decision.ADD, Decision.REMOVE))
    assert plan.line.startswith(f"file bin/x: {decision.value} (")


@given(ours=st.lists(st.integers(0, 9), min_size=1, max_size=4), theirs=st.lists(st.integers(0, 9), min_size=1, max_size=4))
def test_q264630_nothing_older_is_put_over_something_newer_whoever_forces(ours: list[int], theirs: list[int]) -> None:
    mine, present = Version(".".join(map(str, ours))), Version(".".join(map(str, theirs)))
    file = _file(version=str(mine))
    state = file_state(file, PresentFile(THEIRS, Known(present, "test")))
    plan = decide(file, state, _present(), force=True)
    assert (plan.change is None) == (present > mine)


@given(force=st.booleans())
def test_q267258_an_unknown_version_is_never_taken_for_older(force: bool) -> None:
    state = file_state(_file(), PresentFile(THEIRS, Unknown("no version")))
    assert state is FileState.UNKNOWN
    assert (decide(_file(), state, _present(), force=force).change is None) is not force


def test_folders_are_made_from_the_outside_in() -> None:
    assert folders_above("a/b/c/x") == ["a/b/c", "a/b", "a"]
    assert missing_folders({"a/b/c": False, "z": False, "a/b": False, "a": True}) == ("z", "a/b", "a/b/c")
