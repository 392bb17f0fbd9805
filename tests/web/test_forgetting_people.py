"""Forgetting a person: no table or file holds the name, or what the faces were known by, and nobody asks again."""

import json
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from core import groups, vectors
from core.accounts import Account
from core.commands import people as commands
from core.domain.people import FacesJoined, PersonNotFound
from core.readmodels.faces import Face, Person
from core.readmodels.people import owner_of
from core.readmodels.photos import Photo
from core.storage import preview_path
from events.replay import replay
from events.verify import verify_seals, verify_streams
from tests.web.conftest import Shelf
from tests.web.peopling import find_faces, numbers_of, person_of, snap
from tests.web.test_forgetting import everything_said, found_of, rows
from workers import forgetting, grouping, tasks

pytestmark = pytest.mark.django_db
NAME = "Zebulona"


@pytest.fixture
def shots(shelf: Shelf, owner: Account) -> list[list[UUID]]:
    """Faces of four photos: Zebulona is in all of them, Anna in the second, Berta was taken for Zebulona once."""
    assert vectors.make_tables() and groups.make_table()
    actor = owner.actor
    found = [snap(shelf, at, "Z", *more) for at, more in enumerate([(), ("Anna",), (), ("Berta",)])]
    zebulona, anna = person_of(found[0][0]), found[1][1]
    assert zebulona is not None
    commands.name_person(zebulona, NAME, actor=actor)
    commands.set_birthday(zebulona, "1931-02-03", actor=actor)
    commands.confirm_faces({zebulona: [found[0][0]]}, actor=actor)
    # Taken for her by hand, then said not to be; and somebody of another name was called so before.
    berta = found[3][1]
    commands.move_faces(zebulona, [berta], source=None, actor=actor)
    commands.reject_faces(zebulona, [berta], family=[zebulona], actor=actor)
    other = commands.begin_person(owner_of(Photo.objects.first()), [anna], source=None, name=NAME, actor=actor)  # type: ignore[arg-type]
    commands.name_person(other, "Anna", actor=actor)
    # The machine takes this one for her, and a person for Anna.
    [taken] = snap(shelf, 5, "Z")
    commands.move_faces(other, [taken], source=zebulona, actor=actor)
    # A group of the machine's that a person made one with her.
    [lone] = snap(shelf, 9, "Z at ninety")
    single = commands.begin_person(Person.objects.get(id=other).owner_id, [lone], source=None, actor=actor)
    commands.merge_people(single, zebulona, actor=actor)
    grouping.settle_people([zebulona, other, single], [face for faces in found for face in faces])
    return [*found, [lone]]


def test_nothing_says_who_it_was_and_nobody_asks_again(
    shots: list[list[UUID]], page: Client, shelf: Shelf
) -> None:
    faces = [shots[0][0], shots[1][0], shots[2][0], shots[3][0], shots[4][0]]
    anna, berta = shots[1][1], shots[3][1]
    person = person_of(faces[0])
    assert person is not None
    assert {person_of(face) for face in faces} == {person}
    portrait = preview_path(Face.objects.get(id=faces[0]).photo_id, "r1", f"face-{faces[0]}-00000000")
    others = preview_path(Face.objects.get(id=anna).photo_id, "r1", f"face-{anna}-00000000")
    for picture in (portrait, others):
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(b"a face")
    assert b"Forget this person" in page.get(f"/people/{person}/").content
    assert NAME in page.get(f"/people/{person}/forget/").content.decode()
    assert found_of(NAME, "1931-02-03")

    assert page.post(f"/people/{person}/forget/")["Location"] == "/people/"
    carry_out_portraits()

    assert found_of(NAME, "1931-02-03") == []
    assert not portrait.exists()
    assert others.exists()
    assert page.get(f"/people/{person}/").status_code == 404
    assert vectors.face_vectors(faces) == {}
    assert not Face.objects.filter(id__in=faces).exists()
    assert Person.objects.get(id=person_of(anna)).name == "Anna"
    assert person_of(berta) is None
    assert not Face.objects.filter(group_id=person).exists()
    with pytest.raises(PersonNotFound):
        commands.name_person(person, NAME, actor="account:1")
    left = {table for table, text in everything_said() if any(str(face) in text for face in faces)}
    assert left == {"event", "forgotten_one", "procrastinate_jobs"}

    # A grouping that had begun before says that somebody else is her, too.
    late = FacesJoined(shelf.owner.pk, (berta,), "face 1", "means")
    commands.record_grouping([(person, late)], actor="worker:people")
    assert not Person.objects.filter(id=person).exists()
    look_again(shots, shelf)
    assert [*verify_streams(), *verify_seals()] == []
    before = rows()
    replay()
    assert rows() == before
    assert page.get("/people/").status_code == 200


def look_again(shots: list[list[UUID]], shelf: Shelf) -> None:
    """Another model looks at the same pictures: the others' faces are found again, hers are nobody's."""
    photo = Face.objects.get(id=shots[1][1]).photo_id
    again = find_faces(photo, numbers_of("Z", 1), numbers_of("Anna", 1), version="2")
    assert again == [shots[1][1]]
    assert set(vectors.face_vectors([shots[1][0], shots[1][1]])) == {shots[1][1]}
    # In a picture that comes later she is whoever she is most like, and never who she was.
    [late] = snap(shelf, 20, "Z at twenty")
    assert person_of(late) is None


def carry_out_portraits() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT args::text FROM procrastinate_jobs WHERE task_name = %s", [forgetting.PORTRAITS])
        for (args,) in cursor.fetchall():
            tasks.clear_portraits(**json.loads(args))


def test_a_stranger_and_an_administrator_may_not_and_the_owner_may_by_api_and_command(
    shots: list[list[UUID]], stranger: Account, page: Client
) -> None:
    person, anna = person_of(shots[0][0]), person_of(shots[1][1])
    for account in (stranger, Account.objects.create_user("ada", is_staff=True)):
        other = Client()
        other.force_login(account)
        assert other.get(f"/people/{person}/forget/").status_code == 404
        assert other.post(f"/people/{person}/forget/").status_code == 404
        assert other.delete(f"/api/v1/people/{person}").status_code == 404
    assert Person.objects.get(id=person).name == NAME
    assert page.delete(f"/api/v1/people/{person}").status_code == 204
    assert page.delete(f"/api/v1/people/{person}").status_code == 404
    said = StringIO()
    call_command("forget", "person", str(anna), "--reason", "a test", "--yes", stdout=said)
    assert "Anna" in said.getvalue()
    assert found_of(NAME, "Anna") == []
    with pytest.raises(CommandError, match="There is no such person"):
        call_command("forget", "person", str(anna), "--reason", "a test", "--yes")
    before = rows()
    replay()
    assert rows() == before


def test_more_faces_than_one_event_holds_are_all_forgotten(
    shots: list[list[UUID]], page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.commands.forgetting.FACES_LIMIT", 2)
    person = person_of(shots[0][0])
    assert page.post(f"/people/{person}/forget/").status_code == 302
    assert not Face.objects.filter(id__in=[one[0] for one in shots]).exists()
    before = rows()
    replay()
    assert rows() == before
