"""A customer is one however an id or an address of theirs is spelled: in usage, in restrictions and at the gateway."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from governance import pipeline
from governance.campaigns.models import AccountTrait
from governance.campaigns.traits import TraitKind
from governance.usage.actions import record_lines
from tests.factories import NOW, account, line, restriction, service_key
from tests.front import Served, served

COMPOSED, DECOMPOSED = "acct_é", "acct_e\u0301"
KEY_DIGEST = "ab" * 32


def asked_in_every_spelling(front: Served) -> list[Any]:
    answers = [front.check(account=name) for name in (COMPOSED, DECOMPOSED, f"{COMPOSED} ")]
    return [*answers, front.ask(f"/access/check?account={quote(DECOMPOSED)}").json]


@pytest.mark.django_db(transaction=True)
class TestABlockedAccount:
    @pytest.mark.parametrize("spelling", [COMPOSED, DECOMPOSED, f" {COMPOSED} "])
    def test_is_refused_in_every_spelling(self, client: Client, spelling: str) -> None:
        blocked = account(COMPOSED)
        blocked.keys.create(external_id="key_1", digest=bytes.fromhex(KEY_DIGEST), first_seen_at=NOW)
        _, key = service_key("restrictions:write")
        body = {"account": spelling, "kind": "block", "reason": "bulk_harvest", "unique_key": "one block"}

        with served() as front:
            answer = client.post("/api/v1/restrictions", json.dumps(body), content_type="application/json", **key)
            assert answer.status_code == 201, answer.content
            assert front.knows(answer.json()["number"])
            answers = asked_in_every_spelling(front)
            answers += [front.check(key_digest=KEY_DIGEST.upper()), front.check(api_key=" key_1")]

        assert {one["decision"] for one in answers} == {"deny"}

    def test_whose_row_is_older_than_spelling_is_refused_in_every_spelling(self) -> None:
        with served() as front:
            assert front.knows(restriction(account(DECOMPOSED), at=timezone.now()).number)
            answers = asked_in_every_spelling(front)

        assert {one["decision"] for one in answers} == {"deny"}

    @pytest.mark.parametrize("stored", [COMPOSED, DECOMPOSED])
    def test_is_refused_in_every_spelling_by_the_database_itself(self, client: Client, stored: str) -> None:
        blocked = account(stored)
        blocked.keys.create(external_id="key_é", first_seen_at=NOW)
        restriction(blocked)
        _, key = service_key("access:read")
        once = [quote(name) for name in (COMPOSED, DECOMPOSED, f" {COMPOSED} ")]
        asked = [f"account={name}" for name in [*once, *map(quote, once)]]
        asked += ["api_key=key_e%CC%81", "api_key=key_%25C3%25A9"]

        answers = {one: client.get(f"/api/v1/access/check?{one}", **key).json() for one in asked}

        assert {one for one, answer in answers.items() if answer["decision"] != "deny" or not answer["known"]} == set()


@pytest.mark.django_db
class TestAccountsAtOneAddress:
    @pytest.fixture(autouse=True)
    def _at_nine(self) -> Iterator[None]:
        with time_machine.travel(NOW, tick=False):
            yield

    @staticmethod
    def traits() -> set[int]:
        pipeline.govern(now=NOW)
        return set(AccountTrait.objects.filter(kind=TraitKind.ADDRESS).values_list("digest", flat=True))

    @pytest.mark.parametrize(
        "addresses",
        [
            ("203.0.113.77", "::ffff:203.0.113.77", "::FFFF:CB00:714D"),
            ("2001:db8:1:2::7", "2001:DB8:1:2:0:0:0:7", "2001:db8:1:2:aaaa::1"),
        ],
        ids=["of IPv4", "in one network of IPv6"],
    )
    def test_are_tied_by_it_however_it_is_spelled(self, addresses: tuple[str, ...]) -> None:
        for place, address in enumerate(addresses):
            lines = [line(account=f"acct_{place}", client={"ip": address}) for _ in range(5)]
            record_lines(lines, source="native", now=NOW)

        assert len(self.traits()) == 1

    def test_are_not_tied_by_two_networks(self) -> None:
        for place, address in enumerate(("2001:db8:1:2::7", "2001:db8:1:3::7")):
            lines = [line(account=f"acct_{place}", client={"ip": address}) for _ in range(5)]
            record_lines(lines, source="native", now=NOW)

        assert len(self.traits()) == 2

    def test_are_tied_to_one_that_signed_up_there(self) -> None:
        account("acct_0", signup_ip="::ffff:203.0.113.77")  # as it was stored before addresses had one spelling
        lines = [line(account=f"acct_{place}", client={"ip": "203.0.113.77"}) for place in (0, 1) for _ in range(5)]
        record_lines(lines, source="native", now=NOW)

        assert len(self.traits()) == 1
