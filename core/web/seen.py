"""What the machine saw in a photo, and why it did not look where it did not, in words for the panel."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.module_loading import import_string

from core.domain.analysis import Analysis
from core.readmodels.analysis import analysis_of, scenes_of
from core.readmodels.libraries import library_by_id
from core.readmodels.photos import Photo


@dataclass(frozen=True, slots=True)
class SceneChip:
    """What the whole picture shows: its name, how sure in percent, its kinds, and where to find more of it."""

    label: str
    percent: int
    kinds: str
    address: str


@dataclass(frozen=True, slots=True)
class Why:
    """Why nobody has looked: "off", "missing" (then `reason` says what, for administrators) or "waiting"."""

    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SeenInWords:
    """What the panel says of things and scenes; `models` names those that looked."""

    things: Why | None
    shown: Why | None
    scenes: list[SceneChip]
    models: str


def seen_in_words(photo: Photo) -> SeenInWords:
    """What is known of a photo by its analyses."""
    known = analysis_of(photo.id)
    off = library_by_id(photo.library_id).analyses_off
    unmet = import_string(settings.UNMET_REQUIREMENTS)() if photo.labels is None or known.scenes is None else {}
    models = dict.fromkeys(filter(None, (photo.labels_model, known.made.get(str(Analysis.SCENES), ""))))
    return SeenInWords(
        things=_why(Analysis.OBJECTS, off, unmet) if photo.labels is None else None,
        shown=_why(Analysis.SCENES, off, unmet) if known.scenes is None else None,
        scenes=[
            SceneChip(one.label, round(100 * one.score), ", ".join(one.kinds), _search(one.label))
            for one in scenes_of(known)
        ],
        models=" and ".join(models),
    )


def _why(analysis: Analysis, off: list[str], unmet: dict[str, str]) -> Why:
    if analysis in off:
        return Why("off")
    missing = unmet.get(f"labels-{analysis}", "")
    return Why("missing", missing) if missing else Why("waiting")


def _search(label: str) -> str:
    return f"{reverse('search')}?{urlencode({'scene': label.lower()})}"
