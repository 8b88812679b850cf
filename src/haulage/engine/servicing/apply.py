"""A fix on this machine from beginning to end: look, refuse or do, say what was done. ``check`` is the first half of ``install``:
a dry run cannot say anything else than what would be done (Q310505)."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace

from haulage.engine.servicing import detection, document, durable, guard, inspection, plan, preflight, product, switch
from haulage.engine.servicing.acts import tools_of
from haulage.engine.servicing.clock import iso
from haulage.engine.servicing.definition import FileAction, FixDefinition, FixFile, Outcome, When
from haulage.engine.servicing.detection import Detected, Facts, FileState, FixState
from haulage.engine.servicing.errors import RefusedError, ServicingError
from haulage.engine.servicing.file_facts import digest, read_facts, with_content_of
from haulage.engine.servicing.healing import Healed, services_of
from haulage.engine.servicing.journal import Change, Journal
from haulage.engine.servicing.log import Log
from haulage.engine.servicing.machine import Machine
from haulage.engine.servicing.path_rules import PRODUCT_FILE
from haulage.engine.servicing.places import Places
from haulage.engine.servicing.plan import Decision, FilePlan
from haulage.engine.servicing.preflight import Findings
from haulage.engine.servicing.product import ListedFile
from haulage.engine.servicing.programs import filled
from haulage.engine.servicing.record import Act, load_record
from haulage.engine.servicing.servicing import service
from haulage.engine.servicing.session import held, looked_at
from haulage.engine.servicing.switch import Contents, Given, Joined


@dataclass(frozen=True)
class Options:
    """``force``: superseded, unknown or used files are no reason to refuse (prerequisites, rights and newer files are). ``kill``:
    services that do not stop are ended by force. ``log``: another file than ``Logs/<id>.log``."""

    force: bool = False
    kill: bool = False
    log: str = ""


@dataclass(frozen=True)
class Looked:
    """What was found, and what would be done: all that a person asks before saying yes."""

    facts: Facts
    detected: Detected
    files: tuple[FilePlan, ...]
    changes: tuple[Change, ...]
    folders: tuple[str, ...]
    running: tuple[int, ...]
    refusals: tuple[ServicingError, ...]
    given: bytes | None = None
    """The product's own manifest as it will be, if that changes."""
    recorded: bool = False
    """Whether the record names it already."""
    healed: Healed | None = None

    @property
    def nothing_to_do(self) -> bool:
        """Whether it is installed and every file current (or later)."""
        return not self.changes and (self.recorded or self.detected.state is FixState.INSTALLED)


@dataclass(frozen=True)
class Report:
    """How it ended. ``act`` None: there was nothing to do."""

    fix: str
    act: Act | None
    reboot: Outcome = Outcome.OK
    files: tuple[FilePlan, ...] = ()
    healed: Healed | None = None
    log: str = ""


def check(
    places: Places, definition: FixDefinition, bundle: str, source: Contents, machine: Machine, log: Log, options: Options
) -> Looked:
    """What would be done, and what stands against it; nothing is changed, except that what an earlier start left is ended first.
    Raises ServicingError if even looking fails (no product)."""
    with looked_at(places, machine, log, definition.id) as healed:
        return replace(_look(places, definition, bundle, source, machine, log, options), healed=healed)


def install(
    places: Places, definition: FixDefinition, bundle: str, source: Contents, machine: Machine, log: Log, options: Options
) -> Report:
    """Install or repair. ``bundle`` is the digest of the fix, for the record. Raises RefusedError if nothing was changed, StepError
    if it failed and was undone, ServicingError ``unfinished``."""
    with held(places, machine, log, definition.id) as healed:
        log.open(options.log or places.log(definition.id))
        try:
            log.say(f"{definition.id}: {definition.title}; by {machine.who}; root {places.root}")
            looked = _look(places, definition, bundle, source, machine, log, options)
            for each in looked.files:
                log.say(each.line)
            for refusal in looked.refusals:
                log.say(f"refused: {refusal}")
                raise refusal
            if looked.nothing_to_do:
                log.say(f"{definition.id}: nothing to do: {looked.detected.reasons[0]}")
                return Report(definition.id, None, files=looked.files, healed=healed, log=log.path)
            journal = _journal(places, definition, bundle, looked, machine, options)
            joined = source if looked.given is None else Joined(Given([looked.given]), source)
            reboot = service(places, definition, journal, joined, machine, log, force=options.force)
            log.say(f"{definition.id}: {journal.act.value}")
            return Report(definition.id, journal.act, reboot, looked.files, healed, log.path)
        finally:
            log.close()


