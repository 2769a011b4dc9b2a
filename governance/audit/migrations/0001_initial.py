from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("actor_kind", models.CharField(max_length=20)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=254)),
                ("verb", models.CharField(max_length=64)),
                ("subject_kind", models.CharField(max_length=32)),
                ("subject_id", models.CharField(max_length=254)),
                ("details", models.JSONField(default=dict)),
                ("previous_hash", models.BinaryField(max_length=32)),
                ("hash", models.BinaryField(max_length=32)),
            ],
            options={
                "verbose_name_plural": "entries",
                "ordering": ("-number",),
                "indexes": [
                    models.Index(fields=["subject_kind", "subject_id", "-number"], name="entry_by_subject"),
                    models.Index(fields=["actor_kind", "actor_id", "-number"], name="entry_by_actor"),
                    models.Index(fields=["verb", "-number"], name="entry_by_verb"),
                ],
            },
        ),
    ]
