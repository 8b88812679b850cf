"""Backups of this site, taken while it runs."""

from __future__ import annotations

import msgspec

from haulage.server.backups import BackupOrder
from haulage.server.endpoint import Answer, Call, Endpoint, Permission


class BackupAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to, and how. The passphrase is used and not kept."""

    target: str
    passphrase: str = ""
    content: bool = False
    keep: int = 0
    dry_run: bool = False


def _take(call: Call) -> Answer:
    asked: BackupAsked = call.body
    order = BackupOrder(
        target=asked.target, passphrase=asked.passphrase, content=asked.content, keep=asked.keep, dry_run=asked.dry_run
    )
    return Answer(value=call.service.take_backup(order, call.actor), status=200 if asked.dry_run else 201)


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/api/v1/backups",
        permission=Permission.ADMIN,
        act=_take,
        body=BackupAsked,
        summary="Take a backup into a folder of this server, and prove it",
    ),
)
