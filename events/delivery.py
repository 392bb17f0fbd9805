"""One step of a subscription: hands the next events to its handler and moves its checkpoint, in one transaction.

An event that the handler cannot take is found by halving its batch. Then the subscription halts before it, or
sets its stream aside: the stream's later events wait in the log, and are handed over in order once it is resumed.
"""

import enum
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import psycopg
from django.db import InterfaceError, OperationalError, models, transaction
from django.db.models.functions import Now

from events.calling import call
from events.errors import SubscriptionError
from events.event import Event
from events.fence import Fence
from events.models import Checkpoint, ParkedStream, State
from events.reading import read_stream
from events.rows import COLUMNS, from_row

Handler: TypeAlias = Callable[[Sequence[Event]], None]

# The database's trouble, not the event's: lost connections, deadlocks, a full disk. Tried again.
TRANSIENT = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
_CANCELLED = "57014"
_MOST_ERROR = 2_000

# Nested as in events.fence. The hash is spelled out: PostgreSQL's own may change with its major version, and
# streams would change places.
_READ = f"""
    SELECT {COLUMNS} FROM (
        SELECT * FROM (SELECT * FROM event WHERE position > %s ORDER BY position OFFSET 0) AS all_following
        WHERE coalesce(
            %s::int = 1 OR get_byte(sha256(convert_to(stream_id, 'UTF8')), 0) %% %s::int = %s::int, true
        )
        LIMIT %s::bigint
    ) AS following
    WHERE position <= %s ORDER BY position
"""  # noqa: S608

# Asked at each waking: one statement, which the server has prepared.
_PLACE = """
    SELECT c.state, c.position,
           EXISTS (SELECT FROM event_parked_stream AS p WHERE p.name = c.name AND p.partition = c.partition)
    FROM event_checkpoint AS c WHERE c.name = %s AND c.partition = %s
"""

_log = logging.getLogger(__name__)


