"""Status messages about the knowledge base: imports and the index (700 to 719), and what a person asked for (30060 to 30069)."""

from __future__ import annotations

from haulage.engine.status.message import Component, Message, MessageType, Severity

ARTICLES_IMPORTED = Message(
    number=700,
    name="articles-imported",
    severity=Severity.INFORMATION,
    type=MessageType.MILESTONE,
    component=Component.KNOWLEDGE,
    text="{articles} articles were imported from {source}: {added} new, {changed} changed, {unchanged} as they were; {refused} "
    "of {files} files refused.",
    cause="The import that somebody asked for has ended. Sites below get what is new with the definitions.",
    remedy="Nothing to do. haulage kb imports NUMBER shows what was refused and what was odd, and why.",
)
ARTICLES_IMPORT_FAILED = Message(
    number=701,
    name="articles-import-failed",
    severity=Severity.ERROR,
    type=MessageType.MILESTONE,
    component=Component.KNOWLEDGE,
    text="The import of articles from {source} ended after {articles} of them ({cause}).",
    cause="The folder or archive could not be read to its end, or the site could not write. What was taken in before stays.",
    remedy="Mend what the cause names and import it again: articles that are there count as unchanged.",
)
INDEX_MADE_ANEW = Message(
    number=702,
    name="article-index-made-anew",
    severity=Severity.WARNING,
    type=MessageType.DETAIL,
    component=Component.KNOWLEDGE,
    text="The index of articles could not be used and is made from the shelves again ({cause}).",
    cause="Its files were damaged, or made by another version. The articles themselves are in the database and are whole.",
    remedy="Nothing to do. Searching finds more and more again, within minutes everything.",
)
ARTICLE_UNREADABLE = Message(
    number=703,
    name="article-unreadable",
    severity=Severity.WARNING,
    type=MessageType.DETAIL,
    component=Component.KNOWLEDGE,
    text="Article {article} of {owner} cannot be read here and is not searched ({cause}).",
    cause="It was taken in by a site whose Haulage reads more forms of articles than this one, or reads them differently.",
    remedy="Update Haulage at this site. The article is kept, and told to sites below, as it came.",
)
IMPORT_ASKED = Message(
    number=30060,
    name="articles-import-asked",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} asked to import articles from {source}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do. 700 or 701 follows.",
)
ARTICLE_REMOVED = Message(
    number=30061,
    name="article-removed",
    severity=Severity.INFORMATION,
    type=MessageType.AUDIT,
    component=Component.OPERATIONS,
    text="{actor} removed article {article}.",
    cause="The named person or token asked for it.",
    remedy="Nothing to do. It goes at every site below, too; another site's article of the same id is shown again.",
)

MESSAGES = (ARTICLES_IMPORTED, ARTICLES_IMPORT_FAILED, INDEX_MADE_ANEW, ARTICLE_UNREADABLE, IMPORT_ASKED, ARTICLE_REMOVED)
