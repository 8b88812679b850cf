"""Bytes that crossed the lines of a made-up estate in the last days: little at night, most after a publication."""

from __future__ import annotations

import datetime as dt
import random

from haulage.domain.transit.hourly import HOUR, hour_of
from haulage.domain.transit.records import traffic
from haulage.engine.database.transaction import Transaction
from haulage.testing.estate.sites import Land

HOURS = 72
_BY_DAY = (0.2, 0.1, 0.1, 0.1, 0.2, 0.4, 0.8, 1.0, 0.9, 0.8, 0.7, 0.8, 0.9, 0.8, 0.7, 0.6, 0.7, 0.9, 1.0, 0.7, 0.5, 0.4, 0.3, 0.2)
"""How busy the lines are at each hour."""
_MOST_BYTES = 900_000


def make_traffic(tx: Transaction, land: Land, chance: random.Random, now: dt.datetime) -> None:
    """Of every line."""
    first = hour_of(now) - HOURS * HOUR
    hours = [first + number * HOUR for number in range(HOURS + 1)]
    rows = []
    for site in land.sites:
        for hour in hours:
            wire = int(_BY_DAY[hour.hour] * _MOST_BYTES * chance.random() ** 2)
            line = {"hour": hour, "site": site.code, "sender": land.parents[site.code]}
            rows.append({**line, "bytes_wire": wire, "bytes_reused": wire * 23})
    tx.execute(traffic.insert(), rows)
