"""Whether a fix is installed, superseded, applicable or not, with every reason. Pure; unknown is an answer of its own."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from haulage.engine.servicing import level
from haulage.engine.servicing.definition import ANY, Detection, FileAction, FixDefinition, FixFile
from haulage.engine.servicing.file_version import FileVersion, Known, Unknown
from haulage.engine.servicing.product import Product


class FixState(enum.Enum):
    """How a fix stands to a root."""

    INSTALLED = "installed"
    SUPERSEDED = "superseded"
    APPLICABLE = "applicable"
    NOT_APPLICABLE = "not-applicable"
    UNKNOWN = "unknown"


class FileState(enum.Enum):
    """How one file of a fix stands to what is there."""

    CURRENT = "current"
    """As the fix leaves it."""
    LATER = "later"
    """Another content with a later version: never overwritten by something older (B94, Q264630)."""
    OLDER = "older"
    """Content the fix names as older, or a lower version."""
    MISSING = "missing"
    UNKNOWN = "unknown"
    """Content the fix does not name, whose version cannot be compared (Q267258)."""


@dataclass(frozen=True)
class PresentFile:
    """A file that is there."""

    sha256: str
    version: FileVersion = field(default_factory=lambda: Unknown("its version was not read"))


@dataclass(frozen=True)
class InstalledFix:
    """A fix in the record. ``definition`` is the one it was installed from, where it was kept."""

    id: str
    digest: str
    replaces: tuple[str, ...] = ()
    definition: FixDefinition | None = None


@dataclass(frozen=True)
class Facts:
    """What is known of a root: its product, the files a fix speaks of (None: not there), and the fixes in its record."""

    product: Product
    files: Mapping[str, PresentFile | None]
    installed: Sequence[InstalledFix] = ()

    def superseder(self, fix: str) -> str | None:
        """Another installed fix that contains or supersedes ``fix``, itself or through others; the one installed last."""
        reached = _reached(self.installed)
        return next((each.id for each in reversed(self.installed) if each.id != fix and fix in reached[each.id]), None)

    def has(self, fix: str) -> bool:
        """Whether the record names a fix by its own number."""
        return any(each.id == fix for each in self.installed)

    def brings(self, fix: str) -> bool:
        """Whether what a fix repairs is repaired here, by it or by one that contains or supersedes it."""
        return self.has(fix) or self.superseder(fix) is not None


@dataclass(frozen=True)
class Blocker:
    """Why an applicable fix may not be installed yet. ``code`` is that of the refusal."""

    code: str
    reason: str


@dataclass(frozen=True)
class Detected:
    """The answer. ``by`` names the fix that supersedes; ``files`` says of each file how it stands."""

    state: FixState
    reasons: tuple[str, ...]
    blockers: tuple[Blocker, ...] = ()
    by: str | None = None
    files: Mapping[str, FileState] = field(default_factory=dict)


def detect(definition: FixDefinition, facts: Facts) -> Detected:
    """How ``definition`` stands to a root with these facts."""
    files = {
        each.path: file_state(each, facts.files.get(each.path)) for each in definition.files if each.action is not FileAction.TOOL
    }
    state, reasons, by = _answer(definition, facts, files)
    blockers = tuple(_blockers(definition, facts, files)) if state in (FixState.APPLICABLE, FixState.UNKNOWN) else ()
    return Detected(state, tuple(reasons), blockers, by, files)


def _answer(definition: FixDefinition, facts: Facts, files: Mapping[str, FileState]) -> tuple[FixState, Sequence[str], str | None]:
    wrong = _wrong_product(definition, facts.product)
    if wrong is not None:
        return (*wrong, None)
    superseder = facts.superseder(definition.id)
    if superseder is not None:
        return FixState.SUPERSEDED, [f"{superseder} is installed, which contains or supersedes {definition.id}"], superseder
    if facts.has(definition.id):
        return (*_recorded(definition, files), None)
    if _detected(definition, facts, files):
        return FixState.INSTALLED, ["its files are as it leaves them, or later, though no record says that it was installed"], None
    return (*_by_level(definition, facts, files), None)


def _wrong_product(definition: FixDefinition, product: Product) -> tuple[FixState, Sequence[str]] | None:
    """Product, architecture and language: what no installation changes."""
    if product.id != definition.product.id:
        return FixState.NOT_APPLICABLE, [f"it is for {definition.product.id}, and this is {product.id}"]
    for what, wanted, found in (
        ("architecture", definition.product.architecture, product.architecture),
        ("language", definition.product.language, product.language),
    ):
        if wanted != ANY and found is None:
            return FixState.UNKNOWN, [f"it is for the {what} {wanted}, and the product does not say which it has"]
        if wanted not in (ANY, found):
            return FixState.NOT_APPLICABLE, [f"it is for the {what} {wanted}, and the product has {found}"]
    return None


def _recorded(definition: FixDefinition, files: Mapping[str, FileState]) -> tuple[FixState, Sequence[str]]:
    """A fix that the record names: installed, unless its files say otherwise."""
    changed = [path for path, state in files.items() if state not in (FileState.CURRENT, FileState.LATER)]
    if not changed:
        return FixState.INSTALLED, [f"the record names {definition.id}, and its files are as it left them, or later"]
    listed = ", ".join(f"{path} is {files[path].value}" for path in changed[:5])
    state = FixState.UNKNOWN if any(files[path] is FileState.UNKNOWN for path in changed) else FixState.APPLICABLE
    return state, [f"the record names {definition.id}, but {listed}"]


def _by_level(definition: FixDefinition, facts: Facts, files: Mapping[str, FileState]) -> tuple[FixState, Sequence[str]]:
    """Version, service level, then files."""
    product, wanted = facts.product, definition.product
    if wanted.versions != ANY:
        version = level.parsed_or_none(product.version)
        if version is None:
            return FixState.UNKNOWN, [f"it is for versions {wanted.versions}, and the product's version is not known"]
        if version not in level.parsed_range(wanted.versions):
            return FixState.NOT_APPLICABLE, [f"it is for versions {wanted.versions}, and this is {version}"]
    if wanted.service_levels:
        if product.service_level is None or product.service_level not in wanted.levels_order:
            return FixState.UNKNOWN, [f"it is for {', '.join(wanted.service_levels)}, and the service level is not known"]
        if product.service_level not in wanted.service_levels:
            return FixState.NOT_APPLICABLE, [f"it is for {', '.join(wanted.service_levels)}, and this is {product.service_level}"]
    return _by_files(definition, files)


def _by_files(definition: FixDefinition, files: Mapping[str, FileState]) -> tuple[FixState, Sequence[str]]:
    replaced = [each for each in definition.files if each.action is FileAction.REPLACE]
    missing = [each.path for each in replaced if files[each.path] is FileState.MISSING and each.before]
    if missing and len(missing) == len(replaced):
        return FixState.NOT_APPLICABLE, ["none of the files it replaces is there: that part of the product is not installed"]
    if missing:
        return FixState.UNKNOWN, [f"{path} is missing, which it replaces" for path in missing[:5]]
    unknown = [path for path, state in files.items() if state is FileState.UNKNOWN]
    if unknown:
        return FixState.UNKNOWN, [
            f"{path} is neither a content it knows nor of a version that can be compared" for path in unknown[:5]
        ]
    older = [path for path, state in files.items() if state is FileState.OLDER]
    return FixState.APPLICABLE, [f"{path} is older than what it brings" for path in older[:5]] or ["the product is one it is for"]


def file_state(file: FixFile, present: PresentFile | None) -> FileState:
    """How what is there stands to what the fix leaves."""
    if file.action is FileAction.REMOVE:
        return FileState.CURRENT if present is None else _to_remove(file, present)
    if present is None:
        return FileState.MISSING
    if present.sha256 == file.sha256:
        return FileState.CURRENT
    if any(each.sha256 == present.sha256 for each in file.before):
        return FileState.OLDER
    ours = level.parsed_or_none(file.version)
    if ours is None or not isinstance(present.version, Known):
        return FileState.UNKNOWN
    theirs = present.version.version
    return FileState.LATER if theirs > ours else FileState.OLDER if theirs < ours else FileState.UNKNOWN


def _to_remove(file: FixFile, present: PresentFile) -> FileState:
    """A file to take away: fit for that when it is one the fix names, or the fix names none."""
    known = not file.before or any(each.sha256 == present.sha256 for each in file.before)
    return FileState.OLDER if known else FileState.UNKNOWN


def _detected(definition: FixDefinition, facts: Facts, files: Mapping[str, FileState]) -> bool:
    """Whether what the fix leaves is there, by its own rule or by all its files."""
    if definition.detect:
        return all(_holds(each, facts.files.get(each.path)) for each in definition.detect)
    return bool(files) and all(state in (FileState.CURRENT, FileState.LATER) for state in files.values())


def _holds(rule: Detection, present: PresentFile | None) -> bool:
    if present is None or not rule.present:
        return (present is not None) == rule.present
    if rule.sha256 is not None and rule.sha256 != present.sha256:
        return False
    if rule.versions is None:
        return True
    return isinstance(present.version, Known) and present.version.version in level.parsed_range(rule.versions)


def _blockers(definition: FixDefinition, facts: Facts, files: Mapping[str, FileState]) -> list[Blocker]:
    """What must be so before the fix may be installed, and is not (Q311457); what forbids it (Q192922, B94)."""
    found = [
        Blocker("prerequisites-missing", f"{each} must be installed first")
        for each in definition.requires.fixes
        if not facts.brings(each)
    ]
    least = definition.requires.service_level
    if least is not None:
        reached = level.at_least(definition.product.levels_order, facts.product.service_level, least)
        if not reached:
            has = facts.product.service_level or "not known"
            found.append(Blocker("prerequisites-missing", f"the service level must be {least} or later, and it is {has}"))
    found.extend(_conflicts(definition, facts))
    found.extend(
        Blocker("newer-file", f"{each.path} stands in a later version than {each.version}")
        for each in definition.files
        if files.get(each.path) is FileState.LATER and not each.shared
    )
    return found


def _conflicts(definition: FixDefinition, facts: Facts) -> list[Blocker]:
    """Installed fixes that leave shared data in another form, neither before nor after this one; and later ones of its number."""
    found = []
    forms = {each.name: each.form for each in definition.schemas}
    for fix in facts.installed:
        other = fix.definition
        if other is None or other.id in (definition.id, *definition.replaces):
            continue
        if definition.id in other.after:
            found.append(Blocker("conflict", f"{other.id} is installed, and comes after {definition.id}: take it away first"))
        ordered = other.id in (*definition.after, *definition.requires.fixes)
        for schema in other.schemas:
            if forms.get(schema.name, schema.form) != schema.form and not ordered:
                found.append(
                    Blocker("conflict", f"{other.id} left {schema.name} as {schema.form}, this fix makes it {forms[schema.name]}")
                )
    return found


def same_number_other_content(digest: str, fix: str, facts: Facts) -> bool:
    """Whether a fix of this id but another content is in the record (B94)."""
    return any(each.id == fix and each.digest not in ("", digest) for each in facts.installed)


def _reached(installed: Sequence[InstalledFix]) -> dict[str, set[str]]:
    """For each installed fix all that it brings, through the definitions that are known."""
    direct = {each.id: set(each.replaces) for each in installed}
    reached: dict[str, set[str]] = {}
    for fix in direct:
        found: set[str] = set()
        open_ends = [fix]
        while open_ends:
            for each in direct.get(open_ends.pop(), set()) - found:
                found.add(each)
                open_ends.append(each)
        reached[fix] = found
    return reached
