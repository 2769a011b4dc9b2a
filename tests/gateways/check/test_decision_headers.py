"""The headers of answers to proxies."""

from governance.gateways.check.header_protocols import decision_headers
from stillwatch_gateway.entries import EntryTerms, RestrictionEntry
from stillwatch_gateway.restriction_set import RestrictionSet


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
