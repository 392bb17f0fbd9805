"""Things are recognised where the model is; where it is missing the jobs wait, and nothing counts as an error."""

import contextlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.journeys.browsing import Browser
from tests.journeys.conftest import Installation

PASSWORD = "a darkroom at night"


def test_jobs_wait_for_a_missing_model_and_run_when_it_arrives(
    installation: Installation, serve: Callable[[], str], shared: Path
) -> None:
    shutil.copy(shared / "photos" / "good" / "cat_720p.jpg", installation.photos / "cat.jpg")
    models = installation.folder / "models"
    models.mkdir()
    installation.extra_environment["FILMROLL_MODELS_DIR"] = str(models)
    browser = Browser(serve())
    browser.post("/welcome/", username="ada", password=PASSWORD)
    installation.manage("import", str(installation.photos))
    worker = installation.start("worker")
    waiting = installation.status(wait_idle=True)
    assert waiting["photos"] == {"shown": 1, "waiting": 0, "failed": 0, "skipped": 0}
    assert waiting["jobs"]["held"] == 1
    assert "model missing" in waiting["held"]["labels"]
    assert installation.value("SELECT count(*) FROM job_attempt WHERE task = 'analyse_photo'") == 0
    photo = installation.value("SELECT id FROM photo")
    assert "Model missing" in browser.get(f"/photos/{photo}/").decode()

    for model in (shared / "models").rglob("*.tflite"):
        shutil.copy(model, models)
    installation.kill(worker)  # a new worker looks at once; a running one within half a minute
    installation.start("worker")
    done = installation.status(wait_idle=True)
    # What runs periodically always waits for its next time.
    assert not any(count for state, count in done["jobs"].items() if state != "scheduled"), done["jobs"]
    assert installation.value("SELECT count(*) FROM job_attempt WHERE task = 'analyse_photo'") == 1
    made = installation.value("SELECT made FROM photo_analysis")
    assert made.keys() == {"objects", "scenes", "faces", "similar"}
    assert installation.value("SELECT count(*) FROM core_photo_vector") == 1
    page = browser.get(f"/photos/{photo}/").decode()
    assert "Model missing" not in page
    assert ">cat " in page
    labels = installation.value("SELECT labels FROM photo")
    cat = next(one for one in labels if one["label"] == "cat")
    assert cat["score"] > 0.5
    assert installation.value("SELECT processed_at IS NOT NULL FROM photo")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_j12_a_worker_killed_while_it_loads_a_model_leaves_no_lock_and_the_next_one_loads_it(
    installation: Installation, shared: Path
) -> None:
    shutil.copy(shared / "photos" / "good" / "cat_720p.jpg", installation.photos / "cat.jpg")
    installation.extra_environment["FILMROLL_MODELS_DIR"] = str(_models(installation, shared))
    installation.manage("import", str(installation.photos))
    worker = installation.start("worker")
    deadline = time.monotonic() + 120
    while not _is_loading(worker.pid):
        assert worker.poll() is None and time.monotonic() < deadline, installation.logs()
        time.sleep(0.01)
    installation.kill(worker)  # with its children, as a power cut would
    assert installation.value("SELECT count(*) FROM photo_analysis WHERE made <> '{}'") == 0
    installation.start("worker")
    runs = """SELECT string_agg(outcome, ', ' ORDER BY number) FROM job_attempt
               WHERE job_id = (SELECT min(job_id) FROM job_attempt WHERE task = 'analyse_photo')"""
    installation.until(runs, "lost, succeeded", 300)
    assert {"objects", "scenes"} <= installation.value("SELECT made FROM photo_analysis").keys()


def _models(installation: Installation, shared: Path) -> Path:
    models = installation.folder / "models"
    models.mkdir()
    for model in (shared / "models").rglob("*.*"):
        shutil.copy(model, models)
    return models


def _is_loading(worker: int) -> bool:
    """Whether a child of this worker has begun with the libraries that load models."""
    for process in psutil.Process(worker).children(recursive=True):
        with contextlib.suppress(OSError):
            if "tensorflow" in Path(f"/proc/{process.pid}/maps").read_text():
                return True
    return False
