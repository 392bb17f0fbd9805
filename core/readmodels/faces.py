"""The faces and who they are: what the machine groups, what people said, and what follows from both."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import connection, models
from django.db.models import F, OuterRef, Q, Subquery

from core.domain import analysis, codec, libraries, people
from core.domain.placing import Word, denied_by, is_clear, is_whole, place, roots, words_of, worth
from core.domain.streams import subject_of
from core.readmodels.photos import Photo
from events.event import Event

# More faces are not named in a query.
_NAMED_ONE_BY_ONE = 5000


class Face(models.Model):
    """A face in a photo. `box`: left, top, right, bottom as fractions of the upright picture.

    `worth`: how much it says of who it is, 0 to 1; `clear`: enough for a group to begin with it; `whole`: enough
    of it is in the picture for the machine to say whose it is. `current`: it is in the picture as it is now.
    `group_id` is the machine's word, `words` what each act says of it; from both follow
    `home_id` (whose it is by itself), `person_id` (who that is after all merges) and `by_hand`.
    `owner_id`: whose the photo is, if it has changed hands since the face was found: only groups and words of
    theirs count. `former`: owner → the group that the face was in when it was theirs.
    """

    id = models.UUIDField(primary_key=True)
    photo_id = models.UUIDField()
    box = models.JSONField()
    size = models.FloatField()
    worth = models.FloatField()
    clear = models.BooleanField()
    whole = models.BooleanField(default=True, db_default=True)
    model = models.TextField()
    current = models.BooleanField(default=True)
    group_id = models.UUIDField(null=True)
    words = models.JSONField(default=list)
    home_id = models.UUIDField(null=True)
    person_id = models.UUIDField(null=True)
    by_hand = models.BooleanField(default=False)
    owner_id = models.UUIDField(null=True)
    former = models.JSONField(default=dict)

    class Meta:
        db_table = "face"
        indexes = [
            models.Index("photo_id", name="face_photo"),
            models.Index("person_id", F("worth").desc(), "id", name="face_person", condition=Q(current=True)),
            models.Index("home_id", name="face_home"),
            models.Index("group_id", name="face_group"),
        ]


class Person(models.Model):
    """A person or a group of the machine's. `root_id`: who it is known as, itself unless it was merged."""

    id = models.UUIDField(primary_key=True)
    owner_id = models.UUIDField()
    root_id = models.UUIDField()
    name = models.TextField(default="")
    birthday = models.TextField(default="")
    hidden = models.BooleanField(default=False)
    cover = models.UUIDField(null=True)

    class Meta:
        db_table = "person"
        indexes = [
            models.Index("root_id", name="person_root"),
            models.Index("owner_id", "name", name="person_named", condition=~Q(name="")),
        ]


class PersonAct(models.Model):
    """One act in a person's stream. `people`: everybody whom it is about; `counts`: it was not undone."""

    id = models.UUIDField(primary_key=True)
    position = models.BigIntegerField()
    person_id = models.UUIDField()
    people = ArrayField(models.UUIDField())
    type = models.TextField()
    data = models.JSONField()
    actor = models.TextField()
    at = models.DateTimeField()
    counts = models.BooleanField(default=True)

    class Meta:
        db_table = "person_act"
        indexes = [
            models.Index("person_id", "position", name="person_act_person"),
            GinIndex("people", name="person_act_people", fastupdate=False),
        ]

    @property
    def fact(self) -> object:
        return codec.fact_of(self.type, self.data)


# What each owner's machine said of a face stands by for the day on which it is theirs again. All in one go, for
# there may be hundreds of thousands; those that people spoke of are placed afterwards.
_HAND_OVER = """
UPDATE face SET owner_id = %(owner)s,
       former = former || CASE WHEN now.owner_id IS NULL THEN '{}'
                               ELSE jsonb_build_object(now.owner_id::text, group_id::text) END,
       group_id = now.id, home_id = now.id, person_id = now.root_id, by_hand = false
  FROM (SELECT f.id AS face, before.owner_id, after.id, after.root_id
          FROM face AS f JOIN photo AS p ON p.id = f.photo_id
          LEFT JOIN person AS before ON before.id = f.group_id
          LEFT JOIN person AS after ON after.id = CASE WHEN before.owner_id = %(owner)s THEN f.group_id
                                                       ELSE (f.former ->> %(owner)s::text)::uuid END
         WHERE p.library_id = %(library)s) AS now
 WHERE face.id = now.face
"""


