"""What `migrate` grants, whichever roles the administrator of the database has made."""

from collections.abc import Iterator, Sequence

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from governance.platform.database_roles import READ, RUN, as_owner, grant_roles

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not settings.EMBEDDED, reason="the roles belong to the embedded servers"),
]


def execute(statement: str, *values: str) -> object:
    """The first column of the first row that it returns, if it returns any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()[0] if cursor.description else None


def may_read(role: str, table: str) -> bool:
    return bool(execute("SELECT has_table_privilege(%s, %s, 'SELECT')", role, table))


class TestGranting:
    @pytest.mark.parametrize("missing", [[RUN], [READ], [RUN, READ]], ids=", ".join)
    def test_leaves_out_roles_that_nobody_has_made(self, missing: Sequence[str]) -> None:
        for role in missing:
            execute(f"ALTER ROLE {role} RENAME TO {role}_of_others")  # until the end of the test

        assert grant_roles() == sorted({RUN, READ} - {*missing})

    def test_leaves_out_a_table_that_is_not_there_yet(self) -> None:
        execute("ALTER TABLE webhooks_webhook RENAME TO webhooks_webhook_of_others")

        assert grant_roles() == sorted([RUN, READ])

    def test_is_no_part_of_a_plan(self, capsys: pytest.CaptureFixture[str]) -> None:
        execute("REVOKE SELECT ON accounts_account FROM stillwatch_read")

        call_command("migrate", plan=True)
        planned = may_read(READ, "accounts_account")
        call_command("migrate", verbosity=0)

        assert (planned, may_read(READ, "accounts_account")) == (False, True)
        assert "No planned migration operations." in capsys.readouterr().out


class TestTheCommand:
    def test_names_the_roles(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("grant_roles")

        assert capsys.readouterr().out == f"Granted: {READ}, {RUN}.\n"

    def test_needs_one_of_them(self) -> None:
        for role in (RUN, READ):
            execute(f"ALTER ROLE {role} RENAME TO {role}_of_others")

        with pytest.raises(CommandError, match=f"There is no role {RUN} and no role {READ}"):
            call_command("grant_roles")


@pytest.fixture
def _as_run_role(transactional_db: None) -> Iterator[None]:
    """The test connects as the processes do."""
    before = connection.settings_dict["USER"]
    connection.close()
    connection.settings_dict["USER"] = RUN
    yield
    connection.close()
    connection.settings_dict["USER"] = before


@pytest.mark.usefixtures("_as_run_role")
def test_a_command_is_the_owner_for_as_long_as_it_needs_to_be() -> None:
    with as_owner():
        meanwhile = execute("SELECT current_user")

    assert (meanwhile, execute("SELECT current_user")) == (settings.DATABASE_OWNER["USER"], RUN)
