"""What logs, status messages and traces give away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.engine.search.signature import Signature, cleaned, complaint, signature

OLD = "Cannot write, Win32 Error = 998 $$<SMS_DISTRIBUTION_MANAGER><Tue Jan 15 23:06:02.110 2002 Eastern Time><thread=2020 (0x7E4)>"
VIEWED = "Copying client.lkp, Failed, Win32 Error = 32    SMS_INBOX_MANAGER    11/4/2000 6:00:09 AM    1800 (0x708)"
TRACE = (
    '<![LOG[Failed 0x80070005]LOG]!><time="08:00:01.123+000" date="01-02-2002" component="Haulage" type="3" thread="12" file="">'
)
ANY = st.text(st.characters(codec=None, categories=None), max_size=300)


@pytest.mark.parametrize(
    ("line", "errors", "components"),
    [
        (OLD, (998,), ("SMS_DISTRIBUTION_MANAGER",)),
        (VIEWED, (32,), ("SMS_INBOX_MANAGER",)),
        (TRACE, (5,), ()),
        ("SMSNW1.EXE returned 34819!", (34819,), ()),
        ("it ended with ERROR_SHARING_VIOLATION", (32,), ()),
        ("Exception Type : 0xc0000005", (0xC0000005,), ()),
        ("hresult -2147467259 from the provider", (0x80004005,), ()),
        ("page 998 of 1200 at 10:09:08", (), ()),
    ],
)
def test_errors_and_components_of_a_line(line: str, errors: tuple[int, ...], components: tuple[str, ...]) -> None:
    found = signature(line)
    assert (found.errors, found.components) == (errors, components)


@pytest.mark.parametrize("line", [OLD, VIEWED, TRACE])
def test_times_and_threads_are_left_out(line: str) -> None:
    for noise in ("2020", "0x7E4", "1800", "0x708", "23:06", "6:00:09", "08:00:01", "thread"):
        assert noise not in cleaned(line)


def test_messages_files_versions_and_articles() -> None:
    found = signature('status 2302; HLG2328; "number": 2321; Event ID: 118; see KB319207. BIN\\Distmgr.DLL 2.0.1493.2038 of SP4')
    assert found == Signature(
        errors=(),
        messages=(2302, 2328, 2321, 118),
        components=(),
        files=("distmgr.dll",),
        versions=("2.0.1493.2038", "sp4"),
        articles=("Q319207",),
    )


def test_of_a_long_log_the_lines_that_complain_are_asked_about() -> None:
    log = "\n".join([*(f"copied file {n}" for n in range(50)), "Cannot open volume", *(f"slept {n}" for n in range(50))])
    assert complaint(log) == "Cannot open volume"
    assert complaint("one\ntwo\none") == "one\ntwo"


@given(ANY)
def test_b102_any_text_has_a_signature(text: str) -> None:
    found = signature(text)
    assert all(0 <= number < 1 << 32 for number in found.errors)
    assert len(complaint(text)) <= len(text) + 2 * text.count("\n") + 400


@pytest.mark.parametrize(
    "text", [" " * 100_000, "a " * 50_000, "A_" * 50_000, "-" * 100_000, "$$<" * 30_000, "0x" * 50_000, "1." * 50_000]
)
def test_b102_long_runs_have_a_signature(text: str) -> None:
    assert signature(text).articles == ()


@given(st.integers(100, 65535))
def test_an_error_is_found_in_each_of_its_spellings(number: int) -> None:
    for word in (str(number), f"0x{number:x}", f"0x{0x80070000 + number:08X}", str(0x80070000 + number - (1 << 32))):
        assert signature(f"Error {word}").errors == (number,)


def test_codes_of_haulage_itself_stand_in_brackets_at_the_end() -> None:
    found = signature(
        "Version 3 could not be put on LA1/SHOP: it is not mounted [point-not-there].\n[retry] of [a link] [X-Y] HLG503"
    )
    assert (found.codes, found.messages) == (("point-not-there", "retry"), (503,))
