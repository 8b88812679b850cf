"""What a file declares: compared with what there is, applied, and written out from it."""

from __future__ import annotations

import msgspec

from haulage.base.clock import iso
from haulage.base.errors import ConflictError
from haulage.domain.declared.comparing import Comparison, compare
from haulage.domain.declared.cost import reckon
from haulage.domain.declared.looking import look
from haulage.domain.declared.problems import Problems
from haulage.domain.declared.reading import FILE_MAX_BYTES, read_declared
from haulage.domain.declared.telling import comparison_view, step_view
from haulage.domain.declared.writing import declared_text
from haulage.operations.declared import Outcome, apply_comparison
from haulage.operations.desk import Desk
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.service import Service, View

_BODY_MAX_BYTES = 2 * FILE_MAX_BYTES + 64 * 1024
"""As JSON text a file grows."""


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of declarations; ``publish``: what nobody has captured yet is to be captured."""

    text: str
    publish: bool = False


class Application(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file to apply. ``expected``: the id of the comparison that was looked at; if anything changed since, nothing is done."""

    text: str
    publish: bool = False
    expected: str | None = None
    allow_removing: int = 0
    keep_going: bool = False
    dry_run: bool = False


def compared(service: Service, text: str, *, publish: bool) -> Comparison:
    """A file against what there is now. Raises UsageError ``bad-declaration``."""
    declared = read_declared(text)
    with service.core.database.reading() as tx:
        present = look(tx, service.code)
    return compare(declared, present, Problems(text), publish=publish)


def comparison_of(service: Service, comparison: Comparison) -> View:
    """A comparison with what each step would send."""
    return comparison_view(comparison, reckon(service.core.database, comparison.steps, service.core.forecaster.plan))


def applied(
    service: Service,
    desk: Desk,
    actor: str,
    text: str,
    *,
    publish: bool,
    expected: str | None,
    allow_removing: int,
    keep_going: bool,
) -> View:
    """Do what differs. Raises ConflictError ``changed-since``, ``too-many-removals``."""
    comparison = compared(service, text, publish=publish)
    if expected is not None and expected != comparison.digest:
        raise ConflictError(
            "changed-since", "What there is has changed since the file was compared with it.", "Look at the difference again."
        )
    comparison.guard(allow_removing)
    return outcomes_view(comparison, list(apply_comparison(desk, actor, comparison, keep_going=keep_going)))


def outcomes_view(comparison: Comparison, outcomes: list[Outcome]) -> View:
    """What came of a file."""
    joins = [one.invited for one in outcomes if one.invited is not None]
    return {
        "id": comparison.digest,
        "steps": [_outcome(number, one) for number, one in enumerate(outcomes, 1)],
        "done": sum(one.done for one in outcomes),
        "failed": sum(one.error is not None for one in outcomes),
        "left": sum(not one.done and one.error is None for one in outcomes),
        "joins": [{"code": one.code, "parent": one.parent, "join": one.join, "expires": iso(one.expires)} for one in joins],
        "dry_run": False,
    }


def _outcome(number: int, outcome: Outcome) -> View:
    error = outcome.error
    became = "done" if outcome.done else "failed" if error is not None else "left"
    view = step_view(number, outcome.step)
    return view | {
        "outcome": became,
        "package": outcome.package or outcome.step.package,
        "error": None if error is None else {"code": error.code, "message": error.message, "hint": error.hint},
    }


def _show(call: Call) -> Answer:
    with call.service.core.database.reading() as tx:
        present = look(tx, call.service.code)
    return Answer(value={"id": call.service.code, "text": declared_text(present)})


def _compare(call: Call) -> Answer:
    asked: File = call.body
    return Answer(value=comparison_of(call.service, compared(call.service, asked.text, publish=asked.publish)))


def _apply(call: Call) -> Answer:
    asked: Application = call.body
    if asked.dry_run:
        comparison = compared(call.service, asked.text, publish=asked.publish)
        comparison.guard(asked.allow_removing)
        return Answer(value=outcomes_view(comparison, [Outcome(step=step) for step in comparison.steps]) | {"dry_run": True})
    view = applied(
        call.service,
        call.desk,
        call.actor,
        asked.text,
        publish=asked.publish,
        expected=asked.expected,
        allow_removing=asked.allow_removing,
        keep_going=asked.keep_going,
    )
    return Answer(value=view)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/declared",
        permission=Permission.READ,
        act=_show,
        summary="What there is, as a file that declares it",
    ),
    Endpoint(
        method="POST",
        path="/api/v1/declared/compare",
        permission=Permission.OPERATE,
        act=_compare,
        body=File,
        body_max_bytes=_BODY_MAX_BYTES,
        summary="What a file would change, step by step, and what that would send",
    ),
    Endpoint(
        method="POST",
        path="/api/v1/declared/apply",
        permission=Permission.ADMIN,
        act=_apply,
        body=Application,
        body_max_bytes=_BODY_MAX_BYTES,
        summary="Do what a file declares, as far as it differs",
    ),
)
