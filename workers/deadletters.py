"""Tells the rest of the program that a job is dead, so that the photo's own history says what failed."""

from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

_log = structlog.get_logger(__name__)


def tell_of_death(job_args: dict[str, Any], task: str, job_id: int, run: int, error: BaseException) -> None:
    """Call the function that settings.JOB_DEAD_HOOK names, if any; `run` is the number of the job's last attempt.

    Never raises: a history that could not be written must not keep the job from being marked dead.
    """
    named = getattr(settings, "JOB_DEAD_HOOK", "")
    if not named:
        return
    try:
        hook: Callable[..., None] = import_string(named)
        with transaction.atomic():
            hook(job_args=job_args, task=task, job_id=job_id, run=run, error=error)
    except Exception:  # noqa: BLE001  # the outermost edge: whatever the hook does, the job ends
        _log.exception("the death of a job could not be written into the photo's history", job=job_id, task=task)
