"""What of a folder would survive a power cut, and the states it may leave. Bytes survive the fsync of their file, names the fsync
of their folder; of all else any part may. Knows of SQLite that a commit syncs its log before it returns, and nothing else.

Renames within a folder happen wholly or not at all, and nothing orders one folder after another.
"""

from __future__ import annotations

import enum
import os
import random
import stat
from dataclasses import dataclass

BLOCK_BYTES = 512
"""What a disk writes as one."""
DATABASE = "site.db"
_LOG = DATABASE + "-wal"
_SHARED_MEMORY = DATABASE + "-shm"


class Left(enum.Enum):
    """What a death leaves of what was written."""

    KILLED = "killed"
    """Everything: only the process is gone."""
    LOST = "lost"
    """Only what was synced."""
    EMPTY = "empty"
    """All names, and only the bytes that were synced (F5: the rename was kept, the data lost)."""
    SOME = "some"
    """Any part of the names, and of each file any prefix of what was not synced."""
    TORN = "torn"
    """All names and lengths, but where a file's last unsynced blocks should be are zeros or noise."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A file, folder or link as it was at some moment."""

    mode: int
    mtime_ns: int = 0
    attributes: tuple[tuple[str, bytes], ...] = ()
    data: bytes = b""


class DurableDisk:
    """Watches one folder. Whatever is in it at first is durable."""

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root)
        self._nodes: dict[int, _Node] = {}
        """What is durable of each inode."""
        self._names: dict[int, dict[str, int]] = {}
        """Folder to its durable names."""
        self._held: list[int] = []
        """Open, so that no inode number is given twice."""
        self.sync_below(self._root)

    def close(self) -> None:
        """Let go of what was watched."""
        for fd in self._held:
            os.close(fd)
        self._held.clear()

    def before_step(self, name: str) -> None:
        """A durable step is about to happen. What a commit wrote is durable once it is over, which nobody was told at
        ``committed``."""
        if name != "committed":
            self._sync_log()

    def synced(self, fd: int) -> None:
        """An open file or folder was synced."""
        path = os.readlink(f"/proc/self/fd/{fd}")
        if path == self._root or path.startswith(self._root + "/"):
            self._sync(f"/proc/self/fd/{fd}")

    def sync_below(self, path: str) -> None:
        """Everything below a folder was synced."""
        self._sync(path)
        if stat.S_ISDIR(os.lstat(path).st_mode):
            for item in os.scandir(path):
                self.sync_below(item.path)

    def sync_top(self, fd: int) -> None:
        """The file system of an open folder was synced: of that we believe only what lies in the same part of this disk."""
        path = os.readlink(f"/proc/self/fd/{fd}")
        if path.startswith(self._root + "/"):
            self.sync_below(os.path.join(self._root, os.path.relpath(path, self._root).split("/")[0]))

    def leave(self, out: str, left: Left, chance: random.Random) -> None:
        """Write into a new folder what a death now would leave."""
        _Leaving(self._nodes, self._names, left, chance).folder(_number(self._root), self._root, out)

    def _sync(self, path: str) -> None:
        follow = path.startswith("/proc/")
        node, number = read_node(path, follow=follow), os.stat(path, follow_symlinks=follow).st_ino
        if number not in self._nodes:
            self._held.append(os.open(path, os.O_PATH | (0 if follow else os.O_NOFOLLOW)))
        self._nodes[number] = node
        if stat.S_ISDIR(node.mode):
            self._names[number] = {name: child for name, child in names_of(path).items() if not _is_database(name)} | {
                name: child for name, child in self._names.get(number, {}).items() if _is_database(name)
            }

    def _sync_log(self) -> None:
        """SQLite syncs its log with each commit, and the folder when it makes one; it writes into the database only what is durable
        in the log."""
        home = os.path.join(self._root, "home")
        for name in (DATABASE, _LOG):
            path = os.path.join(home, name)
            if os.path.exists(path):
                self._sync(path)
                self._names.setdefault(_number(home), {})[name] = _number(path)
            elif os.path.exists(home):
                self._names.setdefault(_number(home), {}).pop(name, None)


