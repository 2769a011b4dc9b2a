from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("web", "0001_kept_answers"),
    ]

    operations = [
        # Checked at once, since a table with checks still to come cannot be altered in the same transaction.
        migrations.RunSQL(
            """
            SET CONSTRAINTS ALL IMMEDIATE;
            UPDATE web_keptanswer SET body = '""' WHERE body IS NULL;
            SET CONSTRAINTS ALL DEFERRED;
            """,
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name="keptanswer",
            name="body",
            field=models.TextField(blank=True, help_text="As JSON text, so that it is given again as it was."),
        ),
    ]
