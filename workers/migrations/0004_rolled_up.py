"""Figures rolled up by minute and hour; memory of workers; an index that answers for the groups of dead letters."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("workers", "0003_wake_by_queue")]
    operations = [
        migrations.CreateModel(
            name="JobFlow",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("span", models.TextField()),
                ("at", models.DateTimeField()),
                ("task", models.TextField()),
                ("done", models.IntegerField()),
                ("failed", models.IntegerField()),
                ("dead", models.IntegerField()),
                ("seconds", models.FloatField()),
            ],
            options={"db_table": "job_flow"},
        ),
        migrations.AddConstraint(
            model_name="jobflow",
            constraint=models.UniqueConstraint(fields=["span", "at", "task"], name="job_flow_once"),
        ),
        migrations.AddField(model_name="workerinfo", name="memory", field=models.BigIntegerField(null=True)),
        migrations.RemoveIndex(model_name="attempt", name="job_attempt_dead"),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                fields=["task", "fingerprint", "job_id"],
                name="job_attempt_dead",
                include=["id", "ended_at", "outcome", "resolved"],
                condition=Q(outcome="dead", resolved=False),
            ),
        ),
    ]