class Poison(enum.Enum):
    """What to do about an event that the handler cannot take."""

    # Stand before it until `resume`.
    HALT = "halt"
    # Set its stream aside until `resume_stream`, and go on with the others.
    PARK = "park"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A handler, and the name under which its checkpoint is found again.

    With several partitions, 256 at most, each has some of the streams, a checkpoint and a runner of its own.
    """

    name: str
    handler: Handler
    partitions: int = 1
    poison: Poison = Poison.HALT
    batch: int = 500
    # Seconds to let events gather after a waking, for a handler that is in no hurry.
    linger: float = 0.0

    def __post_init__(self) -> None:
        if not self.name or not 1 <= self.partitions <= 256 or self.batch < 1:
            raise ValueError(f"subscription {self.name!r}: a name, 1 to 256 partitions and a batch are needed")


class Next(enum.Enum):
    """What a step says about the one after it."""

    # There may be more: at once.
    MORE = "more"
    # Something was written and cannot be read yet: in a moment.
    SOON = "soon"
    # Nothing to do until woken.
    REST = "rest"


class _Superseded(Exception):
    """Somebody else has moved the place, or halted the subscription."""


class _Poisoned(Exception):
    """The handler does not take this event, not even alone."""

    def __init__(self, event: Event, cause: Exception) -> None:
        said = f"{type(cause).__name__}: {cause}"[:_MOST_ERROR].replace("\0", "")
        super().__init__(f"{event.name}, position {event.position}, {event.stream_id} v{event.version}: {said}")
        self.event = event


@dataclass(slots=True)
class _Place:
    """How far the rows say that we are, in positions or in versions."""

    rows: "models.QuerySet[Any]"
    unit: str
    reached: int
    # The streams that are left out; somebody who took over may have ended the parking of one.
    parked: frozenset[str] = frozenset()

    def move(self, until: int) -> None:
        changed = self.rows.filter(**{self.unit: self.reached}).update(**{self.unit: until}, updated_at=Now())
        if not changed or (self.parked and not self._still_parked()):
            raise _Superseded

    def _still_parked(self) -> bool:
        # A statement after the move, whose row lock holds off whoever would end a parking.
        checkpoint = self.rows.get()
        parked = ParkedStream.objects.filter(name=checkpoint.name, partition=checkpoint.partition)
        return self.parked == set(parked.values_list("stream_id", flat=True))


@dataclass
class Delivery:
    """The steps of one partition of a subscription; used in one thread."""

    subscription: Subscription
    partition: int = 0
    _fence: Fence = field(default_factory=Fence)
    _known: bool = False

    def step(self) -> Next:
        """Hand over at most a batch. Raises one of TRANSIENT when the database is in trouble."""
        self._make_known()
        [(state, position, any_parked)] = call(_PLACE, [self.subscription.name, self.partition])
        if state == State.HALTED:
            return Next.REST
        parked = list(self._parked()) if any_parked else []
        try:
            for stream in parked:
                if stream.resuming:
                    self._unpark(stream, position)
                    return Next.MORE
            return self._advance(position, frozenset(stream.stream_id for stream in parked))
        except _Superseded:
            return Next.MORE

    def _advance(self, position: int, parked: frozenset[str]) -> Next:
        sight = self._fence.look()
        if sight.safe <= position:
            return Next.SOON if sight.safe < sight.drawn else Next.REST
        events = self._read(position, sight.safe)
        full = len(events) == self.subscription.batch
        until = events[-1].position if full else sight.safe
        place = _Place(self._checkpoints().filter(state=State.RUNNING), "position", position, parked)
        try:
            self._deliver([event for event in events if event.stream_id not in parked], until, place)
        except _Poisoned as poisoned:
            self._put_up_with(poisoned, place)
            return Next.MORE
        if full:
            return Next.MORE
        return Next.SOON if sight.safe < sight.drawn else Next.REST

    def _deliver(self, events: Sequence[Event], until: int, place: _Place) -> None:
        """Hand over all events; when it raises _Poisoned, those before the event that it names are done."""
        try:
            with transaction.atomic():
                # First the move: its row lock keeps any second runner from handling the same events meanwhile.
                place.move(until)
                if events:
                    self.subscription.handler(events)
        except _Superseded:
            raise
        # The outermost edge: a handler may raise anything; it is recorded and shown.
        except Exception as error:
            if _is_transient(error) or not events:
                raise
            if len(events) == 1:
                raise _Poisoned(events[0], error) from error
            half = len(events) // 2
            self._deliver(events[:half], getattr(events[half - 1], place.unit), place)
            self._deliver(events[half:], until, place)
            return
        place.reached = until

    def _put_up_with(self, poisoned: _Poisoned, place: _Place) -> None:
        """Halt before the event, or set its stream aside and step over it."""
        name, event, error = self.subscription.name, poisoned.event, str(poisoned)
        if self.subscription.poison is Poison.HALT:
            place.rows.filter(position=place.reached).update(state=State.HALTED, error=error, updated_at=Now())
            _log.error("subscription %s halted: %s", name, error, exc_info=poisoned.__cause__)
            return
        with transaction.atomic():
            place.move(event.position)
            ParkedStream.objects.create(
                name=name,
                partition=self.partition,
                stream_id=event.stream_id,
                version=event.version - 1,
                error=error,
            )
        _log.error("subscription %s parked a stream: %s", name, error, exc_info=poisoned.__cause__)

    def _unpark(self, stream: ParkedStream, position: int) -> None:
        """Hand over what was set aside, a batch of it; end the parking when nothing is left."""
        rows = self._parked().filter(stream_id=stream.stream_id, resuming=True)
        place = _Place(rows, "version", stream.version)
        waiting = read_stream(stream.stream_id, stream.version, self.subscription.batch)
        events = [event for event in waiting if event.position <= position]
        if not events:
            with transaction.atomic():
                # Only while nobody moves the checkpoint past further events of this stream.
                if self._checkpoints().select_for_update().get().position == position:
                    rows.filter(version=stream.version).delete()
            return
        try:
            self._deliver(events, events[-1].version, place)
        except _Poisoned as poisoned:
            rows.update(resuming=False, error=str(poisoned), updated_at=Now())

    def _read(self, after: int, until: int) -> list[Event]:
        partitions = self.subscription.partitions
        given = [after, partitions, partitions, self.partition, self.subscription.batch, until]
        return [from_row(row) for row in call(_READ, given)]

    def _make_known(self) -> None:
        if self._known:
            return
        mine = {"name": self.subscription.name, "partition": self.partition}
        Checkpoint.objects.get_or_create(**mine, defaults={"partitions": self.subscription.partitions})
        other = Checkpoint.objects.filter(name=self.subscription.name).exclude(
            partitions=self.subscription.partitions
        )
        if other.exists():
            raise SubscriptionError(f"{self.subscription.name} is known with another number of partitions")
        self._known = True

    def _checkpoints(self) -> "models.QuerySet[Checkpoint]":
        return Checkpoint.objects.filter(name=self.subscription.name, partition=self.partition)

    def _parked(self) -> "models.QuerySet[ParkedStream]":
        return ParkedStream.objects.filter(name=self.subscription.name, partition=self.partition).order_by("id")


def _is_transient(error: Exception) -> bool:
    """Whether to try again later; a statement cut off by a time limit would be cut off again."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    return isinstance(error, TRANSIENT) and getattr(cause, "sqlstate", None) != _CANCELLED
