"""What the indicators of a partner do here."""

import json
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Account
from governance.audit.models import Entry
from governance.campaigns.traits import TraitKind
from governance.detection.models import PartnerMatch
from governance.sharing.actions.indicators import PartnerNotSendingError, import_indicators
from governance.sharing.actions.partners import change_key, revoke_partner
from governance.sharing.keyed_digests import SharedKey
from governance.sharing.matching import MOST_ACCOUNTS, match_indicators
from governance.sharing.models import Indicator, Partner
from governance.sharing.received import MOST_BYTES, MOST_OBJECTS, UnreadableObjectsError
from governance.sharing.values import fingerprint_key_id
from governance.usage.models import DirtyAccount
from tests.factories import MACHINE, NOW, account
from tests.sharing.partners import KEY, bundle, card_pattern, indicator, later, partner, trait, uses_address

pytestmark = pytest.mark.django_db


def take_in(of: Partner, *objects: Any, after: timedelta = timedelta()) -> Any:
    return import_indicators(of, bundle(*objects), by=MACHINE, now=NOW + after)


def named() -> list[tuple[str, str, str]]:
    return list(PartnerMatch.objects.values_list("account__external_id", "partner", "kind").order_by("pk"))


class TestAnIndicator:
    @pytest.mark.parametrize("spelling", ["card_mill", "CARD_MILL"])
    def test_of_a_card_names_the_accounts_on_it(self, spelling: str) -> None:
        account("acct_mill", payment_fingerprint=spelling)
        account("acct_other", payment_fingerprint="card_other")

        report = take_in(partner().partner, indicator(card_pattern("card_mill")))

        assert (report.added, report.accounts) == (1, 1)
        assert named() == [("acct_mill", "North Lab", "card")]
        assert list(DirtyAccount.objects.values_list("account__external_id", "is_forced")) == [("acct_mill", True)]

    def test_of_a_domain_names_its_accounts(self) -> None:
        account("acct_mill", email_domain="mill.example")

        take_in(
            partner().partner,
            indicator(f"[x-stillwatch-digest:email_domain = '{KEY.digest('domain', 'mill.example')}']"),
        )

        assert named() == [("acct_mill", "North Lab", "domain")]

    def test_of_an_address_names_who_uses_it(self) -> None:
        uses_address(account("acct_mill"), "203.0.113.7")
        uses_address(account("acct_other"), "203.0.113.8")

        take_in(partner().partner, indicator("[ipv4-addr:value = '203.0.113.7']"))

        assert named() == [("acct_mill", "North Lab", "address")]

    @pytest.mark.parametrize(
        ("network", "inside", "outside"),
        [
            (
                "[ipv4-addr:value ISSUBSET '203.0.113.0/24']",
                ["203.0.113.0", "203.0.113.255"],
                ["203.0.112.255", "203.0.114.0"],
            ),
            ("[ipv6-addr:value ISSUBSET '2001:db8:1::/48']", ["2001:db8:1::", "2001:db8:1:ffff::1"], ["2001:db8:2::"]),
        ],
    )
    def test_of_a_network_names_who_signed_up_from_it(
        self, network: str, inside: list[str], outside: list[str]
    ) -> None:
        for address in inside + outside:
            account(f"acct_{address}", signup_ip=address)

        take_in(partner().partner, indicator(network))

        assert {name for name, *_ in named()} == {f"acct_{address}" for address in inside}

    @pytest.mark.parametrize("digest", [7, -7])
    def test_of_a_wording_names_who_uses_it(self, digest: int) -> None:
        trait(account("acct_mill"), TraitKind.CLOSING, digest)
        value = f"{fingerprint_key_id()}:{digest % 2**64:016x}"

        take_in(partner().partner, indicator(f"[x-stillwatch-digest:wrapper = '{value}']"))

        assert named() == [("acct_mill", "North Lab", "wrapper")]

    def test_made_with_the_key_of_another_partner_names_nobody(self) -> None:
        account(payment_fingerprint="card_mill")

        take_in(partner(key=SharedKey.new(1)).partner, indicator(card_pattern("card_mill")))

        assert named() == []

    def test_made_with_an_older_key_is_still_understood(self) -> None:
        account("acct_mill", payment_fingerprint="card_mill")
        north = partner().partner
        change_key(north, by=MACHINE, now=NOW)

        take_in(north, indicator(card_pattern("card_mill")))

        assert named() == [("acct_mill", "North Lab", "card")]

    def test_that_fits_too_many_accounts_names_nobody(self) -> None:
        Account.objects.bulk_create(
            Account(external_id=f"acct_{number}", email_domain="mail.example", first_seen_at=NOW)
            for number in range(MOST_ACCOUNTS + 1)
        )

        take_in(
            partner().partner,
            indicator(f"[x-stillwatch-digest:email_domain = '{KEY.digest('domain', 'mail.example')}']"),
        )

        assert named() == []

    def test_of_an_erased_account_names_nobody(self) -> None:
        account(payment_fingerprint="erased-0123456789abcdef")

        take_in(partner().partner, indicator(card_pattern("erased-0123456789abcdef")))

        assert named() == []


