"""The pages on which leads and admins set what is set at run time."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from governance.configuration.models import DueTarget
from governance.configuration.queries import ReasonSetting, get_reason_overrides
from governance.restrictions.reasons import Reason
from governance.staff.models import ServiceKey, User
from governance.staff.roles import Role
from governance.staff.secret_format import SECRET_PATTERN
from tests.everything import one_of_everything
from tests.factories import person, service_key
from tests.review.pages import signed_in, text

pytestmark = pytest.mark.django_db

TARGETS = {"critical": "2", "high": "12", "elevated": "48", "low": "96"}


def offered(*left_out: str, **clauses: str) -> dict[str, str]:
    """The form of reasons, with all of them offered but these, and the usual clauses but for these."""
    clauses = {**settings.REASON_CLAUSES, **clauses}
    form = {f"offer-{reason}": "on" for reason in Reason if reason not in left_out}
    return form | {f"clause-{reason}": clause for reason, clause in clauses.items()}


@pytest.fixture
def ada() -> Client:
    return signed_in(person("Ada Moreau", role=Role.ADMIN))


def words(response: Any) -> str:
    """What the page says, without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", text(response)).split())


class TestTheSettings:
    def test_say_where_the_review_line_comes_from_and_that_it_is_read_only(self, jonas: Client) -> None:
        page = words(jonas.get("/settings/"))

        assert "A case opens at a score of 50 , the review line." in page
        assert "Elevated 50 to 67 yes" in page
        assert "Low 0 to 49 no" in page
        assert "These cannot be changed here." in page

    def test_say_what_is_kept_how_long_and_what_is_due_for_deletion(self, jonas: Client) -> None:
        page = words(jonas.get("/settings/"))

        assert "Usage events 90 days deleted by schedule EVENT_DAYS" in page
        assert "Excerpts 30 days 0 EXCERPT_DAYS" in page
        assert "What staff typed, of closed cases and ended restrictions 1,095 days" in page
        assert "Kept for ever: audit log; cases, decisions and restrictions, without what was typed;" in page

    def test_cost_few_queries(self, jonas: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        one_of_everything()

        # 1 session, 2 user; 3 calibration; 4 due targets; 5 reasons; 6 gateways; 7 what is due for deletion,
        # 8 from when on events are kept
        with django_assert_num_queries(8):
            jonas.get("/settings/")

    @pytest.mark.parametrize(
        ("role", "sees", "sets", "manages"),
        [
            (Role.REVIEWER, 403, 403, 403),
            (Role.AUDITOR, 200, 403, 403),
            (Role.LEAD, 200, 302, 403),
            (Role.ADMIN, 200, 302, 200),
        ],
    )
    def test_are_seen_and_set_by_role(self, role: Role, sees: int, sets: int, manages: int) -> None:
        client = signed_in(person(role=role))
        newcomer = {"name": "Ines Varga", "email": "ines@example.com", "role": "auditor"}

        for page in ("", "history/", "users/", "keys/"):
            assert client.get(f"/settings/{page}").status_code == sees
        assert client.post("/settings/due/", TARGETS).status_code == sets
        assert client.post("/settings/reasons/", offered()).status_code == sets
        assert client.post("/settings/users/add/", newcomer).status_code == manages
        assert client.post("/settings/keys/issue/", {"name": "eu", "scopes": "access:read"}).status_code == manages


class TestDueDates:
    def test_are_set_and_said_in_the_history(self, jonas: Client) -> None:
        page = words(jonas.post("/settings/due/", TARGETS, follow=True))
        history = words(jonas.get("/settings/history/"))

        assert "Due within: 4 bands changed." in page
        assert dict(DueTarget.objects.values_list("band", "hours")) == {band: int(h) for band, h in TARGETS.items()}
        assert "Jonas Lindqvist due-date target changed due target critical 4 h 2 h" in history

    @pytest.mark.parametrize(
        ("fields", "complaint"),
        [
            ({"high": "60"}, "Not later than elevated cases, which are due within 48 h."),
            ({"high": "0"}, "Ensure this value is greater than or equal to 1."),
            ({"high": ""}, "This field is required."),
            ({"low": "2161"}, "Ensure this value is less than or equal to 2160."),
        ],
    )
    def test_that_make_no_sense_are_said_at_the_field(
        self, jonas: Client, fields: dict[str, str], complaint: str
    ) -> None:
        response = jonas.post("/settings/due/", TARGETS | fields)

        assert response.status_code == 422
        assert complaint in words(response)
        assert not DueTarget.objects.exists()


class TestReasons:
    def test_are_left_out_and_given_a_clause(self, jonas: Client) -> None:
        clause, usual = "3.1 One customer, one account", "3.4 No resale of access"

        page = words(jonas.post("/settings/reasons/", offered("other", resold_access=clause), follow=True))
        history = words(jonas.get("/settings/history/"))

        assert "2 reasons changed." in page
        stored = get_reason_overrides()
        assert stored == {
            "other": ReasonSetting(is_offered=False),
            "resold_access": ReasonSetting(terms_clause=clause),
        }
        assert "reason changed reason other offered not offered" in history
        assert f"reason changed reason resold_access offered, {usual} offered, {clause}" in history

    def test_one_to_restrict_and_one_to_dismiss_remain(self, jonas: Client) -> None:
        every = [reason.value for reason in Reason]

        response = jonas.post("/settings/reasons/", offered(*every))

        assert response.status_code == 422
        assert "Offer at least one reason for restricting somebody." in words(response)
        assert "Offer at least one reason for dismissing a case." in words(response)

    def test_a_clause_that_the_terms_have_lost_is_kept_until_somebody_changes_it(
        self, jonas: Client, settings: Any
    ) -> None:
        jonas.post("/settings/reasons/", offered(other="3.4 No resale of access"))
        settings.TERMS_CLAUSES = ["4.2 Fair use"]

        page = words(jonas.get("/settings/"))
        again = words(jonas.post("/settings/reasons/", offered(other="3.4 No resale of access"), follow=True))

        assert "3.4 No resale of access (no longer in TERMS_CLAUSES)" in page
        assert "Nothing was changed." in again


class TestUsers:
    def test_a_newcomer_gets_a_password_that_is_shown_once_and_works(self, ada: Client) -> None:
        form = {"name": "Ines Varga", "email": "Ines@example.com", "role": "auditor"}

        page = text(ada.post("/settings/users/add/", form))

        password = re.search(r'<code class="mono">([\w-]+)</code>', page)
        assert password is not None
        assert password[1] not in text(ada.get("/settings/users/"))
        answer = Client().post("/sign-in/", {"username": "ines@example.com", "password": password[1]})
        assert answer.status_code == 302

    def test_mistakes_are_said_at_the_field(self, ada: Client) -> None:
        taken = person().email

        again = ada.post("/settings/users/add/", {"name": "Mira", "email": taken, "role": "lead"})
        empty = ada.post("/settings/users/add/", {"name": "", "email": "x", "role": "king"})

        assert again.status_code == empty.status_code == 422
        assert "already exists" in words(again)
        assert all(said in words(empty) for said in ("Enter a name.", "Enter a valid email", "Select a valid choice"))

    def test_a_role_is_changed(self, ada: Client) -> None:
        mira = person()

        page = words(ada.post(f"/settings/users/{mira.pk}/role/", {"role": "lead"}, follow=True))

        assert "Mira Okafor: Lead." in page
        assert User.objects.get(pk=mira.pk).role == Role.LEAD
        assert "role changed Mira Okafor" in words(ada.get("/settings/history/"))

    def test_nobody_grants_themselves_a_role_or_shuts_out_the_last_admin(self) -> None:
        only = person("Ada Moreau", role=Role.ADMIN)
        ada = signed_in(only)

        for what, form in (("role", {"role": "lead"}), ("shut-out", {})):
            response = ada.post(f"/settings/users/{only.pk}/{what}/", form)
            assert response.status_code == 409
            assert "Nobody can change their own role or access." in words(response)
        assert f'action="/settings/users/{only.pk}/' not in text(ada.get("/settings/users/"))

    def test_somebody_is_shut_out_and_let_in_again(self, ada: Client) -> None:
        mira = person()
        session = signed_in(mira)

        shut = words(ada.post(f"/settings/users/{mira.pk}/shut-out/", follow=True))
        left_out = session.get("/").status_code
        again = text(ada.post(f"/settings/users/{mira.pk}/readmit/"))

        assert "Mira Okafor is shut out. 0 claimed cases released." in shut
        assert left_out == 302
        assert "Password of Mira Okafor" in again
        assert session.get("/").status_code == 302

    def test_cost_three_queries(self, ada: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        for _ in range(5):
            person()

        with django_assert_num_queries(3):  # 1 session, 2 user, 3 users
            ada.get("/settings/users/")


class TestServiceKeys:
    def test_are_listed_with_their_last_use_issued_and_revoked(self, ada: Client) -> None:
        key, headers = service_key(ServiceKey.Scope.ACCESS_READ, name="gateway-eu")
        Client().get("/api/v1/access/check?account=a", **headers)

        shown = words(ada.get("/settings/keys/"))
        issued = text(ada.post("/settings/keys/issue/", {"name": "eu-2", "scopes": ["access:read"], "days": "30"}))
        revoked = words(ada.post(f"/settings/keys/{key.pk}/revoke/", follow=True))

        assert re.search(r"gateway-eu swk_\S+ access:read \S.*? ago just now –", shown)
        secret = re.search(r"swk_[\w-]{40,}", issued)
        assert secret is not None
        assert secret[0] not in text(ada.get("/settings/keys/"))
        assert ServiceKey.objects.get(name="eu-2").expires_at is not None
        assert "gateway-eu: revoked." in revoked

    def test_are_given_a_new_secret_and_lose_the_previous_one(self, ada: Client) -> None:
        key, _ = service_key(ServiceKey.Scope.ACCESS_READ, name="gateway-eu")
        page = f"/settings/keys/{key.pk}/"

        replaced = text(ada.post(f"{page}replace/", {"days": "7"}))
        third = words(ada.post(f"{page}replace/", {"days": "7"}, follow=True))
        ended = words(ada.post(f"{page}end-previous/", follow=True))
        wrong = words(ada.post(f"{page}replace/", {"days": "many"}, follow=True))

        assert re.search(SECRET_PATTERN, replaced)
        assert f"The previous secret of gateway-eu, {key.shown_prefix}…, still works." in third
        assert "gateway-eu: the previous secret is refused." in ended
        assert "enter for how many days" in wrong

    def test_are_limited_to_networks(self, ada: Client) -> None:
        form = {"name": "eu-2", "scopes": ["access:read"], "networks": "203.0.113.7 2001:DB8::/48"}

        ada.post("/settings/keys/issue/", form)
        wrong = words(ada.post("/settings/keys/issue/", form | {"networks": "everywhere"}))

        assert "from 2001:db8::/48, 203.0.113.7/32" in words(ada.get("/settings/keys/"))
        assert "everywhere is no address or network such as 203.0.113.0/24." in wrong

    def test_mistakes_are_said_at_the_field(self, ada: Client) -> None:
        response = ada.post("/settings/keys/issue/", {"name": "a\u202eb", "days": "0"})

        assert response.status_code == 422
        assert all(
            said in words(response)
            for said in ("Use printable characters on one line.", "Choose at least one scope.", "greater than or equal")
        )
        assert not ServiceKey.objects.exists()

    def test_cost_three_queries(self, ada: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        for number in range(5):
            service_key(ServiceKey.Scope.ACCESS_READ, name=f"gateway-{number}")

        with django_assert_num_queries(3):  # 1 session, 2 user, 3 keys
            ada.get("/settings/keys/")


class TestTheHistory:
    def test_goes_on_page_by_page(self, jonas: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("governance.overview.setting_pages.queries.CHANGES", 2)
        for hours in range(1, 6):
            jonas.post("/settings/due/", TARGETS | {"critical": str(hours)})

        first = jonas.get("/settings/history/").context["page"]
        second = jonas.get(f"/settings/history/?before={first.next_before}").context["page"]

        numbers = [change.entry.number for change in (*first.changes, *second.changes)]
        assert numbers == sorted(numbers, reverse=True)
        assert len(numbers) == 4

    def test_refuses_an_address_that_it_cannot_read(self, jonas: Client) -> None:
        assert jonas.get("/settings/history/?before=x").status_code == 400

    def test_costs_few_queries(self, jonas: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        for number in range(5):
            service_key(ServiceKey.Scope.ACCESS_READ, name=f"gateway-{number}")
        jonas.post("/settings/due/", TARGETS)

        # 1 session, 2 user; 3 entries; 4 the people and 5 the keys that they are about
        with django_assert_num_queries(5):
            jonas.get("/settings/history/")
