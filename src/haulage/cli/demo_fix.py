"""The demo's second part, the story of Q316316: a product fails, the knowledge base names the article and the fix that helps now, a
bundle of it is built, distributed, run, killed in the middle, healed, and taken away again. Each act checks what must hold."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field

from haulage.cli.client import Row, path
from haulage.cli.demo_acts import Told
from haulage.cli.demo_stage import Stage
from haulage.cli.output import size_text
from haulage.testing import demo_press as press

_AT = "CHI"
_BUNDLE_SECONDS = 60.0


@dataclass(slots=True)
class Press:
    """The product on CHI's machine, and what its maker has."""

    stage: Stage
    root: str
    bundle: str = ""
    package: str = ""
    files: dict[str, str] = field(default_factory=dict)

    @property
    def log(self) -> str:
        """What the service wrote."""
        return _text(os.path.join(self.root, *press.LOG.split("/")))

    def pid(self) -> int:
        """Of the service; 0 while it does not run."""
        with contextlib.suppress(OSError, ValueError):
            number = int(_text(os.path.join(self.root, *press.PID_FILE.split("/"))))
            os.kill(number, 0)
            return number
        return 0

    def run(self, *words: str) -> int:
        """The bundle, by itself, with nothing but a Python; returns its exit code."""
        with open(self.stage.path("bundle.log"), "ab") as log:
            done = subprocess.run(self.command(*words), stdout=log, stderr=log, timeout=_BUNDLE_SECONDS, check=False)
        return done.returncode

    def command(self, *words: str) -> list[str]:
        """The bundle as a person would start it."""
        trust = self.stage.path("maker.key.pub")
        return [sys.executable, "-I", "-S", self.bundle, "--root", self.root, "--trust", trust, *words]

    def stop(self) -> None:
        """The service ends with the demo."""
        if pid := self.pid():
            os.kill(pid, signal.SIGTERM)


def fails(stage: Stage) -> tuple[Press, Told]:
    """A product with a known defect says so in its log; the articles reached CHI from HQ1; diagnosis names article and fix."""
    made = Press(stage, stage.path("press"))
    press.install(made.root)
    made.files = press.files_of(made.root)
    _start(made)
    stage.until(lambda: press.FAILURE in made.log and made.pid() > 0, 20.0, "the press did not fail as it should")
    press.write_articles(stage.path("kb"))
    for name in (press.ROLLUP, press.SECOND, press.DEFECT):
        stage.run("HQ1", "kb", "import", stage.path("kb", f"{name}.md"))
    client = stage.client(_AT)

    def is_known() -> bool:
        return all(client.get("/search", {"text": name})["total"] for name in (press.DEFECT, press.ROLLUP))

    stage.until(is_known, 60.0, f"the articles did not become known at {_AT}")
    likely = stage.run(_AT, "kb", "diagnose", "--file", os.path.join(made.root, *press.LOG.split("/")))
    _check(stage, bool(likely) and likely[0]["id"] == press.DEFECT, f"diagnosis named {[row['id'] for row in likely]}")
    fix = likely[0]["fix"]
    chain = {(edge["fix"], edge["by"]) for edge in fix["chain"]} if fix else set()
    _check(stage, (press.DEFECT, press.SECOND) in chain, f"the fix of {press.DEFECT} is not known to be superseded: {fix}")
    _check(stage, fix["id"] == press.ROLLUP and not fix["here"], f"the rollup is not what helps: {fix}")
    line = (
        f"the press at {_AT} logs “{press.FAILURE}”; kb diagnose names {press.DEFECT}: its fix is contained in {press.SECOND}, "
        f"both are in the rollup {press.ROLLUP}, of which no bundle is here yet"
    )
    return made, Told(title="A known defect", line=line, number=f"{likely[0]['id']} first of {len(likely)}, fix {fix['id']}")


def built(made: Press) -> Told:
    """Two fixes and their rollup are built and signed; HQ1 takes the rollup in, and CHI has it."""
    stage = made.stage
    key = _fix(stage, "keys", "new", stage.path("maker.key"))
    trees = [stage.path(f"tree{state}") for state in range(3)]
    for state, tree in enumerate(trees):
        press.write_product(tree, state)
    first = _built(stage, press.DEFECT, "build", *trees[:2])
    second = _built(stage, press.SECOND, "build", *trees)
    rollup = _built(stage, press.ROLLUP, "rollup", first["path"], second["path"])
    fix = stage.run("HQ1", "fix", "import", rollup["path"], "--trust", key["id"])
    made.package = str(fix["package"])
    stage.run("HQ1", "package", "assign", made.package, "--to", _AT)
    client = stage.client("HQ1")
    stage.until(lambda: client.get(path("packages", made.package))["version"] == 1, 60.0, "the rollup was not captured")
    stage.run("HQ1", "package", "status", made.package, "--wait", "present", "--timeout", "60s")
    target = stage.path("from-chi")
    stage.run(_AT, "package", "extract", made.package, "--to", target)
    made.bundle = os.path.join(target, f"{press.ROLLUP}.pyz")
    _check(stage, _bytes(made.bundle) == _bytes(rollup["path"]), "the bundle at CHI is not the one that was built")
    helps = stage.run(_AT, "kb", "show", press.DEFECT)["fix"]
    _check(stage, helps["here"] and helps["package"] == made.package, f"{_AT} does not say that the fix is here: {helps}")
    line = (
        f"{press.DEFECT} and {press.SECOND} became one bundle of {size_text(rollup['bytes'])}, signed; HQ1 imported it as "
        f"{made.package}, and {_AT} has it, byte for byte"
    )
    return Told(title="A rollup", line=line, number=f"{rollup['files']} files, {size_text(rollup['bytes'])}")


