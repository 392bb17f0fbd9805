"""Every address that there is: who is let in, and that nobody sees or changes what is another's.

The addresses are found by walking. A new one is tried here like all others, and one with a parameter that this
test does not know fails it until somebody says what the parameter stands for.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from core.accounts import Account
from core.commands.accounts import create_api_key
from core.commands.albums import make_album
from core.commands.duplicates import tell_apart
from core.commands.edits import edit_photo
from core.commands.log import photo_events
from core.commands.occasions import name_date
from core.commands.people import begin_person
from core.domain.edits import KeywordsChanged
from core.domain.uploads import Announced
from core.readmodels.albums import changes_of
from core.readmodels.duplicates import Look
from core.readmodels.faces import PersonAct
from core.readmodels.failures import Failure
from core.readmodels.libraries import folders_of
from core.readmodels.people import face_for
from core.receiving import begin
from events.models import StoredEvent
from tests.web.addresses import Known, Operation, operations, pages
from tests.web.conftest import Shelf
from tests.web.peopling import find_faces
from tests.web.test_duplicates import look

pytestmark = pytest.mark.django_db

# Who stands before the door must reach them; the last three are for whoever watches over servers.
DOORS = {"welcome", "signin", "signout", "appearance", "healthz", "readyz", "jobs-health"}
# An open stream would hold the test's own connection; tests/web/test_live.py has them.
STREAMS = {"live", "jobs-stream"}
# tests/web/test_ranges.py and test_playing.py have them.
FILES = {"original", "playing", "motion"}
FOR_STAFF = ("jobs/", "libraries/", "accounts/")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
WORD = "secret"
# What is typed to find the word, without being it.
SOUGHT = {"q": WORD[:4], "code": "video", "show": "hidden", "style": "panorama"}
WORDS = {"revision": "r1", "stamp": "r1", "job_id": 1, "operation_id": 1, "name": "x"}
NOBODYS: Known = defaultdict(lambda: "00000000-0000-4000-8000-000000000000", WORDS)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """To write down hundreds of refusals takes longer than they do."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def known(shelf: Shelf, owner: Account) -> Known:
    """One of everything that an account may have, by the names of parameters and fields."""
    actor = f"account:{owner.pk}"
    photo = shelf.photo(f"{WORD}.jpg", likeness=look(1))
    twin = shelf.photo(f"{WORD}-twin.jpg", likeness=look(1, 1))
    other = shelf.photo(f"{WORD}-other.jpg", likeness=look(2))
    edit_photo(photo, [KeywordsChanged((f"{WORD}word",))], actor=actor)
    event = photo_events(photo)[-1].event_id
    shelf.skip(f"{WORD}.mp4")
    [face] = find_faces(photo, [0.0] * 255 + [1.0], grouped=False)
    shelf.fail(photo, "labels", reason=f"The {WORD} ends in the middle.")
    failure = Failure.objects.get().id
    person = begin_person(owner.pk, [face], source=None, name=f"Sarah {WORD.title()}", actor=actor)
    date = name_date(owner.pk, f"The {WORD} day", 5, 1, actor=actor)
    upload = begin(owner, Announced(f"{WORD}.png", 1000, "", None))
    album = make_album(owner.pk, f"The {WORD} album", photos=[photo], actor=actor)
    change = changes_of(album)[0].id
    group = Look.objects.get(photo_id=twin).group_id
    assert group is not None
    tell_apart([photo, other], review=date, actor=actor)
    ids = {
        "photo_id": photo,
        "photo": photo,
        "keep": photo,
        "photos": [photo, twin],
        "others": [twin],
        "event": event,
        "owner_id": owner.pk,
        "review": date,
        "group_id": group,
        "upload_id": upload.id,
        "date_id": date,
        "album_id": album,
        "change_id": change,
        "change": change,
        "failure_id": failure,
        "after": failure,
        "library_id": shelf.library,
        "account_id": owner.pk,
        "folder_id": folders_of(shelf.library)[0].id,
        "face_id": face,
        "faces": [face],
        "cover": face,
        "one": face,
        "person_id": person,
        "to": person,
        "into": person,
        "other": person,
        "act_id": (act := PersonAct.objects.latest("position").id),
        "act": act,
    }
    return {**ids, **WORDS, "stamp": face_for(owner, face).stamp}


@pytest.fixture
def key(stranger: Account) -> str:
    return f"Bearer {create_api_key('script', stranger.username)}"


@pytest.fixture
def elsewhere(stranger: Account) -> Client:
    """A browser of somebody who has nothing."""
    client = Client()
    client.force_login(stranger)
    return client


def form(known: Known) -> dict[str, Any]:
    """Everything that a form may name, in one."""
    fields = ("photo", "keep", "into", "to", "one", "other")
    more = {"face": known["face_id"], "shown": known["person_id"], "undo": f"{known['photo']}:{known['event']}"}
    return {**{name: known[name] for name in fields}, **more, "fact": "name", "seen": "1", "value": WORD}


def recorded() -> int:
    return StoredEvent.objects.count()


