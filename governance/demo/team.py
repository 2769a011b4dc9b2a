"""Who works on cases in the demonstration: a reviewer and a lead who can sign in, and two of their colleagues."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from governance.audit.actor import Actor
from governance.staff.actions import DEMO_STAFF, add_user
from governance.staff.models import User
from governance.staff.roles import Role

COLLEAGUES: Final = (("ines@example.com", "Ines Duarte"), ("tomas@example.com", "Tomas Weber"))


class Team(NamedTuple):
    """The first of the reviewers has a sign-in."""

    reviewers: Sequence[User]
    lead: User

    @property
    def everybody(self) -> list[User]:
        return [*self.reviewers, self.lead]


def assemble_team(*, by: Actor, now: datetime) -> Team:
    """Return the team, with those who can sign in already there. Its other members get passwords that nobody knows."""
    (_, reviewer, _), (_, lead, _) = DEMO_STAFF[:2]
    others = [
        add_user(email=email, name=name, role=Role.REVIEWER, password=secrets.token_urlsafe(32), by=by, now=now)
        for email, name in COLLEAGUES
    ]
    return Team([User.objects.get(email=reviewer), *others], User.objects.get(email=lead))
