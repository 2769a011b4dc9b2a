"""A decision as a user submits it, and the errors that refuse one."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Self
from uuid import UUID

from governance.restrictions.kinds import NEEDS
from governance.restrictions.reasons import Reason
from governance.restrictions.terms import Terms, parse_terms
from governance.review.models import Action, BulkDecision, Case, Decision, Dismissal, Step, to_action
from governance.review.wording import outcome_word


class CaseTakenError(Exception):
    """Somebody else has the case: says who."""

    def __init__(self, claimant: str) -> None:
        super().__init__(f"{claimant} is working on this case.")
        self.claimant = claimant


class AlreadyDecidedError(Exception):
    """Somebody was faster: carries their decision."""

    def __init__(self, decision: Decision, case: Case) -> None:
        which = "this case" if decision.case_id == case.pk else f"this case, with that of {decision.case.subject},"
        super().__init__(f"{decision.decided_by} decided {which} first: {outcome_word(decision.action)}.")
        self.decision = decision


class CaseEndedError(Exception):
    """The case ended undecided: its campaign showed no harvest any more, or the bulk decision that opened it was
    undone.
    """

    def __init__(self, case: Case) -> None:
        of_campaign = case.campaign_id is not None
        why = (
            "It was merged, or its members show no harvest any more"
            if of_campaign
            else "The bulk decision that opened it was undone"
        )
        super().__init__(f"{why}, so this case ended undecided. Nothing was changed.")


class PartOfCampaignError(Exception):
    """The account is decided on the case of its campaign."""

    def __init__(self) -> None:
        super().__init__("It is part of the case of its campaign. Decide it there.")


class SentBeforeError(Exception):
    """The form was sent before, and that decision is another one, or was undone: carries it."""

    def __init__(self, decision: Decision, detail: str) -> None:
        super().__init__(f"{detail} Nothing was changed. Check the current form and decide again.")
        self.decision = decision


class EscalatedFirstError(Exception):
    """The case is escalated already: says by whom, and what they ask. Or another case is that a verdict covers."""

    def __init__(self, case: Case, *, is_another: bool = False) -> None:
        asked = f"asked the leads about {case.subject} first" if is_another else "escalated this case already"
        super().__init__(f"{case.escalated_by} {asked}: {case.escalated_because}")


class HeldFirstError(Exception):
    """A colleague has put the case on hold: says who, until when and why."""

    def __init__(self, case: Case) -> None:
        until = f" until {case.held_until:%-d %b, %H:%M} UTC" if case.held_until is not None else ""
        super().__init__(f"{case.held_by} put this case on hold{until} first: {case.held_because}")


class AssignedFirstError(Exception):
    """A colleague has assigned the case: says who, to whom and why."""

    def __init__(self, case: Case) -> None:
        why = f": {case.assigned_because}" if case.assigned_because else "."
        super().__init__(f"{case.assigned_by} assigned this case to {case.assigned_to} first{why}")


class AnsweredFirstError(Exception):
    """The case is not escalated any more: says who answered, and what."""

    def __init__(self, first: Step | None) -> None:
        said = f"{first.by} answered first: {first.text}" if first is not None else "This case is not escalated."
        super().__init__(said)


# Why a case is not as it was when somebody looked at it: the page shows it as it is now, and says so.
LOST_RACES: Final = (
    CaseTakenError,
    AlreadyDecidedError,
    CaseEndedError,
    PartOfCampaignError,
    SentBeforeError,
    EscalatedFirstError,
    HeldFirstError,
    AssignedFirstError,
    AnsweredFirstError,
)


class NoMembersError(Exception):
    """The campaign has no members any more, about whom another decision could be made."""

    def __init__(self) -> None:
        super().__init__("No account belongs to this campaign any more. Open the case of each account by itself.")


class MembersLeftError(Exception):
    """Accounts that somebody was shown and confirmed have left the campaign since."""

    def __init__(self) -> None:
        super().__init__("Some of these accounts have left the campaign since. Nothing was changed.")


class DecidedSinceError(Exception):
    """Somebody decided about an account since it was shown that a decision would cover it."""

    def __init__(self, decision: Decision) -> None:
        what = "dismissed" if decision.action == Dismissal.DISMISS else "decided about"
        super().__init__(
            f"{decision.decided_by} {what} {decision.case.subject} since. Nothing was changed: look again."
        )


class CannotUndoError(Exception):
    """Says why the decision cannot be undone."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody decides. `lasts` is how long a suspension lasts, the limits are what a throttle leaves, `withheld`
    is what answers are to lack.
    """

    action: Action
    reason: Reason
    terms_clause: str = ""
    note: str = ""
    lasts: timedelta | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    withheld: Sequence[str] = ()
    scope: Decision.Scope = Decision.Scope.ACCOUNT

    @classmethod
    def of(cls, decision: Decision) -> Self:
        """What was decided, with what it put into force."""
        terms = decision.restriction.terms if decision.restriction else None
        needed = {member: getattr(terms, member) for need in NEEDS for member in need.members} if terms else {}
        return cls(
            action=to_action(decision.action),
            reason=Reason(decision.reason),
            terms_clause=decision.terms_clause,
            note=decision.note,
            lasts=terms.until - decision.decided_at if terms and terms.until else None,
            scope=Decision.Scope(decision.scope),
            **needed,
        )

    @classmethod
    def of_bulk(cls, bulk: BulkDecision) -> Self:
        """What was decided about each of many accounts."""
        needed = {member: getattr(bulk, member) for need in NEEDS for member in need.members}
        return cls(
            action=to_action(bulk.action),
            reason=Reason(bulk.reason),
            terms_clause=bulk.terms_clause,
            note=bulk.note,
            lasts=bulk.lasts,
            **needed,
        )

    def terms(self, *, now: datetime) -> Terms:
        """What it puts into force, unless it dismisses."""
        return parse_terms(asdict(self), kind=str(self.action), until=now + self.lasts if self.lasts else None)

    def differences(self, other: "Verdict") -> list[str]:
        """The names of what another verdict says otherwise."""
        mine, others = (asdict(replace(verdict, withheld=sorted(verdict.withheld))) for verdict in (self, other))
        return [name.replace("_", " ") for name, value in mine.items() if value != others[name]]


@dataclass(frozen=True, slots=True)
class Ticks:
    """Which members a decision on the case of a campaign covers: `accounts`, by primary key.

    Members up to the membership `seen` that are not among them are left out; later ones joined since, and nothing is
    said of them. If `is_confirmed`, somebody was shown, at `previewed_at`, that it covers these accounts: it must cover
    all of them, and nobody may have decided about one since.
    """

    accounts: frozenset[int]
    seen: int
    left_out_because: str = ""
    is_confirmed: bool = False
    previewed_at: datetime | None = None


class SeenMembers(NamedTuple):
    """What the page of a case showed of the account's campaign: which it was, and its newest membership. Members who
    joined later were not on it.
    """

    campaign: UUID
    newest: int


class LeftOutWithoutReasonError(Exception):
    """Members of the campaign are left out, and it is not said why. `field` of the form is at fault."""

    field = "left_out_because"

    def __init__(self) -> None:
        super().__init__("Enter why the others are left out.")


class NoSuchScopeError(Exception):
    """The account has no organisation, or belongs to no campaign, that could be decided about with it; or none of the
    accounts that were ticked belongs to the campaign any more. `field` of the form is at fault.
    """

    field = "accounts"
