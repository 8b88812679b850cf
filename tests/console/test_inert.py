"""Whatever an article holds is shown as text: nothing runs, nothing loads, nothing turns the line, nothing grows without end."""

from __future__ import annotations

import importlib.resources
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulage.cli.main import make_app
from haulage.console.frame.rendering import TITLE_CHARACTERS, title
from haulage.console.knowledge.markdown_html import markdown_html
from haulage.console.knowledge.prose import linked, plain_html
from tests.console.conftest import Browser
from tests.console.inert import assert_own_page, seen

ATTACKS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><circle/></svg>",
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "[click](vbscript:msgbox)",
    "<javascript:alert(1)>",
    "![remote](https://evil.example/beacon.png)",
    "![data](data:image/svg+xml,<svg/onload=alert(1)>)",
    '<a href="javascript:alert(1)" onclick="alert(1)">x</a>',
    '"><script>alert(1)</script>',
    "{{ 7 * 7 }}{% raw %}",
    "</pre></article><style>*{display:none}</style>",
    "<iframe src=//evil.example></iframe>",
    '[x](/knowledge/Q1" onclick="alert(1))',
    "<link rel=stylesheet href=//evil.example/x.css>",
    "&lt;script&gt; &#x3C;script&#x3E;",
)
FORBIDDEN = {
    "script",
    "style",
    "iframe",
    "object",
    "embed",
    "img",
    "base",
    "form",
    "input",
    "svg",
    "meta",
    "video",
    "audio",
    "template",
}


def assert_inert(html: str) -> None:
    found = seen(html)
    assert not FORBIDDEN & set(found.tags)
    for name, value in found.attributes:
        assert not name.startswith("on")
        assert name not in ("style", "src", "srcset", "formaction")
        if name == "href":
            assert value.startswith(("/knowledge/", "https://", "http://", "mailto:", "#", "/")), value
            assert not value.startswith("//")


@pytest.mark.parametrize("attack", ATTACKS)
def test_b97_b99_an_attack_in_a_text_is_text(attack: str) -> None:
    assert_inert(markdown_html(attack, {"Q1"}))
    assert_inert(plain_html(f"{attack}\n\n   {attack}\n\n1. {attack}\n- {attack}\n   Q316316 {attack}\n", {"Q316316"}))
    assert_inert(linked(f"See Q316316 {attack}", {"Q316316"}))


@given(st.text(), st.sampled_from(ATTACKS), st.text())
@settings(max_examples=60, deadline=None)
def test_b97_no_text_becomes_more_than_text(before: str, attack: str, after: str) -> None:
    text = f"{before}{attack}{after}"
    assert_inert(markdown_html(text, {"Q1"}))
    assert_inert(plain_html(text, {"Q1"}))


def _own(text: str) -> bytes:
    front = f'id = "HLG999"\ntitle = {text!r}\nkeywords = [{text!r}]\nerrors = [{text!r}]\n'
    return f"+++\n{front}+++\n# Symptoms\n\n{text}\n\n# Cause {text}\n\n```\n{text}\n```\n".encode()


def _archive(text: str, *, heading: str = "A title") -> bytes:
    rule, lines = "-" * 79, "=" * 70
    fields = f"PRODUCT :{text}\nPROD/VER::2.0\nOPER/SYS:{text}\nKEYWORDS:{text}\n"
    head = f"DOCUMENT:Q316316  06-AUG-2002  [sms]\nTITLE   :{heading}\n{fields}"
    applies = f"{rule}\nThe information in this article applies to:\n\n - {text} version 2.0 \n{rule}\n"
    sections = f"SYMPTOMS\n========\n\n{text}\n\n   {text}\n"
    return f"{head}\n{lines}\n{applies}\n{sections}\n{lines}\nKeywords          : {text}\n".replace("\n", "\r\n").encode()


@pytest.mark.parametrize("attack", [one for one in ATTACKS if "'" not in one])
def test_b97_b99_an_article_full_of_it_is_shown_as_text(attack: str) -> None:
    browser = Browser({"HLG999.md": _own(attack), "Q316316.TXT": _archive(attack, heading=attack)}).sign_in()
    for where in ("/knowledge", "/knowledge?q=Symptoms", "/knowledge/HLG999", "/knowledge/Q316316"):
        reply = browser.get(where)
        assert reply.status == 200
        assert_own_page(reply.body.decode())


def test_b97_a_question_is_text_in_the_page_it_brings() -> None:
    browser = Browser({}).sign_in()
    reply = browser.get("/knowledge?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&product=%3Cimg%20src%3Dx%20onerror%3D1%3E")
    assert reply.status == 200
    assert_own_page(reply.body.decode())


@pytest.mark.parametrize(
    "query", ["q=%00", "q=%22%22%22*()AND+OR+NEAR", "q=%FF%FE", "q=" + "x" * 5000, "product=a&product=b", "q=a&q=b", "nothing=1"]
)
def test_b102_any_question_gets_a_page(query: str) -> None:
    assert Browser({}).sign_in().get(f"/knowledge?{query}").status == 200


def test_every_command_a_page_names_is_one() -> None:
    app, named = make_app(), set()
    for file in importlib.resources.files("haulage.console").joinpath("templates").iterdir():
        for command in re.findall(r"<code>haulage ([a-z ]+)", file.read_text(encoding="utf-8")):
            words, _apps, rest = app.parse_commands(command.split())
            assert words, command
            assert not rest, command
            named.add(" ".join(words))
    assert {"kb import", "fix import", "fix assessments", "package extract"} <= named


def test_b101_a_title_stays_on_its_line() -> None:
    for text in ("\u202egpj.exe", "a\nb\r\tc", "\x1b[2J", "a\u200bb", "\u2066x\u2069"):
        shown = title(text)
        assert shown.isprintable()
        assert "\n" not in shown


def test_b101_a_title_of_a_megabyte_is_cut() -> None:
    assert len(title("x" * (1 << 20))) < TITLE_CHARACTERS + 50
    data = _archive("short", heading="x" * (1 << 20))
    reply = Browser({"Q316316.TXT": data}).sign_in().get("/knowledge/Q316316")
    assert reply.status == 200
    assert len(reply.body) < 200_000


def test_b101_direction_marks_in_the_text_are_shown_escaped() -> None:
    page = plain_html("before \u202eafter\n\n   fixed \u202etext\n", set())
    assert "\u202e" not in page
    assert page.count("\\u202e") == 2


def test_articles_that_are_here_are_links_and_others_are_words() -> None:
    page = markdown_html("See HLG640 and HLG641, `HLG640` and [this HLG640](https://a.example/).", {"HLG640"})
    assert page.count('href="/knowledge/HLG640"') == 1
    assert "HLG641" in page
    assert 'href="/knowledge/Q316316"' in plain_html("This is Q316316 and Q111111.\n", {"Q316316"})
    assert "Q111111</a>" not in plain_html("This is Q316316 and Q111111.\n", {"Q316316"})


def test_steps_keep_their_numbers_and_tables_their_columns() -> None:
    page = plain_html("1. First\n\n2. Second\n\n   Date        Time   Version\n   1-Mar-2001  17:25  2.00\n", set())
    assert '<li value="1">First</li>' in page
    assert '<li value="2">Second</li>' in page
    assert "Date        Time   Version\n1-Mar-2001  17:25  2.00</pre>" in page