class ForgottenOne(models.Model):
    """Somebody who was forgotten, and each of their faces: nothing is kept of them when they are found again."""

    id = models.UUIDField(primary_key=True)

    class Meta:
        db_table = "forgotten_one"


# --- how events fill it -------------------------------------------------------------------------------------


def _found(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, analysis.FacesFound)
    photo = subject_of(event.stream_id)
    Face.objects.filter(photo_id=photo, current=True).update(current=False)
    found = [face.id for face in fact.faces]
    forgotten = set(ForgottenOne.objects.filter(id__in=found).values_list("id", flat=True))
    for face in fact.faces:
        if face.id in forgotten:
            continue
        seen = {
            "photo_id": photo,
            "box": list(face.box),
            "size": face.size,
            "worth": worth(face),
            "clear": is_clear(face),
            "whole": is_whole(face),
            "model": analysis.maker(fact.model, fact.model_version),
            "current": True,
        }
        Face.objects.update_or_create(id=face.id, defaults=seen)


def _content_replaced(event: Event) -> None:
    """What was said of the faces stays: those that are found again in the new content are the same."""
    Face.objects.filter(photo_id=subject_of(event.stream_id), current=True).update(current=False)


def _forgotten(event: Event) -> None:
    Face.objects.filter(photo_id=subject_of(event.stream_id)).delete()


def _joined(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, people.FacesJoined)
    group = subject_of(event.stream_id)
    if ForgottenOne.objects.filter(id=group).exists():
        return  # by a grouping that had begun before
    _begin(group, fact.owner)
    # A library may have changed hands while its faces were grouped.
    theirs = Face.objects.filter(Q(owner_id=None) | Q(owner_id=fact.owner), id__in=fact.faces)
    theirs.update(group_id=group)
    _place(theirs.all())


def _owner_changed(event: Event) -> None:
    fact, library = codec.decode(event), subject_of(event.stream_id)
    assert isinstance(fact, libraries.OwnerChanged)
    with connection.cursor() as cursor:
        cursor.execute(_HAND_OVER, {"owner": fact.owner or library, "library": library})
    ours = Photo.objects.filter(library_id=library).values("id")
    _place(Face.objects.filter(photo_id__in=ours).exclude(words=[]))


def _let_go(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, people.FacesLetGo)
    left = Face.objects.filter(id__in=fact.faces, group_id=subject_of(event.stream_id))
    faces = list(left.values_list("id", flat=True))
    left.update(group_id=None)
    _place(Face.objects.filter(id__in=faces))


def _begun(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, people.PersonBegun)
    _begin(subject_of(event.stream_id), fact.owner)


def _begin(person: UUID, owner: UUID) -> None:
    Person.objects.get_or_create(id=person, defaults={"owner_id": owner, "root_id": person})


def _acted(event: Event) -> None:
    fact, person = codec.decode(event), subject_of(event.stream_id)
    _keep(event, _about(person, fact))
    spoken_of = words_of(event.event_id, person, fact)
    faces = list(Face.objects.filter(id__in=list(spoken_of)))
    for face in faces:
        face.words = [*face.words, _kept(spoken_of[face.id])]
    Face.objects.bulk_update(faces, ["words"])
    _take_effect(person, fact)


def _undone(event: Event) -> None:
    """What was undone may itself be an undoing, so that older acts count again."""
    fact, person = codec.decode(event), subject_of(event.stream_id)
    assert isinstance(fact, people.ActUndone)
    undone = PersonAct.objects.filter(id=fact.act).first()
    _keep(event, undone.people if undone else [person])
    acts = list(PersonAct.objects.filter(person_id=person).order_by("position"))
    counting = people.counting_acts((act.id, act.fact) for act in acts)
    changed = [act for act in acts if act.counts != (act.id in counting)]
    for act in changed:
        act.counts = act.id in counting
    PersonAct.objects.bulk_update(changed, ["counts"])
    for act in changed:
        _take_effect(person, act.fact)


