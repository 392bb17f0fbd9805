"""Changes behind the store's back are found, and an erasure is not one of them."""

import hashlib
from collections.abc import Callable

import pytest
from django.db import connection, models, transaction

from events.erasure import erase
from events.errors import ErasureError
from events.event import Event, NewEvent
from events.models import Erasure, StoredEvent
from events.replay import replay
from events.store import NO_STREAM, append, read_stream
from events.verify import verify_stream

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three() -> tuple[Event, ...]:
    events = [NewEvent("photo.titled", {"title": f"Oma am See {number}"}) for number in range(3)]
    return append("photo-1", NO_STREAM, events).events


class Note(models.Model):
    """A read model's table."""

    class Meta:
        # No installed app: what Django knows of the events app stays as it is.
        app_label = "tests_of_events"
        db_table = "test_verify_note"
        managed = False


def tamper(statement: str) -> None:
    """What somebody with the keys to the database could do."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE event DISABLE TRIGGER USER")
        cursor.execute(statement)
        cursor.execute("ALTER TABLE event ENABLE TRIGGER USER")


def test_an_untouched_stream_has_no_flaw() -> None:
    append("photo-1", 3, [NewEvent("photo.rated", {"stars": 5}, schema_version=2)])
    append("photo-2", NO_STREAM, [NewEvent("photo.rated", {"größe": 1.50, "é": [1e22, True]})])
    assert verify_stream("photo-1") == verify_stream("photo-2") == verify_stream("photo-0") == []


def test_the_hashes_are_what_the_documentation_says(three: tuple[Event, ...]) -> None:
    first, second, _ = three
    assert second.data_hash == hashlib.sha256(b'{"title": "Oma am See 1"}').digest()
    stream, name = b"\0\0\0\x07photo-1", b"\0\0\0\x0fphoto.titled.v1"
    number = b"\0\0\0\0\0\0\0\x02"
    parts = first.chain_hash + stream + number + name + second.event_id.bytes + second.data_hash
    assert second.chain_hash == hashlib.sha256(parts).digest()


@pytest.mark.parametrize(
    ("change", "versions", "words"),
    [
        ("""SET data = '{"title": "Oma am See !"}' WHERE version = 2""", [2], "data are not those"),
        (
            "SET data_hash = sha256(data_hash) WHERE version = 2",
            [2, 2],
            "chain|data",
        ),
        (
            "SET chain_hash = sha256(chain_hash) WHERE version = 2",
            [2, 3],
            "chain",
        ),
        ("SET type = 'photo.named' WHERE version = 1", [1], "chain"),
        ("SET schema_version = 2 WHERE version = 3", [3], "chain"),
        ("SET event_id = gen_random_uuid() WHERE version = 3", [3], "chain"),
        ("""SET data = '{"$erased": true}' WHERE version = 1""", [1], "no erasure is on record"),
    ],
)
def test_a_changed_event_is_found(change: str, versions: list[int], words: str) -> None:
    tamper(f"UPDATE event {change}")
    flaws = verify_stream("photo-1")
    assert [flaw.version for flaw in flaws] == versions
    assert all(any(word in flaw.what for word in words.split("|")) for flaw in flaws)


def test_one_flipped_bit_is_found() -> None:
    tamper("UPDATE event SET data = replace(data::text, 'See 1', 'See 0')::jsonb WHERE version = 2")
    [flaw] = verify_stream("photo-1")
    assert (flaw.stream_id, flaw.version) == ("photo-1", 2)


def test_a_removed_event_is_found() -> None:
    tamper("DELETE FROM event WHERE version = 2")
    assert {flaw.version for flaw in verify_stream("photo-1")} == {3}
    tamper("UPDATE event SET version = 2 WHERE version = 3")
    assert {flaw.version for flaw in verify_stream("photo-1")} == {2}


def test_an_erased_event_keeps_its_place_and_the_chain_but_not_its_content(three: tuple[Event, ...]) -> None:
    assert erase([three[1].event_id], actor="account-1", reason="forget this person") == 1
    first, erased, third = read_stream("photo-1")
    assert (first, third) == (three[0], three[2])
    assert erased.erased and not first.erased
    assert erased.data == {"$erased": True}
    assert (erased.data_hash, erased.chain_hash) == (three[1].data_hash, three[1].chain_hash)
    assert verify_stream("photo-1") == []
    assert "Oma am See 1" not in str(list(StoredEvent.objects.values()))
    [record] = Erasure.objects.all()
    assert (record.event_id, record.actor, record.reason) == (erased.event_id, "account-1", "forget this person")


def test_erasing_twice_is_harmless_and_keeps_the_first_record(three: tuple[Event, ...]) -> None:
    ids = [event.event_id for event in three]
    assert erase(ids[:2], actor="first", reason="asked to") == 2
    assert erase(ids, actor="second", reason="asked to") == 1
    assert {one.event_id: one.actor for one in Erasure.objects.all()} == {
        ids[0]: "first",
        ids[1]: "first",
        ids[2]: "second",
    }


def test_an_erasure_names_existing_events_an_actor_and_a_reason(three: tuple[Event, ...]) -> None:
    missing = NewEvent("photo.titled", {}).event_id
    with pytest.raises(ErasureError, match=str(missing)):
        erase([three[0].event_id, missing], actor="me", reason="asked to")
    for actor, reason in (("", "asked to"), ("me", "")):
        with pytest.raises(ErasureError, match="names its actor and its reason"):
            erase([three[0].event_id], actor=actor, reason=reason)
    assert not read_stream("photo-1")[0].erased


def test_the_permission_of_an_erasure_ends_with_it(three: tuple[Event, ...]) -> None:
    erase([three[0].event_id], actor="me", reason="asked to")
    with pytest.raises(Exception, match="refused"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE event SET data = '{}'")


def test_the_same_append_after_an_erasure_brings_nothing_back(three: tuple[Event, ...]) -> None:
    erase([three[0].event_id], actor="me", reason="asked to")
    again = append("photo-1", NO_STREAM, [NewEvent(e.type, e.data, event_id=e.event_id) for e in three])
    assert again.replayed
    assert again.events[0].erased
    assert len(read_stream("photo-1")) == 3


def test_erased_events_are_not_replayed(three: tuple[Event, ...], consumers: Callable[..., None]) -> None:
    told: list[int] = []
    consumers("titles", TABLES=(Note,), HANDLERS={"photo.titled": lambda event: told.append(event.version)})
    with connection.schema_editor() as editor:
        editor.create_model(Note)
    erase([three[1].event_id], actor="me", reason="asked to")
    replay()
    assert told == [1, 3]
