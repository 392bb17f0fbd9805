"""How what is said of a photo becomes what is shown of it: every source's words are kept, one counts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.domain import edits, facts
from core.domain.facts import Fact
from core.domain.photos import MetadataRead
from core.domain.sidecars import SidecarGone, SidecarRead, SidecarWritten

# {"file": {name: {"value", "source"}}, "user": {name: value}, "sidecars": {file: {"path", "source", "facts"}}}
# Beside an upload a sidecar has its "name", its "turn" among the others, and says whether it is Filmroll's "own".
Said = dict[str, Any]


def hear(said: Said, fact: object) -> Said:
    """What is said of a photo after one more event."""
    match fact:
        case MetadataRead(facts=read):
            return {
                **said,
                "file": {name: {"value": one.value, "source": one.source} for name, one in read.items()},
            }
        case SidecarRead(file=file, path=path, source=source, facts=read, name=name):
            return _with_sidecar(said, str(file), {"path": path, "source": source, "facts": read}, name)
        case SidecarWritten(file=file, path=path, facts=written, name=name):
            own = {"own": True} if name else {}
            whole = {"path": path, "source": "sidecar", "facts": written, **own}
            return _with_sidecar(said, str(file), whole, name)
        case SidecarGone(file=file):
            return {**said, "sidecars": {k: v for k, v in said.get("sidecars", {}).items() if k != str(file)}}
        case edits.ChangeUndone():
            return {**said, "user": edits.apply(said.get("user", {}), fact)}
        case _ if isinstance(fact, edits.EDITS):
            return {**said, "user": edits.apply(said.get("user", {}), fact)}
    return said


def columns(said: Said) -> dict[str, Any]:
    """The photo's columns that follow from what is said of it."""
    known = facts.resolve(_layers(said))
    taken = known.get("taken_at")
    make, model = _text(known, "camera_make"), _text(known, "camera_model")
    return {
        "facts": {name: _as_json(one) for name, one in known.items()},
        "taken_local": datetime.fromisoformat(taken.value) if taken else None,
        "taken_offset": _text(known, "taken_offset"),
        "taken_source": taken.source if taken else "",
        "camera": model if model.lower().startswith(make.lower()) else f"{make} {model}".strip(),
        "lens": _text(known, "lens"),
        "latitude": _value(known, "latitude"),
        "longitude": _value(known, "longitude"),
        "rating": _value(known, "rating"),
        "favourite": bool(_value(known, "favourite")),
    }


def sidecars_in_order(said: Said) -> list[dict[str, Any]]:
    """What the sidecars say, the weightiest first: the more special one (IMG_1.jpg.xmp before IMG_1.xmp).

    Uploads lie there for ever, under whatever hash. Of one name the last one counts, and what Filmroll wrote
    itself counts more than those that it had read by then.
    """
    beside = list(said.get("sidecars", {}).values())
    written = max((one["turn"] for one in beside if "own" in one), default=0)

    def weight(one: dict[str, Any]) -> tuple[object, ...]:
        turn = one.get("turn", 0)
        return (turn < written) - (turn > written), -len(one.get("name", one["path"])), -turn, one["path"]

    return sorted(beside, key=weight)


def _with_sidecar(said: Said, file: str, sidecar: dict[str, Any], name: str) -> Said:
    beside = said.get("sidecars", {})
    # Its own sidecar stays Filmroll's own, whoever wrote into it.
    known = {key: value for key, value in beside.get(file, {}).items() if key in ("name", "own")}
    named = {**known, **({"name": name} if name else {})}
    if named:
        named["turn"] = 1 + max((one.get("turn", 0) for one in beside.values()), default=0)
    return {**said, "sidecars": {**beside, file: {**sidecar, **named}}}


def _layers(said: Said) -> list[facts.Layer]:
    """What each source says: the person, the sidecars, the file itself."""
    user = {name: Fact(value, "user") for name, value in said.get("user", {}).items()}
    beside = [
        {name: Fact(value, one["source"]) for name, value in one["facts"].items()}
        for one in sidecars_in_order(said)
    ]
    own = {name: Fact(one["value"], one["source"]) for name, one in said.get("file", {}).items()}
    return [user, *beside, own]


def _as_json(one: facts.Known) -> dict[str, Any]:
    also = [{"value": other.value, "source": other.source} for other in one.also]
    return {"value": one.value, "source": one.source, **({"also": also} if also else {})}


def _value(known: Mapping[str, facts.Known], name: str) -> Any:
    return known[name].value if name in known else None


def _text(known: Mapping[str, facts.Known], name: str) -> str:
    return str(_value(known, name) or "")