class TestWhatIsNamed:
    def test_is_named_no_more_once_it_is_over(self) -> None:
        account("acct_mill", payment_fingerprint="card_mill")
        take_in(partner().partner, indicator(card_pattern("card_mill"), valid_until=later(days=3)))

        assert match_indicators(now=NOW + timedelta(days=2)) == 0
        assert match_indicators(now=NOW + timedelta(days=3)) == 1
        assert named() == []

    def test_is_over_after_90_days_where_no_end_is_named(self) -> None:
        take_in(partner().partner, indicator(card_pattern("card_mill")))

        assert Indicator.objects.get().valid_until == NOW + timedelta(days=90)

    def test_is_over_after_a_year_at_the_latest(self) -> None:
        take_in(partner().partner, indicator(card_pattern("card_mill"), valid_until=later(days=9_000)))

        assert Indicator.objects.get().valid_until == NOW + timedelta(days=365)

    def test_is_named_no_more_once_it_is_retracted_and_stays_so(self) -> None:
        account("acct_mill", payment_fingerprint="card_mill")
        north, said = partner().partner, indicator(card_pattern("card_mill"))
        take_in(north, said)

        report = take_in(north, {**said, "modified": later(hours=1), "revoked": True}, after=timedelta(hours=2))
        again = take_in(north, {**said, "modified": later(hours=3)}, after=timedelta(hours=3))

        assert (report.retracted, report.accounts, again.unchanged) == (1, 1, 1)
        assert named() == []

    def test_is_named_no_more_once_the_partner_is_revoked(self) -> None:
        account("acct_mill", payment_fingerprint="card_mill")
        north = partner().partner
        take_in(north, indicator(card_pattern("card_mill")))

        revoke_partner(north, by=MACHINE, now=NOW)

        assert named() == []

    def test_is_found_again_when_the_account_changes(self) -> None:
        changing = account("acct_mill", payment_fingerprint="card_1")
        take_in(partner().partner, indicator(card_pattern("card_mill")))
        Account.objects.filter(pk=changing.pk).update(payment_fingerprint="card_mill")

        assert match_indicators(now=NOW) == 1
        assert named() == [("acct_mill", "North Lab", "card")]


class TestAFile:
    def test_a_second_time_changes_nothing(self) -> None:
        north, said = partner().partner, indicator(card_pattern("card_mill"))
        take_in(north, said)

        report = take_in(north, said)

        assert (report.added, report.updated, report.unchanged, report.accounts) == (0, 0, 1, 0)
        assert Entry.objects.filter(verb="indicators.imported").count() == 1

    def test_counts_the_newest_version_whatever_the_order(self) -> None:
        said = indicator(card_pattern("card_mill"))
        newer = {**said, "modified": later(hours=1), "pattern": card_pattern("card_new")}

        take_in(partner().partner, newer, said, after=timedelta(hours=2))

        assert Indicator.objects.get().value == KEY.digest("card", "card_new")

    @pytest.mark.parametrize(
        "bad",
        [
            pytest.param(None, id="nothing"),
            pytest.param("indicator", id="a text"),
            pytest.param({}, id="an empty object"),
            pytest.param({"type": ["indicator"]}, id="a list for its type"),
            pytest.param(indicator("[file:name = 'a']"), id="another pattern"),
            pytest.param(indicator(card_pattern("card_mill"), id="indicator--1"), id="an id that is none"),
            pytest.param(indicator(card_pattern("card_mill"), valid_from="yesterday"), id="a time that is none"),
            pytest.param(indicator(card_pattern("card_mill"), modified=later(days=9)), id="from the future"),
            pytest.param(indicator(card_pattern("card_mill"), pattern_type="sigma"), id="another language"),
            pytest.param(indicator("[x-stillwatch-digest:wrapper = '00000000:0123456789abcdef']"), id="another key"),
            pytest.param(indicator(card_pattern("card_mill"), name={"a": [1]}, labels=7), id="other types"),
        ],
    )
    def test_takes_in_what_stands_beside_a_bad_object(self, bad: Any) -> None:
        good = indicator(card_pattern("card_mill"))

        report = take_in(partner().partner, bad, good, {"type": "grouping"})

        assert [fault.place for fault in report.faults] == [1]
        assert report.faults[0].why
        assert (report.added, report.others) == (1, 1)

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b"", id="empty"),
            pytest.param(b"\xff", id="no UTF-8"),
            pytest.param(b"[]", id="a list"),
            pytest.param(b'{"objects": 7}', id="a number for its objects"),
            pytest.param(b"[" * 100_000, id="nested"),
            pytest.param(b" " * (MOST_BYTES + 1), id="too long"),
            pytest.param(json.dumps({"objects": [1] * (MOST_OBJECTS + 1)}).encode(), id="too many"),
        ],
    )
    def test_that_is_no_bundle_is_refused_as_a_whole(self, content: bytes) -> None:
        with pytest.raises(UnreadableObjectsError):
            import_indicators(partner().partner, content, by=MACHINE, now=NOW)

    def test_of_a_partner_that_only_receives_is_refused(self) -> None:
        with pytest.raises(PartnerNotSendingError):
            take_in(partner(sends=False).partner, indicator(card_pattern("card_mill")))
