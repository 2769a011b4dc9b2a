import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
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
                ("dirty_since", models.DateTimeField()),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("token", models.BigIntegerField(default=0)),
                ("attempts", models.SmallIntegerField(default=0)),
                ("last_error", models.CharField(blank=True, max_length=200)),
                (
                    "set_aside_at",
                    models.DateTimeField(blank=True, help_text="Three attempts failed: somebody must look.", null=True),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["dirty_since"], name="dirty_by_age")],
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="excerpts",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "ordering": ("-occurred_at",),
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
                ("input_tokens", models.IntegerField()),
                ("output_tokens", models.IntegerField()),
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
                ("prompt_chars", models.IntegerField(null=True)),
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
            name="Profile",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("model", models.CharField(max_length=128)),
                ("hour", models.DateTimeField(help_text="The start of the hour, UTC.")),
                ("requests", models.IntegerField()),
                (
                    "failures",
                    models.IntegerField(help_text="Requests that ended in error, refused or rate_limited."),
                ),
                ("input_tokens", models.BigIntegerField()),
                ("output_tokens", models.BigIntegerField()),
                ("cached_input_tokens", models.BigIntegerField()),
                ("reasoning_tokens", models.BigIntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="profiles",
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
    ]
