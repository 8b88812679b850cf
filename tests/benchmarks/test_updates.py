"""The update benchmark: what it calls a success is one, what fails is shown with its reason, and kept figures come back."""

from __future__ import annotations

import os
import pathlib
import urllib.request

import pytest
from benchmarks.process import CommandFailed, run
from benchmarks.updates import aims, image
from benchmarks.updates.cell import Cell, Cells, Step
from benchmarks.updates.measure import identify, measure
from benchmarks.updates.ours import ours
from benchmarks.updates.pairs import Kind, Pair, read_pairs
from benchmarks.updates.peer import Peer, Place, size_of
from benchmarks.updates.quick import quick_pairs
from benchmarks.updates.ranges import serving
from benchmarks.updates.report import report
from benchmarks.updates.run import Run


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("corpus"))
    quick_pairs(folder)
    return folder


@pytest.fixture
def place(corpus: str, tmp_path: pathlib.Path) -> Place:
    text = pathlib.Path(corpus) / "text"
    shared, work, out, aside, tools = (str(tmp_path / name) for name in ("shared", "work", "out", "aside", "tools"))
    return Place(old=str(text / "old"), new=str(text / "new"), shared=shared, work=work, out=out, aside=aside, tools=tools)


def copier(apply: str) -> Peer:
    return Peer(name="copier", needs=(), version="echo 1", make="echo > {work}/update", apply=apply, wire=size_of("update"))


def test_haulage_gives_the_new_tree_of_every_quick_pair(corpus: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "work").mkdir()
    run_of = Run(corpus=corpus, results=str(tmp_path), work=str(tmp_path / "work"))
    cells = run_of.over(quick_pairs(corpus), [ours("balanced")])
    assert [(cell.pair, cell.failed) for cell in cells] == [("text", ""), ("program", ""), ("archives", "")]
    for cell in cells:
        assert cell.wire_bytes is not None
        assert cell.make is not None
        assert 0 < cell.wire_bytes < cell.tree_bytes // 4
        assert cell.make.peak_bytes > 10 << 20
    assert os.listdir(tmp_path / "work") == [], "at the end of a pair its trees go"


def test_a_tool_that_gives_the_new_tree_is_a_success(place: Place) -> None:
    peer = copier("cp -a {new} {out}")
    cell = measure(identify("text", peer, place), peer, place, limit_seconds=60)
    assert not cell.failed
    assert cell.wire_bytes == 1
    assert cell.apply is not None
    assert sorted(os.listdir(place.aside)) == ["out", "work"], "removing trees would cost the next tool its time"


@pytest.mark.parametrize(
    ("apply", "reason"),
    [
        ("cp -a {old} {out}", "not the new tree"),
        ("cp -a {new} {out}; rm {out}/empty", "not the new tree"),
        ("cp -a {new} {out}; echo > {out}/more", "not the new tree"),
        ("echo it does not fit >&2; exit 3", "it does not fit"),
    ],
)
def test_a_tool_that_does_not_is_a_failure_with_its_reason(place: Place, apply: str, reason: str) -> None:
    peer = copier(apply)
    cell = measure(identify("text", peer, place), peer, place, limit_seconds=60)
    assert reason in cell.failed
    assert cell.wire_bytes is None
    assert not os.path.exists(place.work)
    assert not os.path.exists(place.out)


