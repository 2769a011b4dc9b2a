"""What staff has let an account off holds for policies, until the evidence is materially worse."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Account, Organisation
from governance.audit.actor import Actor
from governance.detection.models import Assessment
from governance.restrictions.actions import end_expired, lift, restrict, restrict_campaign
from governance.restrictions.models import Restriction
from governance.restrictions.names import Target
from governance.restrictions.reasons import Reason
from governance.restrictions.terms import Terms
from governance.restrictions.undo import undo
from governance.review.models import Case, Decision
from governance.review.staff_ceilings import DISMISSED, LIFTED, MILDER, get_staff_ceilings
from tests.factories import MACHINE, NOW, account, api_key, assessment, campaign_of, case, findings, person, restriction

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
Kind = Restriction.Kind
MIRA = Actor("staff", "1", "Mira Okafor")
MACHINE_OF_THE_COMPANY = Actor("service_key", "1", "abuse-bot")


@pytest.fixture
def harbour() -> Account:
    found = account("acct_harbour", organisation="org_harbour")
    assessment(found, score=80, findings=findings())
    return found


def now_seen(of: Account, **fields: Any) -> Assessment:
    seen: dict[str, Any] = {"score": 80, "findings": findings()}
    return assessment(of, at=NOW + 3 * HOUR, **seen | fields)


def because(of: Account, kind: str = "block", **fields: Any) -> str:
    """Why no policy may restrict the account so; empty where it may."""
    ceiling = get_staff_ceilings([now_seen(of, **fields)]).get(of.pk)
    return ceiling.because if ceiling and Restriction.strength(kind) > ceiling.strength else ""


def decided(about: Case, action: str, *, hours: int = 1) -> Decision:
    made = restriction(about.own_account, Kind(action), at=NOW + hours * HOUR) if action != "dismiss" else None
    about.status, about.closed_at = Case.Status.DECIDED, NOW + hours * HOUR
    about.save()
    return Decision.objects.create(
        id=uuid.uuid4(),
        case=about,
        assessment=about.assessment,
        action=action,
        reason="other",
        decided_at=NOW + hours * HOUR,
        decided_by=person(),
        restriction=made,
    )


class TestSomebodyWhom:
    def test_staff_never_acted_on_is_open_to_policies(self, harbour: Account) -> None:
        assert because(harbour) == ""

    def test_staff_dismissed_is_not(self, harbour: Account) -> None:
        decided(case(harbour, score=80), "dismiss")

        assert because(harbour, "watch", findings=[]) == DISMISSED

    def test_staff_dismissed_and_undid_that_is(self, harbour: Account) -> None:
        mistaken = decided(case(harbour, score=80), "dismiss")
        mistaken.undone_at, mistaken.undone_by = NOW + HOUR, mistaken.decided_by
        mistaken.save()

        assert because(harbour, findings=[]) == ""

    @pytest.mark.parametrize(("kind", "said"), [("watch", ""), ("verify", ""), ("suspend", MILDER), ("block", MILDER)])
    def test_staff_was_milder_with_is_open_to_as_much_and_no_more(self, harbour: Account, kind: str, said: str) -> None:
        decided(case(harbour, score=80), "verify")

        assert because(harbour, kind, findings=[]) == said

    @pytest.mark.parametrize("by", [MIRA, MACHINE_OF_THE_COMPANY], ids=str)
    @pytest.mark.parametrize("ending", ["lifted", "undone"])
    @pytest.mark.parametrize("on", ["account", "key", "organisation"])
    def test_something_was_lifted_from_is_not(self, harbour: Account, by: Actor, ending: str, on: str) -> None:
        targets: dict[str, Target] = {
            "account": harbour,
            "key": api_key(harbour),
            "organisation": Organisation.objects.get(),
        }
        made = restriction(targets[on])
        if ending == "undone":
            undo([made.origin], note="A slip.", by=by, now=NOW + HOUR)
        else:
            lift(made, note="Appeal granted.", by=by, now=NOW + HOUR)

        assert because(harbour) == LIFTED

    def test_something_was_lifted_from_while_something_else_stood_over_it_is_not(self, harbour: Account) -> None:
        of_policy = restriction(harbour, unique_key="policy:1:1")
        restriction(harbour, until=NOW + 2 * HOUR)
        lift(of_policy, note="Appeal granted.", by=MACHINE_OF_THE_COMPANY, now=NOW + HOUR)

        end_expired(now=NOW + 3 * HOUR)

        assert because(harbour) == LIFTED

    @pytest.mark.parametrize("on", ["key", "organisation"])
    @pytest.mark.parametrize("moved", ["before it was lifted", "after it was lifted"])
    def test_something_was_lifted_from_while_it_was_elsewhere_is_not(
        self, harbour: Account, on: str, moved: str
    ) -> None:
        key, other = api_key(harbour), account("acct_quay", organisation="org_quay")
        assessment(other, score=80, findings=findings())
        organisation = Organisation.objects.get(external_id="org_harbour")
        made = restriction(key if on == "key" else organisation)
        if moved == "after it was lifted":
            lift(made, note="Appeal granted.", by=MIRA, now=NOW + HOUR)

        key.account, harbour.organisation = other, other.organisation
        key.save()
        harbour.save()

        if moved == "before it was lifted":
            lift(made, note="Appeal granted.", by=MIRA, now=NOW + HOUR)
        assert because(harbour) == LIFTED
        assert because(other) == (LIFTED if on == "key" else "")

    def test_something_was_lifted_from_long_before_it_came_there_is_held_to_it_while_it_stays(
        self, harbour: Account
    ) -> None:
        quay = account("acct_quay", organisation="org_quay")
        assert quay.organisation is not None
        lift(restriction(quay.organisation), note="Appeal granted.", by=MIRA, now=NOW + HOUR)

        harbour.organisation = quay.organisation
        harbour.save()

        assert because(harbour) == LIFTED

    def test_something_expired_from_is(self, harbour: Account) -> None:
        restriction(harbour, Kind.SUSPEND, until=NOW + HOUR)

        assert because(harbour) == ""

    def test_the_platform_itself_freed_is(self, harbour: Account) -> None:
        lift(restriction(harbour), note="The canary was looked at.", by=MACHINE, now=NOW + HOUR)

        assert because(harbour) == ""

    def test_staff_threw_out_with_a_campaign_more_mildly_is_not_open_to_more(self, harbour: Account) -> None:
        campaign = campaign_of(harbour, account())
        terms = Terms(Kind.THROTTLE, Reason.OTHER, requests_per_minute=5)
        restrict_campaign(campaign, terms, unique_key="decision:1", by=MIRA, now=NOW + HOUR)

        assert (because(harbour, "throttle"), because(harbour)) == ("", MILDER)

    def test_staff_restricted_harder_since_is(self, harbour: Account) -> None:
        decided(case(harbour, score=80), "dismiss", hours=1)
        decided(case(harbour, score=80), "block", hours=2)

        assert because(harbour, findings=[]) == ""

    def test_staff_replaced_something_with_as_much_is(self, harbour: Account) -> None:
        restriction(harbour)
        restrict(harbour, Terms(Kind.BLOCK, Reason.OTHER), unique_key="again", by=MIRA, now=NOW + HOUR)

        assert because(harbour) == ""


class TestItHolds:
    @pytest.fixture(autouse=True)
    def _lifted(self, harbour: Account) -> None:
        lift(restriction(harbour), note="Appeal granted.", by=MIRA, now=NOW + HOUR)

    def test_though_the_score_moves_a_little(self, harbour: Account) -> None:
        assert because(harbour, score=89) == LIFTED

    def test_though_a_kind_of_evidence_is_gone(self, harbour: Account) -> None:
        assert because(harbour, findings=findings("content")) == LIFTED

    def test_until_the_score_is_ten_points_worse(self, harbour: Account) -> None:
        assert because(harbour, score=90) == ""

    def test_until_there_is_a_new_kind_of_evidence(self, harbour: Account) -> None:
        assert because(harbour, findings=findings("content", "shape", "rhythm", "identity")) == ""

    def test_compared_with_what_was_known_when_it_was_lifted(self, harbour: Account) -> None:
        assessment(harbour, at=NOW + 2 * HOUR, score=95)  # later, and gone again

        assert because(harbour, score=89) == LIFTED


def test_costs_four_queries_for_any_number(django_assert_num_queries: Any) -> None:
    seen = []
    for number in range(5):
        about = account(f"acct_{number}", organisation="org_all")
        seen.append(assessment(about))
        lift(restriction(about), note="x", by=MIRA, now=NOW + HOUR)

    # decisions, those about campaigns, restrictions, evidence
    with django_assert_num_queries(4):
        assert len(get_staff_ceilings(seen)) == 5
