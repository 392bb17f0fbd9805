"""Registers the event store with Django."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class EventsConfig(AppConfig):
    name = "events"
    verbose_name = "Event store"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(_mark_new, sender=self)


def _mark_new(**_: object) -> None:
    """After all migrations: a table that one of them made is of today where nothing has happened yet."""
    from events import versions

    versions.mark_new()
