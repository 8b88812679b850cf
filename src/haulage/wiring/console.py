"""The console of a site put together: every page and every write there is."""

from __future__ import annotations

from haulage.console.app import Console
from haulage.console.first_run.way import first_run_pages
from haulage.console.frame.page import Page, Write
from haulage.console.frame.sessions import Sessions
from haulage.console.frame.sign_in import SIGN_IN_PAGE, sign_in_writes
from haulage.console.knowledge.diagnose import diagnose_page
from haulage.console.knowledge.fixes import fix_pages
from haulage.console.knowledge.library import SiteLibrary
from haulage.console.knowledge.reading import knowledge_pages
from haulage.console.pages.api import api_pages
from haulage.console.pages.declared import declared_pages
from haulage.console.pages.find import find_page
from haulage.console.pages.groups import group_pages, group_writes
from haulage.console.pages.hierarchy import hierarchy_pages
from haulage.console.pages.matrix import matrix_pages
from haulage.console.pages.me import me_pages, me_writes
from haulage.console.pages.notifications import notification_pages, notification_writes
from haulage.console.pages.overview import overview_page
from haulage.console.pages.package import package_pages
from haulage.console.pages.package_acts import act_pages, act_writes
from haulage.console.pages.package_at import package_at_pages, package_at_writes
from haulage.console.pages.package_version import version_pages
from haulage.console.pages.packages import packages_pages, packages_writes
from haulage.console.pages.points import point_pages, point_writes
from haulage.console.pages.settings import settings_pages
from haulage.console.pages.sites import site_pages, site_writes
from haulage.console.pages.status import status_pages
from haulage.console.pages.store import store_pages, store_writes
from haulage.console.pages.tokens import token_pages, token_writes
from haulage.console.pages.transfers import transfer_pages, transfer_writes
from haulage.console.pages.users import user_pages, user_writes
from haulage.server.service import Service


def console_of(service: Service) -> Console:
    """The console; its sessions live as long as its database does."""
    sessions = Sessions(service.clock, service.core.database, service.reception.local_proof)
    return Console(service, sessions, pages_of(service), writes_of(service, sessions))


def pages_of(service: Service) -> tuple[Page, ...]:
    """Every page there is. An address that another one with a name in it would take for its own stands before that."""
    core = service.core
    library = SiteLibrary(core)
    return (
        SIGN_IN_PAGE,
        overview_page(service),
        find_page(core),
        *fix_pages(core),
        *knowledge_pages(library),
        diagnose_page(library),
        *packages_pages(core),
        *act_pages(core),
        *version_pages(core),
        *package_pages(core),
        *matrix_pages(core),
        *hierarchy_pages(core),
        *transfer_pages(core),
        *package_at_pages(core),
        *site_pages(core),
        *point_pages(core),
        *store_pages(core),
        *group_pages(),
        *declared_pages(),
        *api_pages(),
        *status_pages(core),
        *notification_pages(),
        *first_run_pages(),
        *settings_pages(),
        *user_pages(),
        *token_pages(),
        *me_pages(),
    )


def writes_of(service: Service, sessions: Sessions) -> tuple[Write, ...]:
    """Everything a person can do."""
    return (
        *sign_in_writes(sessions),
        *packages_writes(),
        *act_writes(service.core),
        *transfer_writes(service.core),
        *package_at_writes(service.core),
        *site_writes(service.core),
        *point_writes(service.core),
        *store_writes(service.core),
        *group_writes(),
        *notification_writes(),
        *user_writes(),
        *token_writes(),
        *me_writes(sessions),
    )
