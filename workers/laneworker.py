"""One lane's worker: Procrastinate's, with no polling, no lost result, and no job stranded by a restart."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import structlog
from django.db import close_old_connections
from procrastinate import jobs, retry, utils
from procrastinate.app import App
from procrastinate.connector import BaseAsyncConnector
from procrastinate.exceptions import ConnectorException, JobRetry, TaskNotFound
from procrastinate.job_context import JobContext, JobResult
from procrastinate.worker import Worker

from workers import attempts, children
from workers.attempts import Ended, Fetched, Nothing
from workers.deadletters import tell_of_death
from workers.errors import ResourceError
from workers.lanes import Lane
from workers.presence import Presence
from workers.recording import failure_of, remember_error
from workers.requirements import REQUIREMENTS
from workers.retries import RetryPolicy, waits_for

# Jobs come by notification; this only bounds the damage of a notification that was lost.
SAFETY_NET = 300.0
REQUIREMENT_AGAIN = 30.0
_TROUBLE_SECONDS = (0.2, 0.5, 1.0, 2.0)
_log = structlog.get_logger(__name__)

Changed = Callable[[], None]


class LaneWorker(Worker):
    """One lane: fetches the jobs of its queues, runs up to its number at once, writes down how each ended."""

    def __init__(
        self, app: App, connector: BaseAsyncConnector, name: str, lane: Lane, presence: Presence, changed: Changed
    ) -> None:
        super().__init__(
            app=app,
            queues=lane.queues,
            name=name,
            concurrency=lane.concurrency,
            listen_notify=False,
            install_signal_handlers=False,
            task_middleware=app.worker_defaults.get("task_middleware"),
            worker_middleware=[remember_error],
        )
        self.lane_name = name
        self.waiting: dict[str, str] = {}
        self._connector = connector
        self._lane = lane
        self._presence = presence
        self._changed = changed
        self._met_until = 0.0
        self._troubles = 0
        self._doubtful = False

    @property
    def served_queues(self) -> tuple[str, ...]:
        """The queues of its lane."""
        return self._lane.queues

    @property
    def running(self) -> set["asyncio.Task[Any]"]:
        """The tasks of the jobs under way."""
        return set(self._running_jobs)

    @property
    def running_ids(self) -> set[int]:
        """The ids of the jobs under way."""
        return {context.job.id for context in self._running_jobs.values() if context.job.id}

    def wake(self) -> None:
        """Look for jobs now."""
        self._new_job_event.set()

    def doubt(self) -> None:
        """Before the next fetch, which is now: give back the jobs of this worker that nobody runs."""
        self._doubtful = True
        self.wake()

    def stop(self) -> None:
        """Fetch no more jobs; what runs goes on."""
        super().stop()  # type: ignore[no-untyped-call]
        self.wake()

    async def run(self) -> None:
        """Fetch and start jobs until stopped."""
        self._loop = asyncio.get_running_loop()
        while not self._stop_event.is_set():
            try:
                due_in = await self._drain()
                self._troubles = 0
                await self._rest(due_in)
            except ConnectorException as error:
                await self._weather(error)

    async def stop_asked(self) -> None:
        """End the runs of this lane that somebody has asked to stop, with their child processes."""
        running = {context.job.id: task for task, context in self._running_jobs.items() if context.job.id}
        for job_id in await attempts.asked_to_stop(self._connector, list(running)) if running else []:
            _log.info("a job is stopped as asked", job=job_id)
            # A thread cannot be ended; what it still does comes too late to count.
            running[job_id].cancel()
            await asyncio.to_thread(children.stop_job, job_id)

    async def hand_back(self) -> list[int]:
        """Put the jobs that still run back into the queue, as if they had never started."""
        if self.worker_id is None:
            return []  # it has never fetched
        return await attempts.hand_back(self._connector, self.worker_id)

    async def _drain(self) -> float | None:
        """Start jobs until none is ready; return the seconds until one falls due."""
        while await self._free_slot():
            # Before the fetch, not after it: a notification that comes meanwhile must not be forgotten.
            self._new_job_event.clear()
            self.worker_id = self._presence.ids[self.lane_name]
            if self._doubtful:
                await self._put_right()
            queues = await self._served()
            if not queues:
                return None
            match await attempts.fetch(self._connector, queues, self.worker_id):
                case Nothing(due_in):
                    return due_in
                case Fetched() as fetched:
                    self._start(fetched)
        return None

    async def _free_slot(self) -> bool:
        """Wait for a free slot; False when the worker is to stop."""
        while len(self._running_jobs) >= self.concurrency and not self._stop_event.is_set():
            await utils.wait_any(
                asyncio.wait(self._running_jobs, return_when=asyncio.FIRST_COMPLETED), self._stop_event.wait()
            )
            # The finished task's callback, which takes it out of the dictionary, comes one turn later.
            await asyncio.sleep(0)
        return not self._stop_event.is_set()

    async def _rest(self, due_in: float | None) -> None:
        """Until woken, or a job falls due, or what a queue was waiting for is there."""
        until = time.monotonic() + min(SAFETY_NET, SAFETY_NET if due_in is None else due_in + 0.005)
        while not self._new_job_event.is_set() and (left := until - time.monotonic()) > 0:
            step = min(left, REQUIREMENT_AGAIN) if self.waiting else left
            try:
                async with asyncio.timeout(step):
                    await self._new_job_event.wait()
            except TimeoutError:
                before = self.waiting
                if before and await self._look_at_requirements() != before:
                    return

    async def _weather(self, error: ConnectorException) -> None:
        """The database is away, or took this worker for dead: wait, and mind what got lost between."""
        self._troubles += 1
        _log.warning("jobs cannot be fetched now", lane=self.lane_name, error=_cause(error))
        self._doubtful = True
        self._presence.doubt()
        await asyncio.sleep(_pause(self._troubles))

    async def _put_right(self) -> None:
        """A fetch whose answer was lost may have taken a job all the same, and nobody runs it.

        Between two fetches, never beside one: a job just taken is in nobody's hands for a moment.
        """
        assert self.worker_id is not None
        self._doubtful = False  # before, not after: a doubt that comes meanwhile must not be forgotten
        if back := await attempts.hand_back(self._connector, self.worker_id, keep=self.running_ids):
            _log.warning("back in the queue: nobody ran them", lane=self.lane_name, jobs=back)

    async def _served(self) -> list[str]:
        """The queues whose requirements are met."""
        if time.monotonic() >= self._met_until:
            await self._look_at_requirements()
        return [queue for queue in self._lane.queues if queue not in self.waiting]

    async def _look_at_requirements(self) -> dict[str, str]:
        wanted = {queue: REQUIREMENTS[queue] for queue in self._lane.queues if queue in REQUIREMENTS}
        found = {queue: await asyncio.to_thread(check) for queue, check in wanted.items()}
        waiting = {queue: reason for queue, reason in found.items() if reason}
        self._met_until = time.monotonic() + (REQUIREMENT_AGAIN if wanted else float("inf"))
        if waiting != self.waiting:
            _log.info("queues that wait", lane=self.lane_name, waiting=waiting)
            await attempts.say_waiting(self._connector, self._presence.ids[self.lane_name], waiting)
            self.waiting = waiting
            self._changed()
        return self.waiting

    def _start(self, fetched: Fetched) -> None:
        job = fetched.job
        context = JobContext(
            app=self.app,
            worker_name=self.worker_name,
            worker_queues=self.queues,
            additional_context={"attempt": fetched.attempt, "run": fetched.run, "waited": fetched.waited},
            job=job,
            abort_reason=lambda: self._job_ids_to_abort.get(job.id) if job.id else None,
            start_timestamp=time.time(),
        )
        task = asyncio.create_task(self._run_job(context), name=f"job {job.id}")
        self._running_jobs[task] = context
        task.add_done_callback(self._on_done)
        self._changed()

    async def _run_job(self, context: JobContext) -> None:
        job = context.job
        about = {"job": job.id, "task": job.task_name, "photo": job.task_kwargs.get("photo")}
        with structlog.contextvars.bound_contextvars(**{key: value for key, value in about.items() if value}):
            await self._process_job(context)

    def _on_done(self, task: "asyncio.Task[Any]") -> None:
        context = self._running_jobs.pop(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("a job ended in a way nobody foresaw", job=context.job.id, exc_info=error)
        if context.job.lock:
            # Another job may be waiting for this lock, and nobody notifies of that.
            self.wake()
        self._changed()

    async def _persist_job_status(
        self,
        job: jobs.Job,
        status: jobs.Status,
        retry_decision: retry.RetryDecision | None,
        context: JobContext,
        job_result: JobResult | None,  # noqa: ARG002  # Procrastinate's signature
    ) -> None:
        assert job.id is not None and job.worker_id is not None
        error = self._error_of(status, context)
        if isinstance(error, ResourceError) and not retry_decision:
            error.settle()
        ended = Ended(
            job_id=job.id,
            worker_id=job.worker_id,
            attempt=context.additional_context["attempt"],
            status="todo" if retry_decision else status.value,
            at=retry_decision.retry_at if retry_decision else None,
            queue=retry_decision.queue if retry_decision else None,
            failure=failure_of(error) if error else None,
        )
        if retry_decision and ended.failure and waits_for(*ended.failure.verdict):
            ended = self._waiting(ended, context)
        if error and ended.status == "failed":
            await self._tell_of_death(context, ended, error)
        await self._write_down(ended)

    def _waiting(self, ended: Ended, context: JobContext) -> Ended:
        """The same, of a run that does not count. Its queue may have to wait as a whole: that is looked at now."""
        self._met_until = 0.0
        before = context.additional_context["waited"]
        task = self.app.tasks[context.job.task_name]
        assert isinstance(task.retry_strategy, RetryPolicy) and ended.failure is not None
        at = datetime.now(UTC) + timedelta(seconds=task.retry_strategy.pause(before))
        # The first says where it happened; a thousand more of the same would only fill the disk.
        failure = replace(ended.failure, traceback="") if before else ended.failure
        return replace(ended, at=at, failure=failure, counts=False)

    def _error_of(self, status: jobs.Status, context: JobContext) -> BaseException | None:
        if status in (jobs.Status.SUCCEEDED, jobs.Status.ABORTED):
            return None
        error: BaseException | None = context.additional_context.get("error")
        # A task that nobody knows fails before any middleware is called.
        return error or TaskNotFound(f"no task is named {context.job.task_name!r}")

    async def _tell_of_death(self, context: JobContext, ended: Ended, error: BaseException) -> None:
        try:
            if not await attempts.is_open(self._connector, ended.attempt):
                return
        except ConnectorException:
            pass  # the hook will wait for the database, or say that it failed
        job, run = context.job, context.additional_context["run"]
        await utils.sync_to_async(_tell_in_thread, dict(job.task_kwargs), job.task_name, ended.job_id, run, error)

    async def _write_down(self, ended: Ended) -> None:
        """Until the database has it: a result must not be lost because the server was being restarted."""
        tries = 0
        while True:
            try:
                if not await attempts.end_run(self._connector, ended):
                    _log.warning("a result came too late and changed nothing", job=ended.job_id)
                return
            except ConnectorException as error:
                tries += 1
                _log.warning("a result waits for the database", job=ended.job_id, error=_cause(error))
                if not isinstance(error.__cause__, psycopg.OperationalError):
                    # However odd an error's text, it must not keep the job from ending.
                    ended = _without_details(ended)
            await asyncio.sleep(_pause(tries))

    def _log_job_outcome(
        self,
        status: jobs.Status,
        context: JobContext,  # noqa: ARG002  # the log's context says which job
        job_result: JobResult | None,
        job_retry: JobRetry | None,
        exc_info: bool | BaseException = False,
    ) -> None:
        seconds = round(job_result.duration(time.time()) or 0, 3) if job_result else None
        error = exc_info if isinstance(exc_info, BaseException) else None
        told: dict[str, Any] = {"seconds": seconds, **({"error": str(error)[:500]} if error else {})}
        match status, job_retry:
            case jobs.Status.SUCCEEDED, _:
                _log.debug("job done", **told)
            case _, None:
                _log.warning("job failed for good", **told)
            case _:
                _log.warning("job failed and runs again", **told)


def _tell_in_thread(*args: Any) -> None:
    close_old_connections()
    try:
        tell_of_death(*args)
    finally:
        close_old_connections()


def _pause(tries: int) -> float:
    """Seconds until the next try; with jitter, so that the workers do not all knock at once."""
    return _TROUBLE_SECONDS[min(tries, len(_TROUBLE_SECONDS)) - 1] * random.uniform(0.5, 1)


def _cause(error: ConnectorException) -> str:
    return str(error.__cause__ or error).strip()


def _without_details(ended: Ended) -> Ended:
    return replace(ended, failure=None)
