"""How pages ask who is who: people with their covers, faces in photos, history; and photos by person.

An account sees a person by the faces in photos that it may see, and nothing of anybody else.
"""

import json
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import models
from django.db.models import Count, Q
from django.db.models.functions import Lower

from core.accounts import Account
from core.domain.people import PersonNotFound
from core.readmodels.faces import Face, Person, PersonAct
from core.readmodels.libraries import Library, libraries_of
from core.readmodels.photos import Photo, visible_photos, with_a_picture

# So many names are proposed at most, and of so many people the photos are counted while somebody types.
_NAMES, _COUNTED = 1000, 100


@dataclass(frozen=True, slots=True)
class Seen:
    """A face with the photo that it is in, and who it is."""

    face: Face
    photo: Photo
    person: Person | None = None

    @property
    def stamp(self) -> str:
        """Changes with the preview and with the face's place in it, so that browsers may keep its picture."""
        return f"{self.photo.revision}-{zlib.crc32(json.dumps(self.face.box).encode()):08x}"


@dataclass(frozen=True, slots=True)
class Portrait:
    """A person with the face that stands for it, and in how many photos it is, of those that may be seen."""

    person: Person
    cover: Seen | None
    photos: int
    faces: int = 0

    @property
    def name(self) -> str:
        return self.person.name


def visible_faces(account: Account) -> models.QuerySet[Face]:
    """The faces in the photos that an account may see."""
    return Face.objects.filter(current=True, photo_id__in=visible_photos(account).values("id"))


def people_of(
    account: Account,
    *,
    named: bool | None = None,
    hidden: bool | None = False,
    at_least: int = 1,
    limit: int = 200,
) -> list[Portrait]:
    """People, those in most photos first. `named` and `hidden`: only such; None: either."""
    known = _roots(account)
    if named is not None:
        known = known.exclude(name="") if named else known.filter(name="")
    if hidden is not None:
        known = known.filter(hidden=hidden)
    counted = (
        visible_faces(account)
        .filter(person_id__in=known.values("id"))
        .values("person_id")
        .annotate(photos=Count("photo_id", distinct=True), faces=Count("id"))
        .filter(photos__gte=at_least)
        .order_by("-photos", "person_id")
    )
    rows = list(counted.values_list("person_id", "photos", "faces")[:limit])
    return _portraits(account, {person: (photos, faces) for person, photos, faces in rows if person})


def count_people(account: Account) -> dict[str, int]:
    """How many people are named, unnamed and hidden."""
    shown = visible_faces(account).filter(person_id__isnull=False).values("person_id")
    counted = (
        _roots(account)
        .filter(id__in=shown)
        .aggregate(
            named=Count("id", filter=Q(hidden=False) & ~Q(name="")),
            unnamed=Count("id", filter=Q(hidden=False, name="")),
            hidden=Count("id", filter=Q(hidden=True)),
        )
    )
    return {name: int(count) for name, count in counted.items()}


def person_for(account: Account, person_id: UUID) -> Person:
    """A person, or who it was merged into, if this account may see it. Raises PersonNotFound."""
    root = root_of(person_id)
    if not _may_see(account, root):
        raise PersonNotFound(str(person_id))
    return root


def root_of(person_id: UUID) -> Person:
    """A person, or who it was merged into, whoever asks. Raises PersonNotFound."""
    found = Person.objects.filter(id=person_id).first()
    root = found and (found if found.root_id == found.id else Person.objects.filter(id=found.root_id).first())
    if not root:
        raise PersonNotFound(str(person_id))
    return root


def portrait_of(account: Account, person: Person) -> Portrait:
    """A person with its cover and its count."""
    faces = visible_faces(account).filter(person_id=person.id)
    known = faces.aggregate(photos=Count("photo_id", distinct=True), faces=Count("id"))
    return _portraits(account, {person.id: (known["photos"], known["faces"])})[0]