def test_a_command_that_takes_too_long_is_ended_with_all_its_processes(tmp_path: pathlib.Path) -> None:
    with pytest.raises(CommandFailed, match="longer than"):
        run(f"sleep 3600 & echo $! > {tmp_path}/sleeper; wait", limit_seconds=0.2)
    sleeper = int((tmp_path / "sleeper").read_text())
    state = pathlib.Path(f"/proc/{sleeper}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_memory_is_that_of_all_processes_together() -> None:
    hold = "import time; held = bytearray(60 << 20); time.sleep(0.5)"
    measured = run(f"python3 -c '{hold}' & python3 -c '{hold}' & wait")
    assert measured.peak_bytes > 110 << 20


def test_kept_cells_come_back_for_the_same_tool_only(tmp_path: pathlib.Path, place: Place) -> None:
    kept = Cells(str(tmp_path / "cells"))
    peer = copier("cp -a {new} {out}")
    cell = measure(identify("text", peer, place), peer, place, limit_seconds=60)
    kept.keep(cell)
    assert kept.find("text", "copier", cell.mark) == cell
    other = identify("text", copier("cp -a {new}/. {out}"), place)
    assert kept.find("text", "copier", other.mark) is None


def test_the_table_shows_failures_and_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    step = Step(wall_seconds=2.0, processor_seconds=1.0, peak_bytes=1 << 20)
    own = Cell(pair="a", tool="haulage smallest", version="", mark="", tree_bytes=10**6, wire_bytes=50, make=step, apply=step)
    best = Cell(pair="a", tool="hdiffz -m-6", version="", mark="", tree_bytes=10**6, wire_bytes=100, make=step, apply=step)
    worse = Cell(pair="a", tool="hdiffz -m-1", version="", mark="", tree_bytes=10**6, wire_bytes=200, make=step, apply=step)
    failed = Cell(pair="a", tool="zsync", version="", mark="", tree_bytes=10**6, failed="could not")
    cells = [own, best, worse, failed]
    assert aims.ratios(cells, own.tool, [best.tool, worse.tool], aims.wire).of == {"a": 0.5}
    assert aims.ratios(cells, own.tool, ["zsync"], aims.wire).of == {}
    report(cells, [Pair(name="a", kind=Kind.PACKED, old=(), new=(), note="of a kind")])
    printed = capsys.readouterr().out
    assert "!!! FAILED: zsync on a: could not" in printed
    assert "median 0.5" in printed


def test_ranges_are_served_one_or_several_and_counted(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(100)))
    with serving(str(tmp_path)) as served:

        def ask(ranges: str) -> bytes:
            request = urllib.request.Request(f"http://127.0.0.1:{served.port}/file", headers={"Range": f"bytes={ranges}"})
            with urllib.request.urlopen(request) as answer:
                found: bytes = answer.read()
            return found

        assert ask("10-19") == bytes(range(10, 20))
        several = ask("0-3,90-")
        assert b"Content-Range: bytes 90-99/100\r\n\r\n" + bytes(range(90, 100)) in several
        assert served.count > 10 + len(several)


def test_the_disk_image_is_the_same_each_time_and_much_of_it_moves(tmp_path: pathlib.Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        for number in range(40):
            (tmp_path / name / str(number)).write_bytes(bytes([number + 1]) * 20_000 + (b"next" if name == "new" else b""))
    edits = image.Edits(scattered=10, insertions=3, moved=2, moved_bytes=64 << 10, replaced_bytes=100_000)
    images = []
    for turn in ("first", "second"):
        placed = image.write_old(str(tmp_path / turn), [str(tmp_path / "old")], 1 << 20)
        next_of = {path: path.replace("/old/", "/new/") for _, _, path in placed}
        own = image.write_new(str(tmp_path / turn), str(tmp_path / f"{turn}.new"), placed, next_of, edits)
        images.append(((tmp_path / turn).read_bytes(), (tmp_path / f"{turn}.new").read_bytes(), own))
    assert images[0] == images[1]
    old, new, own = images[0]
    assert len(old) == 1 << 20
    assert len(new) >= len(old)
    assert 100_000 < own < 800_000
    assert old[: 1 << 16] != new[: 1 << 16] or old[1 << 19 :] != new[1 << 19 :]


def test_every_pair_of_the_list_is_read() -> None:
    pairs = read_pairs()
    assert len(pairs) >= 20
    assert {Kind.UNPACKED, Kind.PACKED, Kind.MADE} == {pair.kind for pair in pairs}
    for pair in pairs:
        for source in (*pair.old, *pair.new):
            assert source.name
            assert source.version
