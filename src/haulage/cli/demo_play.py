"""The demo from nothing to its closing table: builds the stage, plays the acts, tells each in a line and a number."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from haulage.cli import demo_acts, demo_fix
from haulage.cli.demo_acts import Told
from haulage.cli.demo_stage import Stage, stage
from haulage.cli.output import field, print_line, print_rows, say, size_field, size_text
from haulage.testing import demo_payload


def play(keep: bool) -> None:
    """All of it. Raises HaulageError ``demo-failed``."""
    with stage(keep) as made:
        _Play(made, keep).play()


class _Play:
    def __init__(self, stage: Stage, keep: bool) -> None:
        self._stage = stage
        self._keep = keep
        self._begun = self._since = stage.clock.monotonic()
        self._acts: list[dict[str, str]] = []

    def play(self) -> None:
        """Set up, nine acts in two parts, and what remains to be said."""
        stage, source = self._stage, self._set_up()
        package, told = demo_acts.arrives(stage, source)
        self._tell(told)
        self._tell(demo_acts.plain_copy(stage, source, package))
        self._tell(demo_acts.update(stage, source, package))
        self._tell(demo_acts.killed(stage))
        told, explained = demo_acts.broken_point(stage)
        self._tell(told)
        print_line("   meanwhile haulage explain said:")
        for line in explained.splitlines():
            print_line(f"     {line}")
        self._fix()
        self._close(package)

    def _fix(self) -> None:
        """The second part, and nothing of it left running."""
        made, told = demo_fix.fails(self._stage)
        try:
            self._tell(told)
            for act in (demo_fix.built, demo_fix.run, demo_fix.taken_away):
                self._tell(act(made))
        finally:
            made.stop()

    def _set_up(self) -> str:
        """Three servers, one below the other, and the folder that will be distributed."""
        stage, source = self._stage, self._stage.path("source")
        say("Setting up: the payload, and HQ1 <- CHI <- LA1 as three servers ...")
        with ThreadPoolExecutor(1) as pool:
            payload = pool.submit(demo_payload.make_source, source)
            stage.make_central("HQ1")
            stage.make_child("CHI", parent="HQ1", central="HQ1")
            stage.make_child("LA1", parent="CHI", central="HQ1")
            payload.result()
        urls = "  <-  ".join(f"{code} {stage.urls[code]}" for code in demo_acts.SITES)
        print_line(f"0  Three servers ({self._lap():.1f} s): {urls}")
        return source

    def _tell(self, told: Told) -> None:
        act, seconds = str(len(self._acts) + 1), f"{self._lap():.1f} s"
        print_line(f"{act}  {told.title} ({seconds}): {told.line}.")
        self._acts.append({"act": act, "what": told.title, "number": told.number, "time": seconds})

    def _lap(self) -> float:
        now = self._stage.clock.monotonic()
        passed, self._since = now - self._since, now
        return passed

    def _close(self, package: str) -> None:
        stage = self._stage
        print_line("")
        print_rows(self._acts, "table", [field(name) for name in ("act", "what", "number", "time")])
        print_line("")
        rows = list(stage.rows("HQ1", package).values())
        print_rows(rows, "table", [*map(field, ("place", "present", "state", "tries")), size_field("bytes_total", "bytes")])
        print_line("")
        print_line("  ".join(f"{code}: {stage.urls[code]}" for code in demo_acts.SITES))
        total = size_text(rows[0]["bytes_total"])
        print_line(
            f"Every check held: {package} ({total}) is at {len(rows)} places, {stage.clock.monotonic() - self._begun:.0f} s in all."
        )
        print_line("Next:")
        for command in self._next(package):
            print_line(f"  {command}")

    def _next(self, package: str) -> list[str]:
        stage = self._stage
        if not self._keep:
            return [
                "haulage demo --keep     leaves it running, to be looked at in its console",
                "haulage init --home DIR --site HQ1",
                "haulage serve --home DIR",
            ]
        return [
            f"open {stage.urls['HQ1']} in a browser; the token to sign in with: cat {stage.home('HQ1')}/keys/admin.token",
            f"haulage package status {package} --home {stage.home('HQ1')}",
            f"haulage status list --home {stage.home('LA1')}",
            f"kill {' '.join(map(str, stage.pids()))}; rm -r {stage.folder}",
        ]
