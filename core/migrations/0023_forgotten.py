from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0022_whole_faces'),
    ]

    operations = [
        migrations.CreateModel(
            name='ForgottenPhoto',
            fields=[
                ('photo_id', models.UUIDField(primary_key=True, serialize=False)),
            ],
            options={
                'db_table': 'forgotten_photo',
            },
        ),
    ]
