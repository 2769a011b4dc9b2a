import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Restriction",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("watch", "Watch"),
                            ("warn", "Warn"),
                            ("throttle", "Throttle"),
                            ("withhold", "Withhold"),
                            ("verify", "Verify"),
                            ("suspend", "Suspend"),
                            ("block", "Block"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("bulk_harvest", "Answers harvested in bulk"),
                            ("reasoning_harvest", "Reasoning traces collected"),
                            ("data_generation", "Training data generated"),
                            ("coordinated_accounts", "Accounts acting as one"),
                            ("resold_access", "Access passed on or resold"),
                            ("unverified_identity", "Identity could not be verified"),
                            ("other", "Another reason, see the note"),
                        ],
                        max_length=32,
                    ),
                ),
                ("terms_clause", models.CharField(blank=True, max_length=120)),
                (
                    "requests_per_minute",
                    models.PositiveIntegerField(blank=True, help_text="The limit of a throttle.", null=True),
                ),
                ("starts_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("author", models.CharField(max_length=254)),
                (
                    "unique_key",
                    models.CharField(
                        help_text="One decision or one request is one restriction.",
                        max_length=200,
                        unique=True,
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ending",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("lifted", "Lifted"),
                            ("expired", "Expired"),
                            ("replaced", "Replaced by a stronger one"),
                        ],
                        max_length=10,
                    ),
                ),
                ("ended_by", models.CharField(blank=True, max_length=254)),
                ("ending_note", models.CharField(blank=True, max_length=500)),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="restrictions",
                        to="accounts.account",
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="restrictions",
                        to="accounts.apikey",
                    ),
                ),
            ],
            options={
                "ordering": ("-number",),
                "permissions": [("lift_restriction", "Can lift restrictions")],
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at", None)),
                        fields=["expires_at"],
                        name="restriction_by_expiry",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("account__isnull", False), ("key__isnull", True)),
                            models.Q(("account__isnull", True), ("key__isnull", False)),
                            _connector="OR",
                        ),
                        name="restriction_has_one_target",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("account", "kind"),
                        name="one_restriction_of_a_kind_an_account",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("key", "kind"),
                        name="one_restriction_of_a_kind_a_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("expires_at", None), ("expires_at__gt", models.F("starts_at")), _connector="OR"
                        ),
                        name="restriction_expires_after_it_starts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("ending", "")),
                            models.Q(("ended_at__isnull", False), models.Q(("ending", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="an_ended_restriction_says_how",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "throttle"), _negated=True),
                            ("requests_per_minute__isnull", False),
                            _connector="OR",
                        ),
                        name="a_throttle_has_a_limit",
                    ),
                ],
            },
        ),
    ]
