"""What there is as a file that declares exactly that. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from json.encoder import encode_basestring

from haulage.base.errors import UsageError
from haulage.base.ids import SiteCode, package_id
from haulage.domain.declared.model import REMOVES, Kind, Present, PresentPackage
from haulage.domain.declared.reading import FORMAT

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 100


def declared_text(present: Present) -> str:
    """The file. Comparing it with what it was written from finds no difference."""
    return "".join(declared_parts(present))


def declared_parts(present: Present) -> Iterator[str]:
    """The file, block by block: whoever shows its beginning has no more of it written."""
    for number, block in enumerate(_blocks(present)):
        yield f"\n\n{block}" if number else block
    yield "\n"


def _blocks(present: Present) -> Iterator[str]:
    yield _head(present.code)
    below = [code for code in sorted(present.sites) if present.tree.is_within(code, present.code)]
    for code in below:
        site = present.sites[code]
        lines = [f"[sites.{code}]"]
        lines += [f"name = {_text(site.name)}"] if site.name else []
        lines += [f"parent = {_text(site.parent)}"] if site.parent else []
        yield "\n".join(lines)
    for where, point in sorted(present.points.items()):
        if point.owner == present.code:
            yield f"[points.{_text(where)}]\nurl = {_text(point.url)}"
    if present.groups:
        groups = [f"{name} = {_list(sorted(places))}" for name, places in sorted(present.groups.items())]
        yield "\n".join(["[groups]", *groups])
    names = Counter(package.name for package in present.packages.values())
    for package in sorted(present.packages.values(), key=lambda one: one.id):
        yield "\n".join(_package(package, by_name=names[package.name] == 1 and not _is_id(package.name)))


def _head(code: SiteCode) -> str:
    kinds = ", ".join(f'"{kind.value}"' for kind in Kind)
    remarks = [f"#   {kind.value}: {sentence}" for kind, sentence in REMOVES.items()]
    lines = [
        f"# What is declared at site {code}. haulage diff FILE compares, haulage apply FILE closes the gap.",
        f"format = {FORMAT}",
        "",
        "[manage]",
        "# What is not declared stays, unless its kind is named here. Sites are never removed.",
        f"# remove = [{kinds}]",
        *remarks,
        "remove = []",
    ]
    return "\n".join(lines)


def _package(package: PresentPackage, *, by_name: bool) -> list[str]:
    lines = [f"[packages.{_key(package.name) if by_name else package.id}]"]
    lines += [] if by_name else [f"name = {_text(package.name)}"]
    lines += [f"source = {_text(package.source)}"] if package.source else []
    lines += [f"streams = {_text(package.streams)}"]
    lines += [f"keep = {package.keep}"]
    lines += ["keep_special_bits = true"] if package.keep_special_bits else []
    return [*lines, f"to = {_list([*(f'@{name}' for name in sorted(package.groups)), *sorted(package.direct)])}"]


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    """A basic string of TOML: JSON's, with everything escaped that cannot be seen or turns the line. The value stays the same."""
    text = encode_basestring(value)
    return text if text.isprintable() else "".join(one if one.isprintable() else _escaped(one) for one in text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _list(words: Iterable[str]) -> str:
    """A list, in the order given."""
    listed = [_text(word) for word in words]
    line = f"[{', '.join(listed)}]"
    return line if len(line) <= _WIDTH else "[\n" + "".join(f"  {word},\n" for word in listed) + "]"


def _is_id(name: str) -> bool:
    try:
        return bool(package_id(name))
    except UsageError:
        return False
