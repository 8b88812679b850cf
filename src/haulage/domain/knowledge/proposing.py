"""What an article's text says of its fix, put together for a person to confirm. Nothing follows from it before that."""

from __future__ import annotations

import re
from dataclasses import dataclass

from haulage.base.errors import ConflictError
from haulage.base.ids import SiteCode
from haulage.domain.fixes.model import FixFile
from haulage.domain.knowledge import records
from haulage.domain.knowledge.model import Relation
from haulage.domain.knowledge.taking import foremost, precedence, reading_of, require_article, sources
from haulage.engine.articles.proposals import is_fix, propose
from haulage.engine.database.transaction import Transaction

_FIX = re.compile(r"[A-Z][A-Z0-9-]{1,31}")
EVIDENCE_CHARACTERS = 4000
VERSION_CHARACTERS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A fix as text tells of it."""

    fix: str
    title: str
    article: str
    evidence: str
    supersedes: tuple[str, ...]
    contains: tuple[str, ...]
    requires: tuple[str, ...]
    files: tuple[FixFile, ...]
    open_questions: tuple[str, ...]


def proposal_for(tx: Transaction, code: SiteCode, article: str) -> Proposal:
    """The proposal for an article, from its own text and from what articles that name it say. Raises ConflictError ``no-fix``."""
    row = require_article(tx, code, article)
    others = {one.article for one in records.relations_to(tx, article, 200) if one.relation is not Relation.REFERENCE}
    chosen = foremost(records.articles_of(tx, others), precedence(tx, code))
    read = {one.id: reading_of(source) for one, source in sources(tx, [row, *chosen.values()])}
    mine = read[article]
    said = [statement for reading in read.values() for statement in reading.statements]
    if not is_fix(mine.article, mine.tables, said):
        raise ConflictError(
            "no-fix", f"The article {article} tells of nothing that can be installed.", f"haulage kb graph {article}"
        )
    found = propose(mine.article, mine.tables, said)
    sentences = dict.fromkeys(f"{one.said_by}: {' '.join(one.sentence.split())}" for one in found.evidence)
    return Proposal(
        fix=article,
        title=found.title,
        article=article,
        evidence="\n".join(sentences)[:EVIDENCE_CHARACTERS],
        supersedes=_fixes(found.supersedes, article),
        contains=_fixes(found.contains, article),
        requires=_fixes(found.requires, article),
        files=tuple(
            FixFile(
                path=file.name[:1024],
                version=(file.version or "")[:VERSION_CHARACTERS],
                bytes=file.size_bytes or 0,
                platform=file.platform[:VERSION_CHARACTERS],
            )
            for table in found.tables
            for file in table.files
        ),
        open_questions=found.open_questions,
    )


def proposal_view(proposal: Proposal) -> dict[str, object]:
    """As it is shown to who decides."""
    return {
        "id": proposal.fix,
        "title": proposal.title,
        "article": proposal.article,
        "supersedes": list(proposal.supersedes),
        "contains": list(proposal.contains),
        "requires": list(proposal.requires),
        "files": [
            {"path": file.path, "version": file.version, "bytes": file.bytes, "platform": file.platform} for file in proposal.files
        ],
        "evidence": proposal.evidence.split("\n") if proposal.evidence else [],
        "open_questions": list(proposal.open_questions),
    }


def _fixes(names: tuple[str, ...], own: str) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys(names) if _FIX.fullmatch(name) and name != own)
