"""A stack in the viewer, in words: which files it has, which one is looked at, what may be done with it."""

from dataclasses import dataclass

from core.readmodels.photos import Photo
from core.readmodels.stacks import Stack
from core.web.playing import length_of

_RAW = "RAW"


@dataclass(frozen=True, slots=True)
class Part:
    """One photo of a stack as the switch names it."""

    photo: Photo
    words: str
    is_here: bool
    is_top: bool


@dataclass(frozen=True, slots=True)
class StackInWords:
    """`parts` to switch between; `apart` says that the photo looked at was taken out of it by hand."""

    parts: list[Part]
    apart: bool
    is_top: bool


def stack_in_words(photo: Photo, stack: Stack | None) -> StackInWords | None:
    """What the viewer says of a photo's stack, None without one."""
    if stack is None:
        return None
    apart = photo in stack.apart
    among = [photo, *stack.members, *(one for one in stack.apart if one != photo)] if apart else stack.members
    if len(among) < 2:
        return None
    top = stack.members[0].id if stack.members and not apart else None
    parts = [Part(one, _words(one), one.id == photo.id, one.id == top) for one in among]
    return StackInWords(parts, apart, photo.id == top)


def _words(photo: Photo) -> str:
    match photo.media:
        case "video":
            return f"Film {length_of(photo)}".strip()
        case "raw":
            return f"{_RAW} ({photo.kind.upper()})"
        case _:
            return photo.kind.upper()
