"""Sites that are away, stores that are damaged, databases that are lost, packages and sites that go."""

from __future__ import annotations

import contextlib
import glob
import itertools
import os
from pathlib import Path

from haulage.engine.trees.local_reader import LocalReader
from haulage.testing.lab.lab import Lab
from tests.lab.scenes import (
    MIB,
    add_point,
    assert_same,
    create,
    files_below,
    on_point,
    publish,
    wait_moving,
    write_bulk,
)

_numbers = itertools.count(1)


def same_at(folder: Path, package: str, version: int, source: Path) -> None:
    with contextlib.closing(on_point(folder, package, version)) as found, contextlib.closing(LocalReader(str(source))) as expected:
        assert_same(expected, found)


def test_f22_a_site_serves_and_is_administered_while_its_parent_is_away(lab: Lab, tmp_path: Path) -> None:
    source = write_bulk(tmp_path / "source", 2, seed=5)
    old = create(lab, source, "LA1")
    publish(lab, old)
    lab.wait_present(old)
    lab.stop("HQ1")
    number = next(_numbers)
    places = {f"CHI/AWAY-{number}": tmp_path / "point-chi", f"LA1/AWAY-{number}": tmp_path / "point-la1"}
    for place, folder in places.items():
        add_point(lab, place, folder, at="CHI")
    local = create(lab, write_bulk(tmp_path / "local", 2, seed=6), *places, at="CHI", name="Made in Chicago")
    assert local.startswith("CHI")
    publish(lab, local, at="CHI")
    lab.wait_present(local, at="CHI")
    for folder in places.values():
        same_at(folder, local, 1, tmp_path / "local")
    assert lab.cli("LA1", "package", "extract", old, "--to", str(tmp_path / "out"))["version"] == 1
    assert lab.quick("CHI", "status", "list")
    lab.start("HQ1")
    # The centre catches up with what happened without it, and what it says is heard again.
    lab.until(lambda: any(row["id"] == local for row in lab["HQ1"].api.rows("/packages")), "HQ1 hears of the package")
    assert set(lab.wait_present(local)) >= {"CHI", "LA1", *places}
    (source / "more").write_text("more")
    publish(lab, old)
    lab.wait_present(old, 2)


def test_q235774_a_package_deleted_while_a_site_is_away_is_gone_there_too(lab: Lab, tmp_path: Path) -> None:
    place = f"LA1/GONE-{next(_numbers)}"
    folder = add_point(lab, place, tmp_path / "point")
    for site in lab:
        site.quick("store", "sweep")
    before = {site.code: site.quick("store", "stats") for site in lab}
    parcels = set(parcels_of(lab))
    package = create(lab, write_bulk(tmp_path / "source", 6, seed=lab.clock.now().microsecond), place)
    publish(lab, package)
    lab.wait_present(package)
    assert (folder / package).is_dir()
    # At HQ1 for CHI, and at CHI for LA1; more than one, if a line was measured anew between two asks.
    made = set(parcels_of(lab)) - parcels
    assert {site.code for site in lab if any(path.startswith(site.home) for path in made)} >= {"HQ1", "CHI"}
    lab.stop("LA1")
    lab.cli("HQ1", "package", "remove", package, "--yes")
    lab.until(lambda: not knows(lab, "CHI", package), "CHI forgets the package")
    lab.start("LA1")
    lab.until(lambda: not knows(lab, "LA1", package), "LA1 forgets the package")
    lab.until(lambda: not (folder / package).exists(), "the point is cleared")
    lab.until(lambda: gone_from(lab, package), "HQ1 knows of no place that holds it")
    assert files_below(folder) == [str(folder / ".haulage-point")]
    for site in lab:
        assert site.quick("package", "show", package, expect=3)["error"]["code"] == "no-such-package"
        lab.until(lambda site=site: swept(site.quick, before[site.code]), f"the store of {site.code} is swept")  # type: ignore[misc]
    assert set(parcels_of(lab)) <= parcels
    assert lab.cli("HQ1", "package", "remove", package, "--yes", expect=3)["error"]["code"] == "no-such-package"


def knows(lab: Lab, site: str, package: str) -> bool:
    return any(row["id"] == package for row in lab[site].api.rows("/packages"))


def gone_from(lab: Lab, package: str) -> bool:
    """Nothing about a deleted package is left to say."""
    return not lab.status(package)


def parcels_of(lab: Lab) -> list[str]:
    """The parcels kept, whole or being written; the folder they are written in comes with a site's first and stays."""
    return [
        path
        for site in lab
        for pattern in ("*.parcel", "work/*")
        for path in glob.glob(os.path.join(glob.escape(site.home), "content", "parcels", pattern))
    ]


