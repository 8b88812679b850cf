"""Stopping services in order, waiting, starting them again, and seeing that they stay up. How one kind is asked is elsewhere."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from haulage.engine.servicing import durable
from haulage.engine.servicing.clock import Clock
from haulage.engine.servicing.definition import Service
from haulage.engine.servicing.errors import RefusedError, StepError
from haulage.engine.servicing.places import Places

SETTLE_SECONDS = 3.0
"""A service that came up must still be up after so long."""
KILL_SECONDS = 10.0
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.02, 0.5


class State(enum.Enum):
    """What a service is doing."""

    MISSING = "missing"
    STOPPED = "stopped"
    STOPPING = "stopping"
    STARTING = "starting"
    RUNNING = "running"


class Controller(Protocol):
    """One service of one kind."""

    def state(self) -> State: ...

    def ask_to_stop(self) -> None:
        """Returns before it has stopped."""
        ...

    def ask_to_start(self) -> None:
        """Returns before it is up. Raises StepError ``service-failed`` if that is known to be vain."""
        ...

    def kill(self) -> None:
        """End it by force."""
        ...

    def check_rights(self) -> None:
        """Raises RefusedError ``no-rights`` if it could not be stopped and started."""
        ...


Controllers = Callable[[Service, Places], Controller]
_QUIET = (State.STOPPED, State.MISSING)


def _is_quiet(controller: Controller) -> bool:
    return controller.state() in _QUIET


def _is_up(controller: Controller) -> bool:
    return controller.state() is State.RUNNING


class Services:
    """The services of one fix, by their place in its definition."""

    def __init__(
        self, services: Sequence[Service], controllers: Sequence[Controller], clock: Clock, said: Callable[[str], None]
    ) -> None:
        self._services = services
        self._controllers = controllers
        self._clock = clock
        self._said = said

    def running(self) -> tuple[int, ...]:
        """Those that are not quiet. Raises RefusedError ``no-such-service`` if one that must be there is not."""
        found = []
        for index, (service, controller) in enumerate(zip(self._services, self._controllers)):
            state = controller.state()
            if state is State.MISSING and service.required:
                raise RefusedError(
                    "no-such-service", f"There is no {service.kind.value} service {service.name}.", "Is this the right machine?"
                )
            if state not in _QUIET:
                found.append(index)
        return tuple(found)

    def check_rights(self) -> None:
        """Raises RefusedError ``no-rights``."""
        for controller in self._controllers:
            controller.check_rights()

    def stop(self, *, kill: bool) -> None:
        """All that run, in order, each within its time. Raises StepError ``service-timeout``: no service is killed unless told."""
        for service, controller in zip(self._services, self._controllers):
            if controller.state() in _QUIET:
                continue
            durable.step("stop-service")
            controller.ask_to_stop()
            if self._wait(service.stop_seconds, functools.partial(_is_quiet, controller)):
                self._said(f"service {service.name}: stopped")
            elif kill:
                self._kill(service, controller)
            else:
                raise StepError(
                    "service-timeout",
                    f"The service {service.name} did not stop within {service.stop_seconds} seconds.",
                    "End it by hand, or allow it to be ended by force (--kill), and run this again.",
                )

    def _kill(self, service: Service, controller: Controller) -> None:
        controller.kill()
        if not self._wait(KILL_SECONDS, functools.partial(_is_quiet, controller)):
            raise StepError(
                "service-timeout", f"The service {service.name} cannot be ended, even by force.", "Start the machine again."
            )
        self._said(f"service {service.name}: did not stop within {service.stop_seconds} seconds, ended by force")

    def start_again(self, wanted: Iterable[int]) -> None:
        """As :meth:`start`, for what ran before: one that was still ending when it was looked at is started once it has ended."""
        indices = list(wanted)
        try:
            self.start(indices)
        except StepError as failure:
            self._said(f"{failure.message} It is tried once more.")
            self.start(indices)

    def start(self, wanted: Iterable[int]) -> None:
        """Those, in reverse order; they must come up and stay up. Raises StepError ``service-timeout``, ``service-failed``."""
        indices = sorted(wanted, reverse=True)
        for index in indices:
            service, controller = self._services[index], self._controllers[index]
            if controller.state() is State.RUNNING:
                continue
            durable.step("start-service")
            controller.ask_to_start()
            if not self._wait(service.start_seconds, functools.partial(_is_up, controller)):
                raise StepError(
                    "service-timeout",
                    f"The service {service.name} did not come up within {service.start_seconds} seconds.",
                    "Its own log says why.",
                )
            self._said(f"service {service.name}: started")
        self._settle(indices)

    def _settle(self, indices: Sequence[int]) -> None:
        if not indices:
            return
        for index in indices:
            self._said(f"service {self._services[index].name}: up, watched for {SETTLE_SECONDS:.0f} seconds")
        until = self._clock.monotonic() + SETTLE_SECONDS
        while self._clock.monotonic() < until:
            self._clock.sleep(_LONGEST_SECONDS)
            for index in indices:
                if self._controllers[index].state() is not State.RUNNING:
                    name = self._services[index].name
                    raise StepError("service-failed", f"The service {name} came up and went down again.", "Its own log says why.")
        for index in indices:
            self._said(f"service {self._services[index].name}: stayed up")

    def _wait(self, seconds: float, done: Callable[[], bool]) -> bool:
        until, pause = self._clock.monotonic() + seconds, _SHORTEST_SECONDS
        while not done():
            if self._clock.monotonic() >= until:
                return False
            self._clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_SECONDS)
        return True
