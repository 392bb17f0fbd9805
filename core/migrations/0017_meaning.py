from django.db import migrations, models

import core.meaning


def make_tables(apps: object, schema_editor: object) -> None:
    core.meaning.make_tables()


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0016_upload_names'),
    ]

    operations = [
        # Only where pgvector can be had.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name='PhotoMeaning',
                    fields=[
                        ('pk', models.CompositePrimaryKey('photo_id', 'model', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('photo_id', models.UUIDField()),
                        ('model', models.TextField()),
                        ('vector', core.meaning.NumbersField(True)),
                    ],
                    options={
                        'db_table': 'core_photo_meaning',
                    },
                ),
                migrations.CreateModel(
                    name='TextMeaning',
                    fields=[
                        ('id', models.UUIDField(primary_key=True, serialize=False)),
                        ('text', models.TextField()),
                        ('model', models.TextField(default='')),
                        ('trouble', models.TextField(default='')),
                        ('asked_at', models.DateTimeField()),
                        ('vector', core.meaning.NumbersField(False, null=True)),
                    ],
                    options={
                        'db_table': 'core_text_meaning',
                        'indexes': [models.Index(models.F('asked_at'), name='core_text_meaning_asked')],
                    },
                ),
            ],
            database_operations=[migrations.RunPython(make_tables, migrations.RunPython.noop)],
        ),
    ]
