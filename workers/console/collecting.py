"""What an operation is about: read part by part by a worker, as the page showed it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils import timezone
from procrastinate.contrib.django import app

from workers.console import deaths, listing
from workers.console.live import workers
from workers.console.search import Filter, parse
from workers.console.states import State
from workers.models import Operation
from workers.operationacts import COLLECT
from workers.operations import Thing, freeze_scope
from workers.retries import RetryPolicy
from workers.retryall import failed_things, is_over_failures

_AT_A_TIME = 5_000


@dataclass(frozen=True, slots=True)
class Group:
    """The dead letters of one task with one kind of error."""

    task: str
    fingerprint: str


@app.task(name=COLLECT, queue="operations", retry=RetryPolicy())
def collect_operation(operation: int) -> None:
    """Freeze the scope of an operation."""
    one = Operation.objects.get(id=operation)
    freeze_scope(operation, failed_things(one) if is_over_failures(one) else _jobs(wanted_of(one)))


def written_down(state: State | None, text: str) -> str:
    """A search as an operation keeps it."""
    return json.dumps({"state": state, "text": text})


def group_written_down(group: Group) -> str:
    """A group of dead letters as an operation keeps it."""
    return json.dumps({"task": group.task, "fingerprint": group.fingerprint})


def wanted_of(one: Operation) -> Filter | Group:
    """What an operation is about; times like "2h ago" are told from when it was asked for."""
    kept = json.loads(one.wanted)
    if "fingerprint" in kept:
        return Group(kept["task"], kept["fingerprint"])
    state = State(kept["state"]) if kept["state"] else None
    return parse(kept["text"], one.created_at or timezone.now(), state)


def page_of(wanted: Filter | Group, after: str, alive: list[int], size: int) -> listing.Page:
    """A part of the jobs, from where the part before it ended."""
    if isinstance(wanted, Group):
        return deaths.page_of_group(wanted.task, wanted.fingerprint, after, size)
    return listing.page_of(wanted, after, alive, size)


def _jobs(wanted: Filter | Group) -> Iterator[list[Thing]]:
    alive = [worker.id for worker in workers() if worker.lives]
    after = ""
    while True:
        page = page_of(wanted, after, alive, _AT_A_TIME)
        yield [Thing(job) for job in page.ids]
        after = page.next
        if not after:
            return
