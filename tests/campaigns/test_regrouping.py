"""Merging and splitting campaigns by hand, and what the next search makes of it."""

from datetime import timedelta

import pytest

from accounts.models import Account
from governance.audit.models import Entry
from governance.campaigns import store
from governance.campaigns.models import Campaign
from governance.campaigns.regrouping import RegroupingError, merge_campaigns, newest_rule, split_campaign
from tests.campaigns.test_store import harvest, members
from tests.campaigns.traffic import HEADS, govern
from tests.factories import MACHINE, NOW, account, campaign_of, person

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
MORE = ("acct_f", "acct_g", "acct_h", "acct_i", "acct_j")


def pks(*names: str) -> list[int]:
    return list(Account.objects.filter(external_id__in=names).values_list("pk", flat=True))


class TestSplitting:
    def test_is_respected_by_the_next_search(self) -> None:
        harvest(*HEADS)
        harvest(*MORE, first=5)
        govern()
        whole, mira = Campaign.objects.get(), person().actor

        split = split_campaign(whole, pks(*MORE), reason="Two operators.", by=mira, now=LATER)
        at_once = members(whole), members(split)
        harvest(*HEADS, each=35)
        govern(LATER)

        assert at_once == ({*HEADS}, {*MORE})
        assert (members(whole), members(split)) == at_once
        assert Campaign.objects.open().count() == 2
        entry = Entry.objects.get(verb="campaign.split")
        assert (entry.details["reason"], entry.details["accounts"]) == ("Two operators.", [*MORE])

    @pytest.mark.parametrize("which", [(), ("acct_0", "acct_1", "acct_2")])
    def test_needs_some_of_the_members_but_not_all(self, which: tuple[str, ...]) -> None:
        whole = campaign_of(*(account(f"acct_{number}") for number in range(3)))

        with pytest.raises(RegroupingError, match="some of the members, but not all"):
            split_campaign(whole, pks(*which), reason="x", by=MACHINE, now=LATER)

    def test_while_a_search_runs_its_outcome_is_not_stored(self) -> None:
        whole = campaign_of(*(account(f"acct_{number}") for number in range(4)))
        before = newest_rule()
        split_campaign(whole, pks("acct_0", "acct_1"), reason="x", by=MACHINE, now=LATER)

        assert store._store([], {}, changed=0, rule=before, now=LATER) == 0
        assert Campaign.objects.alive().count() == 2


class TestMerging:
    def test_closes_the_other_and_is_respected_by_the_next_search(self) -> None:
        harvest(*HEADS)
        harvest(*MORE, first=5)
        govern()
        whole, mira = Campaign.objects.get(), person().actor
        split = split_campaign(whole, pks(*MORE), reason="Two operators.", by=mira, now=LATER)

        merge_campaigns(whole, split, reason="One operator after all.", by=mira, now=LATER)
        govern(LATER)

        whole.refresh_from_db()
        split.refresh_from_db()
        assert members(whole) == {*HEADS, *MORE}
        assert (whole.size, split.size, split.state) == (10, 0, Campaign.State.CLOSED)
        assert Entry.objects.get(verb="campaign.merged").details["other"] == str(split.pk)

    def test_with_itself_or_with_one_that_is_closed_is_refused(self) -> None:
        one, closed = campaign_of(account()), campaign_of(account())
        Campaign.objects.filter(pk=closed.pk).update(state=Campaign.State.CLOSED)

        for other in (one, closed):
            with pytest.raises(RegroupingError, match="another campaign that is not closed"):
                merge_campaigns(one, other, reason="x", by=MACHINE, now=LATER)
