"""The photos that were forgotten: that there was one, and nothing else."""

from collections.abc import Callable

from django.db import models

from core.domain.streams import subject_of
from events.event import Event


class ForgottenPhoto(models.Model):
    """That a photo was forgotten. Whoever remembers pictures in memory counts these rows (`core.codes`)."""

    photo_id = models.UUIDField(primary_key=True)

    class Meta:
        db_table = "forgotten_photo"


def _forgotten(event: Event) -> None:
    ForgottenPhoto.objects.get_or_create(photo_id=subject_of(event.stream_id))


HANDLERS: dict[str, Callable[[Event], None]] = {"photo.forgotten": _forgotten}
TABLES = (ForgottenPhoto,)
