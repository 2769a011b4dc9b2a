"""The kinds of indicator that partners name accounts by. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class IndicatorKind(StrEnum):
    """The codes are stored, and part of what is exchanged."""

    CARD = "card"
    DOMAIN = "domain"
    ADDRESS = "address"
    NETWORK = "network"
    WRAPPER = "wrapper"


# As they read in "names …".
WORDS: Final[Mapping[IndicatorKind, str]] = {
    IndicatorKind.CARD: "its payment card",
    IndicatorKind.DOMAIN: "its e-mail domain",
    IndicatorKind.ADDRESS: "an address it uses",
    IndicatorKind.NETWORK: "the network it signed up from",
    IndicatorKind.WRAPPER: "a wording around its prompts",
}
# One, and several.
NOUNS: Final[Mapping[IndicatorKind, tuple[str, str]]] = {
    IndicatorKind.CARD: ("payment card", "payment cards"),
    IndicatorKind.DOMAIN: ("e-mail domain", "e-mail domains"),
    IndicatorKind.ADDRESS: ("address", "addresses"),
    IndicatorKind.NETWORK: ("network", "networks"),
    IndicatorKind.WRAPPER: ("wording", "wordings"),
}
INDICATOR_KIND_CHOICES: Final = [(kind.value, NOUNS[kind][0].capitalize()) for kind in IndicatorKind]
