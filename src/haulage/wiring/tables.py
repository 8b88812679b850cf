"""Every room's tables, registered by importing its ``records.py``. Whoever opens a site's database imports this first."""

from __future__ import annotations

from haulage.engine.database.metadata import metadata
from haulage.engine.status import records as status_records

TABLES = metadata
ROOMS = (status_records,)
"""The modules whose import registered the tables."""
