"""Keys, the folder they lie in, and the administrator's token."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from haulage.base.errors import ConflictError, FormatError, HaulageError, NotAllowedError, NotFoundError
from haulage.engine.trust.keys import PublicKey, SigningKey
from haulage.engine.trust.keystore import Keystore
from haulage.engine.trust.tokens import new_token, read_token, token_digest, token_matches, write_token

# RFC 8032, section 7.1: seed, public key, message, signature of tests 1 and 3.
RFC8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC8032)
def test_keys_follow_rfc_8032(seed: str, public: str, message: str, signature: str) -> None:
    key = SigningKey.from_seed(bytes.fromhex(seed))
    assert key.public.raw.hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    assert key.public.verifies(bytes.fromhex(signature), bytes.fromhex(message))
    assert not key.public.verifies(bytes.fromhex(signature), b"other")


def test_a_key_id_comes_from_the_bytes_alone() -> None:
    key = SigningKey.generate()
    assert PublicKey.parse(key.public.text) == key.public
    assert PublicKey.parse(key.public.text).id == key.public.id == SigningKey.from_pem(key.to_pem()).public.id
    assert SigningKey.generate().public.id != key.public.id
    raw = RFC8032[0][1]
    described = b'{"keytype":"ed25519","keyval":{"public":"' + raw.encode() + b'"},"scheme":"ed25519"}'
    assert PublicKey(raw=bytes.fromhex(raw)).id == hashlib.sha256(described).hexdigest()


def test_i19_a_signing_key_does_not_show_itself() -> None:
    key = SigningKey.from_seed(b"\x11" * 32)
    assert "11" * 8 not in repr(key)
    assert key.public.id[:16] in repr(key)


@pytest.mark.parametrize("text", ["", "AAAA", "A" * 43, "A" * 42 + "B=", "A" * 43 + "=\n", "-" * 43 + "=", "é" * 44])
def test_a_public_key_has_one_spelling(text: str) -> None:
    with pytest.raises(FormatError):
        PublicKey.parse(text)


def test_the_keystore_keeps_keys_for_the_owner_alone(tmp_path: Path) -> None:
    store = Keystore(tmp_path / "keys")
    assert not store.has("site")
    key = store.create("site")
    assert store.has("site")
    assert store.load("site").public == key.public
    assert stat.S_IMODE(os.stat(store.folder).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(store.path("site")).st_mode) == 0o600


def test_the_keystore_never_overwrites_by_accident(tmp_path: Path) -> None:
    store = Keystore(tmp_path / "keys")
    key = store.create("site")
    with pytest.raises(ConflictError):
        store.create("site")
    assert store.load("site").public == key.public


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o666])
def test_b105_a_key_file_open_to_others_is_refused_by_name(tmp_path: Path, mode: int) -> None:
    store = Keystore(tmp_path / "keys")
    store.create("site")
    os.chmod(store.path("site"), mode)
    with pytest.raises(NotAllowedError, match=r"keys/site\.pem") as caught:
        store.load("site")
    assert caught.value.code == "key-exposed"
    assert "chmod 600" in caught.value.hint


def test_b105_a_key_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    store = Keystore(tmp_path / "keys")
    store.create("site")
    os.chmod(store.folder, 0o750)
    for name, act in (("site", store.load), ("root", store.create)):
        with pytest.raises(NotAllowedError, match="open to others"):
            act(name)


def test_a_key_file_that_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    store = Keystore(tmp_path / "keys")
    store.create("site")
    os.symlink(store.path("site"), store.path("link"))
    os.mkfifo(store.path("fifo"), 0o600)
    for name in ("link", "fifo"):
        with pytest.raises(NotAllowedError):
            store.load(name)


def test_missing_and_damaged_key_files_are_named(tmp_path: Path) -> None:
    store = Keystore(tmp_path / "keys")
    with pytest.raises(NotFoundError, match=r"site\.pem"):
        store.load("site")
    store.write("site", b"nonsense")
    with pytest.raises(FormatError, match=r"site\.pem"):
        store.load("site")
    store.write("big", b"x" * 70_000)
    with pytest.raises(FormatError, match="larger"):
        store.read("big")


def test_b31_a_key_name_is_no_path(tmp_path: Path) -> None:
    for name in ("../x", "a/b", "", ".", "A"):
        with pytest.raises(ValueError, match="not a key name"):
            Keystore(tmp_path).path(name)


def test_a_token_matches_itself_alone() -> None:
    token, other = new_token(), new_token()
    digest = token_digest(token)
    assert token not in digest
    assert token_matches(token, digest)
    for wrong in (other, "", token[:-1], token + "x", digest, "haulage_", "\ud800"):
        assert not token_matches(wrong, digest)


def test_b105_the_token_file_is_private(tmp_path: Path) -> None:
    path = str(tmp_path / "token")
    token = new_token()
    write_token(path, token)
    assert read_token(path) == token
    os.chmod(path, 0o644)
    with pytest.raises(HaulageError, match="open to others"):
        read_token(path)
