"""The steps between the first journal and the commit: stop, keep, put beside, switch, check, start, check. Any failure on the way
is undone at once; a death is undone by the next start (``healing.py``)."""

from __future__ import annotations

import os
from dataclasses import replace

from haulage.engine.servicing import backup, durable, file_version, switch
from haulage.engine.servicing.acts import ProgramAct, program_acts, tools_of
from haulage.engine.servicing.definition import FixDefinition, Outcome, Reboot, When
from haulage.engine.servicing.errors import ServicingError, StepError
from haulage.engine.servicing.file_facts import read_facts
from haulage.engine.servicing.file_version import Known
from haulage.engine.servicing.healing import Ending, services_of, unfinished
from haulage.engine.servicing.interrupts import Interrupts
from haulage.engine.servicing.journal import Change, Journal, Phase, load_journal, save_journal
from haulage.engine.servicing.level import parsed_or_none
from haulage.engine.servicing.log import Log
from haulage.engine.servicing.machine import Machine
from haulage.engine.servicing.places import Places
from haulage.engine.servicing.programs import filled
from haulage.engine.servicing.record import Act, Entry
from haulage.engine.servicing.switch import Contents

_WORDS = {(True, True): "replaced", (False, True): "added", (True, False): "removed"}


def service(
    places: Places,
    definition: FixDefinition,
    journal: Journal,
    source: Contents,
    machine: Machine,
    log: Log,
    *,
    force: bool = False,
) -> Outcome:
    """Do what the journal says. Returns whether the machine must be started again. Raises StepError when it failed and was undone,
    ServicingError ``unfinished`` when it could not be undone now."""
    with Interrupts() as interrupts:
        return _service(_Run(places, definition, journal, source, machine, log, force), interrupts)


def _service(run: _Run, interrupts: Interrupts) -> Outcome:
    log, journal = run.log, run.journal
    try:
        run.to_commit()
        interrupts.hold()
    except (ServicingError, OSError, KeyboardInterrupt) as cause:
        interrupts.hold()
        failure = _failure(cause)
        log.say(f"failed: {failure}")
        try:
            run.read_journal()
            if run.journal.phase is not Phase.COMMITTED:
                run.ending().undo()
        except (ServicingError, OSError) as second:
            raise unfinished(journal, second) from cause
        if run.journal.phase is not Phase.COMMITTED:
            log.say("undone; all is as before")
            raise failure from cause
    try:
        run.ending().finish()
    except (ServicingError, OSError) as cause:
        raise unfinished(journal, cause) from cause
    return run.journal.reboot


def _failure(cause: BaseException) -> ServicingError:
    if isinstance(cause, ServicingError):
        return cause
    if isinstance(cause, OSError):
        where = f"{cause.filename}: " if cause.filename else ""
        return StepError("disk-failed", f"{where}{cause.strerror}.", "Put that right and run it again.")
    return StepError("interrupted", "It was interrupted.", "Run it again.")


