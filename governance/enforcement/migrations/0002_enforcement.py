import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("enforcement", "0001_initial"),
        ("risk", "0002_campaigns"),
        ("staff", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Arrival",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sequence", models.BigIntegerField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ("holder", "sequence"),
            },
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "what",
                    models.CharField(
                        choices=[("began", "Began"), ("covers", "Covers more names"), ("ended", "Ended")], max_length=10
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "told",
                    models.JSONField(
                        help_text="The restriction as gateways are told of it; null where it ended.", null=True
                    ),
                ),
            ],
            options={
                "ordering": ("number",),
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("delivered", "Delivered"), ("given_up", "Given up")],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "due_at",
                    models.DateTimeField(help_text="When it is to be tried next; later while somebody is trying it."),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                ("last_status", models.PositiveIntegerField(blank=True, null=True)),
                ("last_error", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "ordering": ("-created_at",),
            },
        ),
        migrations.CreateModel(
            name="Gateway",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, unique=True)),
                ("created_at", models.DateTimeField()),
                (
                    "asked_at",
                    models.DateTimeField(
                        blank=True, help_text="When it last asked whether somebody has access.", null=True
                    ),
                ),
                ("canary_url", models.CharField(blank=True, max_length=300, verbose_name="canary address")),
                ("canary_headers", models.BinaryField(blank=True, default=b"", help_text="Sealed.")),
                (
                    "canary_body",
                    models.TextField(blank=True, help_text="What is posted; without it the request is a GET."),
                ),
                ("probe_due_at", models.DateTimeField(blank=True, null=True)),
                ("litellm_url", models.CharField(blank=True, max_length=300, verbose_name="LiteLLM address")),
                (
                    "litellm_key",
                    models.BinaryField(blank=True, default=b"", help_text="Sealed.", verbose_name="LiteLLM admin key"),
                ),
                (
                    "pushed_sequence",
                    models.BigIntegerField(default=0, help_text="Changes up to this one were pushed to LiteLLM."),
                ),
                (
                    "compared_at",
                    models.DateTimeField(blank=True, help_text="When LiteLLM's blocks were last compared.", null=True),
                ),
            ],
            options={
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Holder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("instance", models.CharField(max_length=120)),
                ("started_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("sequence", models.BigIntegerField()),
            ],
            options={
                "ordering": ("gateway", "instance"),
            },
        ),
        migrations.CreateModel(
            name="Probe",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("change", models.BigIntegerField(null=True)),
                ("lifting", models.BooleanField(default=False, help_text="Whether access was given back, not taken.")),
                ("at", models.DateTimeField(help_text="When the change was committed.")),
                (
                    "took_ms",
                    models.PositiveIntegerField(help_text="From the commit to the first answer that obeys.", null=True),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("obeyed", "Obeyed"),
                            ("ignored", "Not obeyed in time"),
                            ("unreachable", "No usable answer"),
                        ],
                        max_length=12,
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "ordering": ("-at",),
            },
        ),
        migrations.CreateModel(
            name="Refusal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("count", models.BigIntegerField()),
            ],
            options={
                "ordering": ("-last_at",),
            },
        ),
        migrations.CreateModel(
            name="Repair",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "name",
                    models.CharField(
                        help_text="Of the key, team or customer, with its kind before it.", max_length=200
                    ),
                ),
                ("blocked", models.BooleanField(help_text="What was right, and is in force since.")),
                ("mended", models.BooleanField(help_text="Whether LiteLLM took it.")),
                ("detail", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "ordering": ("-at",),
            },
        ),
        migrations.CreateModel(
            name="Webhook",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("url", models.CharField(max_length=500, verbose_name="address")),
                (
                    "secrets",
                    models.BinaryField(help_text="Sealed: the newest first, others until they are out of use."),
                ),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=254)),
                ("sequence", models.BigIntegerField()),
                ("disabled_at", models.DateTimeField(blank=True, null=True)),
                ("disabled_because", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "ordering": ("created_at",),
            },
        ),
        migrations.RemoveConstraint(
            model_name="restriction",
            name="restriction_has_one_target",
        ),
        migrations.RemoveConstraint(
            model_name="restriction",
            name="a_throttle_has_a_limit",
        ),
        migrations.AddField(
            model_name="restriction",
            name="approver",
            field=models.CharField(blank=True, help_text="Who agreed, where somebody had to.", max_length=254),
        ),
        migrations.AddField(
            model_name="restriction",
            name="campaign",
            field=models.ForeignKey(
                blank=True,
                help_text="Restricted as one of the accounts of this campaign.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="restrictions",
                to="risk.campaign",
            ),
        ),
        migrations.AddField(
            model_name="restriction",
            name="organisation",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="restrictions",
                to="accounts.organisation",
            ),
        ),
        migrations.AddField(
            model_name="restriction",
            name="replaces",
            field=models.ForeignKey(
                blank=True,
                help_text="What was in force before, and is again when this one is lifted or expires.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replaced_by",
                to="enforcement.restriction",
            ),
        ),
        migrations.AddField(
            model_name="restriction",
            name="tokens_per_minute",
            field=models.PositiveBigIntegerField(blank=True, help_text="A limit of a throttle.", null=True),
        ),
        migrations.AddField(
            model_name="restriction",
            name="withheld",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("logprobs", "Token probabilities"),
                        ("reasoning", "Reasoning text"),
                        ("new_models", "New models"),
                    ],
                    max_length=20,
                ),
                blank=True,
                default=list,
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="restriction",
            name="ending",
            field=models.CharField(
                blank=True,
                choices=[
                    ("lifted", "Lifted"),
                    ("undone", "Undone at once"),
                    ("expired", "Expired"),
                    ("replaced", "Replaced by a newer one"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="restriction",
            name="requests_per_minute",
            field=models.PositiveIntegerField(blank=True, help_text="A limit of a throttle.", null=True),
        ),
        migrations.AddConstraint(
            model_name="restriction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("account__isnull", False), ("key__isnull", True), ("organisation__isnull", True)),
                    models.Q(("account__isnull", True), ("key__isnull", False), ("organisation__isnull", True)),
                    models.Q(("account__isnull", True), ("key__isnull", True), ("organisation__isnull", False)),
                    _connector="OR",
                ),
                name="restriction_has_one_target",
            ),
        ),
        migrations.AddConstraint(
            model_name="restriction",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("organisation", "kind"),
                name="one_restriction_of_a_kind_an_organisation",
            ),
        ),
        migrations.AddConstraint(
            model_name="restriction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "throttle"), _negated=True),
                    ("requests_per_minute__isnull", False),
                    ("tokens_per_minute__isnull", False),
                    _connector="OR",
                ),
                name="a_throttle_has_a_limit",
            ),
        ),
        migrations.AddConstraint(
            model_name="restriction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "withhold"), _negated=True),
                    models.Q(("withheld", []), _negated=True),
                    _connector="OR",
                ),
                name="what_is_withheld_is_named",
            ),
        ),
        migrations.AddField(
            model_name="change",
            name="restriction",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="changes", to="enforcement.restriction"
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="change",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="enforcement.change",
            ),
        ),
        migrations.AddField(
            model_name="gateway",
            name="canary_account",
            field=models.ForeignKey(
                blank=True,
                help_text="Of the canary.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="canary_of",
                to="accounts.account",
            ),
        ),
        migrations.AddField(
            model_name="gateway",
            name="service_key",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="gateway",
                to="staff.servicekey",
            ),
        ),
        migrations.AddField(
            model_name="holder",
            name="gateway",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="holders",
                to="enforcement.gateway",
            ),
        ),
        migrations.AddField(
            model_name="arrival",
            name="holder",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="arrivals", to="enforcement.holder"
            ),
        ),
        migrations.AddField(
            model_name="probe",
            name="gateway",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="probes", to="enforcement.gateway"
            ),
        ),
        migrations.AddField(
            model_name="refusal",
            name="gateway",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="refusals", to="enforcement.gateway"
            ),
        ),
        migrations.AddField(
            model_name="refusal",
            name="restriction",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="refusals", to="enforcement.restriction"
            ),
        ),
        migrations.AddField(
            model_name="repair",
            name="gateway",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="repairs", to="enforcement.gateway"
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="webhook",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="enforcement.webhook"
            ),
        ),
        migrations.AddConstraint(
            model_name="change",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("told", None), ("what", "ended")),
                    models.Q(models.Q(("what", "ended"), _negated=True), ("told__isnull", False)),
                    _connector="OR",
                ),
                name="a_change_tells_what_is_in_force",
            ),
        ),
        migrations.AddConstraint(
            model_name="holder",
            constraint=models.UniqueConstraint(
                fields=("gateway", "instance"), name="a_holder_is_an_instance", nulls_distinct=False
            ),
        ),
        migrations.AddIndex(
            model_name="arrival",
            index=models.Index(fields=["holder", "sequence"], name="arrival_by_sequence"),
        ),
        migrations.AddIndex(
            model_name="arrival",
            index=models.Index(fields=["at"], name="arrival_by_time"),
        ),
        migrations.AddIndex(
            model_name="probe",
            index=models.Index(fields=["gateway", "-at"], name="probe_by_gateway"),
        ),
        migrations.AddConstraint(
            model_name="refusal",
            constraint=models.UniqueConstraint(fields=("gateway", "restriction"), name="refusals_are_counted_once"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(condition=models.Q(("state", "waiting")), fields=["due_at"], name="delivery_by_due"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(fields=("webhook", "change"), name="a_change_is_told_once"),
        ),
    ]
