"""A person's own dates of note, for programs."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.errors import HttpError
from pydantic import Field

from core.api.access import asker
from core.commands import occasions as commands
from core.domain.occasions import NoSuchDate
from core.readmodels.occasions import named_date, named_dates

router = Router(tags=["dates"])


class NewDate(Schema):
    """A day of the year with a name."""

    name: str
    month: int
    day: int
    since: int | None = Field(None, description="The year in which it began.")


class DateOut(NewDate):
    """One of the asker's own dates; its id is a value of the filter `date`."""

    id: UUID


@router.get("", response=list[DateOut], summary="The asker's own dates")
def list_dates(request: HttpRequest) -> list[Any]:
    """In the order of the year."""
    return list(named_dates(asker(request)))


@router.post("", response={201: DateOut}, summary="Name a date")
def add_date(request: HttpRequest, new: NewDate) -> Status[Any]:
    """422 for a day that there is not."""
    account = asker(request)
    identity = commands.name_date(account.pk, new.name, new.month, new.day, new.since, actor=account.actor)
    return Status(201, named_date(account, identity))


@router.delete("/{date_id}", response={204: None}, summary="Take a date's name away")
def forget_date(request: HttpRequest, date_id: UUID) -> Status[None]:
    """404 for a date that is not the asker's."""
    account = asker(request)
    try:
        commands.forget_date(named_date(account, date_id).id, actor=account.actor)
    except NoSuchDate as error:
        raise HttpError(404, "There is no such date.") from error
    return Status(204, None)
