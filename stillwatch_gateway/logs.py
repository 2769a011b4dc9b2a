"""Log lines that the operator of a gateway must not miss."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from stillwatch_gateway.disk import TRIED_EVERY
from stillwatch_gateway.restriction_set import RestrictionSet

logger = logging.getLogger("stillwatch_gateway")

FAULTS_LOGGED: Final = 10  # of one message


def log_faults(faults: Sequence[str]) -> None:
    """Name some of what could not be read in a message."""
    for fault in faults[:FAULTS_LOGGED]:
        logger.warning("A message of Stillwatch could not be read whole; update this client. %s", fault)


def log_problem(
    problem: str,
    folder: Path,
    *,
    is_reached: bool,
    knows_any: bool,
    fail_closed: bool,
    closed_plans: Iterable[str],
) -> None:
    """Say loudly what is wrong with the copy of a gateway, and what follows."""
    if is_reached:
        follows = (
            "Restrictions are kept in memory only: started again while Stillwatch cannot be reached, this "
            "gateway knows less than now."
        )
    elif knows_any:
        follows = "What is known may be older than it was."
    elif fail_closed:
        follows = "Nothing is known, and Stillwatch is not reached: everybody is refused, as fail_closed says."
    else:
        follows = (
            "Nothing is known, and Stillwatch is not reached: restricted customers are let in, but for those "
            f"on plans that fail closed ({', '.join(sorted(closed_plans)) or 'none'})."
        )
    logger.error(
        "%s %s Let this process write regular files in %s, with room on the disk; it is tried again every %.0f "
        "s once Stillwatch is reached.",
        problem,
        follows,
        folder,
        TRIED_EVERY,
    )


def log_loss(before: RestrictionSet, now: RestrictionSet, numbers: frozenset[int]) -> None:
    logger.error(
        "Stillwatch's database went back in time: epoch %s takes the place of %s, change %d. %d restrictions "
        "that were known here are gone there. They stay in force here, and are reported, until somebody at "
        "Stillwatch has looked at them on the page /enforcement/.",
        now.epoch or "(none)",
        before.epoch or "(none)",
        before.sequence,
        len(numbers),
    )
