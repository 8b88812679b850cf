"""One engine over one corpus in one process: what it finds, how fast, in what space. Prints one JSON line."""

from __future__ import annotations

import glob
import json
import os
import re
import resource
import shutil
import time
from collections.abc import Callable, Iterator

import msgspec

from benchmarks.knowledge.fts5 import Fts5Index
from benchmarks.knowledge.questions import Known, questions, unrelated
from benchmarks.knowledge.ripgrep import Ripgrep
from haulage.engine.articles.reading import read
from haulage.engine.search.diagnosis import Certainty, diagnose
from haulage.engine.search.entry import entry_of
from haulage.engine.search.model import Entry, Question, SearchIndex
from haulage.engine.search.tantivy_index import TantivyIndex

ENGINES = ("tantivy", "fts5", "ripgrep", "ripgrep by rarity")
_HITS = 20
_STEP = 1_000_000
"""Between the numbers of an article and of its copy."""
_FEW = 5
"""Questions that ripgrep is timed on in a large corpus: one takes a second for each word."""

Find = Callable[[str], list[str]]


def run(engine: str, corpus: str, articles: int, work: str) -> str:
    """``articles`` of 0: the corpus as it is; else renumbered copies up to that many."""
    place = os.path.join(work, re.sub(r"\W", "-", engine))
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    found: dict[str, object] = {"engine": engine}
    index: SearchIndex | None = None
    if engine.startswith("ripgrep"):
        found["articles"] = _files(corpus, articles, place)
        rip = Ripgrep(place, by_rarity="rarity" in engine)
        find: Find = lambda text: rip.find(text, _HITS)  # noqa: E731
    else:
        index = TantivyIndex(place) if engine == "tantivy" else Fts5Index(os.path.join(place, "index.db"))
        found |= _built(index, corpus, articles, place)
        find = _finder(index)
    asked = questions()
    if articles == 0:
        found |= {half: _relevance([one for one in asked if one.half == half], find) for half in ("tune", "held")}
    else:
        found |= _latency(asked[:_FEW] if engine.startswith("ripgrep") else asked, find)
    if engine == "tantivy" and index is not None and articles == 0:
        found["diagnosis"] = {half: _diagnosed(half, index) for half in ("tune", "held")}
    shutil.rmtree(place)
    return json.dumps(found)


def _paths(corpus: str) -> list[str]:
    return sorted(glob.glob(os.path.join(glob.escape(corpus), "**", "*.TXT"), recursive=True))


def _numbered(paths: list[str], articles: int) -> Iterator[tuple[str, str]]:
    """Path and id: first the corpus, then copies of it."""
    for at in range(articles or len(paths)):
        path = paths[at % len(paths)]
        number = int(os.path.basename(path)[1:].split(".")[0]) + at // len(paths) * _STEP
        yield path, f"Q{number}"


def _entries(corpus: str, articles: int) -> Iterator[Entry]:
    paths = _paths(corpus)
    kept: dict[str, Entry] = {}
    for path, id in _numbered(paths, articles):
        if path not in kept:
            with open(path, "rb") as file:
                kept[path] = entry_of(read(file.read(), os.path.basename(path)).article)
        yield msgspec.structs.replace(kept[path], id=id)


def _files(corpus: str, articles: int, place: str) -> int:
    number = 0
    for path, id in _numbered(_paths(corpus), articles):
        shutil.copyfile(path, os.path.join(place, f"{id}.TXT"))
        number += 1
    return number


def _built(index: SearchIndex, corpus: str, articles: int, place: str) -> dict[str, object]:
    made = _entries(corpus, articles)
    list(_entries(corpus, 0))
    before, wall = time.process_time(), time.perf_counter()
    number = index.put(made)
    size = sum(os.path.getsize(path) for path in glob.glob(f"{place}/**", recursive=True) if os.path.isfile(path))
    return {
        "articles": number,
        "build_cpu_seconds": round(time.process_time() - before, 2),
        "build_wall_seconds": round(time.perf_counter() - wall, 2),
        "index_mib": round(size / 2**20, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _finder(index: SearchIndex) -> Find:
    return lambda text: [hit.id for hit in index.search(Question(text=text, limit=_HITS)).hits]


def _relevance(asked: list[Known], find: Find) -> dict[str, object]:
    ranks = []
    for one in asked:
        ids = find(one.text)
        ranks.append(next((at for at, id in enumerate(ids, 1) if id in one.answers), 0))
    return {
        "questions": len(ranks),
        "hit1": round(sum(rank == 1 for rank in ranks) / len(ranks), 3),
        "hit5": round(sum(0 < rank <= 5 for rank in ranks) / len(ranks), 3),
        "mrr": round(sum(1 / rank for rank in ranks if rank) / len(ranks), 3),
    }


def _latency(asked: list[Known], find: Find) -> dict[str, object]:
    taken = []
    for one in asked:
        before = time.perf_counter()
        find(one.text)
        taken.append((time.perf_counter() - before) * 1000)
    taken.sort()
    return {"timed": len(taken), "p50_ms": round(taken[len(taken) // 2], 1), "p95_ms": round(taken[int(len(taken) * 0.95)], 1)}


def _diagnosed(half: str, index: SearchIndex) -> dict[str, object]:
    def first(one: Known) -> tuple[str, Certainty] | None:
        told = diagnose(one.text, search=index.search, entries=index.entries)
        return (told[0].hit.id, told[0].certainty) if told else None

    answers = [(one, first(one)) for one in questions() if one.half == half]
    alarms = [told for one in unrelated() if one.half == half if (told := first(one)) is not None]
    count = {"questions": len(answers), "unrelated": sum(one.half == half for one in unrelated())}
    for certainty in Certainty:
        count[f"{certainty}_right"] = sum(
            told is not None and told[1] is certainty and told[0] in one.answers for one, told in answers
        )
        count[f"{certainty}_wrong"] = sum(
            told is not None and told[1] is certainty and told[0] not in one.answers for one, told in answers
        )
        count[f"{certainty}_unrelated"] = sum(told[1] is certainty for told in alarms)
    return dict(count)
