"""Who may be let in, given another role, or shut out."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection

from governance.audit.models import Entry
from governance.audit.verbs import Verb
from governance.staff.actions import LastAdminError, OwnAccessError, change_role, readmit_user, shut_out_user
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import MACHINE, NOW, PASSWORD, person

pytestmark = pytest.mark.django_db


def role_of(user: User) -> str:
    return User.objects.get(pk=user.pk).role


class TestARole:
    def test_is_changed_by_another_with_before_and_after_in_the_log(self) -> None:
        ada, mira = person("Ada Quist", role=Role.ADMIN), person()

        assert change_role(mira, Role.LEAD, by=ada, now=NOW)

        assert role_of(mira) == Role.LEAD
        entry = Entry.objects.get(verb=Verb.USER_ROLE_CHANGED)
        assert (entry.actor_name, entry.subject_id) == ("Ada Quist", str(mira.pk))
        assert entry.details == {"email": mira.email, "before": "reviewer", "after": "lead"}

    def test_that_somebody_has_already_leaves_no_entry(self) -> None:
        assert not change_role(person(), Role.REVIEWER, by=person(role=Role.ADMIN), now=NOW)
        assert not Entry.objects.filter(verb=Verb.USER_ROLE_CHANGED).exists()

    def test_is_granted_by_nobody_to_themselves(self) -> None:
        mira, ada = person(), person(role=Role.ADMIN)

        for somebody in (mira, ada):
            with pytest.raises(OwnAccessError):
                change_role(somebody, Role.LEAD, by=somebody, now=NOW)

        assert (role_of(mira), role_of(ada)) == (Role.REVIEWER, Role.ADMIN)

    def test_of_the_last_admin_stays(self) -> None:
        ada, former = person(role=Role.ADMIN), person(role=Role.LEAD)

        with pytest.raises(LastAdminError):
            change_role(ada, Role.REVIEWER, by=former, now=NOW)

        assert role_of(ada) == Role.ADMIN


class TestShuttingOut:
    def test_spares_the_last_admin(self) -> None:
        ada, gone = person(role=Role.ADMIN), person(role=Role.ADMIN)
        shut_out_user(gone, by=ada.actor, now=NOW)

        with pytest.raises(LastAdminError):
            shut_out_user(ada, by=MACHINE, now=NOW)
        with pytest.raises(CommandError, match="last admin"):
            call_command("shut_out_user", ada.email)

        assert User.objects.get(pk=ada.pk).is_active
        assert User.objects.get(pk=ada.pk).check_password(PASSWORD)

    def test_is_nothing_that_somebody_does_to_themselves(self) -> None:
        person(role=Role.ADMIN)
        ada = person(role=Role.ADMIN)

        with pytest.raises(OwnAccessError):
            shut_out_user(ada, by=ada.actor, now=NOW)

    @pytest.mark.django_db(transaction=True)
    def test_by_two_admins_of_each_other_leaves_one(self) -> None:
        ada, bo = person("Ada Quist", role=Role.ADMIN), person("Bo Lund", role=Role.ADMIN)
        refused: list[Exception] = []

        def shut_out(whom: User, by: User) -> None:
            try:
                shut_out_user(whom, by=by.actor, now=NOW)
            except LastAdminError as error:
                refused.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=shut_out, args=pair) for pair in ((ada, bo), (bo, ada))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(refused) == 1
        assert User.objects.filter(role=Role.ADMIN, is_active=True).count() == 1


class TestReadmitting:
    def test_gives_a_new_password(self) -> None:
        ada, mira = person(role=Role.ADMIN), person()
        shut_out_user(mira, by=ada.actor, now=NOW)

        assert readmit_user(mira, password="another long passphrase", by=ada, now=NOW)
        assert not readmit_user(mira, password="a third long passphrase", by=ada, now=NOW)

        again = User.objects.get(pk=mira.pk)
        assert (again.is_active, again.check_password("another long passphrase")) == (True, True)
        assert Entry.objects.get(verb=Verb.USER_READMITTED).details["role"] == "reviewer"

    def test_refuses_a_weak_password(self) -> None:
        ada, mira = person(role=Role.ADMIN), person()
        shut_out_user(mira, by=ada.actor, now=NOW)

        with pytest.raises(ValidationError):
            readmit_user(mira, password="short", by=ada, now=NOW)
