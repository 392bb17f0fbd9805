from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0018_styles_by_hand'),
    ]

    operations = [
        migrations.CreateModel(
            name='Album',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('owner_id', models.UUIDField()),
                ('name', models.TextField()),
                ('rule', models.JSONField(null=True)),
                ('cover', models.UUIDField(null=True)),
                ('removed', models.BooleanField(default=False)),
            ],
            options={
                'db_table': 'album',
                'indexes': [models.Index(models.F('owner_id'), models.F('name'), name='album_owner')],
            },
        ),
        migrations.CreateModel(
            name='AlbumPhoto',
            fields=[
                ('pk', models.CompositePrimaryKey('album_id', 'photo_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('album_id', models.UUIDField()),
                ('photo_id', models.UUIDField()),
            ],
            options={
                'db_table': 'album_photo',
                'indexes': [models.Index(models.F('photo_id'), models.F('album_id'), name='album_photo_photo')],
            },
        ),
        migrations.CreateModel(
            name='AlbumChange',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('position', models.BigIntegerField()),
                ('album_id', models.UUIDField()),
                ('type', models.TextField()),
                ('data', models.JSONField()),
                ('actor', models.TextField()),
                ('at', models.DateTimeField()),
                ('counts', models.BooleanField(default=True)),
            ],
            options={
                'db_table': 'album_change',
                'indexes': [models.Index(models.F('album_id'), models.F('position'), name='album_change_album')],
            },
        ),
    ]
