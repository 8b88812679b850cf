"""One message to one webhook: signed so that another's implementation believes it, bounded whatever the receiver does."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Theirs
from standardwebhooks.webhooks import WebhookVerificationError

from haulage.base.errors import FormatError
from haulage.base.notify_settings import WebhookSettings
from haulage.domain.telling.notifier import Answer, Outcome
from haulage.server.telling.webhook import Webhook, secrets_of, signature
from tests.server.telling.receivers import Certificate, Request, answering, hook_server, make_certificate

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OLDER = "whsec_" + base64.b64encode(b"older" * 8).decode()
HOSTILE = {"id": 7, "text": 'a "b" \u2028 😀 </script> \\ \x00', "fields": {"name": "Ünï\ncode"}}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def settings_for(url: str, **more: Any) -> WebhookSettings:
    return WebhookSettings(name="ops", url=url, **{"secret_env": "HAULAGE_HOOK", **more})


def send(settings: WebhookSettings, secret: str = SECRET, view: dict[str, Any] | None = None) -> Answer:
    hook = Webhook(settings, "0.1", {"HAULAGE_HOOK": secret})
    return asyncio.run(hook.send("msg_HQ1_1_7", HOSTILE if view is None else view, dt.datetime.now(dt.UTC)))


def test_another_implementation_believes_the_signature() -> None:
    with hook_server(answering("204 No Content")) as server:
        answer = send(settings_for(server.url, headers=("X-Tenant: 5",)))
        (request,) = server.requests
    assert (answer.outcome, answer.said) == (Outcome.TOLD, "204 No Content")
    assert Theirs(SECRET).verify(request.body, request.headers) == HOSTILE == json.loads(request.body)
    assert request.line.startswith("POST /hook?token=hidden HTTP/1.1")
    assert (request.headers["x-tenant"], request.headers["content-type"]) == ("5", "application/json")
    assert request.headers["webhook-id"] == "msg_HQ1_1_7"
    with pytest.raises(WebhookVerificationError):
        Theirs(SECRET).verify(request.body.replace(b"7", b"8"), request.headers)
    with pytest.raises(WebhookVerificationError):
        Theirs(OLDER).verify(request.body, request.headers)


def test_the_signature_of_the_specification() -> None:
    """Figures of the specification's own example."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = signature([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_may_change_its_secret_in_its_own_time() -> None:
    with hook_server(answering("200 OK")) as server:
        send(settings_for(server.url), f"{SECRET}\n{OLDER}\n")
        (request,) = server.requests
    for secret in (SECRET, OLDER):
        assert Theirs(secret).verify(request.body, request.headers)


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "plain", SECRET[6:], "whsec_AAAA", "whsec_" + "A" * 90 + "==", f"{SECRET}\nword", "whsec_ü" + SECRET[7:]],
)
def test_f19_a_secret_that_is_none_is_never_shown(secret: str) -> None:
    with pytest.raises(FormatError) as refused:
        secrets_of(settings_for("https://127.0.0.1/"), {"HAULAGE_HOOK": secret})
    assert refused.value.code == "bad-webhook-secret"
    assert len(secret) < 8 or secret not in str(refused.value) + refused.value.hint
    answer = send(settings_for("https://127.0.0.1:9/"), secret)
    assert (answer.outcome, "HAULAGE_HOOK" in answer.said) == (Outcome.FAILED, True)


def test_b105_a_secret_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(SECRET)
    path.chmod(0o644)
    answer = send(settings_for("https://127.0.0.1:9/", secret_env="", secret_file=str(path)))
    assert answer.outcome is Outcome.FAILED
    assert SECRET not in answer.said


@pytest.mark.parametrize(
    ("status", "headers", "outcome", "wait"),
    [
        ("500 Internal Server Error", "", Outcome.FAILED, None),
        ("503 Service Unavailable", "Retry-After: 120\r\n", Outcome.FAILED, 120.0),
        ("429 Too Many", "Retry-After: 99999999999999999999\r\n", Outcome.FAILED, 999_999_999.0),
        ("429 Too Many", "Retry-After: soon\r\n", Outcome.FAILED, None),
        ("429 Too Many", "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", Outcome.FAILED, 0.0),
        ("410 Gone", "", Outcome.GONE, None),
        ("404 Not Found", "", Outcome.FAILED, None),
        ("302 Found", "Location: http://127.0.0.1:1/stolen\r\n", Outcome.FAILED, None),
    ],
)
def test_what_an_answer_means(status: str, headers: str, outcome: Outcome, wait: float | None) -> None:
    with hook_server(answering(status, headers=headers)) as server:
        answer = send(settings_for(server.url))
    assert (answer.outcome, answer.wait_seconds, len(server.requests)) == (outcome, wait, 1)
    assert answer.said.startswith(status)


def test_hostile_answers_are_shown_short_and_escaped() -> None:
    with hook_server(answering("500 \x1b[2Joh", body=b"\x1b[31mred\r\n\xff" + b"x" * 100_000)) as server:
        answer = send(settings_for(server.url))
    assert answer.outcome is Outcome.FAILED
    assert answer.said.isprintable()
    assert len(answer.said) < 400


def drip(_request: Request, line: socket.socket) -> None:
    """A byte now and then, for ever: each read succeeds."""
    line.settimeout(0.05)
    line.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        line.sendall(b"x")
        try:
            if not line.recv(1):
                return
        except TimeoutError:
            continue


def hang(_request: Request, line: socket.socket) -> None:
    line.recv(1)


def nonsense(_request: Request, line: socket.socket) -> None:
    line.sendall(b"\x16\x03\x01 this is not HTTP\r\n\r\n")


def endless_head(_request: Request, line: socket.socket) -> None:
    for index in range(100_000):
        line.sendall(b"X-%d: %s\r\n" % (index, b"x" * 1000) if index else b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("respond", [drip, hang, nonsense, endless_head, lambda _request, line: line.close()])
def test_a_receiver_that_behaves_badly_costs_no_more_than_its_time(respond: Any) -> None:
    with hook_server(respond) as server:
        answer = send(settings_for(server.url, timeout_seconds=1))
    assert answer.outcome is Outcome.FAILED
    assert answer.said.isprintable()


def test_nobody_there() -> None:
    with hook_server(answering("200 OK")) as server:
        url = server.url
    assert send(settings_for(url)).outcome is Outcome.FAILED


def test_a_receiver_must_prove_who_it_is(certificate: Certificate) -> None:
    with hook_server(answering("200 OK"), certificate.context()) as server:
        stranger = send(settings_for(server.url))
        known = send(settings_for(server.url, ca_file=certificate.path))
        bad = send(settings_for(server.url, ca_file=certificate.key_path))
    assert (stranger.outcome, known.outcome, bad.outcome) == (Outcome.FAILED, Outcome.TOLD, Outcome.FAILED)
    assert "certificate" in stranger.said
    assert len(server.requests) == 1
