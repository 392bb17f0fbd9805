"""How far the machine is: photos shown, waiting and failed; jobs by state; and when nothing is left to do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection
from django.db.models import Count

from core.readmodels.failures import Failure
from core.readmodels.files import FileState, PhotoFile
from core.readmodels.photos import Photo, PreviewState
from workers.schedules import FIRE
from workers.staff import held_queues
from workers.uploads import SWEEP


@dataclass(frozen=True, slots=True)
class PhotoCounts:
    """Photos shown; waiting for their import or preview; failed in any step; files skipped."""

    shown: int
    waiting: int
    failed: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Progress:
    """`jobs` counts by state; `held` maps a queue to why it is not worked on, and those jobs are not `left`."""

    photos: PhotoCounts
    jobs: Mapping[str, int]
    held: Mapping[str, str]
    left: int

    @property
    def idle(self) -> bool:
        return self.left == 0

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "idle": self.idle}


def progress() -> Progress:
    """Count everything, in a few indexed queries."""
    held = held_queues()
    jobs = _open_jobs()
    by_state: dict[str, int] = {"ready": 0, "retrying": 0, "scheduled": 0, "running": 0, "dead": 0, "held": 0}
    left = imports = 0
    for queue, task, state, count in jobs:
        shown = "held" if queue in held and state != "running" and state != "dead" else state
        by_state[shown] += count
        # What waits for its day (uploads that may yet go on, the next look through) is nothing left to do.
        if shown not in ("held", "dead") and not (task in (SWEEP, FIRE) and shown == "scheduled"):
            left += count
            imports += count if task == "import_file" else 0
    return Progress(_photos(imports), by_state, held, left)


def _photos(imports: int) -> PhotoCounts:
    states = dict(Photo.objects.filter(hidden="").values_list("preview_state").annotate(Count("id")))
    # Without an original there is nothing to make a preview from. Asked by itself: the index counts the states.
    lost = Photo.objects.filter(hidden="", missing=True, preview_state=PreviewState.WAITING).count()
    return PhotoCounts(
        shown=states.get(PreviewState.READY, 0),
        waiting=states.get(PreviewState.WAITING, 0) - lost + imports,
        failed=Failure.objects.filter(set_aside=False).count(),
        skipped=PhotoFile.objects.filter(state=FileState.SKIPPED).count(),
    )


def _open_jobs() -> list[tuple[str, str, str, int]]:
    """(queue, task, state, count) of the jobs that are not finished; finished ones are never counted."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT queue_name, task_name,
                   CASE WHEN status = 'doing' THEN 'running'
                        WHEN status = 'failed' THEN 'dead'
                        WHEN scheduled_at > now() AND attempts > 0 THEN 'retrying'
                        WHEN scheduled_at > now() THEN 'scheduled'
                        ELSE 'ready' END AS state,
                   count(*)
              FROM procrastinate_jobs
             WHERE status IN ('todo', 'doing', 'failed')
             GROUP BY 1, 2, 3
            """
        )
        rows: list[tuple[str, str, str, int]] = cursor.fetchall()
    return rows
