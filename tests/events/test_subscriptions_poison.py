"""An event that a handler cannot take is found; the subscription halts, or sets its stream aside in order."""

from collections.abc import Sequence

import pytest

from events.delivery import Delivery, Next
from events.errors import SubscriptionError
from events.event import Event
from events.lag import lag
from events.models import Checkpoint, ParkedStream
from events.subscriptions import Poison, Subscription, resume, resume_stream
from tests.events.following import add, following, seen_by, until

pytestmark = pytest.mark.django_db(transaction=True)


class Picky:
    """Handles everything but events that say `bad`, until it is cured."""

    def __init__(self) -> None:
        self.seen: list[Event] = []
        self.cured = False

    def __call__(self, events: Sequence[Event]) -> None:
        if not self.cured and any(event.data.get("bad") for event in events):
            raise ValueError("this one is bad")
        self.seen.extend(events)


def run_to_rest(delivery: Delivery) -> None:
    for _ in range(1_000):
        if delivery.step() is Next.REST:
            return
    raise AssertionError("it never came to rest")


def test_a_poison_event_is_found_in_its_batch_and_halts_the_subscription_before_it() -> None:
    picky = Picky()
    before = add("test-1", 37)
    poison = add("test-2", bad=True)
    after = add("test-1", 20)
    delivery = Delivery(Subscription("picky", picky))
    run_to_rest(delivery)
    assert seen_by(picky.seen) == before
    checkpoint = Checkpoint.objects.get(name="picky")
    assert (checkpoint.state, checkpoint.position) == ("halted", before[-1])
    assert f"position {poison[0]}, test-2 v1: ValueError: this one is bad" in checkpoint.error
    assert lag()[0].state == "halted"

    run_to_rest(delivery)
    assert seen_by(picky.seen) == before, "it stands until somebody resumes it"
    assert resume("picky") == 1
    run_to_rest(delivery)
    assert Checkpoint.objects.get(name="picky").state == "halted", "nothing has changed, so it halts again"

    picky.cured = True
    resume("picky")
    run_to_rest(delivery)
    assert seen_by(picky.seen) == before + poison + after
    assert Checkpoint.objects.get(name="picky").error == ""


def test_a_parked_stream_waits_in_order_while_the_others_go_on() -> None:
    picky = Picky()
    sick = add("test-sick", 2) + add("test-sick", bad=True)
    well = add("test-well", 3)
    sick += add("test-sick", 4)
    delivery = Delivery(Subscription("parking", picky, poison=Poison.PARK, batch=5))
    run_to_rest(delivery)
    assert seen_by(picky.seen) == sick[:2] + well
    sick += add("test-sick", 6)
    well += add("test-well")
    run_to_rest(delivery)
    assert seen_by(picky.seen) == sick[:2] + well
    assert lag()[0].parked == ("test-sick",)
    assert "this one is bad" in ParkedStream.objects.get().error

    resume_stream("parking", "test-sick")
    run_to_rest(delivery)
    assert seen_by(picky.seen) == sick[:2] + well, "still bad: parked again, at the same event"
    assert not ParkedStream.objects.get().resuming

    picky.cured = True
    resume_stream("parking", "test-sick")
    run_to_rest(delivery)
    sick += add("test-sick")
    run_to_rest(delivery)
    assert [event.position for event in picky.seen if event.stream_id == "test-sick"] == sick
    assert [event.version for event in picky.seen if event.stream_id == "test-sick"] == list(range(1, 15))
    assert not ParkedStream.objects.exists()
    with pytest.raises(SubscriptionError):
        resume_stream("parking", "test-sick")


def test_a_parking_that_somebody_else_ends_meanwhile_hides_no_event() -> None:
    picky = Picky()
    parking = Subscription("parking", picky, poison=Poison.PARK)
    other = Delivery(parking)
    positions = add("test-sick", bad=True)
    run_to_rest(other)
    picky.cured = True

    class Overtaken(Delivery):
        def _read(self, after: int, until: int) -> list[Event]:
            events = super()._read(after, until)
            if ParkedStream.objects.exists():
                resume_stream("parking", "test-sick")
                while ParkedStream.objects.exists():
                    other.step()
            return events

    positions += add("test-sick", 2)
    run_to_rest(Overtaken(parking))
    assert seen_by(picky.seen) == positions


def test_many_bad_streams_are_each_set_aside_and_nothing_else_is() -> None:
    picky = Picky()
    good = []
    for number in range(60):
        good += add(f"test-good{number}")
        if number % 6 == 0:
            add(f"test-bad{number}", bad=True)
    run_to_rest(Delivery(Subscription("many", picky, poison=Poison.PARK)))
    assert seen_by(picky.seen) == good
    assert ParkedStream.objects.count() == 10


def test_a_running_subscription_hears_at_once_that_it_was_resumed() -> None:
    picky = Picky()
    with following(Subscription("live", picky)):
        add("test-1", bad=True)
        until(lambda: Checkpoint.objects.filter(name="live", state="halted").exists())
        picky.cured = True
        resume("live")
        until(lambda: picky.seen)
