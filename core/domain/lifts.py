"""Old payloads lifted when read: (type, version n) → a pure function to version n + 1."""

from collections.abc import Callable
from typing import Any

LIFTS: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {}
