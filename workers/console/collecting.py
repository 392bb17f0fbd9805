"""Which jobs an operation over a search is about: read page by page by a worker, as the list shows them."""

import json
from collections.abc import Iterator, Sequence

from django.utils import timezone
from procrastinate.contrib.django import app

from workers.console import listing
from workers.console.live import workers
from workers.console.search import Filter, parse
from workers.console.states import State
from workers.models import Operation
from workers.operations import COLLECT, freeze_scope
from workers.retries import RetryPolicy

_AT_A_TIME = 5_000


@app.task(name=COLLECT, queue="operations", retry=RetryPolicy())
def collect_operation(operation: int) -> None:
    """Freeze the scope of an operation over a search."""
    one = Operation.objects.get(id=operation)
    freeze_scope(operation, _pages(wanted_of(one)))


def written_down(state: State | None, text: str) -> str:
    """A search as an operation keeps it."""
    return json.dumps({"state": state, "text": text})


def wanted_of(one: Operation) -> Filter:
    """The search that an operation is about; times like "2h ago" are told from when it was asked for."""
    kept = json.loads(one.wanted)
    state = State(kept["state"]) if kept["state"] else None
    return parse(kept["text"], one.created_at or timezone.now(), state)


def _pages(wanted: Filter) -> Iterator[Sequence[int]]:
    alive = [worker.id for worker in workers() if worker.lives]
    after = ""
    while True:
        page = listing.page_of(wanted, after, alive, _AT_A_TIME)
        yield page.ids
        after = page.next
        if not after:
            return
