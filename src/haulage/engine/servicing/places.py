"""Where servicing keeps what under a product's root, and how the paths of a fix become paths of this machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field

from haulage.engine.servicing import durable
from haulage.engine.servicing.errors import RefusedError
from haulage.engine.servicing.path_rules import STATE_FOLDER, checked_path, checked_rooted_path

ROOT = "root"
LOGS = "Logs"


@dataclass(frozen=True)
class Places:
    """One product: its root and other roots by name (``home``), absolute and without links in them."""

    root: str
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        return os.path.join(self.root, STATE_FOLDER)

    @property
    def lock(self) -> str:
        return os.path.join(self.state, "lock")

    @property
    def journal(self) -> str:
        return os.path.join(self.state, "journal.json")

    @property
    def record(self) -> str:
        return os.path.join(self.state, "record.json")

    @property
    def fixes(self) -> str:
        """One folder for each fix that is installed or under way, named by the number of its servicing."""
        return os.path.join(self.state, "fixes")

    def fix(self, sequence: int) -> str:
        return os.path.join(self.fixes, f"{sequence:06}")

    def definition(self, sequence: int) -> str:
        return os.path.join(self.fix(sequence), "definition.json")

    def kept_file(self, sequence: int, index: int) -> str:
        """The old content of a changed file."""
        return os.path.join(self.fix(sequence), f"file-{index}")

    def kept_data(self, sequence: int, index: int) -> str:
        """The old content of something that programs may change."""
        return os.path.join(self.fix(sequence), f"data-{index}")

    def tools(self, sequence: int) -> str:
        """Files that travel with the bundle for its programs."""
        return os.path.join(self.fix(sequence), "tools")

    def log(self, fix: str) -> str:
        return os.path.join(self.root, LOGS, f"{fix}.log")

    def file(self, path: str) -> str:
        """A file of the product by its path in the fix."""
        return os.path.join(self.root, *checked_path_or_product(path).split("/"))

    def staged(self, path: str, sequence: int, index: int) -> str:
        """Where the new content of a file stands before the switch: beside it, for one rename within one folder."""
        return os.path.join(os.path.dirname(self.file(path)), f".servicing-{sequence:06}-{index}")

    def rooted(self, text: str) -> str:
        """``home:site.db`` below a named root. Raises RefusedError ``no-such-root``."""
        name, path = checked_rooted_path(text, "path")
        base = self.root if name == ROOT else self.others.get(name)
        if base is None:
            raise RefusedError(
                "no-such-root", f"The fix speaks of {text}, but nothing says where {name} is.", f"Give --root {name}=FOLDER too."
            )
        return os.path.join(base, *path.split("/"))

    def make(self) -> None:
        """The folder of servicing itself."""
        if os.path.islink(self.state):
            raise RefusedError("link-on-the-way", f"{self.state} is a symbolic link.", "Put the folder itself there.")
        durable.make_folder(self.state, 0o755)  # an inventory reads the record; what is kept may be secret
        durable.make_folder(self.fixes, 0o700)


def checked_path_or_product(path: str) -> str:
    """As :func:`checked_path`; the product's own manifest may be named as well, which only servicing itself does."""
    return path if path == "product.json" else checked_path(path, "path")


def opened_root(folder: str, others: Mapping[str, str] | None = None) -> Places:
    """Raises RefusedError ``no-root`` if it is no folder. Links above the root are the machine's business and resolved here."""
    found = {}
    for name, path in {ROOT: folder, **(others or {})}.items():
        if not os.path.isdir(path):
            raise RefusedError("no-root", f"There is no folder {path}.", f"Give the folder of the product with --root ({name}).")
        found[name] = os.path.realpath(path)
    return Places(root=found.pop(ROOT), others=found)


def check_way(base: str, path: str) -> str:
    """The path below ``base``, with no link on the way and no other spelling of the same name beside it. Raises RefusedError
    ``link-on-the-way``, ``case-twin``, ``not-a-file``."""
    at = base
    parts = path.split("/")
    for number, part in enumerate(parts):
        _check_spelling(at, part)
        at = os.path.join(at, part)
        try:
            mode = os.lstat(at).st_mode
        except FileNotFoundError:
            break
        if stat.S_ISLNK(mode):
            raise RefusedError("link-on-the-way", f"{at} is a symbolic link.", "Put the folder or file itself there.")
        if number < len(parts) - 1 and not stat.S_ISDIR(mode):
            raise RefusedError("not-a-file", f"{at} is no folder, but the fix has files below it.", "Remove or rename it.")
    return os.path.join(base, *parts)


def _check_spelling(folder: str, name: str) -> None:
    try:
        twins = [each for each in os.listdir(folder) if each != name and each.casefold() == name.casefold()]
    except (FileNotFoundError, NotADirectoryError):
        return
    if twins:
        raise RefusedError(
            "case-twin",
            f"{os.path.join(folder, twins[0])} is there, and the fix speaks of {name}: the same name in other letter case.",
            "Rename or remove it; on some systems the two are one file.",
        )
