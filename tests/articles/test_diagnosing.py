"""What Haulage says of its own failures leads to its own articles."""

from __future__ import annotations

import importlib.resources
import pathlib

import pytest

from haulage.engine.articles.reading import read
from haulage.engine.search.diagnosis import Clue, diagnose
from haulage.engine.search.entry import entry_of
from haulage.engine.search.tantivy_index import TantivyIndex
from haulage.engine.status.catalogue import MESSAGES
from haulage.engine.status.message import Severity

FOLDER = importlib.resources.files("haulage.articles")
OWN = {
    one.name.removesuffix(".md"): read(one.read_bytes(), one.name).article for one in FOLDER.iterdir() if one.name.endswith(".md")
}
CODES = sorted({code for article in OWN.values() for code in article.errors})


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> TantivyIndex:
    folder: pathlib.Path = tmp_path_factory.mktemp("index")
    made = TantivyIndex(str(folder))
    made.put(entry_of(article) for article in OWN.values())
    return made


def test_f63_every_error_code_leads_to_an_article_that_declares_it(index: TantivyIndex) -> None:
    astray = {}
    for code in CODES:
        text = f"error: it could not be done [{code}]"
        found = diagnose(text, search=index.search, entries=index.entries)
        if not found or code not in OWN[found[0].hit.id].errors or Clue.ERROR not in {one.clue for one in found[0].reasons}:
            astray[code] = [one.hit.id for one in found]
    assert astray == {}


def test_f63_every_message_a_person_must_act_on_leads_to_its_article(index: TantivyIndex) -> None:
    astray = {}
    for message in MESSAGES.values():
        if message.severity is Severity.INFORMATION or message.remedy.startswith("Nothing to do"):
            continue
        found = diagnose(
            message.text, search=index.search, entries=index.entries, messages=[message.number], about=lambda number: f"HLG{number}"
        )
        if not found or message.number not in OWN[found[0].hit.id].messages:
            astray[message.number] = [one.hit.id for one in found]
    assert astray == {}
