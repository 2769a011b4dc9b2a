"""No detector claims what was not measured: walked over all of them, with nobody, one, few and many to compare with."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from governance.detection.detectors import all_detectors
from governance.detection.finding import Finding
from governance.usage.account_usage import AccountUsage, CampaignFacts
from tests.detection.usages import (
    ellen_the_evaluator,
    facts,
    marcus_the_harvester,
    samira_the_support_desk,
    tomas_the_translator,
    usage,
)

COMPARED = (0, 1, 7, 40, 1_412)
# A number of what was looked at: `of 1,412 accounts`, `of the 96 sampled prompts`, `45 of 300 requests`.
COUNTED = re.compile(
    r"(?<![\d.])([\d,]+) (?:sampled )?(prompts|requests|accounts?|customers|input tokens|addresses|networks|end users)"
)
SAMPLED = re.compile(r"\(([\d,]+) sampled\)")


def everybody(compared: int) -> Iterator[AccountUsage]:
    """Customers in whom, between them, every detector sees something."""
    peers = {"ratio_percentile": 0.95, "ratio_peers": compared, "main_ratio": 13.0, "median_ratio": 13.0}
    beside: dict[str, Any] = {
        "template_accounts": min(compared, 9),
        "customers_known": compared or None,
        "public_share": 0.9 if compared else 0.0,
        "public_prompts": 96 if compared else 0,
    }
    sampled = {"sample": tuple(range(200)), "shingles": tuple(range(400))}
    seen = peers | sampled
    tight = CampaignFacts(members=12, organisations=9, tied_to=9, belongs=0.9, ties={"card": 1.0, "wrappers": 0.9})
    loose = replace(tight, ties={"card": 0.1})
    near = CampaignFacts(members=12, ties={"wrappers": 0.4, "wrapper_of": 0.8})
    yield marcus_the_harvester(**seen, facts=facts(**beside, campaign=tight, card_accounts=5, corpus="quiz"))
    yield marcus_the_harvester(**seen, facts=facts(campaign=loose, corpus="quiz", corpus_share=0.7))
    yield marcus_the_harvester(**seen, facts=facts(near_campaign=near))
    answered = {"answered_share": 1.0, "listed_answer_share": 0.9, "returned_share": 0.7, "returned_of": 40}
    passed_on = facts(
        named_by=(("North Lab", "card"),),
        shared_reasoning=7,
        reasoning_accounts=2,
        others_answers_share=0.9,
        others_answers_of=compared,
    )
    yield marcus_the_harvester(**seen, **answered, reasoning=tuple(range(60)), facts=passed_on)
    yield marcus_the_harvester(
        **seen,
        end_user_share=0.1,
        networks=9,
        addresses=20,
        making_share=0.5,
        logprobs_share=0.6,
        top_logprobs=5,
        mean_n=4.0,
        systems=29,
        rate_limited=60,
        pivot_share=0.8,
        pivot_events=120,
        markers={"persona": 0.9, "reasoning": 0.8, "judging": 0.7, "task_generation": 0.5},
        facts=facts(corpus="quiz", corpus_share=0.7, address_accounts=compared),
    )
    yield marcus_the_harvester(
        **seen, templates_used=tuple((n, 70) for n in range(4)), top_template_share=0.3, repeat_share=0.3, prompts=210
    )
    yield ellen_the_evaluator(**seen, facts=facts(**beside, evaluation_share=0.4, declared_use="evaluation"))
    yield ellen_the_evaluator(facts=facts(template_accounts=3, public_share=0.9, public_prompts=50))
    yield samira_the_support_desk(
        **seen, repeat_share=0.6, cached_share=0.4, input_tokens=9_000, facts=facts(**beside, declared_use="support")
    )
    yield tomas_the_translator(**seen)
    yield usage(facts=facts(licence_ended_at=datetime(2026, 11, 1, tzinfo=UTC)))
    yield usage(**peers, standalone_share=1.0, cached_share=0.9, input_tokens=500, busiest_hour=200)


def findings(compared: int) -> Iterator[tuple[AccountUsage, Finding]]:
    for one in everybody(compared):
        for detector in all_detectors():
            if finding := detector.finding(one):
                yield one, finding


def test_every_detector_is_walked() -> None:
    assert {finding.detector for _, finding in findings(40)} == {detector.name for detector in all_detectors()}


@pytest.mark.parametrize("compared", COMPARED)
def test_every_number_of_a_sentence_is_in_its_evidence(compared: int) -> None:
    for _, finding in findings(compared):
        evidence = {f"{value:,}" for value in finding.evidence.values() if isinstance(value, int)} | {"0"}
        said = {number for number, _ in COUNTED.findall(finding.sentence)} | set(SAMPLED.findall(finding.sentence))
        assert said <= evidence, (finding.detector, finding.sentence, finding.evidence)


@pytest.mark.parametrize("compared", COMPARED)
def test_a_place_among_others_is_claimed_of_as_many_as_were_compared(compared: int) -> None:
    for _, finding in findings(compared):
        if "ratio_peers" not in finding.evidence:
            continue
        if compared == 0:
            assert (
                "in the top tenth of a built-in reference; too few comparable customers were measured"
                in finding.sentence
            )
        else:
            least = int(0.95 * compared)
            assert f"at least {least:,} of {compared:,} comparable account" in finding.sentence
            assert "built-in" not in finding.sentence


@pytest.mark.parametrize("compared", COMPARED)
def test_no_share_of_customers_is_claimed(compared: int) -> None:
    """A share of customers would hide of how many: they are always counted."""
    for _, finding in findings(compared):
        assert not re.search(r"%[^.;]{0,12} of (the |all )?(like )?(users|customers|accounts)", finding.sentence)
        assert not re.search(r"more than (over )?\d+ %", finding.sentence)
        assert "unrelated customers" not in finding.sentence


def test_every_share_is_of_something_that_is_counted() -> None:
    """After `40 %` comes of how many, or the sentence has said before what it is a share of."""
    for _, finding in findings(40):
        if "%" in finding.sentence and finding.detector not in {"acts_with_others", "wrapper_of_a_campaign"}:
            assert COUNTED.search(finding.sentence) or SAMPLED.search(finding.sentence), finding.sentence


def test_what_is_measured_against_no_customer_says_so() -> None:
    for _, finding in findings(0):
        if finding.detector in {"broad_instructions", "high_output_ratio"}:
            assert "built-in reference" in finding.sentence


def test_nothing_is_said_of_all_where_a_part_was_seen() -> None:
    """A tenth of the requests name end users."""
    said = {f.detector: f.sentence for one, f in findings(7) if one.end_user_share == 0.1}

    assert "10 % of its requests name an end user" in said["address_pool"]
