"""What was seen in each photo, by which model, and the words by which it is found."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from core.domain import analysis, codec, photos
from core.domain.analysis import Analysis, maker
from core.domain.kinds import words_for
from core.domain.streams import subject_of
from events.event import Event


class PhotoAnalysis(models.Model):
    """What is known of one photo's content of now. `made`: analysis → model and version that looked at it.

    `label_words` and `scene_words`: names and kinds of the things, and of what the picture shows, in lower case.
    """

    photo_id = models.UUIDField(primary_key=True)
    made = models.JSONField(default=dict)
    scenes = models.JSONField(null=True)
    faces = models.IntegerField(null=True)
    label_words = ArrayField(models.TextField(), default=list)
    scene_words = ArrayField(models.TextField(), default=list)

    class Meta:
        db_table = "photo_analysis"
        indexes = [
            # Without the list of pending entries, for which every search would have to look through.
            GinIndex("label_words", name="photo_analysis_labels", fastupdate=False),
            GinIndex("scene_words", name="photo_analysis_scenes", fastupdate=False),
        ]


@dataclass(frozen=True, slots=True)
class SceneSeen:
    """What a picture shows as a whole, how sure the model is (0..1), and of which kinds it is."""

    label: str
    score: float
    kinds: list[str]


def _labels_found(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, photos.LabelsFound)
    words = words_for(one.label for one in fact.labels)
    _put(event, Analysis.OBJECTS, maker(fact.model, fact.model_version), label_words=words)


def _scenes_found(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, analysis.ScenesFound)
    scenes = [{"label": one.label, "score": one.score, "kinds": list(one.kinds)} for one in fact.scenes]
    words = sorted({word.lower() for one in fact.scenes for word in (one.label, *one.kinds)})
    _put(event, Analysis.SCENES, maker(fact.model, fact.model_version), scenes=scenes, scene_words=words)


def _faces_found(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, analysis.FacesFound)
    _put(event, Analysis.FACES, maker(fact.model, fact.model_version), faces=len(fact.faces))


def _vector_made(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, analysis.VectorMade)
    _put(event, Analysis.SIMILAR, maker(fact.model, fact.model_version))


def _meaning_made(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, analysis.MeaningMade)
    _put(event, Analysis.MEANING, maker(fact.model, fact.model_version))


def _forget(event: Event) -> None:
    PhotoAnalysis.objects.filter(photo_id=subject_of(event.stream_id)).delete()


def _put(event: Event, kind: Analysis, by: str, **values: object) -> None:
    photo = subject_of(event.stream_id)
    row = PhotoAnalysis.objects.filter(photo_id=photo).only("made").first()
    made = {**(row.made if row else {}), str(kind): by}
    PhotoAnalysis.objects.update_or_create(photo_id=photo, defaults={"made": made, **values})


HANDLERS: dict[str, Callable[[Event], None]] = {
    "photo.labels_found": _labels_found,
    "photo.scenes_found": _scenes_found,
    "photo.faces_found": _faces_found,
    "photo.vector_made": _vector_made,
    "photo.meaning_made": _meaning_made,
    "photo.content_replaced": _forget,
    "photo.forgotten": _forget,
}
VERSION = 2
TABLES = (PhotoAnalysis,)


def analysis_of(photo_id: UUID) -> PhotoAnalysis:
    """What is known of one photo; an empty row when nobody has looked yet. The caller has checked who asks."""
    return PhotoAnalysis.objects.filter(photo_id=photo_id).first() or PhotoAnalysis(photo_id=photo_id)


def scenes_of(known: PhotoAnalysis) -> list[SceneSeen]:
    """What the picture shows, the surest first."""
    return [SceneSeen(**scene) for scene in known.scenes or []]


def photos_with_label(words: Iterable[str]) -> "models.QuerySet[PhotoAnalysis, UUID]":
    """Ids of the photos in which all of these things were seen, each by its name or its kind ("animal")."""
    return _with(label_words__contains=[word.lower() for word in words])


def photos_with_scene(words: Iterable[str]) -> "models.QuerySet[PhotoAnalysis, UUID]":
    """Ids of the photos that show all of these as a whole, each by its name or its kind."""
    return _with(scene_words__contains=[word.lower() for word in words])


def _with(**condition: list[str]) -> "models.QuerySet[PhotoAnalysis, UUID]":
    return PhotoAnalysis.objects.filter(**condition).values_list("photo_id", flat=True)
