"""Which folders of the server are shown to whoever chooses a source."""

from __future__ import annotations

from pathlib import Path

from haulage.wiring import browsing
from haulage.wiring.browsing import folders_in


def test_folders_alone_are_listed_and_links_are_not(tmp_path: Path) -> None:
    for name in ("beta", "Alpha", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "beta")
    (tmp_path / "new\nline").mkdir()
    found = folders_in((), str(tmp_path))
    assert list(found.names) == ["Alpha", "beta", ".hidden"]
    assert (found.above, found.more, found.cause) == (str(tmp_path.parent), False, "")


def test_nothing_outside_of_what_is_allowed_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / "srv" / "office").mkdir(parents=True)
    (tmp_path / "secret" / "inside").mkdir(parents=True)
    (tmp_path / "srv" / "way").symlink_to(tmp_path / "secret")
    allowed = [str(tmp_path / "srv")]
    inside = folders_in(allowed, str(tmp_path / "srv"))
    assert (list(inside.names), inside.above) == (["office"], "")
    for outside in (tmp_path / "secret", tmp_path, tmp_path / "srv" / "way", tmp_path / "srv" / ".." / "secret"):
        found = folders_in(allowed, str(outside))
        assert (list(found.names), found.cause != "") == ([], True)
    assert list(folders_in(allowed, "").tops) == allowed


def test_a_folder_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    assert folders_in((), str(tmp_path / "missing")).cause == "No such file or directory"
    assert folders_in((), "relative").names == ()
    assert folders_in((), "/nul\0").names == ()


def test_a_list_has_an_end(tmp_path: Path) -> None:
    for number in range(browsing.MOST + 5):
        (tmp_path / f"{number:03}").mkdir()
    found = folders_in((), str(tmp_path))
    assert (len(found.names), found.more) == (browsing.MOST, True)
