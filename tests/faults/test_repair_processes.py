"""Real sites, real disks: bytes are flipped under running servers; everything is found, named, and healed over the real hop."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from haulage.base.errors import IntegrityError
from haulage.testing.lab.lab import Lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        lab.central("HQ1")
        lab.site("CHI", parent="HQ1")
        yield lab


def publish(lab: Lab, name: str) -> str:
    source = Path(lab.path(name))
    source.mkdir()
    chance = random.Random(name)
    for number in range(12):
        (source / f"file {number}").write_bytes(chance.randbytes(90_000))
    made = lab.quick("HQ1", "package", "create", name, "--source", str(source))
    lab.quick("HQ1", "package", "assign", made["id"], "--to", "CHI")
    lab.quick("HQ1", "package", "publish", made["id"], "--wait")
    lab.wait_present(made["id"])
    return str(made["id"])


def packs(lab: Lab, code: str) -> list[Path]:
    return sorted(Path(lab.path(code, "content", "packs")).glob("*.pack"))


def flip(path: Path, offset: int) -> None:
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def numbers(lab: Lab, code: str) -> list[int]:
    return [row["number"] for row in lab[code].api.rows("/status")]


def test_i15_a_child_is_healed_from_its_parent(lab: Lab) -> None:
    package = publish(lab, "first")
    damaged = packs(lab, "CHI")
    for path in damaged:
        flip(path, path.stat().st_size // 2)
    found = lab.quick("CHI", "store", "check", expect=7)
    assert found["error"]["code"] == "store-damaged"
    lab.until(lambda: 641 in numbers(lab, "CHI"), "the damage is told")
    healed = lab.cli("CHI", "store", "check", "--repair")
    assert healed["left"] == []
    lab.until(lambda: 642 in numbers(lab, "CHI"), "the healing is told, whoever was first: the server by itself, or the command")
    after = lab.quick("CHI", "store", "check")
    assert (after["damaged"], after["affected"]) == (0, [])
    assert not set(damaged) & set(packs(lab, "CHI")), "what was damaged is set aside"
    assert lab.quick("CHI", "package", "verify", package, "--at", "CHI")[0]["outcome"] == "verified"


def test_damage_that_nobody_asked_about_is_healed_by_itself(lab: Lab) -> None:
    """Reading is enough: whoever wants the version meets it, it is told, and it is gone a moment later."""
    package = publish(lab, "second")
    before = set(packs(lab, "CHI"))
    for path in before:
        flip(path, path.stat().st_size // 2)
    lab.kill("CHI")  # nothing of it is in the memory of the server any more
    lab.start("CHI")
    target = lab.path("taken out")
    lab.cli("CHI", "package", "extract", package, "--to", target, expect=7)
    lab.until(lambda: not before & set(packs(lab, "CHI")) or _whole(lab, "CHI"), "what was met is healed")
    lab.until(lambda: _extracts(lab, package, target), "everything can be taken out")
    assert lab.quick("CHI", "store", "check", "--repair")["left"] == [], "what nobody has read yet, too"


def _whole(lab: Lab, code: str) -> bool:
    seen = lab[code].api.get("/store/damage")
    return bool(seen["damaged_chunks"] == 0 and not seen["left"] and seen["unsound_packs"] == 0)


def _extracts(lab: Lab, package: str, target: str) -> bool:
    shutil.rmtree(target, ignore_errors=True)
    try:
        lab["CHI"].api.post(f"/packages/{package}/extract", {"to": target})
    except IntegrityError:
        return False
    return True


def test_b17_the_central_site_is_healed_by_its_child(lab: Lab) -> None:
    publish(lab, "third")
    for name in ("first", "second", "third"):
        shutil.rmtree(lab.path(name))  # no source holds anything any more
    for path in packs(lab, "HQ1"):
        flip(path, path.stat().st_size // 2)
    healed = lab.cli("HQ1", "store", "check", "--repair", "--timeout", "1m")
    assert healed["asked"] == ["CHI"] or healed["damaged"]
    assert healed["left"] == []
    lab.until(lambda: _whole(lab, "HQ1"), "nothing is damaged any more")
    assert lab.quick("HQ1", "store", "check")["damaged"] == 0


def test_what_nobody_holds_is_named_with_the_next_step(lab: Lab) -> None:
    """At the last holder, with the neighbour damaged in the same place and no source: said, never served, nothing deleted."""
    source = Path(lab.path("fourth"))
    source.mkdir()
    (source / "only here").write_bytes(random.Random(4).randbytes(9_000_000))
    made = lab.quick("HQ1", "package", "create", "fourth", "--source", str(source))
    lab.quick("HQ1", "package", "publish", made["id"], "--wait")
    shutil.rmtree(source)
    newest = max(packs(lab, "HQ1"), key=lambda path: path.stat().st_mtime)
    flip(newest, 1_000_000)  # the list of contents stands in a later block
    told = lab.cli("HQ1", "store", "check", "--repair", "--timeout", "2s", expect=7)
    assert made["id"] in told["error"]["message"]
    assert "--full" in told["error"]["hint"]
    assert newest.exists()
    seen = lab["HQ1"].api.get("/store/damage")
    assert [row["paths"] for row in seen["left"]] == [["only here"]], json.dumps(seen)
    doctor = list(lab["HQ1"].api.rows("/doctor"))
    assert any(row["code"] == "store-damaged" for row in doctor), json.dumps(doctor)


def test_b9_each_file_of_a_point_is_looked_at_and_repaired(lab: Lab) -> None:
    """Contents, the signed statement, the pages of the manifest, the pointer: one flipped byte in each in turn."""
    source, point = Path(lab.path("fifth")), Path(lab.path("point"))
    source.mkdir()
    for number in range(3):
        (source / f"file {number}").write_bytes(random.Random(number).randbytes(50_000))
    made = lab.quick("HQ1", "package", "create", "fifth", "--source", str(source))
    lab.quick("HQ1", "point", "add", "HQ1/SHOP", "--url", f"folder:{point}")
    lab.quick("HQ1", "package", "assign", made["id"], "--to", "HQ1/SHOP")
    lab.quick("HQ1", "package", "publish", made["id"], "--wait")
    lab.wait_present(made["id"])
    folder = point / made["id"]
    unchanging = [folder / ".haulage" / "1" / "version.json", *sorted((folder / ".haulage" / "1" / "manifest").iterdir())]
    for path in [*sorted((folder / "1").iterdir()), *unchanging, folder / ".haulage" / "current"]:
        before = path.read_bytes()
        flip(path, len(before) // 2)
        told = lab.quick("HQ1", "package", "verify", made["id"], "--at", "HQ1/SHOP", expect=7)
        assert told["error"]["code"] == "damaged", path
        lab.quick("HQ1", "package", "verify", made["id"], "--at", "HQ1/SHOP", "--repair")
        assert path.read_bytes() == before, path
