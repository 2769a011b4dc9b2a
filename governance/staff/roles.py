"""What each role may do, as Django permissions (`app_label.codename`).

Deny by default: a permission that no rule below names is refused to everybody but admins.
"""

from typing import Final

from django.db.models import TextChoices


class Role(TextChoices):
    REVIEWER = "reviewer", "Reviewer"
    LEAD = "lead", "Lead"
    AUDITOR = "auditor", "Auditor"
    ADMIN = "admin", "Admin"


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

# Who may be handed a case, and who answers an escalation.
WORK_ON_CASES: Final = (Role.REVIEWER, Role.LEAD, Role.ADMIN)
ESCALATED_TO: Final = (Role.LEAD, Role.ADMIN)

# The figures of everybody's work together; each reviewer sees their own day.
VIEW_TEAM = "overview.view_harmmeasure"
VIEW_SETTINGS = "configuration.view_duetarget"
CHANGE_DUE_TARGETS = "configuration.change_duetarget"
CHANGE_REASONS = "configuration.change_reasonoverride"
VIEW_LOG = "audit.view_entry"
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

_REVIEWER = frozenset({VIEW_CASES, WORK_CASES, LIFT_RESTRICTIONS, VIEW_ENFORCEMENT, VIEW_ACCOUNTS, WATCH_ACCOUNTS})

_LEAD = frozenset(
    {PROPOSE_POLICIES, APPROVE_POLICIES, SWITCH_POLICIES, CHANGE_DUE_TARGETS, CHANGE_REASONS}
    | {SET_HOLDS, LIFT_HOLDS, ERASE_PEOPLE}
    | {CHANGE_PARTNERS, PROPOSE_SHARES, APPROVE_SHARES}
)


def may(role: str, permission: str) -> bool:
    """Whether someone of `role` holds `permission`."""
    codename = permission.partition(".")[2]
    match role:
        case Role.ADMIN:
            return True
        case Role.LEAD:
            return permission in _REVIEWER | _LEAD or codename.startswith("view_")
        case Role.AUDITOR:
            return codename.startswith("view_")
        case Role.REVIEWER:
            return permission in _REVIEWER
        case _:
            return False


def can_open_admin(role: str) -> bool:
    """Whether someone of `role` may open the Django admin at all."""
    return role in {Role.LEAD, Role.AUDITOR, Role.ADMIN}
