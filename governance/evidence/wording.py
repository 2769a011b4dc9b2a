"""The report in plain words, from the facts of a case. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from governance.evidence.document import Block, Document, heading, items, note, paragraph, say_time, table
from governance.evidence.wording_of_records import say_annex, say_enforcement, say_excerpts, say_proofs, say_usage
from governance.web.counts import pluralize

Facts = Mapping[str, Any]
NOT_BUILT: Final = (
    "Notices to customers, appeals and blind second reviews are not recorded by this release of Stillwatch. "
    "That this report names none does not mean that there were none."
)


def write_report(facts: Facts, excerpts: Sequence[Mapping[str, str]] | None) -> Document:
    case = facts["case"]
    about = f"Account {case['subject']}" if case["about"] == "account" else f"Campaign {case['subject']}"
    parts = (_what_happened, _who, _assessments, _error_rates, _decisions, say_enforcement, say_usage, say_annex)
    blocks = [block for part in parts for block in part(facts)]
    blocks += [*say_excerpts(excerpts), *say_proofs(facts)]
    return Document("Evidence report", f"{about}, as of {say_time(facts['as_of'])}", blocks)


def _what_happened(facts: Facts) -> Iterator[Block]:
    case, assessed = facts["case"], facts["assessment"]
    yield heading("What happened")
    who = f"account {case['subject']}" if case["about"] == "account" else pluralize(facts["accounts"], "account")
    acting = "" if case["about"] == "account" else ", which act as one,"
    yield paragraph(
        "Stillwatch, a program that reads usage of an AI model for signs that answers are harvested to train a "
        "copy, "
        f"opened a case about {who}{acting} on {say_time(case['opened_at'])}. The score was {case['score']} of 100, "
        f"in the band {case['band']}; a person looks at every account with "
        f"{facts['method']['error_rates']['review_line']} "
        f"or more."
    )
    decisions = [one for one in facts["decisions"] if one["undone_at"] is None]
    if decisions:
        last = decisions[-1]
        yield paragraph(
            f"{last['by']} decided on {say_time(last['at'])}: {last['action'].lower()}, scope: "
            f"{last['scope'].lower()}. "
            f"The reason was “{last['reason']}”"
            + (f", under the clause “{last['terms_clause']}”." if last["terms_clause"] else ".")
        )
    else:
        yield paragraph("Nobody has decided about it, or the decision was undone.")
    refused = [one for one in facts["gateways"] if one["refused"]]
    if refused:
        first = min(refused, key=lambda one: one["refused_at"])
        yield paragraph(
            f"Gateway {first['gateway']} first refused a request because of it on {say_time(first['refused_at'])}."
        )
    yield paragraph(
        f"In the assessed period the account sent {assessed['events']:,} requests."
        if case["about"] == "account"
        else f"The campaign sent {facts['campaign']['events']:,} requests, as counted when it was last assessed."
    )
    if facts["withheld"]:
        yield note(f"Withheld from this bundle: {'; '.join(facts['withheld'])}. Their commitments are in it.")


def _who(facts: Facts) -> Iterator[Block]:
    yield heading("Who, and under which terms")
    yield paragraph(
        f"The case is about {pluralize(facts['accounts'], 'account')} of "
        f"{pluralize(facts['organisations'], 'organisation')}. "
        "data/accounts.ndjson says what the seller’s register holds of each, and data/restrictions.ndjson what was "
        "put in "
        "force on them."
    )
    if facts["terms"]:
        yield table(
            ("Version of the terms", "Published", "Accepted by", "First accepted", "Last accepted"),
            (
                (
                    one["version"],
                    say_time(one["published_at"]),
                    pluralize(one["accounts"], "account"),
                    say_time(one["first"]),
                    say_time(one["last"]),
                )
                for one in facts["terms"]
            ),
        )
    else:
        yield paragraph("No acceptance of terms by these accounts is recorded in the register.")


def _assessments(facts: Facts) -> Iterator[Block]:
    assessed, campaign = facts["assessment"], facts["campaign"]
    yield heading("Assessments")
    yield paragraph(
        f"Assessed on {say_time(assessed['assessed_at'])} by calibration {assessed['model_version']}, on usage from "
        f"{say_time(assessed['window_start'])} to {say_time(assessed['window_end'])}: score {assessed['score']} of "
        "100; "
        f"probability of a harvest {assessed['chance']}, at the share of harvests that was expected beforehand."
    )
    if assessed["licensed"]:
        yield paragraph("A licence permitted training on the answers then.")
    yield _findings(assessed["findings"])
    yield note("Points are a measure of odds. Those below zero speak for the account.")
    if campaign is not None:
        yield paragraph(f"Why the accounts count as one; worth {campaign['score']} points for a sure member:")
        yield _findings(campaign["findings"])
        bands = ", ".join(f"{many:,} {band}" for band, many in facts["bands"].items())
        yield paragraph(f"The newest assessments of its accounts, by band: {bands or 'none'}.")


def _findings(findings: Sequence[Mapping[str, Any]]) -> Block:
    rows = ((one["points"], one["title"], one["sentence"], one.get("harmless")) for one in findings)
    return table(("Points", "Finding", "What was seen", "Possible innocent explanation"), rows, widths=(1, 3, 5, 4))


def _error_rates(facts: Facts) -> Iterator[Block]:
    method = facts["method"]
    rates = method["error_rates"]
    yield heading("How often the method errs")
    yield paragraph(
        f"Measured on {rates['measured_on']}, by the detectors of the packaged calibration {rates['calibration']}. "
        f"{rates['how']}"
    )
    yield table(
        (
            "World",
            "Harvests found at the review line",
            "Others wrongly there",
            "Found if 0.1 % of others are let through",
            "The same, fitted on the other world alone",
        ),
        (
            (
                one["name"],
                f"{one['found']} of {one['harvests']}: {one['recall']}",
                f"{one['wrongly_flagged']} of {one['others']:,}: {one['false_positives']}",
                one["recall_at_a_thousandth"],
                one["other_world"],
            )
            for one in rates["worlds"]
        ),
    )
    probability = rates["probability"]
    yield paragraph(
        f"The probability beside the score has a Brier score of {probability['brier']} on "
        f"{probability['accounts']:,} accounts, "
        f"against {probability['brier_of_the_base_rate']} of the base rate alone."
    )
    if not method["is_measured"]:
        used = ", ".join(method["calibrations"])
        yield note(f"The accounts were assessed by {used}, whose error rates were not measured on these worlds.")
    yield items(rates["caveats"])
    yield paragraph(f"Agreement of second reviewers: {method['agreement_of_second_reviewers']}.")


def _decisions(facts: Facts) -> Iterator[Block]:
    yield heading("Decisions")
    if facts["decisions"]:
        yield table(
            ("When", "By", "Action", "Reason and clause", "Note", "Undone"),
            (
                (
                    say_time(one["at"]),
                    one["by"],
                    one["action"],
                    f"{one['reason']}. {one['terms_clause']}".strip(" ."),
                    one["note"],
                    one["undone_at"] and f"{say_time(one['undone_at'])}, by {one['undone_by']}: {one['undone_note']}",
                )
                for one in facts["decisions"]
            ),
            widths=(3, 2, 2, 4, 4, 3),
        )
    else:
        yield paragraph("None.")
    yield note(NOT_BUILT)
