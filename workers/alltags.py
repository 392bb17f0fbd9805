"""All metadata of one original on demand, read in a child process; nothing of it is kept."""

from dataclasses import dataclass

from django.conf import settings

from core.readmodels.libraries import lies_at
from core.readmodels.photos import Photo
from workers.children import run_in_child
from workers.errors import classify
from workers.pipelines.alltags import Group, read_all_tags
from workers.pipelines.kinds import KINDS

_SECONDS = 20


@dataclass(frozen=True, slots=True)
class AllTags:
    """The tags in groups, or in plain words why there are none."""

    groups: list[Group]
    reason: str = ""


def all_tags_of(photo: Photo) -> AllTags:
    """Every tag of the file that the photo is known by."""
    place = lies_at(photo.folder_id, photo.path)
    limits = {"seconds": _SECONDS, "memory_mib": settings.CHILD_MEMORY_MIB}
    try:
        return AllTags(run_in_child("decode", read_all_tags, place, KINDS[photo.kind], **limits))
    except Exception as error:  # noqa: BLE001  # whatever happens to a file in a child is said, not raised
        return AllTags([], classify(error).reason)
