"""Makes the tables of the subscriptions: how far each has come, and which streams it has set aside."""

import django.db.models.functions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=255)),
                ("partition", models.PositiveIntegerField(default=0)),
                ("partitions", models.PositiveIntegerField(default=1)),
                ("position", models.BigIntegerField(default=0)),
                ("state", models.CharField(choices=[("running", "Running"), ("halted", "Halted")], default="running", max_length=20)),
                ("error", models.TextField(blank=True, default="")),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.Now())),
            ],
            options={
                "db_table": "event_checkpoint",
                "constraints": [models.UniqueConstraint(fields=("name", "partition"), name="event_checkpoint_once")],
            },
        ),
        migrations.CreateModel(
            name="ParkedStream",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=255)),
                ("partition", models.PositiveIntegerField(default=0)),
                ("stream_id", models.TextField()),
                ("version", models.PositiveIntegerField()),
                ("resuming", models.BooleanField(default=False)),
                ("error", models.TextField(blank=True, default="")),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.Now())),
            ],
            options={
                "db_table": "event_parked_stream",
                "constraints": [models.UniqueConstraint(fields=("name", "stream_id"), name="event_parked_stream_once")],
            },
        ),
    ]
