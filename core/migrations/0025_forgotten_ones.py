from django.db import migrations, models

from events import versions


def mark_new(apps: object, schema_editor: object) -> None:
    versions.mark_new()


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0024_handed_over'),
        ('events', '0003_seals'),
    ]

    operations = [
        migrations.CreateModel(
            name='ForgottenOne',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
            ],
            options={
                'db_table': 'forgotten_one',
            },
        ),
        # The table is one more of a read model that has a version: where nothing has happened it is of today, too.
        migrations.RunPython(mark_new, migrations.RunPython.noop),
    ]
