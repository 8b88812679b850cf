"""Who is measured: Haulage and each peer as the commands that make it do the same work. A peer that is not installed is left out,
never required. Pure but for looking for programs.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """Commands with ``{tree}``, ``{store}`` (a path of its own, absent at first), ``{out}`` and ``{n}`` (which capture)."""

    name: str
    needs: tuple[str, ...]
    capture: str
    begin: str = "mkdir {store}"
    """Before the first capture, not timed."""
    restore: str = ""
    compare: str = ""
    """Proves the restored tree against the store."""
    check: str = ""
    """Proves the store itself."""
    note: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    incremental: bool = True

    def installed(self) -> bool:
        """Whether every program of it is here."""
        return all(shutil.which(program) for program in self.needs)


_SYNC_STORE, _SYNC_OUT = "sync -f {store}", "sync -f {out}"
"""On an equal footing: Haulage makes its store and the restored tree durable by itself; for a peer that does not, this does."""
_DIFF = "diff -rq --no-dereference {tree} {out}"
"""For peers that cannot prove a restored tree: against the original, bytes and names only."""

_OURS = f"{sys.executable} -m benchmarks.ours"
OURS = Contender(
    name="haulage",
    needs=(),
    begin=_OURS + " warm",
    capture=_OURS + " capture {tree} {store}",
    restore=_OURS + " restore {store} {out}",
    compare=_OURS + " compare {store} {out}",
    check=_OURS + " check {store}",
    note="every step made durable; BLAKE3; zstd 3; owners, attributes, streams and links kept",
    environment={"PYTHONPATH": TOP, "PYTHONDONTWRITEBYTECODE": ""},
)
TAR = Contender(
    name="tar+zstd",
    needs=("tar", "zstd"),
    capture="tar -C {tree} --acls --xattrs --xattrs-include='*' -cf - . | zstd -q -3 -T2 -o {store}/{n}.tar.zst; " + _SYNC_STORE,
    restore="mkdir {out}; zstd -qdc {store}/{n}.tar.zst | tar -C {out} --acls --xattrs --xattrs-include='*' -xpf -; " + _SYNC_OUT,
    compare="zstd -qdc {store}/{n}.tar.zst | tar -C {out} -df -",
    check="zstd -qt {store}/*.zst",
    note="tar | zstd -3 -T2: one archive for each version, nothing shared; made durable by sync; compares bytes, mode, owner, time",
    incremental=False,
)
BORG = Contender(
    name="borg",
    needs=("borg",),
    begin="borg init -e none {store}",
    capture="cd {tree}; borg create -C zstd,3 {store}::{n} .",
    restore="mkdir {out}; cd {out}; borg extract {store}::{n}; " + _SYNC_OUT,
    compare=_DIFF,
    check="borg check --verify-data {store}",
    note="no encryption, zstd 3; compared by diff: bytes only",
    environment={
        "BORG_BASE_DIR": "{store}.home",
        "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
        "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
    },
)
RESTIC = Contender(
    name="restic",
    needs=("restic",),
    begin="restic init -q --repository-version 2 -r {store}",
    capture="cd {tree}; restic backup -q -r {store} .",
    restore="restic restore -q -r {store} latest --target {out}; " + _SYNC_OUT,
    compare="restic restore -q -r {store} latest --target {out}.again --verify",
    check="restic check -q --read-data -r {store}",
    note="always encrypts; its comparison restores a second time, as it can only be asked for with a restore",
    environment={"RESTIC_PASSWORD": "x", "RESTIC_CACHE_DIR": "{store}.cache"},
)
CASYNC = Contender(
    name="casync",
    needs=("casync",),
    capture="casync make --compression=zstd --store={store}/default.castr {store}/{n}.caidx {tree} > /dev/null; " + _SYNC_STORE,
    restore="casync extract --store={store}/default.castr {store}/{n}.caidx {out}; " + _SYNC_OUT,
    compare="casync digest --store={store}/default.castr {store}/{n}.caidx > {store}/want; casync digest {out} > {store}/got; "
    "cmp {store}/want {store}/got",
    note="zstd; made durable by sync; compares digests of the whole trees",
)
OSTREE = Contender(
    name="ostree",
    needs=("ostree",),
    begin="ostree --repo={store} init --mode=archive",
    capture="ostree --repo={store} commit -b main --tree=dir={tree} > /dev/null",
    restore="ostree --repo={store} checkout -U main {out}; " + _SYNC_OUT,
    compare=_DIFF,
    check="ostree --repo={store} fsck -q",
    note="gzip 6; keeps no times; shares whole files only; compared by diff: bytes only",
)
BUP = Contender(
    name="bup",
    needs=("bup",),
    begin="BUP_DIR={store} bup init",
    capture="export BUP_DIR={store}; bup index {tree}; bup save -q -n main {tree}",
    restore="BUP_DIR={store} bup restore -q -C {out} main/latest{tree}/.; " + _SYNC_OUT,
    compare=_DIFF,
    check="BUP_DIR={store} bup fsck",
    note="zlib 1; compared by diff: bytes only",
)
FIND = Contender(
    name="find -printf",
    needs=("find",),
    capture="find {tree} -printf '%s %T@ %C@ %i\\n' > /dev/null",
    note="only lists: the least that finding out that nothing changed can cost",
)
PEERS = (TAR, BORG, RESTIC, CASYNC, OSTREE, BUP)
