"""First tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from haulage.engine.database.types import Json, UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From the step before to this one."""
    op.create_table(
        "article_imports",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("spool", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked", UtcTime(), nullable=False),
        sa.Column("finished", UtcTime(), nullable=True),
        sa.Column("report", Json(), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=False),
        sa.Column("error_message", sa.Text(), nullable=False),
        sa.Column("error_hint", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_article_imports")),
    )
    with op.batch_alter_table("article_imports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_imports_state"), ["state"], unique=False)

    op.create_table(
        "article_relations",
        sa.Column("article", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=3), nullable=False),
        sa.Column("relation", sa.String(length=16), nullable=False),
        sa.Column("other", sa.String(length=16), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("article", "owner", "relation", "other", name=op.f("pk_article_relations")),
    )
    with op.batch_alter_table("article_relations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_relations_other"), ["other"], unique=False)

    op.create_table(
        "articles",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=3), nullable=False),
        sa.Column("shelf", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("derived", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("modified", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("id", "owner", name=op.f("pk_articles")),
    )
    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_articles_change"), ["change"], unique=False)
        batch_op.create_index(batch_op.f("ix_articles_derived"), ["derived"], unique=False)
        batch_op.create_index(batch_op.f("ix_articles_shelf"), ["shelf"], unique=False)

    op.create_table(
        "asked_orders",
        sa.Column("package", sa.String(length=8), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("sender", sa.String(length=3), nullable=False),
        sa.Column("issued", UtcTime(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("package", "place", name=op.f("pk_asked_orders")),
    )
    op.create_table(
        "assignments",
        sa.Column("package", sa.String(length=8), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("package", "place", name=op.f("pk_assignments")),
    )
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assignments_place"), ["place"], unique=False)

    op.create_table(
        "captures",
        sa.Column("package", sa.String(length=8), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("of_version", sa.BigInteger(), nullable=False),
        sa.Column("taken", UtcTime(), nullable=False),
        sa.Column("figures", Json(), nullable=False),
        sa.Column("counts", Json(), nullable=False),
        sa.Column("lines", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("package", "number", name=op.f("pk_captures")),
    )
    op.create_table(
        "claims",
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("invitation", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("taken", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_claims")),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "definitions",
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=3), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("stored", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_definitions")),
    )
    with op.batch_alter_table("definitions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_definitions_owner"), ["owner"], unique=False)

    op.create_table(
        "definitions_parked",
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.String(length=3), nullable=True),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_definitions_parked")),
    )
    op.create_table(
        "fix_assessments",
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("service_level", sa.Text(), nullable=False),
        sa.Column("taken", UtcTime(), nullable=False),
        sa.Column("results", Json(), nullable=False),
        sa.PrimaryKeyConstraint("root", name=op.f("pk_fix_assessments")),
    )
    op.create_table(
        "fixes",
        sa.Column("fix", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=3), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("article", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("supersedes", Json(), nullable=False),
        sa.Column("contains", Json(), nullable=False),
        sa.Column("requires", Json(), nullable=False),
        sa.Column("files", Json(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("bundle", sa.String(length=64), nullable=False),
        sa.Column("bundle_bytes", sa.BigInteger(), nullable=False),
        sa.Column("package", sa.String(length=8), nullable=True),
        sa.Column("signer", sa.Text(), nullable=False),
        sa.Column("known", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("fix", "owner", name=op.f("pk_fixes")),
    )
    with op.batch_alter_table("fixes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fixes_article"), ["article"], unique=False)
        batch_op.create_index(batch_op.f("ix_fixes_package"), ["package"], unique=False)

    op.create_table(
        "group_members",
        sa.Column("owner", sa.String(length=3), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "name", "place", name=op.f("pk_group_members")),
    )
    with op.batch_alter_table("group_members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_group_members_place"), ["place"], unique=False)

    op.create_table(
        "groups",
        sa.Column("owner", sa.String(length=3), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "name", name=op.f("pk_groups")),
    )
    op.create_table(
        "holdings",
        sa.Column("package", sa.String(length=8), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("since", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("package", "version", name=op.f("pk_holdings")),
    )
    op.create_table(
        "hop_dirty",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("peer", sa.String(length=3), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_hop_dirty")),
        sa.UniqueConstraint("peer", "kind", "key", name=op.f("uq_hop_dirty_peer_kind_key")),
    )
    op.create_table(
        "hop_sealed",
        sa.Column("peer", sa.String(length=3), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "first", name=op.f("pk_hop_sealed")),
    )
    op.create_table(
        "hop_streams",
        sa.Column("peer", sa.String(length=3), nullable=False),
        sa.Column("out_stream", sa.BigInteger(), nullable=False),
        sa.Column("out_next", sa.BigInteger(), nullable=False),
        sa.Column("out_acknowledged", sa.BigInteger(), nullable=False),
        sa.Column("out_bytes", sa.BigInteger(), nullable=False),
        sa.Column("in_epoch", sa.BigInteger(), nullable=False),
        sa.Column("in_stream", sa.BigInteger(), nullable=False),
        sa.Column("in_sequence", sa.BigInteger(), nullable=False),
        sa.Column("heard", UtcTime(), nullable=True),
        sa.Column("away_said", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("peer", name=op.f("pk_hop_streams")),
    )
    op.create_table(
        "hop_told",
        sa.Column("peer", sa.String(length=3), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "kind", "id", name=op.f("pk_hop_told")),
    )
    op.create_table(
        "identity",
        sa.Column("one", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("parent", sa.String(length=3), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("joined", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_identity")),
    )
    op.create_table(
        "notifier",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due", UtcTime(), nullable=True),
        sa.Column("failing_since", UtcTime(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("said", sa.Boolean(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.Column("told_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_notifier")),
    )
    op.create_table(
        "package_groups",
        sa.Column("package", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.PrimaryKeyConstraint("package", "name", name=op.f("pk_package_groups")),
    )
    with op.batch_alter_table("package_groups", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_package_groups_name"), ["name"], unique=False)

    op.create_table(
        "packages",
        sa.Column("id", sa.String(length=8), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("keep", sa.Integer(), nullable=False),
        sa.Column("streams", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packages")),
    )
    op.create_table(
        "parcels",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("target", sa.LargeBinary(length=32), nullable=False),
        sa.Column("bases", Json(), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("needs", Json(), nullable=False),
        sa.Column("abilities", Json(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("head_size", sa.BigInteger(), nullable=False),
        sa.Column("figures", Json(), nullable=False),
        sa.Column("used", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parcels")),
    )
    with op.batch_alter_table("parcels", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_parcels_target"), ["target"], unique=False)

    op.create_table(
        "points",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("site", sa.String(length=3), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=3), nullable=False),
        sa.Column("options", Json(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_points")),
    )
    with op.batch_alter_table("points", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_points_site"), ["site"], unique=False)

    op.create_table(
        "receivers",
        sa.Column("site", sa.String(length=3), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("abilities", Json(), nullable=False),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_receivers")),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("session", sa.String(length=16), nullable=False),
        sa.Column("user", sa.String(length=64), nullable=False),
        sa.Column("proof", sa.String(length=64), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.Column("began", UtcTime(), nullable=False),
        sa.Column("seen", UtcTime(), nullable=False),
        sa.Column("issued", UtcTime(), nullable=False),
        sa.Column("until", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_session"), ["session"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_user"), ["user"], unique=False)

    op.create_table(
        "shelves",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=3), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shelves")),
    )
    with op.batch_alter_table("shelves", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shelves_owner"), ["owner"], unique=False)

    op.create_table(
        "shipment_tallies",
        sa.Column("owner", sa.String(length=3), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("left_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "kind", "state", "reason", name=op.f("pk_shipment_tallies")),
    )
    op.create_table(
        "shipments",
        sa.Column("package", sa.String(length=8), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=3), nullable=False),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("present", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("due", UtcTime(), nullable=True),
        sa.Column("wakes", sa.BigInteger(), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=False),
        sa.Column("error_message", sa.Text(), nullable=False),
        sa.Column("error_hint", sa.Text(), nullable=False),
        sa.Column("error_family", sa.String(length=16), nullable=False),
        sa.Column("bytes_planned", sa.BigInteger(), nullable=False),
        sa.Column("bytes_done", sa.BigInteger(), nullable=False),
        sa.Column("bytes_total", sa.BigInteger(), nullable=False),
        sa.Column("bytes_reused", sa.BigInteger(), nullable=False),
        sa.Column("bytes_new", sa.BigInteger(), nullable=False),
        sa.Column("bytes_wire", sa.BigInteger(), nullable=False),
        sa.Column("parcel", sa.String(length=64), nullable=False),
        sa.Column("verify", sa.Boolean(), nullable=False),
        sa.Column("repair", sa.Boolean(), nullable=False),
        sa.Column("verified", UtcTime(), nullable=True),
        sa.Column("word", sa.String(length=16), nullable=False),
        sa.Column("word_by", sa.Text(), nullable=False),
        sa.Column("word_time", UtcTime(), nullable=True),
        sa.Column("word_revision", sa.BigInteger(), nullable=False),
        sa.Column("armed", UtcTime(), nullable=True),
        sa.Column("expected", UtcTime(), nullable=True),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("wire_ever", sa.BigInteger(), nullable=False),
        sa.Column("reused_ever", sa.BigInteger(), nullable=False),
        sa.Column("updated", UtcTime(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("observation", sa.BigInteger(), nullable=False),
        sa.Column("own_state", sa.String(length=16), nullable=False),
        sa.Column("own_reason", sa.String(length=16), nullable=False),
        sa.Column("announced", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("package", "place", name=op.f("pk_shipments")),
    )
    with op.batch_alter_table("shipments", schema=None) as batch_op:
        batch_op.create_index(
            "ix_shipments_open",
            ["place", "state", "reason", "expected"],
            unique=False,
            sqlite_where=sa.text("(state NOT IN ('present', 'removed'))"),
            postgresql_where=sa.text("(state NOT IN ('present', 'removed'))"),
        )
        batch_op.create_index("ix_shipments_owner_due", ["owner", "due"], unique=False)
        batch_op.create_index("ix_shipments_owner_epoch", ["owner", "epoch"], unique=False)
        batch_op.create_index("ix_shipments_package_state_reason", ["package", "state", "reason"], unique=False)
        batch_op.create_index("ix_shipments_place_state", ["place", "state"], unique=False)
        batch_op.create_index("ix_shipments_state_reason_updated", ["state", "reason", "updated"], unique=False)
        batch_op.create_index(
            "ix_shipments_word",
            ["word", "package", "place"],
            unique=False,
            sqlite_where=sa.text("word != ''"),
            postgresql_where=sa.text("word != ''"),
        )

    op.create_table(
        "sites",
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent", sa.String(length=3), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("life", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_sites")),
    )
    op.create_table(
        "sources",
        sa.Column("package", sa.String(length=8), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("streams", sa.Text(), nullable=False),
        sa.Column("keep_special_bits", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("requested", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("full", sa.Boolean(), nullable=False),
        sa.Column("started", UtcTime(), nullable=True),
        sa.Column("finished", UtcTime(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("report", Json(), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=False),
        sa.Column("error_message", sa.Text(), nullable=False),
        sa.Column("error_hint", sa.Text(), nullable=False),
        sa.Column("error_family", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("package", name=op.f("pk_sources")),
    )
    op.create_table(
        "status",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("package", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("time", UtcTime(), nullable=False),
        sa.Column("received", UtcTime(), nullable=False),
        sa.Column("fields", Json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status")),
        sa.UniqueConstraint("site", "epoch", "sequence", name=op.f("uq_status_site_epoch_sequence")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("status", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_status_component_id"), ["component", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_status_number_id"), ["number", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_status_package_place_id"), ["package", "place", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_status_place_id"), ["place", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_status_received_id"), ["received", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_status_severity_id"), ["severity", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_status_site_id"), ["site", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_status_type_id"), ["type", "id"], unique=False)

    op.create_table(
        "status_source",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("expired", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("site", "epoch", name=op.f("pk_status_source")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("created", UtcTime(), nullable=False),
        sa.Column("expires", UtcTime(), nullable=False),
        sa.Column("used", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
    )
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tokens_owner"), ["owner"], unique=False)

    op.create_table(
        "traffic",
        sa.Column("hour", UtcTime(), nullable=False),
        sa.Column("site", sa.String(length=3), nullable=False),
        sa.Column("sender", sa.String(length=3), nullable=False),
        sa.Column("bytes_wire", sa.BigInteger(), nullable=False),
        sa.Column("bytes_reused", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "site", "sender", name=op.f("pk_traffic")),
    )
    with op.batch_alter_table("traffic", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_traffic_site"), ["site"], unique=False)

    op.create_table(
        "users",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created", UtcTime(), nullable=False),
        sa.Column("signed_in", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_users")),
    )
    op.create_table(
        "versions",
        sa.Column("package", sa.String(length=8), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("folders", sa.BigInteger(), nullable=False),
        sa.Column("symlinks", sa.BigInteger(), nullable=False),
        sa.Column("streams", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("new_bytes", sa.BigInteger(), nullable=False),
        sa.Column("captured", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("package", "number", name=op.f("pk_versions")),
    )
