"""One start of a bundle: arguments in, an exit code out. Between them the same steps as ``haulage fix install`` takes."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from haulage.engine.servicing import apply, extraction, payload, product, screens, trust_store, uninstall
from haulage.engine.servicing.apply import Looked, Options, Report
from haulage.engine.servicing.arguments import Asked, parsed
from haulage.engine.servicing.definition import FixDefinition, Outcome
from haulage.engine.servicing.errors import RefusedError, ServicingError
from haulage.engine.servicing.exits import Exit, of_error
from haulage.engine.servicing.log import Log
from haulage.engine.servicing.machine import Machine
from haulage.engine.servicing.manual import manual
from haulage.engine.servicing.payload import Payload
from haulage.engine.servicing.places import Places, opened_root
from haulage.engine.servicing.product import Product
from haulage.engine.servicing.terminal import Console, Silent, Terminal
from haulage.engine.servicing.trusted import TrustedKey
from haulage.engine.servicing.wizard import Wizard, is_product

DESCRIPTION = "A fix in one file. Without arguments it explains itself and asks."
REBOOTS = {Outcome.REBOOT: Exit.REBOOT_NEEDED, Outcome.REBOOT_BEGUN: Exit.REBOOT_BEGUN}


@dataclass(frozen=True)
class Ended:
    """How a start ended; ``facts`` is what ``--json`` prints beside the exit."""

    exit: Exit
    lines: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


def run() -> None:
    """The entry point of a bundle: the archive Python was started with."""
    sys.exit(int(main(sys.argv[1:], sys.argv[0])))


def main(words: Sequence[str], bundle: str, console: Terminal | None = None, machine: Machine | None = None) -> Exit:
    """Carry out one start of the bundle file ``bundle``; what is said goes to the console, errors to standard error."""
    asked = Asked()
    try:
        asked = parsed(words, os.path.basename(bundle), DESCRIPTION)
        terminal = console or Console()
        with _opened(bundle) as file:
            ended = Command(asked, Payload(file), terminal, machine or Machine()).carry_out()
    except SystemExit:
        return Exit.DONE  # --help
    except (ServicingError, OSError, KeyboardInterrupt) as error:
        ended = of_failure(error)
        _complain(ended, asked)
    except Exception:
        traceback.print_exc()
        return Exit.DEFECT
    else:
        _tell(ended, asked, terminal)
    return ended.exit


def _opened(bundle: str) -> BinaryIO:
    """The bundle's file. Raises ServicingError ``no-such-bundle``: nothing was begun yet, so no step failed."""
    try:
        return open(bundle, "rb")
    except OSError as cause:
        why = cause.strerror or str(cause)
        raise ServicingError("no-such-bundle", f"{bundle} cannot be read: {why}.", "Give the file of the bundle.") from cause


def of_failure(error: BaseException) -> Ended:
    """How a start ends that something stopped."""
    if isinstance(error, OSError):
        error = ServicingError("disk-failed", f"{error.filename or 'The system'}: {error.strerror or error}.", "Put that right.")
    if not isinstance(error, ServicingError):
        error = RefusedError("cancelled", "It was interrupted.", "Nothing was changed.")
    facts = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
    return Ended(of_error(error), (f"{error.message} {error.hint}".rstrip(),), facts)


def _complain(ended: Ended, asked: Asked) -> None:
    target = Console(target=sys.stderr)
    for line in (*ended.lines, exit_line(ended.exit)):
        target.say(line)
    if asked.json:
        sys.stdout.write(_json(ended) + "\n")


def _tell(ended: Ended, asked: Asked, terminal: Terminal) -> None:
    if asked.json:
        sys.stdout.write(_json(ended) + "\n")
    elif not asked.quiet:
        for line in (*ended.lines, exit_line(ended.exit)):
            terminal.say(line)


def exit_line(code: Exit) -> str:
    """The full number: a POSIX shell sees its low 8 bits only."""
    seen = f", {code.posix} in a POSIX shell" if code.posix != int(code) else ""
    return f"Exit code {int(code)} ({code.word}{seen})."


def _json(ended: Ended) -> str:
    return json.dumps({"exit": int(ended.exit), "word": ended.exit.word, "posix": ended.exit.posix, **ended.facts}, sort_keys=True)


