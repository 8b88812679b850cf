"""What a site refuses to capture by its own rules, and what it only warns of."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from haulage.base.errors import FormatError, UsageError
from haulage.engine.content.capture import CaptureOptions
from haulage.engine.content.capture_report import misleads
from haulage.engine.content.capture_rules import WarningKind
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.trees.memory import MemoryTree
from haulage.engine.trees.model import Entry, EntryType
from tests.engine.content.trees import take

KEY = b"-----BEGIN KEY-----\nMC4CAQ\n-----END KEY-----\n"


def tree_with(target: bytes = b"/etc/passwd") -> MemoryTree:
    tree = MemoryTree()
    tree.file(b"a", b"content")
    tree.file(b"unattend.xml", b"<password>")
    tree.file("pay\u0440al.exe".encode(), b"homoglyph")
    tree.put(Entry(path=b"link", type=EntryType.SYMLINK, target=target))
    return tree


def options(*kinds: WarningKind, secrets: tuple[bytes, ...] = ()) -> CaptureOptions:
    return CaptureOptions(threads=0, refuse=frozenset(kinds), secrets=frozenset(map(chunk_id, secrets)))


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (WarningKind.LINK_LEAVES_TREE, "link"),
        (WarningKind.POSSIBLE_SECRET, "unattend.xml"),
        (WarningKind.MISLEADING_NAME, "pay"),
    ],
)
def test_b1_b17_b19_a_warning_is_an_error_where_the_site_says_so(kind: WarningKind, path: str) -> None:
    store = MemoryStore()
    assert kind in [warning.kind for warning in take(tree_with(), store, options()).warnings]
    with pytest.raises(FormatError, match=path) as caught:
        take(tree_with(), MemoryStore(), options(kind))
    assert caught.value.code == "source-refused"
    assert kind.value in caught.value.hint


def test_b1_a_link_inside_the_tree_passes_the_strictest_rules() -> None:
    tree = MemoryTree()
    tree.file(b"a", b"content")
    tree.put(Entry(path=b"link", type=EntryType.SYMLINK, target=b"a"))
    assert take(tree, MemoryStore(), options(*WarningKind)).warnings == ()


@pytest.mark.parametrize("where", ["file", "stream", "deep"])
def test_b19_q183398_own_identity_is_refused_whatever_it_is_called(where: str) -> None:
    tree, store = tree_with(), MemoryStore()
    match where:
        case "file":
            tree.file(b"harmless.txt", KEY)
        case "stream":
            tree.file(b"harmless.txt", b"x", streams={b"s": KEY})
        case _:
            tree.file(b"x/y/harmless.txt", KEY)
    with pytest.raises(FormatError, match=r"harmless\.txt") as caught:
        take(tree, store, options(secrets=(KEY, b"other")))
    assert caught.value.code == "own-identity"
    assert chunk_id(KEY) not in store.chunks


def test_b19_the_keys_of_others_are_captured_and_warned_of() -> None:
    tree = tree_with()
    tree.file(b"id_ed25519", KEY)
    report = take(tree, MemoryStore(), options(secrets=(b"another key",)))
    assert b"id_ed25519" in [warning.path for warning in report.warnings]


@pytest.mark.parametrize(
    ("name", "misleading"),
    [
        ("pay\u0440al.exe", True),  # Cyrillic er
        ("\u0391pple", True),  # Greek Alpha
        ("\uff53etup.exe", True),  # full width
        ("\u202egpj.exe", True),
        ("zero\u200bwidth", True),
        ("new\nline", True),
        ("Отчёт final.docx", False),
        ("Ångström µm.txt", False),
        ("日本語 readme.txt", False),
        ("plain.txt", False),
    ],
)
def test_b17_names_that_mislead(name: str, misleading: bool) -> None:
    assert misleads(name.encode()) is misleading


def test_b15_a_sparse_file_of_a_terabyte_is_refused_before_a_byte_is_read() -> None:
    tree = MemoryTree()
    tree.file(b"disk.img", b"")
    tree.entries[b"disk.img"] = replace(tree.entries[b"disk.img"], size=1 << 40)
    with pytest.raises(UsageError, match=r"disk\.img") as caught:
        take(tree, MemoryStore(), CaptureOptions(threads=0, max_bytes=1 << 39))
    assert caught.value.code == "source-too-large"
