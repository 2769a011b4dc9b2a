"""The banner, the list of gateways and the rows of each restriction say the same of a gateway, in every state."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from django.test import Client
from time_machine import TimeMachineFixture

from accounts.models import Account, Organisation
from governance.gateways.activity import KnownGateway, list_known_gateways
from governance.gateways.epochs import begin_epoch
from governance.gateways.models import Gateway, GatewayInstance
from governance.gateways.queries import get_expected_state
from governance.gateways.status import EnforcementState, Expected
from governance.restrictions import names
from governance.restrictions.actions import lift
from governance.restrictions.models import Restriction
from governance.restrictions.publication import cover_new_names
from governance.restrictions.queries import last_number
from governance.review.models import Case
from governance.staff.roles import Role
from governance.usage.models import LastUsage
from tests.factories import MACHINE, NOW, account, api_key, case, person, restriction, service_key
from tests.review.pages import address, signed_in

pytestmark = pytest.mark.django_db

AT_ONCE, LATE = timedelta(seconds=2), timedelta(seconds=20)


def ago(span: timedelta) -> datetime:
    return NOW - span


def gateway(*, asked: timedelta | None = None) -> Gateway:
    return Gateway.objects.create(name="edge", created_at=ago(LATE), asked_at=None if asked is None else ago(asked))


def instance(of: Gateway | None, knows: int, *, name: str = "a", seen: timedelta = timedelta(0)) -> None:
    GatewayInstance.objects.create(
        gateway=of, instance=name, sequence=knows, started_at=NOW - timedelta(days=1), seen_at=ago(seen)
    )


def block(*, made: timedelta = LATE) -> Restriction:
    case(blocked := account("acct_harbour"))
    return restriction(blocked, at=ago(made))


def usage_passes() -> None:
    key, _ = service_key("usage:write", name="edge")
    LastUsage.objects.create(service_key=key, newest_at=ago(LATE), received_at=ago(LATE))


def reported() -> None:
    instance(gateway(), block().number)


def asked() -> None:
    instance(None, block().number)
    gateway(asked=AT_ONCE)


def silent_without_it() -> None:
    instance(edge := gateway(), block().number)
    instance(edge, 0, name="b", seen=timedelta(minutes=2))


def on_its_way() -> None:
    instance(gateway(), block(made=AT_ONCE).number - 1)


def late() -> None:
    instance(gateway(), block().number - 1)


def late_while_new_names_come_every_moment() -> None:
    """The newest change is on its way, and the one before it should have arrived."""
    blocked = block()
    api_key(Account.objects.get())
    cover_new_names(now=ago(AT_ONCE))
    instance(gateway(), blocked.number - 1)


def late_behind_many_newer_ones() -> None:
    for _ in range(15):
        restriction(account(), at=ago(LATE))
    instance(edge := gateway(), last_number())
    instance(edge, block().number - 1, name="b")
    for _ in range(15):
        restriction(account(), at=ago(AT_ONCE))


def late_to_remove() -> None:
    blocked = block()
    lift(blocked, note="A mistake.", by=MACHINE, now=ago(LATE))
    instance(gateway(), blocked.number)


def late_to_enter_an_epoch() -> None:
    instance(gateway(), block().number)
    begin_epoch(reason="Restored.", by=MACHINE, now=ago(LATE))


def late_to_receive_all_accounts() -> None:
    for number in range(4):
        case(account(f"acct_{number}", organisation="org_quay"))
    made = restriction(Organisation.objects.get(), at=ago(LATE))
    assert made.published_in_full_by is None
    instance(gateway(), made.number)


def without_a_process_of_the_check() -> None:
    block()
    gateway(asked=AT_ONCE)


def ended_and_applied_until_the_next_is_published() -> None:
    ended = block()
    lift(ended, note="A mistake.", by=MACHINE, now=ago(LATE))
    Restriction.objects.update(is_end_unpublished=True)
    instance(gateway(), last_number())


def silent() -> None:
    instance(gateway(), block().number, seen=timedelta(minutes=7))


def silent_before_it_was_sent() -> None:
    instance(gateway(), block(made=AT_ONCE).number - 1, seen=timedelta(minutes=7))


def passed_by() -> None:
    instance(gateway(), block().number, seen=timedelta(minutes=7))
    usage_passes()


def passed_by_after_the_last_was_lifted() -> None:
    lift(block(), note="A mistake.", by=MACHINE, now=ago(LATE))
    instance(gateway(), last_number(), seen=timedelta(minutes=7))
    usage_passes()


GOOD: list[Callable[[], None]] = [reported, asked]
MILD: list[Callable[[], None]] = [
    silent_without_it,
    on_its_way,
    ended_and_applied_until_the_next_is_published,
    silent,
    silent_before_it_was_sent,
    passed_by_after_the_last_was_lifted,
]
GRAVE: list[Callable[[], None]] = [
    late,
    late_while_new_names_come_every_moment,
    late_behind_many_newer_ones,
    late_to_remove,
    late_to_enter_an_epoch,
    late_to_receive_all_accounts,
    without_a_process_of_the_check,
    passed_by,
]


class Said(NamedTuple):
    """What the pages show: the levels of the rows on the case page and on the enforcement page, how the gateway is
    marked in the list, and whether the banner names it.
    """

    case: set[str]
    rows: set[str]
    gateway: tuple[str, str]
    is_in_banner: bool


@pytest.fixture
def reviewer(time_machine: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch) -> Client:
    time_machine.move_to(NOW, tick=False)
    monkeypatch.setattr(names, "ACCOUNTS_AT_ONCE", 2)
    return signed_in(person())


def said(reviewer: Client) -> Said:
    levels = re.compile(r'class="force-(good|pending|warning|alarm)"')
    page = reviewer.get("/enforcement/").content.decode()
    [gateway] = re.findall(r'class="card gateway ([\w-]*)".*?<h3.*?href="[^"]*#([\w-]+)"', page, flags=re.DOTALL)
    return Said(
        set(levels.findall(reviewer.get(address(Case.objects.all()[0])).content.decode())),
        set(levels.findall(page)),
        gateway,
        "<b>edge</b>" in reviewer.get("/enforcement/alarm/").content.decode(),
    )


@pytest.mark.parametrize("comes_about", GOOD, ids=lambda state: state.__name__)
def test_where_all_is_well_every_row_has_its_tick(reviewer: Client, comes_about: Callable[[], None]) -> None:
    comes_about()

    assert said(reviewer) == Said({"good"}, {"good"}, ("", "check"), is_in_banner=False)


@pytest.mark.parametrize("comes_about", MILD, ids=lambda state: state.__name__)
def test_where_something_is_open_nothing_has_a_tick_and_nothing_is_red(
    reviewer: Client, comes_about: Callable[[], None]
) -> None:
    comes_about()

    shown = said(reviewer)
    assert shown.case in ({"pending"}, {"warning"})
    assert shown.rows in (
        shown.case,
        set(),
    )
    assert shown.gateway == (("", "clock") if shown.case == {"pending"} else ("gateway-warning", "warning"))
    assert not shown.is_in_banner


@pytest.mark.parametrize("comes_about", GRAVE, ids=lambda state: state.__name__)
def test_where_the_banner_names_a_gateway_a_row_says_why(reviewer: Client, comes_about: Callable[[], None]) -> None:
    comes_about()

    shown = said(reviewer)
    assert shown.case == {"alarm"}
    assert "alarm" in shown.rows
    assert shown.gateway == ("gateway-trouble", "warning")
    assert shown.is_in_banner


LISTED = re.compile(r'href="/restrictions/\?q=[^"]*">no. (\d+)</a>')


@pytest.mark.parametrize("comes_about", [*GOOD, *MILD, *GRAVE], ids=lambda state: state.__name__)
@pytest.mark.usefixtures("reviewer")
def test_the_figure_of_the_overview_is_the_number_of_rows_behind_it(comes_about: Callable[[], None]) -> None:
    comes_about()
    lead = signed_in(person("Jonas Lindqvist", role=Role.LEAD))

    overview = lead.get("/")
    rows = LISTED.findall(lead.get("/enforcement/missing/").content.decode())

    assert overview.context["missing"] == len(rows)
    assert f'href="/enforcement/missing/"><b>{len(rows)}</b>' in overview.content.decode()
    lacks_something = EnforcementState.NOT_YET in {known.activity.state(expected()) for known in gateways_in_use()}
    assert bool(rows) == lacks_something


def expected() -> Expected:
    return get_expected_state(now=NOW).expected


def gateways_in_use() -> list[KnownGateway]:
    return [known for known in list_known_gateways(now=NOW) if known.is_in_use]
