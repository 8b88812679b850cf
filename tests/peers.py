"""Programs of others that some tests need. Absent ones are skipped with one clear line, or fail where skipping is not allowed."""

from __future__ import annotations

import functools
import glob
import os
import shutil
import subprocess
import tempfile

import pytest

ABSENT: dict[str, str] = {}
"""Peers that a test asked for and that are not here: name to what is missing. Shown once at the end."""

_PROGRAMS: dict[str, tuple[str, ...]] = {
    "ntfs-3g": ("mkntfs", "ntfs-3g", "ntfsls", "ntfscat", "ntfsinfo", "ntfscp"),
    "samba": ("smbd",),
    "chromium": ("chromium",),
    "fuse": ("fusermount3",),
    "attr": ("setfattr", "getfattr"),
    "acl": ("setfacl", "getfacl"),
    "systemd": ("systemd-analyze",),
    "bash": ("bash",),
    "zsh": ("zsh",),
    "fish": ("fish",),
}

_FOLDERS = ("/usr/sbin", "/sbin", "/usr/local/sbin")
"""Where Debian keeps what an ordinary user's PATH does not name."""


def need(peer: str) -> None:
    """Go on only if ``peer`` is here: ``ntfs-3g``, ``samba``, ``postgresql``, ``chromium``, ``fuse``, ``attr``, ``acl``,
    ``systemd``, ``bash``, ``zsh``, ``fish``, ``root``, ``mount`` (of a file system in memory), ``loop`` (of one in a
    file), ``xfs`` and ``btrfs`` (in a file)."""
    missing = _missing(peer)
    if missing is None:
        return
    ABSENT[peer] = missing
    if os.environ.get("HAULAGE_NO_SKIP") == "1":
        pytest.fail(f"{peer} is needed and may not be skipped: {missing}", pytrace=False)
    pytest.skip(f"{peer} is not here: {missing}")


def program(name: str) -> str | None:
    """The path of a program, looked for in the system's folders too."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *_FOLDERS)))


def postgresql_folder() -> str | None:
    """The folder with initdb and postgres of the newest PostgreSQL installed."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: path.split("/")[4].zfill(4))
    for folder in reversed(folders):
        if os.access(os.path.join(folder, "initdb"), os.X_OK):
            return folder
    found = program("initdb")
    return os.path.dirname(os.path.realpath(found)) if found else None


def _missing(peer: str) -> str | None:
    if peer == "postgresql":
        return None if postgresql_folder() else "no initdb found"
    if peer == "mount":
        return _cannot_mount()
    if peer == "loop":
        return _cannot_mount() or _cannot_loop()
    if peer in _FILE_SYSTEMS:
        return _cannot_mount() or _cannot_loop() or _cannot_make(peer)
    if peer == "root":
        return None if os.geteuid() == 0 else "not running as root"
    absent = [name for name in _PROGRAMS[peer] if program(name) is None]
    if absent:
        return f"no program {', '.join(absent)}"
    if peer == "fuse" and not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse cannot be opened"
    return None


_FILE_SYSTEMS = ("xfs", "btrfs")


def _cannot_make(peer: str) -> str | None:
    return None if program(f"mkfs.{peer}") else f"no program mkfs.{peer}"


@functools.cache
def _cannot_mount() -> str | None:
    folder = tempfile.mkdtemp(prefix="haulage-mount-")
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False)
        if done.returncode:
            return "this user may not mount"
        subprocess.run(["umount", folder], check=True)
        return None
    except FileNotFoundError:
        return "no program mount"
    finally:
        os.rmdir(folder)


@functools.cache
def _cannot_loop() -> str | None:
    absent = [name for name in ("losetup", "mkfs.ext4") if program(name) is None]
    if absent:
        return f"no program {', '.join(absent)}"
    done = subprocess.run([program("losetup") or "losetup", "--find"], capture_output=True, check=False)
    return "no loop device can be had" if done.returncode else None
