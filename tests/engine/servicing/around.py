"""A product in a folder with its made-up surroundings, as the tests of servicing use it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from haulage.engine.servicing import apply, uninstall
from haulage.engine.servicing.apply import Looked, Options, Report
from haulage.engine.servicing.definition import FixDefinition, FixFile
from haulage.engine.servicing.log import Log
from haulage.engine.servicing.machine import Machine
from haulage.engine.servicing.places import Places, opened_root
from haulage.engine.servicing.switch import Contents
from haulage.testing.crash_points.press import FIX, FIX_CONTENT, RUNNING, Surroundings, write_product

DIGEST = "a" * 64
PLAIN = replace(FIX, programs=(), services=(), keep=(), files=FIX.files[:4])
"""The fix without anything but files."""


class Press:
    """One machine with the press on it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "press"
        self.root.mkdir()
        write_product(str(self.root))
        self.around = Surroundings(str(self.root), str(folder / "services.json"))
        self.around.set_running(RUNNING)
        self.lines: list[str] = []
        self.machine: Machine = self.around.machine

    @property
    def places(self) -> Places:
        return opened_root(str(self.root))

    @property
    def log(self) -> Log:
        return Log(self.around, self.lines.append)

    def install(
        self, fix: FixDefinition = FIX, content: Contents = FIX_CONTENT, digest: str = DIGEST, options: Options | None = None
    ) -> Report:
        return apply.install(self.places, fix, digest, content, self.machine, self.log, options or Options())

    def check(self, fix: FixDefinition = FIX, content: Contents = FIX_CONTENT, options: Options | None = None) -> Looked:
        return apply.check(self.places, fix, DIGEST, content, self.machine, self.log, options or Options())

    def uninstall(self, fix: str = FIX.id, options: Options | None = None) -> Report:
        return uninstall.uninstall(self.places, fix, self.machine, self.log, options or Options())

    def everything(self) -> dict[str, tuple[bytes, int, int]]:
        """Every file below the root but logs and the lock: bytes, mode, time of change."""
        return {
            str(path.relative_to(self.root)): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
            for path in self.root.rglob("*")
            if path.is_file() and "Logs" not in path.parts and path.name != "lock"
        }


def codes(looked: Looked) -> list[str]:
    """Why it would be refused."""
    return [each.code for each in looked.refusals]


def with_file(fix: FixDefinition, path: str, **changes: object) -> FixDefinition:
    """A fix in which one file is otherwise."""
    files: list[FixFile] = [replace(each, **changes) if each.path == path else each for each in fix.files]  # type: ignore[arg-type]
    return replace(fix, files=tuple(files))
