from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from governance.audit.chain import encode_leaf
from governance.audit.models import Entry
from governance.audit.queries import content_of, iter_chain_checks
from tests.audit.publishing import forge, write, write_many
from tests.factories import NOW

pytestmark = pytest.mark.django_db


class TestRecord:
    def test_numbers_entries_without_gaps(self) -> None:
        entries = [write(), write(), write()]

        assert [entry.number for entry in entries] == [1, 2, 3]

    def test_binds_each_entry_to_the_one_before(self) -> None:
        first, second = write(), write()

        assert bytes(second.previous_hash) == bytes(first.hash)

    def test_refuses_a_value_that_would_not_survive_the_database_unchanged(self) -> None:
        with pytest.raises(TypeError, match="float"):
            write(note=0.94)

    def test_refuses_a_name_that_is_no_text(self) -> None:
        with pytest.raises(TypeError, match="A key of the log must be text, not int"):
            write(note={7: "seven"})

    def test_keeps_the_leaf_of_each_entry(self) -> None:
        entry = write({"name": "Zoë", "count": 3})
        entry.refresh_from_db()

        assert bytes(entry.leaf or b"") == encode_leaf(content_of(entry), bytes(entry.salt))
        assert entry.details == {"note": {"count": 3, "name": "Zoë"}}

    def test_salts_each_entry_anew(self) -> None:
        assert bytes(write().salt) != bytes(write().salt)

    def test_is_one_insert_however_many_entries_there_are(self, django_assert_num_queries: Any) -> None:
        # 1 lock, 2 the last entry, 3 insert
        with django_assert_num_queries(3):
            write_many(500)

    def test_takes_no_number_when_its_transaction_fails(self) -> None:
        def fail() -> None:
            with transaction.atomic():
                write()
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()

        assert write().number == 1


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_of_a_transaction_is_refused() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        write()


class TestTheTable:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_entry SET verb = 'nothing.done'",
            "DELETE FROM audit_entry",
            "TRUNCATE audit_entry",
        ],
    )
    def test_refuses_every_change(self, statement: str) -> None:
        write()
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER audit_entry_no_truncate")

        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

        assert Entry.objects.count() == 1


class TestVerifying:
    def test_finds_no_fault_in_an_untouched_chain(self) -> None:
        write({"name": "Zoë", "count": 3, "nested": {"a": [1, None, True]}})
        write()

        assert list(iter_chain_checks()) == [None, None]

    def test_names_an_entry_whose_content_was_changed(self) -> None:
        write(), write(), write()

        forge("UPDATE audit_entry SET at = %s WHERE number = 2", NOW + timedelta(seconds=1))

        assert [fault.number for fault in iter_chain_checks() if fault] == [2]

    def test_names_an_entry_whose_details_were_never_written_so(self) -> None:
        write(), write()

        forge("UPDATE audit_entry SET details = '{\"note\": 0.5}' WHERE number = 2")

        [fault] = [fault for fault in iter_chain_checks() if fault]
        assert fault.reason.startswith("its details cannot have been recorded so: The log takes text")

    def test_notices_a_removed_entry(self) -> None:
        write(), write(), write()

        forge("DELETE FROM audit_entry WHERE number = 2")

        assert [fault.reason for fault in iter_chain_checks() if fault] == ["entry 2 is missing before it"]

    def test_notices_a_forger_who_made_one_entry_fit_but_not_its_followers(self) -> None:
        write(), write()
        forger = Entry(
            number=1, at=NOW, actor_kind="x", actor_id="x", actor_name="x", verb="x", previous_hash=bytes(32)
        )

        forge("UPDATE audit_entry SET hash = %s WHERE number = 1", bytes(forger.previous_hash))

        assert [fault.number for fault in iter_chain_checks() if fault] == [1, 2]

    def test_takes_clocks_that_differ_by_minutes_for_what_they_are(self) -> None:
        write()
        write(at=NOW - timedelta(minutes=10))

        assert list(iter_chain_checks()) == [None, None]

    def test_names_entries_that_run_backwards_in_time(self) -> None:
        write()
        write(at=NOW - timedelta(days=3))
        write(at=NOW - timedelta(minutes=11))
        write()
        out, err = StringIO(), StringIO()

        call_command("audit_verify", stdout=out, stderr=err)

        assert out.getvalue() == (
            "4 entries verified, chain intact.\n2 of them run backwards in time by more than 10 minutes.\n"
        )
        assert err.getvalue().splitlines() == [
            "entry 2: its time, 2026-10-30 09:14:00, lies before 2026-11-02 09:14:00 of an earlier entry",
            "entry 3: its time, 2026-11-02 09:03:00, lies before 2026-11-02 09:14:00 of an earlier entry",
        ]

    def test_the_command_says_that_the_chain_is_intact(self) -> None:
        write()
        out = StringIO()

        call_command("audit_verify", stdout=out)

        assert out.getvalue() == "1 entry verified, chain intact.\n"

    def test_the_command_fails_on_a_broken_chain_and_names_the_entry(self) -> None:
        write()
        forge("UPDATE audit_entry SET verb = 'nothing.done'")
        err = StringIO()

        with pytest.raises(CommandError, match="broken at 1 of 1"):
            call_command("audit_verify", stderr=err)

        assert err.getvalue() == "entry 1: its content was changed after it was written\n"
