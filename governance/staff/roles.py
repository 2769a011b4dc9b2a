"""Who may do what: one table that views, pages, the admin and templates ask, as Django permissions (`app.codename`).

Deny by default. A permission without a row is an admin's; one to read a table (`app.view_…`) is also granted to those
who may read every table. docs/roles.md is made of this: `make docs`.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from django.db.models import TextChoices


class Role(TextChoices):
    REVIEWER = "reviewer", "Reviewer"
    LEAD = "lead", "Lead"
    POLICY_ENGINEER = "policy_engineer", "Policy engineer"
    AUDITOR = "auditor", "Auditor"
    ADMIN = "admin", "Admin"


class Grant(NamedTuple):
    """Who has a permission, and what it is good for: the rest of "May …"."""

    roles: frozenset[Role]
    what: str


WORK_CASES = "review.work_case"
VIEW_CASES = "review.view_case"
LIFT_RESTRICTIONS = "restrictions.lift_restriction"
VIEW_ACCOUNTS = "accounts.view_account"
WATCH_ACCOUNTS = "investigation.watch_account"
VIEW_ENFORCEMENT = "gateways.view_gateway"
VIEW_WEBHOOKS = "webhooks.view_webhook"
CHANGE_WEBHOOKS = "webhooks.change_webhook"

VIEW_CALIBRATIONS = "detection.view_calibrationversion"
VIEW_POLICIES = "policies.view_policyversion"
PROPOSE_POLICIES = "policies.add_policyversion"
APPROVE_POLICIES = "policies.approve_policyversion"
SWITCH_POLICIES = "policies.change_killswitch"

# The figures of everybody's work together; each reviewer sees their own day.
VIEW_TEAM = "overview.view_harmmeasure"
VIEW_SETTINGS = "configuration.view_duetarget"
CHANGE_DUE_TARGETS = "configuration.change_duetarget"
CHANGE_REASONS = "configuration.change_reasonoverride"
VIEW_LOG = "audit.view_entry"
VIEW_EVIDENCE = "evidence.view_evidencebundle"
VIEW_USERS = "staff.view_user"
CHANGE_USERS = "staff.change_user"
VIEW_SERVICE_KEYS = "staff.view_servicekey"
CHANGE_SERVICE_KEYS = "staff.change_servicekey"
VIEW_PRIVACY = "privacy.view_legalhold"
SET_HOLDS = "privacy.add_legalhold"
LIFT_HOLDS = "privacy.lift_legalhold"
ERASE_PEOPLE = "privacy.add_erasure"
VIEW_PARTNERS = "sharing.view_partner"
CHANGE_PARTNERS = "sharing.change_partner"
VIEW_SHARES = "sharing.view_share"
PROPOSE_SHARES = "sharing.add_share"
APPROVE_SHARES = "sharing.approve_share"

_EVERYBODY: Final = frozenset(Role)
_DESK: Final = frozenset({Role.REVIEWER, Role.LEAD, Role.ADMIN})
_LEADS: Final = frozenset({Role.LEAD, Role.ADMIN})
_POLICY: Final = frozenset({Role.LEAD, Role.POLICY_ENGINEER, Role.ADMIN})
_READERS: Final = _POLICY | {Role.AUDITOR}
_READ_EVERY_TABLE: Final = frozenset({Role.LEAD, Role.AUDITOR, Role.ADMIN})
_ADMINS: Final = frozenset({Role.ADMIN})

GRANTS: Final[Mapping[str, Grant]] = {
    VIEW_CASES: Grant(_EVERYBODY, "read the queue, cases, campaigns and decisions, keep views of the queue"),
    VIEW_ACCOUNTS: Grant(_EVERYBODY, "search, and read the pages of accounts and organisations"),
    VIEW_ENFORCEMENT: Grant(_EVERYBODY, "see what is in force at which gateway"),
    WORK_CASES: Grant(_DESK, "open, claim, note, hold, assign, escalate and decide cases, merge and split campaigns"),
    WATCH_ACCOUNTS: Grant(_DESK, "put accounts on the watch-list"),
    LIFT_RESTRICTIONS: Grant(_DESK, "lift restrictions and undo decisions"),
    VIEW_TEAM: Grant(_READERS, "see the figures of everybody's work"),
    VIEW_POLICIES: Grant(_READERS, "read policies and what they would do"),
    PROPOSE_POLICIES: Grant(_POLICY, "propose and retire policies"),
    APPROVE_POLICIES: Grant(_POLICY, "let a policy go live that somebody else proposed"),
    SWITCH_POLICIES: Grant(_POLICY, "switch all policies off and on"),
    VIEW_CALIBRATIONS: Grant(_READERS, "see how well scores hold"),
    VIEW_SETTINGS: Grant(_READERS, "read the settings and their history"),
    CHANGE_DUE_TARGETS: Grant(_LEADS, "set how soon cases are due"),
    CHANGE_REASONS: Grant(_LEADS, "set which reasons are offered, and their clauses"),
    VIEW_LOG: Grant(_READ_EVERY_TABLE, "read, prove and export the audit log"),
    VIEW_EVIDENCE: Grant(_READ_EVERY_TABLE, "make and download bundles of evidence"),
    VIEW_PRIVACY: Grant(_READ_EVERY_TABLE, "see legal holds and erasures"),
    SET_HOLDS: Grant(_LEADS, "set legal holds"),
    LIFT_HOLDS: Grant(_LEADS, "lift legal holds"),
    ERASE_PEOPLE: Grant(_LEADS, "erase what is held of a person"),
    VIEW_PARTNERS: Grant(_READ_EVERY_TABLE, "see partners and their indicators"),
    CHANGE_PARTNERS: Grant(_LEADS, "add and revoke partners, make their tokens and keys"),
    VIEW_SHARES: Grant(_READ_EVERY_TABLE, "see what of a campaign was shared, and what could be"),
    PROPOSE_SHARES: Grant(_LEADS, "propose, decline and retract what is shared with a partner"),
    APPROVE_SHARES: Grant(_LEADS, "release to a partner what somebody else proposed"),
    VIEW_USERS: Grant(_READ_EVERY_TABLE, "see who has access"),
    CHANGE_USERS: Grant(_ADMINS, "add people, change their roles, shut them out"),
    VIEW_SERVICE_KEYS: Grant(_READ_EVERY_TABLE, "see service keys"),
    CHANGE_SERVICE_KEYS: Grant(_ADMINS, "issue and revoke service keys"),
    VIEW_WEBHOOKS: Grant(_READ_EVERY_TABLE, "see webhooks and what was delivered"),
    CHANGE_WEBHOOKS: Grant(_ADMINS, "add, change, test and remove webhooks"),
}

# Who may be handed a case, and who answers an escalation.
WORK_ON_CASES: Final = tuple(role for role in Role if role in GRANTS[WORK_CASES].roles)
ESCALATED_TO: Final = (Role.LEAD, Role.ADMIN)


def may(role: str, permission: str) -> bool:
    """Whether someone of `role` holds `permission`."""
    if grant := GRANTS.get(permission):
        return role in grant.roles
    is_view = permission.partition(".")[2].startswith("view_")
    return role in (_READ_EVERY_TABLE if is_view else _ADMINS)


def can_open_admin(role: str) -> bool:
    """Whether someone of `role` may open the Django admin at all."""
    return role in _READ_EVERY_TABLE


def roles_as_markdown() -> str:
    """Return docs/roles.md: who may do what, as a table."""
    return "".join(_lines())


def _lines() -> Iterator[str]:
    yield "# Roles\n\nWho may do what. Made of [roles.py](../governance/staff/roles.py) by `make docs`.\n\n"
    yield f"| May … | {' | '.join(role.label for role in Role)} |\n|---|{'---|' * len(Role)}\n"
    for grant in GRANTS.values():
        yield f"| {grant.what} | {' | '.join('yes' if role in grant.roles else '' for role in Role)} |\n"
    opening = ["yes" if can_open_admin(role) else "" for role in Role]
    yield f"| open the Django admin, to read every table | {' | '.join(opening)} |\n"
    yield "\nOnly admins change rows in the Django admin, where its tables can be changed at all.\n"


if __name__ == "__main__":
    print(roles_as_markdown(), end="")  # noqa: T201 - to standard output, as `make docs` reads it
