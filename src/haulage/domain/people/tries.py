"""How often somebody may be wrong: some tries are free, then each one more makes the next wait longer. Bounded memory, no clock."""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from dataclasses import dataclass

FORGET_SECONDS = 3600.0
"""Whoever does not try for so long begins anew."""
MOST_HELD = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How much is borne of one name, or one address."""

    free: int
    """So many tries may be wrong without a wait."""
    first_seconds: float = 1.0
    """The first wait; each one more doubles it."""
    most_seconds: float = 300.0


OF_A_USER = Patience(free=5, most_seconds=300.0)
"""Short at the longest: otherwise anybody could keep a user out by being wrong in its name."""
OF_AN_ADDRESS = Patience(free=20, most_seconds=900.0)
"""Many people may come from one."""


@dataclass(slots=True)
class _Held:
    wrong: int = 0
    last: float = 0.0
    free_at: float = 0.0


class Tries:
    """Who was wrong how often. Any thread may use it."""

    def __init__(self, patience: Patience, most: int = MOST_HELD) -> None:
        self._patience = patience
        self._most = most
        self._lock = threading.Lock()
        self._held: OrderedDict[str, _Held] = OrderedDict()

    def wait_seconds(self, key: str, now: float) -> float:
        """How long this one must still wait; 0 if it may try."""
        with self._lock:
            held = self._held.get(key)
            if held is None or now - held.last >= FORGET_SECONDS:
                return 0.0
            return max(0.0, held.free_at - now)

    def begin(self, key: str, now: float) -> int:
        """A try begins: it counts as wrong until it was right, so that many at once are no way around. Returns how many were wrong,
        this one included."""
        with self._lock:
            held = self._held.pop(key, None) or _Held()
            if now - held.last >= FORGET_SECONDS:
                held = _Held()
            held.wrong, held.last = held.wrong + 1, now
            beyond = held.wrong - self._patience.free
            if beyond >= 0:
                # Bounded before it is raised: two to the number of tries would be no number of seconds any more.
                held.free_at = now + min(self._patience.most_seconds, self._patience.first_seconds * 2.0 ** min(beyond, 40))
            self._held[key] = held
            while len(self._held) > self._most:
                self._held.popitem(last=False)
            return held.wrong

    def right(self, key: str) -> None:
        """It was right: this one begins anew."""
        with self._lock:
            self._held.pop(key, None)

    def undo(self, key: str) -> None:
        """It was right, but others may come this way: only this try counts no more."""
        with self._lock:
            held = self._held.get(key)
            if held is not None:
                held.wrong -= 1
                held.free_at = 0.0 if held.wrong < self._patience.free else held.free_at


def address_key(address: str) -> str:
    """Whom an address stands for: a machine; for IPv6 its network, of which one customer has 2^64; "" for this very machine, where
    a proxy may stand that everybody comes through."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    if found.is_loopback:
        return ""
    return str(ipaddress.ip_network(f"{found}/64", strict=False)) if found.version == 6 else str(found)
