"""Who lives in a labelled world: ordinary customers, those who resemble a harvest, and harvests bare and dressed up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from governance.demo.behaviours.collecting import (
    CODE_HARVEST,
    DIALOGUE_SELF_PLAY,
    EVOLUTION,
    LOGIT_ACCESS,
    PAIR_SYNTHESIS,
    SAMPLED_SOLUTIONS,
    SLOW_AND_LOW,
    SYNTHETIC_QUESTIONS,
    TEXTBOOKS,
    TRAJECTORIES,
    TRANSLATION_CORPUS,
    WRAPPED_REASONING,
    in_step,
)
from governance.demo.behaviours.harvesting import (
    BULK_HARVEST,
    LICENSED_DISTILLER,
    PREFERENCE_COLLECTOR,
    RELEASE_PIVOT,
    TASK_GENERATOR,
    TRACE_COLLECTOR,
)
from governance.demo.behaviours.hiding import SLOW_RING, TRAFFIC_PROXY
from governance.demo.behaviours.own_material import (
    FAQ_MAKER,
    GAME_WRITER,
    LESSON_PLANNER,
    OFFICE_VPN,
    OWN_JUDGE,
    OWN_SUMMARIES,
    SISTER_ACCOUNTS,
    SQL_COPILOT,
    TEMPLATE_USER,
    WORKSHOP,
)
from governance.demo.behaviours.talking import AGENCY, UNIVERSITY
from governance.demo.cast import KINDS, CustomerBatch
from governance.demo.customer import CustomerKind, Tie
from governance.demo.worlds.costume import dress

HARVESTS = (
    BULK_HARVEST,
    TRACE_COLLECTOR,
    TASK_GENERATOR,
    PREFERENCE_COLLECTOR,
    RELEASE_PIVOT,
    WRAPPED_REASONING,
    SAMPLED_SOLUTIONS,
    EVOLUTION,
    SYNTHETIC_QUESTIONS,
    DIALOGUE_SELF_PLAY,
    CODE_HARVEST,
    PAIR_SYNTHESIS,
    TEXTBOOKS,
    TRANSLATION_CORPUS,
    TRAJECTORIES,
    LOGIT_ACCESS,
    SLOW_AND_LOW,
)


def _campaign(name: str, kind: CustomerKind, tied_by: Tie) -> CustomerKind:
    return replace(kind, name=name, is_hidden_group=True, tied_by=tied_by)


CAMPAIGNS = (
    _campaign("campaign_shared_card", WRAPPED_REASONING, Tie.CARDS),
    _campaign("campaign_address_pool", SYNTHETIC_QUESTIONS, Tie.ADDRESSES),
    _campaign("campaign_card_and_pool", SLOW_RING, Tie.CARDS_AND_ADDRESSES),
    _campaign("campaign_templates_only", EVOLUTION, Tie.NOTHING),
    _campaign("campaign_in_step", CODE_HARVEST, Tie.NOTHING),
)
IN_STEP = CAMPAIGNS[-1].name
_SIZES = {kind.name: size for kind, size in zip(CAMPAIGNS, (2, 5, 3, 4, 6), strict=True)}

# Accounts that are made together, so many at a time.
_GROUPED: Mapping[str, int] = {
    UNIVERSITY.name: 6,
    AGENCY.name: 5,
    SISTER_ACCOUNTS.name: 4,
    OFFICE_VPN.name: 6,
    WORKSHOP.name: 16,
}
LOOK_ALIKES = (
    OWN_JUDGE,
    OWN_SUMMARIES,
    SQL_COPILOT,
    FAQ_MAKER,
    GAME_WRITER,
    LESSON_PLANNER,
    TEMPLATE_USER,
    WORKSHOP,
    SISTER_ACCOUNTS,
    OFFICE_VPN,
)
ORDINARY = tuple(kind for kind in KINDS if not kind.harvest and kind is not LICENSED_DISTILLER) + LOOK_ALIKES

SHARE_OF_HARVESTS = 0.1
SHARE_IN_CAMPAIGNS = 0.6
SHARE_WITHOUT_TEXT = 0.15
FEWEST_IN_CAMPAIGN = 4
# An account of a campaign needs fewer requests than one by itself, and a fortnight of a customer is some sixty.
SCALE, SCALE_IN_CAMPAIGN, SCALE_OF_SLOW = 0.5, 0.2, 0.15
ACCOUNTS_A_LICENCE = 1_500


def cast_world(accounts: int, *, dressed: float) -> list[CustomerBatch]:
    """Return who lives in a world of so many accounts; of its harvests a share is dressed up.

    Raises ValueError if there are too few accounts for every family to be there.
    """
    harvests = int(accounts * SHARE_OF_HARVESTS)
    dressed_up = round(harvests * dressed)
    troupes = [
        *_harvesting(harvests - dressed_up, is_dressed=False),
        *_harvesting(dressed_up, is_dressed=True),
        *(CustomerBatch(LICENSED_DISTILLER, 1, scale=SCALE) for _ in range(max(1, accounts // ACCOUNTS_A_LICENCE))),
    ]
    left = accounts - sum(troupe.accounts for troupe in troupes)
    least = sum(_GROUPED.get(kind.name, 1) for kind in ORDINARY)
    if left < least:
        raise ValueError(f"A labelled world needs at least {accounts - left + least} accounts, not {accounts}.")
    return [troupe._replace(silent=SHARE_WITHOUT_TEXT) for troupe in (*troupes, *_ordinary(left))]


def _harvesting(accounts: int, *, is_dressed: bool) -> Iterator[CustomerBatch]:
    if not accounts:
        return
    half = "dressed" if is_dressed else "careless"
    shares = sum(_SIZES.values())
    in_campaigns = accounts * SHARE_IN_CAMPAIGNS
    left = accounts
    for bare in CAMPAIGNS:
        kind = dress(bare) if is_dressed else bare
        if kind.name == IN_STEP:
            kind = replace(kind, behave=in_step(kind.behave))
        members = max(FEWEST_IN_CAMPAIGN, int(in_campaigns * _SIZES[kind.name] / shares))
        left -= members
        yield CustomerBatch(kind, members, f"{half}_{kind.name}", SCALE if is_dressed else SCALE_IN_CAMPAIGN)
    singles = [dress(kind) if is_dressed else kind for kind in HARVESTS]
    singles.append(
        dress(replace(BULK_HARVEST, name=TRAFFIC_PROXY.name), share=(0.05, 0.5)) if is_dressed else TRAFFIC_PROXY
    )
    for kind, number in zip(singles, _even(max(left, len(singles)), len(singles)), strict=True):
        yield CustomerBatch(
            kind, number, scale=SCALE_OF_SLOW if is_dressed and kind.name == SLOW_AND_LOW.name else SCALE
        )


def _ordinary(accounts: int) -> Iterator[CustomerBatch]:
    """Yield ordinary customers in the proportions of their kinds; the first kind takes what is left over."""
    wanted = {kind: max(1, kind.of_300 * accounts // sum(one.of_300 for one in ORDINARY)) for kind in ORDINARY[1:]}
    groups = {kind: max(1, number // _GROUPED[kind.name]) for kind, number in wanted.items() if kind.name in _GROUPED}
    wanted |= {kind: _GROUPED[kind.name] * number for kind, number in groups.items()}
    while sum(wanted.values()) >= accounts:
        # The minima took more than there is: the most frequent kind gives one back.
        wanted[max((kind for kind in wanted if kind not in groups), key=wanted.__getitem__)] -= 1
    for kind, number in wanted.items():
        for place in range(groups.get(kind, 1)):
            group = f"{kind.name}_{place}" if kind is WORKSHOP else ""
            yield CustomerBatch(kind, number // groups.get(kind, 1), group, SCALE)
    yield CustomerBatch(ORDINARY[0], accounts - sum(wanted.values()), scale=SCALE)


def _even(accounts: int, parts: int) -> Sequence[int]:
    return [accounts // parts + (place < accounts % parts) for place in range(parts)]
