"""What is known of a photo, in sections for the panel beside it; every fact names its source."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.readmodels.files import PhotoFile
from core.readmodels.photos import Photo
from core.readmodels.sidecars import Sidecar
from core.readmodels.uploads import name_of_upload
from core.web.playing import film_lines
from core.web.words import counted, pixels, position, size, wall_time

# The mark beside a fact, and the mark's meaning in full.
SOURCES = {
    "user": ("yours", "set by hand in Filmroll"),
    "sidecar": ("sidecar", "from the XMP sidecar beside the file"),
    "takeout": ("Google", "from the notes of Google Photos beside the file"),
    "exif": ("EXIF", "from the file's EXIF"),
    "xmp": ("XMP", "from the file's XMP"),
    "iptc": ("IPTC", "from the file's IPTC"),
    "container": ("header", "from the header of the file's format"),
    "file name": ("name", "read from the file's name"),
    "file time": ("file time", "the time at which the file was last changed: the picture itself has no date"),
    "position": ("guessed", "guessed from the position"),
    "file": ("file", "from the file itself"),
}
_WORDS = {
    "artist": "By",
    "copyright": "Copyright",
    "software": "Software",
}
# A number and its unit stay on one line.
_TIED = "\N{NO-BREAK SPACE}"
_LISTS = {"keyword_paths": "Tags", "people": "People"}
_MODES = {"exposure_mode": "Mode", "program": "Program", "metering": "Metering", "drive": "Drive"}


@dataclass(frozen=True, slots=True)
class Row:
    """One fact: its name, its value in words, the mark of its source, and what others say instead.

    `edit` names the form with which a person may change it; `draft` is what the form's first field holds.
    """

    label: str
    text: str
    mark: str = ""
    source: str = ""
    also: tuple[str, ...] = ()
    edit: str = ""
    draft: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Facts of one kind under one heading."""

    title: str
    icon: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing seen in the picture: the chip and the box over the picture, in percent of its sides."""

    number: int
    label: str
    percent: int
    left: str
    top: str
    width: str
    height: str


def sections(photo: Photo, copies: list[PhotoFile], beside: list[Sidecar]) -> list[Section]:
    """The sections that have something to say."""
    facts = photo.facts
    made = [
        Section("When and where", "map-pin", list(_when_and_where(photo, facts))),
        Section("Words", "chat-bubble-bottom-center-text", list(_words(facts))),
        Section("Camera", "camera", list(_camera(photo, facts))),
        Section("File", "document", [*_file(photo, facts, copies), *_beside(photo, beside)]),
    ]
    return [section for section in made if section.rows]


def things(photo: Photo) -> list[Thing]:
    """The labels, surest first."""
    found = sorted(photo.labels or [], key=lambda one: -one["score"])
    return [_thing(at, one["label"], one["score"], one["box"]) for at, one in enumerate(found, 1)]


def _thing(at: int, label: str, score: float, box: list[float]) -> Thing:
    x0, y0, x1, y1 = (min(1.0, max(0.0, edge)) for edge in box)
    left, top, width, height = (f"{100 * part:.2f}" for part in (x0, y0, max(0.0, x1 - x0), max(0.0, y1 - y0)))
    return Thing(at, label, round(100 * score), left, top, width, height)


def _when_and_where(photo: Photo, facts: dict[str, Any]) -> Iterator[Row]:
    yield _row("Taken", _taken(photo, facts), photo.taken_source, _others(facts, "taken_at"), **_date_form(photo))
    place, draft = "", ""
    if photo.latitude is not None and photo.longitude is not None:
        place = position(photo.latitude, photo.longitude)
        draft = f"{photo.latitude:.6f}, {photo.longitude:.6f}"
    yield _row(
        "Position", place, _source(facts, "latitude"), _others(facts, "latitude"), edit="position", draft=draft
    )
    if "altitude" in facts:
        yield _row("Altitude", f"{facts['altitude']['value']:.0f} m", _source(facts, "altitude"))


def _taken(photo: Photo, facts: dict[str, Any]) -> str:
    if photo.taken_local is None:
        return ""
    guessed = ", guessed from the position" if _source(facts, "taken_offset") == "position" else ""
    return wall_time(photo.taken_local) + (f" (UTC{photo.taken_offset}{guessed})" if photo.taken_offset else "")


def _date_form(photo: Photo) -> dict[str, str]:
    taken = photo.taken_local.isoformat(timespec="seconds") if photo.taken_local else ""
    return {"edit": "date", "draft": taken, "more": photo.taken_offset}


def _words(facts: dict[str, Any]) -> Iterator[Row]:
    for name, label in (("title", "Title"), ("caption", "Caption")):
        text = str(facts.get(name, {}).get("value", ""))
        yield _row(label, text, _source(facts, name), _others(facts, name), edit=name, draft=text)
    words = ", ".join(facts.get("keywords", {}).get("value", []))
    others = _others(facts, "keywords")
    yield _row("Keywords", words, _source(facts, "keywords"), others, edit="keywords", draft=words)
    for name, label in _LISTS.items():
        # Keywords without others above them say nothing more as a tree.
        if name in facts and (name == "people" or any("|" in part for part in facts[name]["value"])):
            joined = ", ".join(part.replace("|", " / ") for part in facts[name]["value"])
            yield _row(label, joined, _source(facts, name), _others(facts, name))
    for name, label in _WORDS.items():
        if name in facts:
            yield _row(label, str(facts[name]["value"]), _source(facts, name), _others(facts, name))


def stars(photo: Photo) -> Row:
    """The rating, with its source and what others say."""
    text = "" if photo.rating is None else counted(photo.rating, "star")
    return _row("Rating", text, _source(photo.facts, "rating"), _others(photo.facts, "rating"))


def _camera(photo: Photo, facts: dict[str, Any]) -> Iterator[Row]:
    if photo.camera:
        yield _row("Camera", photo.camera, _source(facts, "camera_model", "camera_make"))
    if photo.lens:
        yield _row("Lens", photo.lens, _source(facts, "lens"))
    if line := exposure_line(facts):
        yield _row("Exposure", line, _source(facts, "shutter", "aperture", "iso", "focal_length"))
    if facts.get("exposure_bias", {}).get("value"):
        yield _row("Correction", f"{facts['exposure_bias']['value']:+.1f} EV", _source(facts, "exposure_bias"))
    if "subject_distance" in facts:
        yield _row("Distance", f"{facts['subject_distance']['value']:.3g} m", _source(facts, "subject_distance"))
    if "flash" in facts:
        yield _row("Flash", "fired" if facts["flash"]["value"] else "did not fire", _source(facts, "flash"))
    for name, label in _MODES.items():
        if name in facts:
            yield _row(label, str(facts[name]["value"]), _source(facts, name))


def exposure_line(facts: dict[str, Any]) -> str:
    """As in "1/250 s · f/2.8 · ISO 100 · 50 mm (75 mm in 35 mm format)", as far as known."""
    value = {name: fact["value"] for name, fact in facts.items()}
    parts = [
        f"{_seconds(value['shutter'])}{_TIED}s" if value.get("shutter") else "",
        f"f/{value['aperture']:.2g}" if value.get("aperture") else "",
        f"ISO{_TIED}{value['iso']}" if value.get("iso") else "",
        f"{value['focal_length']:.3g}{_TIED}mm" if value.get("focal_length") else "",
    ]
    line = " · ".join(filter(None, parts))
    same = value.get("focal_length_35")
    return f"{line} ({same:.3g} mm in 35 mm format)" if line and same and parts[3] else line


def _file(photo: Photo, facts: dict[str, Any], copies: list[PhotoFile]) -> Iterator[Row]:
    yield _row("Name", photo.name, "file")
    yield _row("Path", photo.path, "file")
    if photo.width and photo.height:
        megapixels = f" ({photo.width * photo.height / 1e6:.1f} megapixels)"
        yield _row("Pixels", pixels(photo.width, photo.height) + megapixels, "file")
    for label, text, fact in film_lines(photo):
        yield _row(label, text, _source(facts, fact))
    yield _row("Size", size(photo.size), "file")
    yield _row("Kind", photo.kind.upper() + (" (RAW)" if photo.media == "raw" else ""), "file")
    for copy in copies:
        if copy.path != photo.path:
            yield _row("Also at", copy.path, "file")
    for note in photo.notes:
        yield _row("Note", note, "file")


def _beside(photo: Photo, sidecars: list[Sidecar]) -> Iterator[Row]:
    for one in sidecars:
        label = {"aae": "Edits", "takeout": "Google"}.get(one.source, "Sidecar")
        yield _row(label, _called(photo, one) + (" (written by Filmroll)" if one.written else ""), "file")


def _called(photo: Photo, sidecar: Sidecar) -> str:
    """Where it lies; an upload, which lies under a hash, by its name, and Filmroll's own beside it likewise."""
    said = photo.said.get("sidecars", {}).get(str(sidecar.file_id), {})
    return said.get("name") or name_of_upload(sidecar.file_id) or sidecar.path


