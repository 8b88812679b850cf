"""Addresses of pages with the names of a made-up estate in them, for tests and benchmarks that go through every page there is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from haulage.console.frame.page import Page

NAMES = {
    "package": "HQ100003",
    "id": "HQ100003",
    "version": "1",
    "number": "1",
    "site": "L01",
    "code": "L01",
    "place": "L01",
    "article": "HLG2328",
    "fix": "Q316316",
    "message": "1",
    "point": "SHOP",
    "name": "SHOP",
    "user": "ada",
    "token": "1f0c2b7d",
}
"""What stands for each part of an address, in every size of estate."""

INSTEAD = {"/status/numbers/": {"number": "2328"}, "/groups/": {"name": "shops"}}
"""Where a part of an address is another one: by how the address begins."""

QUESTIONS = {
    "/packages/{id}/diff": "?from=1&to=2",
    "/packages/{id}/rollback": "?version=1",
    "/find": "?q=till",
    "/transfers/files": "?package=HQ100003&place=L01/SHOP",
}
"""Pages that make sense only with a question."""

ABSENT = {"/fixes/{fix}"}
"""Pages about what a made-up estate has none of."""


def addresses(pages: Sequence[Page]) -> Iterator[tuple[Page, str]]:
    """Every page with an address at which there is something. Raises KeyError for a part of an address nobody gave a name to."""
    for page in pages:
        if page.path not in ABSENT:
            yield page, address(page)


def address(page: Page) -> str:
    """One page's."""
    begins = next((names for start, names in INSTEAD.items() if page.path.startswith(start)), {})
    names = NAMES | begins
    path = re.sub(r"\{(\w+)(:\w+)?\}", lambda found: names[found[1]], page.path)
    return path + QUESTIONS.get(page.path, "")
