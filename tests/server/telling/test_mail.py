"""Mails: what they say, that nothing in a message can change what they are, and a real mail server that takes or refuses them."""

from __future__ import annotations

import asyncio
import datetime as dt
import email
import email.policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulage.base.ids import PackageId, Place, SiteCode
from haulage.base.notify_settings import EmailSettings
from haulage.domain.telling.notifier import Answer, Outcome
from haulage.engine.status.message import Listed, MessageType, Severity, StatusRecord
from haulage.server.telling.mail import compose
from haulage.server.telling.smtp import deliver
from tests.server.telling.receivers import Certificate, Post, mail_server, make_certificate

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
HQ1 = SiteCode("HQ1")
ERROR, WARNING, INFORMATION = Severity.ERROR, Severity.WARNING, Severity.INFORMATION


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def settings_for(port: int = 25, **more: Any) -> EmailSettings:
    base = {"host": "127.0.0.1", "security": "none", "sender": "haulage@example.org", "to": ("ops@example.org", "x@example.org")}
    return EmailSettings(name="people", port=port, **(base | more))


def said(number: int = 2328, severity: Severity = ERROR, sequence: int = 1, **fields: str | int) -> Listed:
    record = StatusRecord(
        site=HQ1,
        epoch=1,
        sequence=sequence,
        number=number,
        severity=severity,
        type=MessageType.MILESTONE,
        component="points",
        package=PackageId("HQ100001"),
        place=Place("CHI/SHOP"),
        time=NOW,
        fields={"version": 2, "cause": "the disk is full", "tries": 1, **fields},
    )
    return Listed(id=sequence + 100, received=NOW, record=record)


def mail_of(*messages: Listed, counts: dict[Severity, int] | None = None) -> EmailMessage:
    counts = counts if counts is not None else {ERROR: len(messages)}
    return compose(settings_for(), HQ1, messages, counts, console="https://hq.example.org:8440", now=NOW)


def parts(mail: EmailMessage) -> tuple[str, str]:
    """Text and HTML, as a reader of the bytes finds them."""
    read = email.message_from_bytes(mail.as_bytes(), policy=email.policy.default)
    text, html = read.get_body(("plain",)), read.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


def test_a_mail_says_what_happened_and_where_to_look() -> None:
    mail = mail_of(said(), said(sequence=2, severity=WARNING, number=506, until="2026"), counts={ERROR: 1, WARNING: 41})
    assert mail["Subject"].startswith("HQ1 error 2328: ")
    assert mail["Subject"].endswith("(and 41 more)")
    text, html = parts(mail)
    for part in (text, html):
        assert "the disk is full" in part
        assert "https://hq.example.org:8440/status/101" in part
        assert "1 × error, 41 × warning. 40 of them are not shown here." in part
        assert "What to do" in part
    assert (mail["Auto-Submitted"], mail["List-Id"]) == ("auto-generated", "<people.hq1.haulage.example.org>")
    assert mail["To"] == "ops@example.org, x@example.org"


def test_f16_the_same_messages_have_the_same_message_id_and_others_another() -> None:
    assert mail_of(said())["Message-ID"] == mail_of(said())["Message-ID"] == "<HQ1.1.1-HQ1.1.1.1.people@example.org>"
    assert mail_of(said())["Message-ID"] != mail_of(said(sequence=2))["Message-ID"]


HOSTILE = "x\r\nBcc: all@example.org\r\n\r\n<script>alert(1)</script> \u202egnp.exe \x00 \x1b[2J =?utf-8?q?=0D=0ABcc:?= "
LONG = HOSTILE + "y" * 5000


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=200) | st.sampled_from([HOSTILE, LONG]))
def test_b68_nothing_in_a_message_adds_a_header_a_line_or_a_tag(cause: str) -> None:
    cause = cause.encode("utf-8", "replace").decode()
    mail = mail_of(said(cause=cause, evil="x"))
    data = mail.as_bytes()
    read = email.message_from_bytes(data, policy=email.policy.default)
    assert sorted(read.keys()) == sorted(mail_of(said()).keys())
    assert len(read["Subject"]) < 400
    assert read["Subject"].isprintable()
    text, html = parts(mail)
    assert len(text.splitlines()) == len(parts(mail_of(said(cause="x")))[0].splitlines())
    assert html.count("<") == parts(mail_of(said(cause="x")))[1].count("<")
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))


