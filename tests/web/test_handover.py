"""A library is given to somebody else: who sees what follows at once, and all of it is taken back exactly."""

import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from core import whoiswho
from core.accounts import Account
from core.commands import people as people_commands
from core.commands.libraries import add_library, managed_library
from core.readmodels import remembered
from core.readmodels.alikegroups import duplicate_groups
from core.readmodels.duplicates import Look
from core.readmodels.faces import Face, Person
from core.readmodels.libraries import library_by_id
from core.readmodels.people import people_of
from core.readmodels.photos import Photo
from core.readmodels.timeline import counts
from events.replay import replay_in_place
from tests.web.conftest import Shelf
from tests.web.peopling import find_faces, numbers_of, person_of, snap
from tests.web.test_duplicates import keep, look
from tests.web.test_timeline import tiles_in
from workers.regrouping import regroup_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def strangers_page(stranger: Account) -> Client:
    client = Client()
    client.force_login(stranger)
    return client


def give(admin: Client, library: UUID, name: str) -> str:
    """Give a library away on its page; the address of the undo that is offered."""
    answer = admin.post(f"/libraries/{library}/give/", {"owner": name}, follow=True)
    [undo] = re.findall(r'action="([^"]*/take-back/[^"]*)"', answer.content.decode()) or [""]
    return str(undo)


def test_who_is_given_a_library_sees_it_at_once_and_who_had_it_no_longer_until_it_is_taken_back(
    shelf: Shelf, page: Client, strangers_page: Client, admin_client: Client
) -> None:
    photo = shelf.photo("one.jpg", title="Lake")
    seen = (f"/photos/{photo}/", f"/api/v1/photos/{photo}", f"/photos/{photo}/tile/r1.webp")

    def sees(browser: Client) -> bool:
        shown = set(tiles_in(browser.get("/"))) | set(tiles_in(browser.get("/search/?q=lake")))
        statuses = {browser.get(address).status_code for address in seen}
        assert statuses in ({200}, {404}), statuses
        assert (photo in shown) == (statuses == {200})
        return statuses == {200}

    assert (sees(page), sees(strangers_page)) == (True, False)
    undo = give(admin_client, shelf.library, "stan")
    assert (sees(page), sees(strangers_page)) == (False, True)
    assert give(admin_client, shelf.library, "stan") == "", "nothing was changed, so there is nothing to take back"
    assert admin_client.post(undo).status_code == 302
    assert (sees(page), sees(strangers_page)) == (True, False)
    give(admin_client, shelf.library, "stan")
    told = admin_client.post(undo)
    assert told.status_code == 400 and "changed hands again" in told.content.decode()
    assert admin_client.post(f"/libraries/{shelf.library}/take-back/{uuid4()}/").status_code == 400
    for address in (f"/libraries/{shelf.library}/give/", undo):
        assert page.post(address, {"owner": "olga"}).status_code == 404
        assert strangers_page.post(address, {"owner": "stan"}).status_code == 403
    assert library_by_id(shelf.library).owner_id == Account.objects.get(username="stan").pk


def test_counts_that_are_remembered_do_not_outlive_it(
    shelf: Shelf, owner: Account, admin_client: Client, stranger: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "MANY", 0)
    monkeypatch.setattr(remembered, "_TIMES", 1_000_000)
    shelf.photo()
    assert counts(owner).shown == 1
    give(admin_client, shelf.library, "stan")
    assert (counts(owner).shown, counts(stranger).shown) == (0, 1)


def test_programs_and_the_command_line_give_libraries_too_but_nobodys_uploads(
    shelf: Shelf, stranger: Account, owner: Account, admin_client: Client, page: Client
) -> None:

    def patch(browser: Client, library: UUID, wanted: UUID) -> int:
        sent = json.dumps({"owner_id": str(wanted)})
        return browser.patch(f"/api/v1/libraries/{library}", sent, "application/json").status_code

    def command(*words: str) -> str:
        said = io.StringIO()
        call_command("library", *words, stdout=said)
        return said.getvalue()

    assert (patch(page, shelf.library, stranger.pk), patch(admin_client, shelf.library, uuid4())) == (403, 422)
    assert patch(admin_client, shelf.library, stranger.pk) == 200
    assert f"stan  {shelf.root}" in command("list")
    assert "now" in command("give", str(shelf.root), "olga")
    assert "already" in command("give", "photos-olga", "olga")
    assert library_by_id(shelf.library).owner_id == owner.pk
    uploads = managed_library(owner.pk, "Uploads of olga", actor="test")
    assert patch(admin_client, uploads, stranger.pk) == 409
    refused = admin_client.post(f"/libraries/{uploads}/give/", {"owner": "stan"}).content.decode()
    assert "stays that account" in refused
    assert "stays theirs" in admin_client.get(f"/libraries/{uploads}/").content.decode()
    for words, complaint in (
        (("Uploads of olga", "stan"), "stays that account"),
        (("no such", "stan"), "no library 'no such'"),
        (("photos-olga", "nobody"), "no account 'nobody'"),
    ):
        with pytest.raises(CommandError, match=complaint):
            command("give", *words)
    assert library_by_id(uploads).owner_id == owner.pk


@dataclass(frozen=True)
class Crowd:
    """Ann in two libraries of one owner; in the first also Bo, whom a person has put together by hand."""

    shelf: Shelf
    more: Shelf
    ann: list[UUID]
    elsewhere: list[UUID]
    bo: UUID


