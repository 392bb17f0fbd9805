"""Search by meaning: what somebody looks for is described by the model that saw the photos, in an urgent job."""

from uuid import UUID

from core import meaning
from core.domain.analysis import Analysis, maker
from workers import modelfiles, presets
from workers.analyses import memory_mib, queue_for
from workers.catalog import BY_ANALYSIS
from workers.children import run_in_child
from workers.errors import TransientError, classify
from workers.queue import NewJob
from workers.redrive import redrive_or_defer
from workers.staff import has_workers, held_queues

TASK = "describe_text"
QUEUE = queue_for(Analysis.MEANING)
# Before every photo: those can wait, and nobody sits before them.
_PRIORITY = 100
_SECONDS = 90
_MODEL = BY_ANALYSIS[Analysis.MEANING].name


def ask(text: UUID) -> str:
    """Have a worker describe a text, in the caller's transaction; or say in plain words why none can."""
    reason = held_queues().get(QUEUE, "")
    if not reason and not has_workers(QUEUE):
        reason = presets.why_not()
    if not reason:
        # Not the words: others see the console.
        redrive_or_defer(NewJob(TASK, QUEUE, {"text": str(text)}, _PRIORITY), "text")
    return reason


def describe(text: UUID) -> str:
    """Make and keep the numbers of a text, for those who wait and for the next time."""
    asked = meaning.text_of(text)
    if asked is None or asked.vector:
        return "nothing was to be done"
    try:
        made_by, numbers = _described(asked.text)
    except Exception as error:
        meaning.put_trouble(text, classify(error).reason)
        raise
    meaning.put_text(text, made_by, numbers)
    return made_by


def _described(text: str) -> tuple[str, list[float]]:
    from workers.pipelines.meaning import describe_text  # few programs describe any

    seen = modelfiles.look(_MODEL)
    if seen.state is not modelfiles.State.READY:
        raise TransientError("model-missing", seen.reason)
    made_by = maker(*modelfiles.identity(_MODEL))
    preset = seen.paths["preset"]
    return made_by, run_in_child(
        "analysis", describe_text, preset, text, seconds=_SECONDS, memory_mib=memory_mib()
    )
