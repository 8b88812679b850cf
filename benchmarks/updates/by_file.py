"""bsdiff over two trees, file by file: a folder of patches and a list of what to remove.

python -m benchmarks.updates.by_file make OLD NEW PATCHES | apply PATCHES TREE
"""

from __future__ import annotations

import filecmp
import json
import os
import subprocess
import sys
import tempfile


def make(old: str, new: str, patches: str) -> None:
    """Patches for what changed, against the file of the same name or nothing."""
    os.makedirs(patches)
    before, after = _names(old), _names(new)
    plan: dict[str, list[str]] = {"removed": sorted(before - after), "patched": [], "empty": []}
    for name in sorted(after):
        base, file = os.path.join(old, name), os.path.join(new, name)
        if name in before and filecmp.cmp(base, file, shallow=False):
            continue
        if not os.path.getsize(file):
            plan["empty"].append(name)
            continue
        patch = os.path.join(patches, str(len(plan["patched"])))
        _run("bsdiff", base if name in before else None, file, patch)
        plan["patched"].append(name)
    with open(os.path.join(patches, "plan"), "w") as out:
        json.dump(plan, out)


def apply(patches: str, tree: str) -> None:
    """Turn the old tree into the new one, in place; folders that are empty then go."""
    with open(os.path.join(patches, "plan")) as file:
        plan = json.load(file)
    for number, name in enumerate(plan["patched"]):
        path = os.path.join(tree, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _run("bspatch", path if os.path.exists(path) else None, f"{path}.part", os.path.join(patches, str(number)))
        os.replace(f"{path}.part", path)
    for name in plan["empty"]:
        os.makedirs(os.path.dirname(os.path.join(tree, name)), exist_ok=True)
        with open(os.path.join(tree, name), "wb"):
            pass
    for name in plan["removed"]:
        os.unlink(os.path.join(tree, name))
    for at, _, _ in os.walk(tree, topdown=False):
        if not os.listdir(at):
            os.rmdir(at)


def _run(program: str, base: str | None, *paths: str) -> None:
    """Neither takes an empty file: the base of a new one is one byte. Raises RuntimeError with what it said."""
    with tempfile.NamedTemporaryFile() as nothing:
        nothing.write(b"\0")
        nothing.flush()
        done = subprocess.run(
            [program, base if base and os.path.getsize(base) else nothing.name, *paths], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"{program} ended with {done.returncode}")


def _names(tree: str) -> set[str]:
    return {os.path.relpath(os.path.join(at, name), tree) for at, _, names in os.walk(tree) for name in names}


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(*sys.argv[2:])
    else:
        apply(*sys.argv[2:])
