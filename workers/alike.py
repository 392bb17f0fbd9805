"""Finds photos that show nearly the same where their likeness does not tell: mirrored, covered, cut closer."""

from uuid import UUID

from django.db.models import Q

from core.commands.looks import record_alike
from core.domain.likeness import LARGEST
from core.domain.looks import NEARLY_SAME, Alike, AlikeFound
from core.readmodels.alikegroups import unlike_in_bits
from core.readmodels.libraries import Library
from core.readmodels.photos import Photo
from core.readmodels.similar import model_of, nearest
from core.vectors import has_vectors

_ACTOR = "worker:looks"
_DIGITS = 4


def find_alike(photo_id: UUID) -> int:
    """Record which photos of the same owner show nearly the same and would not be found so otherwise; how many.

    Films are compared with films only. None without pgvector, or when the photo's numbers were not made.
    """
    photo = Photo.objects.filter(id=photo_id, hidden="").first()
    model = model_of(photo_id) if has_vectors() else None
    if photo is None or model is None:
        return 0
    shown = Photo.objects.filter(Q(media="video") if photo.media == "video" else ~Q(media="video"), hidden="")
    near = nearest(photo.id, model, _libraries_of_owner(photo.library_id), shown, LARGEST)
    close = {one.photo: one.alike for one in near if one.alike >= NEARLY_SAME}
    missed = unlike_in_bits(photo.id, close)
    others = tuple(Alike(one, round(close[one], _DIGITS)) for one in close if one in missed)
    name, _, version = model.partition(" ")
    record_alike(photo.id, AlikeFound(photo.sha256, name, version, others), actor=_ACTOR)
    return len(others)


def _libraries_of_owner(library: UUID) -> list[UUID]:
    """Libraries of one person compare with one another; one without an owner with none."""
    owner = Library.objects.values_list("owner_id", flat=True).get(id=library)
    return list(Library.objects.filter(owner_id=owner).values_list("id", flat=True)) if owner else [library]
