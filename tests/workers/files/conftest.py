"""A library on disk, and the queue worked off in this very process: scan, import and previews without a worker."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection
from procrastinate.contrib.django import app

from core.commands.libraries import add_library
from core.readmodels.files import PhotoFile
from core.readmodels.libraries import library_by_id
from core.readmodels.photos import Photo
from events.reading import read_stream
from tests.journeys.pictures import make_picture
from workers import deaths
from workers.errors import JobError
from workers.scan import scan_folders

_NEXT = """
UPDATE procrastinate_jobs SET status = 'doing'
 WHERE id = (SELECT id FROM procrastinate_jobs WHERE status = 'todo' AND queue_name NOT LIKE 'labels%'
              AND task_name <> 'scan_library' AND (scheduled_at IS NULL OR scheduled_at <= now())
            ORDER BY id LIMIT 1)
RETURNING id, task_name, args
"""


@dataclass(frozen=True)
class Home:
    """One library with one folder."""

    root: Path
    library: UUID

    def put(self, name: str | bytes, number: int = 0) -> Path:
        path = self.root / (name if isinstance(name, str) else name.decode("utf-8", "surrogateescape"))
        return make_picture(path, number, (64, 48), format="JPEG")

    def scan(self) -> dict[str, object]:
        """Look through the library, and do what is to be done."""
        told = scan_folders(library_by_id(self.library))
        work()
        return told

    def photos(self) -> dict[str, str]:
        """Path → id of each photo that is shown and has its original."""
        rows = Photo.objects.filter(hidden="", missing=False).values_list("path", "id")
        return {path: str(identity) for path, identity in rows}

    def missing(self) -> set[str]:
        return set(Photo.objects.filter(hidden="", missing=True).values_list("path", flat=True))

    def files(self) -> set[str]:
        return set(PhotoFile.objects.filter(missing_since=None).values_list("path", flat=True))


def work() -> None:
    """Work off the queue; a job that fails dies, and says so where a worker's would."""
    while job := _next():
        job_id, name, args = job
        try:
            app.tasks[name](**args)
        except (JobError, OSError) as error:
            deaths.record_dead(args, name, job_id, 1, error)
            _end(job_id, "failed")
        else:
            _end(job_id, "succeeded")


def history(photo: str | UUID) -> list[str]:
    return [event.type.removeprefix("photo.") for event in read_stream(f"photo-{photo}")]


def jobs(status: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE status = %s", [status])
        return int(cursor.fetchone()[0])


def last_position() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(position), 0) FROM event")
        return int(cursor.fetchone()[0])


def _next() -> tuple[int, str, dict[str, str]] | None:
    import json

    with connection.cursor() as cursor:
        cursor.execute(_NEXT)
        row = cursor.fetchone()
    return row and (row[0], row[1], json.loads(row[2]) if isinstance(row[2], str) else row[2])


def _end(job: int, status: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = %s WHERE id = %s", [status, job])


@pytest.fixture
def home(tmp_path: Path, db: None) -> Home:
    root = tmp_path / "home"
    root.mkdir()
    return Home(root, add_library(root, actor="test"))


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are decoded here: what a child process is good for is tested elsewhere."""

    def run(_: str, function: Callable[..., object], *args: object, **__: object) -> object:
        return function(*args)

    for module in ("workers.imports", "workers.rendering", "workers.tasks", "workers.sidecars", "workers.uploads"):
        monkeypatch.setattr(f"{module}.run_in_child", run)
