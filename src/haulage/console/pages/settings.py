"""What this server runs with: every setting, whether it is the default, and where its files lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from haulage.console.frame.page import Page, Shown, Visit
from haulage.server.settings_told import rows

PLACE = "settings"


def settings_pages() -> tuple[Page, ...]:
    """The one page."""
    return (Page(path="/settings", template="settings.html", show=_show, place=PLACE, rows=_rows),)


def _show(visit: Visit) -> Shown:
    return Shown(title="Settings", view=visit.service.settings(visit.caller.role))


def _rows(visit: Visit) -> Iterator[Mapping[str, object]]:
    return iter(rows(visit.service.settings(visit.caller.role)))
