"""Looks after the log: `verify` checks it, `status` says who follows it, `catalogue` writes down what it holds."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from events.calling import call
from events.fence import safe_position
from events.lag import Lag, fence_holder, lag
from events.management.progress import Bar, cancellable
from events.models import Seal, StoredEvent
from events.verify import verify_seals, verify_stream, verify_streams

_MOST_SHOWN = 100


class Command(BaseCommand):
    help = "Check the log of events for changes behind its back (verify), or say who follows it (status)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        verify = actions.add_parser("verify", help="compute every hash anew; 1 when something is not as recorded")
        verify.add_argument("--stream", help="check the chain of this stream alone")
        actions.add_parser("catalogue", help="write down every event: what it says, who writes and who reads it")
        actions.add_parser("status", help="subscriptions, seals, and who holds readers back")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["action"] == "status":
            self._status()
        elif options["action"] == "catalogue":
            self.stdout.write(import_string(settings.EVENT_CATALOGUE)(), ending="")
        elif options["stream"]:
            self._one(options["stream"])
        else:
            try:
                with cancellable():
                    self._all()
            except KeyboardInterrupt:
                raise CommandError("Cancelled before the end.", returncode=130) from None

    def _one(self, stream: str) -> None:
        if not StoredEvent.objects.filter(stream_id=stream).exists():
            raise CommandError(f"There is no stream {stream}.", returncode=2)
        flaws = verify_stream(stream)
        for flaw in flaws:
            self.stdout.write(str(flaw))
        self._judge(len(flaws))
        self.stdout.write(f"Every event of {stream} is as it was recorded.")

    def _all(self) -> None:
        began = time.monotonic()
        total, flaws = _count(), 0
        sealed = sum(Seal.objects.values_list("events", flat=True).iterator())
        # Flaws first go to a list: in a terminal they would stand in the middle of the bar.
        shown: list[str] = []
        with Bar(self.stdout, "checks") as bar:
            walks = (
                verify_streams(lambda done: bar.show(done, total + sealed)),
                verify_seals(lambda done: bar.show(total + done, total + sealed)),
            )
            for flaw in (flaw for walk in walks for flaw in walk):
                flaws += 1
                if flaws <= _MOST_SHOWN:
                    shown.append(str(flaw))
        self.stdout.write("\n".join(shown), ending="\n" if shown else "")
        if flaws > _MOST_SHOWN:
            self.stdout.write(f"… and {flaws - _MOST_SHOWN:,} more.")
        self._judge(flaws)
        seconds = time.monotonic() - began
        self.stdout.write(f"{total:,} events are as they were recorded ({total / seconds:,.0f}/s). {_last_seal()}")

    def _judge(self, flaws: int) -> None:
        if flaws:
            raise CommandError(
                f"{flaws:,} {'thing is' if flaws == 1 else 'things are'} not as recorded. Somebody or something "
                "has changed the database behind the log's back: compare with a backup.",
                returncode=1,
            )

    def _status(self) -> None:
        safe = safe_position()
        self.stdout.write(f"events    {_count():,}, readable up to position {safe:,}")
        self.stdout.write(f"seals     {_last_seal()}")
        holder = fence_holder()
        if holder is not None:
            who = f"process {holder.pid} ({holder.application})" if holder.pid else f"prepared {holder.prepared}"
            self.stdout.write(f"held back by {who}, open since {holder.began:%Y-%m-%d %H:%M:%S %Z}")
        for one in lag():
            self.stdout.write(_in_words(one))


def _in_words(one: Lag) -> str:
    name = f"{one.name}/{one.partition}" if one.partition else one.name
    words = f"{name:9} {one.state}, {one.behind:,} events behind"
    words += f" ({one.seconds:.0f} s)" if one.behind else ""
    words += "" if one.runner else ", nobody runs it"
    words += f"; parked: {', '.join(one.parked)}" if one.parked else ""
    return f"{words}\n          {one.error}" if one.error else words


def _last_seal() -> str:
    seal = Seal.objects.last()
    if seal is None:
        return "Nothing is sealed yet."
    return (
        f"Sealed up to position {seal.last_position:,}; the root of seal {seal.number}: {bytes(seal.root).hex()}"
    )


def _count() -> int:
    return int(call("SELECT count(*) FROM event")[0][0])
