"""Legal holds: whom they cover, and what is kept until they are lifted."""

from datetime import timedelta

import pytest

from accounts.models import Account
from governance.audit.models import Entry
from governance.audit.queries import iter_chain_checks
from governance.audit.verbs import Verb
from governance.campaigns.models import Campaign, CampaignMember
from governance.campaigns.regrouping import merge_campaigns, split_campaign
from governance.privacy.erasure import HeldError, continue_erasures, start_erasure
from governance.privacy.holds import Target, UnknownTargetError, cover_held_accounts, find_target, lift_hold, set_hold
from governance.privacy.models import Erasure, HeldAccount, LegalHold
from governance.usage.actions import OLDEST_IN_FILES, delete_expired_excerpts, drop_old_usage, record_lines
from governance.usage.models import Excerpt, HeldEvent
from governance.usage.queries import get_excerpts
from tests.factories import MACHINE, NOW, account, campaign_of, line

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=100)


def hold(target: Target) -> LegalHold:
    return set_hold(target, reason="Case 12/26.", by=MACHINE, now=NOW)


def on(owner: Account) -> Target:
    return find_target("account", owner.external_id)


def held() -> set[str]:
    return set(HeldAccount.objects.values_list("account__external_id", flat=True))


class TestAHold:
    def test_on_an_account_covers_it_alone(self) -> None:
        hold(on(account("acct_harbour", organisation="org_harbour")))
        account("acct_other", organisation="org_harbour")

        assert held() == {"acct_harbour"}

    def test_on_an_organisation_covers_who_joins_and_who_leaves(self) -> None:
        leaver = account("acct_1", organisation="org_harbour")
        hold(find_target("organisation", "org_harbour"))
        Account.objects.filter(pk=leaver.pk).update(organisation=None)
        account("acct_2", organisation="org_harbour")

        cover_held_accounts(now=NOW)

        assert held() == {"acct_1", "acct_2"}

    def test_on_a_campaign_covers_members_and_not_who_is_left_out(self) -> None:
        first, second, school = account("acct_1"), account("acct_2"), account("acct_school")
        campaign = campaign_of(first, second, school)
        CampaignMember.objects.filter(account=school).update(left_out_because="A school.")
        hold(find_target("campaign", str(campaign.pk)))
        CampaignMember.objects.filter(account=second).update(left_at=NOW)

        cover_held_accounts(now=NOW)

        assert held() == {"acct_1", "acct_2"}

    @pytest.mark.parametrize("kind", ["account", "organisation", "campaign"])
    def test_is_on_something_that_there_is(self, kind: str) -> None:
        with pytest.raises(UnknownTargetError, match=f"There is no {kind} nothing"):
            find_target(kind, "nothing")

    def test_leaves_an_entry_when_it_is_set_and_lifted(self) -> None:
        made = hold(on(account("acct_harbour")))

        assert lift_hold(made, reason="The lawsuit is over.", by=MACHINE, now=LATER)
        assert not lift_hold(made, reason="Again.", by=MACHINE, now=LATER)

        was_set, lifted = Entry.objects.order_by("number")
        assert was_set.details == {"hold": str(made.pk), "reason": "Case 12/26.", "accounts": 1}
        assert (lifted.verb, lifted.details["reason"]) == (Verb.LEGAL_HOLD_LIFTED, "The lawsuit is over.")
        assert (was_set.subject_kind, was_set.subject_id) == ("account", "acct_harbour")
        assert held() == set()
        assert not any(iter_chain_checks())

    def test_leaves_what_another_one_covers_when_it_is_lifted(self) -> None:
        owner = account("acct_harbour", organisation="org_harbour")
        first = hold(on(owner))
        hold(find_target("organisation", "org_harbour"))

        lift_hold(first, reason="Over.", by=MACHINE, now=NOW)

        assert held() == {"acct_harbour"}


