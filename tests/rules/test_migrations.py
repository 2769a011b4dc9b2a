"""While an upgrade is rolled out, processes of the release before go on with the database of the new one.

So a migration adds, and takes nothing away that older code writes or reads: a new column can be left out of an INSERT,
and a column, a table or a value that was there stays. What an old process needs is dropped a release later, and then
stands in TAKEN_AWAY with the reason why nobody needs it any more. What RunPython and RunSQL do is not looked at.
"""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models.fields import NOT_PROVIDED

OWN = {config.label for config in apps.get_app_configs() if config.name.split(".")[0] in {"accounts", "governance"}}
TAKES_AWAY = (
    migrations.RemoveField,
    migrations.RenameField,
    migrations.DeleteModel,
    migrations.RenameModel,
    migrations.AlterModelTable,
)
NARROWS = (migrations.AddConstraint, migrations.AlterUniqueTogether)

# By app and migration: why no older code needs what it takes away.
TAKEN_AWAY: dict[tuple[str, str], str] = {
    # Older code always names the account of a case, and closes a case with its time.
    ("staff", "0003_policy_engineer"): "the new constraint knows one role more, and all that older code writes",
    ("review", "0002_campaign_cases"): "the new constraints hold for every row that older code writes",
}


def objection(operation: Operation, before: models.Field | None) -> str | None:  # type: ignore[type-arg]
    """What processes of the release before could not do any more; None where they can go on.

    `before` is the field that an AlterField changes, as it was.
    """
    if isinstance(operation, TAKES_AWAY):
        return "takes away what older code uses"
    if isinstance(operation, NARROWS):
        return "refuses rows that older code writes"
    if isinstance(operation, migrations.AddField) and not _can_be_left_out(operation.field):
        return "adds a column that older code leaves out: give it db_default, or let it be null"
    if isinstance(operation, migrations.AlterField) and before is not None:
        return _narrowing(before, operation.field)
    return None


def _can_be_left_out(field: models.Field) -> bool:  # type: ignore[type-arg]
    return field.null or field.db_default is not NOT_PROVIDED or field.many_to_many is True


def _narrowing(before: models.Field, after: models.Field) -> str | None:  # type: ignore[type-arg]
    if before.get_internal_type() != after.get_internal_type():
        return "changes the type of a column"
    if before.null and not after.null:
        return "forbids null, which older code writes"
    if after.max_length is not None and (before.max_length is None or after.max_length < before.max_length):
        return "shortens a column"
    if after.unique and not before.unique:
        return "refuses rows that older code writes"
    if before.db_default is not NOT_PROVIDED and not _can_be_left_out(after):
        return "takes away the default of a column that older code leaves out"
    return None


def found() -> Iterator[tuple[tuple[str, str], str]]:
    """Everything that later migrations of our apps take away, and what is wrong with it. First ones make tables."""
    loader = MigrationLoader(None)
    for label, name in sorted(key for key in loader.graph.nodes if key[0] in OWN):
        migration = loader.graph.nodes[label, name]
        if migration.initial or not loader.graph.node_map[label, name].parents:
            continue
        state = loader.project_state([(one, two) for one, two in migration.dependencies if two != "__first__"])
        made = {
            operation.name_lower for operation in migration.operations if isinstance(operation, migrations.CreateModel)
        }
        for operation in migration.operations:
            before = None
            if isinstance(operation, migrations.AlterField):
                before = state.models[label, operation.model_name_lower].fields[operation.name]
            about = getattr(operation, "model_name_lower", None)
            if about not in made and (because := objection(operation, before)):
                yield (label, name), f"{operation.describe()}: {because}"
            operation.state_forwards(label, state)


def test_migrations_take_nothing_away_that_the_release_before_uses() -> None:
    wrong = [f"{label} {name}: {what}" for (label, name), what in found() if (label, name) not in TAKEN_AWAY]

    assert not wrong, "\n".join(wrong)


def test_every_exception_is_still_there() -> None:
    assert set(TAKEN_AWAY) <= {key for key, _ in found()}


TEXT = models.CharField(max_length=20)


@pytest.mark.parametrize(
    ("operation", "before"),
    [
        (migrations.RemoveField("account", "plan"), None),
        (migrations.RenameField("account", "plan", "tariff"), None),
        (migrations.DeleteModel("account"), None),
        (migrations.AddField("account", "tariff", TEXT), None),
        (migrations.AddField("account", "tariff", models.CharField(max_length=20, default="")), None),
        (migrations.AlterField("account", "plan", models.CharField(max_length=10)), TEXT),
        (migrations.AlterField("account", "plan", TEXT), models.CharField(max_length=20, null=True)),
        (migrations.AlterField("account", "plan", models.IntegerField()), TEXT),
        (migrations.AlterField("account", "plan", models.CharField(max_length=20, unique=True)), TEXT),
        (migrations.AlterField("account", "plan", TEXT), models.CharField(max_length=20, db_default="")),
        (migrations.AddConstraint("account", models.UniqueConstraint(fields=["plan"], name="one")), None),
    ],
)
def test_what_takes_away_is_found(operation: Operation, before: models.Field | None) -> None:  # type: ignore[type-arg]
    assert objection(operation, before)


@pytest.mark.parametrize(
    ("operation", "before"),
    [
        (migrations.AddField("account", "tariff", models.CharField(max_length=20, db_default="")), None),
        (migrations.AddField("account", "tariff", models.CharField(max_length=20, null=True)), None),
        (migrations.AlterField("account", "plan", models.CharField(max_length=30)), TEXT),
        (migrations.AlterField("account", "plan", models.CharField(max_length=20, help_text="What they pay.")), TEXT),
        (migrations.RemoveConstraint("account", "one"), None),
    ],
)
def test_what_adds_is_let_through(operation: Operation, before: models.Field | None) -> None:  # type: ignore[type-arg]
    assert objection(operation, before) is None
