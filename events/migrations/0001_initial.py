"""Makes the log, its guards and its functions; the SQL is in the 0001_*.sql beside this file."""

from pathlib import Path

from django.db import migrations, models

SQL = "".join(Path(__file__).with_name(name).read_text() for name in ("0001_event.sql", "0001_event_bulk.sql"))
UNDO = """
DROP FUNCTION event_append_bulk, event_bulk_settle, event_bulk_open, event_data_hash, event_refuse;
DROP AGGREGATE event_chain (bytea, bytea);
DROP FUNCTION event_chain_link;
DROP FUNCTION event_erase, event_append_many, event_append_one, event_append;
DROP TABLE event, event_erasure;
DROP FUNCTION event_guard;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(SQL, UNDO),
        migrations.CreateModel(
            name="StoredEvent",
            fields=[
                ("position", models.BigIntegerField(primary_key=True, serialize=False)),
                ("recorded_at", models.DateTimeField()),
                ("version", models.IntegerField()),
                ("schema_version", models.IntegerField()),
                ("event_id", models.UUIDField(unique=True)),
                ("stream_id", models.TextField()),
                ("category", models.TextField()),
                ("type", models.TextField()),
                ("data", models.JSONField()),
                ("meta", models.JSONField()),
                ("data_hash", models.BinaryField()),
                ("chain_hash", models.BinaryField()),
            ],
            options={"db_table": "event", "ordering": ["position"], "managed": False},
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("event_id", models.UUIDField(primary_key=True, serialize=False)),
                ("erased_at", models.DateTimeField()),
                ("actor", models.TextField()),
                ("reason", models.TextField()),
            ],
            options={"db_table": "event_erasure", "managed": False},
        ),
    ]
