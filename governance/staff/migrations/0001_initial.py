import uuid

import django.contrib.postgres.fields
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ServiceKey",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "shown_prefix",
                    models.CharField(
                        help_text="The first characters of the secret, to tell keys apart.", max_length=12
                    ),
                ),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("usage:write", "Send usage events"),
                                ("access:read", "Ask whether an account has access"),
                                ("restrictions:read", "Read restrictions"),
                                ("restrictions:write", "Restrict and lift"),
                            ],
                            max_length=40,
                        ),
                        size=None,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=254)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "email",
                    models.EmailField(
                        help_text="In lower case: sign-in ignores the case.",
                        max_length=254,
                        unique=True,
                        verbose_name="e-mail",
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("reviewer", "Reviewer"),
                            ("lead", "Lead"),
                            ("auditor", "Auditor"),
                            ("admin", "Admin"),
                        ],
                        max_length=20,
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "ordering": ("name",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                        name="email_in_lower_case",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["reviewer", "lead", "auditor", "admin"])),
                        name="role_is_known",
                    ),
                ],
            },
        ),
    ]
