"""Service levels of a product as articles name them: a version with its service pack or rollup. Pure."""

from __future__ import annotations

import functools
import re

import msgspec

OWN = "SMS"
"""How the product most of the archive's fixes are for is called within a sentence; other names stay as written."""

_SPELLINGS = (
    (re.compile(r"\bU\.\s?S\.|\bUS\b"), ""),
    (re.compile(r"\bMicrosoft\b|\b(?:English|French|German|Japanese|Dutch)(?:-language)?\b"), ""),
    (re.compile(r"\bSystems Man?agement Server\b"), OWN),
    (re.compile(r"\((?:SMS|HRP|SP[0-9])\)"), ""),
    (re.compile(r"\b[Ss]ervice [Pp]acks?\b"), "SP"),
    (re.compile(r"\bHotfix Rollup(?: Package)?\b"), "HRP"),
    (re.compile(r"\b[Vv]ersions?\b|,|\bpost-"), ""),
    (re.compile(r"\s+"), " "),
    (re.compile(r"SP SP"), "SP"),
)
_VERSION = r"(?P<version>[0-9]{1,2}\.[0-9]{1,2}|2000)(?![0-9.]*[0-9])"
_PRODUCT = r"(?P<product>(?:[A-Z][A-Za-z]*(?: NT)? ){1,3})"
_LATEST = re.compile(
    rf"\b(?:latest|next) (?:{_PRODUCT}?(?P<before>[0-9]\.[0-9]{{1,2}}) |{OWN} )?SP(?! ?[0-9])"
    r"(?: for (?P<for>[A-Z][A-Za-z ]*?)(?: (?P<after>[0-9]\.[0-9]{1,2}))?(?= ?(?:[.;:]|$)| [a-z]))?"
)
_LEVEL = re.compile(rf"{_PRODUCT}?\b{_VERSION}(?: (?:with |- )?(?:ICP[0-9] )?SP ?(?P<pack>[0-9])(?P<rollup> HRP)?)?")
_PACK = re.compile(
    r"(?P<product>Windows NT |Windows |SQL Server )?\bSP ?(?P<pack>[0-9])\b(?P<rollup> HRP)?"
    rf"(?: for {OWN} (?P<version>[0-9]\.[0-9]))?"
)
_ROLLUP = re.compile(r"\bHRP\b")
_NOT_PRODUCTS = ("The ", "In ", "This ", "SP ", "For ", "If ", "Apply ")


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """A level of a product: ``2.0``, ``2.0 SP4``, ``2.0 SP4 HRP``. Any part may be unknown."""

    product: str = ""
    """"" where the sentence names none but the usual one."""
    version: str = ""
    pack: int | None = None
    rollup: bool = False
    latest: bool = False
    """"The latest service pack": which one that was, the article does not say."""

    def __str__(self) -> str:
        words = (self.product, self.version, f"SP{self.pack}" if self.pack else "", "HRP" if self.rollup else "")
        return " ".join(word for word in (*words, "latest service pack" if self.latest else "") if word)


@functools.lru_cache(maxsize=2048)
def levels_in(text: str) -> tuple[Level, ...]:
    """Every level named in ``text`` in order, each once. A pack or rollup without a version takes the version named first; what a
    more precise one of the same text says too is left out. Articles say the same things very often, so answers are remembered."""
    for pattern, spelling in _SPELLINGS:
        text = pattern.sub(spelling, text)
    found: dict[int, Level] = {}
    for match in _LATEST.finditer(text):
        product = _product(match["product"] or match["for"])
        found[match.start()] = Level(product=product, version=match["before"] or match["after"] or "", latest=True)
    text = _LATEST.sub(lambda match: " " * len(match[0]), text)
    for match in _LEVEL.finditer(text):
        found[match.start()] = Level(
            product=_product(match["product"]),
            version=match["version"],
            pack=int(match["pack"]) if match["pack"] else None,
            rollup=match["rollup"] is not None,
        )
    text = _LEVEL.sub(lambda match: " " * len(match[0]), text)
    version = next((one.version for one in found.values() if one.version and not one.product), "")
    for match in _PACK.finditer(text):
        product = _product(match["product"])
        given = match["version"] or ("" if product else version)
        found[match.start()] = Level(product=product, version=given, pack=int(match["pack"]), rollup=match["rollup"] is not None)
    text = _PACK.sub(lambda match: " " * len(match[0]), text)
    packed = next((one for one in found.values() if one.pack and one.rollup), Level(version=version, rollup=True))
    found.update((match.start(), packed) for match in _ROLLUP.finditer(text))
    return _precise([found[at] for at in sorted(found)])


def level_in(text: str) -> Level | None:
    """The level a sentence is about: the most precise one named, the first of equals; None without one."""
    return max(levels_in(text), key=lambda level: (level.rollup, level.pack is not None, level.latest), default=None)


def _product(words: str | None) -> str:
    """The product's name without what merely stands before it; "" for the usual one."""
    name = (words or "").strip()
    for start in _NOT_PRODUCTS:
        name = name.removeprefix(start)
    return "" if name in (OWN, "The", "In", "This", "Version", "SP", "For") else name


def _precise(levels: list[Level]) -> tuple[Level, ...]:
    """Each once, without the bare versions of which a pack is named as well."""
    packed = {(one.product, one.version) for one in levels if one.pack}
    return tuple(
        dict.fromkeys(one for one in levels if one.pack or one.rollup or one.latest or (one.product, one.version) not in packed)
    )
