import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("staff", "0001_initial"),
    ]

    operations = [
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
                ("encrypted_key", models.BinaryField()),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="LastUsage",
            fields=[
                (
                    "service_key",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="last_usage",
                        serialize=False,
                        to="staff.servicekey",
                    ),
                ),
                (
                    "newest_at",
                    models.DateTimeField(help_text="The time of the newest event, by the gateway's own clock."),
                ),
                ("received_at", models.DateTimeField()),
            ],
            options={
                "ordering": ("service_key",),
            },
        ),
        migrations.CreateModel(
            name="ReportedAnswer",
            fields=[
                ("key", models.UUIDField(primary_key=True, serialize=False)),
                ("is_finished", models.BooleanField(help_text="Its first report had its tokens, and is an event.")),
                (
                    "in_background",
                    models.BooleanField(help_text="Some report came without tokens: all of them are one event."),
                ),
                (
                    "input_tokens",
                    models.IntegerField(help_text="Figures that were read before the event was reported.", null=True),
                ),
                ("output_tokens", models.IntegerField(null=True)),
                ("cached_input_tokens", models.IntegerField(null=True)),
                ("reasoning_tokens", models.IntegerField(null=True)),
                ("newest_at", models.DateTimeField(db_index=True, help_text="When the newest report of it came in.")),
            ],
        ),
        migrations.CreateModel(
            name="DirtyAccount",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="dirty",
                        serialize=False,
                        to="accounts.account",
                    ),
                ),
                ("version", models.BigIntegerField(default=1)),
                (
                    "is_forced",
                    models.BooleanField(default=False, help_text="To be scored whether usage has come in or not."),
                ),
                ("dirty_since", models.DateTimeField()),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("token", models.BigIntegerField(default=0)),
                ("attempts", models.SmallIntegerField(default=0)),
                ("last_error", models.CharField(blank=True, max_length=200)),
                (
                    "dead_lettered_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Set when three attempts have failed; requeue with `manage.py rescore --dead-letters`.",
                        null=True,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["dirty_since"], name="dirty_by_age")],
            },
        ),
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
            name="UsageEvent",
            fields=[
                ("key", models.UUIDField(primary_key=True, serialize=False)),
                ("day", models.DateField(help_text="The UTC day of the event's own time.")),
                ("occurred_at", models.DateTimeField()),
                ("source", models.CharField(max_length=32)),
                ("event_id", models.CharField(max_length=200)),
                ("api_key", models.CharField(max_length=128, null=True)),
                ("model", models.CharField(max_length=128)),
                ("operation", models.CharField(max_length=64)),
                ("status", models.CharField(max_length=16)),
                ("input_tokens", models.IntegerField(help_text="Null where nobody counted them.", null=True)),
                ("output_tokens", models.IntegerField(null=True)),
                ("cached_input_tokens", models.IntegerField()),
                ("reasoning_tokens", models.IntegerField()),
                ("latency_ms", models.IntegerField(null=True)),
                ("ip", models.GenericIPAddressField(null=True)),
                ("asn", models.BigIntegerField(null=True)),
                ("country", models.CharField(max_length=2, null=True)),
                ("user_agent", models.CharField(max_length=256, null=True)),
                ("end_user", models.CharField(max_length=256, null=True)),
                ("conversation", models.CharField(max_length=256, null=True)),
                ("temperature", models.FloatField(null=True)),
                ("top_p", models.FloatField(null=True)),
                ("n", models.SmallIntegerField()),
                ("max_tokens", models.IntegerField(null=True)),
                ("logprobs", models.BooleanField()),
                ("top_logprobs", models.SmallIntegerField()),
                ("seeded", models.BooleanField()),
                ("stream", models.BooleanField()),
                ("response_format", models.CharField(max_length=64, null=True)),
                ("tools", models.SmallIntegerField()),
                ("prompt_digest", models.BigIntegerField(null=True)),
                ("template_digest", models.BigIntegerField(null=True)),
                ("system_digest", models.BigIntegerField(null=True)),
                ("sketch", models.BigIntegerField(null=True)),
                ("markers", models.BigIntegerField(null=True)),
                ("topic", models.SmallIntegerField(null=True)),
                ("language", models.CharField(max_length=2, null=True)),
                ("prompt_chars", models.IntegerField(null=True)),
                ("asked_chars", models.IntegerField(null=True)),
                ("system_chars", models.IntegerField(null=True)),
                ("system_place", models.SmallIntegerField(null=True)),
                ("turns", models.SmallIntegerField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="usage_events",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "ordering": ("-occurred_at",),
            },
        ),
        migrations.CreateModel(
            name="EventConflict",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=32)),
                ("day", models.DateField(help_text="The UTC day on which they came in.")),
                ("events", models.IntegerField()),
                (
                    "in_time_alone",
                    models.IntegerField(help_text="Of these, those that differ in nothing but their time."),
                ),
                ("newest_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="event_conflicts",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "ordering": ("-day", "account", "source"),
                "constraints": [
                    models.UniqueConstraint(fields=("account", "source", "day"), name="one_count_of_conflicts_a_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="Excerpt",
            fields=[
                ("key", models.UUIDField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("occurred_at", models.DateTimeField()),
                ("model", models.CharField(max_length=128)),
                ("ciphertext", models.BinaryField()),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="excerpts",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "ordering": ("-occurred_at",),
                "indexes": [models.Index(fields=["account", "day"], name="excerpt_by_day")],
            },
        ),
        migrations.CreateModel(
            name="HourlyProfile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                ("gaps", models.IntegerField(help_text="Number of gaps between consecutive requests.")),
                ("gap_seconds", models.FloatField()),
                ("gap_squares", models.FloatField()),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(class)ss",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "ordering": ("-hour",),
                "constraints": [
                    models.UniqueConstraint(fields=("account", "hour", "model"), name="one_profile_an_hour")
                ],
            },
        ),
        migrations.CreateModel(
            name="NewNameCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField(help_text="The start of the hour, UTC.")),
                ("names", models.IntegerField(default=0)),
                (
                    "service_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="new_name_counts",
                        to="staff.servicekey",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "new name counts",
                "ordering": ("-hour", "service_key"),
                "constraints": [
                    models.UniqueConstraint(fields=("service_key", "hour"), name="one_count_of_new_names_an_hour")
                ],
            },
        ),
        migrations.CreateModel(
            name="ProfileDelta",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                ("gaps", models.IntegerField(help_text="Number of gaps between consecutive requests.")),
                ("gap_seconds", models.FloatField()),
                ("gap_squares", models.FloatField()),
                ("histograms", models.BinaryField()),
                ("distinct_counts", models.BinaryField()),
                ("templates", models.BinaryField()),
                ("addresses", models.BinaryField()),
                ("sketches", models.BinaryField()),
                ("shingles", models.BinaryField()),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(class)ss",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "ordering": ("-hour",),
                "indexes": [models.Index(fields=["account"], name="delta_by_account")],
            },
        ),
        migrations.CreateModel(
            name="WeeklySketch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("histograms", models.BinaryField()),
                ("distinct_counts", models.BinaryField()),
                ("templates", models.BinaryField()),
                ("addresses", models.BinaryField()),
                ("sketches", models.BinaryField()),
                ("shingles", models.BinaryField()),
                ("model", models.CharField(max_length=128)),
                ("week", models.DateField(help_text="The Monday it begins with, UTC.")),
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
            ],
            options={
                "verbose_name_plural": "weekly sketches",
                "ordering": ("-week",),
                "constraints": [models.UniqueConstraint(fields=("account", "week", "model"), name="one_sketch_a_week")],
            },
        ),
    ]