class TestAHoldOnACampaign:
    @pytest.fixture
    def campaign(self) -> Campaign:
        return campaign_of(account("acct_1"), account("acct_2"))

    def join(self, campaign: Campaign, name: str) -> None:
        campaign.members.create(account=account(name), joined_at=NOW, tied_to=1, strength=1.0, ties={})
        cover_held_accounts(now=NOW)

    def test_covers_who_joins_the_campaign_that_took_it_in(self, campaign: Campaign) -> None:
        made, into = hold(find_target("campaign", str(campaign.pk))), campaign_of(account("acct_other"))

        merge_campaigns(into, campaign, reason="One operator.", by=MACHINE, now=NOW)
        self.join(into, "acct_late")

        assert held() == {"acct_1", "acct_2", "acct_other", "acct_late"}
        of_both = {(one.campaign, one.reason) for one in LegalHold.objects.in_force()}
        assert of_both == {(campaign.pk, made.reason), (into.pk, made.reason)}
        assert Entry.objects.filter(verb=Verb.LEGAL_HOLD_SET, subject_id=str(into.pk)).count() == 1

    def test_covers_who_joins_either_part_of_one_that_was_split(self, campaign: Campaign) -> None:
        hold(find_target("campaign", str(campaign.pk)))

        some = Account.objects.filter(external_id="acct_2").values_list("pk", flat=True)
        new = split_campaign(campaign, list(some), reason="Two operators.", by=MACHINE, now=NOW)
        self.join(new, "acct_late")
        merge_campaigns(campaign, new, reason="One after all.", by=MACHINE, now=NOW)
        self.join(campaign, "acct_later")

        assert held() == {"acct_1", "acct_2", "acct_late", "acct_later"}
        assert LegalHold.objects.in_force().count() == 2  # once for each, though it went back and forth

    def test_leaves_others_erasable(self, campaign: Campaign) -> None:
        lift_hold(hold(find_target("campaign", str(campaign.pk))), reason="Over.", by=MACHINE, now=NOW)

        merge_campaigns(campaign_of(account("acct_other")), campaign, reason="One operator.", by=MACHINE, now=NOW)

        assert held() == set()


class TestUsageUnderAHold:
    @pytest.fixture
    def owner(self) -> Account:
        asked = [{"role": "user", "content": "How tall is it?"}]
        for name in ("acct_held", "acct_free"):
            record_lines(
                [line(account=name, messages=asked, client={"ip": "203.0.113.9"})],
                source="native",
                now=NOW,
                oldest=OLDEST_IN_FILES,
            )
        owner = Account.objects.get(external_id="acct_held")
        hold(on(owner))
        return owner

    def test_is_kept_when_its_day_is_dropped(self, owner: Account) -> None:
        drop_old_usage(now=LATER)

        kept = HeldEvent.objects.get()
        assert (kept.account, kept.event["ip"], kept.event["model"]) == (owner, "203.0.113.9", "flagship-2")

    def test_goes_once_the_hold_is_lifted(self, owner: Account) -> None:
        drop_old_usage(now=LATER)
        lift_hold(LegalHold.objects.get(), reason="Over.", by=MACHINE, now=LATER)

        drop_old_usage(now=LATER)

        assert not HeldEvent.objects.exists()

    def test_has_excerpts_that_can_still_be_read(self, owner: Account) -> None:
        delete_expired_excerpts(now=LATER)

        assert [one.text for one in get_excerpts(owner, at=LATER)] == ["How tall is it?"]
        assert Excerpt.objects.get().account == owner


class TestAnErasureUnderAHold:
    def test_is_refused_with_the_holds_that_forbid_it(self) -> None:
        owner = account("acct_harbour", organisation="org_harbour", email_domain="smit.nl")
        of_organisation = hold(find_target("organisation", "org_harbour"))

        with pytest.raises(HeldError) as refused:
            start_erasure(on(owner), reason="Request 2026-118.", by=MACHINE, now=NOW)

        assert refused.value.holds == [of_organisation]
        assert Account.objects.get().email_domain == "smit.nl"
        assert not Erasure.objects.exists()

    def test_of_an_organisation_is_refused_for_one_held_account(self) -> None:
        hold(on(account("acct_1", organisation="org_harbour")))
        account("acct_2", organisation="org_harbour")

        with pytest.raises(HeldError):
            start_erasure(find_target("organisation", "org_harbour"), reason="Request 2026-118.", by=MACHINE, now=NOW)

    def test_waits_if_the_hold_came_while_it_was_at_work(self) -> None:
        owner = account("acct_harbour")
        start_erasure(on(owner), reason="Request 2026-118.", by=MACHINE, now=NOW)
        made = hold(on(owner))

        assert continue_erasures(now=NOW) == 0
        lift_hold(made, reason="Over.", by=MACHINE, now=NOW)
        assert continue_erasures(now=NOW) == 1
