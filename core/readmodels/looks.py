"""How photos look: the colours in each with their shares, its styles, and which photos have which."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import F

from core import singlerows
from core.domain import codec, colours, edits
from core.domain.colours import Colour
from core.domain.looks import LooksFound, styles_said
from core.domain.streams import subject_of
from core.domain.styles import Style
from core.readmodels.photos import Photo
from events.event import Event

# A colour counts for a search from this share on; white, gray and black are in nearly every picture.
STANDS_OUT, STANDS_OUT_NEUTRAL = 0.08, 0.25
_NEUTRALS = (Colour.WHITE, Colour.GRAY, Colour.BLACK)
# Colours that are no farther apart in OKLab look related to the one that was picked.
_RELATED = 0.12


class Looked(models.Model):
    """That a photo was looked at, and by which version; what for: `colours`, `styles`. Neither: not as it is."""

    photo_id = models.UUIDField(primary_key=True)
    model = models.TextField()
    model_version = models.TextField()
    colours = models.BooleanField(default=False)
    styles = models.BooleanField(default=False)

    class Meta:
        db_table = "looked"


class PhotoColour(models.Model):
    """One colour of a photo; the mean of what has it is told as it is written and in OKLab."""

    pk = models.CompositePrimaryKey("photo_id", "colour")
    photo_id = models.UUIDField()
    colour = models.TextField()
    share = models.FloatField()
    mean = models.CharField(max_length=7)
    light = models.FloatField()
    green_red = models.FloatField()
    blue_yellow = models.FloatField()

    class Meta:
        db_table = "photo_colour"
        indexes = [models.Index("colour", F("share").desc(), "photo_id", name="photo_colour_share")]


class PhotoStyle(models.Model):
    """One style of a photo, and the measured numbers by which it was found.

    `found`: the machine's rule holds; `by_hand`: what a person says, which stands above that; `counts`: it has it.
    """

    pk = models.CompositePrimaryKey("photo_id", "style")
    photo_id = models.UUIDField()
    style = models.TextField()
    measured = models.JSONField(default=dict)
    found = models.BooleanField(default=True)
    by_hand = models.BooleanField(null=True)
    counts = models.BooleanField(default=True)

    class Meta:
        db_table = "photo_style"
        indexes = [models.Index("style", "photo_id", name="photo_style_counts", condition=models.Q(counts=True))]


def _found(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, LooksFound)
    photo = subject_of(event.stream_id)
    known = singlerows.find(Looked, photo)
    seen = known or Looked(photo_id=photo)
    seen.model, seen.model_version = fact.model, fact.model_version
    # A switch that is off leaves what was found before; most photos are looked at once, and have nothing yet.
    if fact.colours is not None:
        seen.colours = True
        if known:
            PhotoColour.objects.filter(photo_id=photo).delete()
        singlerows.add_all([_colour(photo, one.name, one.share, one.colour) for one in fact.colours])
    if fact.styles is not None:
        seen.styles = True
        found = {one.style: one.measured for one in fact.styles}
        if known:
            _settle_styles(photo, found, _styles_by_hand(photo))
        else:
            singlerows.add_all(_styles(photo, found, {}))
    singlerows.put(seen)


def _colour(photo: UUID, name: str, share: float, mean: str) -> PhotoColour:
    light, green_red, blue_yellow = colours.lab_of(mean)
    return PhotoColour(
        photo_id=photo,
        colour=name,
        share=share,
        mean=mean,
        light=light,
        green_red=green_red,
        blue_yellow=blue_yellow,
    )


def _content_replaced(event: Event) -> None:
    """What was seen in the former content says nothing of the new one; what a person said stays."""
    photo = subject_of(event.stream_id)
    said, looked = _styles_by_hand(photo), Looked.objects.filter(photo_id=photo)
    PhotoColour.objects.filter(photo_id=photo).delete()
    if said:
        looked.update(model="", model_version="", colours=False, styles=False)
    else:
        looked.delete()
    _settle_styles(photo, {}, said)


def _forgotten(event: Event) -> None:
    for table in TABLES:
        table.objects.filter(photo_id=subject_of(event.stream_id)).delete()


def _style_said(event: Event) -> None:
    """A person says something of a style, or takes it back."""
    if not styles_said(dict.fromkeys(edits.touches(codec.decode(event)))):
        return
    photo = Photo.objects.only("said").get(id=subject_of(event.stream_id))
    # Whoever has this row has something that the next result has to respect.
    Looked.objects.get_or_create(photo_id=photo.id)
    found = PhotoStyle.objects.filter(photo_id=photo.id, found=True).values_list("style", "measured")
    _settle_styles(photo.id, dict(found), styles_said(photo.said.get("user", {})))


def _styles_by_hand(photo: UUID) -> dict[str, bool]:
    said = PhotoStyle.objects.filter(photo_id=photo, by_hand__isnull=False)
    return {style: bool(has) for style, has in said.values_list("style", "by_hand")}


def _settle_styles(photo: UUID, found: Mapping[str, dict[str, float]], said: Mapping[str, bool]) -> None:
    """What counts: a person's word, which stays whatever is found, or what was found."""
    PhotoStyle.objects.filter(photo_id=photo).delete()
    PhotoStyle.objects.bulk_create(_styles(photo, found, said))