def _journal(places: Places, definition: FixDefinition, bundle: str, looked: Looked, machine: Machine, options: Options) -> Journal:
    """The definition is kept before the journal speaks of it."""
    record = load_record(places)
    sequence, now = record.sequence + 1, iso(machine.clock.now())
    durable.make_folder(places.fix(sequence), 0o700)
    durable.write_durable(places.definition(sequence), document.to_bytes(definition))
    present = {each.path: read_facts(places.file(each.path)) for each in looked.files}
    entry = plan.entry_for(
        definition, looked.files, looked.changes, present, record, sequence=sequence, time=now, actor=machine.who, bundle=bundle
    )
    return Journal(
        sequence=sequence,
        act=Act.INSTALLED if record.find(definition.id) is None else Act.REPAIRED,
        fix=definition.id,
        actor=machine.who,
        time=now,
        roots=places.others,
        changes=looked.changes,
        folders=looked.folders,
        running=looked.running,
        kill=options.kill,
        entry=replace(entry, folders=tuple(dict.fromkeys((*entry.folders, *looked.folders)))),
    )


def _look(
    places: Places, definition: FixDefinition, bundle: str, source: Contents, machine: Machine, log: Log, options: Options
) -> Looked:
    findings = Findings([])
    on_disk = [each for each in definition.files if each.action is not FileAction.TOOL]
    paths = [each.path for each in on_disk]
    findings.ask(functools.partial(preflight.check_ways, places, paths, definition.keep))
    findings.ask(functools.partial(_check_belongs, places, definition, paths))
    facts = inspection.look(places, definition)
    detected = detection.detect(definition, facts)
    if findings.refusals:
        return Looked(facts, detected, (), (), (), (), tuple(findings.refusals))
    findings.refusals += _standing(definition, bundle, facts, detected, options)
    owners = load_record(places).later_owners(definition.id)
    files = tuple(_decide(places, each, detected, options, owners) for each in on_disk)
    findings.refusals += [
        RefusedError("state-unknown", f"{each.path}: {each.reason}.", "See --check; --force replaces it all the same.")
        for each in files
        if each.decision is Decision.REFUSED
    ]
    changes = [each.change for each in files if each.change is not None]
    given = _manifest_after(places, definition, facts, on_disk, changes)
    if given is not None:
        before = read_facts(places.file(PRODUCT_FILE))
        assert before is not None
        changes.append(Change(PRODUCT_FILE, before, with_content_of(before, *digest([given]), before.mode)))
    running = _check_machine(places, definition, changes, machine, log, options, findings)
    folders = {folder: os.path.isdir(places.file(folder)) for each in changes for folder in plan.folders_above(each.path)}
    if not findings.refusals and (changes or not (facts.has(definition.id) or detected.state is FixState.INSTALLED)):
        findings.ask(functools.partial(_run_checks, places, definition, source, machine, log))
    missing = plan.missing_folders(folders)
    recorded = facts.has(definition.id)
    return Looked(facts, detected, files, tuple(changes), missing, running, tuple(findings.refusals), given, recorded)


def _check_belongs(places: Places, definition: FixDefinition, paths: list[str]) -> None:
    full = [places.file(each) for each in paths] + [places.rooted(each) for each in definition.keep]
    guard.check_belongs(places.root, full, definition.product.id)


