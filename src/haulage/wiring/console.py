"""The console of a site put together: every page and every write there is."""

from __future__ import annotations

from haulage.console.app import Console
from haulage.console.frame.sessions import Sessions
from haulage.console.frame.sign_in import SIGN_IN_PAGE, sign_in_writes
from haulage.console.knowledge.diagnose import diagnose_page
from haulage.console.knowledge.fixes import fix_pages
from haulage.console.knowledge.library import SiteLibrary
from haulage.console.knowledge.reading import knowledge_pages
from haulage.console.pages.hierarchy import hierarchy_pages
from haulage.server.service import Service


def console_of(service: Service) -> Console:
    """The console; its sessions live as long as it does."""
    sessions = Sessions(service.clock)
    library = SiteLibrary(service.core)
    # Fixes before articles: their list has an address below /knowledge, too.
    pages = (SIGN_IN_PAGE, *fix_pages(service.core), *knowledge_pages(library), diagnose_page(library), *hierarchy_pages(service.core))
    return Console(service, sessions, pages, sign_in_writes(sessions))
