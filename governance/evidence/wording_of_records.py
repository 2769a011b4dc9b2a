"""The second part of the report in plain words: what was put in force, usage, and how to check it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from governance.evidence.annex import list_elements
from governance.evidence.document import Block, heading, items, note, paragraph, quotation, say_seconds, say_time, table

Facts = Mapping[str, Any]
LIMITS: Final = (
    (
        "It proves that the entries in log/ and the events in usage/ were there when the checkpoint was signed and "
        "when their day was sealed."
    ),
    (
        "What is in data/ and in this report is what the database held when the bundle was made. The signature "
        "shows that it was not altered since, and by whose key."
    ),
    (
        "It does not prove that what was recorded was true: that gateways reported their usage rightly, or who "
        "stood behind an account."
    ),
    "Compare the key in log/keys.txt with one that the seller has given you by another way.",
)


def say_enforcement(facts: Facts) -> Iterator[Block]:
    yield heading("What was put in force, and when gateways began to refuse")
    shown = facts["first_restrictions"]
    if not shown:
        yield paragraph("Nothing was put in force.")
        return
    if facts["restrictions"] > len(shown):
        yield paragraph(f"The first {len(shown)} of {facts['restrictions']:,}; data/restrictions.ndjson has all.")
    yield table(
        ("No.", "On", "Kind", "From", "Ended"),
        (
            (
                one["number"],
                f"{one['on']} {one['id']}",
                one["kind"],
                say_time(one["starts_at"]),
                say_time(one["ended_at"]),
            )
            for one in shown
        ),
        widths=(1, 4, 2, 4, 4),
    )
    if not facts["gateways"]:
        yield paragraph("No gateway has reported that it had them, or that it refused a request because of them.")
        return
    yield table(
        (
            "Gateway",
            "Restrictions that it had",
            "Since",
            "Slowest after the decision",
            "Restrictions that it refused by",
            "First refusal",
            "Soonest after the decision",
        ),
        (
            (
                one["gateway"],
                one["had"],
                say_time(one["had_at"]),
                say_seconds(one["slowest"]),
                one["refused"],
                say_time(one["refused_at"]),
                say_seconds(one["refused_after"]),
            )
            for one in facts["gateways"]
        ),
    )
    yield note(
        "Times are measured, from the decision on. When gateways had a restriction is kept for 30 days. A refusal "
        "proves that the "
        "gateway refused then; a gateway is asked nothing while the customer does not call."
    )


def say_usage(facts: Facts) -> Iterator[Block]:
    yield heading("Usage by day")
    if not facts["usage"]:
        yield paragraph("No usage of a day that is over is kept.")
        return
    yield table(
        ("Day (UTC)", "Requests", "Output tokens", "Sealed by audit entry"),
        ((one["day"], f"{one['requests']:,}", f"{one['output_tokens']:,}", _say_seal(one)) for one in facts["usage"]),
    )
    yield note(
        "Sealed days are days whose events were fixed in the audit log by the head of a tree over all of them. "
        "usage/events.ndjson holds sampled events, each with its proof."
    )


def _say_seal(day: Mapping[str, Any]) -> str:
    if day["sealed_by_entry"] is None:
        return ""
    again = f", seal no. {day['seal']}: some events arrived late" if day["seal"] > 1 else ""
    return f"{day['sealed_by_entry']}{again}"


def say_annex(facts: Facts) -> Iterator[Block]:
    yield heading("Annex: elements that bills on distillation name")
    yield table(
        ("Element", "What of it is recorded"),
        ((one["element"], " ".join(one["recorded"]) or one["absent"]) for one in list_elements(facts)),
        widths=(2, 5),
    )
    yield note(
        "What is recorded is listed, not judged. annex.json has the same as data, with the ids of MITRE ATLAS and "
        "OWASP."
    )


def say_excerpts(excerpts: Sequence[Mapping[str, str]] | None) -> Iterator[Block]:
    yield heading("Excerpts of prompts")
    if excerpts is None:
        yield paragraph("None are in this bundle. It holds no prompt and no answer.")
        return
    yield note("A small sample of the customer’s own words, decrypted for this bundle. The reason is in the audit log.")
    for one in excerpts:
        yield quotation(f"{say_time(one['occurred_at'])}, {one['model']}", one["text"])
    if not excerpts:
        yield paragraph("None were kept any more.")


def say_proofs(facts: Facts) -> Iterator[Block]:
    checkpoint = facts["checkpoint"]
    yield heading("How to check this")
    yield paragraph(
        "Run python verify.py in the folder of this bundle. It needs Python 3.11 or newer and the package "
        "cryptography, and no "
        "network. It compares every file with manifest.json, whose hash is signed, every entry of the audit log "
        "with its proof in "
        f"the checkpoint of {checkpoint['size']:,} entries of {checkpoint['origin']}, and every sampled event with "
        "the entry that sealed its day."
    )
    yield items(LIMITS)
