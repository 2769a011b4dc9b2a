from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("web", "0001_kept_answers"),
    ]

    operations = [
        migrations.RunSQL("UPDATE web_keptanswer SET body = '\"\"' WHERE body IS NULL", migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="keptanswer",
            name="body",
            field=models.TextField(blank=True, help_text="As JSON text, so that it is given again as it was."),
        ),
    ]
