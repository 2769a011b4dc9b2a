"""Restrictions as gateways are sent them, read back after a restore: what cannot be meant is left out."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Account, Organisation
from governance.restrictions.lost_names import _known_keys, find_target
from governance.restrictions.payloads import parse_payload
from governance.restrictions.reasons import Reason
from tests.factories import NOW, account, api_key

HOUR = timedelta(hours=1)


def payload(**members: Any) -> dict[str, Any]:
    return {"kind": "block", "reason": "bulk_harvest", "from": NOW.isoformat(), "until": None} | members


class TestTheTerms:
    def test_are_those_that_were_published(self) -> None:
        terms = parse_payload(payload(until=(NOW + HOUR).isoformat()), now=NOW)

        assert terms is not None
        assert (terms.kind, terms.reason, terms.starts_at, terms.until) == (
            "block",
            "bulk_harvest",
            None,
            NOW + HOUR,
        )

    @pytest.mark.parametrize(
        "wrong",
        [
            {"kind": "of a newer release"},
            {"from": "2026-11-02T09:14:00"},
            {"from": None},
            {"until": (NOW - HOUR).isoformat()},
            {"from": (NOW + 2 * HOUR).isoformat(), "until": (NOW + HOUR).isoformat()},
            {"kind": "withhold", "withheld": ["dreams"]},
            {"kind": "throttle"},
            {"kind": "throttle", "requests_per_minute": "five"},
        ],
    )
    def test_are_none_where_they_are_over_or_not_known(self, wrong: dict[str, Any]) -> None:
        assert parse_payload(payload(**wrong), now=NOW) is None

    @pytest.mark.parametrize("reason", [None, "of a newer release", "licence_verified"])
    def test_have_another_reason_where_theirs_does_not_restrict(self, reason: str | None) -> None:
        terms = parse_payload(payload(reason=reason), now=NOW)

        assert terms is not None
        assert terms.reason == Reason.OTHER


@pytest.mark.django_db
class TestTheTarget:
    def test_is_found_or_made_as_far_as_the_register_can_have_it(self) -> None:
        key = api_key(account(), "key_1")

        def target(kind: str, name: str) -> object:
            return find_target({"against": kind, "names": {kind: [name]}}, now=NOW)

        assert target("key", "key_1") == key
        assert target("key", "key_2") is None
        assert target("account", "acct_lost") == Account.objects.get(external_id="acct_lost")
        assert target("organisation", "org_lost") == Organisation.objects.get(external_id="org_lost")

    @pytest.mark.parametrize("names", [{}, {"project": ["p"]}, None])
    def test_is_none_where_its_kind_or_name_is_not_known(self, names: Any) -> None:
        assert find_target({"against": "project", "names": names}, now=NOW) is None

    def test_has_no_key_that_usage_claims_for_two_accounts(self) -> None:
        key = api_key(account(), "key_1")
        key.contested_at, key.contested_by = NOW, account()
        key.save()

        assert _known_keys(key.account, ["key_1"], []) == (set(), set())
        assert _known_keys(key, ["key_1"], []) == ({"key key_1"}, set())
        assert _known_keys(account(), ["key_1"], []) == (set(), {"key key_1"})
