"""Settings of the workers that the benchmark of jobs starts: one task that does nothing, no log on the way."""

from core.settings import *  # noqa: F403

PROCRASTINATE_IMPORT_PATHS = ["tests.bench.jobs_tasks"]
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""
