"""The log as Django models, for reading: rows as they are stored, their data not lifted.

The log's models are unmanaged, since the tables are made by SQL (migrations/0001_*.sql) and no migration,
flush or fixture of Django's may touch them. Saving or deleting is refused by the database. The
subscriptions' tables are ordinary ones.
"""

from django.db import models
from django.db.models.functions import Now


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


class Seal(models.Model):
    """One hash over the events of a block of positions, tied to the seal before it."""

    number = models.BigIntegerField(primary_key=True)
    first_position = models.BigIntegerField()
    last_position = models.BigIntegerField()
    events = models.IntegerField()
    previous_root = models.BinaryField()
    root = models.BinaryField()
    sealed_at = models.DateTimeField()

    class Meta:
        db_table = "event_seal"
        managed = False
        ordering = ["number"]


class State(models.TextChoices):
    """Whether a subscription goes on."""

    # It handles events as they come.
    RUNNING = "running"
    # It met an event that it cannot handle, and stands before it until somebody resumes it.
    HALTED = "halted"


class Checkpoint(models.Model):
    """How far one partition of a subscription has come: everything up to `position` is handled or set aside."""

    name = models.CharField(max_length=255)
    partition = models.PositiveIntegerField(default=0)
    partitions = models.PositiveIntegerField(default=1)
    position = models.BigIntegerField(default=0)
    state = models.CharField(max_length=20, choices=State.choices, default=State.RUNNING)
    error = models.TextField(blank=True, default="")
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "event_checkpoint"
        constraints = [models.UniqueConstraint(fields=["name", "partition"], name="event_checkpoint_once")]


class ParkedStream(models.Model):
    """A stream that a subscription has set aside: its events after `version` wait, in the log itself."""

    name = models.CharField(max_length=255)
    partition = models.PositiveIntegerField(default=0)
    stream_id = models.TextField()
    version = models.PositiveIntegerField()
    resuming = models.BooleanField(default=False)
    error = models.TextField(blank=True, default="")
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "event_parked_stream"
        constraints = [models.UniqueConstraint(fields=["name", "stream_id"], name="event_parked_stream_once")]
