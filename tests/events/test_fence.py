"""The fence misses nothing, whatever the order in which transactions begin, append, commit and roll back."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, transaction

from events.errors import FenceError
from events.event import NewEvent
from events.fence import Fence, read_all, safe_position
from events.store import ANY, append
from tests.events.readers import HoldersFirst, NaiveReader, Reader, append_by, interrupted

pytestmark = pytest.mark.django_db(transaction=True)

LONG = [pytest.mark.slow, pytest.mark.timeout(1200)]


def interleavings(endings: Sequence[str]) -> Iterator[tuple[tuple[int, str], ...]]:
    """Every order of begin, append and ending of so many transactions, told apart by their number alone."""
    steps = [["BEGIN", "append", ending] for ending in endings]

    def go_on(done: tuple[int, ...]) -> Iterator[tuple[tuple[int, str], ...]]:
        if sum(done) == 3 * len(steps):
            yield ()
        for number, count in enumerate(done):
            if count < 3:
                after = (*done[:number], count + 1, *done[number + 1 :])
                for rest in go_on(after):
                    yield ((number, steps[number][count]), *rest)

    return go_on((0,) * len(steps))


def in_order_of_beginning(story: Sequence[tuple[int, str]]) -> bool:
    """Whether transactions begin by their numbers: of stories that differ only in names, one is enough."""
    beginnings = [number for number, step in story if step == "BEGIN"]
    return beginnings == sorted(beginnings)


def all_stories(count: int) -> Iterator[tuple[tuple[int, str], ...]]:
    """Every order of so many transactions, with every choice of endings."""
    for endings in itertools.product(["COMMIT", "ROLLBACK"], repeat=count):
        yield from filter(in_order_of_beginning, interleavings(endings))


def play(
    story: Sequence[tuple[int, str]], writers: Sequence[psycopg.Connection]
) -> tuple[Reader, NaiveReader, list[int]]:
    """Play a story with a look after each step that changes anything; both readers, and what was committed.

    There is one writer more than transactions: the connection of the naive reader.
    """
    start = safe_position()
    reader, naive = Reader(start), NaiveReader(writers[-1], start)
    appended: dict[int, int] = {}
    committed = []
    for number, step in story:
        if step == "append":
            appended[number] = append_by(writers[number])
        else:
            writers[number].execute(step)
        if step == "COMMIT":
            committed.append(appended[number])
        if step != "BEGIN":
            reader.read()
            naive.read()
    return reader, naive, sorted(committed)


@pytest.mark.parametrize(
    ("count", "every", "stories"),
    [(1, 1, 2), (2, 1, 40), (3, 19, 118), pytest.param(3, 1, 2240, marks=LONG)],
    ids=["one", "two", "a sample of three", "three transactions"],
)
def test_every_interleaving_is_read_in_order_with_nothing_missed_or_doubled(
    count: int, every: int, stories: int, beside: Callable[[], psycopg.Connection]
) -> None:
    writers = [beside() for _ in range(count + 1)]
    played = missed_by_naive = 0
    for story in itertools.islice(all_stories(count), 0, None, every):
        reader, naive, committed = play(story, writers)
        assert reader.seen == committed, story
        played += 1
        missed_by_naive += naive.seen != committed
    assert played == stories
    assert (missed_by_naive > 0) == (count > 1), "the control shows that there was something to miss"


def merges(*sequences: Sequence[str]) -> Iterator[tuple[int, ...]]:
    """Every order in which the elements of several sequences can follow each other, as the sequences' numbers."""
    left = [len(sequence) for sequence in sequences]

    def go_on() -> Iterator[tuple[int, ...]]:
        if not any(left):
            yield ()
        for number, count in enumerate(left):
            if count:
                left[number] -= 1
                for rest in go_on():
                    yield (number, *rest)
                left[number] += 1

    return go_on()


def first_appear_in_order(order: Sequence[int], count: int) -> bool:
    """Of orders that differ only in the names of the writers, one is enough."""
    firsts = [order.index(number) for number in range(count)]
    return firsts == sorted(firsts)


