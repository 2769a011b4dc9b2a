"""One account as detectors see it: figures of its usage, and what is known of it besides.

Shares are between 0 and 1 and, where they speak of text, of the events that carried text. Nothing here knows
what is suspicious; that is for the detectors to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import log
from typing import Final

NIGHT_HOURS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFacts:
    """How an account belongs to a campaign, or how near it is to one.

    `members` belong to it, of so many `organisations`, and `tied_to` of them have wrappers, an address or a card in
    common with the account. `belongs` is how surely it belongs, from 0 to 1, and `counts` how much the campaign counts,
    from 0 to 1. `ties` are the shares of the account's prompts, hours and requests by which it is tied (see
    `campaigns.search.FoundMember`).
    """

    members: int
    organisations: int = 0
    tied_to: int = 0
    belongs: float = 0.0
    counts: float = 1.0
    ties: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """What is known of an account beside its events.

    `licence_ended_at` is when the last of its licences to train ended, if any has.
    `total_events` counts all its events where only the newest were read. `card_accounts` are other accounts on its
    card, `template_accounts` other organisations' accounts with one of its steady templates among theirs,
    `address_accounts` other organisations' accounts seen at its addresses; None where nobody looked.
    `customers_known` is how many accounts it could have been laid beside, None where that was not counted.
    `public_share` is the share of its `public_prompts` sampled prompts that several other accounts sent as well.
    `corpus` is the known corpus that most of its sampled prompts' words are in, `corpus_share` which share of them,
    and `evaluation_share` that of known evaluations. `campaign` is the open one it belongs to, `near_campaign` the one
    whose wrappers it uses without belonging to it. `others_answers_share` is the share, of `others_answers_of` sampled
    runs of its first questions, that are in the answers to one account of another organisation; `shared_reasoning`
    counts its sampled signed reasoning blocks that `reasoning_accounts` accounts of other organisations had as well.
    `named_by` are the partners whose indicators fit it, each with a kind of indicator (`detection.indicator_kinds`).
    """

    created_at: datetime | None = None
    plan: str = ""
    declared_use: str = ""
    country: str = ""
    email_domain: str = ""
    licensed: bool = False
    licence_ended_at: datetime | None = None
    total_events: int | None = None
    card_accounts: int = 0
    template_accounts: int = 0
    address_accounts: int | None = None
    customers_known: int | None = None
    public_share: float = 0.0
    public_prompts: int = 0
    corpus: str = ""
    corpus_share: float = 0.0
    evaluation_share: float = 0.0
    campaign: CampaignFacts | None = None
    near_campaign: CampaignFacts | None = None
    others_answers_share: float = 0.0
    others_answers_of: int = 0
    shared_reasoning: int = 0
    reasoning_accounts: int = 0
    named_by: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUsage:
    """One account as detectors see it."""

    facts: AccountFacts = field(default_factory=AccountFacts)

    events: int = 0
    ok: int = 0
    rate_limited: int = 0
    refused: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None

    # rhythm, in UTC
    active_days: int = 0
    active_hours: int = 0
    hours_of_day: tuple[int, ...] = (0,) * 24
    busiest_hour: int = 0
    gap_variation: float | None = None
    active_slots: int = 0
    slots: tuple[int, ...] = ()

    # shape
    input_tokens: int = 0
    output_tokens: int = 0
    median_input: float = 0.0
    median_output: float = 0.0
    median_ratio: float = 0.0
    input_variation: float = 0.0
    long_output_share: float = 0.0
    cached_share: float = 0.0
    stream_share: float = 0.0
    seeded_share: float = 0.0
    logprobs_share: float = 0.0
    top_logprobs: int = 0
    sampled_share: float = 0.0
    mean_n: float = 1.0
    cold_share: float = 0.0
    hot_share: float = 0.0
    unset_temperature_share: float = 0.0
    tools_share: float = 0.0
    structured_share: float = 0.0
    short_cap_share: float = 0.0
    reasoning_share: float = 0.0
    pivot_share: float = 0.0
    pivot_events: int = 0
    main_ratio: float | None = None
    ratio_percentile: float | None = None
    ratio_peers: int = 0
    parameter_sets: int = 0
    top_parameter_share: float = 0.0
    settings_digest: int | None = None
    models: Mapping[str, int] = field(default_factory=dict)

    # who is behind it; an event stands alone without end user, conversation, earlier turn, tools or a schema
    standalone_share: float = 0.0
    varied_share: float = 0.0
    end_user_share: float = 0.0
    end_users: int = 0
    conversation_share: float = 0.0
    conversations: int = 0
    addresses: int = 0
    top_addresses: tuple[tuple[int, int], ...] = ()
    networks: int = 0
    countries: int = 0
    clients: int = 0
    keys: int = 0
    home_share: float | None = None

    # content; zero where no text was sent
    texts: int = 0
    prompts: int = 0
    repeat_share: float = 0.0
    system_share: float = 0.0
    systems: int = 0
    top_system_share: float = 0.0
    follow_up_share: float = 0.0
    bare_share: float = 0.0
    templates: int = 0
    steady_templates: int = 0
    steady_share: float = 0.0
    top_template_share: float = 0.0
    top_templates: tuple[tuple[int, int], ...] = ()
    templates_used: tuple[tuple[int, int], ...] = ()
    top_openings: tuple[tuple[int, int], ...] = ()
    top_closings: tuple[tuple[int, int], ...] = ()
    breadth: float | None = None
    sample: tuple[int, ...] = ()
    shingles: tuple[int, ...] = ()
    # answers, of requests whose answer was reported: sampled runs of words of them and of first questions
    answered_share: float = 0.0
    listed_answer_share: float = 0.0
    answer_runs: tuple[int, ...] = ()
    question_runs: tuple[int, ...] = ()
    returned_share: float = 0.0
    returned_of: int = 0
    reasoning: tuple[int, ...] = ()
    making_share: float = 0.0
    work_share: float = 0.0
    first_ask_share: float = 0.0
    item_share: float = 0.0
    person_share: float = 0.0
    polite_share: float = 0.0
    given_share: float = 0.0
    about_making_share: float = 0.0
    reasoned_item_share: float = 0.0
    exercise_share: float = 0.0
    manner_known_share: float = 0.0
    # how prompts read, in standard deviations of ordinary ones; `reads` of them were measured
    reads: int = 0
    reads_mean: float | None = None
    reads_top_half: float | None = None
    reads_top_quarter: float | None = None
    reads_high_share: float = 0.0
    concepts: Mapping[str, float] = field(default_factory=dict)
    # different first words expected among 30 first asks, and those of complete instructions among them
    first_asks: int = 0
    openings: float | None = None
    item_openings: float | None = None
    topic_entropy: float = 0.0
    markers: Mapping[str, float] = field(default_factory=dict)
    topics: Mapping[str, float] = field(default_factory=dict)
    languages: Mapping[str, float] = field(default_factory=dict)

    @property
    def total_events(self) -> int:
        """All events of the account, read or not."""
        return max(self.events, self.facts.total_events or 0)

    @property
    def age_days(self) -> float | None:
        """Days from sign-up to the first event read."""
        if self.first_at is None or self.facts.created_at is None:
            return None
        return max(0.0, (self.first_at - self.facts.created_at).total_seconds() / 86_400)

    @property
    def resumed_share(self) -> float:
        """Share of requests that name a conversation which an earlier request has named."""
        named = self.conversation_share * self.events
        return max(0.0, (named - self.conversations) / self.events) if self.events else 0.0

    @property
    def unattended_share(self) -> float:
        """Share of requests that name neither an end user nor a conversation."""
        return 1.0 - max(self.end_user_share, self.conversation_share)

    @property
    def lead_share(self) -> float:
        """The first wrapping's share of all that are wrapped steadily: 1 where one wrapping serves for
        everything.
        """
        return self.top_template_share / self.steady_share if self.steady_share else 0.0

    @property
    def settled_share(self) -> float:
        """Share of requests set to give the same answer each time: fixed seed or low temperature."""
        return max(self.seeded_share, self.cold_share)

    @property
    def main_model(self) -> str:
        """The model it used most."""
        return max(self.models, key=self.models.__getitem__, default="")

    @property
    def clock_flatness(self) -> float:
        """How evenly the hours of the day are used: 1 for round the clock, 0 for one hour of the day
        (entropy).
        """
        counts = [count for count in self.hours_of_day if count]
        total = sum(counts)
        return -sum(count / total * log(count / total) for count in counts) / log(24) if total else 0.0

    @property
    def night_share(self) -> float | None:
        """The share of requests in the quietest eight hours on end of the day; None without any."""
        total = sum(self.hours_of_day)
        if not total:
            return None
        clock = self.hours_of_day * 2
        return min(sum(clock[start : start + NIGHT_HOURS]) for start in range(24)) / total

    def marker_share(self, *names: str) -> float:
        """The largest share among these markers."""
        return max((self.markers.get(name, 0.0) for name in names), default=0.0)
