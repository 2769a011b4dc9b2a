"""The headers of answers to proxies."""

from governance.gateways.check.header_protocols import decision_headers
from stillwatch_gateway.entries import EntryTerms, RestrictionEntry
from stillwatch_gateway.restriction_set import Decision, RestrictionSet


def test_name_the_restriction_and_all_that_it_leaves_and_withholds() -> None:
    terms = EntryTerms("throttle", "other", 5, 500, ("logprobs", "reasoning"))
    restricted = RestrictionSet([RestrictionEntry(7, terms, 0.0, 9e9, ("account:a",))], 7, "epoch")

    assert decision_headers(restricted.decide(["account:a"], now=1.0)) == [
        ("X-Stillwatch-Decision", "allow"),
        ("X-Stillwatch-Epoch", "epoch"),
        ("X-Stillwatch-Sequence", "7"),
        ("X-Stillwatch-Restriction", "7"),
        ("X-Stillwatch-Kind", "throttle"),
        ("X-Stillwatch-Reason", "other"),
        ("X-Stillwatch-Requests-Per-Minute", "5"),
        ("X-Stillwatch-Tokens-Per-Minute", "500"),
        ("X-Stillwatch-Withheld", "logprobs,reasoning"),
    ]


def test_of_an_unrestricted_customer_say_only_that_and_as_of_when() -> None:
    decision = RestrictionSet([], 7, "epoch").decide(["account:a"], now=1.0)

    assert [name for name, _ in decision_headers(decision)] == [
        "X-Stillwatch-Decision",
        "X-Stillwatch-Epoch",
        "X-Stillwatch-Sequence",
    ]


class TestTheHeadersOfADecision:
    def test_say_all_that_there_is(self) -> None:
        decision = Decision(
            allowed=True, kind="throttle", reason="other", number=7, requests_per_minute=60, tokens_per_minute=900,
            withheld=("logprobs", "reasoning"), sequence=9, age=0.0, epoch="e1",
        )  # fmt: skip

        assert decision_headers(decision) == [
            ("X-Stillwatch-Decision", "allow"),
            ("X-Stillwatch-Epoch", "e1"),
            ("X-Stillwatch-Sequence", "9"),
            ("X-Stillwatch-Restriction", "7"),
            ("X-Stillwatch-Kind", "throttle"),
            ("X-Stillwatch-Reason", "other"),
            ("X-Stillwatch-Requests-Per-Minute", "60"),
            ("X-Stillwatch-Tokens-Per-Minute", "900"),
            ("X-Stillwatch-Withheld", "logprobs,reasoning"),
        ]

    def test_say_nothing_of_what_there_is_not(self) -> None:
        decision = Decision(
            allowed=False, kind=None, reason=None, number=None, requests_per_minute=None, tokens_per_minute=None,
            withheld=(), sequence=9, age=0.0,
        )  # fmt: skip

        assert decision_headers(decision) == [
            ("X-Stillwatch-Decision", "deny"), ("X-Stillwatch-Epoch", ""), ("X-Stillwatch-Sequence", "9"),
        ]  # fmt: skip