def play_within_looks(
    order: Sequence[int], endings: Sequence[str], reader: Reader, writers: Sequence[psycopg.Connection]
) -> list[int]:
    """Play an order in which a reader's single statements are steps too; the positions that were committed."""
    steps = [iter(["append", ending]) for ending in endings]
    upcoming = iter(order)
    appended: dict[int, int] = {}
    committed = []

    def until_reader() -> None:
        for number in upcoming:
            if number == len(endings):
                return
            step = next(steps[number])
            if step == "append":
                writers[number].execute("BEGIN")
                appended[number] = append_by(writers[number])
            else:
                writers[number].execute(step)
            if step == "COMMIT":
                committed.append(appended[number])

    with interrupted(until_reader):
        for _ in range(order.count(len(endings)) // 3):
            reader.read()
        until_reader()
    reader.read()
    return sorted(committed)


@pytest.mark.parametrize(
    ("count", "looks", "stories"),
    [
        (1, 2, 56),
        (2, 1, 420),
        pytest.param(2, 2, 2520, marks=LONG),
        pytest.param(3, 1, 10080, marks=LONG),
    ],
)
def test_writers_may_do_anything_between_the_statements_of_a_look(
    count: int, looks: int, stories: int, beside: Callable[[], psycopg.Connection]
) -> None:
    """The control looks at the holders before the last position, and misses what is drawn in between."""
    writers = [beside() for _ in range(count)]
    reader_steps = ["drawn", "holders", "read"] * looks
    played = missed_by_control = 0
    for endings in itertools.product(["COMMIT", "ROLLBACK"], repeat=count):
        for order in merges(*(["append", "end"] for _ in range(count)), reader_steps):
            if not first_appear_in_order(order, count):
                continue
            start = safe_position()
            reader = Reader(start)
            assert play_within_looks(order, endings, reader, writers) == reader.seen, (order, endings)
            played += 1
            if played % 7 == 0 or count == 1:
                control = Reader(safe_position(), HoldersFirst())
                missed_by_control += play_within_looks(order, endings, control, writers) != control.seen
    assert played == stories
    assert missed_by_control > 0


def test_a_reader_that_looks_seldom_misses_nothing_either(beside: Callable[[], psycopg.Connection]) -> None:
    writers = [beside() for _ in range(3)]
    for story in filter(in_order_of_beginning, interleavings(["COMMIT", "ROLLBACK", "COMMIT"])):
        reader = Reader(safe_position())
        expected = []
        appended: dict[int, int] = {}
        for place, (number, step) in enumerate(story):
            if step == "append":
                appended[number] = append_by(writers[number])
            else:
                writers[number].execute(step)
            if step == "COMMIT":
                expected.append(appended[number])
            if place % 4 == 1:
                reader.read()
        reader.read()
        assert reader.seen == sorted(expected), story


def test_an_open_append_holds_the_reader_back_and_its_end_lets_it_go_on(
    beside: Callable[[], psycopg.Connection],
) -> None:
    slow, quick = beside(), beside()
    before = safe_position()
    slow.execute("BEGIN")
    first = append_by(slow)
    second = append_by(quick)
    assert second > first
    assert read_all(before, wait=0.05) == []
    slow.execute("COMMIT")
    assert [event.position for event in read_all(before)] == [first, second]


def test_a_reader_with_no_past_waits_for_short_writers(beside: Callable[[], psycopg.Connection]) -> None:
    slow = beside()
    slow.execute("BEGIN")
    append_by(slow)
    begun = time.monotonic()
    assert safe_position(wait=0.2) < append_by(beside())
    assert time.monotonic() - begun >= 0.2
    slow.execute("ROLLBACK")


def test_progress_does_not_depend_on_a_moment_without_writers(
    beside: Callable[[], psycopg.Connection],
) -> None:
    """Transactions that overlap without end: every look finds somebody writing."""
    odd, even = beside(), beside()
    reader = Reader(safe_position())
    odd.execute("BEGIN")
    positions = [append_by(odd)]
    for number in range(60):
        following, ending = (even, odd) if number % 2 == 0 else (odd, even)
        following.execute("BEGIN")
        positions.append(append_by(following))
        reader.read()
        ending.execute("COMMIT")
        reader.read()
        assert len(reader.seen) >= number - 1, "never more than two behind"
    following.execute("COMMIT")
    reader.read()
    assert reader.seen == positions


def test_other_peoples_long_transactions_hold_nobody_back(beside: Callable[[], psycopg.Connection]) -> None:
    other, writer = beside(), beside()
    other.execute("CREATE TABLE IF NOT EXISTS unrelated (n int)")
    other.execute("BEGIN")
    other.execute("INSERT INTO unrelated VALUES (1)")
    other.execute("SELECT count(*) FROM event")
    position = append_by(writer)
    assert Fence().look().safe >= position
    other.execute("ROLLBACK")
    other.execute("DROP TABLE unrelated")


def test_a_savepoint_that_is_rolled_back_hides_no_event(beside: Callable[[], psycopg.Connection]) -> None:
    writer = beside()
    reader = Reader(safe_position())
    writer.execute("BEGIN")
    writer.execute("SAVEPOINT a")
    append_by(writer)
    reader.read()
    writer.execute("ROLLBACK TO SAVEPOINT a")
    reader.read()
    position = append_by(writer)
    reader.read()
    later = append_by(beside())
    reader.read()
    assert reader.seen == []
    writer.execute("COMMIT")
    reader.read()
    assert reader.seen == [position, later]


def test_a_killed_writer_holds_nobody_back(beside: Callable[[], psycopg.Connection]) -> None:
    victim, writer = beside(), beside()
    reader = Reader(safe_position())
    victim.execute("BEGIN")
    append_by(victim)
    position = append_by(writer)
    reader.read()
    assert reader.seen == []
    writer.execute("SELECT pg_terminate_backend(%s, 60000)", [victim.info.backend_pid])
    reader.read()
    assert reader.seen == [position]


def test_a_prepared_transaction_is_still_a_writer(beside: Callable[[], psycopg.Connection]) -> None:
    """PREPARE hands the lock over under a new name, in the middle of what the reader waits for."""
    writer, other = beside(), beside()
    if other.execute("SHOW max_prepared_transactions").fetchone() == ("0",):
        pytest.skip("this server allows no prepared transactions")
    reader = Reader(safe_position())
    writer.execute("BEGIN")
    first = append_by(writer)
    reader.read()
    name = f"test-{uuid4()}"
    writer.execute(f"PREPARE TRANSACTION '{name}'")
    reader.read()
    second = append_by(other)
    reader.read()
    fresh = Fence().look().safe
    assert reader.seen == [] and fresh < first
    other.execute(f"COMMIT PREPARED '{name}'")
    reader.read()
    assert reader.seen == [first, second]


def test_reading_inside_a_transaction_is_refused() -> None:
    with transaction.atomic(), pytest.raises(FenceError, match="outside of any transaction"):
        read_all()
    connection.set_autocommit(False)
    try:
        with pytest.raises(FenceError):
            safe_position()
    finally:
        connection.rollback()
        connection.set_autocommit(True)


def test_a_log_that_was_set_back_is_read_from_what_is_there() -> None:
    """As after a restore of an older backup: what was safe then says nothing now."""
    fence = Fence()
    append("photo-1", ANY, [NewEvent("photo.rated", {}) for _ in range(3)])
    far = fence.look().safe
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('event_position_seq', %s)", [far - 2])
        assert fence.look().safe == far - 2
        cursor.execute("SELECT setval('event_position_seq', %s)", [far])


def test_all_is_read_in_order_in_pieces_and_by_category() -> None:
    start = safe_position()
    for number in range(4):
        append(f"photo-{number}", ANY, [NewEvent("photo.rated", {})])
        append(f"file-{number}", ANY, [NewEvent("file.skipped", {})])
    seen, after = [], start
    while batch := read_all(after, limit=3):
        seen += batch
        after = batch[-1].position
    assert [event.stream_id for event in seen] == [f"{kind}-{n}" for n in range(4) for kind in ("photo", "file")]
    assert [event.stream_id for event in read_all(start, categories=["file"], limit=2)] == ["file-0", "file-1"]
