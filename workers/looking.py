"""How photos look: what was measured on a preview becomes what is recorded, and older ones are looked at again."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from core import singlerows
from core.domain import styles
from core.domain.analysis import Analysis
from core.domain.colours import written
from core.domain.looks import PIXELS, LooksFound, Shade, StyleFound, told_by_file
from core.readmodels.libraries import Library
from core.readmodels.looks import Looked
from core.readmodels.photos import Photo
from workers.pipelines.versions import LOOKS_VERSION
from workers.queue import NewJob, defer_batch

if TYPE_CHECKING:
    from workers.pipelines.looks import Looks

_DIGITS = 4
_BOTH = (Analysis.COLOURS, Analysis.STYLES)
_BATCH = 1000


def looks_found(photo: Photo, content: str, made: "Looks", size: tuple[int, int]) -> LooksFound:
    """What is recorded of a photo: the colours, and the styles by what was measured and what the file says.

    `size` is the width and height of the upright original. What the library does without is not recorded.
    """
    off = _off(photo.library_id)
    known = {name: fact["value"] for name, fact in photo.facts.items()}
    told = told_by_file(known, kind=photo.kind, name=photo.name, width=size[0], height=size[1])
    return LooksFound(
        content=content,
        model=PIXELS,
        model_version=str(LOOKS_VERSION),
        colours=None
        if Analysis.COLOURS in off
        else tuple(Shade(str(one.name), one.share, written(one.mean)) for one in made.shades),
        styles=None
        if Analysis.STYLES in off
        else tuple(
            StyleFound(str(one.style), {name: round(value, _DIGITS) for name, value in one.measured.items()})
            for one in styles.styles_of({**made.measured, **told})
        ),
    )


def queue_again(library: UUID, *, older: bool) -> int:
    """Have photos of a library looked at that never were, and with `older` those of an older version; how many.

    What the library does without is not missed.
    """
    count, photos = 0, _undone(library, older)
    while some := list(islice(photos, _BATCH)):
        defer_batch([NewJob("find_looks", queue="previews", args={"photo": str(photo)}) for photo in some])
        count += len(some)
    return count


def _undone(library: UUID, older: bool) -> Iterator[UUID]:
    wanted: dict[str, Any] = {str(one): True for one in _BOTH if one not in _off(library)}
    if not wanted:
        return
    if older:
        wanted |= {"model": PIXELS, "model_version": str(LOOKS_VERSION)}
    done = Looked.objects.filter(photo_id=OuterRef("id"), **wanted)
    ready = Photo.objects.filter(library_id=library, hidden="").exclude(revision="")
    yield from ready.filter(~Exists(done)).order_by("id").values_list("id", flat=True).iterator()


def _off(library: UUID) -> set[str]:
    return set(singlerows.one_value(Library, library, "analyses_off") or ())
