"""An operation may be about what is no job: what failed on the failures page."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("workers", "0009_schedules")]
    operations = [
        migrations.AddField("operationitem", "key", models.TextField(db_default="")),
        migrations.AddField("operationitem", "subject", models.TextField(db_default="")),
    ]