def run(made: Press) -> Told:
    """Checked, begun and killed in the middle, healed by the next start, and installed."""
    stage = made.stage
    before = made.pid()
    _check(stage, made.run("--check") == 0, "the check refused the bundle")
    _kill_in_the_middle(made)
    _check(stage, made.run("--check") == 0, "the bundle did not heal what the kill left")
    _check(stage, press.files_of(made.root) == made.files, "after the kill the files are not as before")
    stage.until(lambda: made.pid() > 0, 20.0, "after the kill the service does not run")
    _check(stage, made.run("--quiet") == 0, "the bundle did not install")
    after = made.pid()
    _check(stage, after not in (0, before), "the service was not started again")
    record = json.loads(_text(os.path.join(made.root, ".servicing", "record.json")))
    now = press.files_of(made.root)
    changed = sorted(name for name, digest in now.items() if made.files.get(name) != digest)
    _check(stage, len(changed) == 2, f"the bundle changed {changed}")
    _check(stage, press.FAILURE not in made.log.rsplit(" begins", 1)[1], "the defect is still there")
    _check(stage, press.ROLLUP in json.dumps(record), "the record does not name the rollup")
    said = _text(os.path.join(made.root, "Logs", f"{press.ROLLUP}.log"))
    lines = [line for line in said.splitlines() if "service press" in line]
    _check(
        stage, any("stopped" in line for line in lines) and any("started" in line for line in lines), "the log lacks the service"
    )
    line = (
        "checked, then killed while the service was down: the next start put everything back and the service up; installed, "
        f"{len(changed)} files are the new ones, the service runs anew and compresses streams"
    )
    return Told(title="It is run", line=line, number=f"{len(changed)} files, {len(said.splitlines())} lines of log")


def taken_away(made: Press) -> Told:
    """Uninstalled: the product is what it was."""
    stage = made.stage
    _check(stage, made.run("--uninstall", "--quiet") == 0, "the bundle could not be uninstalled")
    _check(stage, press.files_of(made.root) == made.files, "after uninstalling the files are not what they were")
    _check(stage, made.pid() > 0 and press.FAILURE in made.log.rsplit(" begins", 1)[1], "the press is not as it was")
    line = f"uninstalled: all {len(made.files)} files have the digests they had, and the press fails as it did"
    return Told(title="And taken away", line=line, number=f"{len(made.files)} of {len(made.files)} files as before")


def _kill_in_the_middle(made: Press) -> None:
    with open(made.stage.path("bundle.log"), "ab") as log:
        process = subprocess.Popen(made.command("--quiet"), stdout=log, stderr=log, start_new_session=True)
    try:
        made.stage.until(lambda: made.pid() == 0 or process.poll() is not None, 20.0, "the bundle did not stop the service", 0.005)
        made.stage.clock.sleep(0.2)
        if process.poll() is not None:
            raise made.stage.failed(f"the bundle ended with {process.returncode} before it could be killed")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _start(made: Press) -> None:
    program = os.path.join(made.root, "bin", "pressd.py")
    subprocess.run([sys.executable, program, made.root], check=True, timeout=_BUNDLE_SECONDS)


def _built(stage: Stage, fix: str, verb: str, *sources: str) -> Row:
    definition, bundle = stage.path(f"{fix}.toml"), stage.path(f"{fix}.pyz")
    press.write_definition(definition, fix)
    said = ("--definition", definition, "--id", fix, "--title", f"Fix of the demo press {fix}")
    return _fix(stage, verb, *sources, *said, "--key", stage.path("maker.key"), "-o", bundle)


def _fix(stage: Stage, *arguments: str) -> Row:
    made: Row = stage.offline("fix", *arguments)
    return made


def _check(stage: Stage, holds: bool, otherwise: str) -> None:
    if not holds:
        raise stage.failed(otherwise)


def _text(name: str) -> str:
    with open(name, encoding="utf-8", errors="replace") as file:
        return file.read()


def _bytes(name: str) -> bytes:
    with open(name, "rb") as file:
        return file.read()
