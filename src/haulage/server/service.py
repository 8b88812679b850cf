"""What the HTTP side of a running site works with. Chooses no implementation; whoever wires the program fills it in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from haulage.base.clock import Clock
from haulage.base.ids import SiteCode
from haulage.domain.catalog.looking import Folders
from haulage.domain.people.model import Caller
from haulage.domain.people.roles import Role
from haulage.engine.content.model import ChunkStore, ManifestId
from haulage.engine.servicing.trusted import TrustedKey
from haulage.engine.trust.requests import NonceCache
from haulage.operations.desk import Desk
from haulage.operations.fixes import Kept, Look
from haulage.server.backups import TakeBackup
from haulage.server.bells import Bells
from haulage.server.budget import Budget
from haulage.server.care import StoreCare
from haulage.server.core import SiteCore
from haulage.server.metrics import Metrics
from haulage.server.presence import Presence
from haulage.server.reception import Reception
from haulage.server.settings_told import SettingsTold
from haulage.server.store_acts import StoreActs
from haulage.server.telling.teller import Teller

View = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scraping:
    """Who may read figures besides an administrator."""

    local: bool = False
    """Whoever asks from this machine, without a token."""
    token_digest: str = ""
    """Of the token that is for this alone; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A running site, as its endpoints see it."""

    code: SiteCode
    core: SiteCore
    desk: Desk
    """For whoever asks; it names no path of this machine that the settings do not."""
    local_desk: Desk
    """For the local administrator, who may name any."""
    store: ChunkStore
    clock: Clock
    bells: Bells
    presence: Presence
    nonces: NonceCache
    reception: Reception
    """Who it is that asks."""
    settings: Callable[[Role], SettingsTold]
    """The settings, as somebody of a role is told of them."""
    root_document: bytes
    version: str
    home: str
    url: Callable[[], str]
    started: dt.datetime
    sign_time: Callable[[str], bytes]
    """The server's clock, signed for the nonce of a refused request."""
    extract: Callable[[ManifestId, str], View]
    """Write a tree into a new or empty folder and verify it there."""
    looking_only: Callable[[], AbstractContextManager[None]]
    """While open, this thread's operations leave no mark outside the database (dry runs)."""
    browse: Callable[[str], Folders]
    """The folders of this machine in one that a source may be chosen from."""
    care: StoreCare
    store_acts: StoreActs
    take_backup: TakeBackup
    findings: Callable[[], list[View]]
    """What is wrong with this server and what to do."""
    troubles: Callable[[], list[View]]
    """The same, as far as it is seen at once: without places, and without reading the database through."""
    keep_upload: Callable[[bytes], str]
    """Write an uploaded file; returns its path."""
    drop_upload: Callable[[str], None]
    stage_bundle: Callable[[str], AbstractContextManager[Kept]]
    """Copy a bundle aside and read it as data."""
    fix_keys: Callable[[], Sequence[TrustedKey]]
    """Signers of fixes this site trusts without being told."""
    assess: Look
    metrics: Metrics
    teller: Teller
    scraping: Scraping = field(default_factory=Scraping)
    refused_joins: Budget = field(default_factory=lambda: Budget(most=20, seconds=3600))
    """How many a person is told of: anybody can hand in a claim, and each message goes up the hierarchy."""
    feeds: dict[SiteCode, int] = field(default_factory=dict)
    """How many feeds each child has begun; only the newest counts. Touched in the event loop alone."""

    def desk_of(self, caller: Caller | None) -> Desk:
        """The desk for whoever asks."""
        return self.local_desk if caller is not None and caller.local else self.desk
