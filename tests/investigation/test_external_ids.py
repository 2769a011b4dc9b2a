"""Ids of the seller's survive in addresses, whatever characters they hold."""

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from governance.web.external_ids import decode_external_id, encode_external_id
from tests.factories import account
from tests.investigation.pages import account_address

TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=40)


@given(TEXTS)
def test_an_id_is_one_segment_of_letters_that_nothing_changes_and_comes_back_as_it_was(external_id: str) -> None:
    segment = encode_external_id(external_id)

    assert decode_external_id(segment) == external_id
    assert "/" not in segment
    assert segment.isascii()
    assert segment not in {".", ".."}


@pytest.mark.parametrize("plain", ["acct_1042", "a.b", "user@example.com", "a:b", "a+b=c"])
def test_plain_ids_stand_as_they_are(plain: str) -> None:
    assert encode_external_id(plain) == plain


@pytest.mark.parametrize("segment", ["~", "~%", "~____", "~AA", "~a"])
def test_what_holds_no_id_is_refused(segment: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        decode_external_id(segment)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["a/b", "/", "..", ".", "~", "a b", "ä/ö?#%25", "\u202eabc", "客户", "a\\b", "%2F", "a;b"]
)
def test_the_page_of_an_account_opens_by_its_address(client: Client, name: str) -> None:
    account(name)

    assert client.get(account_address(name)).context["account"].external_id == name