def swept(quick: object, before: dict[str, int]) -> bool:
    quick("store", "sweep")  # type: ignore[operator]
    return bool(quick("store", "stats")["chunks"] <= before["chunks"])  # type: ignore[operator]


def test_q215130_a_removed_site_leaves_nothing_behind(lab: Lab, tmp_path: Path) -> None:
    code = f"N{next(_numbers):02}"
    lab.site(code, parent="CHI")
    place = f"{code}/SHOP"
    add_point(lab, place, tmp_path / "point")
    source = write_bulk(tmp_path / "source", 1, seed=7)
    package = create(lab, source, place, "LA1")
    publish(lab, package)
    assert {code, place} < set(lab.wait_present(package))
    assert lab.quick("HQ1", "site", "remove", "CHI", "--yes", expect=4)["error"]["code"]
    lab.cli("HQ1", "site", "remove", code, "--yes")
    for other in ("HQ1", "CHI", "LA1"):
        lab.until(
            lambda other=other: code not in {row["code"] for row in lab[other].api.rows("/sites")},  # type: ignore[misc]
            f"{other} forgets {code}",
        )
        assert place not in {row["place"] for row in lab[other].api.rows("/points")}
    (source / "more").write_text("more")
    publish(lab, package)
    assert set(lab.wait_present(package, 2)) == {"HQ1", "CHI", "LA1"}
    assert lab.status(package, code).get(code, {"present": 1})["present"] == 1  # it gets nothing more
    site = lab.sites.pop(code)
    site.stop()


def test_f29_b110_a_damaged_parcel_is_never_taken_and_is_built_anew(lab: Lab, tmp_path: Path) -> None:
    """LA1 is killed in mid-transfer, and the rest of the parcel it was fetching is damaged in CHI's cache."""
    place = f"LA1/PARCEL-{next(_numbers)}"
    folder = add_point(lab, place, tmp_path / "point")
    source = write_bulk(tmp_path / "source", 72, seed=8)
    package = create(lab, source, place)
    publish(lab, package)
    assert wait_moving(lab, package, "LA1", 0.0, version=1)
    lab.kill("LA1")
    path = newest_parcel(lab)
    size = os.path.getsize(path)
    assert size > 40 * MIB
    for share in (0.5, 0.7, 0.9, 0.999):
        flip(path, int(size * share))
    lab.start("LA1")
    lab.wait_present(package)
    same_at(folder, package, 1, source)
    said = lab.quick("LA1", "status", "list", "--package", package, "--severity", "warning")
    assert said, "nobody was told"
    assert lab["LA1"].quick("store", "check")["damaged"] == 0


def newest_parcel(lab: Lab) -> str:
    """The one in CHI's cache that was built last."""
    return max(glob.glob(os.path.join(glob.escape(lab["CHI"].home), "content", "parcels", "*.parcel")), key=os.path.getmtime)


def flip(path: str, offset: int) -> None:
    """One bit, in place."""
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 0x40]))


def test_i3_i15_a_damaged_store_feeds_nobody_and_is_refilled_by_itself(lab: Lab, tmp_path: Path) -> None:
    """Bits rot in every pack of CHI while it is stopped; LA1 then wants what lies there. Nobody asks for a repair."""
    source = write_bulk(tmp_path / "source", 24, seed=9)
    package = create(lab, source, "CHI")
    packs = set(packs_of(lab))
    publish(lab, package)
    lab.wait_present(package)
    lab.stop("CHI")
    fresh = [path for path in packs_of(lab) if path not in packs]
    assert fresh
    for path in fresh:
        for share in (0.3, 0.6):
            flip(path, int(os.path.getsize(path) * share))
    lab.start("CHI")
    place = f"LA1/ROT-{next(_numbers)}"
    folder = add_point(lab, place, tmp_path / "point")
    lab.quick("HQ1", "package", "assign", package, "--to", place)
    lab.wait_present(package)
    same_at(folder, package, 1, source)
    said = {row["number"] for number in (641, 642) for row in lab["CHI"].api.rows("/status", {"number": number})}
    assert said == {641, 642}, "damage found, and healed"
    assert lab.quick("HQ1", "package", "verify", package, "--at", "CHI")[0]["outcome"] == "verified"
    lab.until(lambda: lab["CHI"].api.post("/store/check")["damaged"] == 0, "CHI has set the damaged packs aside")


def packs_of(lab: Lab) -> list[str]:
    return glob.glob(os.path.join(glob.escape(lab["CHI"].home), "content", "packs", "**", "*.pack"), recursive=True)
