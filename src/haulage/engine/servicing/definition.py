"""What a fix is: which files or programs repair which product, what it needs, replaces and contains. Values only."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

FIX_ID = "[A-Z][A-Z0-9-]{1,31}"
"""A fix is called by its article (``Q316316``) or by a name of that form."""
PRODUCT_ID = "[a-z0-9][a-z0-9.-]{0,63}"
ANY = "any"


class FileAction(enum.Enum):
    """What becomes of one file."""

    REPLACE = "replace"
    """Must be there (or be added if ``before`` is empty and it is not) and gets new content."""
    ADD = "add"
    """Comes new; content already there is overwritten under the same rules as by ``REPLACE``."""
    REMOVE = "remove"
    """Is taken away; already away is well."""
    TOOL = "tool"
    """Travels with the bundle for its programs, lies in a private folder while they run, never comes under the product's root."""


class When(enum.Enum):
    """At which moment a program runs."""

    CHECK = "check"
    """In preflight, before anything is changed: its failure refuses the fix."""
    BEFORE = "before"
    """After services have stopped and files are backed up, before files are switched."""
    AFTER = "after"
    """After files are switched, before services start."""
    VERIFY = "verify"
    """After services have started: its failure undoes the fix (Q299435)."""


class Outcome(enum.Enum):
    """What an exit code of a program means."""

    OK = "ok"
    REBOOT = "reboot"
    REBOOT_BEGUN = "reboot-begun"
    FAILED = "failed"


USUAL_EXITS: Mapping[int, Outcome] = {0: Outcome.OK, 3010: Outcome.REBOOT, 1641: Outcome.REBOOT_BEGUN}
"""What exit codes mean where the definition does not say; any other is a failure (B95)."""


class ServiceKind(enum.Enum):
    """How a service is stopped, started and looked at."""

    SYSTEMD = "systemd"
    WINDOWS = "windows"
    PIDFILE = "pidfile"


class Reboot(enum.Enum):
    """Whether the machine must be started again afterwards."""

    NO = "no"
    MAY = "may"
    MUST = "must"


@dataclass(frozen=True)
class KnownState:
    """Content a file may have before the fix: older than what the fix brings, whatever its version says."""

    sha256: str
    version: str | None = None


@dataclass(frozen=True)
class FixFile:
    """One file. ``path`` is relative to the product's root; ``sha256`` (64 hexadecimal digits), ``size`` (bytes) and ``mode``
    (permission bits) are those after the fix, empty and 0 for ``REMOVE``. ``version`` is None where the file carries none. Where a
    ``shared`` file stands in a later version already, that one stays and the rest of the fix is applied (Q264630); for any other
    file it refuses the fix."""

    path: str
    action: FileAction
    sha256: str = ""
    size: int = 0
    mode: int = 0o644
    version: str | None = None
    before: tuple[KnownState, ...] = ()
    shared: bool = False

    @property
    def carried(self) -> bool:
        """Whether the payload holds its content."""
        return self.action is not FileAction.REMOVE

    @property
    def placed(self) -> bool:
        """Whether it stands under the product's root afterwards."""
        return self.action in (FileAction.REPLACE, FileAction.ADD)


@dataclass(frozen=True)
class Program:
    """A program of the fix. Arguments may hold ``{root}``, ``{tools}`` (the folder of carried tools), ``{python}`` (the
    interpreter that runs the bundle) and ``{NAME}`` for each named root; no shell is started. ``undo`` runs when the fix is undone
    after this program was begun. ``exits`` is asked before ``USUAL_EXITS``."""

    when: When
    command: tuple[str, ...]
    undo: tuple[str, ...] | None = None
    timeout_seconds: int = 300
    exits: Mapping[int, Outcome] = field(default_factory=dict)

    def outcome(self, code: int) -> Outcome:
        """What ``code`` means for this program."""
        return self.exits.get(code, USUAL_EXITS.get(code, Outcome.FAILED))


@dataclass(frozen=True)
class Service:
    """A service that must not run while files are switched. Stopped in the order of the definition, started in reverse.

    ``pid_file`` (a rooted path), ``start`` and ``stop`` are for ``PIDFILE``: ``start`` is the command that starts it; without
    ``stop`` the process is asked to end by SIGTERM. A service that is not ``required`` may be missing on a machine.
    """

    kind: ServiceKind
    name: str
    pid_file: str | None = None
    start: tuple[str, ...] | None = None
    stop: tuple[str, ...] | None = None
    stop_seconds: int = 60
    start_seconds: int = 60
    required: bool = True


@dataclass(frozen=True)
class Probe:
    """How the product's version is found where it has no ``product.json``: the version of one of its files."""

    path: str


@dataclass(frozen=True)
class ProductRange:
    """Which installed products the fix is for.

    ``versions`` is a range as ``level.py`` reads it (``>=2.0.1380,<2.1``; ``any``); ``service_levels`` are the levels it is for
    (empty: all), ``levels_order`` all levels of the product, oldest first.
    """

    id: str
    versions: str = ANY
    service_levels: tuple[str, ...] = ()
    levels_order: tuple[str, ...] = ()
    architecture: str = ANY
    language: str = ANY
    probe: Probe | None = None


@dataclass(frozen=True)
class Becomes:
    """What the product is called after a service pack; None keeps what it was."""

    version: str | None = None
    service_level: str | None = None


@dataclass(frozen=True)
class Requirements:
    """What must stand before: all of the fixes (or what supersedes or contains them), and the least service level."""

    fixes: tuple[str, ...] = ()
    service_level: str | None = None


@dataclass(frozen=True)
class Breakage:
    """Something this fix is known to break, and the fix that mends it."""

    what: str
    mended_by: str | None = None


@dataclass(frozen=True)
class Schema:
    """The form of shared data after the fix: two fixes that leave one ``name`` in two forms conflict unless ordered (Q192922)."""

    name: str
    form: str


@dataclass(frozen=True)
class Detection:
    """One thing that is so where the fix is installed: all of them must hold. ``sha256`` and ``versions`` may both be None:
    then only ``present`` counts."""

    path: str
    present: bool = True
    sha256: str | None = None
    versions: str | None = None


@dataclass(frozen=True)
class FixDefinition:
    """A fix. ``contains`` makes it a rollup or service pack; ``supersedes`` are fixes it replaces wholly; ``after`` are fixes it
    comes after wherever both are wanted; ``mends`` are fixes whose damage it repairs; ``keep`` are rooted paths (``home:site.db``)
    that programs may change and that are backed up and restored with the files; ``detect`` empty means: all files as the fix
    leaves them, or later."""

    id: str
    title: str
    product: ProductRange
    article: str | None = None
    explanation: str = ""
    files: tuple[FixFile, ...] = ()
    programs: tuple[Program, ...] = ()
    services: tuple[Service, ...] = ()
    keep: tuple[str, ...] = ()
    requires: Requirements = field(default_factory=Requirements)
    supersedes: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    breaks: tuple[Breakage, ...] = ()
    mends: tuple[str, ...] = ()
    schemas: tuple[Schema, ...] = ()
    detect: tuple[Detection, ...] = ()
    becomes: Becomes = field(default_factory=Becomes)
    reboot: Reboot = Reboot.NO
    uninstallable: bool = True

    @property
    def replaces(self) -> tuple[str, ...]:
        """Every fix that is not needed beside this one: superseded or contained, each once."""
        return tuple(dict.fromkeys((*self.supersedes, *self.contains)))

    def programs_at(self, when: When) -> tuple[Program, ...]:
        """Its programs of one moment, in order."""
        return tuple(each for each in self.programs if each.when is when)
