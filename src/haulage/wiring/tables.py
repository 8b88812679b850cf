"""Every room's tables, registered by importing its ``records.py``. Whoever opens a site's database imports this first."""

from __future__ import annotations

from haulage.domain.catalog import records as catalog_records
from haulage.domain.estate import records as estate_records
from haulage.domain.fixes import records as fixes_records
from haulage.domain.groups import records as groups_records
from haulage.domain.knowledge import records as knowledge_records
from haulage.domain.people import records as people_records
from haulage.domain.replication import records as replication_records
from haulage.domain.telling import records as telling_records
from haulage.domain.transit import records as transit_records
from haulage.domain.transit.tallies import records as tallies_records
from haulage.engine.database.metadata import metadata
from haulage.engine.status import records as status_records

TABLES = metadata
ROOMS = (
    status_records,
    people_records,
    replication_records,
    estate_records,
    catalog_records,
    groups_records,
    tallies_records,
    transit_records,
    fixes_records,
    knowledge_records,
    telling_records,
)
"""The modules whose import registered the tables."""
