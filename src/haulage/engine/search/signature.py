"""What a text (a log, a message, a trace) gives away: errors, message numbers, components, files, versions, articles. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from haulage.engine.search.asked import MOST_CHARACTERS
from haulage.engine.search.error_codes import NUMBERS, value_of

_MOST_EACH = 40
_MOST_LINES = 24
_MANY_LINES = 8
"""Of a longer text only the lines that complain are asked about."""

_CODE = r"-?[0-9]{1,10}(?![\w.])|0x[0-9a-f]{1,8}\b"
_AFTER_A_CUE = re.compile(
    r"\b(?:error|err|errno|win32|hresult|result|rc|returned|exit(?: code| status)?|exception(?: type)?|failed)"
    rf"(?:[ ]?(?:code|number|no\.?|type|status))?[ ]?[=:#(]{{0,2}}[ ]?\"?({_CODE})",
    re.IGNORECASE,
)
_RESULT = re.compile(r"\b0x[0-9a-f]{8}\b|(?<![\w.])-2147[0-9]{6}\b", re.IGNORECASE)
_NAME = re.compile(r"\b(?:ERROR|STATUS|E|WBEM_E|RPC_[ES]|CO_E|REGDB_E|DISP_E|EPT_S)_[A-Z0-9_]{2,40}\b")
_MESSAGE = re.compile(
    r"\b(?:message|event|status|number)\"?(?: (?:id|number|no\.?))?[ ]?[=:#]?[ ]?([0-9]{3,5})\b|\bHLG([0-9]{3,4})\b", re.IGNORECASE
)
_OWN_CODE = re.compile(r"\[([a-z][a-z0-9]{1,20}(?:-[a-z0-9]{1,20}){0,6})\]")
_COMPONENT = re.compile(r"\b[A-Z][A-Z0-9]{1,20}(?:_[A-Z0-9]{1,20}){1,5}\b")
_FILE = re.compile(
    r"(?<![\w.])[a-z0-9_~$-]{2,40}\.(?:exe|dll|sys|vxd|ocx|cpl|msc|msi|com|bat|cmd|ini|inf|log|mof|mif|nmf|raw|lkp|svf|pck|pdf|mdb|ldf|cfg|dat"
    r"|tmp|job|jcf|psd|clf|ddr|cab|ipf|rul|box|sql|py|so|conf|toml|json|db|pyz)\b",
    re.IGNORECASE,
)
_VERSION = re.compile(
    r"(?<![\w.])(?:[0-9]{1,3}\.[0-9]{1,5}(?:\.[0-9]{1,5}){0,2}|SP ?[1-9]|service pack [1-9])(?![\w.])", re.IGNORECASE
)
_ARTICLE = re.compile(r"\b(?:Q|KB ?)([0-9]{6})\b", re.IGNORECASE)

_OLD_TAIL = re.compile(r"~? ?\$\$<([^<>\n]{1,60})><[^<>\n]{1,90}><thread=[^<>\n]{1,40}>{0,2}")
_TRACE_TAIL = re.compile(r'\]LOG\]!><time="[^"\n]{0,40}" date="[^"\n]{0,40}" component="([^"\n]{0,80})"[^>\n]{0,200}>')
_VIEWED_TAIL = re.compile(
    r"(?<=\S)[ \t]{1,80}(\S{2,60})[ \t]{1,80}[0-9]{1,4}[/.-][0-9]{1,2}[/.-][0-9]{1,4}"
    r" [0-9:.]{5,12}(?: [AP]M)?[ \t]{1,80}[0-9]{1,9} \(0x[0-9A-F]{1,8}\)"
)
_TIME = re.compile(
    r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.,]{5,18}Z?(?:[+-][0-9:]{4,5})?)?"
    r"|\b[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,6})?(?: [AP]M)?"
)
_COMPLAINS = re.compile(
    r"error|fail|cannot|can't|could not|couldn't|unable|denied|exception|critical|fatal|abort|refused|corrupt|timed? ?out|not found"
    r"|missing|invalid|0x[0-9a-f]{8}|stuck|retry|traceback|violation",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The telling parts of a text, each once, in order of appearance."""

    errors: tuple[int, ...]
    """As :func:`~haulage.engine.search.error_codes.value_of` gives them, so that spellings do not matter."""
    messages: tuple[int, ...]
    codes: tuple[str, ...] = ()
    """``point-not-there``, as Haulage itself ends what it says of a failure."""
    components: tuple[str, ...]
    """``SMS_INBOX_MANAGER``."""
    files: tuple[str, ...]
    """Lower case, without folder."""
    versions: tuple[str, ...]
    """``2.0``, ``sp3``."""
    articles: tuple[str, ...]


def signature(text: str) -> Signature:
    """Of any text; what stands beyond 64 Ki characters is not read."""
    plain = cleaned(text)
    codes = [found[1] for found in _AFTER_A_CUE.finditer(plain)] + _RESULT.findall(plain)
    names = [name for name in _NAME.findall(plain) if name in NUMBERS]
    messages = [int(one or other) for one, other in _MESSAGE.findall(plain)]
    components = [name for name in _COMPONENT.findall(plain) if name not in NUMBERS]
    return Signature(
        errors=_once(number for code in (*codes, *names) if (number := value_of(code))),
        messages=_once(messages),
        codes=_once(_OWN_CODE.findall(plain)),
        components=_once(components),
        files=_once(name.lower() for name in _FILE.findall(plain)),
        versions=_once(version.lower().replace("service pack ", "sp").replace(" ", "") for version in _VERSION.findall(plain)),
        articles=_once(f"Q{number}" for number in _ARTICLE.findall(plain)),
    )


def cleaned(text: str) -> str:
    """A log without its times and threads; the components stay."""
    plain = text[:MOST_CHARACTERS]
    for tail in (_OLD_TAIL, _TRACE_TAIL, _VIEWED_TAIL):
        plain = tail.sub(r" \1 ", plain)
    return _TIME.sub(" ", plain.replace("<![LOG[", ""))


def complaint(text: str) -> str:
    """What to ask about: of a long text the lines that complain, each once; all of a short one."""
    lines = list(dict.fromkeys(line.strip() for line in cleaned(text).splitlines() if line.strip()))
    if len(lines) <= _MANY_LINES:
        return "\n".join(lines)
    telling = [line for line in lines if _COMPLAINS.search(line)]
    return "\n".join((telling or lines)[:_MOST_LINES])


T = TypeVar("T")


def _once(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))[:_MOST_EACH]
