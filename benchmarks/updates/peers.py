"""The peers, each by one function that says how it is used at its best. Knows no pair.

All end with the new tree on disk and durable. Those that know single files only work on one tar of the tree; making the tar of the
old tree is not timed, unpacking the new one is.
"""

from __future__ import annotations

import os
import re
import shlex
import sys

from benchmarks.contenders import TOP
from benchmarks.updates.peer import SYNC, UNTAR, Peer, Place, size_of

_PYTHON = shlex.quote(sys.executable)
_HASH = "find {out} -type f -print0 | xargs -0 -r "


def tar() -> Peer:
    """The yardstick of applying: unpack the whole new tree, make it durable, hash it."""
    return Peer(
        name="tar x, sync, hash",
        needs=("tar", "b3sum"),
        version="tar --version",
        tars=True,
        apply=f"{UNTAR} {{shared}}/new.tar; {SYNC}; {_HASH} b3sum > /dev/null",
        wire=lambda place, _printed, _served: os.path.getsize(f"{place.shared}/new.tar"),
        note="no update at all: the whole tree, uncompressed",
    )


def whole() -> Peer:
    """No update: the whole new tree, compressed."""
    return Peer(
        name="whole, zstd -9",
        needs=("tar", "zstd"),
        version="zstd --version",
        make="tar -C {new} --sort=name -cf - . | zstd -q -9 -T2 -o {work}/whole.zst",
        apply=f"mkdir {{out}}; zstd -qdc {{work}}/whole.zst | tar -C {{out}} -xpf -; {SYNC}",
        wire=size_of("whole.zst"),
    )


def rsync() -> Peer:
    """Both ends run at once, so all its time is in applying; both directions count."""

    def wire(_place: Place, printed: str, _served: int) -> int:
        return sum(int(figure.replace(",", "")) for figure in re.findall(r"Total bytes (?:sent|received): ([\d,]+)", printed))

    return Peer(
        name="rsync -z",
        needs=("rsync",),
        version="rsync --version",
        prepare="cp -a {old} {out}",
        apply=f"rsync -a -z --checksum --no-whole-file --delete --stats {{new}}/ {{out}}/; {SYNC}",
        wire=wire,
        note="by checksum: npm gives all files of all versions one time, and many the same size",
        environment={"LC_ALL": "C"},
    )


def casync() -> Peer:
    """Only chunks that the old version did not have cross the line, and the index; the receiver has the old tree as a seed."""

    def wire(place: Place, _printed: str, _served: int) -> int:
        chunks = [os.path.join(at, name) for at, _, names in os.walk(f"{place.work}/wire") for name in names]
        return sum(os.path.getsize(path) for path in chunks) + os.path.getsize(f"{place.work}/new.caidx")

    make = "casync make --compression=zstd --store={work}/chunks {work}/%s.caidx {%s} > /dev/null"
    listing = "(cd {work}/chunks; find . -type f | sort) > {work}/%s.list; "
    return Peer(
        name="casync",
        needs=("casync",),
        version="casync --version",
        begin="mkdir {work}/chunks; " + make % ("old", "old") + "; " + listing % "old",
        make=make % ("new", "new"),
        prepare=listing % "new" + "mkdir {work}/wire; cd {work}/chunks; "
        "comm -13 {work}/old.list {work}/new.list | tar -cf - -T - | tar -C {work}/wire -xf -",
        apply=f"casync extract --store={{work}}/wire --seed={{old}} --seed-output=no {{work}}/new.caidx {{out}}; {SYNC}",
        wire=wire,
        note="zstd chunks",
    )


def zchunk() -> Peer:
    """The receiver has the old version as a zchunk file."""
    return Peer(
        name="zchunk",
        needs=("zck", "zckdl", "unzck"),
        version="zck --version",
        tars=True,
        begin="mkdir {work}/served; zck -o {work}/old.zck {shared}/old.tar",
        make="zck -o {work}/served/new.zck {shared}/new.tar",
        apply="cd {work}; zckdl -qq -s old.zck http://127.0.0.1:{port}/new.zck; mkdir {out}; "
        f"unzck -c new.zck | tar -C {{out}} -xpf -; {SYNC}",
        wire=lambda _place, _printed, served: served,
        served=True,
    )


def zsync() -> Peer:
    """Ranges of the compressed new tar; the receiver has the old tar."""
    return Peer(
        name="zsync",
        needs=("zsync", "zsyncmake"),
        version="zsync -V",
        tars=True,
        begin="mkdir {work}/served; ln -s {shared}/new.tar {work}/served/new.tar",
        make="cd {work}/served; zsyncmake -z -u new.tar.gz -o new.tar.zsync new.tar",
        apply="cd {work}; env -u http_proxy zsync -q -i {shared}/old.tar -o got http://127.0.0.1:{port}/new.tar.zsync; "
        f"{UNTAR} got; {SYNC}",
        wire=lambda _place, _printed, served: served,
        served=True,
    )


