"""The API answers those who may ask, page by page, and refuses the others."""

import io
import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.test import Client
from ninja import Schema

from core.accounts import Account
from core.api.api import api
from core.commands import photos as commands
from core.commands.accounts import create_api_key, create_first_admin
from core.commands.albums import make_album
from core.commands.libraries import add_library
from core.commands.people import begin_person
from core.domain import photos
from core.domain.photos import Fact, Step

pytestmark = pytest.mark.django_db

PREVIEWS = photos.PreviewsRendered(
    1, "r1", 40, 30, photos.Rendition(4, 3, 99), photos.Rendition(40, 30, 999), "aGk=", "decoded"
)


@pytest.fixture
def key() -> str:
    create_first_admin("ada", "a darkroom at night")
    return create_api_key("script")


@pytest.fixture
def library(tmp_path: Path) -> UUID:
    return add_library(tmp_path, actor="test")


def add_photo(library: UUID, taken_at: str, name: str = "a.jpg") -> UUID:
    file = photos.OriginalFile(uuid4(), name, 10, 20)
    found = photos.PhotoImported(library, file, uuid4().hex * 2, "jpeg", "image", "image/jpeg")
    facts = {"taken_at": Fact(taken_at, "exif"), "iso": Fact(400, "exif")}
    photo = commands.import_photo(found, photos.MetadataRead(1, facts), actor="test")
    commands.record_previews(photo, PREVIEWS, actor="test")
    return photo


def ask(client: Client, path: str, key: str) -> tuple[int, dict[str, object]]:
    answer = client.get(f"/api/v1{path}", headers={"authorization": f"Bearer {key}"})
    return answer.status_code, json.loads(answer.content)


@pytest.mark.parametrize("path", ["/photos", f"/photos/{UUID(int=5)}", "/failures", "/jobs", "/jobs/1"])
def test_nobody_is_answered_without_a_key(client: Client, key: str, path: str) -> None:
    assert client.get(f"/api/v1{path}").status_code == 401
    assert ask(client, path, "filmroll_wrong")[0] == 401


def test_the_timeline_comes_page_by_page_newest_first(client: Client, key: str, library: UUID) -> None:
    days = [f"2024-05-{day:02}T12:00:00" for day in (3, 1, 5, 2, 4, 4)]
    for day in days:
        add_photo(library, day)
    seen: list[str] = []
    before = ""
    while True:
        status, page = ask(client, f"/photos?limit=2&before={before}", key)
        assert status == 200
        seen += [photo["taken_local"] for photo in page["photos"]]  # type: ignore[attr-defined, index]
        if not page["next"]:
            break
        before = str(page["next"])
    assert seen == sorted(days, reverse=True)


def test_one_photo_comes_with_every_fact_and_its_source(client: Client, key: str, library: UUID) -> None:
    photo = add_photo(library, "2024-05-01T12:00:00")
    status, detail = ask(client, f"/photos/{photo}", key)
    assert status == 200
    assert detail["facts"] == {
        "taken_at": {"value": "2024-05-01T12:00:00", "source": "exif", "also": []},
        "iso": {"value": 400, "source": "exif", "also": []},
    }
    assert detail["tile"] == f"/photos/{photo}/tile/r1.webp"
    assert ask(client, f"/photos/{uuid4()}", key)[0] == 404


@pytest.mark.parametrize("question", ["before=nonsense", "limit=0", "limit=100000"])
def test_a_bad_question_gets_a_clear_error(client: Client, key: str, question: str) -> None:
    status, answer = ask(client, f"/photos?{question}", key)
    assert status == 422
    assert answer["detail"]


