from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0024_handed_over'),
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
    ]
