"""Old payloads in the shape of today: events are never migrated, they are lifted when read.

The module that EVENT_LIFTS names holds `LIFTS: dict[tuple[str, int], Callable[[dict], dict]]`. The function
under (type, n) takes the data of schema version n and returns those of n + 1; it keeps keys that it does not know.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any, TypeAlias

from django.conf import settings

Data: TypeAlias = dict[str, Any]
Lifts: TypeAlias = Mapping[tuple[str, int], Callable[[Data], Data]]


def lift(event_type: str, schema_version: int, data: Data) -> tuple[int, Data]:
    """The newest schema version of an event type, and the data in it."""
    lifts = _lifts(getattr(settings, "EVENT_LIFTS", None))
    while step := lifts.get((event_type, schema_version)):
        data = step(data)
        schema_version += 1
    return schema_version, data


@lru_cache
def _lifts(module: str | None) -> Lifts:
    lifts: Lifts = {} if module is None else import_module(module).LIFTS
    return lifts
