"""What is checked before anything is changed, all of it, each refusal with its reason: ways, rights, space, services, use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from haulage.engine.servicing.errors import RefusedError, ServicingError, StepError
from haulage.engine.servicing.journal import Change
from haulage.engine.servicing.machine import Machine
from haulage.engine.servicing.path_rules import checked_rooted_path
from haulage.engine.servicing.places import Places, check_way
from haulage.engine.servicing.services import Services

MARGIN_BYTES = 1 << 20
"""For journal, record and log, and what file systems need beside."""


@dataclass
class Findings:
    """Refusals, gathered: a person wants to see all at once."""

    refusals: list[ServicingError]

    def ask(self, check: Callable[[], object]) -> bool:
        """Whether a check had nothing to object."""
        try:
            check()
        except (RefusedError, StepError) as refusal:
            self.refusals.append(refusal)
            return False
        return True


def check_ways(places: Places, paths: Iterable[str], data: Iterable[str] = ()) -> None:
    """No links on the way, no twins of another letter case. ``data`` are rooted paths. Raises RefusedError."""
    for path in paths:
        check_way(places.root, path)
    for text in data:
        full = places.rooted(text)
        path = checked_rooted_path(text, "keep")[1]
        check_way(full[: -len(path) - 1], path)


def check_rights(places: Places, changes: Sequence[Change], data: Iterable[str]) -> None:
    """Every folder that will change can be written, and owners can be given back. Raises RefusedError ``no-rights``,
    ``read-only-root`` (Q259781)."""
    folders = [places.state, *(os.path.dirname(places.file(each.path)) for each in changes)]
    folders += [os.path.dirname(places.rooted(each)) for each in data]
    for folder in dict.fromkeys(folders):
        _check_writable(folder)
    for change in changes:
        owner = None if change.before is None else change.before.owner
        if (
            owner is not None
            and os.geteuid() != 0
            and (owner[0] != os.geteuid() or owner[1] not in (os.getegid(), *os.getgroups()))
        ):
            raise RefusedError(
                "no-rights",
                f"{places.file(change.path)} belongs to user {owner[0]}, group {owner[1]}; keeping that needs their rights.",
                "Run it as that user or as root.",
            )


def _check_writable(folder: str) -> None:
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    if hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY:
        raise RefusedError("read-only-root", f"{folder} lies on a file system that is read-only.", "Mount it for writing.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise RefusedError("no-rights", f"The right to write into {folder} is missing.", "Run it as its owner, or as root.")


def needed_bytes(places: Places, changes: Sequence[Change], data: Iterable[str], tools_bytes: int) -> Mapping[str, int]:
    """Folder to the bytes that must be free there: the new contents beside the old, everything kept, one file to give back."""
    old = [0 if each.before is None else each.before.size for each in changes]
    sizes = [os.path.getsize(path) for path in map(places.rooted, data) if os.path.isfile(path)]
    needed = {places.root: sum(old) + sum(sizes) + max([*old, *sizes, 0]) + tools_bytes + MARGIN_BYTES}
    for change in changes:
        if change.after is not None:
            folder = os.path.dirname(places.file(change.path))
            needed[folder] = needed.get(folder, 0) + change.after.size
    return needed


def check_space(needed: Mapping[str, int]) -> None:
    """Free space on each file system for all that goes there. Raises RefusedError ``no-space``."""
    disks: dict[int, tuple[str, int]] = {}
    for folder, size in needed.items():
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        disk = os.stat(folder).st_dev
        disks[disk] = (folder, disks.get(disk, (folder, 0))[1] + size)
    for folder, size in disks.values():
        free = _free_bytes(folder)
        if free < size:
            raise RefusedError(
                "no-space",
                f"{size} bytes are needed at {folder} (new files beside the old, a backup of these, the largest of them once more "
                f"to give it back, and {MARGIN_BYTES} bytes for journal, record and log), and {free} are free.",
                "Make room, then run it again.",
            )


def _free_bytes(folder: str) -> int:
    if hasattr(os, "statvfs"):
        found = os.statvfs(folder)
        return found.f_bavail * found.f_frsize
    import shutil

    return shutil.disk_usage(folder).free


def check_services(services: Services) -> tuple[int, ...]:
    """They are there and may be stopped. Returns those that run. Raises RefusedError."""
    running = services.running()
    services.check_rights()
    return running


def check_unused(places: Places, changes: Sequence[Change], machine: Machine) -> None:
    """No process has a file open that will change, where that can be known. Raises RefusedError ``files-in-use``."""
    users = machine.users_of({places.file(each.path) for each in changes})
    for pid, path in sorted(users.items()):
        raise RefusedError("files-in-use", f"{path} is in use by process {pid}.", "Quit it (consoles first), then run this again.")