def portraits_of(account: Account, people: Iterable[UUID]) -> dict[UUID, Portrait]:
    """The portraits of some people, each with its count, as far as the account may see them."""
    wanted = list(dict.fromkeys(people))
    rows = (
        visible_faces(account)
        .filter(person_id__in=wanted)
        .values_list("person_id")
        .annotate(photos=Count("photo_id", distinct=True), faces=Count("id"))
    )
    known = {person: (photos, faces) for person, photos, faces in rows if person}
    return {one.person.id: one for one in _portraits(account, known)}


def named_like(account: Account, text: str, limit: int = 10, without: Collection[UUID] = ()) -> list[Portrait]:
    """People whose name has these letters: names that begin with them first, then who is in most photos."""
    known = _roots(account).exclude(name="").exclude(id__in=list(without))
    words = text.strip()
    found: list[Portrait] = []
    for inside in (Q(name__istartswith=words), Q(name__icontains=f" {words}"), Q(name__icontains=words)):
        if len(found) < limit:
            rest = known.filter(inside).exclude(id__in=[one.person.id for one in found])
            some = rest.order_by(Lower("name"), "id").values_list("id", flat=True)[:_COUNTED]
            found += _most_seen(account, some, limit - len(found))
    return found


def _most_seen(account: Account, people: Iterable[UUID], limit: int) -> list[Portrait]:
    """Of these those in most photos, and nobody who is in none."""
    if not (known := list(people)):
        return []
    counted = visible_faces(account).filter(person_id__in=known).values("person_id")
    rows = counted.annotate(photos=Count("photo_id", distinct=True)).order_by("-photos", "person_id")
    wanted = [person for person, _ in rows.values_list("person_id", "photos")[:limit] if person]
    portraits = portraits_of(account, wanted)
    return [portraits[one] for one in wanted if one in portraits]


def names_of(account: Account, without: UUID | None = None) -> list[str]:
    """Everybody's name, for fields that propose them while somebody types."""
    known = _roots(account).exclude(name="").exclude(id__in=[without] if without else [])
    return list(known.order_by(Lower("name"), "id").values_list("name", flat=True)[:_NAMES])


def person_named(account: Account, name: str, owner: UUID) -> Person | None:
    """An owner's person with exactly this name, whatever its capitals."""
    known = _roots(account).filter(owner_id=owner).exclude(name="")
    return known.filter(name__iexact=" ".join(name.split())).order_by("id").first()


def face_for(account: Account, face_id: UUID) -> Seen:
    """A face with its photo, if this account may see it. Raises PersonNotFound."""
    face = Face.objects.filter(id=face_id, current=True).first()
    photo = visible_photos(account).filter(id=face.photo_id).first() if face else None
    if face is None or photo is None:
        raise PersonNotFound(str(face_id))
    return Seen(face, photo, Person.objects.filter(id=face.person_id).first() if face.person_id else None)


def faces_for(account: Account, faces: Iterable[UUID]) -> list[Face]:
    """Some faces, all of which the account must be able to see. Raises PersonNotFound."""
    wanted = set(faces)
    found = list(visible_faces(account).filter(id__in=wanted).order_by("id"))
    if missing := wanted - {face.id for face in found}:
        raise PersonNotFound(str(min(missing)))
    return found


def faces_in(photo: Photo) -> list[Seen]:
    """The faces of a photo from left to right, for one who may see it."""
    faces = sorted(
        Face.objects.filter(photo_id=photo.id, current=True), key=lambda face: (face.box[0], face.box[1])
    )
    known = Person.objects.in_bulk([face.person_id for face in faces if face.person_id])
    return [Seen(face, photo, known.get(face.person_id) if face.person_id else None) for face in faces]


def faces_of(account: Account, person: UUID, *, skip: int = 0, limit: int = 100) -> list[Seen]:
    """The faces of a person, those in the newest photos first."""
    photos = visible_photos(account)
    faces = Face.objects.filter(current=True, person_id=person)
    taken = models.Subquery(photos.filter(id=models.OuterRef("photo_id")).values("taken_local")[:1])
    rows = faces.filter(photo_id__in=photos.values("id")).annotate(taken=taken)
    return seen_faces(
        account,
        list(rows.order_by(models.F("taken").desc(nulls_last=True), "photo_id", "id")[skip : skip + limit]),
    )


