"""Preview and original files: what is sent, how long it may be kept, and that it can never run."""

from uuid import uuid4

import pytest
from django.test import AsyncClient, Client

from core.readmodels.photos import Photo
from core.storage import preview_path
from tests.web.conftest import Shelf

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def original_of(owner: object):  # type: ignore[no-untyped-def]
    """Fetches an original as an ASGI server would: answer and content."""

    async def fetch(photo: object, **headers: str):  # type: ignore[no-untyped-def]
        client = AsyncClient()
        await client.aforce_login(owner)
        answer = await client.get(f"/photos/{photo}/original", headers=headers)
        content = b"".join([piece async for piece in answer]) if answer.streaming else answer.content
        answer.close()
        return answer, content

    from asgiref.sync import async_to_sync

    return async_to_sync(fetch)


@pytest.mark.parametrize("name", ["tile", "large"])
def test_a_preview_may_be_kept_for_ever_by_this_browser_alone(name: str, shelf: Shelf, page: Client) -> None:
    photo = shelf.photo()
    answer = page.get(f"/photos/{photo}/{name}/r1.webp")
    assert answer.content == preview_path(photo, "r1", name).read_bytes()
    assert answer.headers["Content-Type"] == "image/webp"
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_preview_that_the_browser_has_is_not_sent_again(shelf: Shelf, page: Client) -> None:
    address = f"/photos/{shelf.photo()}/tile/r1.webp"
    etag = page.get(address).headers["ETag"]
    again = page.get(address, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert "immutable" in again.headers["Cache-Control"]


@pytest.mark.parametrize("revision", ["r2", "..%2f..%2fsecret-key"])
def test_another_revision_is_not_found(revision: str, shelf: Shelf, page: Client) -> None:
    assert page.get(f"/photos/{shelf.photo()}/tile/{revision}.webp").status_code == 404


def test_an_original_is_saved_under_its_name_and_is_the_file_itself(shelf: Shelf, original_of) -> None:  # type: ignore[no-untyped-def]
    photo = shelf.photo('sommer/Müller\'s "Hund".jpg')
    answer, content = original_of(photo)
    assert content == (shelf.root / 'sommer/Müller\'s "Hund".jpg').read_bytes()
    assert answer.headers["Content-Length"] == str(len(content))
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''M%C3%BCller")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("mime", ["text/html", "image/svg+xml", "application/xhtml+xml", "", "image/png; x"])
def test_an_original_that_could_run_is_sent_as_bytes(mime: str, shelf: Shelf, original_of) -> None:  # type: ignore[no-untyped-def]
    photo = shelf.photo("page.jpg", content=b"<script>alert(1)</script>", kind=("html", "image", mime))
    answer, content = original_of(photo)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert content == b"<script>alert(1)</script>"


def test_a_large_original_comes_in_pieces_and_whole(shelf: Shelf, original_of) -> None:  # type: ignore[no-untyped-def]
    data = bytes(range(256)) * 4096
    _, content = original_of(shelf.photo("big.jpg", content=data))
    assert content == data


def test_an_original_that_the_browser_has_is_not_sent_again(shelf: Shelf, original_of) -> None:  # type: ignore[no-untyped-def]
    photo = shelf.photo()
    answer, _ = original_of(photo)
    again, content = original_of(photo, **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, content) == (304, b"")


def test_an_original_whose_file_is_away_is_not_found(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo("gone.jpg")
    (shelf.root / "gone.jpg").unlink()
    assert page.get(f"/photos/{photo}/original").status_code == 404


def test_a_copy_stands_in_for_a_file_that_is_away(shelf: Shelf, original_of) -> None:  # type: ignore[no-untyped-def]
    from core.commands import photos as commands
    from core.domain import photos

    photo = Photo.objects.get(id=shelf.photo("a.jpg"))
    data = (shelf.root / "a.jpg").read_bytes()
    (shelf.root / "b.jpg").write_bytes(data)
    (shelf.root / "a.jpg").unlink()
    again = photos.OriginalFile(uuid4(), "b.jpg", len(data), 1)
    found = photos.PhotoImported(shelf.library, again, photo.sha256, "jpeg", "image", "image/jpeg")
    commands.import_photo(found, photos.MetadataRead(1, {}), actor="worker:import")
    assert original_of(photo.id)[1] == data


def test_an_original_whose_name_is_no_utf_8_can_be_saved(shelf: Shelf, original_of) -> None:  # type: ignore[no-untyped-def]
    from core.storage import original_path, path_to_text

    text = path_to_text(b"caf\xe9.jpg")
    (shelf.root / "placeholder.jpg").write_bytes(b"")
    photo = shelf.photo("placeholder.jpg", content=b"data")
    (shelf.root / "placeholder.jpg").rename(original_path(path_to_text(shelf.root), text))
    Photo.objects.filter(id=photo).update(path=text, name=text)
    answer, content = original_of(photo)
    assert content == b"data"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="caf\\\\xe9.jpg"'
