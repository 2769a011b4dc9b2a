"""Customers as detectors see them. Each has a default for everything that is not the test's point."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from governance.detection.finding import Finding
from governance.usage.account_usage import AccountFacts, AccountUsage

SIGNED_UP = datetime(2026, 3, 2, 9, tzinfo=UTC)


def facts(**given: Any) -> AccountFacts:
    return replace(AccountFacts(created_at=SIGNED_UP, country="NL"), **given)


def usage(*, days_after_sign_up: float = 200, **given: Any) -> AccountUsage:
    """Somebody with 300 requests in a fortnight of which nothing else is known."""
    first_at = SIGNED_UP + timedelta(days=days_after_sign_up)
    known = AccountUsage(
        facts=facts(),
        events=300,
        ok=300,
        first_at=first_at,
        last_at=first_at + timedelta(days=14),
        active_days=10,
        active_hours=80,
        busiest_hour=9,
        median_input=60,
        median_output=150,
        median_ratio=2.0,
        ratio_percentile=0.6,
        models={"flagship-2": 300},
        parameter_sets=1,
        addresses=1,
        networks=1,
        countries=1,
        clients=1,
    )
    return replace(known, **given)


def marcus_the_harvester(**given: Any) -> AccountUsage:
    """Ever-new instructions on every subject, nobody behind them, temperature up."""
    harvest = usage(
        days_after_sign_up=3,
        standalone_share=1.0,
        varied_share=1.0,
        hot_share=1.0,
        texts=300,
        prompts=298,
        repeat_share=0.01,
        bare_share=1.0,
        templates=290,
        top_template_share=0.02,
        breadth=0.9,
        first_ask_share=1.0,
        item_share=0.7,
        given_share=0.2,
        reads=300,
        reads_mean=1.3,
        reads_top_half=1.9,
        reads_top_quarter=2.3,
        reads_high_share=0.65,
        concepts={"item": 0.5, "making": 0.1, "reason": 0.05, "problem": 0.1},
        first_asks=300,
        openings=20.0,
        item_openings=6.0,
        topic_entropy=2.3,
        markers={"code": 0.2, "mathematics": 0.1},
    )
    return replace(harvest, **given)


def ellen_the_evaluator(**given: Any) -> AccountUsage:
    """A public examination: one wrapping that many know, every question once, temperature at nought."""
    evaluation = usage(
        standalone_share=1.0,
        cold_share=1.0,
        seeded_share=1.0,
        active_days=2,
        busiest_hour=150,
        texts=300,
        prompts=300,
        bare_share=1.0,
        templates=1,
        steady_templates=1,
        steady_share=1.0,
        top_template_share=1.0,
        breadth=0.85,
        markers={"benchmark": 1.0, "reasoning": 1.0, "mathematics": 0.6},
        facts=facts(template_accounts=24, declared_use="model evaluation"),
    )
    return replace(evaluation, **given)


def samira_the_support_desk(**given: Any) -> AccountUsage:
    """A support bot with customers of its own, in conversations, under one system prompt."""
    support = usage(
        end_user_share=1.0,
        end_users=120,
        conversation_share=1.0,
        conversations=110,
        stream_share=1.0,
        texts=300,
        prompts=260,
        repeat_share=0.13,
        system_share=1.0,
        systems=1,
        top_system_share=1.0,
        follow_up_share=0.6,
        templates=280,
        top_template_share=0.02,
        breadth=0.85,
        person_share=0.8,
        polite_share=0.3,
        concepts={"support": 0.6, "chat": 0.3},
        markers={"context": 0.9},
        facts=facts(declared_use="customer support on documents"),
    )
    return replace(support, **given)


def tomas_the_translator(**given: Any) -> AccountUsage:
    """Nightly translation of a catalogue: one wrapping, one job, low temperature."""
    translation = usage(
        standalone_share=1.0,
        cold_share=1.0,
        texts=300,
        prompts=300,
        bare_share=1.0,
        templates=1,
        steady_templates=1,
        steady_share=1.0,
        top_template_share=1.0,
        breadth=0.68,
        work_share=1.0,
        markers={"translate": 1.0},
        median_ratio=5.0,
        ratio_percentile=0.9,
        facts=facts(declared_use="localisation"),
    )
    return replace(translation, **given)


def nadia_the_newcomer() -> AccountUsage:
    """Signed up, and has sent nothing yet."""
    return AccountUsage(facts=facts())


def strength_of(finding: Finding | None) -> float | None:
    """The strength of a finding; None, which is not 0, where there is no finding."""
    return None if finding is None else finding.strength
