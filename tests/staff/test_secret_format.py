"""The secrets of service keys: known by their form, stored under a pepper."""

import re

import pytest

from governance.staff.secret_format import (
    SECRET_PATTERN,
    is_well_formed,
    iter_stored_digests,
    make_secret,
    pepper_version,
    secret_digest,
    stored_digest,
)

DIGEST = secret_digest("swk_x")


def test_a_secret_has_the_published_form_and_is_never_the_same() -> None:
    made = {make_secret() for _ in range(100)}

    assert len(made) == 100
    assert all(re.fullmatch(SECRET_PATTERN, secret) and is_well_formed(secret) for secret in made)


def test_the_checksum_is_the_crc_32_in_base_62() -> None:
    assert is_well_formed("swk_" + "0" * 43 + "27TRnh")


@pytest.mark.parametrize("place", [4, 20, 46, 47, 52])
def test_one_changed_letter_is_noticed(place: int) -> None:
    secret = make_secret()
    other = "a" if secret[place] != "a" else "b"

    assert not is_well_formed(secret[:place] + other + secret[place + 1 :])


@pytest.mark.parametrize("text", ["", "swk_", "swk_abc", "sk-1", "swk_" + "é" * 49])
def test_what_was_never_made_is_not_well_formed(text: str) -> None:
    assert not is_well_formed(text)


def test_what_is_stored_depends_on_the_pepper() -> None:
    assert len({DIGEST, stored_digest(DIGEST, "one"), stored_digest(DIGEST, "two")}) == 3
    assert pepper_version("one") != pepper_version("two")


def test_a_secret_is_looked_for_under_the_newest_pepper_first() -> None:
    newest, older = stored_digest(DIGEST, "new"), stored_digest(DIGEST, "old")

    assert list(iter_stored_digests(DIGEST, ["new", "old"])) == [newest, older, DIGEST]
