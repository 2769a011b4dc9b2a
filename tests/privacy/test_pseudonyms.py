"""What stands in the register for what was erased: pseudonyms by which accounts are still found and tied."""

import pytest

from accounts.pseudonyms import card_digest, card_pseudonym, pseudonym
from governance.campaigns.traits import SignUpFacts, TraitKind, list_traits
from tests.detection.usages import usage

pytestmark = pytest.mark.django_db


class TestAPseudonym:
    def test_is_the_same_for_the_same_value_and_stays(self) -> None:
        first = pseudonym("Smit.nl", key=b"k")

        assert first == pseudonym("smit.nl", key=b"k") == pseudonym(first, key=b"k")
        assert first != pseudonym("smit.nl", key=b"other")
        assert pseudonym("", key=b"k") == card_pseudonym("") == ""

    @pytest.mark.parametrize("card", ["card_1", "4242", "é", "x" * 128])
    def test_of_a_card_finds_what_the_card_found(self, card: str) -> None:
        assert card_digest(card_pseudonym(card)) == card_digest(card)
        assert card_pseudonym(card_pseudonym(card)) == card_pseudonym(card)

    def test_of_a_card_ties_accounts_as_the_card_did(self) -> None:
        ties = [
            [one for one in list_traits(usage(), SignUpFacts(card=card)) if one.kind == TraitKind.CARD]
            for card in ("card_1", card_pseudonym("card_1"))
        ]

        assert ties[0] == ties[1] != []
