"""What a queue needs before its jobs can be worked on; while that is missing its jobs wait and burn no attempt.

A model, for what looks at photos; room on the disk, for what makes previews: of a hundred thousand jobs that wait
none has to fail to find out that the disk is full.
"""

from collections.abc import Callable, Iterable

from core.storage import has_room_for_previews
from workers import modeldownloads, modelfiles, presets
from workers.catalog import BY_ANALYSIS, MODELS
from workers.errors import JobError
from workers.modelfiles import Look, State

_MAKING_SECONDS = 300
_MAKING_MIB = 2048


def _model(name: str) -> Callable[[], str | None]:
    """Downloads the model where that is allowed, makes what is to be made: for a worker's thread."""
    if MODELS[name].is_preset:
        return _preset
    return lambda: _missing(_made(name, modeldownloads.obtain(name)))


def _any_model() -> str | None:
    """A photo is looked at as soon as there is any model; for the others it waits in their queues."""
    missing = _all_missing(_made(name, modeldownloads.obtain(name)) for name in _PINNED)
    return missing if presets.why_not() else None


def _preset() -> str | None:
    """Fetches the preset from its hub where the installation names one and allows it."""
    # Late, as below.
    from workers.presetdownloads import obtain

    return obtain() or None


def _room() -> str | None:
    return None if has_room_for_previews() else _NO_ROOM


_NO_ROOM = "the disk of the data folder is full"
_PINNED = [name for name, model in MODELS.items() if not model.is_preset]
_QUEUES = {f"labels-{analysis}": model.name for analysis, model in BY_ANALYSIS.items()}
# Queue → a question that costs no SQL: what is missing, or None.
REQUIREMENTS: dict[str, Callable[[], str | None]] = {
    "previews": _room,
    "labels": _any_model,
    **{queue: _model(name) for queue, name in _QUEUES.items()},
}


def unmet_requirements() -> dict[str, str]:
    """The queues that are not worked on now, and why. Looks only; downloads nothing."""
    looks = {queue: _missing(modelfiles.look(name)) for queue, name in _QUEUES.items() if name in _PINNED}
    looks["labels"] = _all_missing(modelfiles.look(name) for name in MODELS)
    # What is not installed is no want: no worker works on its queue, and nothing waits in it.
    if presets.is_installed():
        looks |= {queue: presets.why_not() for queue, name in _QUEUES.items() if name not in _PINNED}
    looks["previews"] = _room()
    return {queue: missing for queue, missing in looks.items() if missing}


def _made(name: str, seen: Look) -> Look:
    """Make the files that are to be made from others, in a child process, and look again."""
    if seen.state is not State.TO_MAKE:
        return seen
    # Late: the web's processes ask this module too, and start no children.
    from workers.children import run_in_child
    from workers.ml import mobileface

    for file in seen.lacking:
        parts = {part.role: modelfiles.find_file(part) for part in file.made_from}
        target = modelfiles.place_of_made(file)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            run_in_child(
                "making",
                mobileface.convert,
                parts["graph"],
                parts["weights"],
                target,
                seconds=_MAKING_SECONDS,
                memory_mib=_MAKING_MIB,
            )
        except JobError as error:
            return Look(seen.state, seen.paths, f"{file.name} could not be made: {error.reason}", seen.lacking)
        modelfiles.seal(target)
    return modelfiles.look(name)


def _all_missing(looks: Iterable[Look]) -> str | None:
    reasons = [_missing(seen) for seen in looks]
    return reasons[0] if reasons and all(reasons) else None


def _missing(seen: Look) -> str | None:
    return None if seen.state is State.READY else f"model missing: {seen.reason}"
