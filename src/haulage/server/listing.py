"""Lists with a cursor, and changes that are only tried. Shared by the endpoints; knows no noun."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, cast

import msgspec

from haulage.base.errors import UsageError
from haulage.domain.people.model import Caller
from haulage.engine.database.transaction import Database, Transaction
from haulage.operations.desk import Desk
from haulage.server.endpoint import Answer
from haulage.server.service import Service, View

T = TypeVar("T")

LIMIT_MAX = 5000
QUESTION_CHARACTERS = 200


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of every list. Without ``limit`` the whole list comes as an array; with it a page comes as
    ``{"items", "cursor"}``, ``cursor`` null on the last one."""

    limit: int | None = None
    cursor: str | None = None


class Search(Page, frozen=True, forbid_unknown_fields=True):
    """A list that can be searched: only what has all of these words."""

    q: str = ""

    @property
    def reach(self) -> dict[str, Any]:
        """What to read: ``words``, ``after``, and one more than the page holds, to know whether there is more. Raises UsageError
        ``bad-limit``."""
        check_limit(self.limit)
        more = None if self.limit is None else self.limit + 1
        return {"words": self.q[:QUESTION_CHARACTERS], "after": self.cursor or "", "limit": more}


def read_page(rows: Sequence[View], page: Search, key: str) -> Answer:
    """What was read as far as ``reach`` says, in the order of the field ``key``."""
    if page.limit is None:
        return Answer(value=list(rows))
    chosen = list(rows[: page.limit])
    return Answer(value={"items": chosen, "cursor": str(chosen[-1][key]) if len(rows) > page.limit else None})


def page_of(rows: Sequence[View], page: Page, key: str) -> Answer:
    """The rows after the cursor; ``key`` names the field by which they are in order."""
    return cut(rows, limit=page.limit, cursor=page.cursor, key=lambda row: str(row[key]))


def cut(rows: Sequence[View], *, limit: int | None, cursor: str | None, key: Callable[[View], str]) -> Answer:
    """The same with any key; the rows need no order, but keys that do not repeat."""
    check_limit(limit)
    start = 0
    if cursor is not None:
        keys = [key(row) for row in rows]
        if cursor not in keys:
            # What the cursor named is gone: go on with whatever comes behind its place.
            start = next((index for index, one in enumerate(keys) if one > cursor), len(rows))
        else:
            start = keys.index(cursor) + 1
    if limit is None:
        return Answer(value=list(rows[start:]))
    chosen = list(rows[start : start + limit])
    more = start + limit < len(rows)
    return Answer(value={"items": chosen, "cursor": key(chosen[-1]) if chosen and more else None})


def check_limit(limit: int | None) -> None:
    """Raises UsageError ``bad-limit``."""
    if limit is not None and not 1 <= limit <= LIMIT_MAX:
        raise UsageError("bad-limit", f"limit must be from 1 to {LIMIT_MAX}.", "Follow the cursor for more.")


class _Undo(Exception):
    """Ends a transaction that was only tried."""


class _Trial:
    """A database whose writing transactions end as if they had failed, without anybody noticing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextlib.contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Everything is checked and applied, then rolled back; no hook runs."""
        with contextlib.suppress(_Undo), self._database.writing() as tx:
            yield tx
            raise _Undo

    @contextlib.contextmanager
    def reading(self) -> Iterator[Transaction]:
        with self._database.reading() as tx:
            yield tx


@contextlib.contextmanager
def desk_for(service: Service, *, dry_run: bool, caller: Caller | None = None) -> Iterator[Desk]:
    """The desk for whoever asks; with ``dry_run`` one at which every operation is carried out and undone. Without ``caller`` it
    names no path of this machine but those everybody may."""
    desk = service.desk_of(caller)
    if not dry_run:
        yield desk
        return
    with service.looking_only():
        yield dataclasses.replace(desk, database=cast("Database", _Trial(desk.database)))
