"""What users are called and what is no password: whatever anybody types is taken as it is meant, or refused as what it is."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import UsageError
from haulage.domain.people.names import (
    PASSWORD_MAX,
    PASSWORD_MIN,
    SHOWN_MAX,
    USER_MAX,
    check_password,
    shown_name,
    user_name,
)

HOSTILE = [
    "",
    " ",
    "\0",
    "a\0b",
    "a\nb",
    "<script>alert(1)</script>",
    "\u202eada",
    "ad\u200ba",
    "\ud800",
    "аda",  # the first letter is Cyrillic
    "ada lovelace",
    "../ada",
    "ada/x",
    "-ada",
    ".ada",
    "a" * (USER_MAX + 1),
    "x" * 10_000,
    "token:ada",
    "administrator",
    " Administrator ",
    "HAULAGE",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_name_of_a_user(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        user_name(text)
    assert refused.value.code == "bad-user-name"
    assert len(refused.value.message) < 100


@given(st.text(max_size=80))
def test_a_name_is_kept_in_one_spelling_that_is_a_name_again(text: str) -> None:
    try:
        name = user_name(text)
    except UsageError:
        return
    assert re.fullmatch(r"[a-z0-9][a-z0-9._@+-]*", name)
    assert len(name) <= USER_MAX
    assert user_name(name) == user_name(f" {name.upper()} ") == name


@given(st.from_regex(r"[a-z0-9][a-z0-9._@+-]{0,63}", fullmatch=True).filter(lambda one: one not in ("token", "nobody", "haulage")))
def test_every_name_of_that_form_is_one(text: str) -> None:
    assert text == "administrator" or user_name(text) == text


@given(st.text(max_size=SHOWN_MAX + 10))
def test_a_name_for_people_is_one_line_nothing_hides_in(text: str) -> None:
    try:
        name = shown_name(text)
    except UsageError:
        return
    assert name.isprintable()
    assert len(name) <= SHOWN_MAX
    assert shown_name(name) == name


def test_names_for_people_are_in_any_script() -> None:
    for name in ("Ada Lovelace", "محمد", "李小龍", "Zoë <b>", "O'Neill"):
        assert shown_name(f" {name} ") == name
    for wrong in ("a\nb", "\u202ea", "a\0", "x" * (SHOWN_MAX + 1), "x" * 10_000):
        with pytest.raises(UsageError):
            shown_name(wrong)


def refused(password: str, user: str = "ada") -> bool:
    try:
        check_password(password, user)
    except UsageError as error:
        return error.code == "bad-password" and password not in error.message
    return False


@pytest.mark.parametrize(
    "password",
    [
        "x" * (PASSWORD_MIN - 1),
        "short",
        "abcdefghijk",
        "a" * 12,
        "abababababab",
        "passwordpassword",
        "PasswordPassword",
        "ｐａｓｓｗｏｒｄｐａｓｓｗｏｒｄ",  # wide letters: the same after NFKC
        "administrator",
        "correct horse\nbattery",
        "correct horse\0battery",
        "correct horse \ud800 battery",
        "seven words and more " * 20,
    ],
)
def test_what_is_no_password(password: str) -> None:
    assert refused(password)


def test_the_name_of_its_user_is_no_password_with_a_little_around_it() -> None:
    assert refused("charlotte.bronte", "charlotte.bronte")
    assert refused("Charlotte.Bronte1", "charlotte.bronte")
    assert refused("adaadaadaada", "ada")
    assert not refused("a novel by charlotte.bronte", "charlotte.bronte")


@given(st.text(min_size=PASSWORD_MIN, max_size=PASSWORD_MAX))
def test_of_a_password_only_length_is_asked_and_that_it_is_not_tried_first(password: str) -> None:
    plain = unicodedata.normalize("NFKC", password)
    if not refused(password, "zz9"):
        assert len(set(plain.casefold())) >= 4
        assert not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in plain)


def test_a_phrase_in_any_script_is_a_password() -> None:
    for password in (
        "correct horse battery",
        "größere Fässer im Keller",
        "пароль из многих слов",
        "四つの言葉で出来ている合言葉です",
    ):
        assert not refused(password)
