"""Settings of the worker processes that tests start: the real ones, with tasks to play with."""

import os

from core.settings import *  # noqa: F403

PROCRASTINATE_IMPORT_PATHS = ["tests.workers.jobs.tasks_for_tests"]
JOB_DEAD_HOOK = os.environ.get("TEST_DEAD_HOOK", "")
# No reaction to events and no real task is needed here, and each start is quicker without.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""
