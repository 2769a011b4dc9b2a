"""The figures that each detector gives as evidence: the case page shows their names and values."""

from dataclasses import replace
from typing import Final

from governance.detection.detectors import all_detectors
from tests.detection.detectors.test_sentences import everybody, findings

CAMPAIGNS: Final = {"acts_with_others", "wrapper_of_a_campaign"}
FIGURES: Final = {
    "acts_with_others": ["members", "organisations", "tied_to", "belongs", "tie_card", "tie_wrappers"],
    "address_pool": ["events", "addresses", "networks", "address_accounts", "end_user_share"],
    "answer_rating": ["judging_share", "texts"],
    "broad_instructions": ["texts", "prompts", "openings", "topic_entropy", "breadth", "prompts_sampled"],
    "dialogue_self_play": ["persona_share", "texts", "systems"],
    "evaluation_harness": [
        "benchmark_share",
        "lead_share",
        "seeded_share",
        "cold_share",
        "template_accounts",
        "customers_known",
        "evaluation_share",
        "runs_sampled",
        "texts",
        "events",
    ],
    "fast_model_switch": ["pivot_share", "pivot_events"],
    "high_output_ratio": ["median_ratio", "ratio_percentile", "ratio_peers", "median_output", "model"],
    "high_volume_young_account": ["age_days", "requests_a_day", "active_days"],
    "known_corpus": ["corpus", "corpus_share", "texts", "runs_sampled"],
    "licence_ended": ["licence_ended_at"],
    "machine_pace": ["busiest_hour", "clock_flatness", "rate_limited", "events"],
    "matches_declared_use": ["declared_use", "fits", "share", "texts"],
    "named_by_partner": ["partners", "indicator_kinds"],
    "own_material": ["texts", "work_share", "concept_docwork", "concept_code", "top_template_share"],
    "people_ask": ["person_share", "polite_share", "follow_up_share", "concept_support", "texts"],
    "public_prompts": ["public_share", "prompts_sampled", "texts"],
    "reads_like_a_data_set": ["reads", "reads_high_share", "reads_mean", "reads_top_half", "reads_top_quarter"],
    "reasoning_elicitation": ["reasoning_share", "reasoned_item_share", "concept_reason", "exercise_share", "texts"],
    "repeated_prompts": ["repeat_share", "texts", "cached_share", "input_tokens"],
    "rotating_wrappers": ["repeated_templates", "top_template_share", "repeat_share", "texts"],
    "set_items": ["item_share", "item_openings", "concept_item", "given_share", "texts"],
    "answers_as_lists": ["listed_answer_share", "answers", "answered_share", "follow_up_share"],
    "answers_sent_back": [
        "returned_share",
        "returned_of",
        "others_answers_share",
        "others_answers_of",
        "answered_share",
        "resumed_share",
    ],
    "reasoning_of_others": ["shared_reasoning", "blocks_sampled", "reasoning_accounts"],
    "shared_card": ["card_accounts", "standalone_share"],
    "synthetic_tasks": [
        "making_share",
        "about_making_share",
        "concept_making",
        "texts",
        "marker_task_generation",
        "marker_evolution",
        "marker_synthetic_qa",
        "marker_training",
    ],
    "token_probabilities": ["logprobs_share", "top_logprobs", "median_output", "events"],
    "unattended_stream": [
        "events",
        "active_days",
        "standalone_share",
        "requests_a_day",
        "median_output",
        "cold_share",
        "night_share",
    ],
    "wrapper_of_a_campaign": ["members", "wrapped_share", "wrapper_of"],
    "varied_answers": ["varied_share", "mean_n", "events", "parameter_sets"],
}

# Figures that are shares of prompts by what stands in them or by what they are nearest to.
MARKERS: Final = {
    "benchmark_share": "benchmark",
    "judging_share": "judging",
    "persona_share": "persona",
    "reasoning_share": "reasoning",
    "marker_task_generation": "task_generation",
    "marker_evolution": "evolution",
    "marker_synthetic_qa": "synthetic_qa",
    "marker_training": "training",
}
CONCEPTS: Final = {f"concept_{name}": name for name in ("making", "reason", "item", "docwork", "code", "support")}


def test_figures_of_each_detector() -> None:
    found: dict[str, set[str]] = {}
    for _, finding in findings(40):
        found.setdefault(finding.detector, set()).update(finding.evidence)

    assert {name: found.get(name) for name in FIGURES} == {name: set(figures) for name, figures in FIGURES.items()}


def test_figures_are_those_of_the_usage() -> None:
    for account, finding in findings(40):
        for name, value in finding.evidence.items():
            # Of prompts here, of tokens in the usage; a date here, a moment there; a campaign's, not the account's.
            if name in {"reasoning_share", "licence_ended_at"} or finding.detector in CAMPAIGNS:
                continue
            for known in (account, account.facts):
                assert value == getattr(known, name, value), (finding.detector, name)


def test_shares_of_prompts_are_those_of_the_usage() -> None:
    shares = {name: 0.4 + place / 100 for place, name in enumerate((*MARKERS, *CONCEPTS))}
    markers = {marker: shares[figure] for figure, marker in MARKERS.items()}
    concepts = {concept: shares[figure] for figure, concept in CONCEPTS.items()}
    found: dict[str, object] = {}
    for account in everybody(40):
        for detector in all_detectors():
            if finding := detector.finding(replace(account, markers=markers, concepts=concepts)):
                found |= {name: value for name, value in finding.evidence.items() if name in shares}

    assert found == shares
