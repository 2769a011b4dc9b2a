"""What of a case belongs to the elements that bills on distillation name. Pure.

H.R. 8283 (119th Congress), the Deterring American AI Model Theft Act of 2026, speaks of model extraction attacks and
of fraudulent account network providers. What is recorded is listed by element; nothing here judges whether one is met.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

FRAMEWORKS: Final = (
    {"framework": "MITRE ATLAS", "id": "AML.T0024.002", "name": "Extract AI Model"},
    {"framework": "MITRE ATLAS", "id": "AML.T0008.005", "name": "AI Service Proxies"},
    {"framework": "OWASP Top 10 for LLM Applications", "id": "LLM10:2025", "name": "Unbounded Consumption"},
)
BILLS: Final = ("H.R. 8283, 119th Congress: Deterring American AI Model Theft Act of 2026",)
# Which detectors, and which reasons of decisions, speak of an element.
FALSE_IDENTITY: Final = frozenset({"shared_card"})
EVADED_CHECKS: Final = frozenset({"address_pool"})
NETWORK: Final = frozenset({"acts_with_others", "wrapper_of_a_campaign", "shared_card", "address_pool"})


def make_annex(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "bills": BILLS,
        "frameworks": FRAMEWORKS,
        "case": facts["case"],
        "as_of": facts["as_of"],
        "elements": list_elements(facts),
        "note": "What is recorded is listed, not judged.",
    }


def list_elements(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what is recorded of each element; where nothing is, `absent` says so."""
    return [
        _element(
            "accounts_under_false_identity",
            "Accounts opened under a false identity",
            [*_findings(facts, FALSE_IDENTITY), *_decided(facts, "Identity could not be verified")],
            "Nothing is recorded. Stillwatch checks no identity itself; it compares what the register says.",
            ("AML.T0008.005",),
        ),
        _element(
            "breach_of_terms",
            "Breach of the terms",
            [*_clauses(facts), *_terms(facts)],
            "No decision names a clause of the terms, and no acceptance is recorded.",
            ("AML.T0024.002", "LLM10:2025"),
        ),
        _element(
            "evaded_location_or_identity_checks",
            "Evaded checks of location or identity",
            _findings(facts, EVADED_CHECKS),
            "Nothing is recorded. Stillwatch sees addresses of requests, and no checks that a customer passed.",
            ("AML.T0008.005",),
        ),
        _element(
            "account_network_provider",
            "Provider of a network of accounts",
            [*_network(facts), *_findings(facts, NETWORK), *_decided(facts, "Access passed on or resold")],
            "Nothing is recorded that ties the account to others.",
            ("AML.T0008.005",),
        ),
    ]


def _element(code: str, name: str, recorded: Sequence[str], absent: str, frameworks: Sequence[str]) -> dict[str, Any]:
    return {
        "code": code,
        "element": name,
        "recorded": list(dict.fromkeys(recorded)),
        "absent": "" if recorded else absent,
        "frameworks": list(frameworks),
    }


def _findings(facts: Mapping[str, Any], detectors: Iterable[str]) -> list[str]:
    campaign = facts["campaign"]["findings"] if facts["campaign"] else []
    found = [*facts["assessment"]["findings"], *campaign]
    return [one["sentence"] for one in found if one["detector"] in detectors and one["points"] > 0]


def _decided(facts: Mapping[str, Any], reason: str) -> list[str]:
    standing = (one for one in facts["decisions"] if one["undone_at"] is None)
    return [f"Decided on {one['at']} for the reason “{reason}”." for one in standing if one["reason"] == reason]


def _clauses(facts: Mapping[str, Any]) -> list[str]:
    standing = (one for one in facts["decisions"] if one["undone_at"] is None and one["terms_clause"])
    return [f"Decided on {one['at']} under the clause “{one['terms_clause']}”: {one['reason']}." for one in standing]


def _terms(facts: Mapping[str, Any]) -> list[str]:
    return [
        f"Version {one['version']} of the terms was accepted by {one['accounts']:,} of {facts['accounts']:,} accounts, "
        f"first on {one['first']}."
        for one in facts["terms"]
    ]


def _network(facts: Mapping[str, Any]) -> list[str]:
    if facts["campaign"] is None:
        return []
    return [f"{facts['accounts']:,} accounts of {facts['organisations']:,} organisations were found to act as one."]
