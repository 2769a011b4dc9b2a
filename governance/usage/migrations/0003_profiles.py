import django.db.models.deletion
from django.db import migrations, models

# Takes what no day of its own takes, so that nothing acknowledged is ever refused by the database; see partitions.py.
DEFAULT_PARTITION = "CREATE TABLE usage_usageevent_default PARTITION OF usage_usageevent DEFAULT"


# Profiles of before have no sketches, so they begin anew.
class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("usage", "0002_partitions")]
    operations = [
        migrations.RunSQL(DEFAULT_PARTITION, migrations.RunSQL.noop),
        migrations.AddField("usageevent", "topic", models.SmallIntegerField(null=True)),
        migrations.AddField("usageevent", "language", models.CharField(max_length=2, null=True)),
        migrations.AddField("usageevent", "asked_chars", models.IntegerField(null=True)),
        migrations.AddField("usageevent", "system_chars", models.IntegerField(null=True)),
        migrations.AddField("usageevent", "system_place", models.SmallIntegerField(null=True)),
        migrations.DeleteModel("Profile"),
        migrations.CreateModel(
            name="Profile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="profiles",
                        to="accounts.account",
                    ),
                ),
                ("model", models.CharField(max_length=128)),
                ("hour", models.DateTimeField(help_text="The start of the hour, UTC.")),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("requests", models.IntegerField()),
                ("failures", models.IntegerField(help_text="Requests that ended in error, refused or rate_limited.")),
                ("input_tokens", models.BigIntegerField()),
                ("output_tokens", models.BigIntegerField()),
                ("cached_input_tokens", models.BigIntegerField()),
                ("reasoning_tokens", models.BigIntegerField()),
                ("input_squares", models.FloatField()),
                ("output_squares", models.FloatField()),
                ("gaps", models.IntegerField(help_text="How many gaps between requests were seen.")),
                ("gap_seconds", models.FloatField()),
                ("gap_squares", models.FloatField()),
                ("tallies", models.BinaryField(null=True)),
                ("distincts", models.BinaryField(null=True)),
                ("templates", models.BinaryField(null=True)),
                ("sketches", models.BinaryField(null=True)),
            ],
            options={
                "ordering": ("-hour",),
                "indexes": [models.Index(fields=["account", "hour"], name="profile_by_account")],
            },
        ),
        migrations.CreateModel(
            name="DataKey",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="data_key",
                        serialize=False,
                        to="accounts.account",
                    ),
                ),
                ("wrapped", models.BinaryField()),
                ("made_at", models.DateTimeField()),
            ],
        ),
        # Excerpts of before were encrypted without data keys.
        migrations.RunSQL("DELETE FROM usage_excerpt", migrations.RunSQL.noop),
        migrations.AlterField(
            "excerpt",
            "account",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="excerpts",
                to="accounts.account",
            ),
        ),
        migrations.AddIndex("excerpt", models.Index(fields=["account", "day"], name="excerpt_by_day")),
        migrations.CreateModel(
            name="Retention",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kept_from", models.DateField()),
            ],
            options={
                "verbose_name_plural": "retention",
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="one_retention")],
            },
        ),
        migrations.CreateModel(
            name="WeeklySketch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="weekly_sketches",
                        to="accounts.account",
                    ),
                ),
                ("model", models.CharField(max_length=128)),
                ("week", models.DateField(help_text="The Monday it begins with, UTC.")),
                ("tallies", models.BinaryField()),
                ("distincts", models.BinaryField()),
                ("templates", models.BinaryField()),
                ("sketches", models.BinaryField()),
            ],
            options={
                "ordering": ("-week",),
                "verbose_name_plural": "weekly sketches",
                "constraints": [models.UniqueConstraint(fields=("account", "week", "model"), name="one_sketch_a_week")],
            },
        ),
    ]