def test_who_is_not_signed_in_is_led_to_the_sign_in_everywhere(owner: Account) -> None:
    client, let_in = Client(), set()
    for page in pages():
        if page.name not in DOORS:
            answers = [client.generic(method, page.at(NOBODYS)) for method in ("GET", "POST")]
            if not _all_turned_away(answers):
                let_in.add(page.name)
    assert let_in == set()


def _all_turned_away(answers: list[Any]) -> bool:
    codes = {answer.status_code for answer in answers} - {405}
    return bool(codes) and all(
        answer.status_code in (401, 405) or answer.headers.get("Location", "").startswith("/signin/?next=/")
        for answer in answers
    )


def test_the_api_answers_nobody_without_a_key_of_its_own() -> None:
    client = Client()
    keys: list[dict[str, str]] = [{}, {"Authorization": "Bearer filmroll_wrong"}]
    answered = {
        each.name for each in operations() for key in keys if each.ask(client, NOBODYS, **key).status_code != 401
    }
    assert answered == set()


def test_no_form_of_another_site_gets_anything_done_anywhere() -> None:
    boss = Account.objects.create_superuser("boss", password="x")
    client = Client(enforce_csrf_checks=True)
    client.force_login(boss)
    taken = {
        f"{method} {page.name}"
        for page in pages()
        for method in UNSAFE
        if client.generic(method, page.at(NOBODYS)).status_code != 403
    }
    taken |= {
        each.name
        for each in operations()
        if each.method in UNSAFE and each.ask(client, NOBODYS).json() != {"detail": "CSRF check Failed"}
    }
    assert taken == set()


def test_what_is_for_administrators_is_refused_to_others_even_of_what_is_theirs(
    known: Known, page: Client, owner: Account
) -> None:
    before, open_to_all = recorded(), set()
    for each in pages():
        if each.template.startswith(FOR_STAFF) and each.name not in DOORS:
            codes = {page.generic(method, each.at(known)).status_code for method in ("GET", "POST")}
            if codes - {405} != {403}:
                open_to_all.add(each.name)
    for one in operations():
        if _is_for_staff(one) and one.ask(page, known).status_code != 403:
            open_to_all.add(one.name)
    assert open_to_all == set()
    assert recorded() == before


def _is_for_staff(one: Operation) -> bool:
    return one.template.startswith("/api/v1/jobs") or (
        one.template.startswith("/api/v1/libraries") and one.method in UNSAFE
    )


def test_nobody_reaches_what_is_anothers_by_its_id(known: Known, elsewhere: Client, key: str) -> None:
    before, reached, program = recorded(), set(), Client()
    for page in pages():
        if page.name in DOORS | STREAMS:
            continue
        sent = elsewhere.post(page.at(known), form(known), headers={"Tus-Resumable": "1.0.0"})
        codes = {elsewhere.get(page.at(known)).status_code, sent.status_code} - {405}
        if page.parameters and not codes <= {403, 404}:
            reached.add(page.name)
    for one in operations():
        if one.names_something and one.ask(program, known, Authorization=key).status_code not in (403, 404):
            reached.add(one.name)
    assert reached == set()
    assert recorded() == before


def test_an_owner_reaches_all_of_it_and_looking_changes_nothing(known: Known, page: Client, settings: Any) -> None:
    settings.ALL_TAGS = "tests.web.test_every_address.no_tags"
    before, found = recorded(), set()
    for each in pages():
        if each.name not in DOORS | STREAMS | FILES and page.get(each.at(known)).status_code == 200:
            found.update(each.parameters)
    assert found >= {"photo_id", "revision", "face_id", "stamp", "person_id", "group_id", "album_id"}
    assert recorded() == before


def no_tags(_: object) -> Any:
    from workers.alltags import AllTags

    return AllTags([])


def test_no_list_tells_of_anything_that_is_anothers(known: Known, page: Client, elsewhere: Client) -> None:
    ids = [str(known[name]) for name in ("photo_id", "person_id", "face_id", "library_id", "date_id", "album_id")]
    lists = [
        *(f"/{each.template}" for each in pages() if not each.parameters and each.name not in DOORS | STREAMS),
        *(one.template for one in operations() if one.method == "GET" and "{" not in one.template),
        f"/tiles/?ids={known['photo_id']}",
    ]
    searches = [f"{at}?{urlencode(SOUGHT)}" for at in lists if "?" not in at]
    assert [at for at in (*lists, *searches) if _tells(elsewhere, at, ids)] == []
    told = [
        "/",
        "/failures/",
        "/people/",
        "/dates/",
        "/duplicates/",
        "/api/v1/photos",
        "/api/v1/people",
        lists[-1],
    ]
    found = [f"{at}?{urlencode(SOUGHT)}" for at in ("/skipped/", "/search/", "/search/suggestions/")]
    assert [at for at in (*told, *found) if not _tells(page, at, ids)] == []


def _tells(client: Client, at: str, ids: list[str]) -> bool:
    answer = client.get(at)
    told = answer.getvalue().decode("utf-8", "replace").lower() if not answer.streaming else ""
    return WORD in told or any(one in told for one in ids)
