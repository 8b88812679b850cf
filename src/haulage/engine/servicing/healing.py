"""Ending what was begun: back, or forward once it was committed; at once after a failure, or at the next start after a kill or a
power cut. Every act may be repeated, so a death in here is healed by the next start, too."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from haulage.engine.servicing import backup, document, durable, switch
from haulage.engine.servicing.acts import ProgramAct, program_acts
from haulage.engine.servicing.definition import FixDefinition, Outcome, When
from haulage.engine.servicing.errors import ServicingError
from haulage.engine.servicing.journal import Change, Journal, Phase, load_journal, save_journal
from haulage.engine.servicing.log import Log
from haulage.engine.servicing.machine import Machine, RunsPrograms
from haulage.engine.servicing.places import Places
from haulage.engine.servicing.programs import filled
from haulage.engine.servicing.record import Act, Event, Record, load_record, save_record
from haulage.engine.servicing.services import Services


@dataclass(frozen=True)
class Healed:
    """What a start found and ended."""

    fix: str
    act: Act
    forward: bool
    reboot: Outcome


def services_of(definition: FixDefinition, places: Places, machine: Machine, log: Log) -> Services:
    """The services of a fix on this machine."""
    controllers = [machine.controllers(each, places) for each in definition.services]
    return Services(definition.services, controllers, machine.clock, log.say)


def heal(places: Places, machine: Machine, log: Log) -> Healed | None:
    """End what an earlier start began and did not end; then remove what nobody needs. Whoever calls holds the lock. Raises
    ServicingError ``unfinished`` if it cannot be ended now; the next start tries again."""
    journal = load_journal(places)
    if journal is None:
        tidy(places, load_record(places))
        return None
    places = Places(places.root, journal.roots)
    opened = not log.path
    if opened:
        log.open(places.log(journal.fix))
    try:
        return _ended(places, journal, machine, log)
    finally:
        if opened:
            log.close()


def _ended(places: Places, journal: Journal, machine: Machine, log: Log) -> Healed:
    log.say(f"{journal.fix}: an earlier start was cut off ({journal.act.value}, {journal.phase.value}); it is ended now")
    forward = journal.phase is Phase.COMMITTED
    try:
        ending = Ending(places, journal, _definition(places, journal), machine, log)
        ending.finish() if forward else ending.undo()
    except (ServicingError, OSError) as cause:
        raise unfinished(journal, cause) from cause
    log.say(f"{journal.fix}: {'finished' if forward else 'undone; all is as before'}")
    return Healed(journal.fix, journal.act, forward, journal.reboot)


def unfinished(journal: Journal, cause: Exception) -> ServicingError:
    """It could be neither finished nor undone now."""
    what = f"What was begun with {journal.fix} could not be ended: {cause}"
    return ServicingError("unfinished", what, "Put right what it names, then run any command of the bundle again.")


def _definition(places: Places, journal: Journal) -> FixDefinition:
    with open(places.definition(journal.sequence), "rb") as file:
        return document.from_bytes(file.read(document.MOST_BYTES + 1))


class Ending:
    """The two ways in which one servicing ends."""

    def __init__(self, places: Places, journal: Journal, definition: FixDefinition, machine: Machine, log: Log) -> None:
        self._places = places
        self._journal = journal
        self._definition = definition
        self._machine = machine
        self._log = log
        self._services = services_of(definition, places, machine, log)

    def undo(self) -> None:
        """All as before. Raises ServicingError or OSError if that cannot be; it may be repeated."""
        places, journal = self._places, self._journal
        self._runner().end_left(folder=places.root)
        touched = journal.phase is not Phase.BEGUN and (journal.phase is not Phase.KEPT or journal.begun > 0)
        if touched:
            self._services.stop(kill=journal.kill)
        begun = program_acts(self._definition, journal.act)[: journal.begun]
        if journal.phase is Phase.SWITCHING:
            self._undo_programs([each for each in begun if each.moment is not When.BEFORE])
            journal = self._journal = replace(journal, phase=Phase.RESTORING)
            save_journal(places, journal)
        if journal.phase is not Phase.BEGUN:
            switch.clear_staged(places, journal)
        if journal.phase is Phase.RESTORING:
            switch.switch_back(places, journal, self._say_restored)
        if journal.phase is not Phase.BEGUN:
            switch.clear_folders(places, journal.folders)
        if touched:
            self._undo_programs([each for each in begun if each.moment is When.BEFORE])
            self._restore_data()
        self._services.start_again(journal.running)
        durable.remove_durable(places.journal)
        tidy(places, load_record(places))

    def finish(self) -> None:
        """All as after. Raises ServicingError or OSError if that cannot be; it may be repeated."""
        places, journal = self._places, self._journal
        durable.sync_folder(places.state)  # the commit may have failed to be told durable
        record = load_record(places)
        if journal.entry is not None:
            if record.find(journal.fix) != journal.entry:
                record = record.with_entry(journal.entry, journal.act)
                save_record(places, record)
        else:
            gone = record.find(journal.fix)
            if gone is not None:
                switch.clear_folders(places, gone.folders)
                event = Event(journal.sequence, journal.time, journal.actor, journal.act, journal.fix)
                record = record.without(journal.fix, event)
                save_record(places, record)
        self._services.start_again(journal.running)
        self._drop_what_was_for_undoing()
        durable.remove_durable(places.journal)
        tidy(places, record)

    def _runner(self) -> RunsPrograms:
        return self._machine.programs(self._machine.clock, self._log)

    def _undo_programs(self, begun: Sequence[ProgramAct]) -> None:
        """What takes back programs that were begun, last first. One that fails does not keep the rest from being undone: what
        programs may change is given back by its bytes after them."""
        runner = self._runner()
        for each in reversed(begun):
            if each.undo is None:
                continue
            durable.step("undo-program")
            try:
                command = filled(each.undo, self._places, self._places.tools(self._journal.sequence))
                code = runner.run(command, folder=self._places.root, timeout_seconds=each.program.timeout_seconds)
                if each.program.outcome(code) is Outcome.FAILED:
                    self._log.say(f"program {' '.join(command)}: taking back failed with {code}")
            except ServicingError as cause:
                self._log.say(f"program {' '.join(each.undo)}: taking back failed: {cause}")

    def _restore_data(self) -> None:
        folders = set()
        for index, data in enumerate(self._journal.data):
            path = self._places.rooted(data.path)
            kept = self._places.kept_data(self._journal.sequence, index)
            staged = os.path.join(os.path.dirname(path), f".servicing-{self._journal.sequence:06}-data-{index}")
            if backup.give_back(path, staged, kept, data.before):
                self._log.say(f"data {data.path}: restored")
            if os.path.lexists(staged):
                durable.unlink(staged)
            if os.path.isdir(os.path.dirname(path)):
                folders.add(os.path.dirname(path))
        for folder in sorted(folders):
            durable.sync_folder(folder)

    def _say_restored(self, change: Change) -> None:
        self._log.say(f"file {change.path}: restored")

    def _drop_what_was_for_undoing(self) -> None:
        entry, sequence = self._journal.entry, self._journal.sequence
        needed = set()
        if entry is not None and entry.uninstallable:
            needed = {
                os.path.basename(self._places.kept_file(sequence, each.index))
                for each in entry.files
                if each.sequence == sequence and each.changed
            }
        folder = self._places.fix(sequence)
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            if name.startswith("data-") or (name.startswith("file-") and name not in needed):
                durable.unlink(os.path.join(folder, name))
        durable.sync_folder(folder)


def is_untidy(places: Places) -> bool:
    """Whether an earlier start left something: a journal, or what was made before there was one."""
    return os.path.lexists(places.journal) or bool(_leftovers(places, load_record(places)))


def tidy(places: Places, record: Record) -> None:
    """Remove what was kept for fixes that are not installed, and half-written documents. May be repeated."""
    for path in _leftovers(places, record):
        if os.path.isdir(path):
            durable.remove_tree(path)
        else:
            durable.unlink(path)


def _leftovers(places: Places, record: Record) -> list[str]:
    if not os.path.isdir(places.state):
        return []
    needed = {os.path.basename(places.fix(each)) for each in record.sequences()}
    names = sorted(os.listdir(places.fixes)) if os.path.isdir(places.fixes) else []
    halves = [path + durable.NEW for path in (places.journal, places.record) if os.path.lexists(path + durable.NEW)]
    return [*(os.path.join(places.fixes, name) for name in names if name not in needed), *halves]
