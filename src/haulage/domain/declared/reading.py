"""A file as what it declares. Strict: what is not known is refused, nothing is guessed. Pure; knows nothing of what there is."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from haulage.base.errors import UsageError
from haulage.base.ids import GroupName, Place, SiteCode, group_name, is_group, is_point, package_id, place, site_code
from haulage.base.text import shown
from haulage.domain.declared.model import Declared, DeclaredPackage, DeclaredSite, Kind
from haulage.domain.declared.problems import Problems

FORMAT = 1
FILE_MAX_BYTES = 8 * 1024 * 1024
NAME_MAX = 256
ITEMS_MAX = 100_000
"""Places in one list."""

_TOP = ("format", "manage", "sites", "points", "groups", "packages")
_SITE = ("name", "parent")
_POINT = ("url",)
_PACKAGE = ("name", "source", "streams", "keep", "keep_special_bits", "to")

T = TypeVar("T")


def read_declared(text: str) -> Declared:
    """What a file says. Raises UsageError ``bad-declaration`` with every mistake in it."""
    return checked(parsed(text), Problems(text), refuse=True)


def parsed(text: str) -> dict[str, Any]:
    """The file as TOML. Raises UsageError ``bad-declaration``, ``declaration-too-large``."""
    if len(text.encode("utf-8", "surrogatepass")) > FILE_MAX_BYTES:
        raise UsageError(
            "declaration-too-large",
            f"The file is larger than {FILE_MAX_BYTES // 2**20} MiB.",
            "Assign to groups, not to each place.",
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            "bad-declaration", f"The file is not TOML: {shown(str(error), limit=300)}.", "See docs/declared.md."
        ) from None
    except (RecursionError, ValueError) as error:
        cause = "it is nested too deeply" if isinstance(error, RecursionError) else shown(str(error), limit=200)
        raise UsageError("bad-declaration", f"The file cannot be read: {cause}.", "See docs/declared.md.") from None


def checked(data: Mapping[str, Any], problems: Problems, *, refuse: bool) -> Declared:
    """What the tables mean; mistakes are collected, and refused if ``refuse``."""
    reader = _Reader(problems)
    for name in data:
        if name not in _TOP:
            problems.unknown(_TOP, name)
    if data.get("format") != FORMAT or isinstance(data.get("format"), bool):
        problems.add(f"format must be {FORMAT}: write format = {FORMAT} at the top.", "format")
    declared = Declared(
        sites=reader.sites(data.get("sites", {})),
        points=reader.points(data.get("points", {})),
        groups=reader.groups(data.get("groups", {})),
        packages=reader.packages(data.get("packages", {})),
        remove=reader.remove(data.get("manage", {})),
    )
    if refuse:
        problems.refuse()
    return declared


class _Reader:
    """One table after the other."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def remove(self, table: Any) -> frozenset[Kind]:
        words = {kind.value: kind for kind in Kind}
        found = set()
        for name, value in self._table(table, "manage").items():
            if name != "remove":
                self._problems.unknown(("remove",), "manage", name)
                continue
            for word in self._words(value, "manage", "remove"):
                if word in words:
                    found.add(words[word])
                elif word == "sites":
                    self._problems.add(
                        "sites are never removed by a file; haulage site remove does it.", "manage", "remove", word=word
                    )
                else:
                    self._problems.unknown(words, "manage", "remove", word)
        return frozenset(found)

    def sites(self, table: Any) -> dict[SiteCode, DeclaredSite]:
        out = {}
        for key, value in self._table(table, "sites").items():
            inner = self._fields(value, _SITE, "sites", key)
            code = self._parse(site_code, key, "sites", key)
            name = self._text(inner, "name", "sites", key, least=0)
            parent = self._text(inner, "parent", "sites", key)
            above = None if parent is None else self._parse(site_code, parent, "sites", key, "parent")
            if code is not None:
                out[code] = DeclaredSite(name=name, parent=above)
        return out

    def points(self, table: Any) -> dict[Place, str]:
        out = {}
        for key, value in self._table(table, "points").items():
            inner = self._fields(value, _POINT, "points", key)
            where = self._parse(place, key, "points", key)
            if where is not None and not is_point(where):
                self._problems.add(f"{where} is a site, not a point; write CODE/NAME.", "points", key)
            url = self._text(inner, "url", "points", key)
            if url is None and isinstance(value, dict) and "url" not in inner:
                self._problems.add(f"point {shown(key, limit=80)} has no url.", "points", key)
            if where is not None and url is not None:
                out[where] = url
        return out

    def groups(self, table: Any) -> dict[GroupName, frozenset[Place]]:
        out = {}
        for key, value in self._table(table, "groups").items():
            if key.startswith("@"):
                self._problems.add(f"write the name of group {shown(key, limit=80)} without its @ here.", "groups", key)
                continue
            name = self._parse(group_name, key, "groups", key)
            places = set()
            for word in self._words(value, "groups", key):
                if is_group(word):
                    self._problems.add(f"{shown(word, limit=80)} is a group; a group holds places only.", "groups", key, word=word)
                    continue
                where = self._parse(place, word, "groups", key, word=word)
                if where is not None:
                    places.add(where)
            if name is not None:
                out[name] = frozenset(places)
        return out

    def packages(self, table: Any) -> dict[str, DeclaredPackage]:
        out = {}
        for key, value in self._table(table, "packages").items():
            inner = self._fields(value, _PACKAGE, "packages", key)
            places, groups = self._to(inner, key)
            out[key] = DeclaredPackage(
                key=key,
                id=_id_of(key),
                name=self._name(inner, key),
                source=self._text(inner, "source", "packages", key),
                streams=self._text(inner, "streams", "packages", key),
                keep=self._keep(inner, key),
                keep_special_bits=self._flag(inner, key),
                places=places,
                groups=groups,
            )
        return out

    def _name(self, inner: Mapping[str, Any], key: str) -> str | None:
        if _id_of(key) is not None:
            return self._text(inner, "name", "packages", key)
        if "name" in inner and inner["name"] != key:
            self._problems.add("a package is renamed under its id: [packages.ID] with name.", "packages", key, "name")
        if not 1 <= len(key) <= NAME_MAX:
            self._problems.add(f"the name of a package has 1 to {NAME_MAX} characters.", "packages", key)
        return key

    def _to(self, inner: Mapping[str, Any], key: str) -> tuple[frozenset[Place] | None, frozenset[GroupName]]:
        if "to" not in inner:
            return None, frozenset()
        places, groups = set(), set()
        for word in self._words(inner["to"], "packages", key, "to"):
            if is_group(word):
                name = self._parse(group_name, word, "packages", key, "to", word=word)
                groups |= set() if name is None else {name}
            else:
                where = self._parse(place, word, "packages", key, "to", word=word)
                places |= set() if where is None else {where}
        return frozenset(places), frozenset(groups)

    def _keep(self, inner: Mapping[str, Any], key: str) -> int | None:
        value = inner.get("keep")
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1000):
            self._problems.add("keep is a whole number from 1 to 1000.", "packages", key, "keep")
            return None
        return value

    def _flag(self, inner: Mapping[str, Any], key: str) -> bool | None:
        value = inner.get("keep_special_bits")
        if value is not None and not isinstance(value, bool):
            self._problems.add("keep_special_bits is true or false.", "packages", key, "keep_special_bits")
            return None
        return value

    def _table(self, value: Any, name: str) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self._problems.add(f"{name} must be a table: [{name}].", name)
        return {}

    def _fields(self, value: Any, known: tuple[str, ...], *path: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            self._problems.add(f"{shown('.'.join(path), limit=120)} must be a table with {', '.join(known)}.", *path)
            return {}
        for name in value:
            if name not in known:
                self._problems.unknown(known, *path, name)
        return value

    def _text(self, inner: Mapping[str, Any], name: str, *path: str, least: int = 1) -> str | None:
        value = inner.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not least <= len(value) <= 4096 or "\0" in value:
            self._problems.add(f"{name} must be text in quotes.", *path, name)
            return None
        return value

    def _words(self, value: Any, *path: str) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self._problems.add(f"{shown('.'.join(path), limit=120)} must be a list of words in quotes.", *path)
            return []
        if len(value) > ITEMS_MAX:
            self._problems.add(f"{shown('.'.join(path), limit=120)} names more than {ITEMS_MAX} places.", *path)
            return []
        return value

    def _parse(self, parse: Callable[[str], T], text: str, *path: str, word: str = "") -> T | None:
        try:
            return parse(text)
        except UsageError as error:
            self._problems.add(f"{shown(error.message, limit=200)} {shown(error.hint, limit=200)}", *path, word=word)
            return None


def _id_of(key: str) -> Any:
    try:
        return package_id(key)
    except UsageError:
        return None
