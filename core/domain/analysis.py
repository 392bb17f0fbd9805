"""What the machine sees in a photo: the analyses, what each found, and what is known of a photo by them."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid5

from core.domain.faces import Face, carry_over
from core.domain.personal import Personal


class Analysis(enum.StrEnum):
    """One way of looking at a photo; a library may switch each off."""

    OBJECTS = "objects"  # things with boxes
    SCENES = "scenes"  # what the whole picture shows
    FACES = "faces"
    SIMILAR = "similar"  # numbers by which pictures of the same kind are found
    MEANING = "meaning"  # numbers by which a picture is found with words that nobody wrote down
    COLOURS = "colours"
    STYLES = "styles"
    PLACES = "places"
    DATES = "dates"


# Those that need the large preview and a model: one job does them all.
BY_MODEL = (Analysis.OBJECTS, Analysis.SCENES, Analysis.FACES, Analysis.SIMILAR, Analysis.MEANING)


class AboutAnalysis:
    """What the events about analyses have in common. `content`: SHA-256 of what was looked at."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """What a picture shows as a whole: its name, how sure (0..1), and its kinds, as in cat, feline, animal."""

    label: Personal[str]
    score: float
    kinds: Personal[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True)
class ScenesFound(AboutAnalysis):
    """What the picture shows as a whole; an empty list is an answer too."""

    content: str
    model: str
    model_version: str
    scenes: Personal[tuple[Scene, ...]]


@dataclass(frozen=True, slots=True)
class FacesFound(AboutAnalysis):
    """The faces in the picture. A face that was known at the same place keeps its id.

    `turned`: by how many quarter turns clockwise those known of former content had to be turned to be there.
    """

    content: str
    model: str
    model_version: str
    faces: Personal[tuple[Face, ...]]
    turned: int = 0


@dataclass(frozen=True, slots=True)
class VectorMade(AboutAnalysis):
    """The numbers by which similar pictures are found were made; they lie in a table of their own."""

    content: str
    model: str
    model_version: str


@dataclass(frozen=True, slots=True)
class MeaningMade(AboutAnalysis):
    """The numbers by which the picture is found with words were made; they lie in a table of their own."""

    content: str
    model: str
    model_version: str


@dataclass(frozen=True, slots=True)
class PhotoAnalysed(AboutAnalysis):
    """The photo was looked at, though not for things: which analyses are done, switched off, without a model."""

    content: str
    done: tuple[Analysis, ...]
    off: tuple[Analysis, ...]
    missing: tuple[Analysis, ...] = ()


@dataclass(frozen=True, slots=True)
class AnalysesSwitched:
    """Which analyses a library does without from now on; all others are wanted."""

    off: tuple[Analysis, ...]


@dataclass(frozen=True, slots=True)
class AnalysisAsked:
    """A person wants the photos to be looked at again: with `older` also what an older model has seen already."""

    older: bool = True


Found = ScenesFound | FacesFound | VectorMade | MeaningMade
AnalysisEvent = Found | PhotoAnalysed

KINDS: Mapping[type[object], Analysis] = {
    ScenesFound: Analysis.SCENES,
    FacesFound: Analysis.FACES,
    VectorMade: Analysis.SIMILAR,
    MeaningMade: Analysis.MEANING,
}


@dataclass(frozen=True, slots=True)
class Analysed:
    """What is known of a photo by its analyses, folded from its events.

    `made`: analysis → model and version that looked at the content of now. `faces`: every face that was ever found
    in this picture, where it is in the content of `faces_in`. `described`: how often its meaning was looked at.
    """

    made: Mapping[Analysis, str] = field(default_factory=dict)
    faces: Mapping[UUID, Face] = field(default_factory=dict)
    faces_in: str = ""
    described: int = 0


def maker(model: str, model_version: str) -> str:
    """A model with its version, as one word and another."""
    return f"{model} {model_version}".strip()


def with_made(state: Analysed, analysis: Analysis, by: str) -> Analysed:
    """The state after a result."""
    return replace(state, made={**state.made, analysis: by})


def without_results(state: Analysed) -> Analysed:
    """The state after other content came: nothing of it was looked at, but faces may be known again."""
    return replace(state, made={})


def evolve(state: Analysed, event: AnalysisEvent) -> Analysed:
    """The state after one more event."""
    match event:
        case PhotoAnalysed():
            return state
        case FacesFound(content=content, faces=faces, turned=turned):
            known = carry_over(state.faces, faces, turned, same=state.faces_in == content)
            state = replace(state, faces=known, faces_in=content)
        case MeaningMade():
            state = replace(state, described=state.described + 1)
    return with_made(state, KINDS[type(event)], maker(event.model, event.model_version))


def decide_found(state: Analysed, event: Found) -> list[Found]:
    """A second result of the same model in the same version is no news."""
    same = state.made.get(KINDS[type(event)]) == maker(event.model, event.model_version)
    return [] if same else [event]


def found_id(photo: UUID, state: Analysed, event: Found) -> UUID:
    """The id of a result, so that a job that runs twice leaves one for each content and model.

    An operator may go back to a preset of before: what it says then is news again.
    """
    again = f":{state.described}" if isinstance(event, MeaningMade) else ""
    return uuid5(photo, f"{KINDS[type(event)]}:{maker(event.model, event.model_version)}:{event.content}{again}")


def new_face_id(photo: UUID, event: FacesFound, index: int) -> UUID:
    """The id of a face that was not known: the same for whoever finds it in this content with this model."""
    return uuid5(photo, f"face:{maker(event.model, event.model_version)}:{event.content}:{index}")


def wanted(off: Iterable[str]) -> tuple[Analysis, ...]:
    """The analyses that are left when these are off."""
    without = set(off)
    return tuple(one for one in Analysis if one not in without)
