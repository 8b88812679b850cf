"""Products and versions as articles write them: ``winnt:2.0,2.0 SP1`` in a header, ``… version 2.0`` in the list of what an article
applies to. Pure."""

from __future__ import annotations

import re

import msgspec

from haulage.engine.articles.article import Platform, Product

_VERSION_WORD = re.compile(r",?\s+\b(?:versions?|Versions?)\s+(?=[0-9.])")
_BARE_VERSION = re.compile(r"\s(?=v?[0-9]+\.[0-9][\w.]*$)")
_TAIL = re.compile(r",?\s*\b(?:used with|on platform\(s\)|with|running on):?\s*$", re.IGNORECASE)
_PART = re.compile(r"\s*,\s*|\s+and\s+")
_ITEM = re.compile(r"\s*- +(.*)")
_SYSTEM = re.compile(r"(?:the )?operating system:\s*", re.IGNORECASE)


def platforms(text: str) -> tuple[Platform, ...]:
    """What a header says of versions: ``plat:x,y``, ``:x,y``, ``a:x;b:y``, bare ``x``, or nothing."""
    found = []
    for part in text.split(";"):
        name, colon, versions = part.partition(":")
        if not colon:
            name, versions = "", part
        listed = tuple(one.strip() for one in versions.split(",") if one.strip())
        if listed or name.strip():
            found.append(Platform(name=name.strip(), versions=listed))
    return tuple(found)


def product(text: str) -> Product:
    """One line of what an article applies to: ``Microsoft Systems Management Server versions 2.0 SP3, 2.0 SP4``. A line that names
    no version is all name."""
    text = _TAIL.sub("", " ".join(text.split()))
    parts = _VERSION_WORD.split(text, 1)
    if len(parts) == 1:
        parts = _BARE_VERSION.split(text, 1)
    if len(parts) == 1:
        return Product(name=text.rstrip(" ,"))
    listed = tuple(one.strip(" ,") for one in _PART.split(parts[1]) if one.strip(" ,"))
    return Product(name=parts[0].rstrip(" ,"), versions=listed)


class Applies(msgspec.Struct, frozen=True, kw_only=True):
    """What the block under "applies to" says."""

    products: tuple[Product, ...]
    systems: tuple[str, ...]
    rest: tuple[str, ...]
    """Lines that are neither."""


def applies_to(lines: list[str]) -> Applies:
    """Read the lines between the rules, without the phrase. Items start with ``-``; an item of an operating system belongs to the
    product above; other lines go on with the item before them."""
    items: list[str] = []
    rest = []
    for line in lines:
        item = _ITEM.fullmatch(line)
        if item is not None:
            items.append(item[1].strip())
        elif line.strip() and items and line.startswith(" "):
            items[-1] += " " + line.strip()
        elif line.strip():
            rest.append(line)
    systems = tuple(_SYSTEM.sub("", item).strip() for item in items if _SYSTEM.match(item))
    products = tuple(product(item) for item in items if item and not _SYSTEM.match(item))
    return Applies(products=products, systems=systems, rest=tuple(rest))
