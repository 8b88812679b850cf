"""Which controller a service gets: the one place that knows all kinds."""

from __future__ import annotations

from haulage.engine.servicing.definition import Service, ServiceKind
from haulage.engine.servicing.pid_file import PidFile
from haulage.engine.servicing.places import Places
from haulage.engine.servicing.programs import filled
from haulage.engine.servicing.services import Controller
from haulage.engine.servicing.system_services import Systemd, WindowsService


def controller_of(service: Service, places: Places) -> Controller:
    """Raises RefusedError ``no-such-root`` if its pid file or command names a root nobody gave."""
    if service.kind is ServiceKind.SYSTEMD:
        return Systemd(service.name)
    if service.kind is ServiceKind.WINDOWS:
        return WindowsService(service.name)
    start = filled(service.start or (), places, "")
    stop = None if service.stop is None else filled(service.stop, places, "")
    return PidFile(service.name, places.rooted(service.pid_file or ""), start, stop, places.root)
