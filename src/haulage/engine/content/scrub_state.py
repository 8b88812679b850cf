"""How far the scrub of a store is, as a small checked file. What cannot be read is forgotten: the scrub begins anew. Pure but for
loading and saving."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from haulage.base import files
from haulage.base.clock import iso, parse_iso
from haulage.engine.content.digest import digest
from haulage.engine.content.store_errors import naming

_MAX_BYTES = 4 << 20
_NAME = re.compile(r"[0-9a-f]{32}")
_FORM = re.compile(
    r"haulage-scrub 1\nsince (\S+)\nbegan (\S+)\nnext (\S+)\nbytes (\d{1,18})\ndamages (\d{1,18})\nfinished (\S+)\n"
    r"((?:unsound [0-9a-f]{32}\n)*)blake3 ([0-9a-f]{64})\n"
)
NONE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrubState:
    """Where a scrub is."""

    since: dt.datetime
    """Since when this store is scrubbed at all."""
    began: dt.datetime | None = None
    """Of the pass that is under way; None between two."""
    next: str = ""
    """The part to read next."""
    bytes: int = 0
    damages: int = 0
    """What the pass under way has read and found, or else the last one."""
    finished: dt.datetime | None = None
    """End of the last whole pass."""
    unsound: tuple[str, ...] = ()
    """Packs in which something was wrong when this was written: a new process looks at them first."""


def encode_scrub(state: ScrubState) -> bytes:
    """The one way to write it."""
    lines = [
        "haulage-scrub 1",
        f"since {iso(state.since)}",
        f"began {iso(state.began) if state.began else NONE}",
        f"next {state.next or NONE}",
        f"bytes {state.bytes}",
        f"damages {state.damages}",
        f"finished {iso(state.finished) if state.finished else NONE}",
        *(f"unsound {name}" for name in state.unsound),
    ]
    body = "".join(f"{line}\n" for line in lines).encode()
    return body + f"blake3 {digest(body).hex()}\n".encode()


def decode_scrub(data: bytes) -> ScrubState:
    """The inverse. Raises ValueError for anything that would not be written so."""
    match = _FORM.fullmatch(data.decode("ascii"))
    if not match:
        raise ValueError("not the state of a scrub")
    since, began, part, size, damages, finished, unsound, _digest = match.groups()
    if part != NONE and not _NAME.fullmatch(part):
        raise ValueError("names no pack")
    state = ScrubState(
        since=parse_iso(since),
        began=None if began == NONE else parse_iso(began),
        next="" if part == NONE else part,
        bytes=int(size),
        damages=int(damages),
        finished=None if finished == NONE else parse_iso(finished),
        unsound=tuple(line.split(" ")[1] for line in unsound.splitlines()),
    )
    if encode_scrub(state) != data:
        raise ValueError("does not match its digest")
    return state


def load_scrub(path: str) -> ScrubState | None:
    """The state in a file; None if there is none that is whole."""
    try:
        with open(path, "rb") as file:
            return decode_scrub(file.read(_MAX_BYTES))
    except (OSError, ValueError):
        return None


def check_scrub(path: str) -> str | None:
    """What is wrong with the file; None if it is whole or absent."""
    try:
        with open(path, "rb") as file:
            decode_scrub(file.read(_MAX_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        return str(error) or type(error).__name__
    return None


def save_scrub(path: str, state: ScrubState) -> None:
    """Replace the file, durably. Raises TransferError."""
    with naming(path, "write"):
        files.write_durable(path, encode_scrub(state))
