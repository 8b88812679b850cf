"""The peer: the same questions answered by SQLite's FTS5 in one file. It passes the suite of the interface; it lost on figures."""

from __future__ import annotations

import sqlite3
import threading
import zlib
from collections.abc import Iterable, Mapping

import msgspec

from haulage.engine.search.asked import sound, take_apart
from haulage.engine.search.marks import answered
from haulage.engine.search.model import MOST_HITS, MOST_RANKED, Answer, Count, Entry, Facet, Hit, Question
from haulage.engine.search.paging import next_cursor, position
from haulage.engine.search.vocabulary import stem
from haulage.engine.search.wanted import Wanted, wanted

_TABLES = """
CREATE TABLE IF NOT EXISTS article (row INTEGER PRIMARY KEY, id TEXT UNIQUE, digest TEXT, day INTEGER, entry BLOB);
CREATE TABLE IF NOT EXISTS value (row INTEGER, facet TEXT, value TEXT);
CREATE INDEX IF NOT EXISTS value_of ON value (row, facet, value);
CREATE VIRTUAL TABLE IF NOT EXISTS text USING fts5 (title, problem, words, rest, content='', tokenize='porter unicode61');
CREATE VIRTUAL TABLE IF NOT EXISTS plain USING fts5 (all_of_it, content='', detail=none, tokenize='unicode61');
CREATE VIRTUAL TABLE IF NOT EXISTS stems USING fts5vocab (text, row);
CREATE VIRTUAL TABLE IF NOT EXISTS spelt USING fts5vocab (plain, row);
CREATE VIRTUAL TABLE IF NOT EXISTS near USING fts5 (word, tokenize='trigram', detail=none);
"""
_WEIGHTS = "3.0, 1.5, 1.0, 1.0"
_MOST_WORDS = 20
"""The rarest: FTS5 reckons every article that has any of the words, and takes five times as long with all of them."""


