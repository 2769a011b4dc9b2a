"""What the demonstration's staff decides, in their words."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from governance.restrictions.kinds import RestrictionKind, Withheld
from governance.restrictions.reasons import Reason
from governance.review.models import Decision, Dismissal
from governance.review.verdicts import Verdict

NO_TRAINING: Final = "2.3 No training of competing models"
NO_EXTRACTION: Final = "2.4 No automated extraction of answers"

GUILTY: Final = Verdict(
    action=RestrictionKind.BLOCK,
    reason=Reason.BULK_HARVEST,
    terms_clause=NO_TRAINING,
    note="Same wrapper around ever-new payload, round the clock, no end users. The customer gave no explanation.",
)
GUILTY_TOGETHER: Final = replace(
    GUILTY,
    reason=Reason.COORDINATED_ACCOUNTS,
    scope=Decision.Scope.CAMPAIGN,
    note="One operator behind several customers: the same wrappers in the same proportions, the work divided.",
)
GUILTY_OF_DATA: Final = replace(
    GUILTY,
    reason=Reason.DATA_GENERATION,
    terms_clause=NO_EXTRACTION,
    note="Has training material written by the hundred, numbered for a file. Nobody reads it.",
)
GUILTY_OF_TRACES: Final = replace(
    GUILTY,
    reason=Reason.REASONING_HARVEST,
    note="Asks for every step of the reasoning of invented problems, and for nothing else.",
)
SUSPECT: Final = Verdict(
    action=RestrictionKind.THROTTLE,
    reason=Reason.DATA_GENERATION,
    terms_clause=NO_EXTRACTION,
    note="Wrote to the customer; limited until they answer.",
    requests_per_minute=20,
)
WARNED: Final = Verdict(
    action=RestrictionKind.WARN,
    reason=Reason.BULK_HARVEST,
    terms_clause=NO_TRAINING,
    note="The customer says that a former employee did this, and has revoked the key. A warning is enough.",
)
WITHOUT_PROBABILITIES: Final = Verdict(
    action=RestrictionKind.WITHHOLD,
    reason=Reason.DATA_GENERATION,
    terms_clause=NO_EXTRACTION,
    note="Asks for one token and its twenty likeliest neighbours. What they sell needs no token probabilities.",
    withheld=(Withheld.LOGPROBS,),
)
SUSPENDED: Final = Verdict(
    action=RestrictionKind.SUSPEND,
    reason=Reason.DATA_GENERATION,
    terms_clause=NO_EXTRACTION,
    note="Suspended for thirty days: the second time within a year.",
    lasts=timedelta(days=30),
)
INNOCENT: Final = Verdict(
    action=Dismissal.DISMISS,
    reason=Reason.EXPECTED_USE,
    note="Fits what the customer sells. Checked with their account manager.",
)
AN_EVALUATION: Final = Verdict(
    action=Dismissal.DISMISS,
    reason=Reason.EVALUATION,
    note="A public evaluation: other customers send the same questions, and it wants a letter for an answer.",
)
AGREED: Final = Verdict(
    action=Dismissal.DISMISS,
    reason=Reason.AGREED_USE,
    note="A research group that announced its study. A few hundred requests, and no more.",
)
