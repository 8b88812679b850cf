"""Writing the hints for the next capture of a source: gathers what each entry looked like, page by page as the manifest is cut.
Knows the form of the hints; nothing of trees on disk.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import NamedTuple, cast

import msgspec
from blake3 import blake3

from haulage.base.files import write_durable
from haulage.engine.content.capture_hints import LENGTH, MAGIC, HintHead, Hints, PageHint
from haulage.engine.content.capture_rules import WarningKind
from haulage.engine.content.capture_survey import PageDigest
from haulage.engine.content.model import ManifestId
from haulage.engine.content.pages import KeptPage, Page
from haulage.engine.trees.change_token import TOKEN_BYTES, changed_ns
from haulage.engine.trees.model import Entry, EntryType, Omission

SETTLED_NS = 2_000_000_000
"""A file changed less than this before a capture began may change again under the same token (coarse clocks)."""
_MAX_TOKEN_BYTES = 255


class _Note(NamedTuple):
    """One entry."""

    path: bytes
    token: bytes
    same_as: bytes | None
    warnings: Sequence[WarningKind]
    has_content: bool


class HintWriter:
    """Gathers in path order: entries and pages as they are given to the manifest, then each page it makes of them."""

    def __init__(self, started: dt.datetime, key: bytes, hints: Hints) -> None:
        self._settled_ns = _ns(started) - SETTLED_NS
        self._key = key
        self._hints = hints
        self._waiting: deque[_Note | KeptPage] = deque()
        self._tokens = bytearray()
        self._firsts: list[bytes] = []
        self._pages: list[PageHint] = []
        self._owners: dict[tuple[int, int], tuple[int, int, str, str]] = {}
        self._kept = False

    def add(self, entry: Entry, token: bytes, warnings: Sequence[WarningKind]) -> None:
        """The next entry."""
        owner = entry.owner
        if owner is not None and (owner.uid, owner.gid) not in self._owners:
            self._owners[owner.uid, owner.gid] = (owner.uid, owner.gid, owner.user, owner.group)
        has_content = entry.type is EntryType.FILE and entry.same_as is None and bool(entry.size or entry.streams)
        self._waiting.append(_Note(entry.path, self._trusted(token), entry.same_as, warnings, has_content))

    def keep(self, page: KeptPage) -> None:
        """The next entries are those of a page of the earlier manifest."""
        self._kept = True
        self._waiting.append(page)

    def page(self, page: Page) -> None:
        """The manifest made a page of what comes next."""
        self._firsts.append(page.first)
        start = len(self._tokens)
        if page.kept is not None:
            self._waiting.popleft()
            number = page.kept.number
            self._tokens += self._hints.token_bytes(number)
            hint = self._hints.hint(number)
            self._pages.append(msgspec.structs.replace(hint, dropped=(), tokens=(start, len(self._tokens) - start)))
            return
        digest = PageDigest()
        waiting, said = self._waiting, self._tokens
        warnings: list[tuple[str, bytes]] = []
        with_content = 0
        for _ in range(page.entries):
            if isinstance(waiting[0], KeptPage):
                self._spread(waiting[0])
            path, token, same_as, warned, has_content = cast(_Note, waiting.popleft())
            said.append(len(token))
            said += token
            digest.add(path, token + same_as if token and same_as is not None else token)
            with_content += has_content
            if warned:
                warnings += [(kind.value, path) for kind in warned]
        self._pages.append(
            PageHint(
                digest=digest.result() if self._key else b"",
                last=page.last,
                folders=page.folders,
                ends_itself=page.ends_itself,
                totals=astuple(page.totals),
                files_with_content=with_content,
                warnings=tuple(warnings),
                dropped=(),
                tokens=(start, len(self._tokens) - start),
            )
        )

    def save(self, path: str, manifest: ManifestId, reliance: Sequence[str], dropped: Iterable[Omission]) -> None:
        """Replace the hints at ``path``, durably. ``dropped``: all that the policy dropped from the tree."""
        before = self._hints.head
        if self._kept and before is not None:
            for owner in before.owners:
                self._owners.setdefault(owner[:2], owner)
        head = HintHead(
            manifest=manifest,
            key=self._key,
            owners=tuple(self._owners.values()),
            reliance=tuple(sorted(reliance)),
            pages=self._with_dropped(dropped),
        )
        try:
            said = msgspec.msgpack.encode(head)
        except UnicodeEncodeError:  # a name that is no text: then there are no hints, and everything is read again
            said = b""
        data = b"".join([MAGIC, LENGTH.pack(len(said)), said, self._tokens])
        write_durable(path, data + blake3(data).digest(), mode=0o600)

    def _with_dropped(self, dropped: Iterable[Omission]) -> tuple[PageHint, ...]:
        by_page: dict[int, list[tuple[bytes, str, str]]] = {}
        for omission in dropped:
            number = max(0, bisect_right(self._firsts, omission.path) - 1)
            by_page.setdefault(number, []).append((omission.path, omission.what, omission.detail))
        pages = list(self._pages)
        for number, found in by_page.items():
            pages[number] = msgspec.structs.replace(pages[number], dropped=tuple(found))
        return tuple(pages)

    def _spread(self, page: KeptPage) -> None:
        """A page that waits first did not fall between the same cuts: its entries are as they were, one by one."""
        self._waiting.popleft()
        self._waiting.extendleft(reversed(self._notes(page)))

    def _notes(self, page: KeptPage) -> list[_Note]:
        warned: dict[bytes, list[WarningKind]] = {}
        for warning in self._hints.page_warnings(page.number):
            warned.setdefault(warning.path, []).append(warning.kind)
        notes = []
        for entry, token in zip(page.expand(), self._hints.tokens(page.number), strict=True):
            has_content = entry.type is EntryType.FILE and entry.same_as is None and bool(entry.content.size or entry.streams)
            notes.append(_Note(entry.path, token, entry.same_as, warned.get(entry.path, ()), has_content))
        return notes

    def _trusted(self, token: bytes) -> bytes:
        """The token, or nothing if the file may still change under it."""
        if len(token) > _MAX_TOKEN_BYTES:
            return b""
        # A token may join several, one for each file that holds a part of the entry (streams in the sidecar). Nearly all are one.
        for at in range(0, len(token), TOKEN_BYTES):
            changed = changed_ns(token[at : at + TOKEN_BYTES])
            if changed is not None and changed > self._settled_ns:
                return b""
        return token


def _ns(moment: dt.datetime) -> int:
    delta = moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return ((delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds) * 1000
