"""Capturing a source again: whatever was edited, the result is that of reading everything; what was not edited is not decoded."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from haulage.engine.content import capture_notes, pages
from haulage.engine.content.capture import CaptureOptions, capture
from haulage.engine.content.capture_report import CaptureReport
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ChunkStore
from haulage.engine.content.store import LocalStore
from haulage.engine.trees import change_token, local_survey
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_survey import LocalSurvey
from haulage.engine.trees.local_writer import LocalWriter
from haulage.engine.trees.model import Entry, EntryType, ReadPolicy
from haulage.testing.clock import HandClock

LONG = bool(os.environ.get("HAULAGE_LONG"))
FOLDERS = ("", "a", "a/deep", "a/deep/er", "a-b", "b", "zz")
"""``a-b`` stands between ``a`` and what lies in it."""
NAMES = ("f", "g.txt", "id_rsa", "k", "link", "m.txt", "twin", "x", "über")


@pytest.fixture(autouse=True)
def many_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pages, so that a small tree has many, of both kinds: ended by a hash, and by the most entries."""
    monkeypatch.setattr(pages, "PAGE_MIN_ENTRIES", 3)
    monkeypatch.setattr(pages, "PAGE_MAX_ENTRIES", 9)
    monkeypatch.setattr(pages, "_CUT_BELOW", 2**32 // 4)
    # Files of a test are always young; what that means is tested by itself.
    monkeypatch.setattr(capture_notes, "SETTLED_NS", -(2**62))


class Source:
    """A folder that is edited and captured again and again."""

    def __init__(self, folder: str, store: ChunkStore) -> None:
        self.root = os.path.join(folder, "tree")
        self.hints = os.path.join(folder, "hints")
        self.store = store
        self._probe = os.path.join(folder, "probe")
        os.mkdir(self.root)
        for number, inner in enumerate(FOLDERS):
            os.makedirs(self.at(inner), exist_ok=True)
            for name in NAMES[: 7 + number % 3]:
                pathlib.Path(self.at(inner, name)).write_bytes(f"{inner}/{name}".encode())
        os.link(self.at("a", "f"), self.at("b", "same"))
        os.link(self.at("zz", "k"), self.at("a", "same"))
        os.symlink("f", self.at("b", "pointer"))

    def at(self, *parts: str) -> str:
        return os.path.join(self.root, *[part for part in parts if part])

    def tick(self) -> None:
        """Until the file system's clock has moved on, as between any two captures of the real world."""
        moments = set[int]()
        while len(moments) < 2:
            pathlib.Path(self._probe).write_bytes(b"")
            moments.add(os.stat(self._probe).st_ctime_ns)

    def again(self, *, policy: ReadPolicy | None = None) -> CaptureReport:
        self.tick()
        with contextlib.closing(LocalReader(self.root, policy)) as reader:
            report = capture(reader, self.store, HandClock(), options=CaptureOptions(hints=self.hints, threads=0))
        self.tick()
        return report

    def whole(self, *, policy: ReadPolicy | None = None) -> CaptureReport:
        with contextlib.closing(LocalReader(self.root, policy)) as reader:
            return capture(reader, MemoryStore(), HandClock(), options=CaptureOptions(threads=0))

    def edit(self, kind: str, folder: str, name: str) -> None:
        """One edit, where it can be done at all."""
        path = self.at(folder, name)
        with contextlib.suppress(OSError):
            EDITS[kind](self, path, self.at(folder))


def _overwrite(source: Source, path: str, folder: str) -> None:
    """Other bytes of the same length, and the old time set back: only the ctime tells."""
    status = os.stat(path, follow_symlinks=False)
    with open(path, "r+b") as file:
        file.write(b"!")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _append(source: Source, path: str, folder: str) -> None:
    with open(path, "ab") as file:
        file.write(b"more")


def _turn(source: Source, path: str, folder: str) -> None:
    """A file becomes a folder with a file in it, a folder becomes a file."""
    if os.path.isdir(path):
        shutil.rmtree(path)
        pathlib.Path(path).write_bytes(b"was a folder")
    else:
        os.unlink(path)
        os.mkdir(path)
        pathlib.Path(path, "inner").write_bytes(b"was a file")


def _relink(source: Source, path: str, folder: str) -> None:
    os.link(path, os.path.join(source.root, "0-first"))


def _swap(source: Source, path: str, folder: str) -> None:
    """Another name, and a further link under the old one."""
    os.rename(path, path + "~")
    os.link(path + "~", path)


def _point_elsewhere(source: Source, path: str, folder: str) -> None:
    os.unlink(path)
    os.symlink("../out", path)


EDITS: dict[str, Callable[[Source, str, str], object]] = {
    "overwrite": _overwrite,
    "append": _append,
    "turn": _turn,
    "relink": _relink,
    "mode": lambda source, path, folder: os.chmod(path, 0o4711),
    "attribute": lambda source, path, folder: os.setxattr(path, "user.note", os.urandom(2)),
    "stream": lambda source, path, folder: os.setxattr(path, "user.DosStream.s:$DATA", b"bytes\0"),
    "remove": lambda source, path, folder: os.unlink(path),
    "remove folder": lambda source, path, folder: shutil.rmtree(folder) if folder != source.root else None,
    "rename": lambda source, path, folder: os.rename(path, path + "-moved"),
    "rename folder": lambda source, path, folder: os.rename(folder, folder + "-moved") if folder != source.root else None,
    "swap": _swap,
    "add": lambda source, path, folder: pathlib.Path(folder, "added").write_bytes(b"new"),
    "many": lambda source, path, folder: [pathlib.Path(folder, f"n{n}").write_bytes(b"n") for n in range(12)],
    "time of a folder": lambda source, path, folder: os.utime(folder, ns=(5, 7)),
    "empty": lambda source, path, folder: os.truncate(path, 0),
    "point elsewhere": _point_elsewhere,
}

edits = st.lists(
    st.tuples(st.sampled_from(sorted(EDITS)), st.sampled_from(FOLDERS), st.sampled_from((*NAMES, "same", "pointer"))), max_size=4
)


@contextlib.contextmanager
def sources(*, on_disk: bool) -> Iterator[Source]:
    with tempfile.TemporaryDirectory() as folder:
        if not on_disk:
            yield Source(folder, MemoryStore())
            return
        with contextlib.closing(LocalStore(os.path.join(folder, "store"))) as store:
            yield Source(folder, store)


def told(report: CaptureReport) -> tuple[object, ...]:
    """Everything that must not depend on how it was found out."""
    return report.manifest, report.bytes_total, report.streams, report.dropped, report.warnings, report.warnings_more


@settings(max_examples=1_000 if LONG else 60, deadline=None)
@example(rounds=[[("mode", "b", "f")], [("remove", "a", "f")], []], on_disk=False)
@given(rounds=st.lists(edits, min_size=1, max_size=3), on_disk=st.booleans())
def test_i23_whatever_was_edited_a_capture_again_gives_what_a_whole_one_gives(
    rounds: list[list[tuple[str, str, str]]], on_disk: bool
) -> None:
    with sources(on_disk=on_disk) as source:
        assert told(source.again()) == told(source.whole())
        for edited in rounds:
            for edit in edited:
                source.edit(*edit)
            assert told(source.again()) == told(source.whole()), edited
        last = source.again()
        assert (last.bytes_read, last.files_read) == (0, 0)


def test_that_comparison_fails_where_a_change_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, with a token that knows no ctime: the edit it is blind to must show."""
    blind = lambda status: change_token._LAYOUT.pack(status.st_size, status.st_mtime_ns, 0, status.st_ino)  # noqa: E731
    monkeypatch.setattr(local_survey, "token_of", blind)
    monkeypatch.setattr("haulage.engine.trees.local_facts.token_of", blind)
    monkeypatch.setattr("haulage.engine.trees.local_reader.token_of", blind)
    with sources(on_disk=False) as source:
        source.again()
        source.edit("overwrite", "b", "f")
        assert told(source.again()) != told(source.whole())


@pytest.fixture
def source() -> Iterator[Source]:
    with sources(on_disk=True) as made:
        yield made


def count_pages(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Which pages are decoded from now on."""
    decoded: list[int] = []
    whole = Manifest.page

    def page(manifest: Manifest, number: int) -> object:
        decoded.append(number)
        return whole(manifest, number)

    monkeypatch.setattr(Manifest, "page", page)
    return decoded


def test_of_an_unchanged_tree_no_page_is_decoded(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    first = source.again()
    decoded = count_pages(monkeypatch)
    hints = pathlib.Path(source.hints).read_bytes()
    assert told(source.again()) == told(first)
    assert decoded == []
    assert pathlib.Path(source.hints).read_bytes() == hints


def test_empty_folders_are_nothing_special(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("a-a", "b/hollow", "zz/hollow/deep"):
        os.makedirs(source.at(folder))
    source.again()
    decoded = count_pages(monkeypatch)
    again = source.again()
    assert decoded == []
    assert told(again) == told(source.whole())


def test_of_one_changed_file_only_its_page_is_decoded_and_only_it_is_read(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    source.again()
    source.edit("append", "a/deep", "m.txt")
    decoded = count_pages(monkeypatch)
    report = source.again()
    assert (report.files_read, report.bytes_read) == (1, len(b"a/deep/m.txtmore"))
    assert len(set(decoded)) == 1
    assert report.files_skipped > 40


def test_a_file_that_may_change_unseen_keeps_its_page_from_being_kept(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_notes, "SETTLED_NS", 2**62)
    source.again()
    report = source.again()
    assert (report.files_skipped, report.files_read) == (0, source.whole().files_read)


def test_hints_of_another_policy_are_of_no_use(source: Source) -> None:
    os.chmod(source.at("b", "f"), 0o4755)
    source.again()
    keeping = ReadPolicy(keep_special_bits=True)
    assert told(source.again(policy=keeping)) == told(source.whole(policy=keeping))


def test_hints_of_owners_with_other_names_are_of_no_use(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    source.again()
    monkeypatch.setattr("haulage.engine.trees.local_facts._user", lambda uid: "somebody")
    assert told(source.again()) == told(source.whole())


def test_a_lost_pack_makes_its_files_be_read_again(source: Source) -> None:
    first = source.again()
    source.store.close()
    packs = os.path.join(os.path.dirname(source.root), "store", "packs")
    for name in os.listdir(packs):
        os.unlink(os.path.join(packs, name))
    source.store = LocalStore(os.path.dirname(packs))
    assert source.again().bytes_read == first.bytes_read
    source.store.close()


def test_a_damaged_chunk_makes_its_file_be_read_again(source: Source) -> None:
    first = source.again()
    store = source.store
    assert isinstance(store, LocalStore)
    manifest = Manifest.open(first.manifest.id, store.read)
    entry = manifest.lookup(b"b/m.txt")
    assert entry is not None
    chunk = entry.content.chunks[-32:]
    indexes = store._state.indexes
    indexes.mark_damaged(chunk, indexes.sealed[0].name)  # type: ignore[arg-type]
    again = source.again()
    assert (again.files_read, again.manifest) == (1, first.manifest)


def test_a_survey_tells_every_name_in_the_order_of_the_tree_with_its_token(source: Source) -> None:
    with contextlib.closing(LocalReader(source.root)) as reader:
        survey = reader.survey()
        assert isinstance(survey, LocalSurvey)
        seen = [(run.prefix + name, token) for run in survey.runs() for name, token in zip(run.names, run.tokens, strict=True)]
        entries = [(entry.path, entry.seen + (entry.same_as or b"")) for entry in reader.entries()]
        assert seen == entries
        assert list(survey.rest([])) == list(reader.entries())


@given(bounds=st.sets(st.sampled_from(range(60)), max_size=8))
@settings(max_examples=25, deadline=None)
def test_what_a_survey_leaves_out_is_just_the_ranges(bounds: set[int]) -> None:
    with sources(on_disk=False) as source, contextlib.closing(LocalReader(source.root)) as reader:
        entries = list(reader.entries())
        survey = reader.survey()
        assert survey is not None
        list(survey.runs())
        cuts = sorted({min(bound, len(entries) - 1) for bound in bounds})
        ranges = [
            (entries[one].path, entries[two].path if two is not None else None)
            for one, two in zip(cuts[::2], [*cuts[1::2], None], strict=False)
        ]
        left = [e for e in entries if not any(one <= e.path and (two is None or e.path < two) for one, two in ranges)]
        assert list(survey.rest(ranges)) == left


def test_a_first_name_that_vanished_after_the_survey_is_a_change(source: Source) -> None:
    with contextlib.closing(LocalReader(source.root)) as reader:
        survey = reader.survey()
        assert survey is not None
        os.link(source.at("a", "f"), source.at("zz", "third"))
        list(survey.runs())
        os.unlink(source.at("a", "f"))
        with pytest.raises(Exception, match="changed while it was read"):
            list(survey.rest([(b"zz", None)]))


def test_a_tree_with_a_sidecar_is_not_judged_by_a_survey(source: Source) -> None:
    with contextlib.closing(LocalReader(source.root)) as reader:
        assert reader.survey() is not None
    out = os.path.join(os.path.dirname(source.root), "out")
    writer = LocalWriter(out, sidecar_only=True)
    writer.add(Entry(path=b"", type=EntryType.FOLDER, mode=0o755))
    writer.finish()
    with contextlib.closing(LocalReader(out)) as reader:
        assert reader.survey() is None
