"""What a person reads of a fix, of what was found, and of what would be done. Pure: values in, lines out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from haulage.engine.servicing import trusted
from haulage.engine.servicing.apply import Looked, Report
from haulage.engine.servicing.definition import ANY, FixDefinition, Outcome, Reboot, When
from haulage.engine.servicing.errors import ServicingError
from haulage.engine.servicing.healing import Healed
from haulage.engine.servicing.product import Product
from haulage.engine.servicing.record import Act
from haulage.engine.servicing.trusted import TrustedKey
from haulage.engine.servicing.uninstall import Leaving

MOST_FILES_SHOWN = 12
REBOOT = {
    Reboot.NO: "The machine need not be started again.",
    Reboot.MAY: "The machine may have to be started again.",
    Reboot.MUST: "The machine must be started again afterwards.",
}


def introduction(definition: FixDefinition) -> list[str]:
    """What the fix is."""
    lines = [f"{definition.id}: {definition.title}"]
    if definition.explanation:
        lines += ["", *definition.explanation.strip().split("\n")]
    lines.append("")
    if definition.article is not None:
        lines.append(f"Article:  {definition.article}")
    lines.append(f"For:      {product_range(definition)}")
    if definition.contains:
        lines.append(f"Contains: {', '.join(definition.contains)}")
    if definition.supersedes:
        lines.append(f"Replaces: {', '.join(definition.supersedes)}")
    for each in definition.breaks:
        lines.append(f"Breaks:   {each.what}" + (f" ({each.mended_by} mends that)" if each.mended_by else ""))
    return lines


def product_range(definition: FixDefinition) -> str:
    """Which products the fix is for, in one line."""
    product = definition.product
    found = [product.id, f"versions {product.versions}" if product.versions != ANY else "any version"]
    if product.service_levels:
        found.append(" or ".join(product.service_levels))
    found += [each for each in (product.architecture, product.language) if each != ANY]
    return ", ".join(found)


def signed_by(keys: Sequence[TrustedKey]) -> list[str]:
    """Who is answerable for the bundle."""
    return [f"Signed by {each.name or 'a key without a name'}: {each.fingerprint}" for each in keys]


def unknown_signers(keys: Sequence[bytes]) -> list[str]:
    """Keys that signed and that nobody told to trust."""
    return [
        "The bundle is undamaged and signed, but by a key that nobody told to trust here:",
        *(f"  {trusted.fingerprint(each)}" for each in keys),
        "Compare it with what the maker says, on another way than you got the bundle.",
    ]


def found(product: Product, root: str) -> str:
    """The product that stands there."""
    parts = [product.id, f"version {product.version}" if product.version is not None else "of a version that is not known"]
    parts += [each for each in (product.service_level, product.architecture, product.language) if each is not None]
    return f"Found: {', '.join(parts)}, in {root}."


def healed(what: Healed | None) -> list[str]:
    """What an earlier start had left."""
    if what is None:
        return []
    end = "finished" if what.forward else "undone: all is as before it"
    return [f"An earlier start ({what.fix}, {what.act.value}) had been cut off; it was {end}."]


def state(looked: Looked) -> list[str]:
    """How the fix stands to the product, with every reason and refusal."""
    lines = [f"{looked.detected.state.value}: {'; '.join(looked.detected.reasons)}."]
    lines += refusals(looked.refusals, besides=lines[0])
    return lines


def refusals(errors: Sequence[ServicingError], besides: str = "") -> list[str]:
    """Each thing that stands against it, with the next step."""
    return [f"Refused: {each.message} {each.hint}".rstrip() for each in errors if each.message not in besides]


def steps(definition: FixDefinition, looked: Looked, *, every_file: bool = False) -> list[str]:
    """What would be done, in order."""
    lines = [f"stop     {definition.services[index].name}" for index in looked.running]
    lines += _programs(definition, When.BEFORE)
    shown = looked.files if every_file else looked.files[:MOST_FILES_SHOWN]
    for each in shown:
        lines.append(f"file     {each.path}: {each.decision.value}" + (f" ({each.reason})" if every_file else ""))
    if len(shown) < len(looked.files):
        lines.append(f"         and {len(looked.files) - len(shown)} files more")
    lines += _programs(definition, When.AFTER)
    lines += [f"start    {definition.services[index].name}" for index in reversed(looked.running)]
    lines += _programs(definition, When.VERIFY)
    return [*lines, REBOOT[definition.reboot]]


def leaving_steps(leaving: Leaving) -> list[str]:
    """What taking the fix away would do."""
    definition = leaving.definition
    lines = [f"stop     {definition.services[index].name}" for index in leaving.running]
    for each in leaving.changes:
        lines.append(f"file     {each.path}: {'removed' if each.after is None else 'as it was before'}")
    return [*lines, *(f"start    {definition.services[index].name}" for index in reversed(leaving.running))]


def _programs(definition: FixDefinition, when: When) -> Iterator[str]:
    return (f"run      {' '.join(each.command)}" for each in definition.programs_at(when))


def ending(report: Report) -> list[str]:
    """How it ended."""
    words = {Act.INSTALLED: "is installed", Act.REPAIRED: "is repaired", Act.UNINSTALLED: "is taken away"}
    lines = [f"{report.fix} {words[report.act]}." if report.act is not None else f"{report.fix}: there was nothing to do."]
    if report.reboot is Outcome.REBOOT:
        lines.append("Start the machine again.")
    if report.reboot is Outcome.REBOOT_BEGUN:
        lines.append("The machine is starting again.")
    if report.log:
        lines.append(f"The log is {report.log}.")
    return lines
