"""The articles that come with Haulage say what is so: messages, error codes, commands, settings and references exist."""

from __future__ import annotations

import ast
import importlib.resources
import pathlib
import re
import shlex
import tomllib

import pytest

import haulage
from haulage.base.settings import documented
from haulage.cli.main import make_app
from haulage.engine.status.catalogue import MESSAGES
from haulage.engine.status.message import Component, Severity

SOURCE = pathlib.Path(haulage.__file__).parent
HEADINGS = ("Symptoms", "Cause", "Resolution", "Workaround", "Status", "More information")
REQUIRED = {"Symptoms", "Cause", "Resolution", "Status"}


def _texts() -> dict[str, str]:
    folder = importlib.resources.files("haulage.articles")
    return {one.name: one.read_text(encoding="utf-8") for one in folder.iterdir() if one.name.endswith(".md")}


def _split(text: str) -> tuple[dict[str, object], str]:
    _nothing, front, body = text.split("+++\n", 2)
    return tomllib.loads(front), body


ARTICLES = {name.removesuffix(".md"): _split(text) for name, text in sorted(_texts().items())}
each_article = pytest.mark.parametrize("name", ARTICLES)


def _blocks(body: str) -> list[str]:
    return [block for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", body, re.MULTILINE | re.DOTALL) if not language]


def _numbers(front: dict[str, object]) -> list[int]:
    found = front["messages"]
    assert isinstance(found, list)
    return found


def _codes() -> frozenset[str]:
    """Every text the product's code has that could be an error code."""
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", node.value)
            ):
                found.add(node.value)
    return frozenset(found)


def test_every_message_a_person_must_act_on_has_an_article() -> None:
    bad = [one for one in MESSAGES.values() if one.severity is not Severity.INFORMATION]
    wanted = {one.number for one in bad if not one.remedy.startswith("Nothing to do")}
    covered = {number for front, _ in ARTICLES.values() for number in _numbers(front)}
    assert wanted - covered == set()


def test_the_front_matter_names_what_exists() -> None:
    codes, components = _codes(), {one.value for one in Component}
    for name, (front, _) in ARTICLES.items():
        assert set(_numbers(front)) <= set(MESSAGES), name
        assert set(front["errors"]) <= codes, name  # type: ignore[call-overload]
        assert set(front["components"]) <= components, name  # type: ignore[call-overload]


@each_article
def test_it_is_named_by_its_id_and_its_first_message(name: str) -> None:
    front, _ = ARTICLES[name]
    assert front["id"] == name == f"HLG{_numbers(front)[0]}"
    assert {"title", "products", "versions", "keywords", "created"} <= set(front)


@each_article
def test_its_sections_are_the_ones_of_an_article_in_order(name: str) -> None:
    headings = re.findall(r"^# (.+)$", ARTICLES[name][1], re.MULTILINE)
    assert headings == [one for one in HEADINGS if one in headings]
    assert set(headings) >= REQUIRED


@each_article
def test_every_command_in_it_is_one(name: str) -> None:
    """Blocks hold whole commands, which must parse; what stands in a sentence may be without its arguments."""
    app, body = make_app(), ARTICLES[name][1]
    for line in (line for block in _blocks(body) for line in block.splitlines()):
        program, *words = shlex.split(line)
        assert program == "haulage", line
        if words != ["--version"]:
            app.parse_args(words, exit_on_error=False, print_error=False)
    for inline in re.findall(r"`haulage ([a-z ]+)", body):
        named, _apps, rest = app.parse_commands(inline.split())
        assert named, inline
        assert not rest, inline


@each_article
def test_its_references_settings_and_messages_exist(name: str) -> None:
    body = ARTICLES[name][1]
    assert set(re.findall(r"\bHLG\d+\b", body)) <= set(ARTICLES) - {name}
    settings = {row[0] for _section, _sentence, rows in documented() for row in rows}
    sections = {section for section, _, _ in documented()}
    for section, setting in re.findall(r"`\[(\w+)\](?: (\w+))?", body):
        assert section in sections
        assert not setting or setting in settings
    numbers = {int(number) for number in re.findall(r"(?<![\w-])([235]\d{2,3})(?![\w-])(?! MiB)", body)}
    assert {number for number in numbers if number >= 500} <= set(MESSAGES)


@each_article
def test_it_explains_no_code_that_its_front_matter_does_not_name(name: str) -> None:
    front, body = ARTICLES[name]
    explained = {
        code
        for codes in re.findall(r"^- ((?:`[a-z-]+`(?:, )?)+):", body, re.MULTILINE)
        for code in re.findall("`([a-z-]+)`", codes)
    }
    warnings = {"misleading-name", "possible-secret", "link-leaves-tree"}
    assert explained - warnings <= set(front["errors"])  # type: ignore[call-overload]
