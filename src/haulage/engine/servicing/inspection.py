"""Looking at a root for what a fix speaks of: product, files with hashes and versions, fixes in the record. Changes nothing."""

from __future__ import annotations

from haulage.engine.servicing import document, file_facts, file_version, product, record
from haulage.engine.servicing.definition import FileAction, FixDefinition
from haulage.engine.servicing.detection import Facts, InstalledFix, PresentFile
from haulage.engine.servicing.errors import ServicingError
from haulage.engine.servicing.places import Places
from haulage.engine.servicing.record import Entry, Record


def look(places: Places, definition: FixDefinition) -> Facts:
    """The facts :func:`detection.detect` asks for. Raises RefusedError ``product-not-found``, ServicingError ``record-damaged``."""
    found = product.find(places.root, definition)
    known = record.load_record(places)
    paths = [each.path for each in definition.files if each.action is not FileAction.TOOL]
    paths += [each.path for each in definition.detect]
    listed = found.versions_by_content
    return Facts(
        product=found,
        files={path: present_file(places, path, listed) for path in dict.fromkeys(paths)},
        installed=installed_fixes(places, known),
    )


def present_file(places: Places, path: str, listed: dict[str, str]) -> PresentFile | None:
    """One file; what cannot be read as a file is there with an unknown content."""
    full = places.file(path)
    try:
        facts = file_facts.read_facts(full)
    except (ServicingError, OSError) as error:
        return PresentFile("", file_version.Unknown(f"it cannot be read: {error}"))
    if facts is None:
        return None
    version = file_version.of_path(full, listed=listed, relative=path, sha256=facts.sha256)
    return PresentFile(facts.sha256, version)


def installed_fixes(places: Places, known: Record) -> tuple[InstalledFix, ...]:
    """The record's fixes in the order they were installed, with their definitions where those were kept."""
    return tuple(
        InstalledFix(id=each.id, digest=each.bundle, replaces=each.replaces, definition=kept_definition(places, each))
        for each in known.entries
    )


def kept_definition(places: Places, entry: Entry) -> FixDefinition | None:
    """What a fix was installed from; None where it was not kept or cannot be read."""
    try:
        with open(places.definition(entry.sequence), "rb") as file:
            return document.from_bytes(file.read(document.MOST_BYTES + 1))
    except (OSError, ServicingError):
        return None
