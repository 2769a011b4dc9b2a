"""The canary, against a gateway that asks the truth itself, and ones that do not obey, or do not answer."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

import pytest
from django.utils import timezone

from accounts.models import Account
from governance.gateways.actions import UnusableCanaryError, set_canary
from governance.gateways.models import CanaryProbe, Gateway
from governance.gateways.probes import CANARY, Canary, claim_probe, pause_lengths, probe, run_due_probes
from governance.platform.encryption import encrypt_secret
from governance.platform.locks import Lock
from governance.restrictions.actions import restrict
from governance.restrictions.models import Change, Restriction
from governance.restrictions.queries import access
from governance.restrictions.reasons import Reason
from governance.restrictions.terms import Terms
from tests.factories import MACHINE, NOW, account, restriction
from tests.gateways.canary_server import ACCOUNT, CanaryServer, canary_server
from tests.gateways.somebody_else import somebody_else_has

pytestmark = pytest.mark.django_db(transaction=True)
Outcome = CanaryProbe.Outcome
SECRET = "Bearer sk-of-the-canary"


@pytest.fixture
def served(transactional_db: None) -> Iterator[CanaryServer]:
    with canary_server() as server:
        yield server


@pytest.fixture
def gateway(served: CanaryServer) -> Gateway:
    return set_canary("edge", ACCOUNT, served.url, headers={"Authorization": SECRET}, by=MACHINE, now=timezone.now())


class Hurried:
    """A clock of its own: pauses pass at once, and each look at it takes a millisecond, however slow the machine is."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> float:
        self.seconds += 0.001
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def probed(gateway: Gateway) -> list[tuple[bool, str]]:
    """Of each probe whether it is of the lifting, and its outcome."""
    hurried = Hurried()
    probes = probe(gateway, timezone.now(), clock=hurried.clock, sleep=hurried.sleep)
    return [(one.lifting, one.outcome) for one in probes]


class TestAGatewayThatObeys:
    def test_is_seen_to_refuse_and_to_let_in_again(self, gateway: Gateway) -> None:
        refused, let_in = probe(gateway, timezone.now())

        assert (refused.lifting, refused.outcome, refused.detail) == (False, Outcome.OBEYED, "403")
        assert (let_in.lifting, let_in.outcome, let_in.detail) == (True, Outcome.OBEYED, "200")
        assert [one.what for one in Change.objects.filter(number__in=[refused.change, let_in.change])] == [
            "began",
            "ended",
        ]
        assert None not in {refused.took_ms, let_in.took_ms}
        assert refused.at < let_in.at

    def test_is_asked_with_the_request_of_the_canary(self, served: CanaryServer, gateway: Gateway) -> None:
        set_canary("edge", ACCOUNT, served.url + "?a=1", headers={"Authorization": SECRET}, body='{"n": 1}',
                   by=MACHINE, now=NOW)  # fmt: skip
        gateway.refresh_from_db()

        probed(gateway)

        assert set(served.asked) == {("POST", "/v1/models?a=1", SECRET, "application/json", '{"n": 1}')}

    @pytest.mark.parametrize("status", [400, 401, 403, 429])
    def test_may_refuse_by_any_status_that_gateways_refuse_with(
        self, served: CanaryServer, gateway: Gateway, status: int
    ) -> None:
        served.refuses_with = status

        assert probed(gateway) == [(False, Outcome.OBEYED), (True, Outcome.OBEYED)]

    def test_leaves_nothing_in_force(self, gateway: Gateway) -> None:
        probed(gateway)

        assert access(account=ACCOUNT, now=timezone.now()).restriction is None


class TestAGatewayThatIgnoresBlocks:
    def test_is_found_out(self, served: CanaryServer, gateway: Gateway) -> None:
        served.obeys = False

        assert probed(gateway) == [(False, Outcome.IGNORED)]
        assert CanaryProbe.objects.get().took_ms is None
        assert access(account=ACCOUNT, now=timezone.now()).allowed

    def test_is_asked_for_ten_seconds(self, served: CanaryServer, gateway: Gateway) -> None:
        served.obeys = False
        hurried = Hurried()

        probe(gateway, timezone.now(), clock=hurried.clock, sleep=hurried.sleep)

        assert 8 < hurried.seconds <= 10
        assert len(served.asked) > 20

    def test_is_found_out_where_it_does_not_let_in_again(self, served: CanaryServer, gateway: Gateway) -> None:
        served.lets_in_again = False

        assert probed(gateway) == [(False, Outcome.OBEYED), (True, Outcome.IGNORED)]


class TestAGatewayThatCannotBeJudged:
    def test_is_dead_from_the_start(self, gateway: Gateway) -> None:
        Gateway.objects.update(canary_url="http://127.0.0.1:1/")
        gateway.refresh_from_db()

        assert probed(gateway) == [(False, Outcome.UNREACHABLE)]
        assert CanaryProbe.objects.get().detail.endswith("was blocked: connection refused.")
        assert not Restriction.objects.exists()

    @pytest.mark.parametrize("status", [500, 503, 404, 302])
    def test_answers_neither_yes_nor_no(self, served: CanaryServer, gateway: Gateway, status: int) -> None:
        served.answers, served.instead = 1, status

        assert probed(gateway) == [(False, Outcome.UNREACHABLE)]
        assert access(account=ACCOUNT, now=timezone.now()).allowed

    def test_refuses_the_canary_before_it_is_blocked(self, served: CanaryServer, gateway: Gateway) -> None:
        served.instead = 401

        assert probed(gateway) == [(False, Outcome.UNREACHABLE)]
        assert "401" in CanaryProbe.objects.get().detail

    def test_serves_a_canary_that_is_restricted_anyway(self, served: CanaryServer, gateway: Gateway) -> None:
        block = restriction(Account.objects.get(), at=timezone.now())

        assert probed(gateway) == [(False, Outcome.UNREACHABLE)]
        assert served.asked == []
        block.refresh_from_db()
        assert block.ended_at is None

    def test_has_a_canary_whose_headers_cannot_be_read_any_more(self, gateway: Gateway) -> None:
        Gateway.objects.update(canary_headers=b"nonsense")
        gateway.refresh_from_db()

        assert probed(gateway) == [(False, Outcome.UNREACHABLE)]

    def test_keeps_the_secret_out_of_what_is_written_down(self, gateway: Gateway) -> None:
        canary = Canary("http://127.0.0.1:1/", {"Authorization": f"{SECRET}\r\nX: 1"}, "")

        assert canary.ask() == (None, "the request cannot be sent")


