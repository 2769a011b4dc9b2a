"""Lines of the register, and what is stored of them."""

import json
from datetime import timedelta
from typing import Any

from accounts.actions import RegisterResult, register_accounts
from accounts.register import parse_account_line
from tests.factories import MACHINE, NOW

DIGEST, OTHER_DIGEST = "ab" * 32, "cd" * 32


TERMS = {"version": "2026-03", "accepted_at": "2026-03-12T23:40:00Z"}


FULL: dict[str, Any] = {
    "account": "acct_harbour",
    "organisation": "org_harbour",
    "organisation_name": "Harbour Ltd",
    "status": "closed",
    "created_at": "2026-03-12T23:32:51Z",
    "plan": "team",
    "declared_use": "customer support",
    "country": "NL",
    "signup_ip": "2001:db8::7",
    "email_domain": "harbour.example",
    "payment_fingerprint": "card_1",
    "licence": {"training_permitted": True, "reference": "C-18", "ends_at": "2027-03-12T00:00:00Z"},
    "keys": [{"id": "key_1", "digest": DIGEST}],
    "terms": TERMS,
}


def register(*accounts: dict[str, Any], days: int = 0) -> RegisterResult:
    lines = [parse_account_line(json.dumps(described).encode()) for described in accounts]
    return register_accounts(lines, by=MACHINE, now=NOW + timedelta(days=days))


def licence(*several: dict[str, Any] | None, days: int = 0) -> RegisterResult:
    return register(*({"account": "acct_harbour", "licence": one} for one in several), days=days)
