"""Which queues a worker serves, and how many jobs of each at once."""

from dataclasses import dataclass

from django.conf import settings

from workers import presets
from workers.catalog import BY_ANALYSIS
from workers.retries import ALONE


@dataclass(frozen=True, slots=True)
class Lane:
    """Queues that share a number of slots: one job each at a time."""

    queues: tuple[str, ...]
    concurrency: int


def _labels() -> tuple[str, ...]:
    """A queue for all that photos show, and one for each model that they wait for.

    What words mean is described in one of these too, where that is installed: a queue that waits is looked after
    every half a minute.
    """
    models = (model for model in BY_ANALYSIS.values() if not model.is_preset or presets.is_installed())
    return ("labels", *(f"labels-{model.analysis}" for model in models))


LANES: dict[str, Lane] = {
    # A walk through a large folder takes minutes and waits for the disk: it must not take a picture's slot.
    "scan": Lane(("scan",), 1),
    # One more than there are children: while a job writes its result down, its child has the next picture already.
    "media": Lane(("files", "previews"), settings.CONCURRENCY + 1),
    "alone": Lane((ALONE,), 1),
    # Acts on many jobs take minutes and mostly wait: they must not wait for a walk through a folder.
    "operations": Lane(("operations",), 1),
    # After an upgrade read models are filled anew for minutes or hours, and nothing else waits for it.
    "rebuilding": Lane(("rebuilding",), 1),
    # One owner's faces are grouped by one job at a time anyway.
    "people": Lane(("people",), 1),
    # More than there are children: while one job is at the database, another one's picture is looked at.
    "analysis": Lane(_labels(), 3),
}
