"""The whole way on disk: a real folder into a store, sent as a parcel, received through cuts, restored, verified."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator

import pytest

from haulage.base.clock import SystemClock
from haulage.base.errors import TransferError
from haulage.engine.content.capture import CaptureOptions, capture
from haulage.engine.content.manifest import Manifest, live_chunks
from haulage.engine.content.restore import restore
from haulage.engine.content.store import LocalStore
from haulage.engine.content.verify import verify_tree
from haulage.engine.delta.level import Level
from haulage.engine.parcels.build import build
from haulage.engine.parcels.file import ParcelFile
from haulage.engine.parcels.receive import receive
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter
from tests.engine.content.trees import noise, text


def fill(source: pathlib.Path) -> None:
    (source / "sub" / "empty").mkdir(parents=True)
    for number in range(300):
        (source / "sub" / f"{number}.txt").write_bytes(text(number, 2000))
    (source / "big.bin").write_bytes(noise(1, 20 << 20))
    (source / "none").write_bytes(b"")
    (source / "link").symlink_to("sub/1.txt")
    os.link(source / "big.bin", source / "sub" / "hard")
    os.utime(source / "none", ns=(1, 1_234_567_890_123_456_789))
    with (source / "sparse").open("wb") as sparse:
        sparse.truncate(5 << 20)


def test_q316316_from_a_folder_through_a_parcel_to_a_folder(tmp_path: pathlib.Path) -> None:
    source = tmp_path / "source"
    fill(source)
    sender, options = LocalStore(tmp_path / "one"), CaptureOptions(hints=os.fspath(tmp_path / "hints"))
    report = capture(LocalReader(os.fspath(source)), sender, SystemClock(), options=options)
    again = capture(LocalReader(os.fspath(source)), sender, SystemClock(), options=options)
    assert (again.manifest, again.bytes_new) == (report.manifest, 0)
    build(report.manifest.id, [], sender, os.fspath(tmp_path / "parcel"), level=Level.BALANCED, folder=os.fspath(tmp_path))
    parcel = ParcelFile.open(os.fspath(tmp_path / "parcel"))

    def cut(offset: int, size: int) -> Iterator[bytes]:
        left = 9 << 20
        for piece in parcel.read(offset, size):
            left -= len(piece)
            if left < 0:
                raise TransferError("link-down", "The line is down.")
            yield piece

    fetched = 0
    for fetch in (cut, cut, parcel.read):
        receiver = LocalStore(tmp_path / "two")
        try:
            with receiver.session("receive") as session:
                report_of = receive(parcel.head, fetch, receiver, session, folder=os.fspath(tmp_path), owner="receiving:PKG")
                fetched += report_of.sections_fetched
        except TransferError:
            receiver.close()
    assert 0 < fetched < len(parcel.head.sections)
    assert not receiver.missing(live_chunks(report.manifest.id, receiver))
    manifest = Manifest.open(report.manifest.id, receiver.read)
    restore(manifest, receiver, LocalWriter(os.fspath(tmp_path / "target")))
    assert list(verify_tree(manifest, LocalReader(os.fspath(tmp_path / "target")))) == []
    assert (tmp_path / "target" / "sparse").stat().st_blocks * 512 < 1 << 20
    with (tmp_path / "target" / "big.bin").open("r+b") as file:
        file.seek(19 << 20)
        file.write(b"damage")
    assert [d.path for d in verify_tree(manifest, LocalReader(os.fspath(tmp_path / "target"))) if d.what == "content"] == [
        b"big.bin"
    ]
    parcel.close()
    sender.close()
    receiver.close()


def test_b5_what_cannot_be_a_package_is_refused_without_being_opened(tmp_path: pathlib.Path) -> None:
    (tmp_path / "source").mkdir()
    os.mkfifo(tmp_path / "source" / "pipe")
    store = LocalStore(tmp_path / "store")
    with pytest.raises(Exception, match="pipe"):
        capture(LocalReader(os.fspath(tmp_path / "source")), store, SystemClock())
    store.close()
