"""Fuzzing targets of the articles: every form, what their text says, and archives of them."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Sequence

import msgspec
from backports import zstd

from haulage.engine.articles.archive import Bounds, walk
from haulage.engine.articles.file_tables import unread_rows
from haulage.engine.articles.fix_graph import around, fix_graph, rings
from haulage.engine.articles.graph_layout import picture
from haulage.engine.articles.graph_svg import graph_svg
from haulage.engine.articles.graph_text import graph_text
from haulage.engine.articles.proposals import propose
from haulage.engine.articles.reading import Reading, read
from haulage.testing.archive_article import ArchiveArticle
from haulage.testing.fuzzing.target import Target, promised

_SAYING = {
    "SYMPTOMS": "After you apply the hotfix described in article Q500002, it stops.",
    "RESOLUTION": "However, it recommends that you install the hotfix of this article:\n\n   Q500003 A Title That\n   Wraps\n\n"
    "   Date         Time   Version        Size     File name    Platform\n   -----------------------------------------\n"
    "   01-Mar-2001  21:45  2.0.1493.3269  436,880  Basesvr.dll  Alpha",
    "STATUS": "This problem was first corrected in the SMS 2.0 Service Pack 4 Hotfix Rollup Package (HRP).",
    "MORE INFORMATION": "You must install SMS 2.0 SP4 before you install this hotfix. It also contains the fix for Q500004.",
}
_MARKDOWN = b"""+++
id = "OWN7"
title = "A title"
products = ["Press"]
messages = [2302]
created = 2026-11-22
+++
Opening with Q500002.

# Symptoms

> quoted **bold** [link](OWN8.md)

## Below

- item
  - item

```
# code
```
"""


def _archive_seeds() -> Sequence[bytes]:
    odd = ArchiveArticle(sections=_SAYING, fields={"Hardware": "x86"}, header_keywords="kbOnekbTwo")
    listing = ArchiveArticle(
        title="List of Bugs Fixed in SMS 2.0 SP4",
        sections={
            "SUMMARY": "This article lists articles for problems that are fixed in SMS 2.0 SP4:\n\n   Q500002 A\n\n   Q500003 B"
        },
    )
    return [one.as_text() for one in (odd, listing)] + [one.as_web() for one in (odd, listing)]


def _read(data: bytes) -> None:
    """Taken articles are whole values, and everything that is derived from them can be made."""
    reading = read(data, "Q500001.TXT")
    assert promised(lambda: read(data, "Q500001.TXT")) == reading
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(reading), type=Reading) == reading
    article = reading.article
    assert article.title.isprintable()
    assert not set("\x00\x1b\r") & set(article.body())
    unread_rows(article)
    graph = around(fix_graph(reading.statements, {article.id: article.title}), article.id)
    assert graph_text(graph, article.id)
    assert "<script" not in graph_svg(picture(graph, article.id)).lower()
    rings(graph)
    propose(article, reading.tables, reading.statements)


def _packed_seeds() -> Sequence[bytes]:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in (("a/Q500001.TXT", b"one"), ("ü" * 60 + "/Q500002.TXT", b"two" * 300)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    plain = made.getvalue()
    return [plain, zstd.compress(plain)]


def _walk(data: bytes) -> None:
    """What comes out of an archive stays within its bounds, and its names can be shown."""
    bounds = Bounds(depth=4, files=50, file_bytes=4096, total_bytes=1 << 20)
    descriptor, path = tempfile.mkstemp(prefix="haulage-fuzz-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        sizes = []
        for one in walk(path, bounds):
            sizes.append(len(one.data))
            assert one.name.isprintable()
        assert max(sizes, default=0) <= bounds.file_bytes
        assert len(sizes) <= bounds.files
        assert sum(sizes) <= bounds.total_bytes
    finally:
        os.unlink(path)


TARGETS = (
    Target(name="article-archive", reads="articles of the archive, both forms", take=_read, seeds=_archive_seeds, runs=1000),
    Target(name="article-markdown", reads="one's own articles", take=_read, seeds=lambda: [_MARKDOWN], runs=1000),
    Target(
        name="article-container",
        reads="archives of articles: tar, gzip, zstd",
        take=_walk,
        seeds=_packed_seeds,
        runs=1500,
        most_bytes=16384,
    ),
)
