"""Makes the previews of a photo from its original, and makes those again that are gone or spoilt."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from django.conf import settings

from core.commands import photos as photo_commands
from core.domain import photos
from core.readmodels.photos import Photo, photo_by_id
from core.storage import preview_path, put_in_place, working_folder
from workers import looking
from workers.children import run_in_child
from workers.errors import JobError, TransientError
from workers.pipelines.versions import PREVIEWS_VERSION

if TYPE_CHECKING:
    from workers.pipelines.previews import Previews

UNREADABLE = "preview-unreadable"
NO_ORIGINAL = "the original is not there; it goes on once it is back"
DECODE_SECONDS = 20
_ACTOR = "worker:previews"
_NAMES = ("tile", "large")

Result = TypeVar("Result")


def revision_today(sha256: str) -> str:
    """What the previews of a content are called that are made by this version of Filmroll."""
    return f"{sha256[:12]}-{PREVIEWS_VERSION}"


def previews_are_there(photo: UUID, revision: str) -> bool:
    """Whether the files are there that the row tells of."""
    return all(preview_path(photo, revision, name).is_file() for name in _NAMES)


def render(photo: Photo) -> str:
    """Decode the original once, in a child process, and put tile and large preview in their place; says how."""
    from workers.imports import find_original  # what reads files is loaded where some are read
    from workers.pipelines import previews

    original = find_original(photo)
    if original is None:
        return NO_ORIGINAL
    orientation = photo.facts.get("orientation", {}).get("value")
    revision = revision_today(photo.sha256)
    with working_folder() as folder:
        made: previews.Previews = run_in_child(
            "decode",
            previews.render_previews,
            original,
            photo.kind,
            folder,
            orientation,
            seconds=DECODE_SECONDS,
            memory_mib=settings.CHILD_MEMORY_MIB,
        )
        put_in_place(folder / made.tile.name, preview_path(photo.id, revision, "tile"))
        put_in_place(folder / made.large.name, preview_path(photo.id, revision, "large"))
    result, content = _rendered(made, revision), photo.sha256
    if made.looks is None:
        photo_commands.record_previews(photo.id, result, actor=_ACTOR, content=content)
    else:
        found = looking.looks_found(photo, content, made.looks, (made.width, made.height))
        photo_commands.record_rendered(photo.id, result, found, actor=_ACTOR, content=content)
    return made.method


def with_previews(photo: Photo, work: Callable[[Photo], Result]) -> Result:
    """Do what reads the previews of a photo; those that are gone or no pictures any more are made again first.

    They can always be: that is no failure which a person would have to hear of.
    """
    if not previews_are_there(photo.id, photo.revision):
        return work(_anew(photo))
    try:
        return work(photo)
    except JobError as error:
        if error.code != UNREADABLE:
            raise
        return work(_anew(photo))


def _anew(photo: Photo) -> Photo:
    if render(photo) == NO_ORIGINAL:
        raise TransientError(
            "preview-gone",
            "The preview of this photo is gone or spoilt, and its original is not there to make another from it. "
            "Connect its disk, or put the file back, and press Retry.",
        )
    return photo_by_id(photo.id)


def _rendered(made: "Previews", revision: str) -> photos.PreviewsRendered:
    return photos.PreviewsRendered(
        step_version=PREVIEWS_VERSION,
        revision=revision,
        width=made.width,
        height=made.height,
        tile=photos.Rendition(made.tile.width, made.tile.height, made.tile.bytes),
        large=photos.Rendition(made.large.width, made.large.height, made.large.bytes),
        thumbhash=made.thumbhash,
        method=made.method,
        notes=tuple(made.notes),
        likeness=made.likeness,
    )
