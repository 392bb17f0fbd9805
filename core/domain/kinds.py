"""Of which kinds the things are that the object model knows by name, so that "animal" finds a cat."""

from collections.abc import Iterable

_MEMBERS: dict[str, tuple[str, ...]] = {
    "people": ("person",),
    "vehicle": ("bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),
    "street": ("traffic light", "fire hydrant", "stop sign", "parking meter", "bench"),
    "animal": (*("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"),),
    "mammal": ("cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"),
    "pet": ("cat", "dog"),
    "bag": ("backpack", "handbag", "suitcase"),
    "sport": (
        *("frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove"),
        *("skateboard", "surfboard", "tennis racket"),
    ),
    "tableware": ("bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl"),
    "food": (
        *("banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake"),
    ),
    "fruit": ("banana", "apple", "orange"),
    "furniture": ("chair", "couch", "bed", "dining table"),
    "plant": ("potted plant",),
    "electronics": ("tv", "laptop", "mouse", "remote", "keyboard", "cell phone"),
    "kitchen": ("microwave", "oven", "toaster", "sink", "refrigerator"),
}
_KINDS: dict[str, tuple[str, ...]] = {}
for _kind, _things in _MEMBERS.items():
    for _thing in _things:
        _KINDS[_thing] = (*_KINDS.get(_thing, ()), _kind)


def kinds_of(thing: str) -> tuple[str, ...]:
    """The kinds of a thing; none for one that is not known."""
    return _KINDS.get(thing, ())


def words_for(labels: Iterable[str]) -> list[str]:
    """Every word by which things are to be found, in lower case: their names and their kinds, none twice."""
    words = {word for label in labels for word in (label.lower(), *kinds_of(label))}
    return sorted(words)
