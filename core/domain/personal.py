"""Marks what events say of persons: names, words, places, pictures; and paths, for folders are named after people.

The catalogue of events (docs/events.md) shows the marks: what has to go when somebody wants to be forgotten.
"""

from typing import Annotated, TypeAlias, TypeVar

T = TypeVar("T")

PERSONAL = "personal"
Personal: TypeAlias = Annotated[T, PERSONAL]
