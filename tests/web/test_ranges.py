"""Parts of a file: the forms of a Range header, what a browser may put together, and big files in small pieces."""

import gc
import os
import resource
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, RequestFactory

from core.web.ranges import Part, Unsatisfiable, answer_with, asked_part
from tests.web.conftest import Shelf

CONTENT = bytes(range(200))
MP4 = ("mp4", "video", "video/mp4")


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", Part(0, 1)),
        ("bytes=0-", Part(0, 200)),
        ("bytes=50-99", Part(50, 50)),
        ("bytes=199-", Part(199, 1)),
        ("bytes=150-1000000", Part(150, 50)),
        ("bytes=-1", Part(199, 1)),
        ("bytes=-1000", Part(0, 200)),
        ("BYTES = 5-6", Part(5, 2)),
        ("bytes=5-6,", Part(5, 2)),
    ],
)
def test_each_form_of_one_range(header: str, part: Part) -> None:
    assert asked_part(header, 200) == part


@pytest.mark.parametrize(
    "header",
    ["", "bytes=", "bytes=-", "bytes=9-5", "bytes=a-b", "bytes=0-1,5-6", "lines=1-2", "bytes=0x1-2", "bytes=1_0-2",
     "bytes=٣-", "bytes=--5", "bytes=" + "9" * 400 + "-"],
)  # fmt: skip
def test_what_makes_no_sense_or_asks_for_several_is_answered_with_the_whole(header: str) -> None:
    assert asked_part(header, 200) is None


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=200-", 200), ("bytes=-0", 200), ("bytes=0-", 0), ("bytes=-5", 0)]
)
def test_a_range_outside_the_file_cannot_be_satisfied(header: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        asked_part(header, size)


@pytest.fixture
def fetch(owner: object):  # type: ignore[no-untyped-def]
    """Asks as a player would: status, headers and content."""

    async def ask(address: str, method: str = "get", **headers: str) -> tuple[int, Any, bytes]:
        client = AsyncClient()
        await client.aforce_login(owner)
        answer = await getattr(client, method)(
            address, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
        content = b"".join([piece async for piece in answer]) if answer.streaming else answer.content
        answer.close()
        return answer.status_code, answer.headers, content

    return async_to_sync(ask)


@pytest.fixture
def video(shelf: Shelf) -> str:
    return f"/photos/{shelf.photo('clip.mp4', content=CONTENT, kind=MP4)}"


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["playing", "original"])
def test_a_part_is_sent_as_a_part(place: str, video: str, fetch: Any) -> None:
    status, headers, content = fetch(f"{video}/{place}", Range="bytes=20-29")
    assert (status, content) == (206, CONTENT[20:30])
    assert headers["Content-Range"] == "bytes 20-29/200"
    assert headers["Content-Length"] == "10"
    assert headers["Content-Type"] == "video/mp4"
    assert headers["Accept-Ranges"] == "bytes"


@pytest.mark.django_db
def test_the_whole_says_that_parts_may_be_asked_for(video: str, fetch: Any) -> None:
    status, headers, content = fetch(f"{video}/playing")
    assert (status, content, headers["Accept-Ranges"]) == (200, CONTENT, "bytes")
    assert headers["Content-Disposition"] == 'inline; filename="clip.mp4"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.django_db
def test_a_range_behind_the_end_is_refused_with_the_size(video: str, fetch: Any) -> None:
    status, headers, content = fetch(f"{video}/playing", Range="bytes=200-")
    assert (status, headers["Content-Range"], content) == (416, "bytes */200", b"")


@pytest.mark.django_db
def test_a_part_is_joined_to_the_same_content_only(video: str, fetch: Any) -> None:
    etag = fetch(f"{video}/playing")[1]["ETag"]
    assert fetch(f"{video}/playing", Range="bytes=1-2", If_Range=etag)[0] == 206
    for other in ('"another"', f"W/{etag}", "Sat, 01 Jan 2022 00:00:00 GMT"):
        status, _, content = fetch(f"{video}/playing", Range="bytes=1-2", If_Range=other)
        assert (status, content) == (200, CONTENT)


@pytest.mark.django_db
def test_what_the_browser_has_is_not_sent_again_whatever_the_range(video: str, fetch: Any) -> None:
    etag = fetch(f"{video}/playing")[1]["ETag"]
    assert fetch(f"{video}/playing", Range="bytes=1-2", If_None_Match=etag)[::2] == (304, b"")


@pytest.mark.django_db
def test_head_says_everything_and_sends_nothing(video: str, fetch: Any) -> None:
    status, headers, content = fetch(f"{video}/playing", "head", Range="bytes=1-2")
    assert (status, headers["Content-Length"], content) == (200, "200", b"")
    assert headers["Content-Type"] == "video/mp4"
    assert headers["ETag"]


@pytest.mark.django_db
def test_a_file_that_was_changed_meanwhile_is_never_sent_in_parts(video: str, shelf: Shelf, fetch: Any) -> None:
    (shelf.root / "clip.mp4").write_bytes(CONTENT + b"more")
    status, headers, content = fetch(f"{video}/playing", Range="bytes=1-2")
    assert (status, content, headers["Accept-Ranges"]) == (200, CONTENT + b"more", "none")
    assert "ETag" not in headers


@pytest.mark.django_db
def test_a_still_picture_a_drawing_and_a_page_are_never_sent_inline(shelf: Shelf, fetch: Any) -> None:
    for name, kind, facts in (
        ("still.gif", ("gif", "image", "image/gif"), {}),
        ("two.jpg", ("jpeg", "image", "image/jpeg"), {"animated": True}),
        ("drawing.svg", ("svg", "image", "image/svg+xml"), {"animated": True}),
        ("page.mp4", ("html", "video", "text/html"), {}),
    ):
        assert fetch(f"/photos/{shelf.photo(name, kind=kind, **facts)}/playing")[0] == 404


@pytest.mark.django_db
def test_a_picture_that_moves_is_sent_inline_under_its_true_type(shelf: Shelf, fetch: Any) -> None:
    photo = shelf.photo("cat.gif", kind=("gif", "image", "image/gif"), animated=True)
    status, headers, _ = fetch(f"/photos/{photo}/playing")
    assert (status, headers["Content-Type"]) == (200, "image/gif")


@pytest.mark.django_db
def test_the_end_of_a_file_of_gigabytes_comes_at_once_and_in_little_memory(shelf: Shelf, fetch: Any) -> None:
    from core.readmodels.photos import Photo

    photo = shelf.photo("film.mp4", content=CONTENT, kind=MP4)
    size = 6 << 30
    os.truncate(shelf.root / "film.mp4", size)
    Photo.objects.filter(id=photo).update(size=size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    status, headers, content = fetch(f"/photos/{photo}/playing", Range=f"bytes={size - 8000000}-")
    assert (status, len(content)) == (206, 8000000)
    assert headers["Content-Range"] == f"bytes {size - 8000000}-{size - 1}/{size}"
    assert fetch(f"/photos/{photo}/playing", "head")[1]["Content-Length"] == str(size)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


@pytest.mark.django_db
def test_the_film_inside_a_picture_is_sent_as_a_file_of_its_own(shelf: Shelf, fetch: Any) -> None:
    photo = shelf.photo("motion.jpg", content=CONTENT, motion_start=150, motion_length=40)
    status, headers, content = fetch(f"/photos/{photo}/motion")
    assert (status, content, headers["Content-Type"]) == (200, CONTENT[150:190], "video/mp4")
    status, headers, content = fetch(f"/photos/{photo}/motion", Range="bytes=-10")
    assert (status, content, headers["Content-Range"]) == (206, CONTENT[180:190], "bytes 30-39/40")
    assert fetch(f"/photos/{photo}/original")[1]["ETag"] != headers["ETag"]
    (shelf.root / "motion.jpg").write_bytes(CONTENT * 2)
    assert fetch(f"/photos/{photo}/motion")[0] == 404
    assert fetch(f"/photos/{shelf.photo('still.jpg')}/motion")[0] == 404


def test_an_answer_that_nobody_takes_closes_its_file(tmp_path: Path) -> None:
    (tmp_path / "film").write_bytes(b"0123456789")
    file = (tmp_path / "film").open("rb")
    answer = answer_with(RequestFactory().get("/"), file, Part(0, 10), '"etag"')
    assert not file.closed
    del answer
    gc.collect()
    assert file.closed
