"""The pages and actions that the palette offers beside what a search finds. Pure, but for the addresses."""

from collections.abc import Callable
from typing import Final, NamedTuple

from django.urls import reverse

from governance.staff.models import User
from governance.staff.roles import (
    VIEW_ACCOUNTS,
    VIEW_CALIBRATIONS,
    VIEW_CASES,
    VIEW_ENFORCEMENT,
    VIEW_POLICIES,
    VIEW_PRIVACY,
    VIEW_SERVICE_KEYS,
    VIEW_SETTINGS,
    VIEW_USERS,
    VIEW_WEBHOOKS,
    WORK_CASES,
)


class Destination(NamedTuple):
    """A page, or an action that a link begins. `also` are other words by which people look for it.

    One without a permission is everybody's, and one `of_admin` is for those who may open the Django admin.
    """

    name: str
    route: str
    query: str = ""
    permission: str = ""
    also: str = ""
    icon: str = "arrow-right"
    of_admin: bool = False

    @property
    def url(self) -> str:
        return reverse(self.route) + self.query


DESTINATIONS: Final = (
    Destination("Next case", "review:next-case", permission=WORK_CASES, also="work start", icon="arrow-right"),
    Destination("Queue", "review:queue", permission=VIEW_CASES, also="waiting open cases", icon="table"),
    Destination("My cases", "review:queue", "?view=mine", VIEW_CASES, "claimed", "table"),
    Destination("Unclaimed cases", "review:queue", "?view=unclaimed", VIEW_CASES, "free", "table"),
    Destination("Overdue cases", "review:queue", "?view=overdue", VIEW_CASES, "late due", "clock"),
    Destination("Cases on hold", "review:queue", "?view=held", VIEW_CASES, "held later", "pause"),
    Destination("Decided cases", "review:queue", "?view=decided", VIEW_CASES, "closed history", "check"),
    Destination("Campaigns", "review:campaigns", "", VIEW_CASES, "groups linked accounts", "link"),
    Destination("Inbox", "review:inbox", "", VIEW_CASES, "mentions notes colleagues", "at"),
    Destination("Accounts", "investigation:accounts", "", VIEW_ACCOUNTS, "customers list", "table"),
    Destination("Watch-list", "investigation:accounts", "?watched=on", VIEW_ACCOUNTS, "watched accounts", "eye"),
    Destination("Newest accounts", "investigation:accounts", "?sort=newest", VIEW_ACCOUNTS, "sign-ups", "table"),
    Destination("Enforcement", "gateways:enforcement", "", VIEW_ENFORCEMENT, "gateways status", "ban"),
    Destination("Not yet at every gateway", "gateways:missing", "", VIEW_ENFORCEMENT, "missing late behind", "ban"),
    Destination("Restrictions in force", "review:restrictions", "", VIEW_ENFORCEMENT, "blocks suspensions", "ban"),
    Destination("Webhooks", "webhooks:webhooks", "", VIEW_WEBHOOKS, "deliveries", "link"),
    Destination("Policy", "policies:policies", "", VIEW_POLICIES, "rules automatic kill switch", "hand"),
    Destination("Drift", "detection:drift", "", VIEW_CALIBRATIONS, "calibration", "table"),
    Destination("Search", "investigation:search", "", VIEW_ACCOUNTS, "find", "search"),
    Destination("Overview", "overview:overview", "", VIEW_CASES, "start home my day figures", "clock"),
    Destination("Settings", "configuration:settings", "", VIEW_SETTINGS, "due dates reasons retention", "gear"),
    Destination("Users and roles", "configuration:users", "", VIEW_USERS, "staff people invite", "gear"),
    Destination("Service keys", "configuration:service-keys", "", VIEW_SERVICE_KEYS, "machines secrets", "key"),
    Destination("Privacy", "configuration:privacy", "", VIEW_PRIVACY, "legal hold erase person retention", "gear"),
    Destination("History of settings", "configuration:history", "", VIEW_SETTINGS, "changes who", "gear"),
    Destination("Words", "words", also="glossary help", icon="book"),
    Destination("Change password", "password", also="passphrase own settings account", icon="key"),
    Destination("Admin", "admin:index", also="tables audit log", icon="table", of_admin=True),
)


def find_destinations(text: str, *, user: User) -> list[Destination]:
    """Return what the user may open and what each word typed begins a word of: all of it where nothing is typed."""
    typed = text.lower().split()
    return [one for one in DESTINATIONS if _is_allowed(one, user) and all(map(_begins_a_word_of(one), typed))]


def _is_allowed(one: Destination, user: User) -> bool:
    return user.is_staff if one.of_admin else not one.permission or user.has_perm(one.permission)


def _begins_a_word_of(one: Destination) -> Callable[[str], bool]:
    words = f"{one.name} {one.also}".lower().replace("-", " ").split()
    return lambda typed: any(word.startswith(typed.replace("-", " ").strip()) for word in words)
