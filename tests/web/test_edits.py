"""What a person says of a photo: in the viewer's panel and through the API, with undo."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from core.accounts import Account
from core.commands import edits as commands
from core.commands import photos as photo_commands
from core.commands.sidecars import record_sidecar, record_sidecar_gone
from core.domain import edits, photos
from core.domain.files import file_id
from core.domain.photos import Fact, Label
from core.domain.sidecars import SidecarGone, SidecarRead
from core.readmodels.photos import Photo, history_of
from events import replay
from tests.web.conftest import Shelf
from tests.web.test_viewer import text_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def send(page: Client, photo: UUID, fact: str, seen: int | None = None, **fields: str) -> Any:
    version = commands.version_of(photo) if seen is None else seen
    values = {"fact": fact, "seen": str(version), **fields}
    return page.post(f"/photos/{photo}/edit/", values, headers=HTMX)


def known(photo: UUID) -> Photo:
    return Photo.objects.get(id=photo)


@pytest.mark.parametrize(
    ("fact", "fields", "shown"),
    [
        ("rating", {"value": "4"}, "4 stars, set by hand in Filmroll"),
        ("title", {"value": "The tower"}, "Title The tower"),
        ("caption", {"value": "From below"}, "Caption From below"),
        ("keywords", {"value": "sea, summer,sea"}, "Keywords sea, summer"),
        ("position", {"value": "48.85837, 2.29448"}, "Position 48.85837° N, 2.29448° E"),
        ("position", {"value": "48.85837 S 2.29448 W"}, "Position 48.85837° S, 2.29448° W"),
        ("date", {"value": "1999-12-31T23:59", "offset": "+1:00"}, "Taken 31 December 1999, 23:59:00 (UTC+01:00)"),
    ],
)
def test_each_fact_is_changed_in_the_panel_and_is_the_users(
    shelf: Shelf, page: Client, fact: str, fields: dict[str, str], shown: str
) -> None:
    photo = shelf.photo(title="from the file", latitude=1.0, longitude=2.0)
    words = text_of(send(page, photo, fact, **fields))
    assert shown in words
    assert "olga" in words
    assert shown in text_of(page.get(f"/photos/{photo}/"))


def test_a_favourite_is_made_and_unmade(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo()
    send(page, photo, "favourite", value="on")
    assert known(photo).favourite
    send(page, photo, "favourite", value="off")
    assert not known(photo).favourite


def test_a_new_date_moves_the_photo_in_the_timeline(shelf: Shelf, page: Client) -> None:
    moved, other = (
        shelf.photo("a.jpg", taken="2024-05-01T12:00:00"),
        shelf.photo("b.jpg", taken="2023-05-01T12:00:00"),
    )
    send(page, moved, "date", value="2001-01-01T00:00:00")
    shown = page.get("/").content.decode()
    assert shown.index(f'id="p-{other}"') < shown.index(f'id="p-{moved}"')


def test_what_the_file_says_instead_is_told(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo(title="IMG 1", latitude=1.0, longitude=2.0, rating=2)
    send(page, photo, "title", value="Lake")
    send(page, photo, "position", value="3, 4")
    words = text_of(send(page, photo, "rating", value="5"))
    assert "also: IMG 1 (EXIF)" in words
    assert "also: 1.00000° N, 2.00000° E (EXIF)" in words
    assert "also: 2 stars (EXIF)" in words


@pytest.mark.parametrize(
    ("fact", "fields", "reason"),
    [
        ("rating", {"value": "6"}, "Stars go from 0 to 5."),
        ("position", {"value": "at home"}, "A position is written as"),
        ("position", {"value": "95, 10"}, "Latitudes go from -90 to 90 degrees."),
        ("date", {"value": "soon"}, "That is no date and time"),
        ("date", {"value": "2024-01-01T00:00:00", "offset": "CET"}, "An offset from UTC is written as +02:00."),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_words_and_changes_nothing(
    shelf: Shelf, page: Client, fact: str, fields: dict[str, str], reason: str
) -> None:
    photo = shelf.photo()
    before = commands.version_of(photo)
    assert reason in text_of(send(page, photo, fact, **fields))
    assert commands.version_of(photo) == before


def test_a_change_of_the_same_fact_since_is_not_overwritten_and_a_workers_result_does_not_matter(
    shelf: Shelf, page: Client
) -> None:
    photo = shelf.photo()
    seen = commands.version_of(photo)
    shelf.label(photo, Label("dog", 0.9, (0, 0, 1, 1)))
    commands.edit_photo(photo, [edits.PhotoTitled("theirs")], actor="cli")
    assert "Somebody changed this just now" in text_of(send(page, photo, "title", seen, value="mine"))
    assert known(photo).facts["title"]["value"] == "theirs"
    send(page, photo, "rating", seen, value="3")
    assert known(photo).rating == 3


def test_without_script_a_change_leads_back_to_the_photo(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo()
    values = {"fact": "rating", "seen": "3", "value": "2"}
    answer = page.post(f"/photos/{photo}/edit/", values)
    assert (answer.status_code, answer["Location"]) == (302, f"/photos/{photo}/")
    refused = page.post(f"/photos/{photo}/edit/", values | {"value": "9"})
    assert refused.status_code == 409
    assert "Stars go from 0 to 5." in text_of(refused)


@pytest.mark.parametrize(
    "values", [{"fact": "weather", "seen": "1"}, {"fact": "title"}, {"fact": "title", "seen": "-1"}]
)
def test_forms_that_do_not_exist_are_refused(shelf: Shelf, page: Client, values: dict[str, str]) -> None:
    assert page.post(f"/photos/{shelf.photo()}/edit/", values).status_code == 400


def test_strangers_change_nothing(shelf: Shelf, client: Client, stranger: Account) -> None:
    photo = shelf.photo()
    client.force_login(stranger)
    assert send(client, photo, "title", value="x").status_code == 404
    assert client.post(f"/photos/{photo}/undo/{uuid4()}/").status_code == 404
    assert client.post(f"/photos/{photo}/sidecar/").status_code == 404
    assert client.patch(f"/api/v1/photos/{photo}", "{}", content_type="application/json").status_code == 404


def last_event(shelf: Shelf, photo: UUID) -> UUID:
    return history_of(shelf.owner, photo)[-1].event_id


def test_a_change_is_undone_from_the_history_and_the_undoing_too(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo(rating=2)
    send(page, photo, "rating", value="5")
    change = last_event(shelf, photo)
    assert f"/photos/{photo}/undo/{change}/" in page.get(f"/photos/{photo}/").content.decode()
    words = text_of(page.post(f"/photos/{photo}/undo/{change}/", headers=HTMX))
    assert known(photo).rating == 2
    assert "A change was undone: stars" in words
    assert f"/photos/{photo}/undo/{change}/" not in page.get(f"/photos/{photo}/").content.decode()
    page.post(f"/photos/{photo}/undo/{last_event(shelf, photo)}/", headers=HTMX)
    assert known(photo).rating == 5


def test_what_cannot_be_undone_says_so(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo()
    imported = history_of(shelf.owner, photo)[0].event_id
    assert "not a change that can be undone" in text_of(
        page.post(f"/photos/{photo}/undo/{imported}/", headers=HTMX)
    )


def test_a_sidecar_counts_over_the_file_and_its_going_leaves_the_file(shelf: Shelf, page: Client) -> None:
    photo, file = shelf.photo(title="file"), uuid4()
    read = SidecarRead(file, "one.jpg.xmp", "sidecar", "00", {"title": "beside", "rating": 3, "people": ["Ada"]})
    record_sidecar(photo, read, actor="worker:import")
    words = text_of(page.get(f"/photos/{photo}/"))
    assert "also: file (EXIF)" in words
    assert "People Ada" in words
    assert "Sidecar one.jpg.xmp" in words
    record_sidecar_gone(photo, SidecarGone(file, "one.jpg.xmp"), actor="worker:import")
    assert known(photo).facts["title"] == {"value": "file", "source": "exif"}
    assert known(photo).rating is None
    assert "Sidecar one.jpg.xmp" not in text_of(page.get(f"/photos/{photo}/"))


def test_a_replay_gives_the_same_rows(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo(title="file")
    record_sidecar(photo, SidecarRead(uuid4(), "a.xmp", "sidecar", "00", {"title": "b"}), actor="worker:import")
    send(page, photo, "title", value="mine")
    page.post(f"/photos/{photo}/undo/{last_event(shelf, photo)}/")
    before = Photo.objects.filter(id=photo).values().get()
    replay.replay(["photos"])
    assert Photo.objects.filter(id=photo).values().get() == before
    assert before["facts"]["title"]["value"] == "b"


# --- for programs -------------------------------------------------------------------------------------------


def patch(page: Client, photo: UUID, **changes: Any) -> tuple[int, Any]:
    answer = page.patch(f"/api/v1/photos/{photo}", json.dumps(changes), content_type="application/json")
    return answer.status_code, json.loads(answer.content)


def test_a_program_changes_several_facts_in_one_request(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo(title="file", caption="file")
    status, answer = patch(
        page,
        photo,
        rating=4,
        favourite=True,
        title="Lake",
        caption=None,
        keywords=["a", "b"],
        position={"latitude": 1.5, "longitude": 2.5},
        taken={"at": "2020-02-02T02:02:02", "offset": "+01:00"},
    )
    assert status == 200
    assert answer["facts"]["title"] == {
        "value": "Lake",
        "source": "user",
        "also": [{"value": "file", "source": "exif"}],
    }
    assert "caption" not in answer["facts"]
    assert (answer["rating"], answer["favourite"], answer["taken_local"]) == (4, True, "2020-02-02T02:02:02")
    assert answer["version"] == commands.version_of(photo)


def test_a_program_is_told_what_is_wrong(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo()
    assert patch(page, photo, rating=7) == (422, {"detail": "Stars go from 0 to 5."})
    version = commands.version_of(photo)
    patch(page, photo, title="first")
    assert patch(page, photo, title="second", version=version)[0] == 409
    assert patch(page, photo, rating=1, version=version)[0] == 200


def test_a_program_reads_the_history_and_undoes_a_change(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo()
    patch(page, photo, rating=1)
    [change] = [one for one in page.get(f"/api/v1/photos/{photo}/history").json() if one["can_undo"]]
    assert (change["type"], change["data"], change["actor"]) == (
        "photo.rated.v1",
        {"rating": 1},
        f"account:{shelf.owner.pk}",
    )
    body = json.dumps({"event": change["event"]})
    address = f"/api/v1/photos/{photo}/undo"
    answer = page.post(address, body, content_type="application/json")
    assert (answer.status_code, answer.json()["rating"]) == (200, None)
    assert page.post(address, body, content_type="application/json").status_code == 409


# --- all metadata -------------------------------------------------------------------------------------------


def test_all_metadata_is_a_page_that_can_be_searched_and_an_answer_for_programs(
    shelf: Shelf, page: Client
) -> None:
    photo = shelf.photo()
    words = text_of(page.get(f"/photos/{photo}/metadata/"))
    assert "Container" in words and "JPEG picture" in words and "jfif" in words
    found = text_of(page.get(f"/photos/{photo}/metadata/?q=container+mime"))
    assert "image/jpeg" in found and "jfif" not in found
    assert "No tag holds these words." in text_of(page.get(f"/photos/{photo}/metadata/?q=weather"))
    answer = page.get(f"/api/v1/photos/{photo}/metadata").json()
    assert ["MIME type", "image/jpeg"] in answer["groups"][-1]["tags"]


def test_all_metadata_of_a_missing_original_says_why_there_is_none(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo("gone.jpg")
    (shelf.root / "gone.jpg").unlink()
    assert 'role="alert"' in page.get(f"/photos/{photo}/metadata/").content.decode()


def test_all_metadata_is_for_those_who_see_the_photo(shelf: Shelf, client: Client, stranger: Account) -> None:
    photo = shelf.photo()
    client.force_login(stranger)
    assert client.get(f"/photos/{photo}/metadata/").status_code == 404
    assert client.get(f"/api/v1/photos/{photo}/metadata").status_code == 404


def test_j22_what_a_person_set_while_the_file_was_being_read_stays(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo(title="from the file")
    send(page, photo, "title", value="mine")
    # The reading that was under way ends now, with a new content of the file and its own title.
    file = photos.OriginalFile(file_id(shelf.library, "one.jpg"), "one.jpg", 10, 2)
    found = photos.PhotoImported(shelf.library, file, "f" * 64, "jpeg", "image", "image/jpeg")
    read = photos.MetadataRead(1, {"title": Fact("from the file again", "exif")})
    assert photo_commands.replace_content(photo, found, read, actor="worker:import")
    assert known(photo).facts["title"]["value"] == "mine"
    assert known(photo).facts["title"]["source"] == "user"
