from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from accounts.models import Account
from governance.detection.models import Assessment
from governance.policies.forms import EXAMPLE
from governance.policies.kill_switch import are_policies_off
from governance.policies.models import PolicyVersion
from governance.policies.outcomes import apply_due_outcomes, evaluate_policies
from governance.policies.versions import go_live, propose
from governance.restrictions.actions import lift
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.reasons import Reason
from governance.review.actions import decide
from governance.review.models import Decision
from governance.review.staff_ceilings import get_staff_ceilings
from governance.review.verdicts import Verdict
from governance.staff.roles import Role
from governance.usage.actions import compact_profiles, record_lines
from tests.factories import NOW, account, campaign_of, case, findings, line, person, restriction
from tests.policies.outcomes import BLOCK, lead, suspect
from tests.review.pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def jonas() -> Client:
    return signed_in(lead())


def page(client: Client) -> str:
    return " ".join(client.get("/policy/").content.decode().split())


def noted(*assessments: Assessment) -> None:
    evaluate_policies(assessments, staff_ceilings=get_staff_ceilings, now=timezone.now())


def decided(name: str, action: str) -> None:
    """A case that a policy in the shadow saw and staff decided so."""
    about = account(name)
    opened = case(about)
    noted(suspect(about))
    Decision.objects.create(
        id=f"00000000-0000-4000-8000-{abs(hash(name)) % 10**12:012}",
        case=opened,
        assessment=opened.assessment,
        action=action,
        reason="evaluation",
        decided_at=timezone.now(),
        decided_by=person(),
    )


def test_a_policy_is_proposed_and_let_live_by_somebody_else(jonas: Client) -> None:
    jonas.post("/policy/propose/", {"content": BLOCK})
    policy = PolicyVersion.objects.get()
    asked = jonas.get(f"/policy/{policy.pk}/live/")
    own = jonas.post(f"/policy/{policy.pk}/live/")
    early = {"why": "An incident."}
    other = signed_in(lead("Ada Moreau")).post(f"/policy/{policy.pk}/live/", early, follow=True)

    assert "You proposed this policy." in asked.content.decode()
    assert own.status_code == 409
    assert "Another person than its author" in own.content.decode()
    assert "1 is live." in other.content.decode()


def test_the_example_that_the_page_shows_can_be_proposed(jonas: Client) -> None:
    shown = page(jonas)
    jonas.post("/policy/propose/", {"content": EXAMPLE})

    assert escape(EXAMPLE.splitlines()[0]) in shown
    assert PolicyVersion.objects.get().version == "2026-12"


def test_a_mistake_is_said_at_the_field(jonas: Client) -> None:
    response = jonas.post("/policy/propose/", {"content": "version = 1"})

    assert response.status_code == 422
    assert "version must be a text" in response.content.decode()


def test_a_form_that_cannot_be_read_is_shown_again_with_what_is_wrong(jonas: Client) -> None:
    policy = propose(BLOCK, by=lead("Ada Moreau"), now=timezone.now())

    empty = jonas.post("/policy/propose/", {"content": ""})
    too_long = jonas.post(f"/policy/{policy.pk}/live/", {"why": "x" * 501})

    assert (empty.status_code, too_long.status_code) == (422, 422)
    assert "Enter the policy." in empty.content.decode()
    assert "Give a reason of at most 500 characters." in too_long.content.decode()
    policy.refresh_from_db()
    assert policy.state == PolicyVersion.State.SHADOW


def test_staff_who_did_as_much_as_a_policy_are_told_from_those_who_did_less(jonas: Client) -> None:
    propose(BLOCK, by=lead("Ada Moreau"), now=timezone.now())
    decided("acct_innocent", "dismiss")
    for kind in (RestrictionKind.BLOCK, RestrictionKind.WARN):
        opened = case(account())
        noted(suspect(opened.own_account))
        verdict = Verdict(kind, Reason.BULK_HARVEST, terms_clause="2.3")
        decide(opened, verdict, decision_id=opened.pk, by=person(), now=timezone.now())

    shown = page(jonas)

    assert "it would have restricted <b>3</b> accounts since it was proposed." in shown
    assert "chose the same or a stronger action for <b>33 %</b>" in shown


