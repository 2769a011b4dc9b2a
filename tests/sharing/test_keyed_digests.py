import hmac
from hashlib import sha256

import pytest

from governance.sharing.keyed_digests import SharedKey


class TestASharedKey:
    def test_is_handed_over_as_text(self) -> None:
        key = SharedKey.new(7)

        assert str(key).startswith("swp7_")
        assert SharedKey.parse(f" {key}\n") == key

    @pytest.mark.parametrize("text", ["", "swp1", "swp1_", "swp1_abc", "abc1_" + "A" * 43, "swp1_" + "é" * 43])
    def test_is_not_any_text(self, text: str) -> None:
        with pytest.raises(ValueError, match="shared key"):
            SharedKey.parse(text)

    def test_digests_as_rfc_2104_says(self) -> None:
        key = SharedKey(3, b"k" * 32)

        assert key.digest("card", "Card_1") == f"v3:{hmac.new(key.key, b'card:card_1', sha256).hexdigest()}"

    def test_makes_the_same_digest_by_its_pads(self) -> None:
        key = SharedKey.new(1)
        inner, outer = key.pads

        by_pads = sha256(outer + sha256(inner + b"domain:mill.example").digest()).hexdigest()

        assert key.digest("domain", "mill.example") == f"v1:{by_pads}"

    def test_makes_digests_that_no_other_key_makes(self) -> None:
        assert SharedKey.new(1).digest("card", "card_1") != SharedKey.new(1).digest("card", "card_1")
