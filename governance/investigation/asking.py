"""How an account asks: its prompt templates and the parameters of its requests, from its profiles."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from accounts.models import Account
from governance.detection.finding import percent
from governance.detection.models import Assessment
from governance.usage.account_usage import AccountFacts, AccountUsage
from governance.usage.profiles.features import build_account_usages
from governance.usage.queries import ScoringWindow, load_profiles

TEMPLATES_SHOWN: Final = 12


class TemplateUse(NamedTuple):
    """A prompt template, whose words are not kept: the digest by which it is known, and how many requests use it."""

    name: str
    requests: int
    share: str


class Parameter(NamedTuple):
    """A setting of the requests, and how it is used: as a share of them, or a figure."""

    name: str
    value: str


class WaysOfAsking(NamedTuple):
    """What the assessed usage of an account shows. `different` is how many templates there are."""

    assessment: Assessment
    templates: list[TemplateUse]
    different: int
    parameters: list[Parameter]


def get_ways_of_asking(account: Account) -> WaysOfAsking | None:
    """Return how the account asked in the window of its latest assessment; None without one. Two queries."""
    latest = Assessment.objects.filter(account=account).order_by("-assessed_at", "-pk").first()
    if latest is None:
        return None
    usage = _load_usage(account, ScoringWindow(latest.window_start, latest.window_end, latest.events))
    return WaysOfAsking(latest, _templates(usage), usage.templates, list(_parameters(usage)))


def _load_usage(account: Account, window: ScoringWindow) -> AccountUsage:
    built = build_account_usages(load_profiles({account.pk: window}), {account.pk: AccountFacts()})
    return built[account.pk]


def _templates(usage: AccountUsage) -> list[TemplateUse]:
    """The templates of most requests, that of the most first."""
    return [
        TemplateUse(f"{digest & 0xFFFF_FFFF_FFFF_FFFF:016x}"[:8], uses, percent(uses / max(uses, usage.texts)))
        for digest, uses in usage.top_templates[:TEMPLATES_SHOWN]
    ]


def _parameters(usage: AccountUsage) -> Iterator[Parameter]:
    """How requests are set, without what is never used."""
    shares = {
        "Temperature not set": usage.unset_temperature_share,
        "Low temperature": usage.cold_share,
        "High temperature": usage.hot_share,
        "Fixed seed": usage.seeded_share,
        "Token probabilities asked for": usage.logprobs_share,
        "Streamed": usage.stream_share,
        "With tools": usage.tools_share,
        "With a schema for the answer": usage.structured_share,
        "Answer cut short": usage.short_cap_share,
        "Input tokens from the cache": usage.cached_share,
        "With a system prompt": usage.system_share,
        "Name an end user": usage.end_user_share,
        "Name a conversation": usage.conversation_share,
        "Stand alone": usage.standalone_share,
        "With the commonest settings": usage.top_parameter_share,
    }
    yield from (Parameter(name, percent(share)) for name, share in shares.items() if share)
    figures = {
        "Different settings": usage.parameter_sets,
        "Answers a request": usage.mean_n if usage.mean_n > 1 else 0,
        "Output tokens, median": usage.median_output,
        "Input tokens, median": usage.median_input,
        "Different IP addresses": usage.addresses,
        "Different programs": usage.clients,
    }
    yield from (Parameter(name, f"{figure:,.1f}".removesuffix(".0")) for name, figure in figures.items() if figure)