def _row(label: str, text: str, source: str, also: tuple[str, ...] = (), **form: str) -> Row:
    mark, words = SOURCES.get(source, (source, f"from {source}" if source else ""))
    return Row(label, text, mark if text else "", words, also, **form)


def _others(facts: dict[str, Any], name: str) -> tuple[str, ...]:
    """What other sources say of a fact, each with its source: "Old title (EXIF)"."""
    fact = facts.get(name, {})
    said = fact.get("also", [])
    pairs = facts.get("longitude", {}).get("also", []) if name == "latitude" else []
    told: list[str] = []
    for at, one in enumerate(said):
        value = one["value"]
        if name == "latitude":
            value = position(value, pairs[at]["value"]) if at < len(pairs) else value
        mark = SOURCES.get(one["source"], (one["source"], ""))[0]
        told.append(f"{_in_words(name, value)} ({mark})")
    return tuple(told)


def _in_words(name: str, value: Any) -> str:
    match name, value:
        case "taken_at", str():
            return wall_time(datetime.fromisoformat(value))
        case "rating", int():
            return counted(value, "star")
        case _, list():
            return ", ".join(value)
    return str(value)


def _source(facts: dict[str, Any], *names: str) -> str:
    return next((str(facts[name]["source"]) for name in names if name in facts), "")


def _seconds(value: float) -> str:
    """Cameras write a third of a second and longer as a decimal, anything shorter as a fraction."""
    return f"{value:.3g}" if value >= 0.3 else f"1/{round(1 / value)}"
