"""The pages and the API of people: what may be said there, that it is taken back, and that nobody else may."""

import io
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from PIL import Image

from core.accounts import Account
from core.readmodels.faces import Person, PersonAct
from core.readmodels.people import photos_with
from core.readmodels.questions import questions_for
from tests.web.conftest import Shelf
from tests.web.peopling import find_faces, numbers_of, person_of, snap
from workers.grouping import settle_people

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def two(shelf: Shelf) -> tuple[UUID, UUID, list[UUID]]:
    """Ann in three photos, Bo in two of them: their ids, and Ann's faces."""
    faces = [snap(shelf, 1, "ann", "bo"), snap(shelf, 2, "ann", "bo"), snap(shelf, 3, "ann")]
    ann, bo = person_of(faces[0][0]), person_of(faces[0][1])
    assert ann and bo and ann != bo
    return ann, bo, [one[0] for one in faces]


def said(page: Client, address: str, **headers: str) -> str:
    answer = page.get(address, headers=headers)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def undo_last(page: Client, person: UUID) -> None:
    act = PersonAct.objects.filter(counts=True).order_by("-position").first()
    assert act
    answer = page.post(f"/people/undo/{act.id}/", {"shown": person}, headers=HTMX)
    assert answer.status_code == 200, answer.content


def test_the_page_shows_who_is_named_and_who_is_not_and_hides_whom_it_is_told(
    two: tuple[UUID, UUID, list[UUID]], page: Client
) -> None:
    ann, bo, _ = two
    page.post(f"/people/{ann}/change/", {"fact": "name", "value": "Ann Lee"})
    words = said(page, "/people/")
    assert words.index("Ann Lee") < words.index("Who are they?") < words.index(str(bo))
    assert "3 photos" in words and "2 photos" in words
    answer = page.post(f"/people/{bo}/change/", {"fact": "hidden", "value": "on"}, headers=HTMX)
    assert "Show among the people again" in answer.content.decode()
    assert str(bo) not in said(page, "/people/") and str(bo) in said(page, "/people/?show=hidden")
    undo_last(page, bo)
    assert str(bo) in said(page, "/people/")
    assert page.post(f"/people/{ann}/change/", {"fact": "shoe size", "value": "1"}).status_code == 400


def test_a_merge_is_undone_after_later_edits_and_brings_back_exactly_what_came_with_it(
    two: tuple[UUID, UUID, list[UUID]], page: Client
) -> None:
    ann, bo, faces = two
    page.post(f"/people/{bo}/change/", {"fact": "name", "value": "Bo"})
    answer = page.post(f"/people/{ann}/merge/", {"to": "bo"}, headers=HTMX)
    assert answer.headers["HX-Redirect"] == f"/people/{bo}/"
    assert page.get(f"/people/{ann}/").headers["Location"] == f"/people/{bo}/"
    assert {person_of(face) for face in faces} == {bo}
    merge = PersonAct.objects.get(type="person.merged")
    # Later edits: one face is moved away, another confirmed, the person renamed.
    page.post(f"/people/{bo}/faces/", {"act": "split", "face": faces[0]})
    away = person_of(faces[0])
    page.post(f"/people/{bo}/faces/", {"act": "confirm", "face": faces[1]})
    page.post(f"/people/{bo}/change/", {"fact": "name", "value": "Robert"})
    page.post(f"/people/undo/{merge.id}/", {"shown": bo})
    assert [person_of(face) for face in faces] == [away, ann, ann]
    assert Person.objects.get(id=bo).name == "Robert"
    words = said(page, f"/people/{bo}/")
    assert "Named Robert" in words and "Undone: " in words


def test_who_was_denied_stays_denied_under_any_name_until_the_merge_is_undone(
    two: tuple[UUID, UUID, list[UUID]], page: Client
) -> None:
    ann, bo, faces = two
    page.post(f"/people/{bo}/faces/", {"act": "reject", "face": str(faces[0])})
    assert person_of(faces[0]) == ann
    page.post(f"/people/{ann}/merge/", {"into": str(bo)})
    assert [person_of(face) for face in faces] == [None, bo, bo]
    undo_last(page, bo)
    assert [person_of(face) for face in faces] == [ann, ann, ann]


def test_faces_are_confirmed_denied_moved_and_split_off_and_each_is_taken_back(
    two: tuple[UUID, UUID, list[UUID]], page: Client
) -> None:
    ann, bo, faces = two
    for act, then in (("reject", None), ("split", "new"), ("move", bo), ("confirm", ann), ("cover", ann)):
        page.post(f"/people/{bo}/change/", {"fact": "name", "value": "Bo"})
        given = {"act": act, "face": [str(faces[0])], "to": "Bo"}
        answer = page.post(f"/people/{ann}/faces/", given, headers=HTMX)
        assert answer.status_code == 200, act
        found = person_of(faces[0])
        assert found not in (None, ann, bo) if then == "new" else found == then, act
        undo_last(page, ann)
        assert person_of(faces[0]) == ann, act
    # Nothing ticked, nobody of that name, no such button.
    refused = page.post(f"/people/{ann}/faces/", {"act": "confirm"}, headers=HTMX).content.decode()
    assert 'role="alert"' in refused
    assert page.post(f"/people/{ann}/merge/", {"to": "Nobody"}).status_code == 409
    assert page.post(f"/people/{ann}/faces/", {"act": "eat", "face": faces[0]}).status_code == 400