class Command:
    """What one start does, after its arguments were read and the bundle's parts were found."""

    def __init__(self, asked: Asked, bundle: Payload, terminal: Terminal, machine: Machine) -> None:
        self._asked = asked
        self._bundle = bundle
        self._definition: FixDefinition = bundle.definition
        self._machine = machine
        self._asks = terminal.can_ask and not (asked.quiet or asked.yes or asked.json) and asked.changes_product
        self._terminal: Terminal = Silent() if asked.quiet or asked.json else terminal
        self._wizard = Wizard(self._definition, self._terminal)
        self._options = Options(force=asked.force, kill=asked.kill, log=asked.log)

    def carry_out(self) -> Ended:
        """Raises ServicingError: see ``exits.py``."""
        if self._asked.extract is not None:
            return self._extract(self._asked.extract)
        if self._asked.manual:
            steps = tuple(manual(self._definition, self._asked.root or "the product's folder"))
            return Ended(Exit.DONE, steps, {"fix": self._definition.id, "manual": list(steps)})
        if not self._asks and self._asked.changes_product and not (self._asked.quiet or self._asked.yes or self._asked.json):
            raise ServicingError("usage", "Nobody is there to answer.", "Give --yes (or --quiet), or run it at a terminal.")
        if self._asks:
            self._wizard.introduce()
        return self._uninstall() if self._asked.uninstall else self._install()

    def _extract(self, folder: str) -> Ended:
        self._bundle.check_content()
        if not self._bundle.signers():
            raise RefusedError("unsigned", "No right signature stands on the bundle.", "Get the bundle again from its maker.")
        count = extraction.extract(self._definition, self._bundle, folder)
        return Ended(Exit.DONE, (f"{count} files are in {folder}.",), {"fix": self._definition.id, "files": count})

    def _install(self) -> Ended:
        self._bundle.check_content()
        places, found = self._opened()
        keys = self._check_trust(places, found)
        log = self._log()
        looked = apply.check(places, self._definition, self._bundle.digest, self._bundle, self._machine, log, self._options)
        self._say([*screens.signed_by(keys), screens.found(looked.facts.product, places.root), *screens.healed(looked.healed)])
        if self._asked.check:
            return self._checked(looked)
        if self._asks and not looked.refusals and not looked.nothing_to_do:
            self._say(["", *screens.state(looked), ""])
            self._wizard.confirm(places.root, looked)
        report = apply.install(places, self._definition, self._bundle.digest, self._bundle, self._machine, log, self._options)
        return self._reported(replace(report, healed=report.healed or looked.healed))

    def _uninstall(self) -> Ended:
        places, _ = self._opened()
        log = self._log()
        leaving = uninstall.check_uninstall(places, self._definition.id, self._machine, log, self._options)
        self._say(screens.healed(leaving.healed))
        if self._asked.check:
            lines = (*screens.leaving_steps(leaving), *screens.refusals(leaving.refusals))
            end = of_error(leaving.refusals[0]) if leaving.refusals else Exit.DONE
            return Ended(end, lines, {"fix": self._definition.id, "refusals": _refusals(leaving.refusals)})
        if self._asks and not leaving.refusals:
            self._wizard.confirm_leaving(leaving)
        report = uninstall.uninstall(places, self._definition.id, self._machine, log, self._options)
        return self._reported(replace(report, healed=report.healed or leaving.healed))

    def _opened(self) -> tuple[Places, Product | None]:
        """The root, and the product's manifest where it has one. Raises RefusedError ``no-root``, ``product-not-found``."""
        root = self._asked.root
        if root is None:
            root = self._wizard.ask_root() if self._asks else self._present_folder()
        places = opened_root(root, {})
        found = product.read_manifest(places.root)
        named = {} if found is None else {name: os.path.join(places.root, path) for name, path in found.roots.items()}
        return opened_root(places.root, {**named, **self._asked.roots}), found

    def _present_folder(self) -> str:
        here = os.getcwd()
        if is_product(here, self._definition):
            return here
        raise ServicingError("usage", f"Nothing says where {self._definition.product.id} is installed.", "Give --root DIR.")

    def _check_trust(self, places: Places, found: Product | None) -> tuple[TrustedKey, ...]:
        """Who is answerable. Raises RefusedError (B90, B96); at a terminal an unknown key may be accepted once for all."""
        trust = trust_store.gather(places, found, self._asked.trust)
        roles = payload.roles_for(self._definition, () if found is None else found.protected)
        signers, now = self._bundle.signers(), self._machine.clock.now()
        try:
            return self._bundle.check_signed(trust.for_signers(signers), roles, now)
        except RefusedError as error:
            if error.code != "not-trusted" or not self._asks:
                raise
        key = TrustedKey(self._wizard.ask_trust(signers), name="accepted by hand")
        keys = self._bundle.check_signed((*trust.keys, key), roles, now)
        trust_store.remember(places, key)
        return keys

    def _checked(self, looked: Looked) -> Ended:
        lines = [*screens.state(looked), *screens.steps(self._definition, looked, every_file=True)]
        if looked.refusals:
            end = of_error(looked.refusals[0])
        else:
            end = Exit.INSTALLED if looked.nothing_to_do else Exit.DONE
        facts = {
            "fix": self._definition.id,
            "state": looked.detected.state.value,
            "reasons": list(looked.detected.reasons),
            "by": looked.detected.by,
            "refusals": _refusals(looked.refusals),
            "product": {"id": looked.facts.product.id, "version": looked.facts.product.version},
            "files": [{"path": each.path, "decision": each.decision.value, "reason": each.reason} for each in looked.files],
        }
        return Ended(end, tuple(lines), facts)

    def _reported(self, report: Report) -> Ended:
        facts = {
            "fix": report.fix,
            "act": None if report.act is None else report.act.value,
            "log": report.log,
            "files": [{"path": each.path, "decision": each.decision.value, "reason": each.reason} for each in report.files],
            "healed": None if report.healed is None else {"fix": report.healed.fix, "forward": report.healed.forward},
        }
        return Ended(REBOOTS.get(report.reboot, Exit.DONE), tuple(screens.ending(report)), facts)

    def _log(self) -> Log:
        return Log(self._machine.clock, self._progress())

    def _progress(self) -> Callable[[str], None]:
        return lambda line: self._terminal.say(line, "  ")

    def _say(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._terminal.say(line)


def _refusals(errors: Sequence[ServicingError]) -> list[dict[str, str]]:
    return [{"code": each.code, "message": each.message, "hint": each.hint} for each in errors]
