"""The viewer: neighbours, details with their sources, things, and the history in words."""

import json
import re
from datetime import UTC, datetime
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from core.commands import photos as commands
from core.commands.analysis import record_seen
from core.commands.libraries import switch_analyses
from core.domain import codec
from core.domain.analysis import Analysis, Scene, ScenesFound
from core.domain.photos import Label, Step
from core.readmodels.photos import Photo, history_of
from core.web.details import exposure_line
from core.web.history import history_in_words
from events.event import Event
from tests.web.conftest import Shelf, minute

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def text_of(answer) -> str:  # type: ignore[no-untyped-def]
    """The words of a page, without tags, in one line."""
    words = re.sub(r"<[^>]+>", " ", answer.content.decode().replace("\u00a0", " "))
    return re.sub(r"\s+", " ", words.replace("&#x27;", "'"))


def neighbours(answer) -> tuple[str | None, str | None]:  # type: ignore[no-untyped-def]
    page = answer.content.decode()
    found = {rel: re.search(rf'rel="{rel}" href="/photos/([^/]+)/"', page) for rel in ("prev", "next")}
    return tuple(match.group(1) if match else None for match in found.values())  # type: ignore[return-value]


def test_the_neighbours_are_the_newer_and_the_older_photo(shelf: Shelf, page: Client) -> None:
    old, middle, new = (str(shelf.photo(f"{n}.jpg", taken=minute(n))) for n in range(3))
    assert neighbours(page.get(f"/photos/{middle}/")) == (new, old)
    assert neighbours(page.get(f"/photos/{new}/")) == (None, middle)
    assert neighbours(page.get(f"/photos/{old}/")) == (middle, None)


def test_neighbours_of_one_moment_are_walked_through_in_the_timelines_order(shelf: Shelf, page: Client) -> None:
    made = {str(shelf.photo(f"{n}.jpg", taken=minute(0))) for n in range(5)}
    at: str | None = re.findall(r'id="p-([^"]+)"', page.get("/").content.decode())[0]
    walked = []
    while at:
        walked.append(at)
        at = neighbours(page.get(f"/photos/{at}/"))[1]
    assert len(walked) == 5
    assert set(walked) == made


def test_failed_photos_are_no_neighbours(shelf: Shelf, page: Client) -> None:
    old = str(shelf.photo("a.jpg", taken=minute(0)))
    shelf.fail(shelf.photo("b.jpg", taken=minute(1), ready=False))
    new = str(shelf.photo("c.jpg", taken=minute(2)))
    assert neighbours(page.get(f"/photos/{new}/")) == (None, old)


