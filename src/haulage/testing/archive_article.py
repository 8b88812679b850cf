"""Articles of our own making in the forms of the KnowledgeBase Archive, for tests, fuzzing and measurements."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

WIDTH = 80
NOTICE = "THE INFORMATION PROVIDED IN THIS SAMPLE IS\nMADE UP.\n\nCopyright Microsoft Corporation 2002."
PRODUCTS = ("Haulage Demonstration Press versions 2.0 SP3, 2.0 SP4 ",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveArticle:
    """What an article says; how it is written is the matter of :meth:`as_text` and :meth:`as_web`. Text of sections is wrapped
    unless a line starts with a space."""

    id: str = "Q500001"
    title: str = "Press: The Press Stops With Error 998"
    date: str = "06-AUG-2002"
    tag: str = "sms"
    product: str = "Haulage Demonstration Press"
    versions: str = ":2.0 SP3,2.0 SP4"
    systems: str = ""
    header_keywords: str | None = None
    keywords: str = "kbPress kbpressSP4fix"
    technology: str = "kbPressSearch kbPress200SP3"
    products: Sequence[str] = PRODUCTS
    phrase: str = "The information in this article applies to:"
    sections: Mapping[str, str] = field(default_factory=lambda: {"SYMPTOMS": "The press stops."})
    query_words: str = "prodpress"
    type: str = "kbbug"
    solution: str = "kbfix"
    fields: Mapping[str, str] = field(default_factory=dict)
    notice: str = NOTICE

    def as_text(self) -> bytes:
        """The text form: header fields, CRLF, cp1252."""
        header = [
            f"DOCUMENT:{self.id}  {self.date}  [{self.tag}]",
            f"TITLE   :{self.title}",
            f"PRODUCT :{self.product}",
            f"PROD/VER:{self.versions}",
            f"OPER/SYS:{self.systems}",
            f"KEYWORDS:{self.keywords if self.header_keywords is None else self.header_keywords}",
            "",
            "=" * 70,
        ]
        return _bytes([*header, *self._body(3)])

    def as_web(self) -> bytes:
        """The web form, as the text of its page: banner, title, fields, LF."""
        header = [
            "KnowledgeBase Archive",
            "",
            "An Archive of Early Microsoft KnowledgeBase Articles",
            "",
            "View on GitHub",
            "",
            f"{self.id}: {self.title}",
            "",
            f"Article: {self.id}",
            f"Product(s): {self.product}",
            f"Version(s): {self.versions.lstrip(':')}",
            f"Operating System(s): {self.systems}",
            f"Keyword(s): {self.keywords if self.header_keywords is None else self.header_keywords}",
            f"Last Modified: {self.date}",
            "",
        ]
        return _bytes([*header, *self._body(2)]).replace(b"\r\n", b"\n")

    def _body(self, indent: int) -> list[str]:
        lines = ["-" * 79, *([self.phrase] if self.phrase else []), "", *(f" - {one}" for one in self.products), "-" * 79, ""]
        for heading, text in self.sections.items():
            if heading:
                mark = "-" if heading.startswith("- ") else "="
                plain = heading.removeprefix("- ")
                lines += [plain, mark * len(plain), ""]
            lines += [*_wrapped(text, indent), ""]
        if self.query_words:
            lines += [f"Additional query words: {self.query_words}", ""]
        footer = {
            "Keywords": self.keywords,
            "Technology": self.technology,
            "Version": self.versions,
            "Issue type": self.type,
            "Solution Type": self.solution,
            **self.fields,
        }
        lines += ["=" * 70, *(f"{name:<18}: {value}" for name, value in footer.items() if value), "", "=" * 77, ""]
        return [*lines, *self.notice.split("\n")]


def _wrapped(text: str, indent: int) -> list[str]:
    """Paragraphs wrapped as the archive wraps them; lines that start with a space keep their shape, at this form's indent."""
    found: list[str] = []
    for line in text.split("\n"):
        if line.startswith("   "):
            found.append(" " * (indent - 3) + line if indent >= 3 else line[3 - indent :])
        else:
            found += textwrap.wrap(line, WIDTH) or [""]
    return found


def _bytes(lines: list[str]) -> bytes:
    return "\r\n".join(lines).encode("cp1252", "backslashreplace")
