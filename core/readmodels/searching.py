"""What each photo is found by: its words in one index, its exposure, and the terms that help with searching."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid5

from django.contrib.postgres.indexes import GinIndex
from django.db import connection, models
from django.db.models import Q

from core import singlerows
from core.domain import codec
from core.domain.exposure import MEASURES, range_in
from core.domain.forgetting import PhotoForgotten
from core.domain.occasions import day_keys, is_trusted, occasion_on
from core.domain.searching import WORDS_LIMIT, any_of, path_terms, plain, term, words_in
from core.domain.streams import subject_of
from core.readmodels.analysis import PhotoAnalysis
from core.readmodels.fields import WordsField
from core.readmodels.photos import IMPORTED, Photo, row_of
from core.readmodels.places import Place, place_in
from events.event import Event


class PhotoWords(models.Model):
    """All words by which one photo is found: those of texts as they are, things of a kind as "camera:…"."""

    photo_id = models.UUIDField(primary_key=True)
    words = WordsField()

    class Meta:
        db_table = "photo_words"
        # Without the list of pending entries, for which every search would have to look through.
        indexes = [GinIndex("words", name="photo_words_words", fastupdate=False)]


class PhotoExposure(models.Model):
    """The settings with which a photo was taken, as far as known: f-number, seconds, ISO, millimetres."""

    photo_id = models.UUIDField(primary_key=True)
    aperture = models.FloatField(null=True)
    shutter = models.FloatField(null=True)
    iso = models.FloatField(null=True)
    focal = models.FloatField(null=True)
    focal35 = models.FloatField(null=True)

    class Meta:
        db_table = "photo_exposure"
        indexes = [
            models.Index(
                name, "photo_id", name=f"photo_exposure_{name}", condition=Q(**{f"{name}__isnull": False})
            )
            for name in MEASURES
        ]


class SearchTerm(models.Model):
    """A term that at least one photo of a library has had: `text` is shown, `plain` is looked for."""

    id = models.UUIDField(primary_key=True)
    library_id = models.UUIDField()
    kind = models.TextField()
    text = models.TextField()
    plain = models.TextField()
    value = models.TextField()

    class Meta:
        db_table = "search_term"
        indexes = [models.Index("library_id", "kind", "plain", name="search_term_plain")]


_UNUSED = """
DELETE FROM search_term USING unnest(%s::uuid[], %s::text[]) AS known (id, query)
 WHERE search_term.id = known.id AND NOT EXISTS (
       SELECT FROM photo_words JOIN photo ON photo.id = photo_words.photo_id
        WHERE words @@ query::tsquery AND library_id = %s)
"""
_COLUMNS = (
    *("library_id", "kind", "media", "name", "path", "camera", "lens"),
    *("rating", "favourite", "facts", "taken_local", "taken_source"),
)
# Who says with which settings a photo was taken; nobody can by hand.
_ABOUT_EXPOSURE = frozenset(
    ("photo.metadata_read", "photo.sidecar_read", "photo.sidecar_gone", "photo.sidecar_written")
)
Term = tuple[str, str, str]  # kind, what is shown, the filter's value


def _changed(event: Event) -> None:
    """Something is known of the photo that was not: its words are gathered anew."""
    try:
        photo = row_of(event, *_COLUMNS)
    except Photo.DoesNotExist:
        return
    is_new = event.version <= IMPORTED
    if event.type in _ABOUT_EXPOSURE:
        _keep_exposure(photo, is_new=is_new)
    known = PhotoAnalysis.objects.filter(photo_id=photo.id).only("label_words", "scene_words")
    seen = None if is_new and event.type == "photo.metadata_read" else known.first()
    places = _places(event)
    terms = [*_terms_of(photo), *_terms_seen(seen), *_terms_of_places(places)]
    words = dict.fromkeys(
        word
        for text in (*_texts(photo), *(shown for kind, shown, _ in terms if kind != "place"), *_names(places))
        for word in words_in(text)
    )
    named = (term(kind, value) for kind, _, value in terms)
    kept = [*list(words)[:WORDS_LIMIT], *named, *_marks(photo), *path_terms(photo.path)]
    # One statement each, as this runs with every import: update_or_create would take four.
    row = PhotoWords(photo_id=photo.id, words=list(dict.fromkeys(kept)))
    singlerows.put(row)
    _learn(photo.library_id, terms)


def _forgotten(event: Event) -> None:
    """No term of the library stays that no photo has: it may have been this one's, and that cannot be told."""
    fact = codec.decode(event)
    assert isinstance(fact, PhotoForgotten)
    for table in (PhotoWords, PhotoExposure):
        table.objects.filter(photo_id=subject_of(event.stream_id)).delete()
    known = list(SearchTerm.objects.filter(library_id=fact.library).values_list("id", "kind", "value"))
    with connection.cursor() as cursor:
        asked = [any_of([term(kind, value)]) for _, kind, value in known]
        cursor.execute(_UNUSED, [[one for one, _, _ in known], asked, fact.library])


