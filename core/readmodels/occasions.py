"""Dates of note as pages know them: those that people have named, and what is to be said of a photo's date."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db import models

from core.accounts import Account
from core.domain import codec
from core.domain.analysis import Analysis
from core.domain.occasions import NAMES, DateNamed, NoSuchDate, age_on, day_keys, is_trusted, occasion_on
from core.domain.streams import subject_of
from core.readmodels.libraries import Library
from core.readmodels.people import birthdays, photos_with
from core.readmodels.photos import Photo
from events.event import Event


class NamedDate(models.Model):
    """A day of the year to which an account has given a name."""

    id = models.UUIDField(primary_key=True)
    owner_id = models.UUIDField()
    name = models.TextField()
    month = models.SmallIntegerField()
    day = models.SmallIntegerField()
    since = models.SmallIntegerField(null=True)

    class Meta:
        db_table = "named_date"
        indexes = [models.Index("owner_id", "month", "day", name="named_date_owner")]

    @property
    def key(self) -> str:
        """The day of the year, as it is looked for."""
        return f"{self.month:02d}-{self.day:02d}"


def _named(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, DateNamed)
    said = {"owner_id": fact.owner, "name": fact.name, "month": fact.month, "day": fact.day, "since": fact.since}
    NamedDate.objects.update_or_create(id=subject_of(event.stream_id), defaults=said)


def _forgotten(event: Event) -> None:
    NamedDate.objects.filter(id=subject_of(event.stream_id)).delete()


HANDLERS: dict[str, Callable[[Event], None]] = {"date.named": _named, "date.forgotten": _forgotten}
TABLES = (NamedDate,)


@dataclass(frozen=True, slots=True)
class Noted:
    """What is to be said of a photo's date, and the value by which such photos are found."""

    words: str
    value: str
    person: UUID | None = None


def named_dates(account: Account) -> list[NamedDate]:
    """An account's own dates, in the order of the year."""
    return list(NamedDate.objects.filter(owner_id=account.pk).order_by("month", "day", "name", "id"))


def named_date(account: Account, identity: UUID) -> NamedDate:
    """One of an account's own dates. Raises NoSuchDate."""
    found = NamedDate.objects.filter(owner_id=account.pk, id=identity).first()
    if found is None:
        raise NoSuchDate(str(identity))
    return found


def libraries_without_dates() -> "models.QuerySet[Library, UUID]":
    """Those that do not want dates of note."""
    off = Library.objects.filter(analyses_off__contains=[str(Analysis.DATES)])
    return off.values_list("id", flat=True)


def noted_on(account: Account, photo: Photo) -> list[Noted]:
    """The dates of note on which a photo was taken: those of everybody, one's own, birthdays of those in it."""
    taken = photo.taken_local
    if taken is None or not is_trusted(taken, photo.taken_source):
        return []
    if photo.library_id in set(libraries_without_dates()):
        return []
    occasion, keys = occasion_on(taken, photo.taken_source), day_keys(taken.date())
    found = [Noted(NAMES[occasion], str(occasion))] if occasion else []
    own = [named for named in named_dates(account) if named.key in keys]
    found += [Noted(_counted(named.name, named.since, taken.year), str(named.id)) for named in own]
    for person, (name, born) in birthdays(account).items():
        years = taken.year - born.year
        if years >= 0 and day_keys(born)[0] in keys and photo.id in set(photos_with(person)):
            age = f"{name} turns {years}" if years else f"The day {name} was born"
            found.append(Noted(age, "birthday", person))
    return found


def ages_on(account: Account, photo: Photo) -> dict[UUID, int]:
    """How old people whose birthday is known were when a photo was taken, if that is known."""
    taken = photo.taken_local
    if taken is None or not is_trusted(taken, photo.taken_source):
        return {}
    ages = {person: age_on(born, taken.date()) for person, (_, born) in birthdays(account).items()}
    return {person: age for person, age in ages.items() if age is not None}


def _counted(name: str, since: int | None, year: int) -> str:
    return f"{name}, {year - since} years on" if since is not None and year > since else name
