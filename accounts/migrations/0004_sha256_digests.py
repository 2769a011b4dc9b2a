import django.db.models.functions.text
import django.db.models.lookups
from django.db import migrations, models

# No gateway digests a key in another way, so these were never found.
CLEAR_OTHER_DIGESTS = "UPDATE accounts_apikey SET digest = NULL WHERE octet_length(digest) <> 32"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_said_to_be_in_none"),
    ]

    operations = [
        migrations.RunSQL(CLEAR_OTHER_DIGESTS, migrations.RunSQL.noop, elidable=True),
        migrations.AlterField(
            model_name="apikey",
            name="digest",
            field=models.BinaryField(
                blank=True,
                help_text="The SHA-256 of the key, as gateways digest it. The secret is never stored.",
                max_length=32,
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("digest", None),
                    django.db.models.lookups.Exact(django.db.models.functions.text.Length("digest"), 32),
                    _connector="OR",
                ),
                name="digest_is_a_sha256",
            ),
        ),
    ]
