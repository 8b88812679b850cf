"""What ``haulage.toml`` says, what this server runs with, and where its files lie: as people are shown it. Holds no secret; where
anything lies is for administrators."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from haulage.base.setting import Check, all_absolute, database_url, folder
from haulage.base.settings import SECTIONS, Settings
from haulage.domain.people.roles import Role

_LEADS_TO_FILES = (all_absolute, database_url, folder)
"""The checks of settings that say where something lies."""
_PASSWORD = re.compile(r"(://[^:@/]*):[^@/]*@")


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as the server runs with it, written as in the file."""

    section: str
    name: str
    value: str | None
    """None: it is not for everybody to see."""
    is_default: bool
    default: str
    pending: str | None
    """What the file says by now, if that is something else: it counts at the next start."""
    words: str
    allowed: str


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """The settings that belong together."""

    name: str
    words: str
    settings: Sequence[Setting]


class SettingsTold(msgspec.Struct, frozen=True, kw_only=True):
    """All of them."""

    sections: Sequence[Section]
    places: Sequence[tuple[str, str]]
    """What lies where on this machine; empty for whoever that is not for."""
    problem: str
    """Why the file as it is now would keep the server from starting; "" if it would not."""
    is_whole: bool
    """Whether nothing was left out."""


def told(running: Settings, now: Settings | None, *, places: Sequence[tuple[str, str]], problem: str, role: Role) -> SettingsTold:
    """``now`` is what the file says by now; None if it cannot be used, as ``problem`` says."""
    whole = role >= Role.ADMINISTRATOR
    return SettingsTold(
        sections=[
            Section(
                name=name,
                words=(kind.__doc__ or "").strip(),
                settings=_settings(name, getattr(running, name), None if now is None else getattr(now, name), whole=whole),
            )
            for name, kind in SECTIONS.items()
        ],
        places=places if whole else (),
        problem=problem if whole else "The file as it is now cannot be used." if problem else "",
        is_whole=whole,
    )


def rows(view: SettingsTold) -> list[Mapping[str, object]]:
    """One line for each setting."""
    return [msgspec.to_builtins(one) for section in view.sections for one in section.settings]


def _settings(section: str, running: Any, now: Any, *, whole: bool) -> list[Setting]:
    found = []
    for each in dataclasses.fields(running):
        value, later = getattr(running, each.name), None if now is None else getattr(now, each.name)
        check = cast("Check | None", each.metadata.get("check"))
        hidden = check in _LEADS_TO_FILES and not whole
        found.append(
            Setting(
                section=section,
                name=each.name,
                value=None if hidden else _written(value),
                is_default=value == each.default,
                default=_written(each.default),
                pending=None if now is None or later == value or hidden else _written(later),
                words=each.metadata["doc"],
                allowed=((check.__doc__ or "") if check is not None else "").strip(),
            )
        )
    return found


def _written(value: Any) -> str:
    """As in the file; of tables only their names, for their addresses may be secrets of others."""
    if isinstance(value, tuple):
        tables = [getattr(one, "name", "") for one in value if dataclasses.is_dataclass(one)]
        return json.dumps(tables or list(value), ensure_ascii=False)
    if isinstance(value, str):
        return json.dumps(_PASSWORD.sub(r"\1:…@", value), ensure_ascii=False)
    return json.dumps(value)
