"""What a person or a sidecar said of a photo, as its history tells it."""

from collections.abc import Iterable

from core.domain import edits, looks, places, sidecars
from core.web.words import counted, place_in_words, position

_SIDECARS = {
    "sidecar": "The XMP sidecar beside it was read",
    "takeout": "Google's notes beside it were read",
    "aae": "Apple's list of edits lies beside it; Filmroll shows the picture as the file has it",
}


def said_in_words(fact: edits.AboutFacts) -> tuple[str, str, str]:  # noqa: C901  # one flat table
    """Icon, words and detail of what a person or a sidecar said."""
    match fact:
        case sidecars.SidecarRead(source=source, path=path, notes=notes, name=name):
            return "document-text", _SIDECARS.get(source, "A sidecar was read"), " ".join([name or path, *notes])
        case sidecars.SidecarGone(path=path):
            return "document-minus", "A sidecar is no longer there", path
        case sidecars.SidecarAsked():
            return "pencil-square", "Asked to write the sidecar", ""
        case sidecars.SidecarWritten(path=path, name=name):
            return "pencil-square", "The sidecar was written", name or path
        case sidecars.SidecarNotWritten(path=path, reason=reason):
            return (
                "exclamation-triangle",
                "The sidecar could not be written",
                f"{reason} ({path})" if path else reason,
            )
        case places.PlaceFound(sea=True, source=source):
            return "map-pin", "Taken at sea, as the position says", f"by {source}"
        case places.PlaceFound(source=source) as found:
            return "map-pin", f"Taken in {place_in_words(found.names)}, as the position says", f"by {source}"
        case places.PlaceCorrected(country=country, region=region, city=city):
            names = places.Names(country, region, city)
            return "map-pin", "Place set" if names else "The place was taken away", place_in_words(names)
        case looks.StyleCorrected(style=style, has=has):
            return "sparkles", "Style added" if has else "Style taken off", style
        case edits.ChangeUndone(facts=facts, silent=silent):
            about = _names_of([*facts, *silent])
            return "arrow-uturn-left", f"A change was undone: {about}", ""
    return _edited(fact)


def _edited(fact: edits.AboutFacts) -> tuple[str, str, str]:
    match fact:
        case edits.PhotoRated(rating=None):
            return "star", "The stars were taken away", ""
        case edits.PhotoRated(rating=int() as rating):
            return "star", f"Rated with {counted(rating, 'star')}", ""
        case edits.PhotoFavoured(favourite=favourite):
            return "heart", "Made a favourite" if favourite else "No favourite any longer", ""
        case edits.PhotoTitled(title=title):
            return "pencil", "Titled" if title else "The title was taken away", title
        case edits.PhotoCaptioned(caption=caption):
            return "pencil", "Captioned" if caption else "The caption was taken away", caption
        case edits.KeywordsChanged(keywords=keywords):
            return "tag", "Keywords changed" if keywords else "The keywords were taken away", ", ".join(keywords)
        case edits.PhotoPlaced(latitude=float() as latitude, longitude=float() as longitude):
            return "map-pin", "Put on the map", position(latitude, longitude)
        case edits.PhotoPlaced():
            return "map-pin", "The position was taken away", ""
        case edits.PhotoDated(taken_at=taken, taken_offset=offset):
            return "calendar-days", "Dated", f"{taken.replace('T', ' ')}{f' (UTC{offset})' if offset else ''}"
    return "question-mark-circle", type(fact).__name__, ""


def _names_of(facts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(_FACTS.get(name, name.replace(":", " ")) for name in facts))


_FACTS = {
    "latitude": "position",
    "longitude": "position",
    "altitude": "position",
    "taken_at": "date",
    "taken_offset": "date",
    "rating": "stars",
    "keyword_paths": "keywords",
}
