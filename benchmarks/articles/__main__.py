"""``python -m benchmarks.articles CORPUS [--count N]`` reads a corpus (folder or archive) and prints what was understood; then
the same renumbered to N articles, with time and memory, one process."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

from benchmarks.articles.renumbered import packed, renumbered
from haulage.base.errors import HaulageError
from haulage.engine.articles.archive import walk
from haulage.engine.articles.file_tables import unread_rows
from haulage.engine.articles.fix_graph import fix_graph, rings
from haulage.engine.articles.import_report import ImportReport
from haulage.engine.articles.proposals import is_fix
from haulage.engine.articles.reading import read
from haulage.engine.articles.statement import Statement

ENVIRONMENT = "HAULAGE_CORPUS"


def main(arguments: list[str]) -> int:
    """Print what was measured; 1 if there is no corpus."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.articles", description=__doc__)
    parser.add_argument("corpus", nargs="?", default=os.environ.get(ENVIRONMENT, ""), help=f"or in {ENVIRONMENT}")
    parser.add_argument("--count", type=int, default=57_000, help="articles after renumbering")
    parser.add_argument("--reading", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.reading:
        print(json.dumps(measured(given.reading)))
        return 0
    if not given.corpus or not os.path.exists(given.corpus):
        print(f"There is no corpus: name its folder or archive, or set {ENVIRONMENT}. It is not part of the project.")
        return 1
    print(json.dumps(described(given.corpus), indent=2, ensure_ascii=False))
    with tempfile.TemporaryDirectory(prefix="haulage-articles-") as folder:
        large = os.path.join(folder, "renumbered.tar.zst")
        articles = [(one.name, one.data) for one in walk(given.corpus) if not one.refused]
        packed(sorted(renumbered(articles, given.count)), large)  # by number, as the archive is
        for path in (given.corpus, large):
            print(process(path))
    return 0


def described(path: str) -> dict[str, object]:
    """What is understood of a corpus."""
    report = ImportReport()
    statements: list[Statement] = []
    titles: dict[str, str] = {}
    unread = fixes = 0
    for found in walk(path):
        report.file(len(found.data))
        try:
            if found.refused is not None:
                raise found.refused
            reading = read(found.data, found.name)
        except HaulageError as error:
            report.refuse(found.name, error)
            continue
        report.take(found.name, reading)
        statements += reading.statements
        titles[reading.article.id] = reading.article.title
        unread += len(unread_rows(reading.article))
        fixes += is_fix(reading.article, reading.tables, reading.statements)
    graph = fix_graph(statements, titles)
    shown = {key: value for key, value in report.counts().items() if key not in ("odd_files", "refused_files")}
    return {
        **shown,
        "rows like those of tables, not understood": unread,
        "fixes": fixes,
        "graph": {"nodes": len(graph.nodes()), "edges": len(graph.edges), "rings": rings(graph)},
    }


def measured(path: str) -> dict[str, float]:
    """Read everything and forget it, as an import does."""
    number = size = 0
    started = time.perf_counter()
    for found in walk(path):
        read(found.data, found.name)
        number += 1
        size += len(found.data)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "articles": number,
        "bytes": size,
        "wall_seconds": time.perf_counter() - started,
        "processor_seconds": used.ru_utime + used.ru_stime,
        "peak_bytes": used.ru_maxrss * 1024,
    }


def process(path: str) -> str:
    """The measurement in a process of its own, as a line."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.articles", "--reading", path], capture_output=True, check=True)
    found = json.loads(done.stdout)
    each = 1e3 * found["processor_seconds"] / found["articles"]
    return (
        f"{found['articles']:,} articles, {found['bytes'] / 1e6:.0f} MB read and understood: {found['wall_seconds']:.1f} s "
        f"({found['processor_seconds']:.1f} s of processor time, {each:.2f} ms each), "
        f"at most {found['peak_bytes'] / (1 << 20):.0f} MiB"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