def test_faces_moved_to_a_new_name_begin_a_person(two: tuple[UUID, UUID, list[UUID]], page: Client) -> None:
    ann, _, faces = two
    page.post(f"/people/{ann}/faces/", {"act": "move", "face": [faces[0], faces[1]], "to": "Eve"})
    eve = Person.objects.get(name="Eve")
    assert [person_of(face) for face in faces] == [eve.id, eve.id, ann]
    assert set(photos_with(eve.id, ann)) == set()
    assert len(set(photos_with(eve.id))) == 2


def half_alike(who: str) -> list[float]:
    """A face that is enough like somebody to ask, and not enough to say so."""
    return [0.5 * a + 0.86 * b for a, b in zip(numbers_of(who, 0, 1.0), numbers_of("x", 0, 1.0), strict=True)]


def test_who_looks_alike_is_asked_once_and_both_answers_are_taken_back(
    two: tuple[UUID, UUID, list[UUID]], shelf: Shelf, page: Client
) -> None:
    ann, _, _ = two
    [face] = find_faces(shelf.photo("odd.jpg"), half_alike("ann"))
    assert person_of(face) is None
    assert "The same person?" in said(page, "/people/")
    question = {"one": face, "other": ann, "is_face": "1"}
    for same, then in (("yes", ann), ("no", None)):
        answer = page.post("/people/answer/", {**question, "same": same}, headers=HTMX)
        assert "Undo" in answer.content.decode()
        assert person_of(face) == then and questions_for(shelf.owner) == []
        settle_people([ann], [face])
        assert person_of(face) == then and questions_for(shelf.owner) == []
        undo_last(page, ann)
        settle_people([ann], [face])
        assert person_of(face) is None and len(questions_for(shelf.owner)) == 1


def test_the_viewer_says_who_is_in_the_photo_and_lets_it_be_said(
    two: tuple[UUID, UUID, list[UUID]], shelf: Shelf, page: Client
) -> None:
    ann, _, faces = two
    photo, eve = shelf.photo("eve.jpg"), numbers_of("eve")
    [face] = find_faces(photo, eve)
    assert "Nobody yet" in said(page, f"/photos/{photo}/")
    panel = page.post(f"/photos/{photo}/faces/{face}/", {"act": "name", "name": " Eve "}, headers=HTMX)
    assert "Not Eve?" in panel.content.decode()
    first = photo_of(faces[0])
    page.post(f"/photos/{first}/faces/{faces[0]}/", {"act": "name", "name": "Ann"})
    assert Person.objects.get(id=ann).name == "Ann"
    # A face of somebody with a name goes to who is named alone; one of somebody without a name takes all along.
    page.post(f"/photos/{first}/faces/{faces[0]}/", {"act": "name", "name": "eve"})
    assert person_of(faces[0]) == person_of(face) and person_of(faces[1]) == ann
    page.post(f"/photos/{photo_of(faces[1])}/faces/{faces[1]}/", {"act": "reject"})
    assert person_of(faces[1]) is None
    assert (
        "Say who it is"
        in page.post(f"/photos/{photo}/faces/{face}/", {"act": "name", "name": " "}, headers=HTMX).content.decode()
    )
    assert page.post(f"/photos/{first}/faces/{face}/", {"act": "confirm"}).status_code == 404


def photo_of(face: UUID) -> UUID:
    from core.readmodels.faces import Face

    return Face.objects.values_list("photo_id", flat=True).get(id=face)


def test_a_face_is_cut_out_of_the_preview_and_kept_by_browsers(
    two: tuple[UUID, UUID, list[UUID]], page: Client
) -> None:
    address = api(page, "get", f"/people/{two[0]}")["cover"]["picture"]
    answer = page.get(address)
    assert Image.open(io.BytesIO(answer.content)).size == (256, 256)
    assert "immutable" in answer.headers["Cache-Control"] and "private" in answer.headers["Cache-Control"]
    assert page.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert page.get(address.replace(".webp", "0.webp")).status_code == 404
    assert page.get(address).content == answer.content


def api(client: Client, method: str, path: str, status: int = 200, **body: Any) -> Any:
    more = {"data": json.dumps(body), "content_type": "application/json"} if method != "get" else {}
    answer = getattr(client, method)(f"/api/v1{path}", **more)
    assert answer.status_code == status, (answer.status_code, answer.content)
    return json.loads(answer.content) if answer.content else None


