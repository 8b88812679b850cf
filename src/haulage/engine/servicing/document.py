"""A definition as a document and back: canonical JSON, strict, bounded; an error names the field. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from haulage.engine.servicing import level, path_rules, strict_json
from haulage.engine.servicing.definition import (
    ANY,
    FIX_ID,
    PRODUCT_ID,
    Becomes,
    Breakage,
    Detection,
    FileAction,
    FixDefinition,
    FixFile,
    KnownState,
    Outcome,
    Probe,
    ProductRange,
    Program,
    Reboot,
    Requirements,
    Schema,
    Service,
    ServiceKind,
    When,
)
from haulage.engine.servicing.strict_json import Fields, bad

FORMAT = 1
MOST_BYTES = 32 << 20
MOST_FILES = 100_000
MOST_FIXES = 2_000
MOST_PROGRAMS = 64
MOST_SERVICES = 64
MOST_BEFORE = 256
MOST_ARGUMENTS = 64
MOST_WAIT_SECONDS = 24 * 3600
MOST_FILE_BYTES = 1 << 40

SHA256 = "[0-9a-f]{64}"
WORD = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}"
VERSION = r"[A-Za-z0-9][A-Za-z0-9.:~+_-]{0,127}"


def to_bytes(definition: FixDefinition) -> bytes:
    """The document of a definition; equal definitions have equal bytes. Raises DocumentError for one that could not be read."""
    data = strict_json.encoded(_plain(definition))
    from_bytes(data)
    return data


def from_bytes(data: bytes) -> FixDefinition:
    """The definition in ``data``. Raises DocumentError ``bad-document``."""
    return from_value(strict_json.decoded(data, "fix", most_bytes=MOST_BYTES))


def from_value(value: Any) -> FixDefinition:
    """The definition in a decoded document. Raises DocumentError ``bad-document``."""
    fields = Fields(value, "fix")
    if fields.integer("format", most=1 << 31) != FORMAT:
        raise bad("fix.format", f"this reader knows format {FORMAT} only")
    definition = FixDefinition(
        id=fields.text("id", pattern=FIX_ID),
        title=fields.text("title"),
        article=fields.text_or_none("article", most=64, pattern=WORD),
        explanation=fields.text("explanation", most=8000, least=0, lines=True),
        product=_product(fields.object("product")),
        files=tuple(_file(each) for each in fields.objects("files", most=MOST_FILES)),
        programs=tuple(_program(each) for each in fields.objects("programs", most=MOST_PROGRAMS)),
        services=tuple(_service(each) for each in fields.objects("services", most=MOST_SERVICES)),
        keep=_rooted(fields, "keep"),
        requires=_requirements(fields.object("requires")),
        supersedes=_fixes(fields, "supersedes"),
        contains=_fixes(fields, "contains"),
        after=_fixes(fields, "after"),
        breaks=tuple(_breakage(each) for each in fields.objects("breaks", most=MOST_FIXES)),
        mends=_fixes(fields, "mends"),
        schemas=tuple(_schema(each) for each in fields.objects("schemas", most=MOST_FIXES)),
        detect=tuple(_detection(each) for each in fields.objects("detect", most=MOST_FILES)),
        becomes=_becomes(fields.object("becomes")),
        reboot=Reboot(fields.choice("reboot", [each.value for each in Reboot])),
        uninstallable=fields.flag("uninstallable"),
    )
    fields.done()
    _check_whole(definition)
    return definition


def file_from_value(value: Any, where: str) -> FixFile:
    """One file of a definition. Raises DocumentError ``bad-document``."""
    return _file(Fields(value, where))


def _check_whole(definition: FixDefinition) -> None:
    """What concerns several fields at once."""
    path_rules.check_apart((each.path for each in definition.files if each.action is not FileAction.TOOL), "fix.files")
    path_rules.check_apart((each.path for each in definition.files if each.action is FileAction.TOOL), "fix.files")
    level.parsed_range(definition.product.versions, "fix.product.versions")
    for detection in definition.detect:
        level.parsed_range(detection.versions or ANY, "fix.detect.versions")
    for name in ("supersedes", "contains", "after", "mends"):
        if definition.id in getattr(definition, name):
            raise bad(f"fix.{name}", f"{definition.id} names itself")
    if definition.id in definition.requires.fixes:
        raise bad("fix.requires.fixes", f"{definition.id} names itself")
    if len({each.name for each in definition.schemas}) != len(definition.schemas):
        raise bad("fix.schemas", "names the same thing twice")
    if not (definition.files or definition.programs or definition.contains):
        raise bad("fix", "changes nothing: it has no files, no programs and contains no fix")
    order = definition.product.levels_order
    for named in (*definition.product.service_levels, definition.requires.service_level, definition.becomes.service_level):
        if named is not None and named not in order:
            raise bad("fix.product.levels_order", f"does not name {named!r}, which the fix speaks of")


def _product(fields: Fields) -> ProductRange:
    product = ProductRange(
        id=fields.text("id", pattern=PRODUCT_ID),
        versions=fields.text("versions"),
        service_levels=fields.texts("service_levels", most=64, longest=64, pattern=WORD),
        levels_order=fields.texts("levels_order", most=64, longest=64, pattern=WORD),
        architecture=fields.text("architecture", pattern=WORD),
        language=fields.text("language", pattern=WORD),
        probe=None if fields.is_null("probe") else _probe(fields.object("probe")),
    )
    fields.done()
    return product


def _probe(fields: Fields) -> Probe:
    probe = Probe(path=path_rules.checked_path(fields.text("path", most=1024), fields.at("path")))
    fields.done()
    return probe


def _file(fields: Fields) -> FixFile:
    path = path_rules.checked_path(fields.text("path", most=1024), fields.at("path"))
    action = FileAction(fields.choice("action", [each.value for each in FileAction]))
    version = fields.text_or_none("version", most=128, pattern=VERSION)
    carried = action is not FileAction.REMOVE
    sha256 = fields.text("sha256", most=64, least=0, pattern=SHA256 if carried else "")
    size = fields.integer("size", most=MOST_FILE_BYTES if carried else 0)
    mode = fields.integer("mode", most=0o777 if carried else 0)
    before = tuple(_known_state(each) for each in fields.objects("before", most=MOST_BEFORE))
    shared = fields.flag("shared")
    fields.done()
    return FixFile(path=path, action=action, sha256=sha256, size=size, mode=mode, version=version, before=before, shared=shared)


def _known_state(fields: Fields) -> KnownState:
    state = KnownState(
        sha256=fields.text("sha256", most=64, pattern=SHA256), version=fields.text_or_none("version", most=128, pattern=VERSION)
    )
    fields.done()
    return state


def _arguments(fields: Fields, name: str) -> tuple[str, ...]:
    values = fields.items(name, most=MOST_ARGUMENTS)
    if not values:
        raise bad(fields.at(name), "is empty")
    return tuple(
        strict_json.checked_text(each, f"{fields.at(name)}[{index}]", most=4096, least=0 if index else 1)
        for index, each in enumerate(values)
    )


def _arguments_or_none(fields: Fields, name: str) -> tuple[str, ...] | None:
    return None if fields.is_null(name) else _arguments(fields, name)


def _program(fields: Fields) -> Program:
    program = Program(
        when=When(fields.choice("when", [each.value for each in When])),
        command=_arguments(fields, "command"),
        undo=_arguments_or_none(fields, "undo"),
        timeout_seconds=fields.integer("timeout_seconds", least=1, most=MOST_WAIT_SECONDS),
        exits=_exits(fields.mapping("exits", most=256), fields.at("exits")),
    )
    fields.done()
    return program


def _exits(values: Mapping[str, Any], where: str) -> dict[int, Outcome]:
    found = {}
    for code, outcome in values.items():
        strict_json.checked_text(code, where, most=10, pattern="0|[1-9][0-9]{0,9}")
        if outcome not in [each.value for each in Outcome]:
            raise bad(f"{where}.{code}", f"must be one of {', '.join(each.value for each in Outcome)}")
        found[int(code)] = Outcome(outcome)
    return found


def _service(fields: Fields) -> Service:
    kind = ServiceKind(fields.choice("kind", [each.value for each in ServiceKind]))
    service = Service(
        kind=kind,
        name=fields.text("name", most=256, pattern=r"[A-Za-z0-9][A-Za-z0-9 ._@:$-]*"),
        pid_file=fields.text_or_none("pid_file", most=1100),
        start=_arguments_or_none(fields, "start"),
        stop=_arguments_or_none(fields, "stop"),
        stop_seconds=fields.integer("stop_seconds", least=1, most=MOST_WAIT_SECONDS),
        start_seconds=fields.integer("start_seconds", least=1, most=MOST_WAIT_SECONDS),
        required=fields.flag("required"),
    )
    fields.done()
    if service.pid_file is not None:
        path_rules.checked_rooted_path(service.pid_file, fields.at("pid_file"))
    if (kind is ServiceKind.PIDFILE) != (service.pid_file is not None and service.start is not None):
        raise bad(fields.where, "pid_file and start belong to the kind pidfile, both of them, and to no other")
    return service


def _requirements(fields: Fields) -> Requirements:
    requirements = Requirements(
        fixes=_fixes(fields, "fixes"), service_level=fields.text_or_none("service_level", most=64, pattern=WORD)
    )
    fields.done()
    return requirements


def _breakage(fields: Fields) -> Breakage:
    breakage = Breakage(what=fields.text("what"), mended_by=fields.text_or_none("mended_by", pattern=FIX_ID))
    fields.done()
    return breakage


def _schema(fields: Fields) -> Schema:
    schema = Schema(name=fields.text("name"), form=fields.text("form"))
    fields.done()
    return schema


def _detection(fields: Fields) -> Detection:
    detection = Detection(
        path=path_rules.checked_path(fields.text("path", most=1024), fields.at("path")),
        present=fields.flag("present"),
        sha256=fields.text_or_none("sha256", most=64, pattern=SHA256),
        versions=fields.text_or_none("versions"),
    )
    fields.done()
    return detection


def _becomes(fields: Fields) -> Becomes:
    becomes = Becomes(
        version=fields.text_or_none("version", most=128, pattern=VERSION),
        service_level=fields.text_or_none("service_level", most=64, pattern=WORD),
    )
    fields.done()
    return becomes


def _fixes(fields: Fields, name: str) -> tuple[str, ...]:
    return fields.texts(name, most=MOST_FIXES, longest=32, pattern=FIX_ID)


def _rooted(fields: Fields, name: str) -> tuple[str, ...]:
    paths = fields.texts(name, most=MOST_FIXES, longest=1100)
    for path in paths:
        path_rules.checked_rooted_path(path, fields.at(name))
    return paths


def _plain(definition: FixDefinition) -> dict[str, Any]:
    """Dataclasses as JSON knows them: the names of fields are the names of keys."""
    plain = _value(definition)
    assert isinstance(plain, dict)
    return {"format": FORMAT, **plain}


def _value(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        plain = {name: _value(getattr(value, name)) for name in value.__dataclass_fields__}
        if isinstance(value, FixFile) and not value.carried:
            plain.update(sha256="", size=0, mode=0)
        return plain
    if isinstance(value, (FileAction, When, Outcome, ServiceKind, Reboot)):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _value(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_value(inner) for inner in value]
    return value
