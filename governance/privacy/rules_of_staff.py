"""The tables of members of staff, and of machines that act: a part of rules.py. Pure."""

from typing import Final

from governance.privacy.periods import HERE
from governance.privacy.rule import Ends, Purpose, Rule

STAFF: Final = Purpose.STAFF

RULES_OF_STAFF: Final = (
    Rule("staff.User", STAFF, staff="name email password", kept="for ever: decisions name who made them"),
    Rule(
        "staff.ServiceKey",
        STAFF,
        plain="name shown_prefix digest pepper previous_prefix previous_digest previous_pepper scopes networks",
        staff="created_by",
        kept="for ever: decisions name who made them",
    ),
    Rule(
        "staff.SignInOrigin",
        STAFF,
        {"value": "network, or keyed digest of a device"},
        ends=Ends(180, "last_used_at", "record_stranger_failures"),
    ),
    Rule(
        "staff.AttemptCount",
        STAFF,
        {"key": "network, keyed digest of a person, or id of a service key"},
        ends=Ends(1 / 24, "starts_at", "record_stranger_failures"),
    ),
    Rule(
        "sessions.Session",
        STAFF,
        {"session_data": "which user is signed in"},
        "session_key",
        ends=Ends(0, "expire_date", HERE),
    ),
    Rule(
        "mfa.Authenticator",
        STAFF,
        {"data": "secrets of second factors, encrypted"},
        kept="until the factor is removed",
    ),
    Rule("account.EmailAddress", STAFF, staff="email", kept="nothing is written"),
    Rule("account.EmailConfirmation", STAFF, plain="key", kept="nothing is written"),
    Rule(
        "staff.StaffSession",
        STAFF,
        {"address": "from where a member of staff signed in", "browser": "what the browser calls itself"},
        kept="as long as its session",
    ),
)
