"""A photo's history in words: one sentence per event, who or what did it, and when."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.accounts import Account
from core.domain import analysis, codec, duplicates, edits, looks, photos, stacks
from core.domain.forgetting import AboutForgetting
from core.web.said import said_in_words
from core.web.words import counted, pixels
from events.event import Event

_STEPS = {"previews": "making the previews", "labels": "looking at the picture"}
_DECISIONS = (duplicates.MarkedDuplicate, duplicates.ToldApart)
_GONE = {
    "replaced": "The file was replaced by another picture.",
    "missing": "The file is no longer there.",
    "ignored": "The library's rules leave this file out now.",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a history. `detail` is the smaller print; `undo` names the event when it can be undone."""

    icon: str
    words: str
    detail: str
    who: str
    at: datetime
    type: str
    undo: UUID | None = None
    undone: bool = False


def history_in_words(events: Iterable[Event]) -> list[Entry]:
    """The entries of a stream, newest first."""
    known = list(events)
    names = account_names(event.meta.get("actor", "") for event in known)
    named = [(event.event_id, event.type, codec.decode(event)) for event in known if event.type in codec.TYPES]
    decoded = [(identity, fact) for identity, _, fact in named]
    stacked = stacks.in_force(decoded)
    counting = edits.counting_events(decoded) | duplicates.in_force(named) | stacked
    changes = {identity for identity, fact in decoded if edits.touches(fact) or isinstance(fact, _DECISIONS)}
    changes |= stacked
    return [_entry(event, names, changes, counting) for event in reversed(known)]


def _entry(event: Event, names: Mapping[str, str], changes: Container[UUID], counting: Container[UUID]) -> Entry:
    icon, words, detail = _sentence(event)
    by = who(event.meta.get("actor", ""), names)
    change, counts = event.event_id in changes, event.event_id in counting
    undo = event.event_id if change and counts else None
    shown_type = f"{event.type}.v{event.schema_version}"
    return Entry(icon, words, detail, by, event.recorded_at, shown_type, undo, change and not counts)


def _sentence(event: Event) -> tuple[str, str, str]:  # noqa: C901  # one flat table, a line per event
    """Icon, words and detail of one event; one that this version does not know is shown by its name."""
    if event.type not in codec.TYPES:
        return "question-mark-circle", event.type, ""
    match codec.decode(event):
        case photos.PhotoImported(file=file, kind=kind):
            return "arrow-down-tray", "Found and added to the library", f"{file.path} ({kind.upper()})"
        case photos.FileAdded(file=file):
            return "document-duplicate", "The same picture was found in another file", file.path
        case photos.FileGone() | photos.FileMoved() | photos.FileMissing() | photos.FileBack() as moved:
            return _sentence_of_file(moved)
        case photos.ContentReplaced(file=file, kind=kind):
            return "document-arrow-up", "The file was edited: a new version", f"{file.path} ({kind.upper()})"
        case AboutForgetting():
            return "trash", "Forgotten", ""
        case photos.TakenOut(reason=reason):
            return "eye-slash", "Taken out of the library", reason
        case photos.MetadataRead(facts=facts, notes=notes):
            words = f"{counted(len(facts), 'fact')} read from the file"
            return "document-magnifying-glass", words, " ".join(notes)
        case photos.PreviewsRendered() as made:
            return "photo", f"Previews made of {pixels(made.width, made.height)} pixels", _how(made)
        case photos.LabelsFound(labels=labels) as seen:
            return "tag", _seen(labels), _by(seen)
        case analysis.AboutAnalysis() as looked:
            return _sentence_of_analysis(looked)
        case looks.LooksFound() as found:
            return "swatch", *_looks_in_words(found)
        case looks.AlikeFound(others=others):
            return "document-duplicate", f"Shows nearly the same as {counted(len(others), 'other photo')}", ""
        case photos.StepFailed(step=step, reason=reason):
            return "exclamation-triangle", f"Failed: {_STEPS.get(step, step)}", reason
        case photos.StepRetried(step=step):
            return "arrow-path", f"Asked to try again: {_STEPS.get(step, step)}", ""
        case photos.StepSetAside(step=step):
            return "archive-box", f"Failure set aside: {_STEPS.get(step, step)}", ""
        case photos.PhotoProcessed():
            return "check-circle", "Everything is done", ""
        case stacks.AboutStack() as stacked:
            return _sentence_of_stack(stacked)
        case duplicates.AboutDuplicates() as decided:
            return _sentence_of_duplicates(decided)
        case edits.AboutFacts() as said:
            return said_in_words(said)
        case other:
            return "question-mark-circle", type(other).__name__, ""


