"""Sites and distribution points as values. Pure."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from haulage.base.ids import Place, SiteCode, site_of


class SiteStatus(enum.Enum):
    """Where a site stands in the hierarchy."""

    INVITED = "invited"
    JOINING = "joining"
    ACTIVE = "active"


SITE_STATUS_MEANING: dict[SiteStatus, str] = {
    SiteStatus.INVITED: "A join string was made; no server has used it yet.",
    SiteStatus.JOINING: "A server used the join string and is served by its parent; the central site has not signed it yet.",
    SiteStatus.ACTIVE: "Signed by the central site; its definitions and versions are believed everywhere.",
}


EPOCHS_PER_LIFE = 2**32
"""Epochs of one server: those of a later server of its code begin after so many. A restore takes the one of its second, so that
two restores from one backup do not share one."""
_EPOCHS_SINCE = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def epoch_of(life: int, moment: dt.datetime) -> int:
    """The epoch that a server of this life, restored at this moment, lies beyond. Order comes from what neighbours remember, not
    from this (I18): with a wrong clock the epoch merely rises once more."""
    seconds = int((moment - _EPOCHS_SINCE).total_seconds())
    return life * EPOCHS_PER_LIFE + min(max(seconds, 0), EPOCHS_PER_LIFE - 2**20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One site as this server knows it."""

    code: SiteCode
    name: str
    parent: SiteCode | None
    url: str
    key: str
    """Ed25519 public key, base64; empty until joined."""
    certificate: str
    """PEM of its server certificate; empty until signed."""
    status: SiteStatus
    life: int = 0
    """Which server of this code it is; rises with each removal and new invitation."""

    @property
    def first_epoch(self) -> int:
        """Its server begins with this epoch, beyond every one of the servers of its code before it."""
        return max(1, self.life * EPOCHS_PER_LIFE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One distribution point: a folder (later a share or bucket) that its site's server writes."""

    place: Place
    kind: str
    url: str
    owner: SiteCode
    options: dict[str, str]

    @property
    def site(self) -> SiteCode:
        """The site whose server writes it."""
        return site_of(self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this server is."""

    code: SiteCode
    parent: SiteCode | None
    epoch: int
    joined: dt.datetime
