"""Any order of installing, repairing and taking away leads back to the maker's product, to the bit, once the last fix is gone."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haulage.engine.servicing.definition import FileAction, FixDefinition, FixFile, KnownState
from haulage.engine.servicing.errors import ServicingError
from haulage.engine.servicing.record import Entry, load_record
from haulage.testing.crash_points.press import OLD, Carried, sha256
from haulage.testing.crash_points.trial import memory_folder
from tests.engine.servicing.around import PLAIN, Press

PATHS = ("bin/press.exe", "etc/press.conf", "lib/a/b/new.dll", "old/legacy.txt")
NAMES = ("Q1", "Q2", "Q3")


def _content(name: str, path: str) -> bytes:
    return f"{path} by {name}\n".encode()


def _known(path: str) -> tuple[KnownState, ...]:
    contents = [*(_content(name, path) for name in NAMES), *([OLD[path]] if path in OLD else [])]
    return tuple(KnownState(sha256(each)) for each in contents)


def _fix(name: str, paths: frozenset[str], removes: bool, contains: str | None) -> FixDefinition:
    files = []
    for path in sorted(paths):
        data = _content(name, path)
        if removes and path == "old/legacy.txt":
            files.append(FixFile(path, FileAction.REMOVE, before=_known(path)))
        else:
            files.append(FixFile(path, FileAction.ADD, sha256(data), len(data), 0o640, None, _known(path)))
    return replace(PLAIN, id=name, files=tuple(files), contains=() if contains in (None, name) else (str(contains),))


def _change_by_hand(press: Press, entry: Entry, path: str) -> None:
    """Somebody copies another known content over a file of a fix."""
    if any(each.path == path and each.after is not None for each in entry.files):
        (press.root / path).write_bytes(_content("Q1", path))


FIXES = st.tuples(*(st.builds(
    _fix, st.just(name), st.frozensets(st.sampled_from(PATHS), min_size=1), st.booleans(), st.sampled_from([None, *NAMES])
) for name in NAMES))  # fmt: skip
ACTS = st.lists(
    st.tuples(st.sampled_from(["install", "install", "uninstall", "by hand"]), st.sampled_from(NAMES), st.sampled_from(PATHS)),
    max_size=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fixes=FIXES, acts=ACTS)
def test_whatever_was_installed_goes_without_a_trace(fixes: tuple[FixDefinition, ...], acts: list[tuple[str, str, str]]) -> None:
    by_name = {each.id: each for each in fixes}
    content = Carried(*(_content(name, path) for name in NAMES for path in PATHS))
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        press = Press(Path(folder))
        before = press.everything()
        for act, name, path in acts:
            entry = load_record(press.places).find(name)
            with contextlib.suppress(ServicingError):
                if act == "install":
                    press.install(by_name[name], content, digest=name[1] * 64)
                elif act == "uninstall":
                    press.uninstall(name)
                elif entry is not None and not load_record(press.places).stands_on(entry):
                    _change_by_hand(press, entry, path)
                    press.install(by_name[name], content, digest=name[1] * 64)
        for entry in sorted(load_record(press.places).entries, key=lambda each: -each.since):
            press.uninstall(entry.id)
        left = press.everything()
        left.pop(".servicing/record.json", None)
        assert left == before
        assert not (press.root / "lib").exists()
