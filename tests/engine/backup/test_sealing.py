"""Secrets under a passphrase: only that passphrase opens them, and nothing altered is taken for them."""

from __future__ import annotations

import pytest

from haulage.base.errors import FormatError, NotAllowedError, UsageError
from haulage.engine.backup import sealing
from haulage.engine.backup.sealing import seal, unseal

WORDS = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least cost a reader accepts."""
    monkeypatch.setattr(sealing, "_COST", 14)


def test_what_was_sealed_comes_back() -> None:
    for secret in (b"", b"x", bytes(range(256)) * 1000):
        assert unseal(seal(secret, WORDS), WORDS) == secret


def test_i19_nothing_of_a_secret_shows_and_no_two_are_alike() -> None:
    one, two = seal(b"a secret that would be found" * 10, WORDS), seal(b"a secret that would be found" * 10, WORDS)
    assert b"found" not in one
    assert one[40:] != two[40:]


@pytest.mark.parametrize("passphrase", ["", "correct horse batter", "correct horse battery ", "CORRECT HORSE BATTERY"])
def test_another_passphrase_opens_nothing(passphrase: str) -> None:
    with pytest.raises(NotAllowedError) as refused:
        unseal(seal(b"secret", WORDS), passphrase)
    assert refused.value.code == "wrong-passphrase"
    assert passphrase not in refused.value.message or not passphrase


def test_no_flipped_byte_is_taken() -> None:
    sealed = seal(b"secret", WORDS)
    for index in range(0, len(sealed), 7):
        altered = bytearray(sealed)
        altered[index] ^= 1
        with pytest.raises((NotAllowedError, FormatError)):
            unseal(bytes(altered), WORDS)


@pytest.mark.parametrize("size", [0, 5, 17, 30, 45])
def test_b22_a_cut_one_is_refused(size: int) -> None:
    with pytest.raises((NotAllowedError, FormatError)):
        unseal(seal(b"secret", WORDS)[:size], WORDS)


@pytest.mark.parametrize("cost", [0, 13, 21, 255])
def test_i24_a_cost_out_of_bounds_is_refused_before_it_is_paid(cost: int) -> None:
    sealed = bytearray(seal(b"secret", WORDS))
    sealed[len(b"haulage-sealed 1\n")] = cost
    with pytest.raises(FormatError):
        unseal(bytes(sealed), WORDS)


@pytest.mark.parametrize("passphrase", ["short", "x" * 1025, "two\nlines here", "nul\0nul nul"])
def test_a_passphrase_that_protects_nothing_is_refused(passphrase: str) -> None:
    with pytest.raises(UsageError):
        seal(b"secret", passphrase)
