"""What a site refuses to capture, beside what no package can hold: too much, names it shall refuse, its own secrets. *Pure*."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from haulage.base.errors import FormatError, Remedy
from haulage.engine.content.manifest_model import shown
from haulage.engine.content.model import ChunkId


class WarningKind(enum.Enum):
    """Why a name deserves a look."""

    MISLEADING_NAME = "misleading-name"
    """Characters that hide or turn what a person reads, or letters of several scripts in one word (B17)."""
    POSSIBLE_SECRET = "possible-secret"  # noqa: S105
    """A name that keys, passwords or set-up answers usually have (B19)."""
    LINK_LEAVES_TREE = "link-leaves-tree"
    """A symlink whose target is absolute or above the root (B1); kept as it is, never followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRules:
    """The site's rules, from its settings and its keys."""

    max_bytes: int | None = None
    """Of one source."""
    refuse: frozenset[WarningKind] = frozenset()
    """Warnings that are errors here."""
    secrets: Callable[[], frozenset[ChunkId]] = frozenset
    """The site's own keys and tokens, each as the chunk its bytes would make."""


_MEANINGS = {
    WarningKind.MISLEADING_NAME: "has a name that hides or turns what a person reads",
    WarningKind.POSSIBLE_SECRET: "has a name that keys and passwords usually have",
    WarningKind.LINK_LEAVES_TREE: "is a link that leads out of the tree",
}


def refused_by_rule(kind: WarningKind, path: bytes) -> FormatError:
    """A warning that the site made an error."""
    return FormatError(
        "source-refused",
        f"{shown(path)} {_MEANINGS[kind]}, which this site refuses.",
        f"Mend the source, or take {kind.value} out of [capture] refuse in haulage.toml.",
        remedy=Remedy.WAIT_FOR_PERSON,
        facts={"path": shown(path)},
    )


def own_identity(path: bytes) -> FormatError:
    """The source holds what proves who this site is (Q183398: it would be cloned wherever the package goes)."""
    return FormatError(
        "own-identity",
        f"{shown(path)} holds a key or token of this very site; a package would carry it everywhere.",
        "Take it out of the source. If it ever left this machine, make new keys.",
        remedy=Remedy.WAIT_FOR_PERSON,
        facts={"path": shown(path)},
    )
