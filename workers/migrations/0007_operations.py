"""Acts on many jobs that a worker carries out: what was asked, and each job of the frozen scope."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("workers", "0006_stopped")]
    operations = [
        migrations.CreateModel(
            name="Operation",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("act", models.TextField()),
                ("actor", models.TextField()),
                ("scope", models.TextField()),
                ("reason", models.TextField(db_default="")),
                ("rate", models.IntegerField()),
                ("canary", models.IntegerField()),
                ("state", models.TextField(db_default="running")),
                ("note", models.TextField(db_default="")),
                ("total", models.IntegerField()),
                ("done", models.IntegerField(db_default=0)),
                ("skipped", models.IntegerField(db_default=0)),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "job_operation"},
        ),
        migrations.CreateModel(
            name="OperationItem",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("operation_id", models.BigIntegerField()),
                ("position", models.IntegerField()),
                ("job_id", models.BigIntegerField()),
                ("outcome", models.TextField(db_default="")),
                ("reason", models.TextField(db_default="")),
            ],
            options={
                "db_table": "job_operation_item",
                "indexes": [models.Index(fields=["operation_id", "position"], name="job_operation_item_place")],
            },
        ),
    ]