class Fts5Index:
    """A SearchIndex in one SQLite file of its own."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA cache_size = -65536; PRAGMA mmap_size = 1073741824;" + _TABLES)
        self._holding: dict[str, int] = {}

    def put(self, entries: Iterable[Entry]) -> int:
        with self._lock, self._db:
            number = 0
            for entry in map(Entry.sound, entries):
                self._take_out(entry.id)
                self._take_in(entry)
                number += 1
            self._db.execute("INSERT INTO text (text) VALUES ('optimize')")
            self._spell()
        return number

    def remove(self, ids: Iterable[str]) -> int:
        with self._lock, self._db:
            return sum([self._take_out(id) for id in set(ids)])

    def known(self) -> dict[str, str]:
        with self._lock:
            return dict(self._db.execute("SELECT id, digest FROM article"))

    def entries(self, ids: Iterable[str]) -> list[Entry]:
        with self._lock:
            rows = [self._db.execute("SELECT entry FROM article WHERE id = ?", (sound(id),)).fetchone() for id in ids]
        return [_entry(row[0]) for row in rows if row]

    def search(self, question: Question) -> Answer:
        with self._lock:
            return self._search(question)

    def close(self) -> None:
        self._db.close()

    def _search(self, question: Question) -> Answer:
        first = position(question)
        limit = max(1, min(question.limit, MOST_HITS, MOST_RANKED - first))
        looked_for = wanted(take_apart(question.text), question.text, self)
        rows = self._ranked(question, looked_for)
        hits = tuple(self._hit(row, score, looked_for) for row, score in rows[first : first + limit])
        return Answer(
            hits=hits,
            total=len(rows),
            facets=self._facets([row for row, _ in rows]),
            did_you_mean=looked_for.did_you_mean,
            next=next_cursor(question, first + len(hits), len(rows)),
        )

    def _ranked(self, question: Question, looked_for: Wanted) -> list[tuple[int, float]]:
        found: list[tuple[int, float]] = []
        if not question.text.strip():
            found = [(row, 0.0) for (row,) in self._db.execute("SELECT row FROM article ORDER BY day DESC")]
        else:
            statement = f"SELECT rowid, bm25(text, {_WEIGHTS}) FROM text WHERE text MATCH ? ORDER BY 2"
            for match in filter(None, (_match(looked_for, all_of=True), _match(looked_for, all_of=False))):
                found = [(row, -score) for row, score in self._db.execute(statement, (match,))]
                if found:
                    break
            named = [self._db.execute("SELECT row FROM article WHERE id = ?", (id,)).fetchone() for id in looked_for.numbers]
            first = [(row[0], 10_000.0 - at) for at, row in enumerate(named) if row]
            found = first + [pair for pair in found if pair[0] not in dict(first)]
        for facet, values in question.only.items():
            if values:
                marks = ", ".join("?" * len(values))
                held = self._db.execute(
                    f"SELECT row FROM value WHERE facet = ? AND value IN ({marks})", (facet.value, *map(sound, values))
                )
                left = {row for (row,) in held}
                found = [pair for pair in found if pair[0] in left]
        return found

    def _facets(self, rows: list[int]) -> Mapping[Facet, tuple[Count, ...]]:
        self._db.execute("CREATE TEMP TABLE IF NOT EXISTS found (row INTEGER PRIMARY KEY)")
        self._db.execute("DELETE FROM found")
        self._db.executemany("INSERT INTO found VALUES (?)", ((row,) for row in rows))
        counted = self._db.execute(
            "SELECT facet, value, count(*) FROM found JOIN value USING (row) GROUP BY facet, value ORDER BY 3 DESC, 2"
        ).fetchall()
        return {
            facet: tuple(Count(value=value, articles=number) for of, value, number in counted if of == facet.value)[:30]
            for facet in Facet
        }

    def _hit(self, row: int, score: float, looked_for: Wanted) -> Hit:
        entry = _entry(self._db.execute("SELECT entry FROM article WHERE row = ?", (row,)).fetchone()[0])
        snippet, why, share = answered(entry, looked_for, stem)
        return Hit(
            id=entry.id,
            title=entry.title,
            score=score,
            share=share,
            type=entry.type,
            modified=entry.modified,
            products=entry.products,
            versions=entry.versions,
            snippet=snippet,
            why=why,
        )

    # What the words of a question are looked up in.

    @property
    def articles(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM article").fetchone()[0])

    def stem(self, word: str) -> str:
        return stem(word)

    def holding(self, stem: str) -> int:
        if stem not in self._holding:
            row = self._db.execute("SELECT doc FROM stems WHERE term = ?", (stem,)).fetchone()
            self._holding[stem] = row[0] if row else 0
        return self._holding[stem]

    def nearest(self, word: str, edits: int) -> str:
        threes = " OR ".join(f'"{word[at : at + 3]}"' for at in range(len(word) - 2))
        rows = (
            self._db.execute("SELECT word FROM near WHERE near MATCH ? ORDER BY rank LIMIT 60", (threes,)).fetchall()
            if threes
            else []
        )
        near = [other for (other,) in rows if other != word and _edits(word, other) <= edits]
        held = ((self._db.execute("SELECT doc FROM spelt WHERE term = ?", (other,)).fetchone() or (0,))[0] for other in near)
        return max(zip(held, near, strict=True), default=(0, ""))[1]

    # Writing.

    def _take_in(self, entry: Entry) -> None:
        row = self._db.execute(
            "INSERT INTO article (id, digest, day, entry) VALUES (?, ?, ?, ?)",
            (entry.id, entry.digest, int(entry.modified.replace("-", "") or 0), zlib.compress(msgspec.msgpack.encode(entry), 1)),
        ).lastrowid
        self._db.execute("INSERT INTO text (rowid, title, problem, words, rest) VALUES (?, ?, ?, ?, ?)", (row, *_columns(entry)))
        self._db.execute("INSERT INTO plain (rowid, all_of_it) VALUES (?, ?)", (row, entry.text()))
        values = ((row, facet.value, value) for facet in Facet for value in dict.fromkeys(entry.facet(facet)))
        self._db.executemany("INSERT INTO value VALUES (?, ?, ?)", values)
        self._holding.clear()

    def _take_out(self, id: str) -> int:
        found = self._db.execute("SELECT row, entry FROM article WHERE id = ?", (id,)).fetchone()
        if not found:
            return 0
        row, entry = found[0], _entry(found[1])
        gone = (row, *_columns(entry))
        self._db.execute("INSERT INTO text (text, rowid, title, problem, words, rest) VALUES ('delete', ?, ?, ?, ?, ?)", gone)
        self._db.execute("INSERT INTO plain (plain, rowid, all_of_it) VALUES ('delete', ?, ?)", (row, entry.text()))
        self._db.execute("DELETE FROM value WHERE row = ?", (row,))
        self._db.execute("DELETE FROM article WHERE row = ?", (row,))
        self._holding.clear()
        return 1

    def _spell(self) -> None:
        least = 2 if self.articles > 500 else 1
        self._db.execute("DELETE FROM near")
        words = self._db.execute("SELECT term FROM spelt WHERE doc >= ? AND length(term) >= 4", (least,)).fetchall()
        self._db.executemany("INSERT INTO near VALUES (?)", (word for word in words if word[0].isalpha()))


def _match(looked_for: Wanted, *, all_of: bool) -> str:
    """An FTS5 expression of quoted words only."""
    rarest = sorted(looked_for.concepts, key=lambda concept: -concept.rarity)[:_MOST_WORDS]
    words = ["(" + " OR ".join(_quoted(variant.stems) for variant in concept.variants) + ")" for concept in rarest]
    words += [f'"{beginning}"*' for beginning in looked_for.open]
    some = (" AND " if len(words) <= 2 and all_of else " OR ").join(words)
    return " AND ".join([*(_quoted(phrase) for phrase in looked_for.phrases), *([f"({some})"] if some else [])])


def _quoted(stems: tuple[str, ...]) -> str:
    return '"' + " ".join(stems) + '"'


def _columns(entry: Entry) -> tuple[str, str, str, str]:
    return entry.title, entry.problem, entry.words, entry.rest


def _entry(data: bytes) -> Entry:
    return msgspec.msgpack.decode(zlib.decompress(data), type=Entry)


def _edits(one: str, other: str) -> int:
    """Letters added, left out, changed or swapped with the next."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        older, before, row = before, row, [at]
        for to, other_letter in enumerate(other, 1):
            least = min(before[to] + 1, row[to - 1] + 1, before[to - 1] + (letter != other_letter))
            if at > 1 and to > 1 and letter == other[to - 2] and one[at - 2] == other_letter:
                least = min(least, older[to - 2] + 1)
            row.append(least)
    return row[-1]
