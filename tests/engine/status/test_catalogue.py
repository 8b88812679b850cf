"""The catalogue: every message says what it means and what to do, numbers are used once, and what SMS meant is kept."""

from __future__ import annotations

import pytest

from haulage.base.errors import NotFoundError
from haulage.engine.status import (
    on_backups,
    on_fixes,
    on_knowledge,
    on_packages,
    on_people,
    on_places,
    on_requests,
    on_server,
    on_sites,
    on_telling,
    on_transfers,
)
from haulage.engine.status.catalogue import MESSAGES, RETIRED, explain
from haulage.engine.status.message import Message, MessageType, Severity, names_in

EACH = pytest.mark.parametrize("message", MESSAGES.values(), ids=lambda message: f"{message.number}-{message.name}")


def test_each_number_and_name_once() -> None:
    modules = (
        on_packages,
        on_places,
        on_requests,
        on_server,
        on_sites,
        on_backups,
        on_knowledge,
        on_fixes,
        on_people,
        on_telling,
        on_transfers,
    )
    listed = [message for module in modules for message in module.MESSAGES]
    assert len(listed) == len(MESSAGES) == len({message.name for message in listed})
    assert not RETIRED & MESSAGES.keys()
    declared = [value for module in modules for value in vars(module).values() if isinstance(value, Message)]
    assert sorted(message.number for message in declared) == sorted(MESSAGES)


@EACH
def test_says_what_it_means_and_what_to_do(message: Message) -> None:
    for sentence in (message.text, message.cause, message.remedy):
        assert sentence.strip() == sentence
        assert "  " not in sentence
    assert message.text.endswith((".", "]."))
    assert message.cause.endswith(".")
    assert message.cause[0].isupper()
    assert message.remedy[0].isupper()
    assert not names_in(message.cause)
    assert names_in(message.remedy) <= message.mentions | {"package", "place"}
    assert "left_out" not in message.mentions


@EACH
def test_errors_never_say_nothing_to_do(message: Message) -> None:
    assert (message.severity is Severity.ERROR) <= (not message.remedy.startswith("Nothing"))


@pytest.mark.parametrize(
    ("number", "name", "severity"),
    [
        (2302, "capture-failed", Severity.ERROR),
        (2321, "unpack-failed", Severity.ERROR),
        (2328, "point-copy-failed", Severity.ERROR),
        (2339, "child-told", Severity.INFORMATION),
        (3500, "transfer-failed", Severity.ERROR),
    ],
)
def test_numbers_known_from_sms_keep_their_meaning(number: int, name: str, severity: Severity) -> None:
    assert (MESSAGES[number].name, MESSAGES[number].severity) == (name, severity)


def test_numbers_with_another_meaning_in_sms_stay_free() -> None:
    taken = {
        508,
        523,
        *range(615, 621),
        669,
        679,
        1215,
        2404,
        2512,
        2519,
        2703,
        2800,
        2804,
        2808,
        2847,
        3400,
        3807,
        4610,
        4613,
        4711,
        5013,
    }
    assert not taken & MESSAGES.keys()


def test_q215142_failures_are_errors_or_warnings() -> None:
    for message in MESSAGES.values():
        if message.name.endswith(("-failed", "-refused", "-damaged", "-defect")):
            assert message.severity is not Severity.INFORMATION, message.name


def test_requests_are_audit_messages() -> None:
    assert {message.type for message in on_requests.MESSAGES} == {MessageType.AUDIT}


def test_q316316_a_capture_failure_names_path_stream_and_cause() -> None:
    assert {"package", "path", "stream", "cause", "code"} <= on_packages.CAPTURE_FAILED.mentions


def test_explain() -> None:
    assert explain(2328).name == "point-copy-failed"
    with pytest.raises(NotFoundError):
        explain(1)
