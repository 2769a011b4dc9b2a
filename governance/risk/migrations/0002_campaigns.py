import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("risk", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountSample",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="accounts.account",
                    ),
                ),
                (
                    "sketches",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        help_text="Those with the smallest hashes, smallest first.",
                        size=None,
                    ),
                ),
                ("requests", models.BigIntegerField(help_text="Of the account, when it was taken.")),
                ("breadth", models.FloatField(null=True)),
                ("model", models.CharField(help_text="The one it uses most, …", max_length=128)),
                ("ratio", models.FloatField(help_text="… its median of output to input tokens with it, …")),
                ("alone", models.BooleanField(help_text="… and whether most of its requests stand alone.")),
                ("taken_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Calibration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.CharField(max_length=40, unique=True)),
                ("content", models.TextField(help_text="The file, as `manage.py calibrate` wrote it.")),
                ("in_force_since", models.DateTimeField()),
                ("put_in_force_by", models.CharField(max_length=200)),
            ],
            options={
                "ordering": ("-in_force_since", "-pk"),
            },
        ),
        migrations.CreateModel(
            name="Corpus",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True)),
                (
                    "evaluation",
                    models.BooleanField(
                        default=False, help_text="A public evaluation: knowing it speaks for an account."
                    ),
                ),
                ("texts", models.IntegerField()),
                ("runs", models.IntegerField(help_text="How many runs are kept of it.")),
                ("added_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "corpora",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="SharedPrompt",
            fields=[
                ("sketch", models.BigIntegerField(primary_key=True, serialize=False)),
                ("accounts", models.IntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="assessment",
            name="campaign",
            field=models.UUIDField(help_text="The campaign it was seen as part of.", null=True),
        ),
        migrations.AddField(
            model_name="assessment",
            name="harmless",
            field=models.JSONField(default=dict, help_text="The strongest harmless explanation, with its figures."),
        ),
        migrations.CreateModel(
            name="AccountTrait",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.SmallIntegerField(choices=[(1, "Template"), (2, "Address"), (3, "Card"), (4, "Settings")]),
                ),
                ("digest", models.BigIntegerField()),
                (
                    "organisation",
                    models.BigIntegerField(
                        help_text="The account's, so that sharing is counted across them.", null=True
                    ),
                ),
                ("uses", models.IntegerField(help_text="Requests that carry it, …")),
                ("share", models.FloatField(help_text="… and their share of those that could.")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="traits", to="accounts.account"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Campaign",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[("watched", "Watched"), ("open", "Open"), ("closed", "Closed")],
                        default="watched",
                        max_length=10,
                    ),
                ),
                ("first_seen_at", models.DateTimeField()),
                ("opened_at", models.DateTimeField(help_text="When it was first seen as a campaign.", null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("assessed_at", models.DateTimeField(null=True)),
                ("size", models.IntegerField(help_text="Members at present.")),
                ("events", models.BigIntegerField(default=0, help_text="Of all members, when it was last assessed.")),
                ("score", models.SmallIntegerField(default=0)),
                ("findings", models.JSONField(default=list)),
                ("model_version", models.CharField(blank=True, max_length=40)),
            ],
            options={
                "ordering": ("-score", "-size"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("score__range", (0, 100))), name="campaign_scores_from_0_to_100"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CampaignMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("joined_at", models.DateTimeField()),
                ("left_at", models.DateTimeField(null=True)),
                ("tied_to", models.IntegerField(help_text="Members it has ties to.")),
                ("strength", models.FloatField()),
                ("ties", models.JSONField(help_text="The strength of each kind of tie.")),
                ("left_out_because", models.CharField(blank=True, max_length=200)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="memberships", to="accounts.account"
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="members", to="risk.campaign"
                    ),
                ),
            ],
            options={
                "ordering": ("-strength", "account"),
            },
        ),
        migrations.CreateModel(
            name="CorpusRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.BigIntegerField()),
                (
                    "corpus",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="risk.corpus"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Link",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("wrappers", models.FloatField()),
                ("shards", models.FloatField()),
                ("addresses", models.FloatField()),
                ("card", models.FloatField()),
                ("settings", models.FloatField()),
                (
                    "one",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.account"
                    ),
                ),
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.account"
                    ),
                ),
            ],
        ),
        migrations.DeleteModel(
            name="TemplateUse",
        ),
        migrations.AddConstraint(
            model_name="accounttrait",
            constraint=models.UniqueConstraint(
                fields=("kind", "digest", "account"), name="one_row_a_trait_and_account"
            ),
        ),
        migrations.AddConstraint(
            model_name="campaignmember",
            constraint=models.UniqueConstraint(
                condition=models.Q(("left_at", None), ("left_out_because", "")),
                fields=("account",),
                name="in_one_campaign_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="corpusrun",
            constraint=models.UniqueConstraint(fields=("digest", "corpus"), name="one_row_a_run_and_corpus"),
        ),
        migrations.AddConstraint(
            model_name="link",
            constraint=models.UniqueConstraint(fields=("one", "other"), name="one_link_a_pair"),
        ),
        migrations.AddConstraint(
            model_name="link",
            constraint=models.CheckConstraint(
                condition=models.Q(("one__lt", models.F("other"))), name="the_lower_account_comes_first"
            ),
        ),
    ]
