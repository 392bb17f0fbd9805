"""Search by meaning, as pages and programs ask it: a worker describes the words, and is waited for a while."""

import enum
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from core import meaning
from core.accounts import Account
from core.meaning import Text
from core.readmodels.filters import Asked
from core.readmodels.meaning import MOST, photos_to_rank, ranked
from core.readmodels.photos import Photo
from core.waiting import wait_for

# A worker that has just begun loads TensorFlow and the model first, which takes most of it.
PATIENCE = 15.0


class Want(enum.Enum):
    """Why no photos are told."""

    PGVECTOR = enum.auto()  # this PostgreSQL does not have it
    INSTALLED = enum.auto()  # no worker has what it takes
    ANSWER = enum.auto()  # no worker has answered in time; what comes late is used next time
    TROUBLE = enum.auto()  # a worker could not make sense of the words, or of its model
    NUMBERS = enum.auto()  # the model has looked at none of the photos yet


# What a worker says names folders of the server: that is for those who can do something about it.
_PLAINLY = {
    Want.INSTALLED: "Search by meaning is not set up here; an administrator can do that. All else works.",
    Want.TROUBLE: "Search by meaning does not work at the moment; an administrator can see why.",
}


@dataclass(frozen=True, slots=True)
class ByMeaning:
    """Photos, the nearest first, with how near they are; or why there are none, in words for the one who asks."""

    photos: list[Photo] = field(default_factory=list)
    alike: dict[UUID, float] = field(default_factory=dict)
    left_out: bool = False
    want: Want | None = None
    reason: str = ""


def photos_by_meaning(account: Account, words: str, asked: Asked, limit: int) -> ByMeaning:
    """The photos that show what the words say, of those that the account may see and for which the filters hold.

    Raises BadFilter.
    """
    if not meaning.has_tables():
        return ByMeaning(want=Want.PGVECTOR)
    # First: what cannot be asked for is refused before anybody waits.
    photos = photos_to_rank(account, asked)
    text = _described(words)
    if isinstance(text, ByMeaning):
        return text if account.is_staff else _plainly(text)
    found = ranked(photos, text, min(limit, MOST), narrowed=bool(asked))
    if not found.photos:
        return ByMeaning(left_out=found.left_out, want=Want.NUMBERS if found.left_out else None)
    return ByMeaning(found.photos, found.alike, found.left_out)


def _plainly(found: ByMeaning) -> ByMeaning:
    return replace(found, reason=_PLAINLY.get(found.want, "")) if found.want and found.reason else found


def _described(words: str) -> Text | ByMeaning:
    """The words with their numbers, which they have already or get from a worker."""
    with transaction.atomic():
        text = meaning.ask(words)
        if text.vector:
            return text
        reason: str = import_string(settings.ASK_MEANING)(text.id)
    if reason:
        return ByMeaning(want=Want.INSTALLED, reason=reason)
    found = wait_for(meaning.CHANNEL, lambda: _settled(text.id), PATIENCE)
    if found is None:
        return ByMeaning(want=Want.ANSWER)
    return found if found.vector else ByMeaning(want=Want.TROUBLE, reason=found.trouble)


def _settled(identity: UUID) -> Text | None:
    found = meaning.text_of(identity)
    return found if found is not None and found.settled else None