class TestARunThatWasCutOff:
    def test_is_tidied_up_by_the_next(self, gateway: Gateway) -> None:
        block = Terms(Restriction.Kind.BLOCK, Reason.OTHER)
        left_over = restrict(
            Account.objects.get(),
            block,
            unique_key=f"canary:{gateway.pk}:cut-off",
            by=CANARY,
            now=timezone.now() - timedelta(minutes=1),
        )

        assert probed(gateway) == [(False, Outcome.OBEYED), (True, Outcome.OBEYED)]

        left_over.refresh_from_db()
        assert left_over.ending == Restriction.Ending.LIFTED
        assert access(account=ACCOUNT, now=timezone.now()).allowed

    def test_lifts_its_block_on_the_way_out(self, gateway: Gateway) -> None:
        def fall(seconds: float) -> None:
            raise KeyboardInterrupt

        with canary_server() as deaf:
            deaf.obeys = False
            Gateway.objects.update(canary_url=deaf.url)
            gateway.refresh_from_db()
            with pytest.raises(KeyboardInterrupt):
                probe(gateway, timezone.now(), sleep=fall)

        assert access(account=ACCOUNT, now=timezone.now()).allowed

    def test_would_end_by_itself_were_nobody_left_to_lift_it(self, gateway: Gateway) -> None:
        probed(gateway)

        block = Restriction.objects.get()
        assert block.expires_at is not None
        assert block.expires_at - block.starts_at <= timedelta(minutes=5)


class TestWhatIsDue:
    def test_is_probed_once_in_five_minutes(self, gateway: Gateway) -> None:
        now = timezone.now()

        assert [run_due_probes(now), run_due_probes(now)] == [1, 0]
        gateway.refresh_from_db()
        assert gateway.probe_due_at is not None
        assert timedelta(minutes=5) <= gateway.probe_due_at - now < timedelta(minutes=6)

    def test_is_taken_by_one_worker(self, gateway: Gateway) -> None:
        seen_by_both = Gateway.objects.get()

        taken = [claim_probe(seen_by_both, now=timezone.now()) for _ in range(2)]

        assert taken == [True, False]

    def test_is_left_to_the_worker_that_takes_it_first(self, gateway: Gateway, served: CanaryServer) -> None:
        """Both found it due, and this one was a moment later."""
        looks = Hurried()

        def clock() -> float:
            if looks.seconds:
                claim_probe(Gateway.objects.get(), now=timezone.now())
            return looks.clock()

        assert run_due_probes(timezone.now(), clock=clock, sleep=looks.sleep) == 0
        assert served.asked == []

    def test_needs_a_canary(self) -> None:
        without = Gateway.objects.create(name="edge", created_at=NOW)

        with pytest.raises(ValueError, match="edge has no canary"):
            probe(without, timezone.now())

    def test_is_left_to_whoever_is_at_it(self, gateway: Gateway) -> None:
        with somebody_else_has(Lock.CANARY_PROBE, gateway):
            assert probed(gateway) == []

    def test_goes_on_where_one_fails(
        self, gateway: Gateway, served: CanaryServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        set_canary("broken", "acct_other", served.url, headers={}, by=MACHINE, now=NOW)
        Gateway.objects.filter(name="broken").update(canary_headers=encrypt_secret("no JSON"))

        assert run_due_probes(timezone.now()) == 1
        assert CanaryProbe.objects.filter(gateway=gateway, outcome=Outcome.OBEYED).count() == 2
        assert "canary of broken" in caplog.text


class TestSettingACanary:
    def test_needs_an_account_of_its_own(self, gateway: Gateway) -> None:
        with pytest.raises(UnusableCanaryError, match="another gateway"):
            set_canary("second", ACCOUNT, "https://edge.example.com/", headers={}, by=MACHINE, now=NOW)

    @pytest.mark.parametrize(
        "url", ["ftp://edge.example.com/", "https:///x", "https://me:pw@edge.example.com/", "https://a b/", "/x"]
    )
    def test_needs_an_address(self, url: str) -> None:
        with pytest.raises(UnusableCanaryError, match="https"):
            set_canary("edge", ACCOUNT, url, headers={}, by=MACHINE, now=NOW)

    def test_takes_no_header_of_several_lines(self) -> None:
        with pytest.raises(UnusableCanaryError, match="one line"):
            set_canary("edge", ACCOUNT, "https://edge.example.com/", headers={"A": "b\nc"}, by=MACHINE, now=NOW)

    def test_takes_an_account_that_is_known(self) -> None:
        known = account(ACCOUNT)

        gateway = set_canary("edge", ACCOUNT, "https://edge.example.com/", headers={}, by=MACHINE, now=NOW)

        assert gateway.canary_account == known


def test_pauses_grow_to_a_fifth_of_a_second() -> None:
    first = list(islice(pause_lengths(), 12))

    assert first[0] == 0.02
    assert first == sorted(first)
    assert first[-1] == 0.2
