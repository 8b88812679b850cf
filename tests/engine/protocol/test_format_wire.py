"""docs/format-wire.md is normative, so it names every document, kind, field and payload type there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from haulage.engine.protocol import asks
from haulage.engine.protocol.codec import FORMAT_VERSION, Body, Document
from haulage.engine.protocol.definitions import STATES, Definition, Kind
from haulage.engine.protocol.envelopes import BODIES, Envelope, Message, MessageKind

TEXT = (Path(__file__).parents[3] / "docs" / "format-wire.md").read_text()
ASKS = [kind for kind in vars(asks).values() if isinstance(kind, type) and issubclass(kind, Body) and kind not in (Body, Document)]
RECORDS: list[type[Body]] = [Definition, Envelope, Message, *STATES.values(), *BODIES.values(), *ASKS]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_field_is_described(record: type[Body]) -> None:
    missing = [name for name in record.__struct_encode_fields__ if f"`{name}`" not in TEXT and f'"{name}"' not in TEXT]
    assert missing == []


@pytest.mark.parametrize("word", [*Kind, *MessageKind, *(kind.PAYLOAD_TYPE for kind in RECORDS if issubclass(kind, Document))])
def test_every_kind_and_payload_type_is_described(word: str) -> None:
    assert f"`{word}`" in TEXT


def test_the_format_version_is_the_one_described() -> None:
    assert f"A document has `v` (now {FORMAT_VERSION})" in TEXT


@pytest.mark.parametrize("kind", [kind for kind in RECORDS if issubclass(kind, Document)], ids=lambda kind: kind.__name__)
def test_every_document_has_a_payload_type_of_its_own(kind: type[Document]) -> None:
    assert kind.PAYLOAD_TYPE.startswith("application/vnd.haulage.")
    assert [other for other in RECORDS if issubclass(other, Document) and other.PAYLOAD_TYPE == kind.PAYLOAD_TYPE] == [kind]
