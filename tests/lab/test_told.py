"""Who follows the messages of a server, and who is told of them by webhook, while that server is killed and started again."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Theirs

from haulage.testing.lab.lab import Lab
from haulage.testing.lab.site import program
from tests.server.telling.receivers import HookServer, answering, hook_server

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(scope="module")
def hook() -> Iterator[HookServer]:
    with hook_server(answering("503 Not yet", "204 No Content")) as server:
        yield server


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, hook: HookServer) -> Iterator[Lab]:
    told: Any = {"webhook": ({"name": "ops", "url": hook.url, "secret_env": "HAULAGE_HOOK", "severity": "information"},)}
    with Lab(tmp_path_factory.mktemp("told")) as lab:
        lab.central(settings={"notify": told}, environment={"HAULAGE_HOOK": SECRET})
        yield lab


def test_f16_nothing_is_missed_or_shown_twice_over_kills_and_restarts(lab: Lab, hook: HookServer, tmp_path: Path) -> None:
    site, out = lab["HQ1"], tmp_path / "followed"
    source = tmp_path / "source"
    source.mkdir()
    with open(out, "wb") as file:
        command = [program(), "status", "follow", "--home", site.home, "-o", "jsonl", "--since", "1h"]
        follower = subprocess.Popen(
            command,
            stdout=file,
            stderr=subprocess.DEVNULL,
            env=site.environment,
            # Whoever runs the tests in the background has the signal ignored, and children inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def followed() -> list[int]:
        return [json.loads(line)["id"] for line in out.read_text().splitlines()]

    try:
        lab.until(followed, "it follows")
        for end in (site.kill, site.stop, site.kill):
            for name in ("a", "b"):
                site.quick("package", "create", name, "--source", str(source))
            end()
            site.start()
        site.quick("notify", "test", "ops")
        rows = list(site.api.rows("/status"))
        lab.until(lambda: len(followed()) >= len(rows), "all was followed", 60)
        assert followed() == [row["id"] for row in rows]
        follower.send_signal(signal.SIGINT)
        assert follower.wait(20) == 0
    finally:
        follower.kill()

    lab.until(lambda: site.quick("notify", "list")[0]["waiting"] == 0, "all was told", 60)
    told = list(dict.fromkeys(request.headers["webhook-id"] for request in hook.requests))
    (tested,) = [f"msg_HQ1_1_{row['sequence']}" for row in rows if row["number"] == 30090]
    wanted = [f"msg_HQ1_1_{row['sequence']}" for row in rows]
    assert tested in told  # at once, and by the way
    told.remove(tested)
    wanted.remove(tested)
    # It became known when the server was started for the first time: only what came before that was not for it.
    assert told == wanted[-len(told) :]
    assert len(told) >= 12
    for request in hook.requests:
        assert Theirs(SECRET).verify(request.body, request.headers)["site"] == "HQ1"


def test_i19_who_is_told_is_shown_without_secrets(lab: Lab) -> None:
    site = lab["HQ1"]
    lab.until(lambda: site.quick("notify", "list")[0]["waiting"] == 0, "nothing waits")
    (row,) = site.quick("notify", "list")
    assert (row["name"], row["kind"], row["state"], row["to"].endswith("/…")) == ("ops", "webhook", "working", True)
    page = json.dumps([row, site.quick("doctor")]) + Path(site.home, "logs", "haulage.log").read_text()
    assert "hidden" not in page
    assert SECRET not in page
    assert site.quick("notify", "test", "nobody", expect=3)["error"]["code"] == "no-such-notifier"
