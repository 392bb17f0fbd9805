"""What follows from faces and from what people say of them: the jobs of the grouping."""

from collections.abc import Callable, Iterable
from uuid import UUID

from core.domain import analysis, codec, people
from core.domain.streams import subject_of
from core.readmodels.faces import PersonAct
from events.event import Event
from workers.queue import NewJob, defer_batch

QUEUE = "people"
# Somebody looks at the page and waits.
_BY_HAND = 50


def _faces_found(event: Event) -> None:
    """Also where there are none: those that were there are no more."""
    fact = codec.decode(event)
    assert isinstance(fact, analysis.FacesFound)
    defer_batch([NewJob("group_faces", queue=QUEUE, args={"photo": str(subject_of(event.stream_id))})])


def _acted(event: Event) -> None:
    _settle([subject_of(event.stream_id)], codec.decode(event))


def _undone(event: Event) -> None:
    fact: object = codec.decode(event)
    while isinstance(fact, people.ActUndone):  # an undoing may have been undone
        undone = PersonAct.objects.filter(id=fact.act).first()
        fact = undone.fact if undone else None
    _settle([subject_of(event.stream_id)], fact)


def _settle(about: list[UUID], fact: object) -> None:
    faces: Iterable[UUID] = ()
    match fact:
        case people.FacesMoved(faces=faces, source=source):
            about = [*about, *([source] if source else [])]
        case people.FacesConfirmed(faces=faces) | people.FacesRejected(faces=faces):
            pass
        case _:
            return
    args = {"people": [str(one) for one in about], "faces": [str(face) for face in faces]}
    defer_batch([NewJob("settle_people", queue=QUEUE, args=args, priority=_BY_HAND)])


def _grouping_asked(event: Event) -> None:
    args = {"owner": str(subject_of(event.stream_id))}
    defer_batch([NewJob("regroup_people", queue=QUEUE, args=args, priority=_BY_HAND)])


HANDLERS: dict[str, Callable[[Event], None]] = {
    "photo.faces_found": _faces_found,
    "person.faces_confirmed": _acted,
    "person.faces_moved": _acted,
    "person.faces_rejected": _acted,
    "person.act_undone": _undone,
    "people.grouping_asked": _grouping_asked,
}
