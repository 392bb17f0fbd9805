"""The store against a model in plain Python: whatever is done, in whatever order, both say the same."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from events.erasure import erase
from events.errors import EventError, EventIdConflict, FenceError, VersionConflict
from events.event import TOMBSTONE, Append, Appended, Event, NewEvent
from events.models import Erasure
from events.store import ANY, append, append_many, read_all, read_stream, safe_position
from events.verify import verify_stream

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Fact:
    """An event as the model keeps it."""

    stream: str
    version: int
    type: str
    event_id: UUID
    # What was recorded, by which an id that comes again is told; and what is to be read.
    data: dict[str, Any]
    erased: bool = False

    @property
    def shown(self) -> dict[str, Any]:
        return TOMBSTONE if self.erased else self.data


@dataclass
class Model:
    """The log as a list, in the order of positions."""

    facts: list[Fact] = field(default_factory=list)

    def stream(self, name: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.stream == name]

    def append(self, stream: str, expected: int | None, events: Sequence[NewEvent]) -> tuple[bool, list[Fact]]:
        """Whether the events were there already, and the facts; raises what the store raises."""
        known = [self._known(event.event_id) for event in events]
        taken = [fact for fact in known if fact]
        same = len(taken) == len(events) and all(
            (fact.stream, fact.type, fact.data) == (stream, event.type, dict(event.data))
            for fact, event in zip(taken, events, strict=True)
        )
        in_row = same and [fact.version - taken[0].version for fact in taken] == list(range(len(taken)))
        if in_row:
            return True, taken
        if taken:
            raise EventIdConflict(stream, tuple(fact.event_id for fact in taken))
        actual = len(self.stream(stream))
        if expected is not None and expected != actual:
            raise VersionConflict(stream, expected, actual)
        new = [
            Fact(stream, actual + number, event.type, event.event_id, dict(event.data))
            for number, event in enumerate(events, start=1)
        ]
        self.facts += new
        return False, new

    def erase(self, event_id: UUID) -> None:
        self.facts = [replace(one, erased=True) if one.event_id == event_id else one for one in self.facts]

    def _known(self, event_id: UUID) -> Fact | None:
        return next((fact for fact in self.facts if fact.event_id == event_id), None)


CHANGES = st.sampled_from(["stream", "data", "type", "part", "order", "more"])
STREAMS = st.sampled_from(["photo", "file", "album-1", "album-2"])
# Relative to the version that the stream has; None is any version.
EXPECTED = st.sampled_from([None, None, 0, 0, 0, -1, 1, 5])
BUNCHES = st.lists(st.integers(0, 3), min_size=1, max_size=3)


class Store(RuleBasedStateMachine):
    """Does the same to the store and to the model, and compares what they say."""

    told: list[Event] = []

    def __init__(self) -> None:
        super().__init__()
        # The log is never emptied: streams of one run are told apart by their names.
        self.run = uuid4().hex[:8]
        self.start = safe_position()
        self.model = Model()
        self.calls: list[tuple[str, list[NewEvent]]] = []
        self.open: list[tuple[Any, Model]] = []

    def name(self, stream: str) -> str:
        kind, _, rest = stream.partition("-")
        return f"{kind}-{self.run}{rest}"

    @rule(stream=STREAMS, relative=EXPECTED, bunch=BUNCHES)
    def append_new_events(self, stream: str, relative: int | None, bunch: list[int]) -> None:
        events = [NewEvent("test.done", {"n": number}) for number in bunch]
        name = self.name(stream)
        expected = None if relative is None else max(0, len(self.model.stream(name)) + relative)
        self.do_append(name, expected, events)
        self.calls.append((name, events))

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), expected=st.sampled_from([ANY, 0, 1, 4]))
    def append_the_same_again(self, data: st.DataObject, expected: int | None) -> None:
        """Also what was refused or rolled back before: then it is new."""
        name, events = data.draw(st.sampled_from(self.calls))
        self.do_append(name, expected, events)

    @precondition(lambda self: self.calls)
    @rule(
        data=st.data(), stream=STREAMS, change=st.sampled_from(["stream", "data", "type", "part", "order", "more"])
    )
    def append_something_else_under_known_ids(self, data: st.DataObject, stream: str, change: str) -> None:
        name, events = data.draw(st.sampled_from(self.calls))
        match change:
            case "stream":
                name = self.name(stream)
            case "data":
                events = [replace(events[0], data={"n": "other"}), *events[1:]]
            case "type":
                events = [*events[:-1], replace(events[-1], type="test.undone")]
            case "part":
                events = events[1:] or events
            case "order":
                events = events[::-1]
            case "more":
                events = [*events, NewEvent("test.done", {})]
        self.do_append(name, ANY, events)

    @rule(streams=st.lists(STREAMS, min_size=1, max_size=3, unique=True), bunch=BUNCHES, relative=EXPECTED)
    def append_to_many(self, streams: list[str], bunch: list[int], relative: int | None) -> None:
        """The expectation is for the last of them, the others take any version."""
        last = self.name(streams[-1])
        expected = None if relative is None else max(0, len(self.model.stream(last)) + relative)
        appends = [
            Append(self.name(stream), ANY, [NewEvent("test.done", {"n": n}) for n in bunch]) for stream in streams
        ]
        appends[-1] = replace(appends[-1], expected=expected)
        self.do_append_many(appends)
        self.calls += [(part.stream_id, list(part.events)) for part in appends]

    @precondition(lambda self: self.model.facts)
    @rule(data=st.data())
    def erase_one(self, data: st.DataObject) -> None:
        fact = data.draw(st.sampled_from(self.model.facts))
        assert erase([fact.event_id], "somebody", "asked to") == int(not fact.erased)
        self.model.erase(fact.event_id)

    @precondition(lambda self: len(self.open) < 3)
    @rule()
    def begin(self) -> None:
        """A transaction, or a savepoint inside it."""
        block = transaction.atomic()
        block.__enter__()
        self.open.append((block, copy.deepcopy(self.model)))

    @precondition(lambda self: self.open)
    @rule()
    def commit(self) -> None:
        block, _ = self.open.pop()
        block.__exit__(None, None, None)

    @precondition(lambda self: self.open)
    @rule()
    def roll_back(self) -> None:
        block, self.model = self.open.pop()
        transaction.set_rollback(True)
        block.__exit__(None, None, None)

    @rule(stream=STREAMS, after=st.integers(0, 6), limit=st.none() | st.integers(1, 5))
    def read_one_stream(self, stream: str, after: int, limit: int | None) -> None:
        name = self.name(stream)
        facts = self.model.stream(name)[after:]
        self.compare(read_stream(name, after, limit), facts[:limit])

    @rule(skip=st.integers(0, 10), limit=st.integers(1, 12), only=st.none() | st.sampled_from(["photo", "album"]))
    def read_everything(self, skip: int, limit: int, only: str | None) -> None:
        if self.open:
            with pytest.raises(FenceError):
                read_all(self.start)
            return
        facts = self.model.facts
        # Fewer may be there than are to be skipped.
        before = read_all(self.start, skip)[-1:] if skip else []
        after = before[0].position if before else self.start
        rest = [fact for fact in facts[min(skip, len(facts)) :] if only in (None, fact.stream.partition("-")[0])]
        self.compare(read_all(after, limit, None if only is None else [only]), rest[:limit])

    @invariant()
    def every_chain_holds(self) -> None:
        for name in {fact.stream for fact in self.model.facts}:
            assert verify_stream(name) == []

    def do_append(self, name: str, expected: int | None, events: list[NewEvent]) -> None:
        self.told.clear()
        wanted = self.in_model(lambda model: model.append(name, expected, events))
        if isinstance(wanted, EventError):
            self.refused(wanted, lambda: append(name, expected, events))
            return
        replayed, facts = wanted
        self.answered(append(name, expected, events), replayed, facts)
        self.compare(self.told, [] if replayed else facts)

    def do_append_many(self, appends: list[Append]) -> None:
        self.told.clear()
        ordered = sorted(appends, key=lambda part: part.stream_id.encode())
        wanted = self.in_model(
            lambda model: [model.append(part.stream_id, part.expected, part.events) for part in ordered]
        )
        if isinstance(wanted, EventError):
            self.refused(wanted, lambda: append_many(appends))
            return
        answers = append_many(appends)
        by_name = {part.stream_id: answer for part, answer in zip(appends, answers, strict=True)}
        for part, (replayed, facts) in zip(ordered, wanted, strict=True):
            self.answered(by_name[part.stream_id], replayed, facts)
        self.compare(self.told, [fact for replayed, facts in wanted if not replayed for fact in facts])

    def in_model(self, change: Any) -> Any:
        """What the change gives or raises; a refusal leaves the model as it was."""
        tried = copy.deepcopy(self.model)
        try:
            result = change(tried)
        except EventError as error:
            return error
        self.model = tried
        return result

    def refused(self, wanted: EventError, call: Any) -> None:
        with pytest.raises(type(wanted)) as caught:
            call()
        if isinstance(wanted, VersionConflict):
            assert vars(caught.value) == vars(wanted)
        else:
            assert caught.value.stream_id == wanted.stream_id
            assert set(caught.value.event_ids) <= set(wanted.event_ids)
        assert self.told == []

    def answered(self, answer: Appended, replayed: bool, facts: list[Fact]) -> None:
        assert answer.replayed == replayed
        assert answer.version == facts[-1].version
        assert answer.positions == tuple(event.position for event in answer.events)
        self.compare(answer.events, facts)

    def compare(self, events: Sequence[Event], facts: Sequence[Fact]) -> None:
        assert [(one.stream_id, one.version, one.type, one.event_id, one.data) for one in events] == [
            (one.stream, one.version, one.type, one.event_id, one.shown) for one in facts
        ]
        positions = [event.position for event in events]
        assert positions == sorted(set(positions))

    def teardown(self) -> None:
        while self.open:
            self.roll_back()
        self.compare(read_all(self.start, 10_000), self.model.facts)
        erased = {fact.event_id for fact in self.model.facts if fact.erased}
        ids = [fact.event_id for fact in self.model.facts]
        assert {row.event_id for row in Erasure.objects.filter(event_id__in=ids)} == erased
        assert connection.get_autocommit()


@pytest.mark.parametrize(
    ("examples", "steps"),
    [(40, 30), pytest.param(500, 60, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])],
    ids=["a few stories", "many stories"],
)
def test_store_and_model_agree_on_everything(examples: int, steps: int, consumers: Any) -> None:
    consumers("listener", HANDLERS={"test.done": Store.told.append, "test.undone": Store.told.append})
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=examples < 100,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    run_state_machine_as_test(Store, settings=profile)
