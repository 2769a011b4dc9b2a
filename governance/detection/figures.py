"""What the figures of findings are called, on the case page and in notes. Pure."""

from typing import Final

# Those whose own name does not say it.
NAMES: Final = {
    "accounts": "accounts of the campaign measured",
    "age_days": "days from sign-up to the first request assessed",
    "alone_share": "stand-alone requests",
    "answered_share": "requests with a reported answer",
    "answers": "answers reported",
    "blocks_sampled": "signed reasoning blocks sampled",
    "breadth": "variety of prompts, of unrelated texts\u2019",
    "by_one": "most requests each",
    "campaign_wide": "measured over the campaign",
    "card_accounts": "other accounts on the card",
    "customers_known": "accounts known to compare with",
    "each": "requests each",
    "events": "requests read",
    "fits": "measured by",
    "follow_up_share": "requests within a conversation",
    "indicator_kinds": "kinds of indicator",
    "lead_share": "share of the most common template among templates",
    "listed_answer_share": "answers that are long lists",
    "mean_n": "answers per request",
    "others_answers_of": "runs compared with others\u2019 answers",
    "others_answers_share": "runs of first questions in another\u2019s answers",
    "partners": "partners that name it",
    "prompts": "different prompts",
    "prompts_sampled": "prompts sampled",
    "public_share": "sampled prompts that others sent too",
    "ratio_peers": "accounts compared",
    "ratio_percentile": "percentile among those compared, or in the built-in reference",
    "reasoning_accounts": "other accounts with such blocks",
    "resumed_share": "requests that resume a conversation",
    "returned_of": "runs compared with its own answers",
    "returned_share": "runs of first questions in its own answers",
    "runs_sampled": "runs of four words sampled",
    "shared_reasoning": "signed reasoning blocks met elsewhere",
    "steady_share": "share in a fixed template",
    "template_accounts": "accounts of other organisations with its template",
    "texts": "prompts read",
    "tie_shards": "shared prompt pool",
}


def figure_label(figure: str) -> str:
    """Return the label of a figure of the evidence."""
    return NAMES.get(figure, figure.replace("_", " "))
