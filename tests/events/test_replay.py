"""A replay gives the identical rows, misses and doubles nothing, and makes nothing happen."""

import threading
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models

from events.errors import EventError, ReplayError
from events.event import Event, NewEvent
from events.replay import replay, replay_in_place
from events.store import ANY, append, read_stream
from tests.events.following import until
from tests.events.racing import race
from tests.locks import waiting

pytestmark = pytest.mark.django_db(transaction=True)


class Row(models.Model):
    """A read model's table: what was heard, in order."""

    id = models.BigAutoField(primary_key=True)
    position = models.BigIntegerField()
    stars = models.IntegerField()

    class Meta:
        # No installed app: what Django knows of the events app stays as it is.
        app_label = "tests_of_events"
        db_table = "test_replay_row"
        managed = False


def write(event: Event) -> None:
    Row.objects.create(position=event.position, stars=event.data["stars"])


def rows() -> list[tuple[Any, ...]]:
    return list(Row.objects.order_by("id").values_list())


def rated(stars: int) -> NewEvent:
    return NewEvent("photo.rated", {"stars": stars})


@pytest.fixture(autouse=True)
def table(transactional_db: None) -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.create_model(Row)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Row)


@pytest.fixture
def heard(consumers: Callable[..., None]) -> list[Event]:
    """A read model and a reaction; what the reaction heard."""
    reaction: list[Event] = []
    consumers("ratings", TABLES=(Row,), HANDLERS={"photo.rated": write})
    consumers("reactions", HANDLERS={"photo.rated": reaction.append})
    return reaction


def test_a_replay_gives_the_identical_rows_and_no_reaction_fires(heard: list[Event]) -> None:
    for stars in range(5):
        append(f"photo-{stars % 2}", ANY, [rated(stars), NewEvent("photo.titled", {})])
    before = rows()
    assert [row[2] for row in before] == [0, 1, 2, 3, 4]
    Row.objects.filter(stars=3).delete()
    Row.objects.create(position=0, stars=99)
    done = replay()
    assert (done.told, done.total) == (10, 10)
    assert rows() == before, "numbers included"
    assert len(heard) == 5


def test_more_events_than_one_batch_are_all_told_once(heard: list[Event]) -> None:
    append("photo-1", ANY, [rated(n) for n in range(1000)])
    append("photo-1", ANY, [rated(n) for n in range(1000, 1234)])
    reports: list[tuple[int, int]] = []
    replay(["ratings"], lambda progress: reports.append((progress.told, progress.total)))
    assert [row[2] for row in rows()] == list(range(1234))
    assert reports == [(500, 1234), (1000, 1234), (1234, 1234)]


def test_at_the_first_event_that_cannot_be_applied_everything_is_as_before(
    consumers: Callable[..., None],
) -> None:
    limit = 99

    def write_up_to(event: Event) -> None:
        if event.data["stars"] > limit:
            raise ValueError("too many stars")
        write(event)

    consumers("ratings", TABLES=(Row,), HANDLERS={"photo.rated": write_up_to})
    append("photo-1", ANY, [rated(1), rated(2), rated(3)])
    before, limit = rows(), 1
    with pytest.raises(ReplayError, match=r"photo\.rated\.v1 of photo-1.*too many stars"):
        replay()
    assert rows() == before
    limit = 99
    append("photo-1", ANY, [rated(4)])
    assert [row[0] for row in rows()] == [1, 2, 3, 4], "the numbering, too, goes on from where it was"


def test_what_is_appended_during_a_replay_in_place_waits_for_it(
    consumers: Callable[..., None], watcher: psycopg.Connection
) -> None:
    at_work, go_on = threading.Event(), threading.Event()

    def slow(event: Event) -> None:
        if replaying.is_set() and not at_work.is_set():
            at_work.set()
            go_on.wait(60)
        write(event)

    replaying = threading.Event()
    consumers("ratings", TABLES=(Row,), HANDLERS={"photo.rated": slow})
    append("photo-1", ANY, [rated(1), rated(2)])
    old = rows()
    replaying.set()

    def writer(stars: int) -> Callable[[], object]:
        def write_late() -> object:
            at_work.wait(60)
            return append("photo-1", ANY, [rated(stars)])

        return write_late

    def onlooker() -> object:
        at_work.wait(60)
        seen = rows()
        # One waits for the replay; the other two wait for the first, by the stream's own lock.
        until(lambda: waiting("relation") == 1)
        go_on.set()
        return seen

    results = race([replay_in_place, writer(3), writer(4), writer(5), onlooker])
    assert results[-1] == old, "pages went on reading the old rows"
    assert sorted(row[2] for row in rows()) == [1, 2, 3, 4, 5]
    assert [row[1] for row in rows()] == [event.position for event in read_stream("photo-1")]


def test_a_handler_that_appends_in_a_replay_is_refused(consumers: Callable[..., None]) -> None:
    armed = False

    def meddle(event: Event) -> None:
        if armed:
            append("photo-2", ANY, [NewEvent("photo.processed", {})])

    consumers("ratings", TABLES=(Row,), HANDLERS={"photo.rated": meddle})
    append("photo-1", ANY, [rated(1)])
    armed = True
    with pytest.raises(ReplayError) as caught:
        replay()
    assert isinstance(caught.value.__cause__, EventError)
    assert read_stream("photo-2") == []


def test_the_command_lists_replays_and_names_what_it_does_not_know(heard: list[Event]) -> None:
    append("photo-1", ANY, [rated(1), rated(2)])
    out = StringIO()
    call_command("replay", "--list", stdout=out)
    assert out.getvalue() == "ratings: test_replay_row\n"
    Row.objects.all().delete()
    out = StringIO()
    call_command("replay", "ratings", stdout=out)
    assert out.getvalue().startswith("2 events replayed in ")
    assert len(rows()) == 2
    with pytest.raises(CommandError, match="no such read model: colours; there are ratings"):
        call_command("replay", "colours")
