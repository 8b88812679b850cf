"""Who is told: tables in haulage.toml, and what of them cannot work."""

from __future__ import annotations

import dataclasses

import pytest

from haulage.base.errors import UsageError
from haulage.base.settings import Settings, documented, parse_settings, settings_text

HOOK = '[[notify.webhook]]\nname = "ops"\nurl = "https://hooks.example.org/x"\nsecret_file = "/etc/haulage/ops.secret"\n'
MAIL = '[[notify.email]]\nname = "people"\nhost = "mail.example.org"\nsender = "haulage@example.org"\nto = ["ops@example.org"]\n'


def refused(text: str) -> UsageError:
    with pytest.raises(UsageError) as raised:
        parse_settings(text.encode(), "/h/haulage.toml")
    assert raised.value.code == "bad-settings"
    assert raised.value.message.isprintable()
    return raised.value


def test_tables_are_read_and_written() -> None:
    text = HOOK + 'numbers = [2302, 2321]\nheaders = ["X-Tenant: 5"]\nsites = ["CHI"]\n' + MAIL + "[notify]\nkeep_days = 5\n"
    read = parse_settings(text.encode())
    assert [each.name for each in (*read.notify.webhook, *read.notify.email)] == ["ops", "people"]
    assert (read.notify.webhook[0].numbers, read.notify.webhook[0].severity) == ((2302, 2321), "warning")
    assert (read.notify.email[0].port_used, read.notify.keep_days) == (587, 5)
    plain = {name: value for name, value in dataclasses.asdict(read).items() if name != "site"}
    assert parse_settings(settings_text(plain).encode()) == read


def test_every_default_of_a_table_is_itself_allowed() -> None:
    given = {"[notify.webhook]": HOOK, "[notify.email]": MAIL}
    for section, _sentence, rows in documented():
        for name, _type, default, _limits, _doc in rows if section in given else ():
            if f"\n{name} = " not in given[section]:
                with_default = parse_settings(f"{given[section]}{name} = {default}\n".encode())
                assert with_default == parse_settings(given[section].encode()) != Settings(), name


@pytest.mark.parametrize(
    ("text", "line", "about"),
    [
        (HOOK + 'secret = "whsec_x"\n', 5, "unknown setting [[notify.webhook]] secret"),
        (HOOK + HOOK.replace("ops", "two") + "timeout_seconds = 0\n", 9, "from 1 to 60"),
        (HOOK + MAIL.replace("people", "ops"), 6, "another"),
        (HOOK + HOOK, 6, "another"),
        (HOOK.replace("https:", "http:"), 3, "this machine only"),
        (HOOK.replace("hooks.", "me:word@hooks."), 3, "without user"),
        (HOOK.replace("https://hooks.example.org", "http://localhost.example.org"), 3, "this machine only"),
        (HOOK.replace("/x", "/x#y"), 3, "fragment"),
        (HOOK.replace("https://hooks.example.org/x", "https://[::1"), 3, "https://"),
        (HOOK + 'secret_env = "HAULAGE_X"\n', 4, "not both"),
        (HOOK.replace('secret_file = "/etc/haulage/ops.secret"\n', ""), 0, "is needed"),
        (HOOK.replace('secret_file = "/etc/haulage/ops.secret"', 'secret_env = "HOME"'), 4, "HAULAGE_"),
        (HOOK + 'headers = ["Authorization: Bearer x"]\n', 5, "carries secrets"),
        (HOOK + 'headers = ["X-Api-Key: x"]\n', 5, "carries secrets"),
        (HOOK + 'headers = ["webhook-id: x"]\n', 5, "Haulage sets itself"),
        (HOOK + 'headers = ["X: a\\nb"]\n', 5, "Name: value"),
        (HOOK + "numbers = [true]\n", 5, "a list of whole numbers"),
        (HOOK + 'sites = ["nowhere"]\n', 5, "site codes"),
        (HOOK + 'types = ["all"]\n', 5, "milestone"),
        (HOOK + 'name = "two"\n', 0, "TOML"),
        (MAIL.replace("people", "The People"), 2, "small letters"),
        (MAIL.replace("ops@example.org", "ops@example.org\\r\\nBcc: all@example.org"), 5, "addresses"),
        (MAIL.replace('"haulage@example.org"', '"haulage@example.org>"'), 4, "an address"),
        (MAIL + "to = []\n", 0, "TOML"),
        (MAIL.replace('["ops@example.org"]', "[]"), 5, "1 to 50"),
        (MAIL + 'security = "none"\n', 6, "another machine"),
        (MAIL + 'user = "haulage"\n', 6, "password_file"),
        ('[notify]\nwebhook = "x"\n', 2, "[[notify.webhook]]"),
        ("[notify]\nwebhook = [3]\n", 2, "[[notify.webhook]]"),
        ("[[notify]]\n", 1, "[notify]"),
    ],
)
def test_b103_what_cannot_work_is_refused_with_its_line(text: str, line: int, about: str) -> None:
    error = refused(text)
    assert about in error.message
    if line:
        assert f"line {line} " in error.message + " " or f"line {line}," in error.message


def test_a_mail_server_on_this_machine_needs_no_tls() -> None:
    for host in ("localhost", "127.0.0.2", "[::1]"):
        read = parse_settings((MAIL.replace("mail.example.org", host) + 'security = "none"\n').encode())
        assert read.notify.email[0].port_used == 25
