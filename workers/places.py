"""Has the places found of photos whose position is new: at once where one is imported, else by a job."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings

from core.commands.places import record_place
from core.domain.places import PlaceFound
from core.readmodels.places import Waiting, place_waiting, places_older, places_waiting
from workers.children import run_in_child
from workers.queue import NewJob, defer_batch

if TYPE_CHECKING:
    from workers.pipelines.places import Located

TASK = "find_places"
_ACTOR = "worker:places"
_BATCH = 500
_SECONDS = 60


def find_places(photos: Sequence[UUID] | None = None) -> int:
    """Find the places of these photos, or of all that wait; how many were found. Twice is harmless."""
    waiting = places_waiting(photos, _BATCH)
    _look_up(waiting)
    if photos is None and len(waiting) == _BATCH:
        call_for_places()
    return len(waiting)


def find_older(library: UUID) -> int:
    """Find the places of a library anew that an older map or list of towns has found."""
    from workers.pipelines.places import SOURCE, source_version  # brings numpy, which few programs need

    older = places_older(library, f"{SOURCE} {source_version()}", _BATCH)
    _look_up(older)
    if len(older) == _BATCH:
        call_for_older(library)
    return len(older)


def _look_up(waiting: Sequence[Waiting]) -> None:
    if not waiting:
        return
    from workers.pipelines.places import locate  # see above

    positions = [(one.latitude, one.longitude) for one in waiting]
    found: list[Located] = run_in_child(
        "decode", locate, positions, seconds=_SECONDS, memory_mib=settings.CHILD_MEMORY_MIB
    )
    for one, located in zip(waiting, found, strict=True):
        _record(one, located)


def settle_place(photo: UUID, position: tuple[float, float] | None, located: "Located | None") -> None:
    """What is known of a photo's position since its file was read. Where another source counts, a job looks."""
    waiting = place_waiting(photo)
    if waiting is None:
        return
    if located is not None and position == (waiting.latitude, waiting.longitude):
        _record(waiting, located)
    else:
        call_for_places([photo])


def call_for_places(photos: Iterable[UUID] | None = None) -> None:
    """Have places found after the commit, of these photos or of all that wait."""
    wanted = [{"photo": str(photo)} for photo in photos] if photos is not None else [{}]
    defer_batch([NewJob(TASK, queue="files", args=args, priority=3) for args in wanted])


def call_for_older(library: UUID) -> None:
    """Have what waits in a library found, and what an older version has found, after the commit."""
    defer_batch([NewJob(TASK, queue="files", args={"library": str(library)}, priority=3)])


def _record(one: Waiting, located: "Located") -> None:
    from workers.pipelines.places import SOURCE, source_version  # see above

    found = PlaceFound(
        one.latitude,
        one.longitude,
        located.country,
        located.region,
        located.city,
        located.code,
        located.sea,
        located.zone,
        SOURCE,
        source_version(),
    )
    record_place(one.photo, found, asked=one.asked, actor=_ACTOR)
