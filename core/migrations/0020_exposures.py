from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0019_albums'),
    ]

    operations = [
        migrations.CreateModel(
            name='PhotoExposure',
            fields=[
                ('photo_id', models.UUIDField(primary_key=True, serialize=False)),
                ('aperture', models.FloatField(null=True)),
                ('shutter', models.FloatField(null=True)),
                ('iso', models.FloatField(null=True)),
                ('focal', models.FloatField(null=True)),
                ('focal35', models.FloatField(null=True)),
            ],
            options={
                'db_table': 'photo_exposure',
                'indexes': [
                    models.Index(models.F('aperture'), models.F('photo_id'), condition=models.Q(('aperture__isnull', False)), name='photo_exposure_aperture'),
                    models.Index(models.F('shutter'), models.F('photo_id'), condition=models.Q(('shutter__isnull', False)), name='photo_exposure_shutter'),
                    models.Index(models.F('iso'), models.F('photo_id'), condition=models.Q(('iso__isnull', False)), name='photo_exposure_iso'),
                    models.Index(models.F('focal'), models.F('photo_id'), condition=models.Q(('focal__isnull', False)), name='photo_exposure_focal'),
                    models.Index(models.F('focal35'), models.F('photo_id'), condition=models.Q(('focal35__isnull', False)), name='photo_exposure_focal35'),
                ],
            },
        ),
    ]
