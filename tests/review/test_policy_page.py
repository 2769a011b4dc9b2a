from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from governance.enforcement.automatic import is_off, weigh
from governance.review.models import Decision
from governance.review.policy.forms import EXAMPLE
from governance.risk.models import PolicyVersion
from governance.risk.policies import propose
from governance.staff.roles import Role
from tests.enforcement.test_automatic import BLOCK, lead
from tests.factories import account, assessment, case, person
from tests.review.pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def jonas() -> Client:
    return signed_in(lead())


def page(client: Client) -> str:
    return " ".join(client.get("/policy/").content.decode().split())


def decided(name: str, action: str) -> None:
    """A case that a policy in the shadow saw and staff decided so."""
    about = account(name)
    opened = case(about)
    weigh([assessment(about)], now=timezone.now())
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
    own = jonas.post(f"/policy/{policy.pk}/live/")
    other = signed_in(lead("Ada Moreau")).post(f"/policy/{policy.pk}/live/", follow=True)

    assert own.status_code == 409
    assert "Somebody else than its author" in own.content.decode()
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


def test_a_policy_in_the_shadow_is_compared_with_what_staff_decided(jonas: Client) -> None:
    propose(BLOCK, by=lead("Ada Moreau"), now=timezone.now())
    decided("acct_innocent", "dismiss")
    weigh([assessment(account("acct_open"))], now=timezone.now())

    shown = page(jonas)

    assert "It would have restricted <b>2</b> accounts in 30 days." in shown
    assert "did as much or more with <b>0 %</b>" in shown
    assert "acct_innocent" in shown
    assert "dismissed by staff" in shown
    assert "acct_open" not in shown


def test_everything_is_switched_off_and_on_again(jonas: Client) -> None:
    without_reason = jonas.post("/policy/off/", {"why": ""})
    jonas.post("/policy/off/", {"why": "Too many appeals."})
    off = (is_off(), page(jonas))
    jonas.post("/policy/on/")

    assert without_reason.status_code == 422
    assert off[0]
    assert "Too many appeals." in off[1]
    assert not is_off()


def test_costs_few_queries(jonas: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(3):
        propose(BLOCK.replace('"1"', f'"{number}"'), by=lead("Ada Moreau"), now=timezone.now())
    weigh([assessment(account()) for _ in range(10)], now=timezone.now())

    with django_assert_max_num_queries(12):
        jonas.get("/policy/")


@pytest.mark.parametrize(("role", "sees", "proposes"), [(Role.REVIEWER, 403, 403), (Role.AUDITOR, 200, 403)])
def test_others_have_no_say(role: Role, sees: int, proposes: int) -> None:
    somebody = signed_in(person(role=role))

    assert somebody.get("/policy/").status_code == sees
    assert somebody.post("/policy/propose/", {"content": BLOCK}).status_code == proposes
    assert somebody.post("/policy/off/", {"why": "x"}).status_code == proposes
