"""Files that tell about a picture beside them: what can happen to them, and whose they are by their names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from core.domain.edits import AboutFacts
from core.domain.personal import Personal


@dataclass(frozen=True, slots=True)
class SidecarRead(AboutFacts):
    """What a sidecar says. `source`: "sidecar" (XMP), "takeout" (Google's JSON), "aae" (Apple's edits).

    `name` is what its owner calls it, where that is not the last part of the path: an upload lies under its hash.
    """

    file: UUID
    path: Personal[str]
    source: str
    sha256: str
    facts: Personal[dict[str, Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    name: Personal[str] = ""


@dataclass(frozen=True, slots=True)
class SidecarGone(AboutFacts):
    """The sidecar is not there any more, or belongs to another photo: what it said counts no longer."""

    file: UUID
    path: Personal[str]


@dataclass(frozen=True, slots=True)
class SidecarAsked(AboutFacts):
    """A person asked for the sidecar to be written now."""


@dataclass(frozen=True, slots=True)
class SidecarWritten(AboutFacts):
    """Filmroll wrote what is known into a sidecar; read again, this content is no news.

    With a `name` it is Filmroll's own beside an upload, of whose sidecars it holds all that they say.
    """

    file: UUID
    path: Personal[str]
    sha256: str
    facts: Personal[dict[str, Any]]
    name: Personal[str] = ""


@dataclass(frozen=True, slots=True)
class SidecarNotWritten(AboutFacts):
    """The sidecar could not be written; `reason` is for the photo's owner."""

    path: Personal[str]
    reason: str


SidecarEvent = SidecarRead | SidecarGone | SidecarAsked | SidecarWritten | SidecarNotWritten

# Google cuts the name before ".json" after 46 letters, and a picture's own name after 47 before its ending.
_JSON_STEM, _PICTURE_STEM = 46, 47
_SUPPLEMENT = ".supplemental-metadata"
_NUMBERED = re.compile(r"^(?P<stem>.*)(?P<number>\(\d+\))$", re.DOTALL)
# What Google appends to the name of a picture that was edited there, in the languages of its users.
_EDITED = (
    *("-edited", "-bearbeitet", "-modifié", "-editado", "-editada", "-modificato", "-bewerkt", "-edytowane"),
    *(
        "-redigeret",
        "-redigerad",
        "-redigert",
        "-muokattu",
        "-upraveno",
        "-düzenlendi",
        "-編集済み",
        "-编辑",
        "-修改",
    ),
)


def sidecar_names(picture: str) -> list[str]:
    """The names that a sidecar of a picture may have, in the same folder; an XMP sidecar's first."""
    return list(dict.fromkeys([*_xmp_names(picture), *_aae_names(picture), *takeout_names(picture)]))


def _xmp_names(picture: str) -> Iterator[str]:
    stem, dot, _ = picture.rpartition(".")
    for ending in (".xmp", ".XMP"):
        yield picture + ending
        if dot and stem:
            yield stem + ending


def _aae_names(picture: str) -> Iterator[str]:
    """Apple's list of edits goes by the original's name, in some exports with an O: IMG_O1234.AAE."""
    stem = picture.rpartition(".")[0]
    for name in dict.fromkeys((stem, re.sub(r"^IMG_(?=\d)", "IMG_O", stem))):
        if name:
            yield from (f"{name}.AAE", f"{name}.aae")


def takeout_names(picture: str) -> list[str]:
    """The names of Google's JSON for a picture: cut after 46 letters, with the number of a namesake moved."""
    stem, dot, ending = picture.rpartition(".")
    if not dot:
        stem, ending = picture, ""
    originals = [(stem, dot + ending)]
    originals += [(stem.removesuffix(suffix), dot + ending) for suffix in _EDITED if stem.endswith(suffix)]
    if found := re.match(r"(.*)(-[^-.()]+)(\(\d+\))$", stem):  # IMG_1-edited(2).jpg
        originals += [(found[1] + found[3], dot + ending)] if found[2] in _EDITED else []
    return [name for one, end in originals for name in _json_names(one, end)]


def _json_names(stem: str, ending: str) -> Iterator[str]:
    found = _NUMBERED.match(stem)
    number = found["number"] if found else ""
    plain = (found["stem"] if found else stem) + ending
    # The number of a namesake stands at the end of the JSON's name: IMG_1(2).jpg → IMG_1.jpg(2).json.
    for full in (plain + _SUPPLEMENT, plain, plain.removesuffix(ending) if ending else plain):
        yield f"{full[:_JSON_STEM]}{number}.json"
    if number:  # older exports leave it where it is
        yield f"{(stem + ending)[:_JSON_STEM]}.json"
    # Exports have been cut anywhere inside the long word, to fit other limits than today's.
    for length in range(len(_SUPPLEMENT), 1, -1):
        if len(plain) + length >= _JSON_STEM - 1:
            yield f"{plain}{_SUPPLEMENT[:length]}{number}.json"


def picture_names(sidecar: str, endings: frozenset[str], title: str = "") -> list[list[str]]:
    """The names that the pictures of a sidecar may have: the first group of which any is there counts.

    `title` is the name inside Google's JSON.
    """
    stem, _, kind = sidecar.rpartition(".")
    if kind.lower() == "json":
        return _pictures_of_json(stem, title, endings)
    if kind.lower() == "aae":
        originals = dict.fromkeys((stem, re.sub(r"^IMG_O(?=\d)", "IMG_", stem)))
        return [[name for one in originals for name in _with_endings(one, endings)]]
    # A picture may be called anything, or have no ending: its content decides.
    return [[stem], list(_with_endings(stem, endings))]


def _pictures_of_json(stem: str, title: str, endings: frozenset[str]) -> list[list[str]]:
    found = _NUMBERED.match(stem)
    number, base = (found["number"], found["stem"]) if found else ("", stem)
    base = _without_supplement(base)
    groups = [list(_numbered(name, number)) for name in (base, _on_disk(title)) if _has_ending(name, endings)]
    return [*groups, [stem], list(_with_endings(base + number, endings))]


def _numbered(name: str, number: str) -> Iterator[str]:
    """A picture, and what was edited of it, as Google names them: cut before the ending, the number behind."""
    front, _, ending = name.rpartition(".")
    for cut in dict.fromkeys((front, front[:_PICTURE_STEM])):
        yield from (f"{cut}{suffix}{number}.{ending}" for suffix in ("", *_EDITED))


def _with_endings(stem: str, endings: frozenset[str]) -> Iterator[str]:
    for ending in sorted(endings):
        yield from (f"{stem}.{ending}", f"{stem}.{ending.upper()}", f"{stem}.{ending.capitalize()}")


def _has_ending(name: str, endings: frozenset[str]) -> bool:
    return name.rpartition(".")[2].lower() in endings and "." in name


def _without_supplement(base: str) -> str:
    """The name without as much of the long word as the cut left."""
    front, dot, last = base.rpartition(".")
    return front if dot and _SUPPLEMENT.startswith("." + last) else base


def _on_disk(title: str) -> str:
    """A title as Google writes it into a file's name: signs that some system forbids become underscores."""
    return re.sub(r"[%&'\"*/:<>?\\|]", "_", title)
