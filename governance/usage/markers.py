"""Markers: what a request asks for, recognised by its wording.

Public ways of making training data have a manner of speaking (Self-Instruct, Evol-Instruct, Orca, UltraChat,
Magpie, GLAN, s1, collections of preferences and rewards), and so has ordinary work. No marker means harm by
itself: everybody asks for steps now and then. Detectors look at how steadily an account does.

A marker's place in the table is its bit in `Fingerprint.markers` and stays for good; new ones are added at
the end. Patterns are for texts in lower case without line breaks.
"""

from collections.abc import Sequence
from typing import Final

# Anything within a sentence: plain characters and no bound, which keeps the automata small.
_WITHIN: Final = r"[ -\-/-~]*"

_MAKE: Final = (
    r"\b(?:generate|create|write|produce|come up with|propose|develop|make|design|devise|draft|synthesi[sz]e|"
    r"formulate|pose|give me|invent)\b"
)
_MANY: Final = (
    r"\b(?:[0-9]+|several|multiple|diverse|various|new|novel|brand[- ]new|different|unique|creative|original|"
    r"challenging|a (?:set|list|series|variety|range) of)\b"
)
_TASKS: Final = (
    r"\b(?:task|instruction|question|prompt|query|querie|problem|exercise|conversation|dialogue|example)s?\b"
)
_ANSWER: Final = r"\b(?:response|answer|output|completion|solution|reply|assistant|candidate)s?\b"
_PROMPT: Final = r"\b(?:prompt|instruction|question|problem|query|task)s?\b"
_TEXT: Final = r"(?:context|document|passage|excerpt|article)s?"

