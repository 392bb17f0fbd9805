"""Read models filled by an older version of their code are known, and a replay makes them new."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, models

from events import versions
from events.event import Event, NewEvent
from events.replay import replay, replay_in_place
from events.store import ANY, append

pytestmark = pytest.mark.django_db(transaction=True)


class Seen(models.Model):
    id = models.BigIntegerField(primary_key=True)
    stars = models.IntegerField()

    class Meta:
        app_label = "tests_of_events"
        db_table = "versions_seen"
        managed = False


def write(event: Event) -> None:
    Seen.objects.create(id=event.position, stars=event.data["stars"])


def write_twice_as_many(event: Event) -> None:
    Seen.objects.create(id=event.position, stars=2 * event.data["stars"])


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def release(
    transactional_db: None, consumers: Callable[..., None], settings: Any
) -> Iterator[Callable[..., None]]:
    """Another version of the program: its read model's version, and what it makes of an event."""
    run("CREATE TABLE versions_seen (id bigint PRIMARY KEY, stars int NOT NULL)")

    def upgrade(version: int, handler: Callable[[Event], None] = write) -> None:
        consumers("seen", TABLES=(Seen,), VERSION=version, HANDLERS={"photo.rated": handler})
        settings.EVENT_CONSUMERS = settings.EVENT_CONSUMERS[-1:]

    yield upgrade
    run("DROP TABLE versions_seen")


def rate() -> None:
    append("photo-1", ANY, [NewEvent("photo.rated", {"stars": 3})])


def stars() -> list[int]:
    return list(Seen.objects.values_list("stars", flat=True))


@pytest.mark.parametrize("rebuild", [replay, replay_in_place])
def test_what_an_older_version_has_filled_is_older_until_it_is_rebuilt(
    release: Callable[..., None], rebuild: Callable[..., object]
) -> None:
    release(1)
    rate()
    versions.mark_new()
    assert versions.older() == []
    release(3, write_twice_as_many)
    versions.mark_new()
    assert versions.older() == ["seen"]
    rebuild(["seen"])
    assert stars() == [6]
    assert versions.older() == []
    release(4)
    assert versions.older() == ["seen"]


def test_where_nothing_has_happened_yet_nothing_is_older(release: Callable[..., None]) -> None:
    release(2)
    assert versions.older() == ["seen"]
    versions.mark_new()
    assert versions.older() == []
    rate()
    release(3)
    versions.mark_new()
    assert versions.older() == ["seen"]


def test_a_rebuild_that_fails_leaves_it_older(release: Callable[..., None]) -> None:
    release(1)
    rate()

    def refuse(_: Event) -> None:
        raise ValueError("no")

    release(2, refuse)
    with pytest.raises(Exception, match="no"):
        replay(["seen"])
    assert (stars(), versions.older()) == ([3], ["seen"])
