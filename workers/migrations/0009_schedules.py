"""What runs periodically, settings for all queues, operations over a search, and both versions of a worker."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("workers", "0008_settings_hold_at_once")]
    operations = [
        migrations.CreateModel(
            name="Schedule",
            fields=[
                ("name", models.TextField(primary_key=True, serialize=False)),
                ("last_at", models.DateTimeField(null=True)),
                ("last_job", models.BigIntegerField(null=True)),
                ("next_at", models.DateTimeField(null=True)),
                ("next_job", models.BigIntegerField(null=True)),
                ("paused_at", models.DateTimeField(null=True)),
                ("paused_by", models.TextField(db_default="")),
            ],
            options={"db_table": "job_schedule"},
        ),
        migrations.CreateModel(
            name="JobSetting",
            fields=[
                ("name", models.TextField(primary_key=True, serialize=False)),
                ("value", models.JSONField()),
            ],
            options={"db_table": "job_setting"},
        ),
        migrations.AddField("workerinfo", "queue_version", models.TextField(db_default="")),
        migrations.AddField("operation", "wanted", models.TextField(db_default="")),
        migrations.AddField("operation", "up_to", models.BigIntegerField(null=True)),
    ]
