"""Sentences on which fix contains, lacks or replaces which, and what a problem was first corrected in. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from haulage.engine.articles.article import SectionKind
from haulage.engine.articles.levels import levels_in
from haulage.engine.articles.references import named_in
from haulage.engine.articles.sentences import Sentence
from haulage.engine.articles.statement import Statement, StatementKind
from haulage.engine.articles.wording import FIX, ID, SELF, Reader, Turn, ends

_HAS = r"(?:contains?|includes?|fixes|resolves|corrects|addresses)"
_OTHER_HAS_OURS = Turn(rf"\b{FIX}\b", rf"{ID}|\bthat article\b", rf"\b{_HAS}\b", SELF)
_WE_HAVE_OTHERS = re.compile(
    rf"\b(?:this {FIX}|(?:in|for) this article|(?P<own>[Qq][0-9]{{5,6}}))(?: {FIX})? (?:also {_HAS}|includes the {FIX})\b",
    re.IGNORECASE,
)
_SOLVED_IN = Turn(SELF, r"\b(?:resolved|corrected|fixed|addressed|included) (?:in|by|with)\b")
_WHOLE = re.compile(
    rf"\bcontents of this consolidated fix\b|\babout this hotfix bundle\b|^the {FIX} was included with the [\w ]{{0,60}}bundle\b",
    re.IGNORECASE,
)
_PACKAGED = re.compile(rf"\b{FIX}\b|\bbundle\b|\bpackage\b", re.IGNORECASE)
_CUMULATIVE = re.compile(r"\bcontains the (?:hot)?fixes that (?:are|were) included (?:with|in)\b", re.IGNORECASE)
_TAKE_OTHER = re.compile(rf"\b(?:install|apply|obtain|use) (?:the|this) (?:[\w.-]+ ){{0,3}}?{FIX}\b", re.IGNORECASE)
_AIM = re.compile(r"\bto (?:resolve|correct|work around)\b|\brecommends that you\b", re.IGNORECASE)
_INSTEAD = re.compile(r"\bHowever\b|\binstead\b", re.IGNORECASE)
_BOTH = re.compile(r"\balso (?:obtain|install|apply)\b", re.IGNORECASE)
_IN_LEVEL = Turn(rf"\b{FIX}\b|\bproblem\b", r"\b(?:is|are) (not )?(?:also )?(?:included|contained|fixed) in\b")
_ON_MEDIUM = re.compile(r"\b(?:folder|directory|CD|CD-ROM|compact disc|download)\b", re.IGNORECASE)
_GONE = re.compile(r"\bsuper[cs]e+d+ed\b|\bno longer available\b|\bhas been replaced\b", re.IGNORECASE)
_CORRECTED = Turn(
    r"\b(?:problem|issue|bug|error|behaviou?r|this|it|symptom)s?\b",
    r"\b(?:was|has been|have been|is|were) (?:first )?(?:corrected|fixed|resolved) in\b",
)
_OURS = re.compile(SELF, re.IGNORECASE)
_ANY_FIX = re.compile(rf"\b{FIX}\b", re.IGNORECASE)
_EXCEPTION = re.compile(r",? but\b.*", re.IGNORECASE)
_SENT_FROM = (SectionKind.RESOLUTION, SectionKind.WORKAROUND, SectionKind.STATUS, SectionKind.OPENING)


def containment(reader: Reader, sentence: Sentence) -> Iterator[Statement]:
    """What the sentence says of these four kinds."""
    text = sentence.text
    others = reader.others(sentence)
    if "that article" in text and not others:
        others = ends(reader.last_listed[-1:])
    ours = _WE_HAVE_OTHERS.search(text)
    cumulative = _CUMULATIVE.search(text)
    if _GONE.search(text):
        yield from _gone(reader, sentence)
    elif cumulative is not None:
        yield from _cumulative(reader, sentence, text[: cumulative.start()], text[cumulative.end() :])
    elif others and ours is not None and (ours["own"] or reader.own).upper() == reader.own:
        yield from reader.says(StatementKind.CONTAINS, [reader.us], others, sentence)
    elif others and _OTHER_HAS_OURS(text):
        yield from reader.says(StatementKind.CONTAINS, others[:1], [reader.us], sentence)
        if "vice versa" in text:
            yield from reader.says(StatementKind.CONTAINS, [reader.us], others[:1], sentence)
    elif others and _solved(text):
        yield from reader.says(StatementKind.CONTAINS, others[:1], [reader.us], sentence)
    elif others and _taken_instead(sentence):
        kind = StatementKind.REPLACES if _INSTEAD.search(text) else StatementKind.CONTAINS
        yield from reader.says(kind, others[:1], [reader.us], sentence)
    else:
        yield from _in_level(reader, sentence)


def _gone(reader: Reader, sentence: Sentence) -> Iterator[Statement]:
    """As in: … are superseded by the hotfix for Q…: those named before, or those listed last, by the one named after."""
    before, by, after = sentence.text.rpartition(" by ")
    if not by or not named_in(after):
        return
    gone = ends(named_in(before)) or ends(reader.last_listed) or (reader.us,)
    yield from reader.says(StatementKind.REPLACES, ends(named_in(after)[:1]), gone, sentence)


def _cumulative(reader: Reader, sentence: Sentence, what: str, need: str) -> Iterator[Statement]:
    """As in: SP4 is cumulative, it contains the fixes that are included with SP1, SP2 and SP3."""
    own = [level for level in levels_in(what) if level.pack][:1]
    below = [level for level in levels_in(need) if level.pack]
    yield from reader.says(StatementKind.CONTAINS, map(reader.at, own), map(reader.at, below), sentence)


def _solved(text: str) -> bool:
    if _WHOLE.search(text):
        return True
    found = _SOLVED_IN.find(text)
    if found is None or "variation" in text[: found[1].start()]:
        return False
    return _PACKAGED.search(text, found[1].end()) is not None


def _taken_instead(sentence: Sentence) -> bool:
    """Whether a sentence sends to another article's fix to solve this one's problem."""
    text = sentence.text
    if sentence.section not in _SENT_FROM or _BOTH.search(text):
        return False
    return bool(_TAKE_OTHER.search(text) and _AIM.search(text))


def _in_level(reader: Reader, sentence: Sentence) -> Iterator[Statement]:
    """As in: the fixes for Q… are (not) included in the rollup; this problem was first corrected in …."""
    found = _IN_LEVEL.find(sentence.text)
    if found is not None:
        what, where = sentence.text[: found[1].start()], sentence.text[found[1].end() :]
        kind = StatementKind.LACKS if found[1][1] else StatementKind.CONTAINS
        said = list(_included(reader, sentence, kind, what, where))
        if said:
            yield from said
            return
    corrected = _CORRECTED.find(sentence.text)
    if corrected is not None:
        where = sentence.text[corrected[1].end() :]
        first = () if named_in(where) else levels_in(_EXCEPTION.sub("", where))[:1]
        yield from reader.says(StatementKind.FIRST_CORRECTED, [reader.at(level) for level in first], [reader.us], sentence)


def _included(reader: Reader, sentence: Sentence, kind: StatementKind, what: str, where: str) -> Iterator[Statement]:
    """``what`` names the fixes, or means this article's; ``where`` names a service pack or rollup first. Of a problem "fixed in" a
    service pack one says that it was first corrected there."""
    levels = [level for level in levels_in(_EXCEPTION.sub("", where)) if level.pack or level.rollup][:1]
    named = named_in(what)
    ours = re.search(SELF, what, re.IGNORECASE) and (
        re.search(rf"\b{FIX}\b", what, re.IGNORECASE) or any(one.rollup for one in levels)
    )
    if (named or ours) and not _ON_MEDIUM.search(where):
        yield from reader.says(kind, map(reader.at, levels), ends(named) or [reader.us], sentence)
