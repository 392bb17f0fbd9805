"""Faces for the tests of people: found by the product's own command, with vectors made to be alike or not."""

import hashlib
import struct
from collections.abc import Sequence
from uuid import UUID

from core.commands.analysis import Numbers, record_seen
from core.domain.analysis import FacesFound
from core.domain.faces import NAMELESS, Face
from core.readmodels import faces as readmodel
from core.readmodels.photos import Photo
from tests.web.conftest import Shelf
from workers import grouping

NUMBERS = 256


def numbers_of(who: str, shot: int = 0, likeness: float = 0.75) -> list[float]:
    """A person's face: two of one person have about this cosine, two of different persons about none."""
    own, chance = _direction(who), _direction(f"{who} in shot {shot}")
    mixed = [likeness**0.5 * a + (1 - likeness) ** 0.5 * b for a, b in zip(own, chance, strict=True)]
    return _unit(mixed)


def _direction(seed: str) -> list[float]:
    """Numbers that look random, the same for the same seed."""
    raw = b"".join(hashlib.sha256(f"{seed} {part}".encode()).digest() for part in range(NUMBERS // 8))
    return _unit([word / 2**31 - 1 for word in struct.unpack(f">{NUMBERS}I", raw)])


def _unit(numbers: Sequence[float]) -> list[float]:
    length = sum(number * number for number in numbers) ** 0.5
    return [number / length for number in numbers]


def found_face(at: int = 0, size: float = 150.0, sharp: float = 0.8) -> Face:
    """The number `at` from the left."""
    left = 0.05 + 0.2 * at
    box = (left, 0.2, left + 0.15, 0.5)
    points = tuple((left + 0.02 * n, 0.3) for n in range(6))
    return Face(NAMELESS, box, points, 0.9, size, sharp, 0.9)


def cut_face(sharp: float = 0.8) -> Face:
    """A face of which only the middle is in the picture."""
    points = ((0.2, 0.3), (0.8, 0.3), (0.5, 0.6), (0.5, 0.9), (0.0, 0.4), (1.0, 0.4))
    return Face(NAMELESS, (0.0, 0.0, 1.0, 1.0), points, 0.9, 150.0, sharp, 0.9)


def find_faces(
    photo: UUID, *vectors: Sequence[float], faces: Sequence[Face] = (), version: str = "1", grouped: bool = True
) -> list[UUID]:
    """The faces of a photo from left to right, found, and grouped as a worker would; their ids."""
    content = Photo.objects.values_list("sha256", flat=True).get(id=photo)
    seen = tuple(faces or [found_face(at) for at in range(len(vectors))])
    found = FacesFound(content, "face", version, seen)
    record_seen(photo, [found], Numbers(faces=vectors), content=content, actor="worker:analysis")
    if grouped:
        grouping.group_photo(photo)
    rows = readmodel.Face.objects.filter(photo_id=photo, current=True)
    return [face.id for face in sorted(rows, key=lambda face: face.box[0])]


def snap(shelf: Shelf, number: int, *who: str, grouped: bool = True) -> list[UUID]:
    """A photo of these people; the ids of their faces."""
    photo = shelf.photo(f"{number}.jpg", taken=f"2024-05-01T12:{number // 60:02}:{number % 60:02}")
    return find_faces(photo, *(numbers_of(one, number) for one in who), grouped=grouped)


def person_of(face: UUID) -> UUID | None:
    return readmodel.Face.objects.values_list("person_id", flat=True).get(id=face)
