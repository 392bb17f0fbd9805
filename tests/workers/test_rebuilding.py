"""What an upgrade or PostgreSQL has brought is taken up at the start: read models of before, tables of vectors."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from core import codes, groups, meaning, vectors, vectortables
from core.commands.libraries import add_library
from core.readmodels import libraries
from core.readmodels.libraries import Library
from events import versions
from events.errors import ReplayError
from workers import rebuilding, tasks
from workers.errors import TransientError
from workers.management.commands.status import _in_words
from workers.progress import progress

pytestmark = pytest.mark.django_db


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def jobs() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s", [rebuilding.TASK])
        return int(cursor.fetchone()[0])


@pytest.fixture
def upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """A library of before an upgrade, shown by a name that the code of now would not give it."""
    library = Library.objects.get(id=add_library(tmp_path, actor="test"))
    Library.objects.update(name="as it was")
    monkeypatch.setattr(libraries, "VERSION", 2, raising=False)
    return library


def test_what_a_former_version_has_filled_is_rebuilt_once_by_one_job(upgraded: Library) -> None:
    for _ in range(2):
        rebuilding.take_up()
    assert jobs() == 1
    assert "libraries: filled by an earlier version" in _in_words(progress(), versions.older())
    assert tasks.rebuild_read_models().startswith("libraries: ")
    assert Library.objects.get().name == upgraded.name
    assert (versions.older(), tasks.rebuild_read_models()) == ([], "nothing is older")
    run("UPDATE procrastinate_jobs SET status = 'succeeded'")
    rebuilding.take_up()
    assert jobs() == 1


def test_what_cannot_be_rebuilt_now_is_tried_again_and_says_why(
    upgraded: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_: object) -> None:
        raise ReplayError("another replay is running")

    monkeypatch.setattr(rebuilding, "replay", busy)
    with pytest.raises(TransientError, match="another replay is running"):
        tasks.rebuild_read_models()
    assert versions.older() == ["libraries"]


def test_a_new_installation_has_nothing_to_rebuild() -> None:
    rebuilding.take_up()
    assert (versions.older(), jobs()) == ([], 0)


@pytest.fixture
def nothing_seen() -> Iterator[None]:
    """Which tables are there is remembered per process, and a test's are rolled back."""
    remembered = (vectors._seen, groups._made, meaning._seen)
    for one in remembered:
        one.clear()
    yield
    for one in remembered:
        one.clear()


def test_pgvector_that_comes_later_is_taken_up_at_the_start(nothing_seen: None) -> None:
    tables = "core_face_vector, core_photo_vector, core_photo_code, core_group_vector, core_photo_meaning"
    run(f"DROP TABLE {tables}")
    assert not vectors.has_vectors()
    rebuilding.take_up()
    assert vectors.has_vectors()
    run(f"LOCK TABLE {tables} IN ACCESS SHARE MODE")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attstorage FROM pg_attribute WHERE attrelid = 'core_photo_vector'::regclass"
            " AND attname = 'vector'"
        )
        assert cursor.fetchone() == ("p",)
    assert codes.fill_codes() == 0
    assert vectortables.make_tables()
