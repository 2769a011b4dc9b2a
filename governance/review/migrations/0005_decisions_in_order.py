"""Decisions are numbered, in the order in which they were made. What was lifted before stays so.

The number comes from a sequence as the column's default, so that older code numbers its decisions as well: it inserts
them while it holds the lock of the log.
"""

from django.db import migrations, models
from django.db.models import Func, Value

NUMBER_AGAIN = """
    UPDATE review_decision decision SET number = ordered.number
    FROM (
        SELECT id, row_number() OVER (ORDER BY decided_at, id) AS number FROM review_decision
    ) ordered
    WHERE ordered.id = decision.id;
    ALTER SEQUENCE review_decision_number OWNED BY review_decision.number;
    INSERT INTO enforcement_liftedorigin (origin)
    SELECT 'decision:' || decision.id FROM review_decision decision
    JOIN enforcement_restriction restriction ON restriction.number = decision.restriction_id
    WHERE decision.is_unfinished AND restriction.ending = 'lifted'
    ON CONFLICT DO NOTHING;
    SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("enforcement", "0016_lifted_origins"),
        ("review", "0004_unfinished_decisions"),
    ]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE review_decision_number", "DROP SEQUENCE IF EXISTS review_decision_number"),
        migrations.AddField(
            model_name="decision",
            name="number",
            field=models.BigIntegerField(
                db_default=Func(Value("review_decision_number"), function="nextval"),
                editable=False,
                help_text="Decisions in the order in which they were made, whatever the clocks said. Some are left out.",
            ),
        ),
        migrations.RunSQL(NUMBER_AGAIN, migrations.RunSQL.noop),
        migrations.AlterModelOptions(name="decision", options={"ordering": ("-number",)}),
    ]
