"""The tables of what is exchanged with partners: a part of rules.py. Pure."""

from typing import Final

from governance.privacy.periods import by_expiry
from governance.privacy.rule import Purpose, Rule

_NAMED: Final = "a keyed digest of a card or a domain, an address, a network or a fingerprint of a wording"

RULES_OF_SHARING: Final = (
    Rule(
        "sharing.Partner",
        Purpose.OPERATION,
        plain="name shown_prefix token_digest shared_keys collection_url collection_token added_after trouble",
        staff="created_by",
        kept="for ever: shares refer to it",
    ),
    Rule(
        "sharing.Share",
        Purpose.DECISIONS,
        {
            "stix": f"of refused accounts, each {_NAMED}",
            "account_pks": "which accounts these are, by number",
            "reason": "why it was shared, typed by staff",
            "retracted_because": "why it was taken back, typed by staff",
        },
        ends=by_expiry("proposed_at", 1_095),
    ),
    Rule(
        "sharing.SharedObject",
        Purpose.DECISIONS,
        {"content": _NAMED},
        plain="stix_id stix_type version",
        ends=by_expiry("added_at", 365),
    ),
    Rule(
        "sharing.Indicator",
        Purpose.DETECTION,
        {"value": _NAMED},
        plain="stix_id",
        ends=by_expiry("valid_until", 30),
    ),
    Rule(
        "detection.PartnerMatch",
        Purpose.DETECTION,
        plain="partner",
        kept="while an indicator of a partner fits the account",
        erasure="goes with the register that it fits",
    ),
)
