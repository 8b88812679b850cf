"""A backup of a home whose server does not run. Takes the home's lock, so that none starts meanwhile."""

from __future__ import annotations

from haulage.base.clock import SystemClock
from haulage.server.backups import BackupOrder
from haulage.wiring.backing_up import Backups
from haulage.wiring.home import HomeLock, load_home
from haulage.wiring.site import open_site

View = dict[str, object]


def back_up_home(path: str, *, target: str, passphrase: str, content: bool, keep: int, actor: str, dry_run: bool = False) -> View:
    """Take one; returns its figures. Raises like :meth:`Backups.take`, and ConflictError ``server-running``."""
    home = load_home(path)
    lock = HomeLock(home)
    try:
        opened = open_site(home, SystemClock())
        try:
            order = BackupOrder(target=target, passphrase=passphrase, content=content, keep=keep, dry_run=dry_run)
            return Backups(opened).take(order, actor)
        finally:
            opened.close()
    finally:
        lock.release()