class _Leaving:
    """One state after one death."""

    def __init__(self, nodes: dict[int, _Node], names: dict[int, dict[str, int]], left: Left, chance: random.Random) -> None:
        self._nodes = nodes
        self._durable_names = names
        self._left = left
        self._chance = chance
        self._made: dict[int, str] = {}

    def folder(self, number: int, path: str | None, out: str) -> None:
        """A folder as it will be found; ``path`` where it is now, if it still is anywhere."""
        os.mkdir(out)
        now = {} if path is None else names_of(path)
        durable = self._durable_names.get(number, {})
        for name, child in sorted(self._choose_names(durable, now).items()):
            if name != _SHARED_MEMORY:
                there = None if path is None or now.get(name) != child else os.path.join(path, name)
                self._node(child, there, os.path.join(out, name), name)
        self._settle(out, self._facts(number, path))

    def _choose_names(self, durable: dict[str, int], now: dict[str, int]) -> dict[str, int]:
        if self._left is Left.LOST:
            return durable
        if self._left is not Left.SOME:
            return now
        chosen = dict(durable)
        for group in _changes(durable, now):
            if self._chance.random() < 0.5:
                for name in group:
                    chosen.pop(name, None)
                    if name in now:
                        chosen[name] = now[name]
        return chosen

    def _facts(self, number: int, path: str | None) -> _Node:
        if path is not None:
            return read_node(path)
        return self._nodes.get(number, _Node(stat.S_IFREG | 0o644))

    def _node(self, number: int, path: str | None, out: str, name: str) -> None:
        if number in self._made:
            os.link(self._made[number], out, follow_symlinks=False)
            return
        node = self._facts(number, path)
        if stat.S_ISDIR(node.mode):
            self.folder(number, path, out)
            return
        if stat.S_ISLNK(node.mode):
            os.symlink(os.fsdecode(node.data), out)
        else:
            with open(out, "xb") as file:
                file.write(self._bytes(number, node, name, there=path is not None))
        self._settle(out, node)
        self._made[number] = out

    def _bytes(self, number: int, node: _Node, name: str, *, there: bool) -> bytes:
        known = self._nodes.get(number)
        durable = known.data if known is not None else b""
        if not there or name == DATABASE or self._left is Left.KILLED:
            return node.data
        if self._left in (Left.LOST, Left.EMPTY) or node.data == durable:
            return durable
        return self._part(durable, node.data)

    def _part(self, durable: bytes, now: bytes) -> bytes:
        """Some of what was not synced arrived."""
        same = _common(durable, now)
        if same == len(now):  # it was cut, or nothing was added
            return self._chance.choice([durable, now])
        kept = self._chance.randint(same, len(now) - 1)
        if self._left is Left.SOME:
            return now[:kept] + durable[kept:]
        kept -= kept % BLOCK_BYTES if kept - kept % BLOCK_BYTES >= same else 0
        rest = len(now) - kept
        return now[:kept] + (bytes(rest) if self._chance.random() < 0.5 else self._chance.randbytes(rest))

    @staticmethod
    def _settle(out: str, node: _Node) -> None:
        if node.mtime_ns:
            os.utime(out, ns=(node.mtime_ns, node.mtime_ns), follow_symlinks=False)
        if stat.S_ISLNK(node.mode):
            return
        for key, value in node.attributes:
            os.setxattr(out, key, value)
        os.chmod(out, stat.S_IMODE(node.mode))


def names_of(path: str) -> dict[str, int]:
    """The names in a folder with their inodes."""
    return {item.name: item.inode() for item in os.scandir(path)}


def read_node(path: str, *, follow: bool = False) -> _Node:
    """Everything of one file, folder or link, not what lies in it."""
    facts = os.stat(path, follow_symlinks=follow)
    if stat.S_ISLNK(facts.st_mode):
        return _Node(facts.st_mode, facts.st_mtime_ns, data=os.fsencode(os.readlink(path)))
    attributes: tuple[tuple[str, bytes], ...] = ()
    if not path.startswith("/proc/") or stat.S_ISREG(facts.st_mode):
        attributes = tuple((key, os.getxattr(path, key)) for key in os.listxattr(path) if key.startswith("user."))
    data = b""
    if stat.S_ISREG(facts.st_mode):
        with open(path, "rb") as file:
            data = file.read()
    return _Node(facts.st_mode, facts.st_mtime_ns, attributes, data)


def _changes(durable: dict[str, int], now: dict[str, int]) -> list[list[str]]:
    """Names that changed, those that changed by one rename together."""
    changed = sorted(name for name in {*durable, *now} if durable.get(name) != now.get(name))
    group_of = {name: {name} for name in changed}
    for gone in changed:
        for come in changed:
            if gone != come and durable.get(gone) is not None and durable.get(gone) == now.get(come):
                joined = group_of[gone] | group_of[come]
                for name in joined:
                    group_of[name] = joined
    groups: list[list[str]] = []
    for name in changed:
        if name == min(group_of[name]):
            groups.append(sorted(group_of[name]))
    return groups


def _common(one: bytes, other: bytes) -> int:
    """How many first bytes are the same."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def _number(path: str) -> int:
    return os.stat(path, follow_symlinks=False).st_ino


def _is_database(name: str) -> bool:
    return name.startswith(DATABASE)
