"""Makes the table of the seals and the function that writes it; the SQL is in 0003_seal.sql beside this file."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).with_name("0003_seal.sql").read_text()
UNDO = "DROP FUNCTION event_seal_up_to; DROP TABLE event_seal;"


class Migration(migrations.Migration):
    dependencies = [("events", "0002_subscriptions")]
    operations = [
        migrations.RunSQL(SQL, UNDO),
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("first_position", models.BigIntegerField()),
                ("last_position", models.BigIntegerField()),
                ("events", models.IntegerField()),
                ("previous_root", models.BinaryField()),
                ("root", models.BinaryField()),
                ("sealed_at", models.DateTimeField()),
            ],
            options={"db_table": "event_seal", "ordering": ["number"], "managed": False},
        ),
    ]
