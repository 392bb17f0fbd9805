"""Seals the log, block by block, so that what was cut off or taken away shows (migrations/0003_seal.sql says how).

It is an ordinary subscription: `EVENT_SUBSCRIPTIONS = ["events.seals.SEALER"]` has it run. A seal is worth as much
as the place where its root is kept: `manage.py events verify` prints the last one, to be written down elsewhere.
"""

from collections.abc import Sequence

from events.calling import call
from events.delivery import Subscription
from events.event import Event

NAME = "seals"
BLOCK = 10_000


def seal_blocks(events: Sequence[Event]) -> None:
    """Seal what these events have made complete: everything up to the last of them is final."""
    call("SELECT event_seal_up_to(%s)", [events[-1].position])


# Nobody waits for a seal: a few seconds' events are looked at together.
SEALER = Subscription(NAME, seal_blocks, batch=2_000, linger=5.0)
