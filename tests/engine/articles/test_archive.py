"""Walking folders and archives: everything is yielded or told, and nothing hostile gets further than its bounds."""

from __future__ import annotations

import gzip
import io
import os
import pathlib
import tarfile
from collections.abc import Callable

import pytest
from backports import zstd

from haulage.base.errors import FormatError, HaulageError, NotFoundError
from haulage.engine.articles.archive import Bounds, Found, walk

SMALL = Bounds(depth=3, files=20, file_bytes=1000, total_bytes=5000)


def told(found: list[Found]) -> dict[str, str]:
    """Name to content, or to the code of its refusal."""
    return {one.name: one.refused.code if one.refused else one.data.decode() for one in found}


def tar(*members: tuple[str, bytes | tarfile.TarInfo]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in members:
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                archive.addfile(info)
    return made.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tuple[str, tarfile.TarInfo]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return name, info


def walked(folder: pathlib.Path, data: bytes, bounds: Bounds = SMALL) -> dict[str, str]:
    path = folder / "archive"
    path.write_bytes(data)
    return told(list(walk(str(path), bounds)))


def test_a_folder_is_walked_in_order_without_following_anything(tmp_path: pathlib.Path) -> None:
    outside = tmp_path / "secret"
    outside.write_text("secret")
    top = tmp_path / "top"
    (top / "b" / "c" / "d").mkdir(parents=True)
    (top / ".git").mkdir()
    (top / "b" / "x.TXT").write_text("x")
    (top / "b" / "c" / "y.TXT").write_text("y")
    (top / "b" / "c" / "d" / "z.TXT").write_text("z")
    (top / "a.TXT").write_text("a")
    (top / "big.TXT").write_text("b" * 1001)
    (top / "link.TXT").symlink_to(outside)
    (top / "loop").symlink_to(top)
    os.mkfifo(top / "pipe")
    (top / "new\nline").write_text("n")
    found = list(walk(str(top), SMALL))
    assert told(found) == {
        ".git": "hidden-file", "a.TXT": "a", "b/x.TXT": "x", "b/c/y.TXT": "y", "b/c/d": "too-deep", "big.TXT": "article-too-big",
        "link.TXT": "link", "loop": "link", "pipe": "not-a-file", "new\\nline": "n",
    }  # fmt: skip
    assert next(one.name for one in found if one.name.endswith(".TXT")) == "a.TXT"


@pytest.mark.parametrize("pack", [bytes, zstd.compress])
def test_archives_are_read_in_their_own_order(tmp_path: pathlib.Path, pack: object) -> None:
    data = tar(("./b.TXT", b"b"), ("a/c.TXT", b"c"))
    assert list(walked(tmp_path, pack(data))) == ["b.TXT", "a/c.TXT"]  # type: ignore[operator]


@pytest.mark.parametrize("pack", [bytes, zstd.compress, gzip.compress])
def test_an_archive_inside_is_told_to_be_imported_by_itself(tmp_path: pathlib.Path, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(tar(("a.TXT", b"a" * 5000)))
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "more.tar.zst").write_bytes(packed)
    (tmp_path / "top" / "Q1.TXT").write_text("words")
    found = list(walk(str(tmp_path / "top"), SMALL))
    assert told(found) == {"Q1.TXT": "words", "more.tar.zst": "archive-inside"}
    refused = next(one.refused for one in found if one.refused)
    assert refused.message == "more.tar.zst is an archive among other files: import it by itself."
    assert walked(tmp_path, tar(("inner.tar.zst", packed[:800]))) == {"inner.tar.zst": "archive-inside"}


def test_a_single_file_is_itself(tmp_path: pathlib.Path) -> None:
    (tmp_path / "Q1.TXT").write_text("words")
    assert told(list(walk(str(tmp_path / "Q1.TXT"), SMALL))) == {"Q1.TXT": "words"}
    assert told(list(walk(str(tmp_path / "Q1.TXT"), SMALL, name="own.md"))) == {"own.md": "words"}
    (tmp_path / "big").write_bytes(b"x" * 2000)
    assert told(list(walk(str(tmp_path / "big"), SMALL))) == {"big": "article-too-big"}
    with pytest.raises(NotFoundError):
        list(walk(str(tmp_path / "absent")))


def test_links_nodes_and_strange_paths_in_an_archive_are_told_and_never_followed(tmp_path: pathlib.Path) -> None:
    data = tar(
        special("link", tarfile.SYMTYPE, "/etc/passwd"),
        special("hard", tarfile.LNKTYPE, "/etc/passwd"),
        special("node", tarfile.CHRTYPE),
        special("pipe", tarfile.FIFOTYPE),
        ("../../out.TXT", b"o"),
        (".hidden/x.TXT", b"h"),
        ("a/b/c/d/e.TXT", b"e"),
        ("ok.TXT", b"ok"),
    )
    assert walked(tmp_path, data) == {
        "link": "link", "hard": "link", "node": "not-a-file", "pipe": "not-a-file", "../../out.TXT": "hidden-file",
        ".hidden/x.TXT": "hidden-file", "a/b/c/d/e.TXT": "too-deep", "ok.TXT": "ok",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (tar(*((f"{n}.TXT", b"x") for n in range(30))), "archive-too-big"),
        (tar(*((f"{n}.TXT", b"x" * 900) for n in range(8))), "archive-too-big"),
        (zstd.compress(tar(("bomb.TXT", b"\0" * (50 << 20)))), "archive-too-big"),
        (zstd.compress(b"\0" * 3000)[:-5], "bad-archive"),
        (zstd.compress(b"not a tar" * 200), "bad-archive"),
        (b"\x28\xb5\x2f\xfd" + b"rubbish" * 50, "bad-archive"),
        (b"\x1f\x8b" + b"rubbish" * 50, "bad-archive"),
        (tar(("a.TXT", b"x" * 900))[:700], "bad-archive"),
    ],
)
def test_hostile_and_broken_archives_end_in_a_refusal(tmp_path: pathlib.Path, data: bytes, code: str) -> None:
    with pytest.raises(FormatError) as refused:
        walked(tmp_path, data)
    assert refused.value.code == code


def test_a_header_that_would_fill_the_memory_is_refused(tmp_path: pathlib.Path) -> None:
    made = io.BytesIO()
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 40
    made.write(info.tobuf(tarfile.GNU_FORMAT))
    made.write(b"\0" * 4096)
    with pytest.raises(FormatError, match="impossible size"):
        walked(tmp_path, made.getvalue(), Bounds())


def test_what_came_before_a_break_stands(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(tar(("a.TXT", b"a"), ("b.TXT", b"b" * 900))[:2000])
    seen: list[str] = []
    with pytest.raises(HaulageError):
        seen.extend(one.name for one in walk(str(path), SMALL))
    assert seen == ["a.TXT"]
