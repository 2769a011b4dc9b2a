from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from governance.audit.models import Entry
from governance.staff.models import ServiceKey
from governance.staff.service_keys import authenticate_service_key, issue_service_key, revoke_service_key
from tests.factories import MACHINE, NOW
from tests.front import served

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=2)


def issue(**options: object) -> tuple[ServiceKey, str]:
    return issue_service_key(name="gateway-eu", scopes=["access:read"], by=MACHINE, now=NOW, **options)  # type: ignore[arg-type]


class TestAServiceKey:
    def test_is_recognised_by_its_secret(self) -> None:
        key, secret = issue()

        assert authenticate_service_key(secret, now=NOW) == key

    def test_is_stored_without_its_secret(self) -> None:
        key, secret = issue()

        stored = ServiceKey.objects.filter(pk=key.pk).values().get()
        assert secret not in str(stored)
        assert secret[10:] not in str(Entry.objects.values())

    def test_is_not_recognised_once_revoked(self) -> None:
        key, secret = issue()
        revoke_service_key(key, by=MACHINE, now=NOW)

        assert authenticate_service_key(secret, now=LATER) is None

    def test_is_revoked_once(self) -> None:
        key, _ = issue()

        revoked = [revoke_service_key(key, by=MACHINE, now=at) for at in (NOW, LATER)]

        key.refresh_from_db()
        assert (revoked, key.revoked_at) == ([True, False], NOW)
        assert Entry.objects.filter(verb="service_key.revoked").count() == 1

    def test_is_revoked_by_the_beginning_of_its_secret(self, capsys: pytest.CaptureFixture[str]) -> None:
        _, secret = issue()

        call_command("revoke_service_key", secret)

        assert capsys.readouterr().out == f"The key {secret[:10]}… of gateway-eu is revoked.\n"
        assert authenticate_service_key(secret, now=LATER) is None
        with pytest.raises(CommandError, match="No service key starts with that"):
            call_command("revoke_service_key", "swk_nobody")

    def test_is_not_recognised_from_the_moment_it_expires(self) -> None:
        _, secret = issue(expires_at=LATER)

        assert authenticate_service_key(secret, now=LATER) is None

    def test_leaves_an_entry_an_hour_of_use(self) -> None:
        _, secret = issue()

        for minutes in (0, 10, 59, 60, 61):
            authenticate_service_key(secret, now=NOW + timedelta(minutes=minutes))

        assert Entry.objects.filter(verb="service_key.used").count() == 2

    def test_needs_a_scope_that_exists(self) -> None:
        with pytest.raises(ValueError, match="everything"):
            issue_service_key(name="gateway-eu", scopes=["everything"], by=MACHINE, now=NOW)

    def test_needs_a_scope_at_all(self) -> None:
        with pytest.raises(ValueError, match="at least one"):
            issue_service_key(name="gateway-eu", scopes=[], by=MACHINE, now=NOW)


def test_a_second_key_of_a_name_is_issued_and_the_first_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    first, _ = issue_service_key(name="gateway-eu", scopes=["access:read"], by=MACHINE, now=NOW)

    call_command("issue_service_key", "gateway-eu", "--scope", "usage:write", "--scope", "access:read")

    said = capsys.readouterr()
    assert said.out.startswith("swk_")
    assert first.shown_prefix in said.err
    assert "access:read" in said.err
    assert ServiceKey.objects.filter(name="gateway-eu", revoked_at=None).count() == 2


def test_a_key_of_the_same_name_for_something_else_is_no_reason_to_warn(capsys: pytest.CaptureFixture[str]) -> None:
    issue()

    call_command("issue_service_key", "gateway-eu", scope=["usage:write"])

    assert not capsys.readouterr().err


@pytest.mark.django_db(transaction=True)
def test_the_last_use_is_recorded_whatever_it_was_used_for() -> None:
    with served() as front:
        for address in (
            "access/check?account=acct_1",
            "api/v1/access/snapshot",
            "api/v1/access/changes?after=0&wait=0",
        ):
            key, secret = issue_service_key(
                name=f"for {address}", scopes=["access:read"], by=MACHINE, now=timezone.now()
            )

            asked = front.ask(f"/{address}", key=secret)
            front.front.telemetry.flush()

            key.refresh_from_db()
            assert asked.status == 200
            assert key.last_used_at is not None, address
            assert Entry.objects.get(verb="service_key.used", actor_id=str(key.pk)).subject_id == str(key.pk)