def _person_forgotten(event: Event) -> None:
    """As if nothing had ever been said in the streams of these people; what others said stays."""
    fact = codec.decode(event)
    assert isinstance(fact, people.PersonForgotten)
    gone_for_good = [*fact.family, *(one.face for one in fact.faces)]
    ForgottenOne.objects.bulk_create([ForgottenOne(id=one) for one in gone_for_good], ignore_conflicts=True)
    Face.objects.filter(id__in=[one.face for one in fact.faces]).delete()
    gone = set(PersonAct.objects.filter(person_id__in=fact.family).values_list("id", flat=True))
    PersonAct.objects.filter(Q(id__in=gone) | Q(id__in=fact.acts)).delete()
    Person.objects.filter(id__in=fact.family).delete()
    left = set(Face.objects.filter(group_id__in=fact.family).values_list("id", flat=True))
    Face.objects.filter(id__in=left).update(group_id=None)
    spoken = [one for one in Face.objects.exclude(words=[]) if gone & _acts_on(one)]
    for face in spoken:
        face.words = [word for word in face.words if UUID(word["act"]) not in gone]
    Face.objects.bulk_update(spoken, ["words"])
    _place(Face.objects.filter(id__in=left | {face.id for face in spoken}))


def _keep(event: Event, about: Iterable[UUID]) -> None:
    PersonAct.objects.create(
        id=event.event_id,
        position=event.position,
        person_id=subject_of(event.stream_id),
        people=sorted(set(about)),
        type=event.type,
        data=event.data,
        actor=event.meta.get("actor", ""),
        at=event.recorded_at,
    )


def _about(person: UUID, fact: object) -> list[UUID]:
    match fact:
        case people.PersonMerged(into=other) | people.PeopleToldApart(other=other):
            return [person, other]
        case people.FacesMoved(source=UUID() as other):
            return [person, other]
        case people.FacesRejected(family=family):
            return [person, *family]
    return [person]


def _take_effect(person: UUID, fact: object) -> None:
    """What follows from an act that has begun or ceased to count."""
    match fact:
        case (
            people.FacesConfirmed(faces=faces) | people.FacesMoved(faces=faces) | people.FacesRejected(faces=faces)
        ):
            _place(Face.objects.filter(id__in=faces))
        case people.PersonMerged(into=into):
            _settle_family([person, into])
        case people.PersonNamed() | people.BirthdaySet() | people.PersonHidden() | people.CoverChosen():
            counting = PersonAct.objects.filter(person_id=person, counts=True).order_by("position")
            Person.objects.filter(id=person).update(**asdict(people.said(act.fact for act in counting)))


def _settle_family(members: Sequence[UUID]) -> None:
    """Who is known as whom, among those who were one with these or are now."""
    known = Person.objects.filter(id__in=members).values("root_id")
    before = dict(Person.objects.filter(root_id__in=known).values_list("id", "root_id"))
    merges = PersonAct.objects.filter(type="person.merged", counts=True, person_id__in=list(before))
    pairs = [(act.person_id, UUID(act.data["into"])) for act in merges.order_by("position")]
    now = roots(before, [(who, into) for who, into in pairs if into in before])
    for root in set(now.values()):
        moved = [person for person, known_as in now.items() if known_as == root and before[person] != root]
        Person.objects.filter(id__in=moved).update(root_id=root)
        Face.objects.filter(home_id__in=moved).update(person_id=root)
    # Who was denied one of them may not be another one of them either.
    _place(Face.objects.filter(group_id__in=list(before)).exclude(words=[]))


def _place(faces: models.QuerySet[Face]) -> None:
    """Who these faces are, by the machine's word and by all acts."""
    root = Person.objects.filter(id=OuterRef("group_id")).values("root_id")
    faces.filter(words=[]).update(home_id=F("group_id"), person_id=Subquery(root), by_hand=False)
    spoken_of = list(faces.exclude(words=[]))
    if not spoken_of:
        return
    counting = _counting(spoken_of)
    mentioned = {person for face in spoken_of for person in [face.group_id, *_mentioned(face)] if person}
    known = dict(Person.objects.filter(id__in=mentioned).values_list("id", "root_id"))
    owners = _owners_of(mentioned)
    for face in spoken_of:
        words = [word for word in _words(face, owners) if word.act in counting]
        found = place(face.group_id, words, lambda person: known.get(person, person))
        face.home_id, face.person_id, face.by_hand = found.home, found.person, found.by_hand
    Face.objects.bulk_update(spoken_of, ["home_id", "person_id", "by_hand"])


