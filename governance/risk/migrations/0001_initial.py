import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Assessment",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("assessed_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(help_text="The last scoring that came to the same.")),
                ("window_start", models.DateTimeField(help_text="Usage from here …")),
                ("window_end", models.DateTimeField(help_text="… to here was looked at.")),
                ("events", models.BigIntegerField(help_text="Usage events in the window.")),
                ("score", models.SmallIntegerField()),
                (
                    "band",
                    models.CharField(
                        choices=[
                            ("low", "Low"),
                            ("elevated", "Elevated"),
                            ("high", "High"),
                            ("critical", "Critical"),
                        ],
                        max_length=10,
                    ),
                ),
                ("findings", models.JSONField(default=list)),
                ("model_version", models.CharField(max_length=40)),
                (
                    "licensed",
                    models.BooleanField(help_text="Training on the answers was permitted at the time."),
                ),
                (
                    "response",
                    models.CharField(
                        choices=[("nothing", "Nothing"), ("case", "Case")],
                        help_text="What the policy made of it.",
                        max_length=10,
                    ),
                ),
                ("policy_version", models.CharField(max_length=40)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="assessments",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "ordering": ("-assessed_at",),
                "indexes": [models.Index(fields=["account", "-assessed_at"], name="assessment_by_account")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("score__range", (0, 100))), name="score_from_0_to_100")
                ],
            },
        ),
        migrations.CreateModel(
            name="TemplateUse",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("template_digest", models.BigIntegerField()),
                (
                    "organisation",
                    models.BigIntegerField(
                        help_text="The account's, so that sharing is counted across them.", null=True
                    ),
                ),
                ("events", models.IntegerField()),
                ("seen_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="template_uses",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("template_digest", "account"), name="one_row_a_template_and_account"
                    )
                ],
            },
        ),
    ]