def _keep_exposure(photo: Photo, *, is_new: bool) -> None:
    """One statement at most, as with the words: photos without any of it are many, and have no row."""
    known = {name: photo.facts.get(measure.fact, {}).get("value") for name, measure in MEASURES.items()}
    numbers = {name: float(value) for name, value in known.items() if isinstance(value, int | float) and value > 0}
    if not numbers:
        if not is_new:
            PhotoExposure.objects.filter(photo_id=photo.id).delete()
        return
    row = PhotoExposure(photo_id=photo.id, **numbers)
    singlerows.put(row)


def _texts(photo: Photo) -> Iterator[str]:
    yield photo.name
    yield photo.path
    for name in ("title", "caption"):
        yield str(photo.facts.get(name, {}).get("value", ""))


def _terms_of(photo: Photo) -> Iterator[Term]:
    for kind, text in (("camera", photo.camera), ("lens", photo.lens)):
        if text:
            yield kind, text, text
    for word in photo.facts.get("keywords", {}).get("value", []):
        yield "keyword", word, word


def _terms_seen(seen: PhotoAnalysis | None) -> Iterator[Term]:
    if seen is not None:
        yield from (("label", word, word) for word in seen.label_words)
        yield from (("scene", word, word) for word in seen.scene_words)


def _marks(photo: Photo) -> Iterator[str]:
    """What is looked for by choosing, never by typing."""
    yield term("kind", photo.kind)
    yield term("kind", photo.media)
    if photo.rating is not None:
        yield term("stars", str(photo.rating))
    if photo.favourite:
        yield term("favourite", "yes")
    if photo.taken_local and is_trusted(photo.taken_local, photo.taken_source):
        yield from (term("day", key) for key in day_keys(photo.taken_local.date()))
        if occasion := occasion_on(photo.taken_local, photo.taken_source):
            yield term("note", occasion)


def _places(event: Event) -> list[Place]:
    """Town, region and country, from the small to the large."""
    known = place_in(event)
    ids = [known.city_id, known.region_id, known.country_id] if known else []
    rows = Place.objects.in_bulk([one for one in ids if one]) if any(ids) else {}
    return [rows[one] for one in ids if one and one in rows]


def _names(places: list[Place]) -> list[str]:
    return [place.name for place in places]


def _terms_of_places(places: list[Place]) -> Iterator[Term]:
    for at, place in enumerate(places):
        yield "place", ", ".join(dict.fromkeys(_names(places[at:]))), str(place.id)


def _learn(library: UUID, terms: list[Term]) -> None:
    """Terms that the library has not had yet, in one order: two who learn the same do not wait crosswise."""
    known = {uuid5(library, f"{kind}:{value}"): (kind, text, value) for kind, text, value in terms}
    learnt = [
        SearchTerm(id=one, library_id=library, kind=kind, text=text, plain=plain(text), value=value)
        for one, (kind, text, value) in sorted(known.items())
    ]
    singlerows.add_all(learnt, unless_known=True)


HANDLERS: dict[str, Callable[[Event], None]] = {
    **dict.fromkeys(
        (
            *("photo.metadata_read", "photo.content_replaced", "photo.file_added", "photo.file_moved"),
            *("photo.file_gone", "photo.file_back", "photo.file_missing"),
            *("photo.labels_found", "photo.scenes_found", "photo.place_found", "photo.place_corrected"),
            *("photo.rated", "photo.favoured", "photo.titled", "photo.captioned", "photo.keywords_changed"),
            *("photo.placed", "photo.dated", "photo.change_undone"),
            *("photo.sidecar_read", "photo.sidecar_gone", "photo.sidecar_written"),
        ),
        _changed,
    ),
    "photo.forgotten": _forgotten,
}
VERSION = 3
TABLES: tuple[Any, ...] = (PhotoWords, PhotoExposure, SearchTerm)
READS = ("analysis", "photos", "places")


def photos_with_words(query: str) -> "models.QuerySet[PhotoWords, UUID]":
    """Ids of the photos that answer a question in `core.domain.searching`'s form."""
    return PhotoWords.objects.filter(words__matches=query).values_list("photo_id", flat=True)


def photos_exposed(name: str, text: str) -> "models.QuerySet[PhotoExposure, UUID]":
    """Ids of the photos whose setting lies in a range, both ends included. Raises BadRange."""
    least, most = range_in(name, text)
    limits = {"gte": least, "lte": most}
    inside = {f"{name}__{side}": limit for side, limit in limits.items() if limit is not None}
    return PhotoExposure.objects.filter(**inside).values_list("photo_id", flat=True)
