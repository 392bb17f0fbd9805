from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0017_meaning'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='photostyle',
            name='photo_style_style',
        ),
        migrations.AddField(
            model_name='photostyle',
            name='by_hand',
            field=models.BooleanField(null=True),
        ),
        migrations.AddField(
            model_name='photostyle',
            name='counts',
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name='photostyle',
            name='found',
            field=models.BooleanField(default=True),
        ),
        migrations.AddIndex(
            model_name='photostyle',
            index=models.Index(models.F('style'), models.F('photo_id'), condition=models.Q(('counts', True)), name='photo_style_counts'),
        ),
    ]
