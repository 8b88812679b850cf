"""``haulage fix`` without a server: a key, a bundle, a rollup, and a product that is repaired with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from haulage.cli.exits import Exit as Ends
from haulage.cli.main import main
from haulage.engine.servicing.exits import Exit
from tests.engine.bundles.making import AFTER, BEFORE, write_tree


class Desk:
    """A packager's folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capsys = capsys
        self.before = write_tree(folder / "before", BEFORE)
        self.after = write_tree(folder / "after", AFTER, "1.1")
        self.root = write_tree(folder / "root", BEFORE)
        self.key = str(folder / "maker.key")

    def path(self, name: str) -> str:
        return str(self._folder / name)

    def run(self, *words: str) -> tuple[int, str]:
        self._capsys.readouterr()
        try:
            code = main(["fix", *words])
        except SystemExit as end:
            code = int(str(end.code))
        return code, self._capsys.readouterr().out

    def build(self, name: str, *words: str) -> str:
        path = self.path(f"{name}.pyz")
        code, _ = self.run("build", *words, "--title", "t", "--key", self.key, "-o", path)
        assert code == 0
        return path


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = Desk(tmp_path, capsys)
    assert made.run("keys", "new", made.key)[0] == 0
    return made


def test_q247230_from_a_key_to_a_rollup_that_supersedes(desk: Desk) -> None:
    trust = ("--trust", desk.key + ".pub")
    single = desk.build("Q316316", desk.before, desk.after)
    rollup = desk.path("Q323206.pyz")
    code, out = desk.run("rollup", single, "--id", "Q323206", "--title", "t", "--key", desk.key, "-o", rollup, "-o", "json")
    assert (code, json.loads(out)["files"]) == (0, 3)
    assert desk.run("check", rollup, *trust)[0] == 0
    assert desk.run("install", rollup, "--root", desk.root, *trust, "--quiet")[0] == Exit.DONE
    assert desk.run("install", single, "--root", desk.root, *trust, "--quiet")[0] == Exit.SUPERSEDED
    code, out = desk.run("assess", single, rollup, "--root", desk.root, "-o", "json")
    assert {each["fix"]: each["state"] for each in json.loads(out)} == {"Q316316": "superseded", "Q323206": "installed"}
    assert [each["fix"] for each in json.loads(desk.run("assess", "--root", desk.root, "-o", "json")[1])] == ["Q323206"]
    assert desk.run("uninstall", rollup, "--root", desk.root, "--quiet")[0] == Exit.DONE
    assert (Path(desk.root) / "bin" / "press.py").read_text() == BEFORE["bin/press.py"]


def test_b90_a_key_nobody_trusts_is_told_apart(desk: Desk) -> None:
    bundle = desk.build("Q316316", desk.before, desk.after)
    assert desk.run("keys", "new", desk.path("other.key"))[0] == 0
    assert desk.run("check", bundle, "--trust", desk.path("other.key.pub"))[0] == Ends.NOT_ALLOWED
    assert desk.run("install", bundle, "--root", desk.root, "--dry-run")[0] == Exit.NOT_TRUSTED


def test_a_key_is_not_overwritten_and_nobody_signs_by_accident(desk: Desk) -> None:
    assert desk.run("keys", "new", desk.key)[0] == Ends.CONFLICT
    assert desk.run("build", desk.before, desk.after, "--id", "QA", "--title", "t")[0] == Ends.USAGE
    assert desk.run("build", "--id", "QA", "--title", "t")[0] == Ends.USAGE


def test_a_bundle_is_named_once_and_so_is_the_form_of_the_answer(desk: Desk) -> None:
    words = ("build", desk.before, desk.after, "--title", "t", "--key", desk.key)
    assert desk.run(*words, "-o", "one.pyz", "-o", "two.pyz")[0] == 2
    assert desk.run(*words, "-o", desk.path("Q1.pyz"), "-o", "json", "-o", "csv")[0] == 2
    assert not list(Path(desk.path("")).glob("*.pyz"))
    code, out = desk.run(*words, "--id", "Q2", "-o", desk.path("Q1.pyz"), "-o", "json")
    assert (code, json.loads(out)["id"]) == (0, "Q2")


def test_a_fix_without_a_title_is_called_by_its_number(desk: Desk) -> None:
    assert desk.run("build", desk.before, desk.after, "--key", desk.key, "-o", desk.path("Q1.pyz"))[0] == 0
    assert json.loads(desk.run("check", desk.path("Q1.pyz"), "-o", "json")[1])["title"] == "Q1"