@pytest.fixture
def crowd(shelf: Shelf, owner: Account, tmp_path: Path) -> Crowd:
    root = tmp_path / "more"
    root.mkdir()
    more = Shelf(add_library(root, owner=owner.pk, actor="cli"), root, owner)
    ann = [snap(shelf, number, "ann")[0] for number in range(3)]
    [bo] = snap(shelf, 10, "bo")
    elsewhere = [
        find_faces(more.photo(f"m{number}.jpg"), numbers_of("ann", number))[0] for number in range(20, 23)
    ]
    known = person_of(ann[0])
    assert known and {person_of(face) for face in [*ann, *elsewhere]} == {known}
    whoiswho.name(owner, known, "Ann")
    whoiswho.split(owner, [bo], "Bertram")
    return Crowd(shelf, more, ann, elsewhere, bo)


def work_off() -> None:
    for person in set(Person.objects.values_list("owner_id", flat=True)) | set(
        Account.objects.values_list("pk", flat=True)
    ):
        regroup_all(person)


def known_as(*faces: UUID) -> list[str | None]:
    found = Face.objects.in_bulk(faces)
    people = Person.objects.in_bulk([face.person_id for face in found.values() if face.person_id])
    return [people[one].name if (one := found[face].person_id) else None for face in faces]


def rows() -> list[tuple[object, ...]]:
    return sorted(Face.objects.values_list("id", "group_id", "home_id", "person_id", "by_hand", "owner_id"))


def test_faces_leave_the_people_of_who_had_the_library_and_are_again_who_they_were_once_it_is_given_back(
    crowd: Crowd, stranger: Account, strangers_page: Client, admin_client: Client, owner: Account
) -> None:
    faces = [*crowd.ann, crowd.bo]
    before = rows()
    undo = give(admin_client, crowd.shelf.library, "stan")
    # At once, before any job has run.
    assert known_as(*faces, *crowd.elsewhere) == [None] * 4 + ["Ann"] * 3
    photo = Face.objects.get(id=crowd.bo).photo_id
    assert "Bertram" not in strangers_page.get(f"/photos/{photo}/").content.decode()
    assert people_of(stranger) == []
    assert [(one.name, one.faces) for one in people_of(owner)] == [("Ann", 3)]
    work_off()
    # The new owner's machine groups them anew, with nobody of the former owner's.
    assert known_as(*faces) == ["", "", "", None]
    assert [(one.name, one.faces) for one in people_of(stranger)] == [("", 3)]
    [group] = {person_of(face) for face in crowd.ann}
    assert group and Person.objects.get(id=group).owner_id == stranger.pk
    people_commands.name_person(group, "Anna", actor=stranger.actor)
    replayed = rows()
    replay_in_place(["faces"])
    assert rows() == replayed
    admin_client.post(undo)
    assert known_as(*faces, *crowd.elsewhere) == ["Ann"] * 3 + ["Bertram"] + ["Ann"] * 3
    assert [row[:5] for row in rows()] == [row[:5] for row in before]
    assert people_of(stranger) == []
    work_off()
    assert known_as(*faces, *crowd.elsewhere) == ["Ann"] * 3 + ["Bertram"] + ["Ann"] * 3
    give(admin_client, crowd.shelf.library, "stan")
    assert known_as(*faces) == ["Anna"] * 3 + [None]


def test_what_looked_alike_in_two_libraries_no_longer_does_and_nothing_gives_way_to_what_is_not_seen(
    shelf: Shelf, stranger: Account, owner: Account, admin_client: Client, page: Client, tmp_path: Path
) -> None:
    root = tmp_path / "more"
    root.mkdir()
    more = Shelf(add_library(root, owner=owner.pk, actor="cli"), root, owner)
    ours = [shelf.photo(f"{number}.jpg", likeness=look(1, number)) for number in range(2)]
    theirs = [more.photo(f"m{number}.jpg", likeness=look(1, 10 + number)) for number in range(2)]
    hidden, kept = shelf.photo("hidden.jpg", likeness=look(50)), more.photo("kept.jpg", likeness=look(50, 1))
    keep(page, [hidden, kept], kept)
    assert Photo.objects.get(id=hidden).duplicate_of == kept
    assert [{photo.id for photo in group.members} for group in duplicate_groups(owner)] == [{*ours, *theirs}]
    undo = give(admin_client, shelf.library, "stan")
    assert [{photo.id for photo in group.members} for group in duplicate_groups(owner)] == [set(theirs)]
    assert [{photo.id for photo in group.members} for group in duplicate_groups(stranger)] == [set(ours)]
    administrator = Account.objects.get(is_staff=True)
    assert {frozenset(one.id for one in group.members) for group in duplicate_groups(administrator)} == {
        frozenset(ours),
        frozenset(theirs),
    }
    assert Photo.objects.get(id=hidden).duplicate_of is None
    late = shelf.photo("late.jpg", likeness=look(1, 3))
    assert Look.objects.get(photo_id=late).group_id == Look.objects.get(photo_id=ours[0]).group_id

    def looks() -> list[tuple[object, ...]]:
        return sorted(Look.objects.values_list("photo_id", "scope", "group_id", "spread"))

    live = looks()
    replay_in_place(["duplicates", "photos", "libraries", "files", "uploads"])
    assert looks() == live
    admin_client.post(undo)
    assert {one.scope for one in Look.objects.all()} == {str(owner.pk)}
