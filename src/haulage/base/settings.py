"""``haulage.toml``: every setting with its type, range, default and one line of documentation. An unknown key or a value that would
stop work is refused at start, naming line and remedy (Q163379); nothing else reads the file."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from haulage.base.errors import HaulageError, TransferError, UsageError
from haulage.base.notify_settings import Named, NotifySettings
from haulage.base.setting import (
    Check,
    a_site,
    address,
    all_absolute,
    all_of,
    between,
    database_url,
    folder,
    one_of,
    setting,
    short_line,
    site_url,
)
from haulage.base.text import shown

_MOST_BYTES = 64 << 10
_LINES_READ = 300
_LINE_MOST = 4096
"""The TOML reader takes the square of the time for a key of very many parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """Who this site is and where it listens."""

    code: str = setting("", "The site code; written by `init` and `join`, never changed.", a_site)
    name: str = setting("", "A name for people.", short_line)
    listen: str = setting("127.0.0.1:8440", "Where the server listens.", address)
    url: str = setting("", "What other sites and clients use to reach it; empty: made from `listen`.", site_url)
    parent_url: str = setting(
        "", "Where the parent is now, if that is not what it said; it says it anew once reached there.", site_url
    )
    connections_per_address: int = setting(
        512, "So many connections one address may hold; raise it where many sites come through one.", between(16, 8192)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """Where the site's tables are."""

    url: str = setting("", "Empty: `site.db` in the home.", database_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentSettings:
    """The content store."""

    path: str = setting("", "The store's folder; empty: `content` in the home.", folder)
    scrub_days: int = setting(30, "Every byte of the store is read and verified within this many days.", between(1, 3650))
    scrub_rate_bytes: int = setting(20 << 20, "So many bytes a second are read for that, at most.", between(1 << 16, 1 << 40))


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelSettings:
    """Parcels built for other sites."""

    cache_bytes: int = setting(4 << 30, "Room for parcels that are kept for the next child, in bytes.", between(1 << 20, 1 << 50))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSettings:
    """How updates for other sites are made."""

    level: str = setting(
        "auto",
        "How much processor time a smaller update is worth; auto: by the rate of the lines it will travel.",
        one_of("auto", "fast", "balanced", "smallest"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySettings:
    """When something that failed is tried again: exponential with full jitter."""

    first_seconds: float = setting(30.0, "The longest wait before the second try.", between(0.05, 86400))
    cap_seconds: float = setting(1800.0, "The longest wait between any two tries.", between(0.05, 604800))
    tries: int = setting(100, "After so many tries in a row it waits for a person.", between(1, 1_000_000))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureSettings:
    """What may be captured."""

    allowed: tuple[str, ...] = setting((), "If any is given: sources must lie below one of these folders.", all_absolute)
    max_bytes: int = setting(1 << 39, "A source with more is refused before it is read, holes counted.", between(1 << 20, 1 << 50))
    refuse: tuple[str, ...] = setting(
        (), "Warnings about names that are errors here.", all_of("misleading-name", "possible-secret", "link-leaves-tree")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """The job engine."""

    workers: int = setting(4, "How many jobs of one kind run at once.", between(1, 64))


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """The log."""

    format: str = setting("json", "How lines are written: JSON, or what CMTrace reads.", one_of("json", "cmtrace"))
    level: str = setting("info", "The least important lines that are written.", one_of("debug", "info", "warning", "error"))


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSettings:
    """The status journal."""

    retention_days: int = setting(30, "Status messages are kept so long.", between(1, 3650))
    audit_retention_days: int = setting(180, "Messages that say what a person asked for are kept so long.", between(1, 36500))


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSettings:
    """Backups the server takes by itself."""

    target: str = setting("", "The folder backups are taken into; empty: none is taken by itself.", folder)
    every_hours: float = setting(24.0, "A backup is taken when the last one is so old.", between(0.01, 8760))
    keep: int = setting(7, "So many backups of this site stay in the folder; 0: all.", between(0, 10_000))
    content: bool = setting(False, "Whether the content store goes into them.")
    passphrase_file: str = setting("", "File whose first line is the passphrase of the keys in them; empty: none.", folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """Who may read `/metrics`, besides an administrator."""

    local: bool = setting(False, "Anybody on this machine; not with a proxy on it, whose callers all come from here.")
    token_file: str = setting(
        "", "File with a token for the figures alone, written at start if it is not there; empty: none.", folder
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of ``haulage.toml``."""

    site: SiteSettings = field(default_factory=SiteSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    content: ContentSettings = field(default_factory=ContentSettings)
    parcels: ParcelSettings = field(default_factory=ParcelSettings)
    updates: UpdateSettings = field(default_factory=UpdateSettings)
    retry: RetrySettings = field(default_factory=RetrySettings)
    capture: CaptureSettings = field(default_factory=CaptureSettings)
    jobs: JobSettings = field(default_factory=JobSettings)
    log: LogSettings = field(default_factory=LogSettings)
    status: StatusSettings = field(default_factory=StatusSettings)
    backup: BackupSettings = field(default_factory=BackupSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)


SECTIONS: dict[str, type[Any]] = {
    "site": SiteSettings,
    "database": DatabaseSettings,
    "content": ContentSettings,
    "parcels": ParcelSettings,
    "updates": UpdateSettings,
    "retry": RetrySettings,
    "capture": CaptureSettings,
    "jobs": JobSettings,
    "log": LogSettings,
    "status": StatusSettings,
    "backup": BackupSettings,
    "metrics": MetricsSettings,
    "notify": NotifySettings,
}


def load_settings(path: str) -> Settings:
    """Read the file. Raises UsageError ``bad-settings`` naming file, line and setting; TransferError ``settings-unreadable``."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as cause:
        raise TransferError(
            "settings-unreadable", f"{path} cannot be read: {cause.strerror}.", "Is --home right? A home is made by `haulage init`."
        ) from cause
    return parse_settings(data, path)


def parse_settings(data: bytes, path: str = "haulage.toml") -> Settings:
    """The settings in the bytes of a file; what is not there has its default. Raises UsageError ``bad-settings``."""
    if len(data) > _MOST_BYTES:
        raise _bad(path, 0, "is larger than 64 KiB", "A settings file has some dozen lines.")
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise _bad(path, 1, "begins with a byte order mark", "Save it as UTF-8 without BOM.")
    try:
        text = data.decode("utf-8")
        long = next((number for number, line in enumerate(data.split(b"\n"), 1) if len(line) > _LINE_MOST), 0)
        if long:
            raise _bad(path, long, f"is longer than {_LINE_MOST} bytes", "Write long lists on several lines.")
        table = tomllib.loads(text)
    except UnicodeDecodeError as cause:
        line = data[: cause.start].count(b"\n") + 1
        raise _bad(path, line, "is not UTF-8", "Save it as UTF-8.") from None
    except (ValueError, RecursionError) as cause:  # also numbers of more digits than Python reads
        found = re.search(r"at line (\d+)", str(cause))
        last = data.rstrip(b"\n").count(b"\n") + 1 if "end of document" in str(cause) else 0
        raise _bad(path, int(found[1]) if found else last, f"is not TOML: {cause}", "See docs/settings.md.") from None
    return _Reader(path, text).settings(table)


Value: TypeAlias = str | int | float | bool | Sequence[Any]
"""What TOML says of one setting; tables stand in a list."""


def settings_text(values: Mapping[str, Mapping[str, Value]]) -> str:
    """A file with these values (section, setting, value), which :func:`parse_settings` reads back."""
    lines = []
    for section, pairs in values.items():
        tables = {name: value for name, value in pairs.items() if _is_tables(value)}
        lines += _section_lines(f"[{section}]", {name: value for name, value in pairs.items() if name not in tables})
        for name, listed in tables.items():
            for table in cast("Sequence[Mapping[str, Value]]", listed):
                lines += _section_lines(f"[[{section}.{name}]]", table)
    return "\n".join(lines)


def _section_lines(header: str, pairs: Mapping[str, Value]) -> list[str]:
    return [header, *(f"{name} = {_toml(value)}" for name, value in pairs.items()), ""]


def _is_tables(value: Value) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], Mapping)


class _Reader:
    """Checks a parsed table against the sections."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._lines = [line.removesuffix("\r") for line in text.split("\n")]

    def settings(self, table: dict[str, Any]) -> Settings:
        sections = {}
        for name, content in table.items():
            if name not in SECTIONS:
                raise self._unknown("", name, SECTIONS)
            if not isinstance(content, dict):
                raise self._wrong("", name, f"is a section: write [{name}]")
            sections[name] = self._section(name, SECTIONS[name], content)
        return self._consistent(Settings(**sections))

    def _section(self, section: str, kind: type[Any], content: dict[str, Any]) -> Any:
        fields = {each.name: each for each in dataclasses.fields(kind)}
        values = {}
        for name, value in content.items():
            if name not in fields:
                raise self._unknown(section, name, fields)
            values[name] = self._value(section, fields[name], value)
        read = kind(**values)
        if isinstance(read, Named):
            wrong = read.wrong()
            if wrong is not None:
                raise self._wrong(section, *wrong)
        return read

    def _tables(self, section: str, which: dataclasses.Field[Any], value: Any) -> tuple[Any, ...]:
        """The tables of ``[[section.name]]``; no two of them, nor of its sisters, have one name."""
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self._wrong(section, which.name, f"is a list of tables: write [[{section}.{which.name}]]")
        return tuple(
            self._section(f"{section}.{which.name}.{index}", which.metadata["of"], each) for index, each in enumerate(value)
        )

    def _value(self, section: str, which: dataclasses.Field[Any], value: Any) -> Any:
        default = which.default
        if isinstance(default, float) and type(value) is int:
            value = float(value)
        kind = which.metadata["of"]
        if dataclasses.is_dataclass(kind):
            return self._tables(section, which, value)
        if isinstance(default, tuple) and isinstance(value, list) and all(type(each) is kind for each in value):
            value = tuple(value)
        if type(value) is not type(default):
            raise self._wrong(section, which.name, f"must be {_type_word(default, kind)}")
        problem = which.metadata["check"](value) if which.metadata["check"] else None
        if problem:
            raise self._wrong(section, which.name, problem)
        return value

    def _consistent(self, settings: Settings) -> Settings:
        if settings.retry.cap_seconds < settings.retry.first_seconds:
            raise self._wrong("retry", "cap_seconds", "must not be less than first_seconds")
        if (twice := settings.notify.twice()) is not None:
            raise self._wrong(*twice)
        return settings

    def _unknown(self, section: str, name: str, known: Mapping[str, object]) -> HaulageError:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0)
        what = f"{_header(section)} {shown(name)}" if section else f"[{shown(name)}]"
        return _bad(self._path, self._line(section, name), f"has the unknown setting {what}", f"Did you mean {near[0]!r}?")

    def _wrong(self, section: str, name: str, problem: str) -> HaulageError:
        what = f"{_header(section)} {name}" if section else name
        return _bad(
            self._path, self._line(section, name), f"has a setting that cannot work: {what} {problem}", "See docs/settings.md."
        )

    def _line(self, section: str, name: str) -> int:
        """Where a key stands; 0 if that cannot be told."""
        return self._line_by_reading(section, name) or self._line_by_looking(section, name)

    def _line_by_reading(self, section: str, name: str) -> int:
        """The shortest beginning of the file that has it, in whatever spelling; of a file of usual length only."""
        for number in range(1, len(self._lines) + 1 if len(self._lines) <= _LINES_READ else 0):
            with contextlib.suppress(ValueError, RecursionError):
                table = tomllib.loads("\n".join(self._lines[:number]))
                inner = _inner(table, section)
                if isinstance(inner, dict) and name in inner:
                    return number
        return 0

    def _line_by_looking(self, section: str, name: str) -> int:
        current = ""
        section = re.sub(r"\.[0-9]+$", "", section)
        for number, line in enumerate(self._lines, 1):
            header = re.match(r"\s*\[+\s*([^\]#]+?)\s*\]", line)
            if header:
                current = header[1].strip("\"'")
                if not section and current.split(".")[0] == name:
                    return number
            elif self._names(line, current, section, name):
                return number
        return 0

    @staticmethod
    def _names(line: str, current: str, section: str, name: str) -> bool:
        key = rf"\s*[\"']?{re.escape(name)}[\"']?\s*[=.]"
        dotted = rf"\s*{re.escape(section)}\s*[=.].*{re.escape(name)}"
        return bool((current == section and re.match(key, line)) or (section and not current and re.match(dotted, line)))


def _header(section: str) -> str:
    """As it is written in the file."""
    table = re.fullmatch(r"(.+)\.[0-9]+", section)
    return f"[[{table[1]}]]" if table else f"[{section}]"


def _inner(table: Any, section: str) -> Any:
    """The table of a section; ``a.b.1`` is the second of ``[[a.b]]``."""
    for part in section.split(".") if section else ():
        if isinstance(table, list):
            table = table[int(part)] if int(part) < len(table) else None
        else:
            table = table.get(part) if isinstance(table, dict) else None
    return table


def documented() -> Iterator[tuple[str, str, list[tuple[str, str, str, str, str]]]]:
    """For the reference: (section, sentence, [(name, type, default, range, sentence)])."""
    for section, kind in SECTIONS.items():
        yield _documented(section, kind)
        for each in dataclasses.fields(kind):
            if dataclasses.is_dataclass(each.metadata["of"]):
                yield _documented(f"[{section}.{each.name}]", cast("type[Any]", each.metadata["of"]))


def _documented(section: str, kind: type[Any]) -> tuple[str, str, list[tuple[str, str, str, str, str]]]:
    rows = []
    for each in dataclasses.fields(kind):
        check, of = cast("Check | None", each.metadata["check"]), each.metadata["of"]
        limits = (check.__doc__ if check else "") or ""
        if not dataclasses.is_dataclass(of):
            rows.append((each.name, _type_word(each.default, of), _toml(cast("Any", each.default)), limits, each.metadata["doc"]))
    return section, (kind.__doc__ or "").strip(), rows


def _type_word(value: object, of: type[Any] = str) -> str:
    words = {str: "text in quotes", int: "a whole number", float: "a number", bool: "true or false"}
    if isinstance(value, tuple):
        return "a list of whole numbers" if of is int else "a list of texts"
    return words[type(value)]


def _toml(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    if isinstance(value, str):
        return '"' + "".join(_toml_character(character) for character in value) + '"'
    return repr(value) if isinstance(value, float) else str(value)


def _toml_character(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _bad(path: str, line: int, problem: str, hint: str) -> UsageError:
    where = f"{path}, line {line}," if line else path
    return UsageError("bad-settings", f"{where} {problem}.", hint)
