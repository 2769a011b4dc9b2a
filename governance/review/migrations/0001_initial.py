import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("enforcement", "0001_initial"),
        ("risk", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Case",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "status",
                    models.CharField(choices=[("open", "Open"), ("decided", "Decided")], default="open", max_length=10),
                ),
                (
                    "score",
                    models.SmallIntegerField(
                        help_text="The assessment's, here so that the queue sorts without a join."
                    ),
                ),
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
                ("opened_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="accounts.account",
                    ),
                ),
                (
                    "assessment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="risk.assessment"
                    ),
                ),
                (
                    "claimed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claimed_cases",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-score", "due_at"),
                "permissions": [("work_case", "Can claim, note and decide cases")],
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        editable=False,
                        help_text="Made by the form, so that twice sent is once.",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("dismiss", "Dismiss"),
                            ("watch", "Watch"),
                            ("throttle", "Throttle"),
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
                            ("evaluation", "An evaluation, not a harvest"),
                            ("expected_use", "Fits the customer's business"),
                            ("agreed_use", "Agreed with the customer"),
                            ("too_little_evidence", "Too little evidence"),
                        ],
                        max_length=32,
                    ),
                ),
                ("terms_clause", models.CharField(blank=True, max_length=120)),
                ("note", models.TextField(blank=True)),
                ("decided_at", models.DateTimeField()),
                (
                    "assessment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="risk.assessment"
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="review.case",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "restriction",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decision",
                        to="enforcement.restriction",
                    ),
                ),
            ],
            options={
                "ordering": ("-decided_at",),
            },
        ),
        migrations.CreateModel(
            name="Step",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "Opened"),
                            ("rescored", "Score changed"),
                            ("claimed", "Claimed"),
                            ("released", "Released"),
                            ("noted", "Noted"),
                            ("decided", "Decided"),
                            ("lifted", "Restriction lifted"),
                            ("reopened", "Taken up again"),
                        ],
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("by", models.CharField(max_length=254)),
                ("text", models.TextField(blank=True)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="review.case"
                    ),
                ),
            ],
            options={
                "ordering": ("-at", "-pk"),
            },
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("status", "open")), fields=["-score", "due_at", "id"], name="case_queue"
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(condition=models.Q(("status", "decided")), fields=["-closed_at"], name="case_decided"),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "open")), fields=("account",), name="one_open_case_an_account"
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at", None), ("status", "open")),
                    models.Q(("closed_at__isnull", False), ("status", "decided")),
                    _connector="OR",
                ),
                name="a_decided_case_says_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.UniqueConstraint(fields=("case",), name="one_decision_a_case"),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("action", "dismiss"), ("restriction", None)),
                    models.Q(models.Q(("action", "dismiss"), _negated=True), ("restriction__isnull", False)),
                    _connector="OR",
                ),
                name="a_decision_restricts_unless_it_dismisses",
            ),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(fields=["case", "-at"], name="step_by_case"),
        ),
    ]
