"""Steps that end together have one follow-up between them (row J10)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections

from core.commands import photos as commands
from core.commands.analysis import record_seen
from core.commands.libraries import add_library
from core.domain import photos
from core.readmodels.photos import Photo


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("repeats", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_j10_steps_that_end_together_have_exactly_one_follow_up(tmp_path: object, repeats: int) -> None:
    library = add_library(tmp_path, actor="test")  # type: ignore[arg-type]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(repeats):
            photo = _import(library)
            together = threading.Barrier(4)
            # Each result is said twice, by four threads at the same moment.
            list(pool.map(lambda record, photo=photo, gate=together: _record(record, photo, gate), _RECORDS * 2))
            assert _count(photo, "photo.processed") == 1
            assert _count(photo, "photo.previews_rendered") == 1
            assert _count(photo, "photo.labels_found") == 1
            assert Photo.objects.get(id=photo).processed_at is not None
        list(pool.map(lambda _: connections.close_all(), range(16)))


def _import(library: UUID) -> UUID:
    file = photos.OriginalFile(uuid4(), f"{uuid4()}.jpg", 1, 1)
    found = photos.PhotoImported(library, file, uuid4().hex * 2, "jpeg", "image", "image/jpeg")
    return commands.import_photo(found, photos.MetadataRead(1, {}), actor="test")


def _record(record: object, photo: UUID, gate: threading.Barrier) -> None:
    gate.wait()
    record(photo)  # type: ignore[operator]
    connection.close()


def _previews(photo: UUID) -> None:
    made = photos.Rendition(4, 3, 99)
    result = photos.PreviewsRendered(1, "r1", 40, 30, made, made, "aGk=", "decoded")
    commands.record_previews(photo, result, actor="test")


def _labels(photo: UUID) -> None:
    record_seen(photo, [photos.LabelsFound(1, "yolox", "1", ())], content=None, actor="test")


_RECORDS = [_previews, _labels]


def _count(photo: UUID, type_: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM event WHERE stream_id = %s AND type = %s", [f"photo-{photo}", type_])
        return int(cursor.fetchone()[0])
