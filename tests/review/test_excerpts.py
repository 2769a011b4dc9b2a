"""Nobody reads what a customer wrote without saying why, and the log keeps it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from governance.audit.models import Entry
from governance.audit.queries import iter_chain_checks
from governance.review.models import Case
from governance.staff.roles import Role
from governance.usage.actions import record_lines
from tests.factories import case, line, person
from tests.review.pages import address, by_htmx, signed_in, text

pytestmark = pytest.mark.django_db

WORDS = "<script>alert(1)</script> Solve it."
SHOWN = "&lt;script&gt;alert(1)&lt;/script&gt; Solve it."
REASON = "To tell a benchmark from a harvest."


@pytest.fixture
def opened() -> Case:
    now = timezone.now()
    asked = [{"role": "user", "content": WORDS}]
    at = (now - timedelta(days=1)).isoformat()
    lines = [line(account="acct_harbour", occurred_at=at, messages=asked) for _ in range(2)]
    record_lines(lines, source="native", now=now)
    return case(Account.objects.get(external_id="acct_harbour"))


def readings() -> list[Entry]:
    return list(Entry.objects.filter(verb="excerpts.read").order_by("number"))


class TestExcerpts:
    def test_are_counted_and_not_shown_with_the_case(self, opened: Case) -> None:
        page = text(signed_in(person()).get(address(opened)))

        assert "2 kept" in page
        assert "Solve it." not in page
        assert readings() == []

    @pytest.mark.parametrize("headers", [{}, by_htmx("excerpts")], ids=["page", "htmx"])
    def test_are_shown_escaped_to_whoever_says_why(self, opened: Case, headers: dict[str, str]) -> None:
        answer = signed_in(person()).post(address(opened, "excerpts/"), {"reason": REASON}, headers=headers)

        assert answer.status_code == 200
        assert text(answer).count(SHOWN) == 2
        assert "<script>alert" not in text(answer)
        assert "no-store" in answer["Cache-Control"]

    @pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
    def test_are_not_shown_without_a_reason(self, opened: Case, reason: str) -> None:
        answer = signed_in(person()).post(address(opened, "excerpts/"), {"reason": reason})

        assert answer.status_code == 422
        assert SHOWN not in text(answer)
        assert readings() == []

    def test_leave_an_entry_each_time_without_a_word_of_them(self, opened: Case) -> None:
        mira = person("Mira Okafor")
        for reason in (REASON, "Again."):
            signed_in(mira).post(address(opened, "excerpts/"), {"reason": reason})

        first, second = readings()
        assert first.details == {"account": "acct_harbour", "excerpts": 2, "reason": REASON}
        assert (first.actor_id, first.subject_id, second.details["reason"]) == (str(mira.pk), str(opened.pk), "Again.")
        assert "Solve" not in str(first.details)
        assert not any(iter_chain_checks())

    @pytest.mark.parametrize("role", Role)
    def test_are_there_for_every_role_that_sees_cases(self, opened: Case, role: Role) -> None:
        answer = signed_in(person(role=role)).post(address(opened, "excerpts/"), {"reason": REASON})

        assert SHOWN in text(answer)
        assert len(readings()) == 1

    def test_are_not_there_for_somebody_unknown(self, opened: Case) -> None:
        answer = Client().post(address(opened, "excerpts/"), {"reason": REASON})

        assert answer.status_code == 302
        assert readings() == []

    def test_are_not_read_by_asking_for_the_page(self, opened: Case) -> None:
        client = signed_in(person())

        assert client.get(address(opened, "excerpts/")).status_code == 405
        assert SHOWN not in text(client.get(address(opened), headers=by_htmx("excerpts")))
        assert readings() == []
