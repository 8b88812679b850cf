"""The arguments of a bundle: what a person asks for. Knows nothing of what is done then."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from haulage.engine.servicing.errors import ServicingError
from haulage.engine.servicing.path_rules import ROOT_NAME

OLD_SPELLINGS = {"/s": "--quiet", "/S": "--quiet", "/q": "--quiet", "/quiet": "--quiet", "/?": "--help", "/h": "--help"}
"""As installers of old were called; understood where no value is expected."""
WITH_VALUE = ("--root", "--log", "--extract", "--trust")


@dataclass(frozen=True)
class Asked:
    """What was asked. ``root`` None: the wizard asks, or the present folder if the product is there; ``roots`` are named ones."""

    root: str | None = None
    roots: dict[str, str] = field(default_factory=dict)
    quiet: bool = False
    yes: bool = False
    check: bool = False
    uninstall: bool = False
    manual: bool = False
    extract: str | None = None
    log: str = ""
    force: bool = False
    kill: bool = False
    json: bool = False
    trust: tuple[str, ...] = ()

    @property
    def changes_product(self) -> bool:
        """Whether it is to install or to take away."""
        return not (self.check or self.manual or self.extract is not None)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ServicingError("usage", f"{message[:1].upper()}{message[1:]}.", "See --help.")


def parsed(words: Sequence[str], program: str, description: str) -> Asked:
    """Raises ServicingError ``usage``; SystemExit 0 after --help."""
    found = _parser(program, description).parse_args(_modern(words))
    root, roots = _roots(found.root)
    chosen = [name for name in ("check", "uninstall", "manual", "extract") if getattr(found, name)]
    if chosen[:2] == ["check", "uninstall"]:
        del chosen[0]  # the two go together
    if len(chosen) > 1:
        raise ServicingError("usage", f"--{chosen[0]} and --{chosen[1]} are two different things.", "Give one of them.")
    return Asked(
        root=root,
        roots=roots,
        quiet=found.quiet,
        yes=found.yes,
        check=found.check,
        uninstall=found.uninstall,
        manual=found.manual,
        extract=found.extract,
        log=found.log,
        force=found.force,
        kill=found.kill,
        json=found.json,
        trust=tuple(found.trust),
    )


def _modern(words: Sequence[str]) -> list[str]:
    found: list[str] = []
    for word in words:
        takes_value = bool(found) and found[-1] in WITH_VALUE
        found.append(word if takes_value else OLD_SPELLINGS.get(word, word))
    return found


def _roots(given: Sequence[str]) -> tuple[str | None, dict[str, str]]:
    """``DIR`` is the product's own root, ``NAME=DIR`` a named one."""
    root: str | None = None
    roots: dict[str, str] = {}
    for word in given:
        name, sign, folder = word.partition("=")
        if sign and ROOT_NAME.fullmatch(name):
            roots[name] = folder
        elif root is not None:
            raise ServicingError("usage", f"--root names two folders: {root} and {word}.", "Run the bundle once for each.")
        else:
            root = word
    return roots.pop("root", root), roots


def _parser(program: str, description: str) -> argparse.ArgumentParser:
    parser = _Parser(prog=program, description=description, allow_abbrev=False, epilog="Exit codes: docs/fix-bundles.md.")
    add = parser.add_argument
    add("--root", action="append", default=[], metavar="DIR", help="folder of the product; NAME=DIR for another folder it uses")
    add("--quiet", "-q", action="store_true", help="no question, and nothing said but errors (also /s)")
    add("--yes", "-y", action="store_true", help="no question, but say what is done")
    add("--check", action="store_true", help="say what would be done and why; change nothing")
    add("--uninstall", action="store_true", help="take the fix away; with --check only say what that would do")
    add("--extract", metavar="DIR", help="lay the files into a new folder; change no product")
    add("--manual", action="store_true", help="print how to do it by hand")
    add("--log", default="", metavar="FILE", help="another log file than Logs/<fix>.log below the root")
    add("--trust", action="append", default=[], metavar="KEY", help="whose signature counts: a file of keys, or a fingerprint")
    add("--force", action="store_true", help="install although superseded, or although it cannot be told whether it belongs here")
    add("--kill", action="store_true", help="end services by force that do not stop in time")
    add("--json", action="store_true", help="print the outcome as one line of JSON")
    return parser