def test_a_policy_in_the_shadow_is_compared_with_what_staff_decided(jonas: Client) -> None:
    propose(BLOCK, by=lead("Ada Moreau"), now=timezone.now())
    decided("acct_innocent", "dismiss")
    noted(suspect(account("acct_open")))

    shown = page(jonas)

    assert "it would have restricted <b>2</b> accounts since it was proposed." in shown
    assert "chose the same or a stronger action for <b>0 %</b>" in shown
    assert "acct_innocent" in shown
    assert "dismissed by staff" in shown
    assert "acct_open" not in shown


def test_everything_is_switched_off_and_on_again(jonas: Client) -> None:
    without_reason = jonas.post("/policy/off/", {"why": ""})
    jonas.post("/policy/off/", {"why": "Too many appeals."})
    off = (are_policies_off(), page(jonas))
    jonas.post("/policy/on/")

    assert without_reason.status_code == 422
    assert off[0]
    assert "Too many appeals." in off[1]
    assert not are_policies_off()


def test_costs_few_queries(jonas: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(3):
        propose(BLOCK.replace('"1"', f'"{number}"'), by=lead("Ada Moreau"), now=timezone.now())
    noted(*[suspect(account()) for _ in range(10)])

    with django_assert_max_num_queries(12):
        jonas.get("/policy/")


class TestWhatIsHeldForAPerson:
    @pytest.fixture(autouse=True)
    def _a_live_policy(self) -> None:
        policy = propose(BLOCK, by=lead("Ada Moreau"), now=timezone.now())
        go_live(policy, by=lead(), now=timezone.now(), early_because="An incident.")

    def held(self, *names: str) -> None:
        for name in names:
            noted(suspect(account(name)))
        apply_due_outcomes(now=timezone.now() + timedelta(minutes=1), staff_ceilings=get_staff_ceilings)

    def test_is_named_with_its_case_and_the_cap(self, jonas: Client, settings: Any) -> None:
        settings.AUTOMATIC_ACCOUNTS_AN_HOUR = 1
        opened = case(about := account("acct_second"))
        self.held("acct_first")
        noted(suspect(about))
        self.held()

        shown = page(jonas)

        assert f'href="/cases/{opened.pk}/"><bdi>acct_second</bdi></a>, held' in shown
        assert "Rule “Critical”, action block. Hourly cap of 1 account reached: 1 restricted already." in shown
        assert "Hourly cap: <b>1</b> of 1 account used" in shown

    def test_says_what_share_of_traffic_an_account_has_however_small(self, jonas: Client, settings: Any) -> None:
        settings.AUTOMATIC_TRAFFIC_PERCENT = 0.05
        now = timezone.now()
        sent = {"small": 1, "large": 3, "good": 2_996}
        lines = [
            line(account=name, occurred_at=now.isoformat()) for name, number in sent.items() for _ in range(number)
        ]
        record_lines(lines, source="x", now=now)
        compact_profiles(list(Account.objects.values_list("pk", flat=True)))
        for name in ("small", "large"):
            noted(suspect(Account.objects.get(external_id=name)))
        self.held()

        shown = page(jonas)

        assert "<b>0.03 %</b> of 0.05 % traffic" in shown
        cap = "Hourly cap of 0.05 % of traffic reached: this account has 0.1 %; 0.03 % is restricted already."
        assert cap in shown

    def test_is_named_the_newest_first_and_counted_beyond_twenty(self, jonas: Client, settings: Any) -> None:
        settings.AUTOMATIC_ACCOUNTS_AN_HOUR = 0
        self.held(*(f"acct_{number:02}" for number in range(22)))

        shown = page(jonas)

        assert "Held for review</dt><dd>22</dd>" in shown
        assert "and 2 more" in shown
        assert shown.count("Hourly cap of 0 accounts reached") == 20


class TestBeforeAPolicyGoesLive:
    @pytest.fixture
    def policy(self) -> PolicyVersion:
        return propose(BLOCK, by=lead("Ada Moreau"), now=timezone.now())

    def test_the_page_names_whom_it_would_restrict_now_and_whom_not(self, jonas: Client, policy: PolicyVersion) -> None:
        seen = case(account("acct_seen")).assessment
        seen.findings = findings()
        seen.save()
        suspect(account("acct_calm"), band="high")
        suspect(account("acct_thin"), findings=findings("content", "shape"))

        shown = " ".join(jonas.get(f"/policy/{policy.pk}/live/").content.decode().split())

        assert "it would restrict <b>1</b> account." in shown
        assert f'href="/cases/{seen.account.cases.get().pk}/">acct_seen</a> (score 82) blocked by “Critical”' in shown
        assert "<b>1</b>: Fewer than 3 kinds of evidence" in shown
        assert "acct_calm" not in shown

    def test_the_page_names_the_first_and_counts_the_others(self, jonas: Client, policy: PolicyVersion) -> None:
        for number in range(52):
            suspect(account(f"acct_{number:02}"))

        shown = " ".join(jonas.get(f"/policy/{policy.pk}/live/").content.decode().split())

        assert "it would restrict <b>52</b> accounts." in shown
        assert "It restricts at most 20 accounts" in shown
        assert "and 2 more" in shown

    # 1 session, 2 user, 3 policy, 4 newest assessments, 5 their accounts with licences, 6 campaigns, 7 restrictions,
    # 8 decisions, 9 those about campaigns, 10 what staff restricted and lifted, 11 the evidence then, 12 names
    @pytest.mark.parametrize("many", [1, 60])
    def test_the_page_costs_twelve_queries_for_any_number_of_accounts(
        self, jonas: Client, policy: PolicyVersion, django_assert_max_num_queries: Any, many: int
    ) -> None:
        for number in range(many):
            about = account(f"acct_{number}", organisation=f"org_{number}")
            lift(restriction(about), note="x", by=lead("Ada Moreau").actor, now=NOW)
            suspect(about, campaign=campaign_of(about).pk)
            suspect(account())

        with django_assert_max_num_queries(12):
            shown = jonas.get(f"/policy/{policy.pk}/live/").content.decode()

        assert f"it would restrict <b>{many}</b> account" in " ".join(shown.split())
        assert "Staff removed a restriction" in shown

    def test_a_reason_is_asked_for_only_in_its_first_day(self, jonas: Client, settings: Any) -> None:
        policy = propose(BLOCK, by=lead("Ada Moreau"), now=timezone.now() - timedelta(hours=25))
        shown = jonas.get(f"/policy/{policy.pk}/live/").content.decode()

        assert 'name="why"' not in shown
        assert jonas.post(f"/policy/{policy.pk}/live/").status_code == 302

    def test_the_time_in_the_shadow_can_be_set(self, jonas: Client, policy: PolicyVersion, settings: Any) -> None:
        settings.AUTOMATIC_SHADOW_HOURS = 0

        assert jonas.post(f"/policy/{policy.pk}/live/").status_code == 302

    @pytest.mark.parametrize("role", [Role.REVIEWER, Role.AUDITOR])
    def test_others_do_not_see_it(self, policy: PolicyVersion, role: Role) -> None:
        assert signed_in(person(role=role)).get(f"/policy/{policy.pk}/live/").status_code == 403


def test_a_policy_whose_file_is_not_valid_any_more_says_so_and_does_nothing(jonas: Client) -> None:
    stale = BLOCK.replace("action", 'families = ["campaign"]\naction')
    policy = PolicyVersion.objects.create(version="1", content=stale, proposed_at=NOW, proposed_by=lead("Ada Moreau"))
    noted(suspect(account()))

    shown = page(jonas)
    refused = jonas.post(f"/policy/{policy.pk}/live/")

    assert "Not applied: its file is no longer valid." in shown
    assert "Rule 1: families must be one of answers, content, identity, rhythm, shape, together, not" in shown
    assert refused.status_code == 409


@pytest.mark.parametrize(("role", "sees", "proposes"), [(Role.REVIEWER, 403, 403), (Role.AUDITOR, 200, 403)])
def test_others_have_no_say(role: Role, sees: int, proposes: int) -> None:
    somebody = signed_in(person(role=role))

    assert somebody.get("/policy/").status_code == sees
    assert somebody.post("/policy/propose/", {"content": BLOCK}).status_code == proposes
    assert somebody.post("/policy/off/", {"why": "x"}).status_code == proposes
