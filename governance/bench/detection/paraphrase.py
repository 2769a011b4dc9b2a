"""Say the same in other words, as a harvest would that hides its templates: by rules, which cost nothing. Pure."""

import re
from collections.abc import Mapping
from random import Random
from typing import Final

_SENTENCE: Final = re.compile(r"(?<=[.!?:])(\s+)")
_WORD: Final = re.compile(r"[A-Za-z']+")

_OTHER_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "answer": ("reply", "response"),
    "write": ("put down", "draft", "compose"),
    "explain": ("describe", "go through", "clarify"),
    "reasoning": ("thinking", "train of thought"),
    "step": ("stage", "part"),
    "steps": ("stages", "parts"),
    "show": ("lay out", "present"),
    "give": ("provide", "offer"),
    "task": ("job", "assignment"),
    "question": ("query", "thing I want to know"),
    "problem": ("puzzle", "matter"),
    "solution": ("way to solve it", "result"),
    "final": ("last", "closing"),
    "complete": ("full", "whole"),
    "detailed": ("thorough", "in-depth"),
    "include": ("add", "put in"),
    "new": ("fresh", "other"),
    "make": ("build", "prepare"),
    "must": ("should", "has to"),
    "generate": ("come up with", "think of"),
    "create": ("make", "invent"),
    "list": ("name", "set out"),
    "number": ("count", "figure"),
    "instruction": ("request", "order"),
    "instructions": ("requests", "orders"),
    "sentence": ("line", "phrase"),
    "sentences": ("lines", "phrases"),
    "because": ("since", "as"),
    "several": ("a few", "some"),
    "correct": ("right", "true"),
    "check": ("look over", "verify"),
}
_GREETINGS: Final = ("Hi, ", "hello, ", "ok so ", "quick one: ", "Hey, ", "so, ", "one more: ", "sorry, me again. ")
_REQUESTS: Final = ("could you ", "please ", "can you ", "I need you to ", "would you ", "I'd like you to ")
_THANKS: Final = (" thanks", " Thank you!", " thx", " that would help me a lot", " it's for work", " no hurry")
_IMPERATIVE: Final = re.compile(
    r"^(Write|Explain|Give|Show|Make|Generate|Create|List|Describe|Compare|Solve|Produce|Rewrite|Turn|Draft|Plan|Find|"
    r"Answer|Work|Think|Return|Implement|Design|Summarise|Translate|Act|Put|Add|Consider|Derive|Prove)\b"
)

OTHER_WORD_SHARE: Final = 0.5


def paraphrase(text: str, dice: Random) -> str:
    """Return the text in other words: polite, sloppier, with synonyms, now and then a typing error."""
    parts = _SENTENCE.split(text)
    said = "".join(part if place % 2 else _reword(part, dice) for place, part in enumerate(parts))
    if dice.random() < 0.4:
        said = dice.choice(_GREETINGS) + said[:1].lower() + said[1:]
    if dice.random() < 0.3:
        said = said.rstrip(".") + dice.choice(_THANKS)
    elif dice.random() < 0.5:
        said = said.rstrip(".")
    return _swap_two_letters(said, dice) if dice.random() < 0.3 else said


def _reword(sentence: str, dice: Random) -> str:
    if _IMPERATIVE.match(sentence) and dice.random() < 0.7:
        sentence = dice.choice(_REQUESTS) + sentence[0].lower() + sentence[1:]
        if dice.random() < 0.6:
            sentence = sentence[0].upper() + sentence[1:]
    return _WORD.sub(lambda found: _other_word(found[0], dice), sentence)


def _other_word(word: str, dice: Random) -> str:
    others = _OTHER_WORDS.get(word.lower())
    if others is None or dice.random() > OTHER_WORD_SHARE:
        return word
    other = dice.choice(others)
    return other[0].upper() + other[1:] if word[0].isupper() else other


def _swap_two_letters(text: str, dice: Random) -> str:
    """Swap two letters somewhere."""
    if len(text) < 12:
        return text
    place = dice.randrange(5, len(text) - 2)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