def _styles(photo: UUID, found: Mapping[str, dict[str, float]], said: Mapping[str, bool]) -> list[PhotoStyle]:
    return [
        PhotoStyle(
            photo_id=photo,
            style=style,
            measured=found.get(style, {}),
            found=style in found,
            by_hand=said.get(style),
            counts=said.get(style, True),
        )
        for style in dict.fromkeys([*found, *said])
    ]


HANDLERS: dict[str, Callable[[Event], None]] = {
    "photo.looks_found": _found,
    "photo.content_replaced": _content_replaced,
    "photo.forgotten": _forgotten,
    "photo.style_corrected": _style_said,
    "photo.change_undone": _style_said,
}
TABLES: tuple[Any, ...] = (Looked, PhotoColour, PhotoStyle)
READS = ("photos",)


# --- how pages ask it ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LooksOf:
    """What is known of one photo's looks; None: nobody has looked for that yet."""

    colours: list[PhotoColour] | None
    styles: list[PhotoStyle] | None
    model_version: str


class NoSuchLook(ValueError):
    """A word that is neither a colour's name nor a colour as #rrggbb, or no style."""


def looks_of_photo(photo_id: UUID) -> LooksOf:
    """The colours of a photo, the largest first, and its styles in the order of the rules."""
    seen = Looked.objects.filter(photo_id=photo_id).first() or Looked()
    order = {str(style): number for number, style in enumerate(Style)}
    found = PhotoColour.objects.filter(photo_id=photo_id).order_by("-share", "colour") if seen.colours else None
    rows = PhotoStyle.objects.filter(photo_id=photo_id, counts=True)
    styles = sorted(rows, key=lambda one: order.get(one.style, len(order)))
    return LooksOf(
        None if found is None else list(found), styles if styles or seen.styles else None, seen.model_version
    )


def photos_with(colour: str = "", style: str = "") -> "models.QuerySet[Photo, UUID]":
    """The ids of all photos in which a colour stands out, and that have a style; whoever may see them.

    `colour` is one of the names, or any colour as #rrggbb; names of styles may be written with hyphens.
    Raises NoSuchLook.
    """
    found = Photo.objects.all()
    if colour:
        found = found.filter(id__in=rows_near(colour).values("photo_id"))
    if style:
        found = found.filter(id__in=photos_in_style(style).values("photo_id"))
    return found.values_list("id", flat=True)


def photos_in_style(style: str) -> "models.QuerySet[PhotoStyle]":
    """The rows of photos that have a style, by what is measured or by a person's word. Raises NoSuchLook."""
    return PhotoStyle.objects.filter(style=style_named(style), counts=True)


def rows_near(colour: str) -> "models.QuerySet[PhotoColour]":
    """Colours of photos that have this name, or are related to this colour, and stand out. Raises NoSuchLook."""
    found = models.Q()
    for each in _each_near(colour):
        found |= each
    return _with_distance(colour).filter(found)


def each_near(colour: str) -> "list[models.QuerySet[PhotoColour]]":
    """The same, by name: what one name has comes out of the index in the order of its share.

    A photo that has the colour under two names is in one of them, that with the larger share. Raises NoSuchLook.
    """
    ways = _each_near(colour)
    larger = models.Q(photo_id=models.OuterRef("photo_id"), share__gt=models.OuterRef("share"))
    found = []
    for number, way in enumerate(ways):
        rows = _with_distance(colour).filter(way)
        for other in ways[:number] + ways[number + 1 :]:
            rows = rows.exclude(models.Exists(_with_distance(colour).filter(larger, other)))
        found.append(rows)
    return found


def _each_near(colour: str) -> list[models.Q]:
    if colour in list(Colour):
        return [models.Q(colour=colour, share__gte=_least_share(colour))]
    near = models.Q(away__lte=_RELATED**2)
    names = colours.names_near(_lab(colour), _RELATED)
    return [near & models.Q(colour=str(name), share__gte=_least_share(name)) for name in names]


def _with_distance(colour: str) -> "models.QuerySet[PhotoColour]":
    """Every row, with the square of how far its mean is from this colour where it is no name."""
    rows = PhotoColour.objects.all()
    if colour in list(Colour):
        return rows
    parts = zip(("light", "green_red", "blue_yellow"), _lab(colour), strict=True)
    first, second, third = ((F(name) - there) * (F(name) - there) for name, there in parts)
    return rows.alias(away=first + second + third)


def _lab(colour: str) -> colours.Lab:
    try:
        return colours.lab_of(colour)
    except ValueError as error:
        raise NoSuchLook(str(error)) from error


def style_named(text: str) -> Style:
    """Raises NoSuchLook."""
    words = text.replace("-", " ").strip().lower()
    found = next((style for style in Style if style.replace("-", " ") == words), None)
    if found is None:
        raise NoSuchLook(f"there is no style {text!r}")
    return found


def _least_share(colour: str) -> float:
    return STANDS_OUT_NEUTRAL if colour in _NEUTRALS else STANDS_OUT
