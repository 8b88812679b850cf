"""All fuzzing targets by name."""

from __future__ import annotations

from haulage.testing.fuzzing import (
    archive_targets,
    article_targets,
    bundle_targets,
    content_targets,
    delta_targets,
    parcel_targets,
    search_targets,
    structure_targets,
    tree_targets,
    wire_targets,
)
from haulage.testing.fuzzing.target import Target

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        *archive_targets.TARGETS,
        *article_targets.TARGETS,
        *bundle_targets.TARGETS,
        *content_targets.TARGETS,
        *delta_targets.TARGETS,
        *parcel_targets.TARGETS,
        *search_targets.TARGETS,
        *structure_targets.TARGETS,
        *tree_targets.TARGETS,
        *wire_targets.TARGETS,
    )
}
