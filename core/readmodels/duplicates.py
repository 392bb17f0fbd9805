"""Photos that look alike: what each looks like, which make a group, and what persons decided of them."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import connection, models
from django.db.models import Q

from core import singlerows
from core.domain import codec, duplicates, libraries, likeness, photos
from core.domain.likeness import Likeness
from core.domain.looks import AlikeFound
from core.domain.streams import subject_of
from core.readmodels.libraries import Library
from core.readmodels.photos import Photo
from core.turns import take_turns
from events.event import Event

# Those that look like one, and those that it is tied to, in one round trip, but for members of full groups: such a
# group takes nobody, and of ten thousand frames of one scene nearly all are in one. The planner takes 136 values
# for half of the table and would read all of it, most of all in a replay. Of a thousand that share a piece in a
# large library few are near: counted where they lie.
_NEAR = """
    SET LOCAL enable_seqscan = off;
    WITH near AS MATERIALIZED (
        SELECT photo_id, group_id, false AS tied FROM look
         WHERE scope = %(scope)s AND pieces && %(probes)s::int[] AND photo_id <> %(photo)s
           AND bit_count(('x' || likeness)::bit(192) # ('x' || %(likeness)s)::bit(192)) <= %(near)s
        UNION ALL
        SELECT photo_id, group_id, true FROM look
         WHERE scope = %(scope)s AND photo_id IN (
               SELECT other_id FROM tie WHERE photo_id = %(photo)s
               UNION SELECT photo_id FROM tie WHERE other_id = %(photo)s)),
    roomy AS MATERIALIZED (
        SELECT group_id FROM (SELECT DISTINCT group_id FROM near) AS one
         WHERE (SELECT count(*) FROM look WHERE look.group_id = one.group_id) < %(largest)s)
    SELECT photo_id, scope, likeness, pieces, look.group_id, spread, tied FROM near JOIN look USING (photo_id)
     WHERE near.group_id IS NULL OR near.group_id IN (SELECT group_id FROM roomy);
    SET LOCAL enable_seqscan = DEFAULT
"""


_FILM = ":film"
_TIES = """
    SELECT photo_id, other_id FROM tie WHERE photo_id = ANY(%s) UNION
    SELECT photo_id, other_id FROM tie WHERE other_id = ANY(%s)
"""
# A library that nobody owns is compared with itself.
_WHOSE = """
    SELECT coalesce(owner_id::text, library_id::text), media
      FROM {photos} AS photo LEFT JOIN {libraries} AS library ON library.id = library_id WHERE photo.id = %s
"""
_MOVE = """
    UPDATE look SET group_id = moved.group_id, spread = moved.spread
      FROM unnest(%s::uuid[], %s::uuid[], %s::smallint[]) AS moved (photo_id, group_id, spread)
     WHERE look.photo_id = moved.photo_id
"""


class Look(models.Model):
    """What a photo looks like. `scope`: whose it is, and whether it is a film; only those of one scope compare.

    `pieces` is what near ones are found by. `spread`: how far the least alike in its group are apart.
    """

    photo_id = models.UUIDField(primary_key=True)
    scope = models.TextField()
    likeness = models.CharField(max_length=48)
    pieces = ArrayField(models.IntegerField())
    group_id = models.UUIDField(null=True)
    spread = models.SmallIntegerField(default=0)

    class Meta:
        db_table = "look"
        indexes = [
            # Without the list of pending entries, for which every search would have to look through.
            GinIndex("pieces", name="look_pieces", fastupdate=False),
            models.Index("group_id", "photo_id", name="look_group", condition=Q(group_id__isnull=False)),
        ]


class Tie(models.Model):
    """Two photos that show nearly the same by their numbers, though their likeness does not tell."""

    pk = models.CompositePrimaryKey("photo_id", "other_id")
    photo_id = models.UUIDField()
    other_id = models.UUIDField()

    class Meta:
        db_table = "tie"
        indexes = [models.Index("other_id", name="tie_other")]


class Judged(models.Model):
    """What persons decided of a photo. `apart`: photo that is no duplicate of it → the review that said so."""

    photo_id = models.UUIDField(primary_key=True)
    marked_in = models.UUIDField(null=True)
    told_in = models.UUIDField(null=True)
    apart = models.JSONField(default=dict)

    class Meta:
        db_table = "judged"
        indexes = [
            models.Index("marked_in", name="judged_marked", condition=Q(marked_in__isnull=False)),
            models.Index("told_in", name="judged_told", condition=Q(told_in__isnull=False)),
        ]


_LOOK = [field.attname for field in Look._meta.concrete_fields]


def _rendered(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.PreviewsRendered)
    photo = subject_of(event.stream_id)
    before = singlerows.find(Look, photo)
    if before is not None:
        if before.likeness == fact.likeness:
            return
        _take_turns([before])
        before.delete()
        _regroup(Look.objects.filter(group_id__isnull=False, group_id=before.group_id))
    if fact.likeness:
        pieces = Likeness.parse(fact.likeness).pieces
        look = Look(photo_id=photo, scope=_scope_of(photo), likeness=fact.likeness, pieces=pieces)
        _take_turns([look])
        singlerows.add(look)
        _regroup([look])


def _alike_found(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, AlikeFound)
    photo = subject_of(event.stream_id)
    ties = [Tie(photo_id=photo, other_id=other.photo) for other in fact.others]
    Tie.objects.bulk_create(ties, ignore_conflicts=True)
    _regroup_photo(photo)


def _marked(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, duplicates.MarkedDuplicate)
    Judged.objects.update_or_create(photo_id=subject_of(event.stream_id), defaults={"marked_in": fact.review})


def _unmarked(event: Event) -> None:
    Judged.objects.filter(photo_id=subject_of(event.stream_id)).update(marked_in=None)


def _told_apart(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, duplicates.ToldApart)
    photo = subject_of(event.stream_id)
    known = Judged.objects.filter(photo_id=photo).first() or Judged(photo_id=photo)
    known.apart = {**known.apart, **{str(other): str(fact.review) for other in fact.others}}
    known.told_in = fact.review
    known.save()
    _regroup_photo(photo)


def _apart_taken_back(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, duplicates.ApartTakenBack)
    known = Judged.objects.filter(photo_id=subject_of(event.stream_id)).first()
    if known is None:
        return
    known.apart = {other: review for other, review in known.apart.items() if review != str(fact.review)}
    known.told_in = None if known.told_in == fact.review else known.told_in
    known.save()
    _regroup_photo(known.photo_id)


def _content_replaced(event: Event) -> None:
    photo = subject_of(event.stream_id)
    Judged.objects.filter(photo_id=photo).update(marked_in=None)
    # What the former content showed says nothing of the new one.
    if Tie.objects.filter(Q(photo_id=photo) | Q(other_id=photo)).delete()[0]:
        _regroup_photo(photo)


def _forgotten(event: Event) -> None:
    """Those that were beside it are grouped as if it had never been there."""
    photo = subject_of(event.stream_id)
    look = Look.objects.filter(photo_id=photo).first()
    near: list[Look] = []
    if look is not None:
        _take_turns([look])
        near = _near(look)
        look.delete()
    Judged.objects.filter(photo_id=photo).delete()
    Tie.objects.filter(Q(photo_id=photo) | Q(other_id=photo)).delete()
    if look is not None:
        beside = Q(group_id__isnull=False, group_id=look.group_id) | Q(photo_id__in=[one.photo_id for one in near])
        _regroup(Look.objects.filter(beside))


def _owner_changed(event: Event) -> None:
    """Groups that two persons' photos were in fall apart; with the new owner's others nothing is compared now."""
    fact, library = codec.decode(event), subject_of(event.stream_id)
    assert isinstance(fact, libraries.OwnerChanged)
    ours = Photo.objects.filter(library_id=library).values("id")
    looks = Look.objects.filter(photo_id__in=ours)
    film, still = (f"{fact.owner or library}{kind}" for kind in (_FILM, ""))
    _take_turns([*looks.distinct("scope").order_by("scope"), Look(scope=film), Look(scope=still)])
    around = Look.objects.filter(group_id__in=looks.filter(group_id__isnull=False).values("group_id"))
    torn = list(around.exclude(photo_id__in=ours).values_list("group_id", flat=True).distinct())
    looks.filter(scope__endswith=_FILM).update(scope=film)
    looks.exclude(scope__endswith=_FILM).update(scope=still)
    apart = sorted(Look.objects.filter(group_id__in=torn).values_list("photo_id", flat=True))
    Look.objects.filter(group_id__in=torn).update(group_id=None, spread=0)
    for photo in apart:
        _regroup_photo(photo)


def _scope_of(photo: UUID) -> str:
    """Libraries of one person compare with one another, and with nobody else's; films only with films."""
    with connection.cursor() as cursor:
        cursor.execute(_WHOSE.format(photos=Photo._meta.db_table, libraries=Library._meta.db_table), [photo])
        whose, media = cursor.fetchone()
    return f"{whose}{_FILM if media == 'video' else ''}"


def _regroup_photo(photo: UUID) -> None:
    known = Look.objects.filter(photo_id=photo)
    _take_turns(known)
    _regroup(known.all())


def _regroup(changed: Iterable[Look]) -> None:
    """The groups around these anew, from all that are near them and all that those are grouped with.

    A group never grows beyond what a person can look at: what comes later is left to a group of its own.
    """
    around: dict[UUID, Look] = {}
    for look in sorted(changed, key=lambda one: one.photo_id):
        for part in _parts_around(look):
            if len(around.keys() | part) <= likeness.LARGEST:
                around |= part
    if len(around) > 1 or any(look.group_id for look in around.values()):
        _settle(around)


def _parts_around(look: Look) -> list[dict[UUID, Look]]:
    """A photo with its group, then each that is near it with its own, the nearest first."""
    found = [look, *_near(look)]
    groups: dict[UUID | None, dict[UUID, Look]] = {}
    wanted = {each.group_id for each in found if each.group_id}
    for one in Look.objects.filter(group_id__in=wanted) if wanted else ():
        groups.setdefault(one.group_id, {})[one.photo_id] = one
    parts = {one.group_id or one.photo_id: groups.get(one.group_id, {one.photo_id: one}) for one in found}
    return list(parts.values())


def _take_turns(looks: Iterable[Look]) -> None:
    """Of two photos that arrive at the same time, the second waits here for the first, and sees it.

    Always after the photos' streams, in every transaction, so that nobody waits in a circle.
    """
    take_turns(*(f"look:{look.scope}" for look in looks))


def _near(look: Look) -> list[Look]:
    """Those that look like one and may share a group with it, the nearest first."""
    here = Likeness.parse(look.likeness)
    own: dict[str, Any] = {"photo": look.photo_id, "scope": look.scope, "likeness": look.likeness}
    with connection.cursor() as cursor:
        cursor.execute(_NEAR, {**own, "probes": here.probes, "near": likeness.NEAR, "largest": likeness.LARGEST})
        cursor.nextset()
        rows = cursor.fetchall()
    near = []
    for *values, tied in rows:
        one = Look.from_db(connection.alias, _LOOK, values)
        there = Likeness.parse(one.likeness)
        if tied or here.is_near(there):
            near.append((here.distance(there), one.photo_id, one))
    return list({photo: one for _, photo, one in sorted(near, key=lambda each: each[:2])}.values())


def _ties_of(photos: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    """Photo → those that it is tied to, whichever of the two was looked at."""
    wanted = list(photos)
    with connection.cursor() as cursor:
        cursor.execute(_TIES, [wanted, wanted])
        rows = cursor.fetchall()
    ties: dict[UUID, set[UUID]] = {}
    for one, other in rows:
        ties.setdefault(one, set()).add(other)
        ties.setdefault(other, set()).add(one)
    return ties


def _settle(around: dict[UUID, Look]) -> None:
    known = {photo: Likeness.parse(look.likeness) for photo, look in around.items()}
    rows = Judged.objects.filter(photo_id__in=list(around)).values_list("photo_id", "apart")
    apart = {(photo, UUID(other)) for photo, others in rows for other in others}
    ties = _ties_of(around)
    groups = likeness.grouped(
        known,
        lambda one, other: (one, other) in apart or (other, one) in apart,
        lambda one, other: other in ties.get(one, ()),
    )
    now = {photo: (group[0], likeness.spread(known[one] for one in group)) for group in groups for photo in group}
    moved = []
    for photo, look in around.items():
        group, width = now.get(photo, (None, 0))
        if (look.group_id, look.spread) != (group, width):
            look.group_id, look.spread = group, width
            moved.append(look)
    if not moved:
        return
    with connection.cursor() as cursor:
        # With every import that looks like another one; Django would make a text of cases for each row.
        cursor.execute(
            _MOVE, [[getattr(one, name) for one in moved] for name in ("photo_id", "group_id", "spread")]
        )


HANDLERS: dict[str, Callable[[Event], None]] = {
    "library.owner_changed": _owner_changed,
    "photo.previews_rendered": _rendered,
    "photo.content_replaced": _content_replaced,
    "photo.alike_found": _alike_found,
    "photo.forgotten": _forgotten,
    "photo.marked_duplicate": _marked,
    "photo.unmarked_duplicate": _unmarked,
    "photo.told_apart": _told_apart,
    "photo.apart_taken_back": _apart_taken_back,
}
TABLES = (Look, Judged, Tie)
READS = ("libraries", "photos")
