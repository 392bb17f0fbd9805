"""What may be done with a photo. Each command loads, decides and appends in one short transaction."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from core.commands.decisions import Decision, settle
from core.commands.log import load_photo, photo_of, state_after, write
from core.commands.looks import record_looks
from core.domain import photos
from core.domain.looks import LooksFound, is_news, looks_id
from core.domain.photos import Fact, PhotoNotFound, Step
from core.domain.streams import photo_stream
from events.store import EventIdConflict

_NAMESAKES = 1000


def import_photo(
    found: photos.PhotoImported,
    read: photos.MetadataRead,
    *,
    actor: str,
    holder: UUID | None = None,
    gone: Iterable[UUID] = (),
    listed: bool = True,
) -> UUID:
    """Record that a file holds this content; importing twice, or from two places at once, is harmless.

    `holder` is the photo that holds this content already; `gone` names files that are not where they were, so that
    a file found now may be one of them that was moved. `listed` says that the file is known as that photo's.
    """
    complete = photos.MetadataRead(read.step_version, with_date(read.facts, found.file.mtime_ns), read.notes)
    decide = partial(photos.decide_import, found=found, read=complete, gone=frozenset(gone), listed=listed)
    for attempt in range(_NAMESAKES):
        photo_id = holder or photos.photo_id(found.library, found.sha256, attempt)
        # A photo that began with this content and was edited since has the id that this one would have had.
        with suppress(photos.OtherContent):
            _decide(photo_id, decide, actor)
            return photo_id
    raise photos.OtherContent(found.sha256)


def replace_content(photo_id: UUID, found: photos.PhotoImported, read: photos.MetadataRead, *, actor: str) -> bool:
    """Record that a file of this photo holds something else now; whether the photo went along with it.

    If not, the file is no longer this photo's, and its content is to be imported as another's.
    """
    complete = photos.MetadataRead(read.step_version, with_date(read.facts, found.file.mtime_ns), read.notes)
    _decide(photo_id, lambda photo: photos.decide_replaced(photo, found, complete), actor)
    return load_photo(photo_id).sha256 == found.sha256


def remove_file(photo_id: UUID, file_id: UUID, reason: str, *, actor: str) -> None:
    """Record that a file no longer holds this photo's content."""
    _decide(
        photo_id,
        lambda photo: [photos.FileGone(file_id, reason)] if file_id in photo.files else [],
        actor,
    )


def take_out(photo_id: UUID, reason: str, *, actor: str) -> None:
    """Show a photo no longer whose originals are all missing. Raises NotMissing, PhotoNotFound."""
    _decide(photo_id, lambda photo: photos.decide_taken_out(photo, reason), actor, must_exist=True)


def record_metadata(photo_id: UUID, read: photos.MetadataRead, mtime_ns: int, *, actor: str, content: str) -> None:
    """Record what the file says, read again by a newer version; not of other content than the photo's."""
    complete = photos.MetadataRead(read.step_version, with_date(read.facts, mtime_ns), read.notes)

    def decide(photo: photos.Photo) -> Sequence[photos.PhotoEvent]:
        return [complete] if photo.sha256 == content else []

    _decide(photo_id, decide, actor, must_exist=True)


def record_previews(
    photo_id: UUID, result: photos.PreviewsRendered, *, actor: str, content: str | None = None
) -> None:
    """Record the previews of a photo; a second result of the same step version is no news.

    `content` is the hash of what they were made from: those of an older version of the photo come too late.
    """
    _record_result(photo_id, Step.PREVIEWS, result, actor, content)


def record_rendered(
    photo_id: UUID, result: photos.PreviewsRendered, looks: LooksFound, *, actor: str, content: str
) -> None:
    """Record previews and how the photo looks in them: together, or each for itself where one is known already.

    Those of an older version of the photo come too late. Raises PhotoNotFound.
    """
    if not _record_result(photo_id, Step.PREVIEWS, result, actor, content, looks):
        record_previews(photo_id, result, actor=actor, content=content)
        record_looks(photo_id, looks, actor=actor)


def record_step_failed(photo_id: UUID, failure: photos.StepFailed, run: int, *, actor: str) -> None:
    """Record that a step's job died; `run` counts its runs, so that each death is recorded once."""
    _existing(photo_id)
    failure_id = photos.failure_id(photo_id, failure.step, failure.job, run)
    write(photo_stream(photo_id), [failure], actor=actor, ids=[failure_id])


def retry_step(photo_id: UUID, step: Step, *, actor: str) -> None:
    """Have a failed step tried again. Raises NothingToRetry, PhotoNotFound."""
    _decide(photo_id, lambda photo: photos.decide_retry(photo, step), actor, must_exist=True)


def set_aside_step(photo_id: UUID, step: Step, *, actor: str) -> None:
    """Stop reminding of a failed step. Raises NothingToRetry, PhotoNotFound."""
    _decide(photo_id, lambda photo: photos.decide_set_aside(photo, step), actor, must_exist=True)


def with_date(facts: dict[str, Fact], mtime_ns: int) -> dict[str, Fact]:
    """The facts, dated by the file's time when nothing better is known: every photo has a place in time.

    The file's time is put on the wall clock of this machine here, once, so that a replay needs no clock.
    """
    if "taken_at" in facts:
        return facts
    local = datetime.fromtimestamp(mtime_ns / 1e9).astimezone()
    offset = local.strftime("%z")
    return {
        **facts,
        "taken_at": Fact(local.replace(tzinfo=None).isoformat(timespec="milliseconds"), "file time"),
        "taken_offset": Fact(f"{offset[:3]}:{offset[3:]}", "file time"),
    }


def _record_result(
    photo_id: UUID,
    step: Step,
    result: photos.PreviewsRendered,
    actor: str,
    content: str | None,
    looks: LooksFound | None = None,
) -> bool:
    """Whether the result was recorded, with the looks if there are any: all or nothing."""
    with transaction.atomic():
        photo = _existing(photo_id)
        news = photos.decide_result(photo, step, result)
        if not news or content not in (None, photo.sha256):
            return False
        ids = [photos.result_id(photo_id, step, result.step_version, photo.edition)]
        if looks is not None and is_news(looks, photo.sha256):
            news, ids = [*news, looks], [*ids, looks_id(photo_id, looks, photo.edition)]
        try:
            done = write(photo_stream(photo_id), news, actor=actor, ids=ids)
        except EventIdConflict:
            return False  # another worker's result of the same step came first
        # The append holds the stream's lock until commit: of two steps that end together, the second
        # sees the first here, and just one of them finds the photo complete.
        follow_up = photos.decide_processed(state_after(photo_id, photo, news, done))
        write(photo_stream(photo_id), follow_up, actor=actor)
    return True


def _decide(
    photo_id: UUID,
    decide: Callable[[photos.Photo], Sequence[photos.PhotoEvent]],
    actor: str,
    *,
    must_exist: bool = False,
) -> None:
    missing = PhotoNotFound(str(photo_id)) if must_exist else None
    settle(Decision(photo_stream(photo_id), lambda stored: decide(photo_of(stored)), missing), actor=actor)


def _existing(photo_id: UUID) -> photos.Photo:
    photo = load_photo(photo_id)
    if not photo.exists:
        raise PhotoNotFound(str(photo_id))
    return photo
