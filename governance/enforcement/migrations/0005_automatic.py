import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("enforcement", "0004_pushed"),
        ("risk", "0003_policies"),
    ]

    operations = [
        migrations.CreateModel(
            name="AutomaticSwitch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("off_since", models.DateTimeField(blank=True, null=True)),
                ("by", models.CharField(blank=True, max_length=254)),
                ("why", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="one_automatic_switch")],
            },
        ),
        migrations.CreateModel(
            name="PolicyOutcome",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rule", models.CharField(max_length=120)),
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
                ("terms", models.JSONField(help_text="Reason, clause, limits and days.")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("shadow", "Would have"),
                            ("planned", "Planned"),
                            ("done", "Done"),
                            ("dropped", "Dropped"),
                            ("held", "Held for a person"),
                        ],
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                ("because", models.CharField(blank=True, max_length=200)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="policy_outcomes",
                        to="accounts.account",
                    ),
                ),
                (
                    "assessment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="risk.assessment"
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="outcomes", to="risk.policyversion"
                    ),
                ),
                (
                    "restriction",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="policy_outcome",
                        to="enforcement.restriction",
                    ),
                ),
            ],
            options={
                "ordering": ("-at",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "planned")), fields=["due_at"], name="policy_outcome_by_due"
                    ),
                    models.Index(fields=["policy", "-at"], name="policy_outcome_by_policy"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("policy", "account", "kind"), name="a_policy_acts_once_on_an_account"
                    )
                ],
            },
        ),
    ]