def send(port: int, mail: EmailMessage | None = None, **more: Any) -> Answer:
    return asyncio.run(deliver(settings_for(port, **more), mail or mail_of(said())))


def test_a_mail_arrives() -> None:
    post = Post()
    with mail_server(post) as port:
        assert send(port).outcome is Outcome.TOLD
    (envelope,) = post.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == ("haulage@example.org", ["ops@example.org", "x@example.org"])
    read = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert "the disk is full" in str(read["Subject"]) + parts(mail_of(said()))[0]
    assert read["Message-ID"] == mail_of(said())["Message-ID"]


def test_starttls_and_signing_in(certificate: Certificate, tmp_path: Path) -> None:
    word = tmp_path / "word"
    word.write_text("word\n")
    word.chmod(0o600)
    with_user: dict[str, Any] = {"host": "localhost", "security": "starttls", "user": "haulage", "password_file": str(word)}
    post = Post()
    with mail_server(post, tls_context=certificate.context(), require_starttls=True, auth_required=True) as port:
        stranger = send(port, **with_user)
        assert send(port, **with_user, ca_file=certificate.path).outcome is Outcome.TOLD
        word.write_text("wrong word\n")
        refused = send(port, **with_user, ca_file=certificate.path)
    assert (stranger.outcome, len(post.mails), post.signed_in[0]) == (Outcome.FAILED, 1, (b"haulage", b"word"))
    assert (refused.outcome, refused.said[:3]) == (Outcome.FAILED, "535")
    assert "wrong word" not in refused.said


def test_tls_from_the_first_byte(certificate: Certificate) -> None:
    post = Post()
    with mail_server(post, ssl_context=certificate.context()) as port:
        assert send(port, security="tls", ca_file=certificate.path).outcome is Outcome.TOLD


def test_a_server_without_starttls_gets_nothing(certificate: Certificate) -> None:
    """A mail that was to be private is never sent in the clear because somebody on the way took STARTTLS out."""
    post = Post()
    with mail_server(post) as port:
        answer = send(port, security="starttls", ca_file=certificate.path)
    assert (answer.outcome, post.mails) == (Outcome.FAILED, [])


def test_one_refused_recipient_does_not_keep_the_others_from_it() -> None:
    post = Post(refuse={"x@example.org": "550 no such user"})
    with mail_server(post) as port:
        answer = send(port)
    assert answer.outcome is Outcome.TOLD
    assert "x@example.org was refused: 550 no such user" in answer.said
    assert post.mails[0].rcpt_tos == ["ops@example.org"]


@pytest.mark.parametrize(
    ("post", "about"),
    [
        (Post(refuse={"x@example.org": "550 no", "ops@example.org": "550 no"}), "ops@example.org was refused: 550 no"),
        (Post(refuse={"x@example.org": "451 later", "ops@example.org": "451 later"}), "451 later"),
        (Post(refuse_sender="553 not you"), "553 not you"),
        (Post(data_answers=["452 full"]), "452 full"),
        (Post(data_answers=["554 \x1b[2Jspam"]), "554"),
        (Post(data_answers=["drop"]), ""),
    ],
)
def test_what_a_mail_server_refuses_is_a_failure_in_its_words(post: Post, about: str) -> None:
    with mail_server(post) as port:
        answer = send(port)
    assert answer.outcome is Outcome.FAILED
    assert about in answer.said
    assert answer.said.isprintable()


def test_a_server_that_says_nothing_costs_no_more_than_its_time() -> None:
    async def mute(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220-")
        await asyncio.Event().wait()

    async def main() -> Answer:
        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        answer = await deliver(settings_for(port, timeout_seconds=1), mail_of(said()))
        server.close()
        return answer

    assert asyncio.run(main()).said == "not handed over within 1 seconds"


def test_nobody_there() -> None:
    with mail_server(Post()) as port:
        pass
    assert send(port).outcome is Outcome.FAILED
