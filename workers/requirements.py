"""What a queue needs before its jobs can be worked on; while that is missing its jobs wait and burn no attempt."""

from collections.abc import Callable

from workers import modelfiles


def _objects_model() -> str | None:
    """Downloads the model where that is allowed, so it may take a while: for a worker's thread."""
    return _missing(modelfiles.obtain(modelfiles.OBJECTS))


# Queue → a question that costs no SQL: what is missing, or None.
REQUIREMENTS: dict[str, Callable[[], str | None]] = {"labels": _objects_model}
_MODELS = {"labels": modelfiles.OBJECTS}


def unmet_requirements() -> dict[str, str]:
    """The queues that are not worked on now, and why. Looks only; downloads nothing."""
    looks = {queue: _missing(modelfiles.look(model)) for queue, model in _MODELS.items()}
    return {queue: missing for queue, missing in looks.items() if missing}


def _missing(seen: modelfiles.Look) -> str | None:
    return None if seen.state is modelfiles.State.READY else f"model missing: {seen.reason}"
