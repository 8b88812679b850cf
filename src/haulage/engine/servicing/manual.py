"""The manual way: services, files and programs in their order, for those who must do it by hand. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from haulage.engine.servicing.definition import ANY, FileAction, FixDefinition, FixFile, Program, Reboot, Service, ServiceKind, When


def manual(definition: FixDefinition, root: str) -> list[str]:
    """Numbered steps; what is under ``root`` is written with it."""
    lines = [f"{definition.id}: {definition.title}", "", f"The product: {_product(definition)}, in {root}."]
    lines += _before(definition)
    steps = [*_stop(definition), *_place(definition, root), *_programs(definition), *_start(definition), *_end(definition)]
    lines.append("")
    for number, (step, *details) in enumerate(steps, 1):
        lines.append(f"{number}. {step}")
        lines += [f"     {each}" for each in details]
    return lines


def _product(definition: FixDefinition) -> str:
    product = definition.product
    found = [product.id, f"versions {product.versions}" if product.versions != ANY else "any version"]
    if product.service_levels:
        found.append(" or ".join(product.service_levels))
    found += [each for each in (product.architecture, product.language) if each != ANY]
    return ", ".join(found)


def _before(definition: FixDefinition) -> list[str]:
    lines = []
    if definition.requires.fixes:
        lines.append(f"Must be installed before: {', '.join(definition.requires.fixes)}.")
    if definition.requires.service_level:
        lines.append(f"Service level at least: {definition.requires.service_level}.")
    if definition.replaces:
        lines.append(f"Not needed beside it: {', '.join(definition.replaces)}.")
    lines += [
        f"Known to break: {each.what}" + (f" ({each.mended_by} mends that)." if each.mended_by else ".")
        for each in definition.breaks
    ]
    return lines


def _stop(definition: FixDefinition) -> Iterator[Sequence[str]]:
    yield ["Quit every program of the product, consoles first."]
    if definition.services:
        yield ["Stop these services, in this order:", *(_service(each, "stop") for each in definition.services)]


def _service(service: Service, act: str) -> str:
    if service.kind is ServiceKind.SYSTEMD:
        return f"systemctl {act} {service.name}"
    if service.kind is ServiceKind.WINDOWS:
        return f'sc {act} "{service.name}"'
    command = service.start if act == "start" else service.stop
    if command is not None:
        return f"{service.name}: {' '.join(command)}"
    return f"{service.name}: end the process whose number stands in {service.pid_file}"


def _place(definition: FixDefinition, root: str) -> Iterator[Sequence[str]]:
    yield from _run(definition.programs_at(When.BEFORE), "Run these programs:")
    placed = [each for each in definition.files if each.placed]
    removed = [each for each in definition.files if each.action is FileAction.REMOVE]
    if placed or removed:
        yield ["Keep a copy of each of these files that is there:", *(f"{root}/{each.path}" for each in (*placed, *removed))]
    if placed:
        yield [
            "Put these files in place (--extract DIR lays them out); leave a file that is of a later version:",
            *map(_file, placed),
        ]
    if removed:
        yield ["Remove these files:", *(f"{root}/{each.path}" for each in removed)]


def _file(file: FixFile) -> str:
    version = f", version {file.version}" if file.version is not None else ""
    return f"{file.path}: {file.size} bytes{version}, mode {file.mode:04o}, SHA-256 {file.sha256}"


def _programs(definition: FixDefinition) -> Iterator[Sequence[str]]:
    yield from _run(definition.programs_at(When.AFTER), "Run these programs:")


def _run(programs: Sequence[Program], step: str) -> Iterator[Sequence[str]]:
    if programs:
        yield [step, *(" ".join(each.command) for each in programs)]


def _start(definition: FixDefinition) -> Iterator[Sequence[str]]:
    if definition.services:
        yield ["Start the services again, in this order:", *(_service(each, "start") for each in reversed(definition.services))]
        yield ["Look whether each of them runs."]


def _end(definition: FixDefinition) -> Iterator[Sequence[str]]:
    yield from _run(definition.programs_at(When.VERIFY), "Run these programs; if one fails, put the kept files back:")
    if definition.reboot is not Reboot.NO:
        yield [
            "Start the machine again." if definition.reboot is Reboot.MUST else "Start the machine again if a program asks for it."
        ]
    yield [f"Write down that {definition.id} is installed: what is done by hand stands in no record."]
