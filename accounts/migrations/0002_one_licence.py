from django.db import migrations, models

# Imports used to add a licence that was not in force yet, or any more, once more each time.
DROP_DUPLICATES = """
    DELETE FROM accounts_licence AS older USING accounts_licence AS newer
    WHERE older.account_id = newer.account_id AND older.reference = newer.reference
      AND older.starts_at = newer.starts_at AND older.id < newer.id
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(DROP_DUPLICATES, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="licence",
            constraint=models.UniqueConstraint(
                fields=("account", "reference", "starts_at"), name="one_licence_a_contract_and_start"
            ),
        ),
    ]
