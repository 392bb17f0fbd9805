"""Whether this process is well, for whoever watches over it: a container's health check, a load balancer."""

from dataclasses import dataclass

import psycopg
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from events import connecting, lag

_SECONDS = 3
# What PostgreSQL says to a session that it does not take, and what that means to a person.
_REFUSALS = {
    "is shutting down": "is shutting down",
    "is starting up": "is starting",
    "is in recovery": "is starting",
    "not yet accepting connections": "is starting",
    "too many clients": "takes no more sessions",
    "does not exist": "is not there",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that has to be well, and how it is in plain words."""

    well: bool
    words: str


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """200 while the process lives and its parts are well, else 503. Says nothing about anybody's photos."""
    database = _database()
    return _answer(database=database, events=_events()) if database.well else _answer(database=database)


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """200 once pages can be served: the database answers and its tables are those of this version."""
    database = _database()
    return _answer(database=_tables() if database.well else database)


def _database() -> Part:
    # A session of its own: a server that shuts down serves the old ones on and takes no new one.
    try:
        psycopg.connect(**{**connecting.parameters("health"), "connect_timeout": _SECONDS}).close()
    except psycopg.Error as error:
        told = (words for refusal, words in _REFUSALS.items() if refusal in str(error))
        return Part(False, next(told, "does not answer"))
    return Part(True, "answers")


def _events() -> Part:
    """Who lags behind the log. Starting this process anew would help nobody, so it is well all the same."""
    try:
        found = lag.trouble()
    except Error:
        return Part(True, "cannot be asked")
    said = [_lagging(one) for one in found.subscriptions]
    if found.holder is not None:
        # Who that is stands in the job console, for those who may know.
        said.append(f"a transaction open since {found.holder.began:%Y-%m-%d %H:%M:%S %Z} holds readers back")
    return Part(True, "; ".join(said) or "are followed")


def _lagging(one: lag.Lag) -> str:
    parked = f", {len(one.parked)} streams set aside" if one.parked else ""
    return f"{one.name} {one.state}, {one.behind} events or {one.seconds:.0f} s behind{parked}"


def _tables() -> Part:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error:
        return Part(False, "does not answer")
    return Part(False, "has to be migrated") if missing else Part(True, "answers")


def _answer(**parts: Part) -> JsonResponse:
    well = all(part.well for part in parts.values())
    told = {name: part.words for name, part in parts.items()}
    return JsonResponse({"status": "ok" if well else "unwell", **told}, status=200 if well else 503)
