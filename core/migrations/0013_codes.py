from django.db import migrations, models

import core.codes


def make_code_table(apps: object, schema_editor: object) -> None:
    core.codes.make_table()


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0012_mounts'),
    ]

    operations = [
        # Only where pgvector can be had.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name='PhotoCode',
                    fields=[
                        ('pk', models.CompositePrimaryKey('photo_id', 'model', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('photo_id', models.UUIDField()),
                        ('model', models.TextField()),
                        ('library_id', models.UUIDField()),
                        ('made', models.SmallIntegerField()),
                        ('code', core.codes.BitsField()),
                    ],
                    options={
                        'db_table': 'core_photo_code',
                    },
                ),
            ],
            database_operations=[migrations.RunPython(make_code_table, migrations.RunPython.noop)],
        ),
    ]
