"""A number that rises whenever dead letters change, and how much waits in each queue, rolled up by the minute."""

from django.db import migrations, models

# A sequence takes no lock and waits for nobody: who wants to know whether the dead letters are still the same asks
# for its last value. The conditions keep it away from runs that end well.
CHANGES = """
CREATE SEQUENCE filmroll_dead_changes;
CREATE FUNCTION filmroll_count_dead_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nextval('filmroll_dead_changes');
    RETURN NULL;
END $$;
CREATE TRIGGER filmroll_dead_changed AFTER UPDATE ON job_attempt FOR EACH ROW
    WHEN (OLD.outcome = 'dead' AND NOT OLD.resolved OR NEW.outcome = 'dead' AND NOT NEW.resolved)
    EXECUTE FUNCTION filmroll_count_dead_change();
CREATE TRIGGER filmroll_dead_gone AFTER DELETE ON job_attempt FOR EACH ROW
    WHEN (OLD.outcome = 'dead' AND NOT OLD.resolved) EXECUTE FUNCTION filmroll_count_dead_change();
CREATE TRIGGER filmroll_all_gone AFTER TRUNCATE ON job_attempt FOR EACH STATEMENT
    EXECUTE FUNCTION filmroll_count_dead_change();
"""
BEFORE = """
DROP TRIGGER filmroll_dead_changed ON job_attempt;
DROP TRIGGER filmroll_dead_gone ON job_attempt;
DROP TRIGGER filmroll_all_gone ON job_attempt;
DROP FUNCTION filmroll_count_dead_change();
DROP SEQUENCE filmroll_dead_changes;
"""


class Migration(migrations.Migration):
    dependencies = [("workers", "0010_operations_over_things")]
    operations = [
        migrations.RunSQL(CHANGES, BEFORE),
        migrations.CreateModel(
            name="JobCount",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("queue", models.TextField()),
                ("state", models.TextField()),
                ("number", models.IntegerField()),
                ("at", models.DateTimeField()),
            ],
            options={"db_table": "job_count"},
        ),
    ]