def family_of(person: UUID) -> list[UUID]:
    """A person and all that were merged into it."""
    return list(Person.objects.filter(root_id=person).order_by("id").values_list("id", flat=True))


def homes_of(faces: Iterable[Face]) -> dict[UUID, list[UUID]]:
    """Whose these faces are by themselves, before any merge: for confirming them where they are."""
    homes: dict[UUID, list[UUID]] = {}
    for face in faces:
        if face.home_id:
            homes.setdefault(face.home_id, []).append(face.id)
    return homes


def acts_about(person: UUID, limit: int = 100) -> list[PersonAct]:
    """What people said of a person, and of those merged into it, the latest first."""
    return list(PersonAct.objects.filter(people__overlap=family_of(person)).order_by("-position")[:limit])


def act_for(account: Account, act_id: UUID) -> PersonAct:
    """An act about somebody whom this account may see. Raises PersonNotFound."""
    act = PersonAct.objects.filter(id=act_id).first()
    person = Person.objects.filter(id=act.person_id).first() if act else None
    if act is None or person is None or not _may_see(account, person):
        raise PersonNotFound(str(act_id))
    return act


def owner_of(photo: Photo) -> UUID:
    """Whose faces these are: libraries of one account are grouped together, and with nobody else's."""
    owner = Library.objects.values_list("owner_id", flat=True).get(id=photo.library_id)
    return owner or photo.library_id


def owners_of(faces: Iterable[Face]) -> set[UUID]:
    """Whose all of these faces are."""
    photos = Photo.objects.filter(id__in={face.photo_id for face in faces}).values("library_id")
    libraries = Library.objects.filter(id__in=photos).values_list("owner_id", "id")
    return {owner or library for owner, library in libraries}


def owners_seen(account: Account) -> set[UUID]:
    """Whose people an account sees: its own, and for staff everybody's."""
    return {library.owner_id or library.id for library in libraries_of(account)}


def photos_with(*people: UUID) -> models.QuerySet[Face, UUID]:
    """Ids of the photos with all of these people, for a filter; whoever asks joins them to what may be seen."""
    found = Face.objects.filter(current=True)
    for person in people:
        known_as = Person.objects.filter(id=person).values("root_id")
        found = found.filter(
            photo_id__in=Face.objects.filter(current=True, person_id__in=known_as).values("photo_id")
        )
    return found.values_list("photo_id", flat=True)


def birthdays(account: Account) -> dict[UUID, tuple[str, date]]:
    """The people whose birthday is known: their name and day of birth."""
    known = _roots(account).exclude(birthday="").values_list("id", "name", "birthday")
    return {person: (name, date.fromisoformat(day)) for person, name, day in known}


def _roots(account: Account) -> models.QuerySet[Person]:
    known = Person.objects.filter(root_id=models.F("id"))
    return known if account.is_staff else known.filter(owner_id__in=owners_seen(account))


def _may_see(account: Account, person: Person) -> bool:
    return account.is_staff or person.owner_id in owners_seen(account)


def _portraits(account: Account, counts: dict[UUID, tuple[int, int]]) -> list[Portrait]:
    people = Person.objects.in_bulk(list(counts))
    chosen = {person.cover for person in people.values() if person.cover}
    pictured = with_a_picture(visible_photos(account)).values("id")
    faces = Face.objects.filter(current=True, photo_id__in=pictured, person_id__in=list(counts))
    best = faces.order_by("person_id", "-worth", "id").distinct("person_id")
    covers = {face.person_id: face for face in [*best, *faces.filter(id__in=chosen)]}
    seen = {one.face.person_id: one for one in seen_faces(account, list(covers.values()))}
    return [
        Portrait(people[person], seen.get(person), photos, count)
        for person, (photos, count) in counts.items()
        if person in people
    ]


def seen_faces(account: Account, faces: list[Face]) -> list[Seen]:
    """Faces with their photos and people, as far as the account may see them."""
    photos = visible_photos(account).in_bulk([face.photo_id for face in faces])
    people = Person.objects.in_bulk([face.person_id for face in faces if face.person_id])
    return [
        Seen(face, photos[face.photo_id], people.get(face.person_id) if face.person_id else None)
        for face in faces
        if face.photo_id in photos
    ]
