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
INDICATOR_KIND_CHOICES: Final = [(kind.value, kind.value.capitalize()) for kind in IndicatorKind]
