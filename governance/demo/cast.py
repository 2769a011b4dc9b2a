"""Who plays in the demonstration world, and how many of each."""

from typing import NamedTuple

from governance.demo.behaviours.batches import CLASSIFICATION, EXTRACTION, TEST_DATA, TRANSLATION_BATCH
from governance.demo.behaviours.building import CODING_AGENT, EVALUATION_HARNESS, RETRIEVAL
from governance.demo.behaviours.harvesting import (
    BULK_HARVEST,
    LICENSED_DISTILLER,
    PREFERENCE_COLLECTOR,
    RELEASE_PIVOT,
    TASK_GENERATOR,
    TRACE_COLLECTOR,
)
from governance.demo.behaviours.hiding import REASONING_RING, TASK_RING, TRAFFIC_PROXY
from governance.demo.behaviours.resembling import EXERCISE_PUBLISHER, EXPLAINER_SITE, REASONING_STUDY
from governance.demo.behaviours.talking import AGENCY, HUMAN_CHAT, SUPPORT_BOT, TUTORING_PLATFORM, UNIVERSITY
from governance.demo.customer import CustomerKind

KINDS = (
    HUMAN_CHAT,
    SUPPORT_BOT,
    CODING_AGENT,
    RETRIEVAL,
    EXTRACTION,
    CLASSIFICATION,
    TRANSLATION_BATCH,
    EVALUATION_HARNESS,
    TUTORING_PLATFORM,
    TEST_DATA,
    UNIVERSITY,
    AGENCY,
    EXERCISE_PUBLISHER,
    EXPLAINER_SITE,
    REASONING_STUDY,
    LICENSED_DISTILLER,
    BULK_HARVEST,
    TRACE_COLLECTOR,
    TASK_GENERATOR,
    PREFERENCE_COLLECTOR,
    RELEASE_PIVOT,
    TRAFFIC_PROXY,
    REASONING_RING,
    TASK_RING,
)
HARVEST = frozenset(kind.name for kind in KINDS if kind.harvest)
FEWEST_ACCOUNTS = sum(kind.least for kind in KINDS)


class CustomerBatch(NamedTuple):
    """Customers of one kind that are made together; `group` names a hidden group, `scale` is how large they are.

    `silent` is the share that sends no text; see `CustomerFactory.customers`.
    """

    kind: CustomerKind
    accounts: int
    group: str = ""
    scale: float = 1.0
    silent: float | None = None


def accounts_by_kind(accounts: int) -> list[tuple[CustomerKind, int]]:
    """Return how many accounts of each kind a world of `accounts` has.

    Raises ValueError if there are too few for every kind.
    """
    if accounts < FEWEST_ACCOUNTS:
        raise ValueError(f"A demonstration world needs at least {FEWEST_ACCOUNTS} accounts, not {accounts}.")
    wanted = {kind.name: max(kind.least, kind.of_300 * accounts // 300) for kind in KINDS}
    for _ in range(sum(wanted.values()) - accounts):
        # The minima took more than there is: the kind that stands furthest above its own gives one back.
        richest = max(KINDS, key=lambda kind: wanted[kind.name] - kind.least)
        wanted[richest.name] -= 1
    wanted[HUMAN_CHAT.name] += accounts - sum(wanted.values())
    return [(kind, wanted[kind.name]) for kind in KINDS]
