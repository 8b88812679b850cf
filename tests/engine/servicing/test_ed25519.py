"""The verifier against RFC 8032, against an established library, and against what strictness must refuse."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from haulage.engine.servicing import ed25519
from haulage.engine.trust.keys import SigningKey

RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
SMALL_ORDER = [
    (1).to_bytes(32, "little"),  # the neutral point
    (ed25519.P - 1).to_bytes(32, "little"),  # order 2
    (0).to_bytes(32, "little"),  # order 4
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),  # order 8
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),  # order 8
]


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_vectors_of_rfc_8032(key: str, message: str, signature: str) -> None:
    assert ed25519.verifies(bytes.fromhex(key), bytes.fromhex(signature), bytes.fromhex(message))
    assert not ed25519.verifies(bytes.fromhex(key), bytes.fromhex(signature), bytes.fromhex(message) + b"x")


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_points_of_small_order_sign_nothing(point: bytes) -> None:
    """S = 0 and R = A fit the equation for some messages; strictness refuses all of them."""
    assert not ed25519.is_usable_key(point)
    assert not any(ed25519.verifies(point, r + bytes(32), bytes([n])) for n in range(8) for r in SMALL_ORDER)


def test_a_scalar_beyond_the_order_is_refused() -> None:
    key = SigningKey.from_seed(bytes(32))
    signature = key.sign(b"m")
    again = int.from_bytes(signature[32:], "little") + ed25519.L
    assert ed25519.verifies(key.public.raw, signature, b"m")
    assert not ed25519.verifies(key.public.raw, signature[:32] + again.to_bytes(32, "little"), b"m")


@pytest.mark.parametrize(
    "data",
    [
        (ed25519.P + 1).to_bytes(32, "little"),  # y = 1 once more, not canonical
        (1 | 1 << 255).to_bytes(32, "little"),  # x = 0 with a sign
        (2).to_bytes(32, "little"),  # not on the curve
        bytes(31),
    ],
)
def test_encodings_that_are_not_the_one(data: bytes) -> None:
    assert not ed25519.is_usable_key(data)


@settings(max_examples=60, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200), bit=st.integers(0, 64 * 8 - 1))
def test_it_agrees_with_the_library(seed: bytes, message: bytes, bit: int) -> None:
    key = SigningKey.from_seed(seed)
    signature = key.sign(message)
    assert ed25519.verifies(key.public.raw, signature, message)
    flipped = (int.from_bytes(signature, "big") ^ 1 << bit).to_bytes(64, "big")
    try:
        Ed25519PublicKey.from_public_bytes(key.public.raw).verify(flipped, message)
        library = True
    except InvalidSignature:
        library = False
    assert ed25519.verifies(key.public.raw, flipped, message) == library
