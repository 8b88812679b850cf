"""Identifiers: their types, their grammar, and nothing else. Every entry path (CLI, API, message) parses through here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NewType

from haulage.base.errors import UsageError

SiteCode = NewType("SiteCode", str)
PackageId = NewType("PackageId", str)
VersionNumber = NewType("VersionNumber", int)
Place = NewType("Place", str)
"""``CODE`` (a site: its store and built-in HTTP point) or ``CODE/POINT``."""
GroupName = NewType("GroupName", str)
"""What a group of places is called, without the ``@`` by which it is told from a place."""

NO_VERSION = VersionNumber(0)

_SITE = re.compile(r"[A-Z0-9]{3}")
_PACKAGE = re.compile(r"[A-Z0-9]{3}[0-9A-F]{5}")
_POINT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_GROUP = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
GROUP_MARK = "@"


def site_code(text: str) -> SiteCode:
    """Parse a site code: 3 upper-case letters or digits."""
    if not _SITE.fullmatch(text):
        raise UsageError("bad-site-code", f"{text!r} is not a site code.", "Use 3 upper-case letters or digits, such as HQ1.")
    return SiteCode(text)


def package_id(text: str) -> PackageId:
    """Parse a package id: site code of the owner + 5 hexadecimal digits, such as HQ100042."""
    if not _PACKAGE.fullmatch(text):
        raise UsageError(
            "bad-package-id",
            f"{text!r} is not a package id.",
            "A package id is the owner's site code and 5 hexadecimal digits, such as HQ100042.",
        )
    return PackageId(text)


def make_package_id(owner: SiteCode, counter: int) -> PackageId:
    """The id of the ``counter``-th package of ``owner``; ids are never reused."""
    if not 0 < counter <= 0xFFFFF:
        raise UsageError("package-ids-used-up", f"Site {owner} has used all of its package ids.", "Add a site.")
    return PackageId(f"{owner}{counter:05X}")


def owner_of(package: PackageId) -> SiteCode:
    """The site that owns a package."""
    return SiteCode(package[:3])


def version_ref(text: str) -> tuple[PackageId, VersionNumber | None]:
    """Parse ``ID`` or ``ID:VERSION``."""
    name, colon, number = text.partition(":")
    if not colon:
        return package_id(name), None
    if not re.fullmatch(r"[1-9][0-9]{0,8}", number):
        raise UsageError("bad-version", f"{text!r} is not a version.", "Write it as ID:NUMBER, such as HQ100042:7.")
    return package_id(name), VersionNumber(int(number))


def point_name(text: str) -> str:
    """Parse the name of a distribution point."""
    if not _POINT.fullmatch(text):
        raise UsageError(
            "bad-point-name",
            f"{text!r} is not a point name.",
            "Use up to 63 letters, digits, dots, dashes and underscores, starting with a letter or digit.",
        )
    return text


def place(text: str) -> Place:
    """Parse a place: ``CODE`` or ``CODE/POINT``."""
    code, slash, name = text.partition("/")
    site_code(code)
    if slash:
        point_name(name)
    return Place(text)


def make_place(site: SiteCode, point: str | None = None) -> Place:
    """The place of a site, or of one of its points."""
    return Place(f"{site}/{point}") if point else Place(site)


def site_of(where: Place) -> SiteCode:
    """The site whose server acts for this place."""
    return SiteCode(where[:3])


def is_point(where: Place) -> bool:
    """Whether the place is a distribution point rather than a site itself."""
    return "/" in where


def group_name(text: str) -> GroupName:
    """Parse the name of a group of places, with or without its ``@``. Small ASCII letters only, so that no two names look alike."""
    name = text.removeprefix(GROUP_MARK)
    if not _GROUP.fullmatch(name):
        small = name.lower()
        hint = f"Write it in small letters: {small}." if _GROUP.fullmatch(small) else "Use up to 63 of a to z, 0 to 9 and dashes."
        raise UsageError("bad-group-name", f"{text!r} is not the name of a group.", hint)
    return GroupName(name)


def is_group(text: str) -> bool:
    """Whether a word that stands for places is a group."""
    return text.startswith(GROUP_MARK)


def place_or_group(text: str) -> str:
    """Parse a place or ``@GROUP``; returns it as it is written."""
    return f"{GROUP_MARK}{group_name(text)}" if is_group(text) else place(text)


def parted(words: Iterable[str]) -> tuple[list[Place], list[GroupName]]:
    """Parse words each of which is a place or ``@GROUP``."""
    listed = list(words)
    return [place(word) for word in listed if not is_group(word)], [group_name(word) for word in listed if is_group(word)]
