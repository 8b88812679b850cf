"""haulage.toml: what is good is read, what cannot work is refused with its line, and the text we write reads back."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import TransferError, UsageError
from haulage.base.settings import SECTIONS, Settings, documented, load_settings, parse_settings, settings_text


def refused(data: bytes | str) -> UsageError:
    with pytest.raises(UsageError) as raised:
        parse_settings(data.encode() if isinstance(data, str) else data, "/h/haulage.toml")
    assert raised.value.code == "bad-settings"
    assert raised.value.message.startswith("/h/haulage.toml")
    assert raised.value.hint
    assert raised.value.message.isprintable()
    return raised.value


def test_b104_an_empty_file_means_every_default() -> None:
    assert parse_settings(b"") == Settings()
    assert parse_settings(b"\r\n# nothing\r\n") == Settings()


def test_values_are_read_crlf_or_not() -> None:
    text = '[site]\ncode = "HQ1"\nlisten = "[::1]:0"\n[retry]\nfirst_seconds = 1\n[capture]\nallowed = ["/srv", "/opt"]\n'
    for data in (text, text.replace("\n", "\r\n")):
        read = parse_settings(data.encode())
        assert (read.site.code, read.site.listen, read.retry.first_seconds) == ("HQ1", "[::1]:0", 1.0)
        assert read.capture.allowed == ("/srv", "/opt")
        assert read.status == Settings().status


def test_b103_an_unknown_key_is_refused_with_its_line_and_the_nearest_one() -> None:
    error = refused('[site]\ncode = "HQ1"\n\n[retry]\nfrist_seconds = 3\n')
    assert "line 5" in error.message
    assert "frist_seconds" in error.message
    assert "'first_seconds'" in error.hint


def test_b103_an_unknown_section_too() -> None:
    error = refused('[site]\ncode = "HQ1"\n[parcel]\ncache_bytes = 3\n')
    assert "line 3" in error.message
    assert "'parcels'" in error.hint


def test_b103_case_matters() -> None:
    assert "'site'" in refused('[Site]\ncode = "HQ1"\n').hint


def test_b103_dotted_and_inline_keys_are_found_too() -> None:
    assert "line 2" in refused("# note\nretry.trys = 3\n").message
    assert "line 1" in refused("retry = { trys = 3 }\n").message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[ retry ]\ntrys = 3\n", 2),
        ('["retry"]\ntrys = 3\n', 2),
        ("[retry] # [x]\ntrys = 3\n", 2),
        ("retry = {first_seconds = 1.0, trys = 3}\n", 1),
        ("[retry.x]\ny = 1\n", 1),
        ('"retry"."trys" = 3\n', 1),
        ('[retry]\n"\\u0074rys" = 1\n', 2),
        ("# \u0085 \u2028\n[retry]\ntrys = 1\n", 3),
        ("[site]\r\ncode = 'HQ1'\r\n[retry]\r\ntrys = 1\r\n", 4),
        ('[capture]\nallowed = ["""/a\n[retry]\ntrys = 1"""]\n[retry]\ntrys = 3\n', 6),
        ("\n" * 400 + "[retry]\ntrys = 1\n", 402),
    ],
)
def test_b103_the_line_is_named_however_it_is_written(text: str, line: int) -> None:
    assert f"line {line}," in refused(text).message


@pytest.mark.parametrize(
    "data",
    [
        b"a" + b".a" * 30_000 + b" = 1\n",
        b"".join(b"a%d.b.c.d = 1\n" % number for number in range(4000)),
        b"[" + b".".join([b"a"] * 30_000) + b"]\n",
        b"a = " + b"{a = " * 10_000,
        b"[site]\n" + b"".join(b"k%d = 1\n" % number for number in range(6000)),
        b"\0" * 60_000,
    ],
    ids=lambda data: data[:12],
)
def test_b104_a_file_made_to_be_slow_is_one_short_sentence(data: bytes) -> None:
    """Keys of very many parts cost the reader the square of their number; such lines are not given to it."""
    error = refused(data)
    assert len(error.message) < 400
    assert error.message.isprintable()


def test_b104_line_ends_of_windows_change_nothing() -> None:
    assert parse_settings(b"[retry]\r\ntries = 7\r\n").retry.tries == 7


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"\xef\xbb\xbf[site]\n", "byte order mark"),
        ("[site]\n".encode("utf-16"), "byte order mark"),
        (b'[site]\nname = "\xff"\n', "line 2, is not UTF-8"),
        (b"[site]\n[site]\n", "not TOML"),
        (b"[site]\ncode = 'HQ1'\ncode = 'HQ1'\n", "line 3"),
        (b"site = 3\n", "section"),
        (b"[[site]]\n", "section"),
        (b"[retry]\ntries = '3'\n", "whole number"),
        (b"[retry]\ntries = true\n", "whole number"),
        (b"[retry]\ntries = 3.0\n", "whole number"),
        (b"[site]\nname = 3\n", "text in quotes"),
        (b"[capture]\nallowed = '/srv'\n", "list of texts"),
        (b"[capture]\nallowed = [1]\n", "list of texts"),
        (b"a = " + b"[" * 4000, "not TOML"),
        (b"# " + b"x" * 4095 + b"\n# x" * 20_000, "64 KiB"),
        (b"# " + b"x" * 5000, "line 1, is longer than 4096 bytes"),
        (b"a: &a [lol]\nb: &b [*a, *a]\n", "line 1, is not TOML"),
        (b"[site]\nname = 'a\n", "line 2, is not TOML"),
        (b"[site]\nallowed = [\n'a'\n", "line 3, is not TOML"),
        (b"[retry]\ntries = " + b"9" * 4000, "line 2, has a setting that cannot work"),
        (b"[retry]\ntries = " + b"9" * 4300 + b"9" * 4300, "line 2"),
        (b'[site]\nname = "\x00"\n', "not TOML"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_b104_other_files_are_refused(data: bytes, word: str) -> None:
    assert word in refused(data).message


@pytest.mark.parametrize(
    "text",
    [
        "[jobs]\nworkers = 0",
        "[jobs]\nworkers = -1",
        "[retry]\ntries = 0",
        "[retry]\nfirst_seconds = 0",
        "[retry]\nfirst_seconds = nan",
        "[retry]\nfirst_seconds = inf",
        "[retry]\nfirst_seconds = 60\ncap_seconds = 30",
        "[content]\nscrub_days = 0",
        "[parcels]\ncache_bytes = 0",
        "[status]\nretention_days = 0",
        "[log]\nlevel = 'none'",
        "[site]\nlisten = ''",
        "[site]\nlisten = '127.0.0.1'",
        "[site]\nlisten = '127.0.0.1:99999'",
    ],
)
def test_q163379_settings_that_stop_work_are_refused(text: str) -> None:
    error = refused(text)
    assert "cannot work" in error.message
    assert "line" in error.message


@pytest.mark.parametrize(
    "text",
    [
        "[site]\ncode = 'hq1'",
        "[site]\nurl = 'http://plain:1'",
        '[site]\nname = "two\\nlines"',
        '[site]\nname = "\\u202egnp"',
        "[content]\npath = 'relative'",
        "[content]\npath = '/'",
        "[capture]\nallowed = ['..']",
        "[database]\nurl = 'mysql://x'",
        "[log]\nformat = 'xml'",
    ],
)
def test_other_values_are_refused(text: str) -> None:
    assert "line 2" in refused(text).message


def test_a_file_that_is_not_there(tmp_path: pathlib.Path) -> None:
    with pytest.raises(TransferError) as raised:
        load_settings(str(tmp_path / "haulage.toml"))
    assert raised.value.code == "settings-unreadable"


def test_a_file_is_read(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "haulage.toml"
    path.write_text(settings_text({"site": {"code": "CHI"}, "retry": {"first_seconds": 0.5}, "capture": {"allowed": ("/a b",)}}))
    read = load_settings(str(path))
    assert (read.site.code, read.retry.first_seconds, read.capture.allowed) == ("CHI", 0.5, ("/a b",))


@given(st.text(max_size=200))
def test_any_text_reads_back(text: str) -> None:
    try:
        read = parse_settings(settings_text({"site": {"name": text}}).encode("utf-8", "surrogatepass"))
    except UsageError:
        assert not text.isprintable()
    else:
        assert read.site.name == text


@given(st.binary(max_size=300))
def test_i24_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        parse_settings(data)
    except UsageError as error:
        assert error.code == "bad-settings"  # noqa: PT017


def test_every_default_is_itself_allowed_and_documented() -> None:
    assert {each.name for each in dataclasses.fields(Settings)} == set(SECTIONS)
    for section, sentence, rows in documented():
        assert sentence.endswith(".")
        for name, _type, default, _limits, doc in rows:
            assert doc.endswith(".")
            # What stands in [[tables]] is tried in test_notify_settings.
            if (section, name) != ("site", "code") and not section.startswith("["):
                assert parse_settings(f"[{section}]\n{name} = {default}\n".encode()) == Settings()
