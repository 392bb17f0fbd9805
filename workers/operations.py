"""Acts on many jobs, in the background: the scope is frozen first, then a worker goes through it at a rate.

Each batch (the acts, the outcome of each job, the progress) is one transaction that holds the operation's row: a
batch counts wholly or not at all whoever is killed, and once `cancel_operation` returns nothing more is changed.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from events.pulse import pulse
from workers.actions import PULSE_CHANNEL
from workers.models import JobAction, Operation, OperationItem
from workers.operationacts import ACTS, BATCHES, COLLECT, TASK
from workers.queue import defer

RATE = 200
QUEUE = "operations"
# More than this are left to the next operation.
MOST = 1_000_000
_BATCH_SECONDS = 0.2
# A job that runs no longer than this hands the rest on to a new one, so a killed worker costs no more.
_SLICE_SECONDS = 5.0
_CANARY_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Terms:
    """How an operation is to be carried out: `rate` in a second, `canary` first, and no more if those fail."""

    act: str
    reason: str = ""
    rate: int = RATE
    canary: int = 0


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of a scope: a job, or what `key` and `subject` name, whose job may be unknown (0)."""

    job: int
    key: str = ""
    subject: str = ""


def ask_operation(terms: Terms, wanted: str, actor: str, scope: str) -> int:
    """Have a worker freeze what is `wanted` and go through it; the operation's id. The request waits for nothing.

    `wanted` is what the worker that collects reads the scope from; jobs that come later are left out.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(max(id), 0) FROM procrastinate_jobs")
        one = Operation.objects.create(
            act=terms.act,
            actor=actor,
            scope=scope,
            reason=terms.reason,
            rate=terms.rate,
            canary=terms.canary,
            state="collecting",
            wanted=wanted,
            up_to=cursor.fetchone()[0],
            total=0,
            created_at=timezone.now(),
        )
        reason = f"{scope}{f' ({terms.reason})' if terms.reason else ''}"
        _audit(one, f"{terms.act} all", reason, actor)
        defer(COLLECT, args={"operation": one.id}, queue=QUEUE, priority=90)
    return one.id


def freeze_scope(operation_id: int, parts: Iterable[Sequence[Thing]]) -> None:
    """Give an operation that is collecting its scope, and begin. One transaction: the scope is whole or none."""
    with transaction.atomic():
        one = Operation.objects.select_for_update().get(id=operation_id)
        if one.state != "collecting":
            return
        for things in parts:
            taken = [thing for thing in things if one.up_to is None or thing.job <= one.up_to][: MOST - one.total]
            _add(one.id, taken, one.total)
            one.total += len(taken)
            if one.total >= MOST:
                break
        one.state = "running"
        one.save(update_fields=["total", "state"])
        if one.total:
            _hand_on(one.id)
        else:
            _end(one, "done", "Nothing matched any more.")


def cancel_operation(operation_id: int, actor: str, name: str = "") -> bool:
    """Stop after the batch under way; False when it had ended before. `name` is the actor's, for people."""
    with transaction.atomic():
        one = (
            Operation.objects.select_for_update()
            .filter(id=operation_id, state__in=("running", "collecting"))
            .first()
        )
        if one is None:
            return False
        _end(one, "cancelled", f"Cancelled by {name or actor}.")
        _audit(one, "cancelled operation", f"after {one.done + one.skipped:,} of {one.total:,}", actor)
    return True


def _add(operation_id: int, things: Sequence[Thing], behind: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO job_operation_item (operation_id, position, job_id, key, subject)"
            " SELECT %s, %s + place, job, key, subject"
            "   FROM unnest(%s::bigint[], %s::text[], %s::text[]) WITH ORDINALITY AS x(job, key, subject, place)",
            [
                operation_id,
                behind,
                [thing.job for thing in things],
                [thing.key for thing in things],
                [thing.subject for thing in things],
            ],
        )


def run_slice(operation_id: int) -> None:
    """Go on with an operation for some seconds, at its rate, and hand the rest on."""
    began, taken = time.monotonic(), 0
    while True:
        last = time.monotonic() - began > _SLICE_SECONDS
        count = _batch(operation_id, hand_on=last)
        if count == 0 or last:
            return
        taken += count
        rate = Operation.objects.values_list("rate", flat=True).get(id=operation_id)
        # By the clock, not by a pause a batch: what a batch takes is part of its time.
        time.sleep(max(0.0, began + taken / rate - time.monotonic()))


def _batch(operation_id: int, hand_on: bool) -> int:
    """Act on the next jobs; how many, 0 when this slice is over."""
    with transaction.atomic():
        one = Operation.objects.select_for_update().get(id=operation_id)
        gone_through = one.done + one.skipped
        if one.state != "running" or not _canary_lets_on(one, gone_through):
            return 0
        size = min(max(1, round(one.rate * _BATCH_SECONDS)), BATCHES.get(one.act, one.rate))
        if gone_through < one.canary:
            size = min(size, one.canary - gone_through)
        items = list(
            OperationItem.objects.filter(operation_id=one.id, position__gt=gone_through).order_by("position")[
                :size
            ]
        )
        _act(one, items)
        if gone_through + len(items) >= one.total:
            _end(one, "done", "")
            return 0
        if hand_on:
            _hand_on(one.id)
        return len(items)


def _act(one: Operation, items: list[OperationItem]) -> None:
    results = ACTS[one.act](items, one.actor, one.reason)
    for item, result in zip(items, results, strict=True):
        item.outcome, item.reason = ("done" if result.done else "skipped"), result.reason
    OperationItem.objects.bulk_update(items, ["outcome", "reason"])
    done = sum(result.done for result in results)
    one.done, one.skipped = one.done + done, one.skipped + len(results) - done
    one.save(update_fields=["done", "skipped"])
    pulse(PULSE_CHANNEL)


def _canary_lets_on(one: Operation, gone_through: int) -> bool:
    """Whether the first few have ended well, where that is asked; comes back to it while they are under way.

    A run that only waited for the world (a full disk) says nothing of its job: that is under way still.
    """
    if one.act != "retry" or not one.canary or gone_through != one.canary:
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE j.status IN ('todo', 'doing')),"
            "       count(*) FILTER (WHERE j.status = 'failed'"
            "                           OR j.status IN ('todo', 'doing') AND j.attempts > filmroll_waits(j.id))"
            "  FROM job_operation_item AS i JOIN procrastinate_jobs AS j ON j.id = i.job_id"
            " WHERE i.operation_id = %s AND i.position <= %s AND i.outcome = 'done'",
            [one.id, one.canary],
        )
        open_still, failed = cursor.fetchone()
    if failed:
        _end(one, "stopped", f"{failed} of the first {one.canary} failed again, so the rest was left alone.")
    elif open_still:
        _hand_on(one.id, _CANARY_AGAIN_SECONDS)
    return not failed and not open_still


def _hand_on(operation_id: int, seconds: float = 0) -> None:
    at = timezone.now() + timedelta(seconds=seconds) if seconds else None
    defer(TASK, args={"operation": operation_id}, queue=QUEUE, priority=90, scheduled_at=at)


def _end(one: Operation, state: str, note: str) -> None:
    one.state, one.note, one.ended_at = state, note, timezone.now()
    one.save(update_fields=["state", "note", "ended_at"])
    pulse(PULSE_CHANNEL)


def _audit(one: Operation, action: str, reason: str, actor: str) -> None:
    told = {"subject": f"operation {one.id}", "at": timezone.now()}
    JobAction.objects.create(job_id=0, action=action, actor=actor, reason=reason, **told)
