"""The one list of tables. Every room's ``records.py`` registers its tables here; must not know what any of them mean."""

from __future__ import annotations

import sqlalchemy as sa

NAMING = {
    "pk": "pk_%(table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
}
"""Constraints need names that are the same everywhere, or a later migration cannot drop them."""

metadata = sa.MetaData(naming_convention=NAMING)
