"""A bundle becomes a known fix and a package; what nobody trusted has signed, or another one of the same number, does not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from haulage.base.errors import ConflictError, NotAllowedError
from haulage.domain.fixes import records, views
from haulage.domain.fixes.knowing import availability, require_fix
from haulage.domain.knowledge.proposing import Proposal
from haulage.engine.bundles import building
from haulage.engine.bundles.reading import BundleFacts, read_bundle
from haulage.engine.status import on_fixes
from haulage.engine.trees.memory import MemoryTree
from haulage.engine.trust.keys import SigningKey
from haulage.operations import fixes, packages
from haulage.testing import demo_press as press
from tests.domain.worlds import CHI, HQ1, LA1, Lab, lab

SITES = (HQ1, CHI, LA1)


class Bundle:
    """A bundle that was read, and is kept as a source of the simulation."""

    def __init__(self, world: Lab, facts: BundleFacts, data: bytes) -> None:
        self.facts, self._world, self._data = facts, world, data
        self.source = f"memory:{facts.definition.id}"
        self.kept = 0

    def keep(self) -> None:
        tree = self._world.world.sources.trees[self.source] = MemoryTree()
        tree.file(f"{self.facts.definition.id}.pyz".encode(), self._data, mtime_ns=1)
        self.kept += 1


@pytest.fixture
def world() -> Iterator[Lab]:
    with lab() as made:
        yield made


KEY = SigningKey.generate()


def bundle(
    world: Lab, folder: Path, fix: str = "Q316316", *, written: dict[str, object] | None = None, key: SigningKey = KEY
) -> Bundle:
    for state in (0, 1):
        press.write_product(str(folder / f"tree{state}"), state)
    said = {"id": fix, "title": f"Fix {fix}", "article": fix, **(written or {})}
    prepared = building.prepare(said, [str(folder / "tree0")], str(folder / "tree1"))
    path = str(folder / f"{fix}-{key.public.id[:8]}.pyz")
    building.build(prepared, path, [key])
    return Bundle(world, read_bundle(path), Path(path).read_bytes())


def fingerprint(key: SigningKey = KEY) -> str:
    return key.public.id


def test_an_imported_bundle_is_known_below_and_comes_as_a_package(world: Lab, tmp_path: Path) -> None:
    made = bundle(world, tmp_path)
    fix = fixes.import_bundle(world.desk(HQ1), "tester", made, trust=[fingerprint()])
    assert fix.package is not None
    packages.assign_package(world.desk(HQ1), "tester", fix.package, [LA1])  # type: ignore[list-item]
    world.settle()
    for site in SITES:
        with world.core(site).database.reading() as tx:
            known = require_fix(tx, site, "Q316316")
            where = availability(tx, site, known)
            shown = views.show_fix(tx, site, known)
        assert (known.document, known.bundle) == (fix.document, made.facts.sha256)
        assert (where.here, where.version) == (True, 1)
        assert shown["product"] == press.PRODUCT
    assert len(world.said(LA1, on_fixes.FIX_KNOWN.number)) == 0
    assert len(world.said(HQ1, on_fixes.FIX_KNOWN.number)) == 1


def test_i23_the_same_bundle_again_changes_nothing(world: Lab, tmp_path: Path) -> None:
    made = bundle(world, tmp_path)
    first = fixes.import_bundle(world.desk(HQ1), "tester", made, trust=[fingerprint()])
    again = fixes.import_bundle(world.desk(HQ1), "tester", made)
    assert (again, made.kept) == (first, 1)


def test_b90_a_signer_nobody_vouches_for_is_refused_and_nothing_is_kept(world: Lab, tmp_path: Path) -> None:
    made = bundle(world, tmp_path)
    with pytest.raises(NotAllowedError, match="not-trusted"):
        fixes.import_bundle(world.desk(HQ1), "tester", made)
    with pytest.raises(NotAllowedError, match="not-trusted"):
        fixes.import_bundle(world.desk(HQ1), "tester", made, trust=["0" * 64])
    made.facts = replace(made.facts, signed_by=())
    with pytest.raises(NotAllowedError, match="unsigned"):
        fixes.import_bundle(world.desk(HQ1), "tester", made, trust=[fingerprint()])
    assert made.kept == 0
    with world.core(HQ1).database.reading() as tx:
        assert list(records.list_fixes(tx)) == []


def test_b90_who_was_vouched_for_once_is_trusted_for_the_next(world: Lab, tmp_path: Path) -> None:
    fixes.import_bundle(world.desk(HQ1), "tester", bundle(world, tmp_path), trust=[fingerprint()])
    second = bundle(world, tmp_path, "Q319207", written={"supersedes": ["Q316316"]})
    assert fixes.import_bundle(world.desk(HQ1), "tester", second).supersedes == ("Q316316",)
    stranger = bundle(world, tmp_path, "Q323206", key=SigningKey.generate())
    with pytest.raises(NotAllowedError, match="not-trusted"):
        fixes.import_bundle(world.desk(HQ1), "tester", stranger)
    assert [one.fields["replaced"] for one in world.said(HQ1, on_fixes.FIX_SUPERSEDED.number)] == ["Q316316"]


def test_b94_the_same_number_with_other_content_is_refused(world: Lab, tmp_path: Path) -> None:
    fixes.import_bundle(world.desk(HQ1), "tester", bundle(world, tmp_path), trust=[fingerprint()])
    other = bundle(world, tmp_path, written={"explanation": "another"})
    with pytest.raises(ConflictError, match="other-content"):
        fixes.import_bundle(world.desk(HQ1), "tester", other, trust=[fingerprint()])
    assert other.kept == 0


def test_b91_fixes_that_would_replace_each_other_in_a_ring_are_refused_by_name(world: Lab, tmp_path: Path) -> None:
    first = bundle(world, tmp_path, written={"supersedes": ["Q319207"]})
    fixes.import_bundle(world.desk(HQ1), "tester", first, trust=[fingerprint()])
    second = bundle(world, tmp_path, "Q319207", written={"supersedes": ["Q316316"]})
    with pytest.raises(ConflictError, match="Q316316 replaces Q319207 replaces Q316316"):
        fixes.import_bundle(world.desk(HQ1), "tester", second)


def test_what_a_person_confirms_gives_way_to_the_bundle(world: Lab, tmp_path: Path) -> None:
    said = Proposal(
        fix="Q316316",
        title="As the article has it",
        article="Q316316",
        evidence="Q319207: contains the fix",
        supersedes=(),
        contains=(),
        requires=(),
        files=(),
        open_questions=(),
    )
    fixes.confirm_fix(world.desk(CHI), "tester", said)
    world.settle()
    with world.core(LA1).database.reading() as tx:
        assert require_fix(tx, LA1, "Q316316").origin == "person"
    fixes.import_bundle(world.desk(HQ1), "tester", bundle(world, tmp_path), trust=[fingerprint()])
    world.settle()
    with world.core(LA1).database.reading() as tx:
        assert require_fix(tx, LA1, "Q316316").origin == "bundle"
        assert [one.owner for one in records.find_fixes(tx, "Q316316")] == [CHI, HQ1]
    with pytest.raises(ConflictError, match="fix-has-bundle"):
        fixes.confirm_fix(world.desk(LA1), "tester", said)


def test_i10_a_removed_fix_is_forgotten_below_and_its_package_stays(world: Lab, tmp_path: Path) -> None:
    fix = fixes.import_bundle(world.desk(HQ1), "tester", bundle(world, tmp_path), trust=[fingerprint()])
    world.settle()
    with pytest.raises(ConflictError, match="owned-elsewhere"):
        fixes.remove_fix(world.desk(LA1), "tester", "Q316316")
    fixes.remove_fix(world.desk(HQ1), "tester", "Q316316")
    world.settle()
    for site in SITES:
        with world.core(site).database.reading() as tx:
            assert list(records.find_fixes(tx, "Q316316")) == []
    assert fix.package is not None
    assert world.held(HQ1, fix.package)


def test_the_digest_kept_is_the_one_of_the_bundles_bytes(world: Lab, tmp_path: Path) -> None:
    made = bundle(world, tmp_path)
    fix = fixes.import_bundle(world.desk(HQ1), "tester", made, trust=[fingerprint()])
    path = next(tmp_path.glob("Q316316-*.pyz"))
    assert fix.bundle == hashlib.sha256(path.read_bytes()).hexdigest()


def test_b90_what_is_shown_of_a_signer_is_what_vouches_for_it(world: Lab, tmp_path: Path) -> None:
    fix = fixes.import_bundle(world.desk(HQ1), "tester", bundle(world, tmp_path), trust=[fingerprint()])
    with world.core(HQ1).database.reading() as tx:
        assert [view["signer"] for view in views.list_fixes(tx, HQ1)] == [fingerprint()]
        assert views.show_fix(tx, HQ1, fix)["signer"] == fingerprint()