def _owners_of(people: Iterable[UUID]) -> dict[UUID, UUID]:
    return dict(Person.objects.filter(id__in=list(people)).values_list("id", "owner_id"))


def _words(face: Face, owners: Mapping[UUID, UUID]) -> list[Word]:
    """What people said of a face, but for those whose photo it no longer is."""
    words = map(_word, face.words)
    return [one for one in words if face.owner_id is None or owners.get(one.people[0]) == face.owner_id]


def _acts_on(face: Face) -> set[UUID]:
    return {UUID(word["act"]) for word in face.words}


def _counting(faces: Iterable[Face]) -> set[UUID]:
    acts = {act for face in faces for act in _acts_on(face)}
    return set(PersonAct.objects.filter(id__in=acts, counts=True).values_list("id", flat=True))


def _mentioned(face: Face) -> list[UUID]:
    return [UUID(person) for word in face.words for person in word["people"]]


def _kept(word: Word) -> dict[str, Any]:
    return {"act": str(word.act), "people": [str(one) for one in word.people], "yes": word.yes}


def _word(kept: dict[str, Any]) -> Word:
    return Word(UUID(kept["act"]), tuple(map(UUID, kept["people"])), kept["yes"])


# --- how the grouping asks it -------------------------------------------------------------------------------


def would_be(face: Face, group: UUID) -> bool:
    """Whether the machine's word that a face is of this group would count: a person may have said otherwise."""
    if not face.words:
        return True
    counting = _counting([face])
    mentioned = {group, *_mentioned(face)}
    known = dict(Person.objects.filter(id__in=mentioned).values_list("id", "root_id"))
    said = [word for word in _words(face, _owners_of(mentioned)) if word.act in counting]
    return place(group, said, lambda person: known.get(person, person)).home == group


def is_beside(face: Face, group: UUID) -> bool:
    """Whether another face of the same photo is this person: one is not in a photo twice."""
    known_as = Person.objects.filter(id=group).values("root_id")
    others = Face.objects.filter(photo_id=face.photo_id, current=True, person_id__in=known_as)
    return others.exclude(id=face.id).exists()


def photos_with_both(one: UUID, other: UUID) -> int:
    """In how many photos two groups are together."""
    photos = Face.objects.filter(home_id=other, current=True).values("photo_id")
    return Face.objects.filter(home_id=one, current=True, photo_id__in=photos).count()


def denied_of(faces: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Of these faces those that were said not to be somebody's, and whose they are not, under any name."""
    spoken_of = Face.objects.exclude(words=[])
    if len(faces) <= _NAMED_ONE_BY_ONE:
        rows = list(spoken_of.filter(id__in=list(faces)))
    else:
        wanted = set(faces)
        rows = [face for face in spoken_of if face.id in wanted]
    counting = _counting(rows)
    denied = {}
    for face in rows:
        said = denied_by([word for word in map(_word, face.words) if word.act in counting])
        family = Person.objects.filter(id__in=said).values("root_id")
        known = set(Person.objects.filter(root_id__in=family).values_list("id", flat=True)) if said else set()
        if known:
            denied[face.id] = known
    return denied


def spoken_of(people: Iterable[UUID]) -> set[UUID]:
    """Those of these people about whom a person has said anything that counts."""
    wanted = set(people)
    acts = PersonAct.objects.filter(people__overlap=list(wanted), counts=True).exclude(type="person.act_undone")
    return {person for about in acts.values_list("people", flat=True) for person in about} & wanted


# --- the consumer -------------------------------------------------------------------------------------------

HANDLERS: dict[str, Callable[[Event], None]] = {
    "photo.faces_found": _found,
    "photo.content_replaced": _content_replaced,
    "photo.forgotten": _forgotten,
    "library.owner_changed": _owner_changed,
    "group.faces_joined": _joined,
    "group.faces_let_go": _let_go,
    "person.begun": _begun,
    "person.named": _acted,
    "person.birthday_set": _acted,
    "person.hidden": _acted,
    "person.cover_chosen": _acted,
    "person.faces_confirmed": _acted,
    "person.faces_moved": _acted,
    "person.faces_rejected": _acted,
    "person.merged": _acted,
    "person.told_apart": _acted,
    "person.act_undone": _undone,
    "person.forgotten": _person_forgotten,
}
TABLES = (Face, Person, PersonAct, ForgottenOne)
VERSION = 2
READS = ("photos",)
