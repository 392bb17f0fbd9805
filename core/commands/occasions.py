"""What a person may say of the days that come back each year."""

from uuid import UUID, uuid4

from core.commands.log import write
from core.domain.occasions import DateForgotten, DateNamed, decide_named
from core.domain.streams import date_stream


def name_date(
    owner: UUID,
    name: str,
    month: int,
    day: int,
    since: int | None = None,
    *,
    which: UUID | None = None,
    actor: str,
) -> UUID:
    """Give a day a name, or one that has one another. Raises BadValue."""
    identity = which or uuid4()
    write(date_stream(identity), decide_named(DateNamed(owner, name, month, day, since)), actor=actor)
    return identity


def forget_date(which: UUID, *, actor: str) -> None:
    """A day has its name no longer; named again, it has."""
    write(date_stream(which), [DateForgotten()], actor=actor)