def _standing(definition: FixDefinition, bundle: str, facts: Facts, detected: Detected, options: Options) -> list[ServicingError]:
    """What the state of the fix here says against it."""
    why = "; ".join(detected.reasons)
    found: list[ServicingError] = []
    if detected.state is FixState.NOT_APPLICABLE:
        found.append(RefusedError("not-applicable", f"{definition.id} does not belong here: {why}.", "Nothing needs to be done."))
    elif detected.state is FixState.SUPERSEDED and not options.force:
        found.append(
            RefusedError("superseded", f"{definition.id}: {why}.", "Nothing needs to be done (--force does it all the same).")
        )
    elif detected.state is FixState.UNKNOWN and not options.force:
        found.append(RefusedError("state-unknown", f"{definition.id}: {why}.", "Look at it; --force does it all the same."))
    for each in detected.blockers:
        if each.code != "newer-file" or not options.force:
            found.append(RefusedError(each.code, f"{definition.id}: {each.reason}.", "See what --check says."))
    if detection.same_number_other_content(bundle, definition.id, facts) and not options.force:
        found.append(
            RefusedError(
                "other-content",
                f"Another content was installed under the number {definition.id}.",
                "Take that away first, or ask its maker which is right.",
            )
        )
    return found


def _decide(places: Places, file: FixFile, detected: Detected, options: Options, owners: Mapping[str, str]) -> FilePlan:
    owner = owners.get(file.path.casefold())
    if owner is not None and detected.files[file.path] is not FileState.CURRENT:
        return FilePlan(file.path, Decision.NEWER_KEPT, f"{owner} has it, which was installed later")
    try:
        present = read_facts(places.file(file.path))
    except (ServicingError, OSError) as cause:
        return FilePlan(file.path, Decision.REFUSED, str(cause))
    return plan.decide(file, detected.files[file.path], present, force=options.force)


def _manifest_after(
    places: Places, definition: FixDefinition, facts: Facts, files: list[FixFile], changes: list[Change]
) -> bytes | None:
    """``product.json`` as it will be; None if that is as it is (Q246331)."""
    data = product.manifest_bytes(places.root)
    if data is None or not (changes or definition.becomes.version or definition.becomes.service_level):
        return None
    changed = {each.path for each in changes}
    listed: Mapping[str, ListedFile | None] = {
        each.path: ListedFile(each.sha256, each.version) if each.placed else None for each in files if each.path in changed
    }
    after = product.manifest_after(data, product.changed_by(facts.product, definition, listed))
    return None if after == data else after


def _check_machine(
    places: Places,
    definition: FixDefinition,
    changes: list[Change],
    machine: Machine,
    log: Log,
    options: Options,
    findings: Findings,
) -> tuple[int, ...]:
    """Rights, space, services, use. Returns the services that run."""
    running: list[int] = []
    tools = sum(each.size for each in definition.files if each.action is FileAction.TOOL)
    findings.ask(lambda: preflight.check_rights(places, changes, definition.keep))
    findings.ask(lambda: preflight.check_space(preflight.needed_bytes(places, changes, definition.keep, tools)))
    findings.ask(lambda: running.extend(preflight.check_services(services_of(definition, places, machine, log))))
    if not definition.services and not options.force:
        findings.ask(lambda: preflight.check_unused(places, changes, machine))
    return tuple(running)


def _run_checks(places: Places, definition: FixDefinition, source: Contents, machine: Machine, log: Log) -> None:
    """The programs that say beforehand whether the fix may be installed. Raises RefusedError ``check-failed``."""
    programs = definition.programs_at(When.CHECK)
    if not programs:
        return
    with tempfile.TemporaryDirectory(prefix="servicing-") as folder:
        switch.place_tools(tools_of(definition), folder, source)
        for each in programs:
            command = filled(each.command, places, folder)
            runner = machine.programs(machine.clock, log)
            code = runner.run(command, folder=places.root, timeout_seconds=each.timeout_seconds)
            if each.outcome(code) is Outcome.FAILED:
                raise RefusedError("check-failed", f"{' '.join(command)} ended with {code}.", "What it said is in the log.")
