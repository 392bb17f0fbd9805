"""Every file of the shared photos ends shown, listed with a plain reason, or skipped."""

import json
from collections import Counter
from pathlib import Path

import pytest

from events.replay import read_models
from tests.journeys.conftest import Installation

SHOWN, FAILED, SKIPPED = 311, 29, 13


@pytest.fixture
def imported(installation: Installation, shared: Path) -> Installation:
    installation.manage("import", str(shared / "photos"))
    installation.start("worker")
    installation.status(wait_idle=True, timeout=500)
    return installation


@pytest.mark.timeout(900)
def test_every_file_has_an_end_and_a_replay_changes_nothing(imported: Installation, shared: Path) -> None:
    rows = imported.rows("SELECT path, state, photo_id, code, reason FROM photo_file")
    previews = dict(imported.rows("SELECT id, preview_state FROM photo"))
    failed_photos = {row[0]: row[1:] for row in imported.rows("SELECT photo_id, code, reason FROM failure")}
    ends = Counter[str]()
    for path, state, photo, code, reason in rows:
        if state == "indexed" and previews[photo] == "ready":
            ends["shown"] += 1
        elif state == "skipped":
            ends["skipped"] += 1
            assert code in {"sidecar", "not-a-picture"}, path
        else:
            ends["failed"] += 1
            code, reason = failed_photos[photo] if photo else (code, reason)
            assert code != "unexpected", (path, reason)
            assert len(reason.split()) > 12, (path, reason)
    # Apart from the manifest itself, which lies in the folder too.
    files = {entry["file"] for entry in json.loads((shared / "photos" / "MANIFEST.json").read_text())["files"]}
    # Names that begin with a dot are left out: copying programs name their half-made files so.
    assert {row[0] for row in rows} - {"MANIFEST.json"} == files - {"good/names/.hidden_photo.jpg"}
    assert ends == {"shown": SHOWN, "failed": FAILED, "skipped": SKIPPED + 1}
    assert imported.value("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'") == 0
    replayed_rows_are_identical(imported)


def replayed_rows_are_identical(imported: Installation) -> None:
    tables = [model._meta.db_table for module in read_models().values() for model in module.TABLES]
    assert {"library", "photo", "photo_file", "failure"} < set(tables)
    before = {table: imported.rows(f"SELECT t::text FROM {table} AS t ORDER BY 1") for table in tables}
    jobs = imported.value("SELECT count(*) FROM procrastinate_jobs")
    imported.manage("replay")
    assert {table: imported.rows(f"SELECT t::text FROM {table} AS t ORDER BY 1") for table in tables} == before
    assert imported.value("SELECT count(*) FROM procrastinate_jobs") == jobs
