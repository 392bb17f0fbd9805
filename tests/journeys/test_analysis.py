"""Things are recognised where the model is; where it is missing the jobs wait, and nothing counts as an error."""

import shutil
from collections.abc import Callable
from pathlib import Path

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
