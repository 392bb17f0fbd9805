"""The overview's chart: runs that ended well and badly, by minute, hour or day, as bars."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from core.web.words import counted
from workers.console.sql import rows

HEIGHT = 100


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time that the chart can show: so many bars of a kind, read from minutes or hours."""

    name: str
    words: str
    bars: int
    bar: str
    step: timedelta
    read: str


SPANS = {
    "hour": Span("hour", "last hour", 60, "minute", timedelta(minutes=1), "minute"),
    "day": Span("day", "last 24 hours", 24, "hour", timedelta(hours=1), "hour"),
    "month": Span("month", "last 30 days", 30, "day", timedelta(days=1), "hour"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; heights are in hundredths of the tallest."""

    at: datetime
    done: int
    failed: int
    tallest: int

    @property
    def failed_height(self) -> float:
        return _height(self.failed, self.tallest)

    @property
    def done_height(self) -> float:
        return _height(self.done, self.tallest)

    @property
    def done_top(self) -> float:
        return round(HEIGHT - self.failed_height - self.done_height, 2)

    @property
    def failed_top(self) -> float:
        return round(HEIGHT - self.failed_height, 2)


@dataclass(frozen=True, slots=True)
class Chart:
    """The bars of a span, and what they say in words."""

    span: Span
    bars: list[Bar]

    @property
    def words(self) -> str:
        done, failed = (sum(getattr(bar, kind) for bar in self.bars) for kind in ("done", "failed"))
        if not done and not failed:
            return f"Nothing has run in the {self.span.words}."
        most = max(bar.done + bar.failed for bar in self.bars)
        told = f"{counted(done, 'run')} done and {failed:,} failed in the {self.span.words}"
        return f"{told}; at most {most:,} within one {self.span.bar}."

    @property
    def filled(self) -> list[Bar]:
        return [bar for bar in self.bars if bar.done or bar.failed]


# What the figures do not hold yet is counted in the attempts themselves, a few minutes at most.
_READ = """
SELECT date_trunc(%(bar)s, at) AS at, sum(done)::int AS done, sum(failed)::int AS failed FROM (
    SELECT at, done, failed FROM job_flow
     WHERE span = %(read)s AND at >= %(since)s
       AND (span = 'minute' OR at < date_trunc('hour', %(rolled)s::timestamptz))
    UNION ALL
    SELECT at, done, failed FROM job_flow
     WHERE span = 'minute' AND %(read)s = 'hour' AND at >= date_trunc('hour', %(rolled)s::timestamptz)
    UNION ALL
    SELECT ended_at, (outcome = 'succeeded')::int, (outcome IN ('retrying', 'dead', 'lost'))::int FROM job_attempt
     WHERE ended_at >= GREATEST(%(rolled)s::timestamptz + interval '1 minute', now() - interval '5 minutes')) AS x
 WHERE at >= %(since)s
 GROUP BY 1
"""
_ROLLED = "SELECT COALESCE(max(at), '-infinity') AS at FROM job_flow WHERE span = 'minute'"


def chart(name: str) -> Chart:
    """The chart of a span of SPANS; the last hour for a name that is none."""
    span = SPANS.get(name, SPANS["hour"])
    rolled = "(" + _ROLLED + ")"
    first = _floor(timezone.now(), span) - span.step * (span.bars - 1)
    query = _READ.replace("%(rolled)s::timestamptz", rolled)
    found = rows(query, {"bar": span.bar, "read": span.read, "since": first})
    return Chart(span, list(_bars(span, first, {row["at"]: row for row in found})))


def _floor(now: datetime, span: Span) -> datetime:
    now = now.replace(second=0, microsecond=0)
    if span.bar != "minute":
        now = now.replace(minute=0)
    return now.replace(hour=0) if span.bar == "day" else now


def _bars(span: Span, first: datetime, found: dict[datetime, dict[str, Any]]) -> Iterable[Bar]:
    tallest = max((row["done"] + row["failed"] for row in found.values()), default=0)
    for number in range(span.bars):
        at = first + span.step * number
        row = found.get(at, {"done": 0, "failed": 0})
        yield Bar(at, row["done"], row["failed"], tallest)


def _height(number: int, tallest: int) -> float:
    """At least a line that can be seen: one failure among ten thousand matters."""
    return round(max(2.0, HEIGHT * number / tallest), 2) if number else 0.0
