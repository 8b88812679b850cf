"""Where a site's articles come from and where their index is: its kind, what was uploaded, what comes with Haulage."""

from __future__ import annotations

import contextlib
import importlib.resources
import os
import secrets

from haulage.base.errors import NotAllowedError, NotFoundError, UsageError
from haulage.base.files import make_folder, remove_durable, remove_tree, write_durable
from haulage.domain.knowledge.model import Stocked
from haulage.domain.knowledge.shelving import stocked
from haulage.engine.articles.article import Form
from haulage.engine.search.model import SearchIndex
from haulage.engine.search.tantivy_index import TantivyIndex
from haulage.server.core import SiteCore
from haulage.wiring.home import Home
from haulage.wiring.sources import refuse_unnamed

INDEX = "index"
UPLOADS = "uploads"


class LocalIndexes:
    """The index of a home, in a folder of its own beside the database."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def open(self) -> SearchIndex:
        """What is there, or an empty one."""
        make_folder(self._folder, mode=0o700)
        return TantivyIndex(self._folder)

    def discard(self) -> None:
        """All of it."""
        with contextlib.suppress(FileNotFoundError):
            remove_tree(self._folder)


class Uploads:
    """Files that were handed over HTTP, until somebody has read them."""

    def __init__(self, home: Home) -> None:
        self._folder = home.file(UPLOADS)

    def keep(self, data: bytes) -> str:
        """Write an uploaded file; returns its path."""
        make_folder(self._folder, mode=0o700)
        path = os.path.join(self._folder, secrets.token_hex(16))
        write_durable(path, data, mode=0o600)
        return path

    def drop(self, path: str) -> None:
        """It is not needed any more."""
        if os.path.dirname(path) == self._folder:
            remove_durable(path)

    def clear(self, wanted: set[str]) -> None:
        """Remove what nobody will read: the server was killed between writing it and writing down what for."""
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self._folder):
                if os.path.join(self._folder, name) not in wanted:
                    remove_durable(os.path.join(self._folder, name))


def wanted_uploads(core: SiteCore) -> set[str]:
    """Uploaded files that an import has still to read."""
    with core.database.reading() as tx:
        return {one.spool for one in core.importer.due(tx)}


def check_importable(path: str, allowed: tuple[str, ...], home: str) -> None:
    """Whether somebody may have a path on this machine read. Raises UsageError ``bad-source``, NotFoundError ``no-such-source``,
    NotAllowedError ``source-not-allowed``."""
    if not path.startswith("/"):
        raise UsageError(
            "bad-source", f"{path!r} is not an absolute path on the server.", "Write it from / on, or upload the file."
        )
    real = os.path.realpath(path)
    if not os.path.exists(real):
        raise NotFoundError("no-such-source", f"There is nothing at {path} on the server.", "Check the path, or upload the file.")
    tops = [os.path.realpath(top) for top in allowed]
    inside_home = os.path.commonpath([os.path.realpath(home), real]) == os.path.realpath(home)
    if inside_home or (tops and not any(os.path.commonpath([top, real]) == top for top in tops)):
        raise NotAllowedError(
            "source-not-allowed",
            f"{path} lies in the home of this site, or outside the folders that [capture] allowed names.",
            "Copy it elsewhere, or upload the file.",
        )


def check_importable_from_afar(path: str, allowed: tuple[str, ...], home: str) -> None:
    """The same for whoever is not the local administrator."""
    refuse_unnamed(allowed)
    check_importable(path, allowed, home)


def product_articles() -> dict[str, Stocked]:
    """The articles that come with this version of Haulage, by id."""
    folder = importlib.resources.files("haulage.articles")
    found = {}
    for one in sorted(folder.iterdir(), key=lambda one: one.name):
        if one.name.endswith(".md"):
            article = one.name.removesuffix(".md")
            found[article] = stocked(article, Form.MARKDOWN.value, one.name, one.read_bytes())
    return found
