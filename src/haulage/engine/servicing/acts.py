"""The programs of one servicing in their order, each with what takes it back; uninstalling runs that, backwards. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from haulage.engine.servicing.definition import FileAction, FixDefinition, Program, When
from haulage.engine.servicing.file_facts import FileFacts
from haulage.engine.servicing.record import Act


@dataclass(frozen=True)
class ProgramAct:
    """``moment`` is BEFORE, AFTER or VERIFY, as seen by this servicing."""

    moment: When
    command: tuple[str, ...]
    undo: tuple[str, ...] | None
    program: Program


def program_acts(definition: FixDefinition, act: Act) -> tuple[ProgramAct, ...]:
    """All programs that change something, in the order in which they run."""
    forward = [each for moment in (When.BEFORE, When.AFTER, When.VERIFY) for each in definition.programs_at(moment)]
    if act is not Act.UNINSTALLED:
        return tuple(ProgramAct(each.when, each.command, each.undo, each) for each in forward)
    # What ran on the fix's files is taken back while they are still there.
    mirrored = {When.VERIFY: When.BEFORE, When.AFTER: When.BEFORE, When.BEFORE: When.AFTER}
    return tuple(
        ProgramAct(mirrored[each.when], each.undo, each.command, each) for each in reversed(forward) if each.undo is not None
    )


def tools_of(definition: FixDefinition) -> list[tuple[str, FileFacts]]:
    """What travels for the fix's programs, as it is to be placed."""
    tools = [each for each in definition.files if each.action is FileAction.TOOL]
    return [(each.path, FileFacts(each.sha256, each.size, each.mode | 0o400)) for each in tools]
