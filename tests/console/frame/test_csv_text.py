"""Rows for spreadsheets: read back as they were, never taken for a formula, never all in memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from hypothesis import given
from hypothesis import strategies as st

from haulage.console.frame.csv_text import PIECE_ROWS, cell, csv_pieces

PLAIN = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126))


@given(st.lists(st.fixed_dictionaries({"name": PLAIN, "bytes": st.integers()}), max_size=20))
def test_rows_read_back(rows: list[dict[str, object]]) -> None:
    text = b"".join(csv_pieces(rows)).decode()
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["bytes"] for row in found] == [str(row["bytes"]) for row in rows]
    assert [row["name"] for row in found] == [cell(row["name"]) for row in rows]


@given(st.text())
def test_b101_no_cell_is_a_formula(text: str) -> None:
    assert not cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_number_stays_one_and_a_list_is_json() -> None:
    assert cell(-5) == "-5"
    assert cell(None) == ""
    assert cell(["a", "b"]) == '["a","b"]'
    assert cell(value=True) == "true"


def test_a_large_table_is_sent_while_it_is_read() -> None:
    read = 0

    def rows() -> Iterator[Mapping[str, object]]:
        nonlocal read
        for number in range(PIECE_ROWS * 3):
            read += 1
            yield {"number": number}

    next(csv_pieces(rows()))
    assert read == PIECE_ROWS


def test_no_rows_are_an_empty_file() -> None:
    assert b"".join(csv_pieces([])) == b""
