"""A corpus made larger by repeating it under other numbers: each copy's articles refer to each other as the first do. Says nothing
about articles that were never written; it has the size, and the shapes, of the real thing."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterable, Iterator

from backports import zstd

_ID = re.compile(rb"(?<![A-Za-z0-9_])[Qq]([0-9]{5,6})(?![0-9])")
_FIRST = 100_000
_NUMBERS = 900_000


def renumbered(articles: list[tuple[str, bytes]], count: int) -> Iterator[tuple[str, bytes]]:
    """``count`` articles: the given ones, then copies with every article number moved by an amount of the copy's own. A number
    that two copies share is left out of the later one, and another article takes its place."""
    taken: set[bytes] = set()
    made = copy = 0
    while made < count:
        for name, data in articles:
            moved = data if copy == 0 else _ID.sub(lambda found, by=copy: b"Q%d" % _moved(int(found[1]), by), data)  # type: ignore[misc]
            found = _ID.search(moved)
            if found is None or found[1] in taken:
                continue
            taken.add(found[1])
            number = found[1].decode()
            yield f"txt/{number[:3]}/Q{number}.TXT" if copy else name, moved
            made += 1
            if made == count:
                return
        copy += 1


def _moved(number: int, copy: int) -> int:
    """Another six-digit number; the step shares no factor with the range, so copies rarely meet."""
    return _FIRST + (number - _FIRST + copy * 37_987) % _NUMBERS


def packed(articles: Iterable[tuple[str, bytes]], path: str) -> None:
    """Write articles as a .tar.zst."""
    with zstd.ZstdFile(path, "wb") as file, tarfile.open(fileobj=file, mode="w|") as archive:
        for name, data in articles:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