def test_the_api_can_what_the_pages_can(two: tuple[UUID, UUID, list[UUID]], shelf: Shelf, page: Client) -> None:
    ann, bo, faces = str(two[0]), str(two[1]), [str(one) for one in two[2]]
    assert [one["photos"] for one in api(page, "get", "/people")] == [3, 2]
    known = api(page, "patch", f"/people/{ann}", name="Ann", birthday="1990-07-31", cover=faces[2])
    assert (known["name"], known["birthday"], known["cover"]["id"]) == ("Ann", "1990-07-31", faces[2])
    api(page, "patch", f"/people/{ann}", status=422, birthday="yesterday")
    assert len(api(page, "get", f"/people/{ann}/faces?limit=2&skip=1")) == 2
    assert len(api(page, "get", f"/people/{ann}/photos")) == 3
    photo = api(page, "get", f"/people/{bo}/faces")[0]["photo"]
    assert [one["name"] for one in api(page, "get", f"/people/faces?photo={photo}")] == ["Ann", ""]
    assert api(page, "post", f"/people/{bo}/merge", into=ann)["faces"] == 5
    assert api(page, "get", f"/people/{bo}")["id"] == ann
    merged = next(one for one in api(page, "get", f"/people/{ann}/history") if one["type"] == "person.merged")
    assert api(page, "post", "/people/undo", act=merged["act"])["id"] == bo
    api(page, "post", "/people/undo", status=409, act=merged["act"])
    assert api(page, "post", "/people/faces/confirm", faces=faces)[0]["by_hand"]
    assert api(page, "post", "/people/faces/move", faces=faces[:1], to=bo)[0]["person"] == bo
    assert api(page, "post", "/people/faces/move", faces=faces[:1], name="Eve")[0]["name"] == "Eve"
    assert api(page, "post", f"/people/faces/{faces[0]}/name", name="Ann")["person"] == ann
    assert api(page, "post", f"/people/{ann}/reject", faces=faces[:1])["faces"] == 2
    assert [one["id"] for one in api(page, "get", "/people/faces")] == faces[:1]
    [odd] = find_faces(shelf.photo("odd.jpg"), half_alike("bo"))
    [question] = [one for one in api(page, "get", "/people/questions") if one["one"] == str(odd)]
    answer = {name: question[name] for name in ("one", "other", "is_face")}
    assert api(page, "post", "/people/questions", **answer, same=True)["id"] == bo
    api(page, "post", "/people/group-again", status=202)
    api(page, "patch", f"/people/{ann}", hidden=True)
    assert [one["id"] for one in api(page, "get", "/people?hidden=true")] == [ann]


def test_another_account_sees_and_changes_nothing(
    two: tuple[UUID, UUID, list[UUID]], page: Client, stranger: Account, make_shelf: Callable[[Account], Shelf]
) -> None:
    ann, bo, faces = two
    address = api(page, "get", f"/people/{ann}")["cover"]["picture"]
    page.post(f"/people/{ann}/change/", {"fact": "name", "value": "Ann"})
    act = PersonAct.objects.get()
    other = Client()
    other.force_login(stranger)
    mine = snap(make_shelf(stranger), 9, "ann")[0]
    assert other.get(address).status_code == 404
    assert str(ann) not in said(other, "/people/") and "Ann" not in said(other, "/people/")
    assert api(other, "get", "/people") == [] == api(other, "get", "/people/questions")
    photo = photo_of(faces[0])
    for path in (f"/people/{ann}/", f"/people/{uuid4()}/"):
        assert other.get(path).status_code == 404
    posts: list[tuple[str, dict[str, object]]] = [
        (f"/people/{ann}/change/", {"fact": "name", "value": "Eve"}),
        (f"/people/{ann}/merge/", {"into": bo}),
        (f"/people/{ann}/faces/", {"act": "confirm", "face": faces[0]}),
        (f"/people/undo/{act.id}/", {"shown": ann}),
        ("/people/answer/", {"one": ann, "other": bo, "same": "yes"}),
        ("/people/answer/", {"one": mine, "other": bo, "same": "yes", "is_face": "1"}),
        (f"/people/faces/{faces[0]}/name/", {"name": "Eve"}),
        (f"/photos/{photo}/faces/{faces[0]}/", {"act": "confirm"}),
    ]
    for path, given in posts:
        assert other.post(path, given).status_code == 404, path
    api(other, "get", f"/people/{ann}", status=404)
    api(other, "post", "/people/faces/move", status=404, faces=[str(faces[0])])
    api(other, "post", "/people/faces/move", status=404, faces=[str(mine)], to=str(ann))
    assert PersonAct.objects.count() == 1 and person_of(faces[0]) == ann
    assert Client().get("/people/").status_code == 302
    assert Client().get(address).status_code == 302
    assert Client().get("/api/v1/people").status_code == 401


def test_without_pgvector_the_page_says_so(page: Client, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.web.people.has_vectors", lambda: False)
    monkeypatch.setattr("core.groups.has_vectors", lambda: False)
    monkeypatch.setattr("core.groups._made", set())
    assert snap(shelf, 1, "ann") and snap(shelf, 2, "ann")
    words = said(page, "/people/")
    assert "pgvector" in words and "Nobody yet" in words