def _sentence_of_file(
    event: photos.FileGone | photos.FileMoved | photos.FileMissing | photos.FileBack,
) -> tuple[str, str, str]:
    match event:
        case photos.FileGone(reason=reason):
            return "document-minus", "One of its files no longer holds it", _GONE.get(reason, reason)
        case photos.FileMoved(to=to):
            return "arrow-right-circle", "The file was moved or renamed", to.path
        case photos.FileMissing(path=path):
            return "link-slash", "The original is missing", path
        case photos.FileBack(file=file):
            return "document-check", "The file is there again", file.path


def _sentence_of_stack(event: stacks.AboutStack) -> tuple[str, str, str]:
    match event:
        case stacks.PhotoStacked(rule=stacks.StackRule.LIVE):
            return "square-2-stack", "Shown as one with the other half of a live photo", ""
        case stacks.PhotoStacked(rule=stacks.StackRule.SHOT):
            return "square-2-stack", "Shown as one with other files of the same shot", ""
        case stacks.PhotoStacked():
            return "square-2-stack", "Put together with others, to be shown as one", ""
        case stacks.PhotoUnstacked():
            return "squares-2x2", "Taken out of its stack, to be shown by itself", ""
        case stacks.TopTakenBack():
            return "arrow-uturn-left", "No longer chosen to be shown for its stack", ""
        case _:
            return "arrow-up", "Chosen to be shown in the timeline for its stack", ""


def _sentence_of_duplicates(event: duplicates.AboutDuplicates) -> tuple[str, str, str]:
    match event:
        case duplicates.MarkedDuplicate():
            return "document-duplicate", "Another one is kept in the timeline instead", "The file is untouched."
        case duplicates.UnmarkedDuplicate():
            return "arrow-uturn-left", "Put back into the timeline", ""
        case duplicates.ToldApart(others=others):
            return "squares-2x2", f"Told apart from {counted(len(others), 'photo')} that look alike", ""
        case _:
            return "arrow-uturn-left", "No longer told apart from photos that look alike", ""


def _sentence_of_analysis(event: analysis.AboutAnalysis) -> tuple[str, str, str]:
    match event:
        case analysis.ScenesFound(scenes=scenes) as seen:
            shown = ", ".join(scene.label for scene in scenes)
            words = f"Shows: {shown}" if shown else "Looked at as a whole, and nothing sure was recognised"
            return "sparkles", words, _by(seen)
        case analysis.FacesFound(faces=faces) as seen:
            words = f"{counted(len(faces), 'face')} found" if faces else "Looked for faces, and none was found"
            return "face-smile", words, _by(seen)
        case analysis.VectorMade() as seen:
            return "finger-print", "Made comparable with other pictures", _by(seen)
        case analysis.MeaningMade() as seen:
            return "chat-bubble-left-right", "Made comparable with words", _by(seen)
        case analysis.PhotoAnalysed(off=off, missing=missing):
            parts = (_left_out(off, "switched off for this library"), _left_out(missing, "without a model"))
            return "eye", "Looked at by the machine", " ".join(filter(None, parts))
        case _:
            return "eye", type(event).__name__, ""


def _left_out(analyses: Iterable[analysis.Analysis], why: str) -> str:
    names = ", ".join(analyses)
    return f"{names.capitalize()}: {why}." if names else ""


def _by(seen: photos.LabelsFound | analysis.Found) -> str:
    return f"by the model {analysis.maker(seen.model, seen.model_version)}"


def _how(made: photos.PreviewsRendered) -> str:
    source = {"embedded jpeg": "from the picture inside the RAW file", "raw": "developed from the RAW data"}
    return " ".join([source.get(made.method, ""), *made.notes]).strip()


def _seen(labels: Iterable[photos.Label]) -> str:
    things = list(dict.fromkeys(label.label for label in labels))
    return f"Seen in it: {', '.join(things)}" if things else "Looked for things, and none was found"


def _looks_in_words(found: looks.LooksFound) -> tuple[str, str]:
    main = [f"{one.name} {one.share:.0%}".replace("%", " %") for one in (found.colours or ())[:3]]
    words = f"Colours: {', '.join(main)}" if main else "Looked at"
    return words, ", ".join(one.style for one in found.styles or ())


def who(actor: str, names: Mapping[str, str]) -> str:
    """The actor "account:<id>" becomes the account's name, "worker:previews" becomes a worker."""
    kind, _, rest = actor.partition(":")
    match kind:
        case "account":
            return names.get(rest, "a former account")
        case "cli":
            return "the command line"
        case "worker":
            return "a worker"
        case "" | "system":
            return "Filmroll"
        case _:
            return actor


def account_names(actors: Iterable[str]) -> dict[str, str]:
    """The names of the accounts among these actors, by id."""
    ids = {actor.removeprefix("account:") for actor in actors if actor.startswith("account:")}
    valid = [UUID(text) for text in ids if _is_uuid(text)]
    if not valid:
        return {}
    return {str(pk): name for pk, name in Account.objects.filter(pk__in=valid).values_list("pk", "username")}


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
