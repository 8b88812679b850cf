"""The engine Haulage had before: DBOS (MIT), told to keep to our rules, on a database of its own. Here only to be measured; needs
``pip install dbos==3.4.0``.

One workflow function serves every kind, without steps: a job that was interrupted runs again from its beginning. One queue per
kind, partitioned, so that one partition never has two jobs at once. Its queues poll; ``Pulse`` in place of its own event lets them
look at once when something was handed over, often while something runs, seldom otherwise.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from haulage.base.clock import Clock
from haulage.base.errors import TransferError
from haulage.engine.jobs.engine import JobFunction, Kinds, OnDefect, Submission, report_defect

_APPLICATION = "haulage"
_VERSION = "haulage-jobs-1"
"""Constant: DBOS would derive one from the code, and then never pick up what another version queued."""

_WORKFLOW = "haulage_job"
_SCHEMA = "haulage_jobs"
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_SWEEP_BATCH = 500
BUSY_SECONDS = 0.1

_log = logging.getLogger("haulage.jobs")


class Pulse:
    """Stands in for the event on which the library's threads wait between two looks, and by which they are told to stop."""

    def __init__(self, stop: threading.Event, busy: Callable[[], bool]) -> None:
        self._stop = stop
        self._busy = busy
        self._changed = threading.Condition()
        self._rung = 0
        self._stopping = False

    def wake(self) -> None:
        """Let everybody look now."""
        with self._changed:
            self._rung += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """The same, for the last time."""
        self._stopping = True
        self.wake()

    def is_set(self) -> bool:
        """Whether to stop."""
        return self._stopping or self._stop.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the next look; whether to stop instead."""
        with self._changed:
            before = self._rung
            if not self.is_set():
                longest = min(BUSY_SECONDS, timeout or BUSY_SECONDS) if self._busy() else timeout
                self._changed.wait_for(lambda: self._rung != before, longest)
        return self.is_set()


class DurableJobs:
    """Implements JobEngine. DBOS is one per process: start a second one only after the first was stopped."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        executor: str = "server",
        poll_seconds: float = 1.0,
        on_defect: OnDefect | None = None,
    ) -> None:
        """``url``: where jobs are kept, ``sqlite:////PATH/jobs.db`` or PostgreSQL (in a schema of its own). ``executor``: the
        name of this process; the same name after a restart takes up what the killed process had in hand. ``poll_seconds``: how
        often an idle queue looks by itself; what is submitted here it looks for at once."""
        self._url = url
        self._clock = clock
        self._executor = executor
        self._poll_seconds = poll_seconds
        self._on_defect = on_defect
        self._kinds = Kinds()
        self._running: set[str] = set()
        self._waiting: set[str] = set()
        self._pulse: Pulse | None = None
        self._lock = threading.Lock()
        self._client: Any = None
        self._engine: Any = None

    def register(self, kind: str, function: JobFunction, workers: int, *, per_place: int | None = None) -> None:  # noqa: ARG002
        if self._client is not None:
            raise RuntimeError("kinds are registered before the engine starts")
        self._kinds.add(kind, function, workers)

    def start(self) -> None:
        from dbos import DBOS, DBOSClient, DBOSConfig

        self._engine = _open_engine(self._url)
        serializer = _serializer()
        config = DBOSConfig(
            name=_APPLICATION,
            system_database_url=self._url,
            system_database_engine=self._engine,
            dbos_system_schema=_SCHEMA,
            application_version=_VERSION,
            executor_id=self._executor,
            serializer=serializer,
            log_level="WARNING",
            enable_otlp=False,
            max_executor_threads=sum(kind.workers for kind in self._kinds.all()) + 8,
            notification_listener_polling_interval_sec=1.0,
        )
        DBOS(config=config)
        _quiet_logging()
        DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=None)(self._workflow())
        self._launch(DBOS.launch)
        for kind in self._kinds.all():
            DBOS.register_queue(
                kind.name,
                worker_concurrency=kind.workers,
                partition_concurrency=1,
                polling_interval_sec=self._poll_seconds,
                on_conflict="always_update",
            )
        self._client = DBOSClient(
            system_database_engine=self._engine,
            application_name=_APPLICATION,
            dbos_system_schema=_SCHEMA,
            serializer=serializer,
            retry_connection_errors=False,
        )

    def _launch(self, launch: Callable[[], None]) -> None:
        """Launch DBOS with our pulse in place of its own event. Should a later version have no such thread, its queues look at
        their interval, and nothing else is lost."""
        from dbos import _dbos

        inner: Any = _dbos
        original = getattr(inner, "queue_thread", None)

        def queue_thread(stop: threading.Event, instance: Any) -> None:
            assert original is not None
            self._pulse = Pulse(stop, self._busy)
            original(self._pulse, instance)

        if original is None:
            launch()
            return
        inner.queue_thread = queue_thread
        try:
            launch()
        finally:
            inner.queue_thread = original

    def stop(self, grace_seconds: float) -> None:
        from dbos import DBOS

        if self._client is None:
            return
        client, self._client = self._client, None
        if self._pulse is not None:
            self._pulse.stop()
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=round(grace_seconds) if self._running else 0)
        client.destroy()
        self._engine.dispose()

    def submit(
        self,
        kind: str,
        job_id: str,
        argument: str,
        *,
        partition: str,
        place: str = "",  # noqa: ARG002  (it limits by partition and by kind)
        delay_seconds: float = 0,
    ) -> Submission:
        from dbos import error as dbos_error

        self._kinds.checked(kind, job_id, partition)
        options: dict[str, Any] = {
            "queue_name": kind,
            "workflow_name": _WORKFLOW,
            "workflow_id": job_id,
            "workflow_id_reuse_policy": "reject",
            "queue_partition_key": partition,
            "app_version": _VERSION,
        }
        if delay_seconds > 0:
            options["delay_seconds"] = delay_seconds
        client = self._started()
        if delay_seconds <= 0:
            # Before it can begin, which may be at once.
            with self._lock:
                self._waiting.add(job_id)
        try:
            client.enqueue(options, kind, job_id, argument)
        except BaseException as error:
            self._no_longer_waiting(job_id)
            if isinstance(error, dbos_error.DBOSWorkflowIDInUseError):
                return self._state_of(job_id)
            raise
        self._wake()
        return Submission.ACCEPTED

    def _no_longer_waiting(self, job_id: str) -> None:
        with self._lock:
            self._waiting.discard(job_id)

    def _busy(self) -> bool:
        """Whether a job runs or waits, so that looking often is worth it."""
        return bool(self._running or self._waiting)

    def _wake(self) -> None:
        if self._pulse is not None:
            self._pulse.wake()

    def running(self) -> frozenset[str]:
        with self._lock:
            return frozenset(self._running)

    def sweep(self, keep_seconds: float) -> int:
        client = self._started()
        before = (self._clock.now() - dt.timedelta(seconds=keep_seconds)).isoformat()
        swept = 0
        while True:
            ended = client.list_workflows(
                status=_ENDED, completed_before=before, limit=_SWEEP_BATCH, load_input=False, load_output=False
            )
            if not ended:
                return swept
            client.delete_workflows([workflow.workflow_id for workflow in ended])
            swept += len(ended)

    def _workflow(self) -> Any:
        def haulage_job(kind: str, job_id: str, argument: str) -> None:
            self._run(kind, job_id, argument)

        return haulage_job

    def _run(self, kind: str, job_id: str, argument: str) -> None:
        self._no_longer_waiting(job_id)
        found = next((each for each in self._kinds.all() if each.name == kind), None)
        if found is None:
            _log.warning("job %s is of kind %s, which this version does not know; it is dropped", job_id, kind)
            return
        with self._lock:
            self._running.add(job_id)
        try:
            found.function(argument)
        except BaseException as defect:  # even SystemExit of a library must not end the worker's thread
            report_defect(job_id, defect, self._on_defect)
        finally:
            with self._lock:
                self._running.discard(job_id)

    def _state_of(self, job_id: str) -> Submission:
        found = self._started().list_workflows(workflow_ids=[job_id], load_input=False, load_output=False)
        return Submission.FINISHED if found and found[0].status in _ENDED else Submission.RUNNING

    def _started(self) -> Any:
        client = self._client
        if client is None:
            raise TransferError("jobs-stopped", "The job engine is not running.", "Start the server, or wait until it has started.")
        return client


def _open_engine(url: str) -> sa.Engine:
    """WAL, without which it is ten times slower, and a lighter ``synchronous``: what it keeps may be lost."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_size=24, max_overflow=40, pool_pre_ping=True)
    engine = sa.create_engine(parsed, pool_size=24, max_overflow=40)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _serializer() -> Any:
    """Payloads as JSON: DBOS would pickle them, and a database file must never be able to run code."""
    from dbos import Serializer

    class JsonSerializer(Serializer):
        def serialize(self, data: Any) -> str:
            return json.dumps(data, default=repr)

        def deserialize(self, serialized_data: str) -> Any:
            return json.loads(serialized_data)

        def name(self) -> str:
            return "haulage_json"

    return JsonSerializer()


def _quiet_logging() -> None:
    """DBOS writes to the console itself; its warnings go where ours go."""
    logger = logging.getLogger("dbos")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.propagate = True
    logger.setLevel(logging.WARNING)
