"""The names that an application gives of a customer: in every spelling, and refused where they cannot be read."""

import hashlib
from typing import Any

import pytest

from stillwatch_gateway import Gateway
from stillwatch_gateway.refusals import RateLimiter, enforce
from tests.stillwatch_gateway.customers import front, gateway

__all__ = ["front", "gateway"]  # fixtures


@pytest.mark.parametrize("spell", [str.upper, " {} ".format, "{}%20".format])
def test_other_names_of_a_customer_are_found_in_every_spelling(gateway: Gateway, spell: Any) -> None:
    digest = hashlib.sha256(b"sk-blocked").hexdigest()

    assert not gateway.decide(account="acct_fine", also=[f"digest:{spell(digest)}"]).allowed
    assert not gateway.decide(digest=spell(digest)).allowed
    assert gateway.decide(account="acct_fine", also=[f"digest:{spell(digest[::-1])}"]).allowed


class TestANameThatCannotBeRead:
    @pytest.mark.parametrize("kind", ["account", "key", "digest", "organisation"])
    @pytest.mark.parametrize("name", ["  ", "\t", "\u00a0", "%20%20", "a" * 201, "\ud800", 7, b"acct_fine"])
    def test_is_refused_and_says_why(self, gateway: Gateway, kind: str, name: Any) -> None:
        decision = gateway.decide(**{kind: name})
        answer = enforce(decision, RateLimiter())

        assert (decision.allowed, decision.number) == (False, None)
        assert decision.because.startswith(f"The name of the {kind} cannot be read: ")
        assert answer is not None
        assert (answer.status, answer.message) == (400, decision.because)

    @pytest.mark.parametrize("others", [["account:  "], ["account:acct_ok", "key:" + "a" * 201]])
    def test_is_refused_among_others_of_its_kind(self, gateway: Gateway, others: list[str]) -> None:
        assert not gateway.decide(account="acct_fine", also=others).allowed

    def test_does_not_hide_a_name_that_is_restricted(self, gateway: Gateway) -> None:
        digest = hashlib.sha256(b"sk-blocked").hexdigest()

        decision = gateway.decide(account="  ", digest=digest)

        assert decision.number is not None
        assert decision.because == ""

    def test_is_refused_beside_a_name_that_is_only_throttled(self, gateway: Gateway) -> None:
        slow = hashlib.sha256(b"sk-slow").hexdigest()

        decision = gateway.decide(digest=slow, key=" ")

        assert gateway.decide(digest=slow).kind == "throttle"
        assert (decision.allowed, decision.number) == (False, None)

    @pytest.mark.parametrize("name", ["", None])
    def test_is_not_one_that_was_not_given(self, gateway: Gateway, name: str | None) -> None:
        assert gateway.decide(account=name, key="key_fine").allowed

    def test_is_not_one_of_many_names_that_are_long_together(self, gateway: Gateway) -> None:
        assert gateway.decide(account="a" * 128, key="k" * 128, organisation="acct: of the: harbour").allowed