def test_a_member_sees_only_their_own_libraries_and_no_jobs(client: Client, key: str, tmp_path: Path) -> None:
    member = Account.objects.create_user("bob", password="another darkroom")
    (tmp_path / "bob").mkdir()
    theirs = add_photo(add_library(tmp_path / "bob", owner=member.pk, actor="test"), "2024-05-01T12:00:00")
    (tmp_path / "ada").mkdir()
    other = add_photo(add_library(tmp_path / "ada", actor="test"), "2024-05-02T12:00:00")
    bobs = create_api_key("bob's", "bob")
    page = ask(client, "/photos", bobs)[1]["photos"]
    assert [photo["id"] for photo in page] == [str(theirs)]  # type: ignore[attr-defined, index]
    assert ask(client, f"/photos/{other}", bobs)[0] == 404
    assert ask(client, "/jobs", bobs)[0] == 403


def test_a_failure_is_listed_and_can_be_retried_once(client: Client, key: str, library: UUID) -> None:
    file = photos.OriginalFile(uuid4(), "cut.jpg", 10, 20)
    found = photos.PhotoImported(library, file, uuid4().hex * 2, "jpeg", "image", "image/jpeg")
    photo = commands.import_photo(found, photos.MetadataRead(1, {}), actor="test")
    failed = photos.StepFailed(Step.PREVIEWS, "truncated", "This file ends in the middle.", None, "PoisonError")
    commands.record_step_failed(photo, failed, 1, actor="test")
    page = ask(client, "/failures", key)[1]
    (failure,) = page["failures"]  # type: ignore[misc]
    assert failure["reason"] == "This file ends in the middle."
    retry = f"/api/v1/failures/{failure['id']}/retry"
    headers = {"authorization": f"Bearer {key}"}
    assert client.post(retry, headers=headers).status_code == 202
    assert client.post(retry, headers=headers).status_code == 409
    jobs = ask(client, f"/jobs?photo={photo}", key)[1]["jobs"]
    assert {job["task"] for job in jobs} == {"render_previews"}  # type: ignore[attr-defined, index]


def test_a_revoked_key_opens_nothing(client: Client, key: str) -> None:
    from django.core.management import call_command

    told = io.StringIO()
    call_command("api_key", "revoke", "script", stdout=told)
    assert told.getvalue() == "The key script opens nothing any more.\n"
    assert ask(client, "/photos", key)[0] == 401


def test_the_api_describes_itself_to_those_who_signed_in(client: Client, key: str) -> None:
    assert client.get("/api/v1/docs").status_code == 302
    client.force_login(Account.objects.get(username="ada"))
    assert client.get("/api/v1/docs").status_code == 200
    described = json.loads(client.get("/api/v1/openapi.json").content)
    assert {"/api/v1/photos", "/api/v1/failures", "/api/v1/jobs"} <= set(described["paths"])


@pytest.mark.parametrize("wrong", [{"name": "B", "birthday": "soon"}, {"name": "B", "rule": {"smell": ["sweet"]}}])
def test_what_is_wrong_in_part_is_refused_as_a_whole(client: Client, key: str, wrong: dict[str, object]) -> None:
    person = begin_person(uuid4(), [uuid4()], source=None, name="A", actor="test")
    album = make_album(Account.objects.get().pk, "A", actor="test")
    path = f"/people/{person}" if "birthday" in wrong else f"/albums/{album}"
    headers = {"authorization": f"Bearer {key}"}
    answer = client.patch(f"/api/v1{path}", wrong, content_type="application/json", headers=headers)
    assert answer.status_code == 422
    assert ask(client, path, key)[1]["name"] == "A"


def test_a_name_in_the_description_means_one_thing() -> None:
    """Two schemas of one name are one to the description: it would tell programs something untrue of the other."""
    described = set(api.get_openapi_schema()["components"]["schemas"])
    names = [one.__name__ for one in _below(Schema) if one.__module__.startswith(("core.", "workers."))]
    assert described & set(names) >= {"PhotoDetail", "JobDetail"}
    assert {name for name in names if names.count(name) > 1} == set()


def _below(schema: type[Schema]) -> list[type[Schema]]:
    return [one for each in schema.__subclasses__() for one in (each, *_below(each))]
