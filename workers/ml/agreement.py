"""What the two models that name things say together: where they contradict each other, or one is hardly sure.

The object model knows 80 things and calls each animal by one of ten; the other one knows 398 animals, but sees
only the picture as a whole. Vehicles that the object model has no word for are seldom photographed.
"""

from collections.abc import Sequence

from workers.ml.objects import Found
from workers.ml.scenes import SPOKEN_OF, Shown, class_names

# What takes so much of the picture is seen well: who is not sure of it then is mostly wrong.
_HALF, _SURE = 0.5, 0.70
# So large and so sure, a thing has a say on what the picture shows.
_LARGE = 0.2
# The object model's word → those that the other one has for it or its kinds.
_ANIMALS = {
    "bird": {"bird"},
    "cat": {"cat"},
    "dog": {"canine"},
    "horse": {"horse"},
    "sheep": {"sheep", "bighorn"},
    "cow": {"bovine", "water buffalo", "bison"},
    "elephant": {"elephant"},
    "bear": {"bear"},
    "zebra": {"zebra"},
    "giraffe": {"giraffe"},
}
_VEHICLES = {
    "bicycle": {"bicycle", "tricycle"},
    "car": {"car", "truck"},
    "motorcycle": {"motorcycle"},
    "airplane": {"airplane", "heavier-than-air craft"},
    "bus": {"bus", "truck", "van"},
    "train": {"locomotive", "passenger car", "freight car", "bullet train", "streetcar"},
    "truck": {"truck", "van"},
    "boat": {"vessel", "boat", "ship"},
}
_SHARED = {**dict.fromkeys(_ANIMALS, "animal"), **dict.fromkeys(_VEHICLES, "vehicle")}


def settled(things: Sequence[Found], shown: Sequence[Shown]) -> tuple[list[Found], list[Shown]]:
    """The things and names that are left when each model has heard the other.

    A sure name of an animal that the object model has no word for takes away the animals that it saw instead. Any
    other contradiction about most of the picture leaves the kind that both share.
    """
    kept = [one for one in things if one.score >= _SURE or _share(one) < _HALF]
    named = next((one for one in shown if _is_unknown_animal(one)), None)
    if named is not None:
        return [one for one in kept if one.label not in _ANIMALS], list(shown)
    return kept, [_doubted(one, kept) for one in shown]


def _share(thing: Found) -> float:
    left, top, right, bottom = thing.box
    return (right - left) * (bottom - top)


def _is_unknown_animal(one: Shown) -> bool:
    """Whether it is a single animal (no kind that was summed up), and none of the ten."""
    words = {one.label, *one.kinds}
    known = set[str]().union(*_ANIMALS.values())
    return "animal" in one.kinds and one.label in class_names() and not words & known


def _doubted(one: Shown, things: Sequence[Found]) -> Shown:
    """A name, or the kind that it shares with what the object model is sure of in its place."""
    words = {one.label, *one.kinds}
    rivals = [thing for thing in things if thing.score >= _SURE and _share(thing) >= _LARGE]
    shared = {_SHARED[thing.label] for thing in rivals if thing.label in _SHARED} & words & SPOKEN_OF
    agreed = any(words & (_ANIMALS | _VEHICLES).get(thing.label, set()) for thing in rivals)
    if agreed or one.label in shared or len(shared) != 1:
        return one
    kind = shared.pop()
    return Shown(kind, one.score, ())
