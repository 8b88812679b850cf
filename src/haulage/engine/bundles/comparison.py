"""What changed between trees of a product, as the files of a fix. Pure: trees in, files out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haulage.base.errors import FormatError, UsageError
from haulage.engine.bundles.tree import Tree, TreeFile
from haulage.engine.servicing.definition import FileAction, FixFile, KnownState


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Files of a fix, where their contents lie by SHA-256, and what a person should know of the comparison."""

    files: tuple[FixFile, ...]
    sources: Mapping[str, str]
    notes: tuple[str, ...] = ()


def compare(befores: Sequence[Tree], after: Tree) -> Changes:
    """What turns any of ``befores`` into ``after``: a state of any of them is known as older.

    Raises FormatError ``not-a-file`` for links and devices that changed, UsageError ``nothing-changed``.
    """
    _refuse_changed_others(befores, after)
    files, notes = [], []
    for path in sorted({path for tree in (*befores, after) for path in tree.files}):
        olds = [tree.files[path] for tree in befores if path in tree.files]
        new = after.files.get(path)
        if new is not None and len(olds) == len(befores) and all(each.sha256 == new.sha256 for each in olds):
            if any(each.mode != new.mode for each in olds):
                notes.append(f"{path}: only its permissions differ, which a fix does not carry")
            continue
        files.append(_file(path, olds, new))
    if not files:
        raise UsageError("nothing-changed", f"{after.folder} holds the same files as before.", "Give the tree after the repair.")
    return Changes(files=stream_order(files), sources=_sources(files, after), notes=tuple(notes))


def all_of(tree: Tree) -> Changes:
    """Every file of a folder as a file to put in place, whatever stands there."""
    for path, kind in tree.others.items():
        raise FormatError("not-a-file", f"{path} in {tree.folder} is {kind}: a fix carries files.", "Put a file there.")
    files = [_file(path, [], each) for path, each in tree.files.items()]
    return Changes(files=stream_order(files), sources=_sources(files, tree))


def stream_order(files: Sequence[FixFile]) -> tuple[FixFile, ...]:
    """Alike names stand together, so that one platform's program helps to compress the other's."""

    def key(file: FixFile) -> tuple[str, str, str]:
        name = file.path.rpartition("/")[2]
        return name.rpartition(".")[2], name, file.path

    return tuple(sorted(files, key=key))


def _file(path: str, olds: Sequence[TreeFile], new: TreeFile | None) -> FixFile:
    known = {each.sha256: KnownState(each.sha256, each.version) for each in olds if new is None or each.sha256 != new.sha256}
    before = tuple(known[sha256] for sha256 in sorted(known))
    if new is None:
        return FixFile(path=path, action=FileAction.REMOVE, before=before)
    return FixFile(
        path=path,
        action=FileAction.REPLACE if olds else FileAction.ADD,
        sha256=new.sha256,
        size=new.size_bytes,
        mode=new.mode,
        version=new.version,
        before=before,
    )


def _sources(files: Sequence[FixFile], after: Tree) -> dict[str, str]:
    return {each.sha256: after.files[each.path].full for each in files if each.carried}


def _refuse_changed_others(befores: Sequence[Tree], after: Tree) -> None:
    for tree in befores:
        for path in sorted({*tree.others, *after.others}):
            if tree.others.get(path) != after.others.get(path):
                kind = after.others.get(path) or tree.others[path]
                raise FormatError("not-a-file", f"{path} is {kind} and changed: a fix carries files.", "Leave it as it was.")
