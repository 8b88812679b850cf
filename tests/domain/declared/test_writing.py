"""Texts in the file that declares what there is: whatever they hold, nothing of it turns a line, and they are read as they were."""

from __future__ import annotations

import tomllib

from hypothesis import example, given
from hypothesis import strategies as st

from haulage.domain.declared.writing import _text

TEXTS = st.text(st.characters(codec="utf-8"))


@given(TEXTS)
@example("\u202egpj.exe\x7f\x85\u2028\U000e0001\n\"'\\ é")
def test_a_text_is_one_visible_line_and_reads_as_it_was(text: str) -> None:
    written = _text(text)
    assert written.isprintable()
    assert tomllib.loads(f"a = {written}") == {"a": text}
