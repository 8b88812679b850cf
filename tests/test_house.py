"""The rules of docs/house.md that a machine can hold beside the import laws: sizes, names, docstrings, clocks, leaks."""

from __future__ import annotations

import ast
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

TOP = pathlib.Path(__file__).parent.parent
SOURCE = TOP / "src" / "haulage"

MOST_LINES = 500
MOST_FUNCTION_LINES = 80
FORBIDDEN_NAMES = {"util", "utils", "helper", "helpers", "common", "misc", "manager"}

CLOCKS = {
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns", "time.sleep",
    "time.localtime", "time.gmtime", "time.strftime", "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
}  # fmt: skip

LEAKS = {
    "the host of a package registry": re.compile(
        r"pypi\.org|pythonhosted\.org|registry\.npmjs|deb\.debian\.org|files\.pythonhosted"
    ),
    "a path of one machine": re.compile(r"/(?:work/(?:main|shared)|home/[a-z]+|Users/[A-Za-z]+|root)/"),
    "a private key": re.compile(r"BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\n[A-Za-z0-9+/=]"),
}


def modules(folder: pathlib.Path) -> list[tuple[str, ast.Module, str]]:
    """Name, syntax tree and text of every module below a folder."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        if "__pycache__" not in path.parts:
            text = path.read_text(encoding="utf-8")
            found.append((name(path), ast.parse(text), text))
    return found


def tracked() -> list[pathlib.Path]:
    """Every file of the project; without git (from an archive) every file that is not made."""
    found = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=TOP, capture_output=True, check=False)
    if found.returncode == 0:
        return [TOP / os.fsdecode(name) for name in found.stdout.split(b"\0") if name]
    return [path for path in TOP.rglob("*") if path.is_file() and not {".git", ".venv", "__pycache__"} & set(path.parts)]


def name(path: pathlib.Path) -> str:
    return str(path.relative_to(TOP))


PRODUCT = modules(SOURCE)
EVERYTHING = PRODUCT + modules(TOP / "tests")


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_file_is_too_long() -> None:
    written = [(path, text) for path, _, text in EVERYTHING if "/migrations/versions/" not in path]  # generated, then read once
    assert [path for path, text in written if text.count("\n") > MOST_LINES] == []


def test_no_function_is_too_long() -> None:
    def lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
        return (function.end_lineno or 0) - function.lineno + 1

    too_long = [
        f"{path} {each.name}"
        for path, tree, _ in EVERYTHING
        if "/migrations/versions/" not in path  # generated, then read once
        for each in functions(tree)
        if lines(each) > MOST_FUNCTION_LINES
    ]
    assert too_long == []


def test_no_file_is_an_attic() -> None:
    assert [path for path, _, _ in EVERYTHING if FORBIDDEN_NAMES & set(re.split(r"[/_.]", path.lower()))] == []


def test_every_module_says_what_it_is() -> None:
    assert [path for path, tree, _ in EVERYTHING if not ast.get_docstring(tree)] == []


def test_init_holds_a_docstring_at_most() -> None:
    assert [path for path, tree, _ in EVERYTHING if path.endswith("/__init__.py") and len(tree.body) > 1] == []


def test_law_1_nothing_under_type_checking() -> None:
    assert [path for path, _, text in PRODUCT if re.search(r"\bTYPE_CHECKING\b", text)] == []


STARTED_BY_COMMANDS = ("haulage.wiring.", "haulage.cli.demo_play")
"""What a single command starts and all others must not load: a site takes seconds, ``--help`` must not."""


def test_law_1_no_import_of_our_own_inside_a_function() -> None:
    inside = [
        f"{path}:{node.lineno}"
        for path, tree, _ in PRODUCT
        for function in functions(tree)
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("haulage")
        if not (str(path).startswith("src/haulage/cli/") and (node.module or "").startswith(STARTED_BY_COMMANDS))
    ]
    assert inside == []


OWN_CLOCKS = {"src/haulage/base/clock.py", "src/haulage/engine/servicing/clock.py"}
"""Servicing may not import base."""


SERVICING = [(path, tree, text) for path, tree, text in PRODUCT if path.startswith("src/haulage/engine/servicing/")]


def test_servicing_is_python_3_9_and_standard_library_only() -> None:
    beyond = {"UTC", "StrEnum", "tomllib", "ExceptionGroup", "slots", "kw_only"}
    for path, tree, text in SERVICING:
        ast.parse(text, path, feature_version=(3, 9))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
                for module in names:
                    top = module.split(".")[0]
                    assert module.startswith("haulage.engine.servicing") or top in sys.stdlib_module_names, f"{path}: {module}"
            said = node.attr if isinstance(node, ast.Attribute) else node.arg if isinstance(node, ast.keyword) else ""
            assert said not in beyond, f"{path}: {said} is of a later Python"


def test_i18_only_base_clock_reads_clocks() -> None:
    reads = [f"{path} {read}" for path, tree, _ in PRODUCT if path not in OWN_CLOCKS for read in clock_reads(tree)]
    assert reads == []


def clock_reads(tree: ast.AST) -> Iterator[str]:
    """Uses of the machine's clocks, however they were imported."""
    origins: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            origins.update({alias.asname or alias.name: alias.name for alias in node.names if alias.name in ("time", "datetime")})
        elif isinstance(node, ast.ImportFrom) and node.module in ("time", "datetime"):
            origins.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            first, _, rest = ast.unparse(node).partition(".")
            if first in origins:
                full = ".".join(filter(None, (origins[first], rest)))
                if ".".join(full.split(".")[-2:]) in CLOCKS:
                    yield f"line {node.lineno}: {full}"


