"""Called by Alembic for each run. The connection is inside a transaction already, so all steps succeed together or not at all."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from haulage.engine.database import types


def _render(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """How our own column types are written into a migration."""
    if kind == "type" and isinstance(item, types.UtcTime | types.Json):
        autogen.imports.add("from haulage.engine.database.types import Json, UtcTime")
        return f"{type(item).__name__}()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    render_as_batch=True,
    render_item=_render,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