def ostree() -> Peer:
    """A static delta with everything inside; both commits stand in the sender's repository before, the old one at the receiver."""
    commit = "ostree --repo={work}/repo commit --no-bindings --timestamp=@0 -b %s --tree=dir={%s} > /dev/null; "
    return Peer(
        name="ostree static delta",
        needs=("ostree",),
        version="ostree --version",
        begin="ostree --repo={work}/repo init --mode=bare-user; ostree --repo={work}/here init --mode=bare-user; "
        + commit % ("old", "old")
        + commit % ("new", "new")
        + "ostree --repo={work}/here pull-local {work}/repo old > /dev/null",
        make="ostree --repo={work}/repo static-delta generate --inline --min-fallback-size=0 --max-bsdiff-size=512 --from=old "
        "--to=new --filename={work}/delta > /dev/null",
        apply="ostree --repo={work}/here static-delta apply-offline {work}/delta; "
        f"ostree --repo={{work}}/here checkout -U $(ostree --repo={{work}}/repo rev-parse new) {{out}}; {SYNC}",
        wire=size_of("delta"),
        note="bsdiff for files up to 512 MB",
    )


def xdelta3() -> Peer:
    """The whole old tar as its window, as far as it goes (2 GiB)."""
    options = "-9 -S lzma -B 2147483648 -W 16777216"
    return Peer(
        name="xdelta3 -9",
        needs=("xdelta3",),
        version="xdelta3 -V 2>&1",
        tars=True,
        make=f"xdelta3 -q -e {options} -s {{shared}}/old.tar {{shared}}/new.tar {{work}}/delta",
        apply=f"mkdir {{out}}; xdelta3 -q -d -c -B 2147483648 -s {{shared}}/old.tar {{work}}/delta | tar -C {{out}} -xpf -; {SYNC}",
        wire=size_of("delta"),
        note="lzma, window of 2 GiB",
    )


def bsdiff() -> Peer:
    """File by file, each against the old file of its name: over a whole tree it would need 17 times its size."""
    command = f"{_PYTHON} -m benchmarks.updates.by_file"
    return Peer(
        name="bsdiff by file",
        needs=("bsdiff", "bspatch", "zstd"),
        version="dpkg-query -W bsdiff",
        make=command + " make {old} {new} {work}/patches; tar -C {work}/patches --sort=name -cf - . | zstd -q -19 -o {work}/delta",
        prepare="rm -r {work}/patches; cp -a {old} {out}",
        apply="mkdir {work}/got; zstd -qdc {work}/delta | tar -C {work}/got -xf -; "
        + command
        + f" apply {{work}}/got {{out}}; {SYNC}",
        wire=size_of("delta"),
        environment={"PYTHONPATH": TOP},
        note="the copy of the old tree that it patches is not timed",
    )


def zstd_patch() -> Peer:
    """The old tar as a prefix; refuses more than 2 GiB."""
    return Peer(
        name="zstd patch-from 19",
        needs=("zstd",),
        version="zstd --version",
        tars=True,
        make="zstd -q -19 --long=31 --patch-from={shared}/old.tar {shared}/new.tar -o {work}/patch",
        apply=f"mkdir {{out}}; zstd -q -d --long=31 --memory=2048MB --patch-from={{shared}}/old.tar {{work}}/patch -c | "
        f"tar -C {{out}} -xpf -; {SYNC}",
        wire=size_of("patch"),
    )


def hdiffpatch(name: str, options: str, note: str) -> Peer:
    """Whole folders at once, with the settings that give the smallest updates; both trees are held in memory."""
    return Peer(
        name=name,
        needs=("hdiffz", "hpatchz"),
        version="{tools}/hdiffz -v | head -1",
        make=f"{{tools}}/hdiffz {options} -d {{old}} {{new}} {{work}}/delta > /dev/null",
        apply=f"{{tools}}/hpatchz {{old}} {{work}}/delta {{out}} > /dev/null; {SYNC}",
        wire=size_of("delta"),
        note=note,
    )


HDIFFPATCH = (
    hdiffpatch("hdiffz -m-1", "-m-1 -cache -c-lzma2-9-64m -p-2", "for programs"),
    hdiffpatch("hdiffz -m-6", "-m-6 -cache -c-lzma2-9-64m -p-2", "for text"),
    hdiffpatch("hdiffz -s-64", "-s-64 -c-lzma2-9-64m -p-2", "streams: for what does not fit into memory"),
    hdiffpatch("hdiffz -m-6 -SD", "-m-6 -SD -cache -c-lzma2-9-64m -p-2", "for text, one stream"),
)
HDIFFZ = tuple(peer.name for peer in HDIFFPATCH)
"""The best of these on a pair is what the aims speak of."""

PEERS = (
    tar(),
    whole(),
    *HDIFFPATCH,
    rsync(),
    casync(),
    zchunk(),
    zsync(),
    ostree(),
    xdelta3(),
    bsdiff(),
    zstd_patch(),
)
