"""Every target takes or refuses its seeds and what was found before; a bounded campaign finds nothing; the machinery finds what is
planted. ``make test-long`` runs twenty times as many executions."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable

import pytest

from haulage.base.errors import HaulageError
from haulage.testing.fuzzing import (
    archive_targets,
    article_targets,
    content_targets,
    delta_targets,
    parcel_targets,
    tree_targets,
    wire_targets,
)
from haulage.testing.fuzzing.__main__ import main
from haulage.testing.fuzzing.campaign import available, fuzz, table
from haulage.testing.fuzzing.mutation import Coding, mutated
from haulage.testing.fuzzing.registry import TARGETS
from haulage.testing.fuzzing.target import Target
from tests.fuzz.planted import PLANTED

REGRESSIONS = pathlib.Path(__file__).parent / "regressions"
LONG = 20 if os.environ.get("HAULAGE_LONG") == "1" else 1
GROUPS = {
    "archives": archive_targets.TARGETS,
    "articles": article_targets.TARGETS,
    "content": content_targets.TARGETS,
    "delta": delta_targets.TARGETS,
    "parcels": parcel_targets.TARGETS,
    "trees": tree_targets.TARGETS,
    "wire": wire_targets.TARGETS,
}


def need_engine() -> None:
    if not available():
        if os.environ.get("HAULAGE_NO_SKIP") == "1":
            pytest.fail("atheris is needed and may not be skipped", pytrace=False)
        pytest.skip("atheris is not here: it has packages for Linux on x86-64 only")


def admitted(target: Target, inputs: Iterable[bytes]) -> int:
    """How many were taken; a HaulageError is the only other way out."""
    count = 0
    for data in inputs:
        try:
            target.take(data)
            count += 1
        except HaulageError:
            pass
    return count


@pytest.mark.parametrize("name", TARGETS)
def test_i24_seeds_are_real_documents(name: str) -> None:
    target = TARGETS[name]
    assert all(len(seed) <= target.most_bytes for seed in target.seeds())
    assert admitted(target, target.seeds()) > 0


@pytest.mark.parametrize("name", TARGETS)
def test_i24_every_cut_of_a_seed_is_taken_or_refused(name: str) -> None:
    target = TARGETS[name]
    seed = min(target.seeds(), key=len)
    admitted(target, [seed[:length] for length in range(min(len(seed), 400))])


@pytest.mark.parametrize("path", sorted(REGRESSIONS.glob("*/*")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_i24_what_was_found_stays_mended(path: pathlib.Path) -> None:
    admitted(TARGETS[path.parent.name], [path.read_bytes()])


@pytest.mark.parametrize("group", GROUPS)
def test_i24_fuzzing_finds_nothing(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    need_engine()
    outcomes = [outcome for target in GROUPS[group] for outcome in fuzz([target], runs=target.runs * LONG)] if LONG > 1 else []
    outcomes = outcomes or fuzz(GROUPS[group])
    with capsys.disabled():
        print(f"\n{table(outcomes)}\n{sum(each.executions for each in outcomes):,} executions")
    assert [finding for each in outcomes for finding in each.findings] == []
    assert all(each.executions >= target.runs * LONG for each, target in zip(outcomes, GROUPS[group], strict=True))


def test_planted_faults_are_found() -> None:
    need_engine()
    found = {each.target: each.findings for each in fuzz(PLANTED, module="tests.fuzz.planted:")}
    wanted = {
        "escape": "KeyError",
        "hoard": "too much memory",
        "devour": "MemoryError",
        "dawdle": "too slow",
        "die": "the process died",
    }
    assert {name: any(word in finding for finding in found[name]) for name, word in wanted.items()} == dict.fromkeys(wanted, True)


@pytest.mark.parametrize("coding", [Coding.JSON, Coding.MSGPACK])
def test_mutations_keep_documents_well_formed(coding: Coding) -> None:
    seed = next(iter(TARGETS["definition" if coding is Coding.JSON else "manifest-root"].seeds()))
    made = [mutated(seed, coding, number, 4096) for number in range(300)]
    again = [data for data in made if data is not None]
    assert len(set(again)) > 100
    assert mutated(seed, coding, 7, 4096) == mutated(seed, coding, 7, 4096)
    assert mutated(b"\xc1", coding, 7, 4096) is None


def test_the_command_names_targets_and_tries_one(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert "sidecar-record" in capsys.readouterr().out
    (tmp_path / "input").write_bytes(b"nonsense")
    assert main(["source", "--try", str(tmp_path / "input")]) == 0
    assert capsys.readouterr().out.startswith("refused: ")
    with pytest.raises(SystemExit):
        main(["no-such-target"])
