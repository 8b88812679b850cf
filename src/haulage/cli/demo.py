"""``haulage demo``: a whole hierarchy on this machine, end to end, in nine acts. Any check that fails ends it with 1."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter


def demo(
    *,
    keep: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Leave the three servers running, and say how to end them.")
    ] = False,
) -> None:
    """A whole hierarchy on this machine, end to end: three servers, real files, nine acts.

    haulage demo

    haulage demo --keep
    """
    from haulage.cli.demo_play import play  # loads readers and writers of trees; no other command needs them

    play(keep)
