import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Organisation",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("external_id", models.CharField(max_length=128, unique=True)),
                ("name", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "ordering": ("external_id",),
            },
        ),
        migrations.CreateModel(
            name="TermsVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("name", models.CharField(help_text="e.g. 2026-03", max_length=40, unique=True)),
                ("published_at", models.DateTimeField()),
                ("address", models.CharField(blank=True, help_text="Where it can be read.", max_length=300)),
            ],
            options={
                "ordering": ("-published_at",),
            },
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("external_id", models.CharField(max_length=128, unique=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("closed", "Closed by the seller")],
                        default="open",
                        max_length=10,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(blank=True, help_text="When the customer opened it, if known.", null=True),
                ),
                ("first_seen_at", models.DateTimeField(help_text="When Stillwatch heard of it.")),
                ("plan", models.CharField(blank=True, max_length=64)),
                ("declared_use", models.CharField(blank=True, max_length=200)),
                ("country", models.CharField(blank=True, max_length=2)),
                ("signup_ip", models.GenericIPAddressField(blank=True, null=True, verbose_name="sign-up IP")),
                ("email_domain", models.CharField(blank=True, max_length=253, verbose_name="e-mail domain")),
                ("payment_fingerprint", models.CharField(blank=True, max_length=128)),
                (
                    "organisation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "ordering": ("external_id",),
            },
        ),
        migrations.CreateModel(
            name="TermsAcceptance",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("accepted_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="acceptances",
                        to="accounts.account",
                    ),
                ),
                (
                    "terms",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="acceptances",
                        to="accounts.termsversion",
                    ),
                ),
            ],
            options={
                "ordering": ("-accepted_at",),
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("external_id", models.CharField(max_length=128, unique=True)),
                (
                    "digest",
                    models.BinaryField(
                        blank=True,
                        help_text="As the gateway digests it. The secret is never stored.",
                        max_length=64,
                        null=True,
                    ),
                ),
                ("first_seen_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="keys",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
                "ordering": ("external_id",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("digest__isnull", False)),
                        fields=("digest",),
                        name="one_key_a_digest",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Licence",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "training_permitted",
                    models.BooleanField(default=False, help_text="A licensed distiller is no suspect."),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reference",
                    models.CharField(blank=True, help_text="The contract it is written in.", max_length=200),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="licences",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "ordering": ("-starts_at",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at", None), ("ends_at__gt", models.F("starts_at")), _connector="OR"),
                        name="licence_ends_after_it_starts",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(
                condition=models.Q(("payment_fingerprint", ""), _negated=True),
                fields=["payment_fingerprint"],
                name="account_by_card",
            ),
        ),
        migrations.AddConstraint(
            model_name="termsacceptance",
            constraint=models.UniqueConstraint(fields=("account", "terms"), name="accepted_once"),
        ),
    ]