def test_the_way_back_leads_to_the_photos_day(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo(taken="2024-05-01T12:00:00")
    assert f'href="/?from=2024-05-01#p-{photo}"' in page.get(f"/photos/{photo}/").content.decode()


def test_for_the_way_to_a_neighbour_only_the_inside_is_fetched_with_its_title(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo("beach.jpg")
    answer = page.get(f"/photos/{photo}/", headers=HTMX).content.decode()
    assert answer.lstrip().startswith("<title>beach.jpg")
    assert "<html" not in answer


def test_every_fact_is_shown_as_people_write_it_with_its_source(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo(
        "tower.jpg",
        taken="2024-05-01T12:30:05.250",
        taken_offset="+02:00",
        camera_make="FUJIFILM",
        camera_model="X-T4",
        lens="XF35mmF1.4 R",
        aperture=2.8,
        shutter=0.004,
        iso=100,
        focal_length=50.0,
        focal_length_35=75,
        flash=False,
        exposure_bias=-0.3333,
        latitude=48.85837,
        longitude=-2.294481,
        altitude=96.4,
        title="The tower",
        keywords=["Paris", "iron"],
        rating=4,
    )
    words = re.sub(r" Change the \w+ .*? Cancel", "", text_of(page.get(f"/photos/{photo}/")))
    assert "Taken 1 May 2024, 12:30:05 (UTC+02:00) from the file's EXIF EXIF" in words
    assert "Position 48.85837° N, 2.29448° W" in words
    assert "Altitude 96 m" in words
    assert "Camera FUJIFILM X-T4" in words
    assert "Lens XF35mmF1.4 R" in words
    assert "1/250 s · f/2.8 · ISO 100 · 50 mm (75 mm in 35 mm format)" in words.replace("\u00a0", " ")
    assert "Flash did not fire" in words
    assert "Correction -0.3 EV" in words
    assert "Title The tower" in words
    assert "Keywords Paris, iron" in words
    assert "4 stars, from the file's EXIF" in words
    assert "600 \N{MULTIPLICATION SIGN} 400 (0.2 megapixels)" in words


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({}, ""),
        ({"iso": 800}, "ISO 800"),
        ({"shutter": 2.5}, "2.5 s"),
        ({"shutter": 0.5}, "0.5 s"),
        ({"shutter": 1 / 8000}, "1/8000 s"),
        ({"shutter": 30.0, "aperture": 11.0}, "30 s · f/11"),
        ({"shutter": 0, "aperture": 0, "iso": 0}, ""),
        ({"focal_length_35": 75}, ""),
    ],
)
def test_the_exposure_is_one_line_of_what_is_known(facts: dict[str, float], line: str) -> None:
    said = {name: {"value": value, "source": "exif"} for name, value in facts.items()}
    assert exposure_line(said).replace("\u00a0", " ") == line


def test_copies_of_a_photo_are_listed(shelf: Shelf, page: Client) -> None:
    from core.domain import photos
    from core.readmodels.photos import Photo

    photo = Photo.objects.get(id=shelf.photo("a.jpg"))
    again = photos.OriginalFile(uuid4(), "copies/b.jpg", 5, 1)
    found = photos.PhotoImported(shelf.library, again, photo.sha256, "jpeg", "image", "image/jpeg")
    commands.import_photo(found, photos.MetadataRead(1, {}), actor="worker:import")
    assert "Also at copies/b.jpg" in text_of(page.get(f"/photos/{photo.id}/"))


def test_things_are_chips_with_their_boxes_surest_first(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo()
    shelf.label(photo, Label("cat", 0.41, (0.5, 0.5, 1.2, 0.9)), Label("dog", 0.93, (0.1, 0.2, 0.4, 0.8)))
    answer = page.get(f"/photos/{photo}/")
    words = text_of(answer)
    assert words.index("dog 93 %") < words.index("cat 41 %")
    assert "Seen by the model YOLOX-S 0.1.1" in words
    told = re.search(r'data-boxes="([^"]+)"', answer.content.decode())
    assert told
    sides = [[box[side] for side in ("left", "top", "width", "height")] for box in json.loads(unescape(told[1]))]
    assert sides == [[10, 20, 30, 60], [50, 50, 50, 40]]  # the second is kept inside the picture


def test_things_that_nobody_looked_for_are_told_from_things_that_were_not_found(
    shelf: Shelf, page: Client, settings: Any
) -> None:
    photo = shelf.photo()
    assert "Model missing" in text_of(page.get(f"/photos/{photo}/"))
    settings.UNMET_REQUIREMENTS = "builtins.dict"  # a machine on which nothing is missing
    assert "Nobody has looked for things in this photo yet" in text_of(page.get(f"/photos/{photo}/"))
    shelf.label(photo)
    assert "Nothing was recognised" in text_of(page.get(f"/photos/{photo}/"))
    other = shelf.photo("other.jpg")
    switch_analyses(shelf.library, [Analysis.OBJECTS], actor="test")
    assert "switched off for this library" in text_of(page.get(f"/photos/{other}/"))


def test_what_the_whole_picture_shows_leads_to_more_of_it_and_is_told_to_programs(
    shelf: Shelf, page: Client
) -> None:
    photo = shelf.photo()
    api = f"/api/v1/photos/{photo}"
    assert page.get(api).json()["scenes"] is None
    content = Photo.objects.get(id=photo).sha256
    cat = Scene("Egyptian cat", 0.82, ("cat", "animal"))
    seen = ScenesFound(content, "mobilenet-v2", "1", (cat,))
    record_seen(photo, [seen], content=content, actor="worker:analysis")
    answer = page.get(f"/photos/{photo}/")
    assert "Egyptian cat 82 %" in text_of(answer)
    assert 'href="/search/?scene=egyptian+cat" title="cat, animal"' in answer.content.decode()
    assert page.get("/search/?scene=animal").content.decode().count(str(photo)) > 0
    told = page.get(api).json()
    assert told["scenes"] == [{"label": "Egyptian cat", "score": 0.82, "kinds": ["cat", "animal"]}]
    assert told["analyses"] == {"scenes": "mobilenet-v2 1"}


def test_the_panel_follows_the_work_until_everything_is_done(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo()
    assert 'hx-trigger="sse:photos"' in page.get(f"/photos/{photo}/details/").content.decode()
    shelf.label(photo)
    assert 'hx-trigger="sse:photos"' not in page.get(f"/photos/{photo}/details/").content.decode()


def test_a_photo_without_preview_says_why(shelf: Shelf, page: Client) -> None:
    failed = shelf.photo("a.jpg", ready=False)
    shelf.fail(failed, reason="Only the first half is there.")
    assert "Only the first half is there." in text_of(page.get(f"/photos/{failed}/"))
    waiting = shelf.photo("b.jpg", ready=False)
    assert "is being made" in text_of(page.get(f"/photos/{waiting}/"))


def test_jobs_are_for_staff(shelf: Shelf, page: Client, admin_client: Client) -> None:
    photo = shelf.photo()
    assert f"/jobs/photo/{photo}/" in admin_client.get(f"/photos/{photo}/").content.decode()
    assert "/jobs/" not in page.get(f"/photos/{photo}/").content.decode()


def test_the_history_tells_the_whole_life_newest_first(shelf: Shelf) -> None:
    photo = shelf.photo("a.jpg", ready=False)
    shelf.fail(photo, reason="The disk was away.")
    commands.retry_step(photo, Step.PREVIEWS, actor=f"account:{shelf.owner.pk}")
    shelf.render(photo)
    shelf.label(photo, Label("dog", 0.9, (0, 0, 1, 1)))
    told = [(entry.words, entry.detail, entry.who) for entry in history_in_words(history_of(shelf.owner, photo))]
    assert told == [
        ("Everything is done", "", "a worker"),
        ("Seen in it: dog", "by the model YOLOX-S 0.1.1", "a worker"),
        ("Previews made of 600 \N{MULTIPLICATION SIGN} 400 pixels", "", "a worker"),
        ("Asked to try again: making the previews", "", "olga"),
        ("Failed: making the previews", "The disk was away.", "a worker"),
        ("1 fact read from the file", "", "a worker"),
        ("Found and added to the library", "a.jpg (JPEG)", "a worker"),
    ]


def test_the_history_shows_what_it_does_not_know_by_its_name() -> None:
    [entry] = history_in_words([stored("photo.sung_about", {"song": "la"}, actor="account:nobody")])
    assert (entry.words, entry.type, entry.who) == ("photo.sung_about", "photo.sung_about.v3", "a former account")


def test_every_event_of_a_photo_has_words() -> None:
    photo_types = [name for name in codec.TYPES if name.startswith("photo.")]
    told = history_in_words(stored(name, _EXAMPLES[name]) for name in photo_types)
    assert len(told) == len(photo_types)
    for entry in told:
        assert entry.words
        assert entry.icon != "question-mark-circle"


def stored(type_: str, data: dict[str, object], actor: str = "system") -> Event:
    return Event(
        position=1,
        stream_id=f"photo-{UUID(int=1)}",
        version=1,
        category="photo",
        type=type_,
        schema_version=3,
        event_id=uuid4(),
        data=data,
        meta={"actor": actor},
        recorded_at=datetime(2024, 5, 1, tzinfo=UTC),
        data_hash=b"",
        chain_hash=b"",
    )


_FILE = {"id": str(UUID(int=2)), "path": "a.jpg", "size": 1, "mtime_ns": 1}
_RENDITION = {"width": 1, "height": 1, "bytes": 1}
_EXAMPLES: dict[str, dict[str, object]] = {
    "photo.forgotten": {"library": str(UUID(int=3)), "files": []},
    "photo.imported": {
        "library": str(UUID(int=3)),
        "file": _FILE,
        "sha256": "00",
        "kind": "jpeg",
        "media": "image",
        "mime": "image/jpeg",
    },
    "photo.file_added": {"file": _FILE},
    "photo.file_gone": {"file": str(UUID(int=2)), "reason": "replaced"},
    "photo.file_moved": {"file": str(UUID(int=2)), "to": _FILE},
    "photo.file_missing": {"file": str(UUID(int=2)), "path": "a.jpg"},
    "photo.file_back": {"file": _FILE},
    "photo.content_replaced": {
        "file": _FILE,
        "sha256": "11",
        "kind": "jpeg",
        "media": "image",
        "mime": "image/jpeg",
    },
    "photo.taken_out": {"reason": "missing"},
    "photo.metadata_read": {"step_version": 1, "facts": {}},
    "photo.previews_rendered": {
        "step_version": 1,
        "revision": "r",
        "width": 1,
        "height": 1,
        "tile": _RENDITION,
        "large": _RENDITION,
        "thumbhash": "",
        "method": "raw",
    },
    "photo.labels_found": {"step_version": 1, "model": "m", "model_version": "1", "labels": []},
    "photo.scenes_found": {"content": "00", "model": "m", "model_version": "1", "scenes": []},
    "photo.faces_found": {"content": "00", "model": "m", "model_version": "1", "faces": []},
    "photo.vector_made": {"content": "00", "model": "m", "model_version": "1"},
    "photo.meaning_made": {"content": "00", "model": "m", "model_version": "1"},
    "photo.analysed": {"content": "00", "done": [], "off": ["objects"], "missing": ["faces"]},
    "photo.alike_found": {"content": "00", "model": "m", "model_version": "1", "others": []},
    "photo.looks_found": {
        "content": "00",
        "model": "pixels",
        "model_version": "1",
        "styles": None,
        "colours": [{"name": "red", "share": 0.5, "colour": "#ff0000"}],
    },
    "photo.step_failed": {"step": "labels", "code": "c", "reason": "r", "job": None, "error_class": "E"},
    "photo.step_retried": {"step": "labels"},
    "photo.step_set_aside": {"step": "previews"},
    "photo.processed": {"steps": ["previews", "labels"]},
    "photo.rated": {"rating": 3},
    "photo.favoured": {"favourite": True},
    "photo.titled": {"title": "t"},
    "photo.captioned": {"caption": ""},
    "photo.keywords_changed": {"keywords": ["a"]},
    "photo.style_corrected": {"style": "vivid", "has": False},
    "photo.place_corrected": {"country": "France", "region": "", "city": "Nice"},
    "photo.place_found": dict.fromkeys(
        ("country", "region", "city", "code", "zone", "source", "source_version"), "x"
    )
    | {"latitude": 43.7, "longitude": 7.27, "sea": False},
    "photo.placed": {"latitude": 1.0, "longitude": 2.0},
    "photo.dated": {"taken_at": "2024-05-01T12:00:00"},
    "photo.change_undone": {"event": str(UUID(int=4)), "facts": {"rating": 2}},
    "photo.sidecar_read": {"file": str(UUID(int=2)), "path": "a.xmp", "source": "sidecar", "sha256": "00"},
    "photo.sidecar_gone": {"file": str(UUID(int=2)), "path": "a.xmp"},
    "photo.sidecar_asked": {},
    "photo.stacked": {"stack": str(UUID(int=5)), "rule": "shot"},
    "photo.unstacked": {"stack": str(UUID(int=5))},
    "photo.put_on_top": {"stack": str(UUID(int=5))},
    "photo.top_taken_back": {"stack": str(UUID(int=5))},
    "photo.marked_duplicate": {"of": str(UUID(int=6)), "review": str(UUID(int=7))},
    "photo.unmarked_duplicate": {"of": str(UUID(int=6))},
    "photo.told_apart": {"others": [str(UUID(int=6))], "review": str(UUID(int=7))},
    "photo.apart_taken_back": {"review": str(UUID(int=7))},
    "photo.sidecar_written": {"file": str(UUID(int=2)), "path": "a.xmp", "sha256": "00", "facts": {}},
    "photo.sidecar_not_written": {"path": "a.xmp", "reason": "read-only"},
}
