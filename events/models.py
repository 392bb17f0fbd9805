"""The log as Django models, for reading: rows as they are stored, their data not lifted.

Unmanaged, since the tables are made by SQL (migrations/0001_event.sql) and no migration, flush or fixture of
Django's may touch them. Saving or deleting is refused by the database.
"""

from django.db import models


class StoredEvent(models.Model):
    """One row of the log."""

    position = models.BigIntegerField(primary_key=True)
    recorded_at = models.DateTimeField()
    version = models.IntegerField()
    schema_version = models.IntegerField()
    event_id = models.UUIDField(unique=True)
    stream_id = models.TextField()
    category = models.TextField()
    type = models.TextField()
    data = models.JSONField()
    meta = models.JSONField()
    data_hash = models.BinaryField()
    chain_hash = models.BinaryField()

    class Meta:
        db_table = "event"
        managed = False
        ordering = ["position"]


class Erasure(models.Model):
    """Who erased the data of which event, when and why."""

    event_id = models.UUIDField(primary_key=True)
    erased_at = models.DateTimeField()
    actor = models.TextField()
    reason = models.TextField()

    class Meta:
        db_table = "event_erasure"
        managed = False
