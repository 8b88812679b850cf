"""Taking a fix away: what was there before comes back, if nothing newer stands on it. A servicing like any other, with the kept
contents as its source, so it is undone and healed like one."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, replace

from haulage.engine.servicing import document, durable, plan, preflight, product
from haulage.engine.servicing.apply import Options, Report
from haulage.engine.servicing.clock import iso
from haulage.engine.servicing.definition import FileAction, FixDefinition
from haulage.engine.servicing.errors import RefusedError, ServicingError
from haulage.engine.servicing.file_facts import digest, read_facts, with_content_of
from haulage.engine.servicing.healing import Healed, services_of
from haulage.engine.servicing.journal import Change, Journal
from haulage.engine.servicing.log import Log
from haulage.engine.servicing.machine import Machine
from haulage.engine.servicing.path_rules import PRODUCT_FILE
from haulage.engine.servicing.places import Places
from haulage.engine.servicing.preflight import Findings
from haulage.engine.servicing.record import Act, Entry, Record, RecordedFile, load_record
from haulage.engine.servicing.servicing import service
from haulage.engine.servicing.session import held, looked_at
from haulage.engine.servicing.switch import Given


@dataclass(frozen=True)
class Leaving:
    """What taking it away would do, and what stands against it."""

    entry: Entry
    definition: FixDefinition
    changes: tuple[Change, ...]
    folders: tuple[str, ...]
    running: tuple[int, ...]
    refusals: tuple[ServicingError, ...]
    source: Given
    healed: Healed | None = None


def check_uninstall(places: Places, fix: str, machine: Machine, log: Log, options: Options) -> Leaving:
    """As :func:`uninstall`, but changes nothing. Raises RefusedError ``not-installed``."""
    with looked_at(places, machine, log, fix) as healed:
        return replace(_look(places, fix, machine, log, options), healed=healed)


def uninstall(places: Places, fix: str, machine: Machine, log: Log, options: Options) -> Report:
    """Take a fix away. Raises RefusedError if nothing was changed, StepError if it failed and was undone, ServicingError
    ``unfinished``."""
    with held(places, machine, log, fix) as healed:
        log.open(options.log or places.log(fix))
        try:
            log.say(f"{fix}: is taken away; by {machine.who}; root {places.root}")
            leaving = _look(places, fix, machine, log, options)
            for refusal in leaving.refusals:
                log.say(f"refused: {refusal}")
                raise refusal
            journal = _journal(places, leaving, machine, options)
            reboot = service(places, leaving.definition, journal, leaving.source, machine, log, force=options.force)
            log.say(f"{fix}: {journal.act.value}")
            return Report(fix, journal.act, reboot, (), healed, log.path)
        finally:
            log.close()


def _journal(places: Places, leaving: Leaving, machine: Machine, options: Options) -> Journal:
    record = load_record(places)
    sequence = record.sequence + 1
    durable.make_folder(places.fix(sequence), 0o700)
    durable.write_durable(places.definition(sequence), document.to_bytes(leaving.definition))
    return Journal(
        sequence=sequence,
        act=Act.UNINSTALLED,
        fix=leaving.entry.id,
        actor=machine.who,
        time=iso(machine.clock.now()),
        roots=places.others,
        changes=leaving.changes,
        folders=leaving.folders,
        running=leaving.running,
        kill=options.kill,
    )


def _look(places: Places, fix: str, machine: Machine, log: Log, options: Options) -> Leaving:
    record = load_record(places)
    entry = _entry(record, fix)
    definition = _definition(places, entry)
    findings = Findings([])
    findings.ask(functools.partial(_check_may_go, record, entry))
    changed = [each for each in entry.files if each.changed and each.path != PRODUCT_FILE]
    paths = [(places.kept_file(each.sequence, each.index), each) for each in changed if each.before is not None]
    changes: list[Change] = []
    if not findings.refusals:
        findings.ask(functools.partial(preflight.check_ways, places, [each.path for each in changed]))
    if not findings.refusals:
        findings.ask(functools.partial(_check_unchanged, places, changed, options))
        findings.ask(functools.partial(_check_kept, paths))
        changes = _changes(places, changed)
    given = None if findings.refusals else _manifest_before(places, definition, entry, changed)
    if given is not None:
        changes.append(given[0])
    services = services_of(definition, places, machine, log)
    running: list[int] = []
    findings.ask(lambda: preflight.check_rights(places, changes, definition.keep))
    findings.ask(lambda: preflight.check_space(preflight.needed_bytes(places, changes, definition.keep, 0)))
    findings.ask(lambda: running.extend(preflight.check_services(services)))
    contents = [(each.before.sha256, path) for path, each in paths if each.before is not None]
    source = Given([given[1]] if given is not None else [], [*contents, *_tools(places, entry, definition)])
    folders = {folder: os.path.isdir(places.file(folder)) for each in changes for folder in plan.folders_above(each.path)}
    return Leaving(
        entry, definition, tuple(changes), plan.missing_folders(folders), tuple(running), tuple(findings.refusals), source
    )


def _entry(record: Record, fix: str) -> Entry:
    entry = record.find(fix)
    if entry is not None:
        return entry
    holder = record.holder(fix)
    if holder is not None:
        raise RefusedError("not-installed", f"{fix} came with {holder.id} and goes with it.", f"Take {holder.id} away.")
    raise RefusedError("not-installed", f"{fix} is not installed here.", "Nothing needs to be done.")


def _definition(places: Places, entry: Entry) -> FixDefinition:
    try:
        with open(places.definition(entry.sequence), "rb") as file:
            return document.from_bytes(file.read(document.MOST_BYTES + 1))
    except OSError as cause:
        raise RefusedError(
            "backup-damaged", f"What was kept of {entry.id} cannot be read: {cause.strerror}.", "Restore it from a backup."
        ) from cause


def _check_may_go(record: Record, entry: Entry) -> None:
    if not entry.uninstallable:
        raise RefusedError(
            "not-uninstallable", f"{entry.id} is made so that it cannot be taken away.", "Install a later fix instead."
        )
    above = record.stands_on(entry)
    if above:
        raise RefusedError(
            "newer-stands-on-it",
            f"{', '.join(above)} {'stands' if len(above) == 1 else 'stand'} on {entry.id}.",
            f"Take {above[-1]} away first, the newest before all.",
        )


def _check_unchanged(places: Places, files: list[RecordedFile], options: Options) -> None:
    for each in files:
        present = read_facts(places.file(each.path))
        expected = None if each.after is None else each.after.sha256
        if (None if present is None else present.sha256) != expected and not options.force:
            raise RefusedError(
                "state-unknown",
                f"{each.path} is not as the fix left it: somebody changed it since.",
                "Keep what you need of it; --force puts back what was there before the fix.",
            )


def _check_kept(paths: list[tuple[str, RecordedFile]]) -> None:
    for path, each in paths:
        try:
            intact = each.before is not None and digest(durable.pieces_of(path)) == (each.before.sha256, each.before.size)
        except OSError:
            intact = False
        if not intact:
            raise RefusedError("backup-damaged", f"What was kept of {each.path} is damaged.", "Restore it from a backup.")


def _changes(places: Places, files: list[RecordedFile]) -> list[Change]:
    found = []
    for each in files:
        present = read_facts(places.file(each.path))
        if present is not None or each.before is not None:
            found.append(Change(each.path, present, each.before))
    return found


def _manifest_before(
    places: Places, definition: FixDefinition, entry: Entry, files: list[RecordedFile]
) -> tuple[Change, bytes] | None:
    """``product.json`` without what the fix wrote into it; other fixes' lines stay."""
    recorded = next((each for each in entry.files if each.path == PRODUCT_FILE and each.before is not None), None)
    data = product.manifest_bytes(places.root)
    present = read_facts(places.file(PRODUCT_FILE))
    if recorded is None or recorded.before is None or data is None or present is None:
        return None
    old_data = b"".join(durable.pieces_of(places.kept_file(recorded.sequence, recorded.index)))
    old, now = product.from_bytes(old_data), product.from_bytes(data)
    listed = dict(now.files or {})
    for each in files:
        before = (old.files or {}).get(each.path)
        if before is not None:
            listed[each.path] = before
        else:
            listed.pop(each.path, None)
    wanted = replace(
        now,
        version=old.version if definition.becomes.version else now.version,
        service_level=old.service_level if definition.becomes.service_level else now.service_level,
        files=None if now.files is None else dict(sorted(listed.items())),
    )
    if wanted == old:
        return Change(PRODUCT_FILE, present, recorded.before), old_data
    after = product.manifest_after(data, wanted)
    return Change(PRODUCT_FILE, present, with_content_of(present, *digest([after]), present.mode)), after


def _tools(places: Places, entry: Entry, definition: FixDefinition) -> list[tuple[str, str]]:
    tools = [each for each in definition.files if each.action is FileAction.TOOL]
    return [(each.sha256, os.path.join(places.tools(entry.sequence), *each.path.split("/"))) for each in tools]
