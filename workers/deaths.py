"""When a job dies for good, the photo's or the file's own history says so, in plain words."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from core.commands.files import record_file_failed
from core.commands.photos import record_step_failed
from core.commands.sidecars import record_sidecar_not_written
from core.domain.files import FileFailed, folder_name
from core.domain.photos import PhotoNotFound, Step, StepFailed
from core.domain.sidecars import SidecarNotWritten
from core.readmodels.libraries import folder_by_id
from core.storage import original_path
from workers.errors import classify

Args = dict[str, Any]


def record_dead(job_args: Args, task: str, job_id: int, run: int, error: BaseException) -> None:
    """Record the death of a job; `run` is the number of its last run, so that each death counts once."""
    record = _RECORDERS.get(task)
    if record is not None:
        record(job_args, job_id, run, error)


def _step_died(step: Step) -> Callable[[Args, int, int, BaseException], None]:
    def record(job_args: Args, job_id: int, run: int, error: BaseException) -> None:
        _, code, reason = classify(error)
        failure = StepFailed(step, code, reason, job_id, type(error).__name__)
        with suppress(PhotoNotFound):  # it was forgotten meanwhile
            record_step_failed(UUID(job_args["photo"]), failure, run, actor=f"worker:{step}")

    return record


def _import_died(job_args: Args, job_id: int, run: int, error: BaseException) -> None:
    _, code, reason = classify(error)
    folder, path = folder_by_id(UUID(job_args.get("folder") or job_args["library"])), job_args["path"]
    try:
        now = original_path(folder.root, path).stat()
        size, mtime_ns = now.st_size, now.st_mtime_ns
    except OSError:
        size, mtime_ns = 0, 0  # a rescan that finds the file readable sees a change, and tries again
    error_class = type(error).__name__
    place = folder_name(folder.library_id, folder.id)
    failure = FileFailed(folder.library_id, path, size, mtime_ns, code, reason, job_id, error_class, place)
    record_file_failed(failure, run, actor="worker:import")


def _sidecar_died(job_args: Args, job_id: int, run: int, error: BaseException) -> None:  # noqa: ARG001
    _, _, reason = classify(error)
    failure = SidecarNotWritten("", reason)
    with suppress(PhotoNotFound):
        record_sidecar_not_written(UUID(job_args["photo"]), failure, actor="worker:sidecar")


_RECORDERS: dict[str, Callable[[Args, int, int, BaseException], None]] = {
    "import_file": _import_died,
    "render_previews": _step_died(Step.PREVIEWS),
    "write_sidecar": _sidecar_died,
    "analyse_photo": _step_died(Step.LABELS),
    "detect_objects": _step_died(Step.LABELS),
}
