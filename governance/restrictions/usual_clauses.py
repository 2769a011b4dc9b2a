"""The terms clauses that decisions name where an installation sets none of its own. Pure."""

from typing import Final

USUAL_CLAUSES: Final = [
    "2.3 No training of competing models",
    "2.4 No automated extraction of answers",
    "2.6 Stay within the declared use",
    "3.1 One customer, one account",
    "3.2 True particulars at sign-up",
    "3.4 No resale of access",
]
# Reason code and clause.
USUAL_CLAUSES_OF_REASONS: Final = [
    "bulk_harvest=2.3 No training of competing models",
    "reasoning_harvest=2.3 No training of competing models",
    "data_generation=2.4 No automated extraction of answers",
    "coordinated_accounts=3.1 One customer, one account",
    "resold_access=3.4 No resale of access",
    "unverified_identity=3.2 True particulars at sign-up",
]