@pytest.mark.parametrize(
    ("code", "reads"),
    [
        ("import time\ntime.time()", 1),
        ("import time as t\nt.monotonic()", 1),
        ("from time import sleep as z\nz(1)", 1),
        ("import datetime as dt\ndt.datetime.now(dt.UTC)", 1),
        ("from datetime import datetime\ndatetime.utcnow()", 1),
        ("import datetime as dt\ndt.timedelta(1)\nclock.now()\nclock.monotonic()", 0),
    ],
)
def test_the_search_for_clocks_finds_them(code: str, reads: int) -> None:
    assert len(list(clock_reads(ast.parse(code)))) == reads


DURABLE = {
    "os": {
        "fdatasync", "fsync", "ftruncate", "link", "makedirs", "mkdir", "pwrite", "remove", "removedirs", "rename", "renames",
        "replace", "rmdir", "symlink", "sync", "truncate", "unlink", "write",
    },
    "shutil": {"copy", "copy2", "copyfile", "copytree", "move", "rmtree"},
}  # fmt: skip
"""Acts on a disk that base/files names and numbers, so that a death is tried at each."""

NOT_DURABLE = {
    "src/haulage/base/files.py": "the steps themselves",
    "src/haulage/base/log.py": "a log holds no truth",
    "src/haulage/cli/": "the demonstration, and files that a person asked for",
    "src/haulage/engine/servicing/durable.py": "the steps of servicing, which may not import base",
    "src/haulage/engine/servicing/log.py": "a log holds no truth",
    "src/haulage/engine/servicing/lock.py": "the name of a lock's holder, of no use when it has ended",
    "src/haulage/engine/trees/": "a staged tree nobody sees before its one syncfs, which is a step",
    "src/haulage/server/lifecycle.py": "the sign of a running server, removed by one that cannot end in order",
    "src/haulage/testing/": "tests",
}
"""Where such an act stands beside base/files, and why no death there matters."""


def test_i12_durable_acts_are_steps_of_base_files() -> None:
    found = [
        f"{path}: {act}"
        for path, tree, _ in PRODUCT
        for act in durable_acts(tree, commits=not path.startswith("src/haulage/engine/database/"))
        if not path.startswith(tuple(NOT_DURABLE))
    ]
    assert found == []


def durable_acts(tree: ast.AST, *, commits: bool = True) -> Iterator[str]:
    """Calls that change a disk, or commit a transaction."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner, act = ast.unparse(node.func.value), node.func.attr
            if act in DURABLE.get(owner, ()) or (commits and act == "commit" and owner in ("tx", "connection", "driver")):
                yield f"line {node.lineno}: {owner}.{act}"
        elif isinstance(node, ast.ImportFrom) and node.module in DURABLE:
            yield from (f"line {node.lineno}: {one.name}" for one in node.names if one.name in DURABLE[node.module])


@pytest.mark.parametrize(
    ("code", "acts"),
    [
        ("import os\nos.rename(a, b)\nos.fsync(1)", 2),
        ("from os import unlink", 1),
        ("import shutil\nshutil.rmtree(a)", 1),
        ("tx.commit()", 1),
        ("import os\nos.stat(a)\nsession.commit()\nfiles.rename(a, b)", 0),
    ],
)
def test_the_search_for_durable_acts_finds_them(code: str, acts: int) -> None:
    assert len(list(durable_acts(ast.parse(code)))) == acts


def test_i19_nothing_of_one_machine_and_no_secret_in_the_project() -> None:
    leaks = []
    for path in tracked():
        if path == pathlib.Path(__file__) or not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        leaks += [f"{name(path)}: {what}" for what, pattern in LEAKS.items() if pattern.search(text)]
    assert leaks == []


def test_error_codes_are_kebab_case() -> None:
    families = "UsageError|NotFoundError|ConflictError|NotAllowedError|FormatError|IntegrityError|TransferError"
    pattern = re.compile(rf"\b(?:{families})\(\s*\"([^\"]*)\"\s*,")
    codes = [(path, code) for path, _, text in PRODUCT for code in pattern.findall(text)]
    assert codes
    assert [(path, code) for path, code in codes if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)] == []