class _Run:
    """One way from the first journal to the commit. ``journal`` is always what is on the disk."""

    def __init__(
        self, places: Places, definition: FixDefinition, journal: Journal, source: Contents, machine: Machine, log: Log, force: bool
    ) -> None:
        self.journal = journal
        self._places = places
        self._definition = definition
        self._source = source
        self._machine = machine
        self.log = log
        self._force = force
        self._acts = program_acts(definition, journal.act)
        self._services = services_of(definition, places, machine, log)

    def read_journal(self) -> None:
        """What is on the disk decides, not what was about to be written when it failed."""
        self.journal = load_journal(self._places) or self.journal

    def ending(self) -> Ending:
        """From where it stands now."""
        return Ending(self._places, self.journal, self._definition, self._machine, self.log)

    def to_commit(self) -> None:
        """Each step durable before the next relies on it."""
        save_journal(self._places, self.journal)
        self._services.stop(kill=self.journal.kill)
        self._check_unused()
        self._keep()
        self._run_programs(When.BEFORE)
        switch.stage(self._places, self.journal, self._source)
        self._write(phase=Phase.SWITCHING)
        switch.switch(self._places, self.journal, self._say_switched)
        switch.verify(self._places, self.journal.changes)
        self._check_versions()
        self._run_programs(When.AFTER)
        self._services.start(self.journal.running)
        self._run_programs(When.VERIFY)
        self._sync_data()
        self._write(phase=Phase.COMMITTED, entry=self._entry(), reboot=self._reboot())

    def _write(self, **changes: object) -> None:
        journal: Journal = replace(self.journal, **changes)  # type: ignore[arg-type]
        save_journal(self._places, journal)
        self.journal = journal

    def _check_unused(self) -> None:
        users = self._machine.users_of({self._places.file(each.path) for each in self.journal.changes})
        for pid, path in sorted(users.items()):
            self.log.say(f"file {os.path.relpath(path, self._places.root)}: in use by process {pid}")
        if users and not self._force:
            pid, path = min(users.items())
            raise StepError("files-in-use", f"{path} is in use by process {pid}.", "Quit it (consoles first), then run this again.")

    def _keep(self) -> None:
        places, journal = self._places, self.journal
        backup.keep_files(places, journal.sequence, journal.changes)
        data = backup.keep_data(places, journal.sequence, self._definition.keep)
        tools = tools_of(self._definition)
        if tools:
            switch.place_tools(tools, places.tools(journal.sequence), self._source)
        durable.sync_folder(places.fix(journal.sequence))
        self._write(phase=Phase.KEPT, data=data)

    def _sync_data(self) -> None:
        """What programs wrote is to be as durable as the commit that says so."""
        for path in map(self._places.rooted, self._definition.keep):
            if os.path.isfile(path):
                durable.sync_path(path)
            if os.path.isdir(os.path.dirname(path)):
                durable.sync_folder(os.path.dirname(path))

    def _run_programs(self, moment: When) -> None:
        for index, each in enumerate(self._acts):
            if each.moment is moment:
                self._write(begun=index + 1)
                self._run_program(each)

    def _run_program(self, each: ProgramAct) -> None:
        durable.step("program")
        runner = self._machine.programs(self._machine.clock, self.log)
        command = filled(each.command, self._places, self._places.tools(self.journal.sequence))
        code = runner.run(command, folder=self._places.root, timeout_seconds=each.program.timeout_seconds)
        outcome = each.program.outcome(code)
        if outcome is Outcome.FAILED:
            raise StepError("program-failed", f"{' '.join(command)} ended with {code}.", "What it said is in the log.")
        self.journal = replace(self.journal, reboot=_later(self.journal.reboot, outcome))

    def _say_switched(self, change: Change) -> None:
        word = _WORDS[change.before is not None, change.after is not None]
        old = "" if change.before is None else f", was {change.before.sha256}"
        new = "" if change.after is None else f" (sha256 {change.after.sha256}{old})"
        self.log.say(f"file {change.path}: {word}{new}")

    def _check_versions(self) -> None:
        """A file that carries a version must carry the one the fix says."""
        if self.journal.act is Act.UNINSTALLED:
            return
        changed = {each.path for each in self.journal.changes}
        for each in self._definition.files:
            wanted = parsed_or_none(each.version)
            if each.path not in changed or wanted is None or not each.placed:
                continue
            found = file_version.of_path(self._places.file(each.path), relative=each.path)
            if isinstance(found, Known) and found.version != wanted:
                raise StepError(
                    "wrong-version",
                    f"{each.path} is of version {found.version}, not {wanted} as the fix says.",
                    "Get the bundle again.",
                )

    def _entry(self) -> Entry | None:
        """With the facts the files came to have."""
        entry = self.journal.entry
        if entry is None:
            return None
        files = tuple(
            each if each.after is None else replace(each, after=read_facts(self._places.file(each.path)) or each.after)
            for each in entry.files
        )
        return replace(entry, files=files)

    def _reboot(self) -> Outcome:
        must = self._definition.reboot is Reboot.MUST
        return _later(self.journal.reboot, Outcome.REBOOT if must else Outcome.OK)


def _later(one: Outcome, other: Outcome) -> Outcome:
    order: list[Outcome] = [Outcome.OK, Outcome.REBOOT, Outcome.REBOOT_BEGUN]
    return max(one, other, key=order.index)
