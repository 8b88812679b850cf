"""What the settings and the keys of a site make of a capture there."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import pytest

from haulage.base.clock import SystemClock
from haulage.base.errors import ConflictError, HaulageError
from haulage.base.settings import CaptureSettings
from haulage.engine.content.capture import CaptureOptions, capture
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.trees.local_reader import LocalReader
from haulage.testing.clock import HandClock
from haulage.wiring.founding import init_central
from haulage.wiring.home import Home, load_home
from haulage.wiring.site import open_site
from haulage.wiring.sources import LocalSources, capture_rules


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return init_central(str(tmp_path_factory.mktemp("home") / "hq"), code="HQ1", listen="127.0.0.1:0")


def code_of_capturing(folder: Path, home: Home, settings: CaptureSettings) -> str:
    rules = capture_rules(settings, home.keys.folder)
    options = CaptureOptions(threads=0, max_bytes=rules.max_bytes, refuse=rules.refuse, secrets=rules.secrets())
    try:
        capture(LocalReader(str(folder)), MemoryStore(), HandClock(), options=options)
    except HaulageError as error:
        return error.code
    return ""


def test_b19_q183398_a_copy_of_any_secret_of_the_home_is_refused(home: Home, tmp_path: Path) -> None:
    secrets = sorted(os.listdir(home.keys.folder))
    assert "site.pem" in secrets
    assert "admin.token" in secrets
    for number, name in enumerate(secrets):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "setup.exe").write_bytes(b"x")
        assert code_of_capturing(folder, home, CaptureSettings()) == ""
        shutil.copyfile(os.path.join(home.keys.folder, name), folder / "notes.txt")
        assert code_of_capturing(folder, home, CaptureSettings()) == "own-identity", name


def test_b15_a_sparse_terabyte_is_refused_by_default(home: Home, tmp_path: Path) -> None:
    with open(tmp_path / "disk.img", "wb") as file:
        file.truncate(1 << 40)
    assert code_of_capturing(tmp_path, home, CaptureSettings()) == "source-too-large"


def test_b1_links_that_lead_out_are_refused_where_the_settings_say_so(home: Home, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "out").symlink_to("../elsewhere")
    assert code_of_capturing(tmp_path, home, CaptureSettings()) == ""
    assert code_of_capturing(tmp_path, home, CaptureSettings(refuse=("link-leaves-tree",))) == "source-refused"


@pytest.mark.parametrize("where", ["same", "above", "below"])
def test_b20_q256586_a_source_that_overlaps_the_folder_of_backups_is_refused(tmp_path: Path, where: str) -> None:
    made = init_central(str(tmp_path / "hq"), code="HQ1", listen="127.0.0.1:0")
    target = tmp_path / "here" / "backups" / "deeper"
    target.mkdir(parents=True)
    (tmp_path / "apart").mkdir()
    with open(os.path.join(made.path, "haulage.toml"), "a") as file:
        file.write(f'\n[backup]\ntarget = "{target.parent}"\n')
    source = {"same": target.parent, "above": target.parent.parent, "below": target}[where]
    with contextlib.closing(open_site(load_home(made.path), SystemClock())) as site:
        sources = site.core.parts.sources
        assert isinstance(sources, LocalSources)
        with site.core.database.reading() as tx:
            sources.check(tx, str(tmp_path / "apart"))
            with pytest.raises(ConflictError) as caught:
                sources.check(tx, str(source))
    assert caught.value.code == "source-overlaps"
    assert "backups" in caught.value.message
