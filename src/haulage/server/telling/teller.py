"""Tells every receiver what is for it, each at its own pace, on one event loop in a thread of its own. Keeps no truth: what was
told stands in the tables, and a server that is killed in the middle tells again what it cannot know to have arrived."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import datetime as dt
import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from haulage.base.clock import Clock, iso
from haulage.base.errors import HaulageError, NotFoundError
from haulage.base.ids import SiteCode
from haulage.base.notify_settings import Chosen, EmailSettings, NotifySettings, WebhookSettings
from haulage.domain.telling.asked import Asked
from haulage.domain.telling.cursors import Cursors, Gathering, Plan, Receiver
from haulage.domain.telling.notifier import Answer, Outcome
from haulage.domain.telling.views import NotifierView, notifier_view, status_view
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.status.message import Listed
from haulage.server.telling.mail import compose
from haulage.server.telling.smtp import deliver
from haulage.server.telling.webhook import Webhook, message_id

LOOK_SECONDS = 1.0
"""How often there is looked whether there is something new; it costs one row."""
STUMBLE_SECONDS = 30.0
"""After a defect or a database that does not answer."""

_log = logging.getLogger("haulage.telling")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One receiver with the settings of its kind."""

    to: Receiver
    settings: Chosen


class Teller:
    """All receivers of one site."""

    def __init__(
        self,
        settings: NotifySettings,
        cursors: Cursors,
        *,
        code: SiteCode,
        database: Database,
        clock: Clock,
        version: str,
        console: Callable[[], str],
        newest: Callable[[], int],
    ) -> None:
        self._cursors = cursors
        self._code = code
        self._database = database
        self._clock = clock
        self._version = version
        self._console = console
        self._newest = newest
        self._all = {each.name: _told(each) for each in (*settings.webhook, *settings.email)}
        self._failures: collections.Counter[str] = collections.Counter()
        """Since the server started."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="haulage-telling", daemon=True)
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin; where nobody is to be told, only what was is forgotten."""
        self._cursors.begin([told.to for told in self._all.values()])
        if self._all:
            self._thread.start()

    def stop(self) -> None:
        """End what is being sent, at once: it is sent again by the next server."""
        self._ended.set()
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._cancel)

    def join(self, timeout_seconds: float) -> None:
        """Wait for the end."""
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def views(self) -> Sequence[NotifierView]:
        """Every receiver as it stands, for people."""
        with self._database.reading() as tx:
            return [self._view(tx, told) for told in self._all.values()]

    def _view(self, tx: Transaction, told: Told) -> NotifierView:
        row, waiting = self._cursors.progress(tx, told.to), self._cursors.waiting(tx, told.to)
        return notifier_view(told.settings, row, waiting, self._failures[told.to.name])

    async def test(self, name: str, said: Listed) -> Answer:
        """Send one message now, whatever the filter. A receiver that takes it is tried again at once with what waits for it.

        Raises NotFoundError ``no-such-notifier``."""
        told = self.find(name)
        answer = await self._send(told, Plan(messages=[said], counts={said.record.severity: 1}, through=said.id))
        if answer.outcome is Outcome.TOLD:
            await asyncio.to_thread(self._cursors.wake, told.to)
        return answer

    def find(self, name: str) -> Told:
        """One receiver. Raises NotFoundError ``no-such-notifier``."""
        if name not in self._all:
            raise NotFoundError(
                "no-such-notifier", f"Nobody is called {name[:60]!r} in [notify].", "haulage notify list shows them."
            )
        return self._all[name]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            with contextlib.suppress(asyncio.CancelledError):
                self._loop.run_until_complete(self._tell_all())
        finally:
            self._loop.close()

    def _cancel(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()

    async def _tell_all(self) -> None:
        tasks = [asyncio.create_task(self._tell(told)) for told in self._all.values()]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _tell(self, told: Told) -> None:
        while not self._ended.is_set():
            try:
                await self._turn(told)
            except HaulageError as error:
                _log.warning("%s is not told: %s", told.to.name, error)
                await asyncio.sleep(STUMBLE_SECONDS)
            except Exception:
                _log.exception("defect while telling %s", told.to.name)
                await asyncio.sleep(STUMBLE_SECONDS)

    async def _turn(self, told: Told) -> None:
        seen = await asyncio.to_thread(self._newest)
        plan = await asyncio.to_thread(self._cursors.plan, told.to)
        if not plan.messages:
            await self._wait(plan, seen)
        elif told.to.gathering is not None:
            await self._tell_these(told, plan)
        else:
            for message in plan.messages:
                if not await self._tell_these(told, Plan(messages=[message], through=message.id)):
                    return

    async def _tell_these(self, told: Told, plan: Plan) -> bool:
        answer = await self._send(told, plan)
        if answer.outcome is Outcome.TOLD:
            count = sum(plan.counts.values()) or len(plan.messages)
            await asyncio.to_thread(self._cursors.told, told.to, plan.through, count)
            return True
        self._failures[told.to.name] += 1
        _log.warning("%s was not told: %s", told.to.name, answer.said)
        await asyncio.to_thread(self._cursors.failed, told.to, answer)
        return False

    async def _send(self, told: Told, plan: Plan) -> Answer:
        settings, now = told.settings, self._clock.now()
        if isinstance(settings, EmailSettings):
            mail = compose(settings, self._code, plan.messages, plan.counts, console=self._console(), now=now)
            return await deliver(settings, mail)
        assert isinstance(settings, WebhookSettings)
        said = plan.messages[0]
        return await Webhook(settings, self._version).send(message_id(said.record), dict(status_view(said)), now)

    async def _wait(self, plan: Plan, seen: int) -> None:
        """Until it is due, or if nothing waits, until something new was said."""
        if plan.again is not None:
            ahead = (plan.again - self._clock.now()).total_seconds()
            # In steps: a test that succeeds makes it due earlier, a clock may be put forward.
            await asyncio.sleep(min(max(ahead, 0.0), LOOK_SECONDS))
            return
        while not self._ended.is_set():
            await asyncio.sleep(LOOK_SECONDS)
            if plan.gone or await asyncio.to_thread(self._newest) != seen:
                return


def _told(settings: Chosen) -> Told:
    asked = Asked(
        package=",".join(settings.packages),
        place=",".join(settings.places),
        below=",".join(settings.sites),
        number=",".join(map(str, settings.numbers)),
        severity=settings.severity,
        type=",".join(settings.types),
    )
    gathering = None
    if isinstance(settings, EmailSettings):
        gathering = Gathering(first_seconds=settings.first_seconds, every_seconds=settings.every_seconds, lines=settings.lines)
    digest = hashlib.sha256(repr(settings).encode()).hexdigest()
    return Told(to=Receiver(name=settings.name, settings=digest, asked=asked, gathering=gathering), settings=settings)


def outcome_view(name: str, answer: Answer, began: dt.datetime, now: dt.datetime) -> dict[str, object]:
    """What became of a test, for people."""
    told = answer.outcome is Outcome.TOLD
    return {
        "id": name,
        "name": name,
        "told": told,
        "answer": answer.said,
        "seconds": (now - began).total_seconds(),
        "time": iso(now),
    }
