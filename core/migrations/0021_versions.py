from django.db import migrations

from events import versions


def mark_new(apps: object, schema_editor: object) -> None:
    versions.mark_new()


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0020_exposures'),
        ('events', '0003_seals'),
    ]

    # Where nothing has happened yet, all read models are of today.
    operations = [migrations.RunPython(mark_new, migrations.RunPython.noop)]