PATTERNS: Final[dict[str, tuple[str, ...]]] = {
    "reasoning": (
        r"step[- ]by[- ]step|chain[- ]of[- ]thought|</?think(?:ing)?>",
        r"think(?:ing)? (?:aloud|out loud|carefully|through)",
        r"\b(?:show|write out|write down|explain|include|give|reveal|spell out|lay out|describe)\b"
        + _WITHIN
        + r"\b(?:reasoning|thinking|thoughts?|working|steps?|derivation)\b",
        r"reason (?:carefully|through|about|step)",
        r"(?:your|full|detailed|complete|internal) (?:reasoning|thought)",
        r"(?:thinking|thought|reasoning) (?:process|trace|steps)",
    ),
    "judging": (
        r"\b(?:rate|score|grade|rank|judge|evaluate|assess|compare)\b"
        + _WITHIN
        + r"(?:\b1 ?(?:to|-|–) ?(?:4|5|7|10|100)\b|scale of|"
        + _ANSWER
        + r"|helpful|correctness|quality|difficulty)",
        r"which (?:of the )?(?:two )?" + _ANSWER + r" (?:is|are|was) (?:better|best|more)",
        r"impartial judge|\[\[a\]\]|rubric|preferred " + _ANSWER + r"|chosen and rejected",
    ),
    "task_generation": (
        _MAKE + _WITHIN + _MANY + _WITHIN + _TASKS,
        r"diverse (?:set|range|list|collection) of|seed (?:tasks?|instructions?)|task [0-9]+:",
        r"below are (?:some|a few|several) (?:tasks|examples of)",
        r"what (?:would|might|could) (?:a|the) user (?:ask|say)",
    ),
    "evolution": (
        r"\b(?:rewrite|rewrit(?:ten|ing)|evolve|complicate|rephrase|paraphrase|transform|augment|modify)\b"
        + _WITHIN
        + _PROMPT,
        r"more (?:complex|difficult|challenging|complicated|demanding) (?:version|one|variant|" + _PROMPT + r")",
        r"(?:increase|raise)" + _WITHIN + r"(?:difficulty|complexity)|(?:bit|little|slightly|much) harder",
        r"#(?:the )?(?:given|rewritten|created|new|evolved|original) (?:prompt|instruction)#",
    ),
    "critique": (
        r"critiqu|\b(?:revise|refine|improve|correct|polish|verify|double[- ]check)\b" + _WITHIN + _ANSWER,
        r"(?:find|identify|point out|list)" + _WITHIN + r"(?:flaws?|mistakes?|errors?|weakness(?:es)?) in",
    ),
    "persona": (
        r"never forget you are|never flip roles|role[- ]?play",
        r"assume the (?:role|persona)|take (?:on )?the role",
        r"(?:pretend|imagine)(?: that)? (?:to be|you(?: a|')re)|(?:adopt|following|given|this) persona",
        r"(?:simulate|act as|play) (?:a|an|the) (?:user|human|student|customer|patient|character)",
        r"you (?:are|must) (?:now )?(?:the|a) (?:user|human)\b",
    ),
    "synthetic_qa": (
        r"question[- /]?(?:and[- ]|&)?[- ]?answer(?:ing)? pairs?|q ?& ?a pairs?|qa pairs?",
        r"instruction[- ]response pairs?",
        _MAKE + _WITHIN + r"\bquestions?\b" + _WITHIN + r"\b(?:based on|from|about|using|for) (?:the|this|these|a)\b",
        r"(?:question|query)" + _WITHIN + r"(?:can|could) be answered (?:by|from|using|with)",
    ),
    "training": (
        r"training (?:data|set|sample|example|corpus)|fine[- ]?tun",
        r"language models?|\b(?:gpt|llm|chatgpt)s?\b",
        r"(?:synthetic|instruction|preference) (?:data|dataset)|(?:student|teacher|reward|target) model",
    ),
    "benchmark": (
        r"multiple[- ]choice|\$letter|\b[a-d]\) [ -~]+\b[b-e]\) ",
        r"\(a\)[ -~]+\(b\)|\ba\. [ -~]+\bb\. ",
        r"the (?:correct |final |best )?answer is|answer:? ?$|####|\\{1}boxed",
    ),
    "classify": (
        r"\bclassif|\blabel:|sentiment|categor(?:y|ise|ize)|spam or|true or false|\broute\b",
        r"return the (?:label|domain|intent|category)",
    ),
    "translate": (r"\btranslat|localise|localize|übersetz|tradu[cziît]|перевед|翻译|翻訳|번역",),
    "summarise": (r"summar|\btl;?dr\b|minutes (?:for|of)|key points|action items|condense",),
    "context": (
        _TEXT + r" (?:below|above|information|provided)|pieces of context|knowledge base|don'?t know the answer",
        r"(?:retrieved|provided|given|following) (?:context|documents|passages|excerpts)",
    ),
    "extract": (r"\bextract|\binvoice|into the (?:given )?schema|\bfields?\b|valid json|json (?:object|schema)",),
    "mathematics": (
        r"\\frac|\\sqrt|\$[ -#%-~]+\$|\bhow (?:many|much)\b",
        r"\b(?:prove|solve|compute|equation|integer|probability)\b",
    ),
    "code": (
        r"```|\bdef [a-z_0-9]+\(|\bfunction\b|\bclass [a-z]|#include|\bpython\b|\bjava(?:script)?\b|\bc\+\+|\bsql\b",
        r"\breturn [a-z]|\bimport [a-z]",
    ),
}

MARKERS: Final[tuple[str, ...]] = tuple(PATTERNS)
MARKER_BITS: Final[dict[str, int]] = {name: place for place, name in enumerate(MARKERS)}

# Making tasks for a model to learn from, and plain work on the customer's own material.
GENERATION_MARKERS: Final = ("task_generation", "evolution", "synthetic_qa")
ABOUT_MAKING_MARKERS: Final = (*GENERATION_MARKERS, "training", "persona", "judging", "critique")
WORK_MARKERS: Final = ("classify", "translate", "summarise", "context", "extract")


def marker_mask(names: Sequence[str]) -> int:
    """The bit mask with these markers set."""
    return sum(1 << MARKER_BITS[name] for name in names)


def marker_names(markers: int) -> list[str]:
    """The names of the markers set in a bit mask."""
    return [name for name, place in MARKER_BITS.items() if markers >> place & 1]
