"""What of a campaign leaves, and who must agree."""

from datetime import timedelta

import pytest
import stix2
from django.db import IntegrityError, transaction

from accounts.models import Account
from governance.audit.models import Entry
from governance.campaigns.traits import TraitKind
from governance.restrictions.actions import lift
from governance.sharing.actions.partners import revoke_partner
from governance.sharing.actions.shares import (
    ShareError,
    decline_share,
    propose_share,
    release_share,
    retract_share,
)
from governance.sharing.models import Share, SharedObject, Tlp
from governance.sharing.queries import preview_share
from governance.sharing.values import find_shareable_values
from governance.staff.roles import Role
from governance.usage.actions import record_lines
from tests.factories import MACHINE, NOW, account, campaign_of, line, person, restriction
from tests.sharing.partners import KEY, partner, refused_campaign, released_share, trait, uses_address

pytestmark = pytest.mark.django_db


def values(campaign: object) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in find_shareable_values(campaign, now=NOW).values:  # type: ignore[arg-type]
        found.setdefault(one.kind.value, []).append(one.value)
    return found


class TestWhatLeaves:
    def test_is_what_the_refused_members_are_known_by(self) -> None:
        assert values(refused_campaign()) == {
            "card": ["card_mill"],
            "domain": ["mill.example"],
            "address": ["203.0.113.1", "203.0.113.2", "203.0.113.3"],
            "network": ["203.0.113.0/24"],
        }

    def test_is_nothing_of_members_who_have_access(self) -> None:
        campaign = campaign_of(account(payment_fingerprint="card_1"), account(payment_fingerprint="card_2"))

        assert find_shareable_values(campaign, now=NOW) == ([], [])

    @pytest.mark.parametrize(
        ("other", "stays"),
        [
            ({"payment_fingerprint": "card_mill"}, "card"),
            ({"email_domain": "mill.example"}, "domain"),
            ({"signup_ip": "203.0.113.77"}, "network"),
        ],
    )
    def test_is_nothing_that_anybody_else_is_known_by(self, other: dict[str, str], stays: str) -> None:
        campaign = refused_campaign()
        account(**other)

        assert stays not in values(campaign)

    def test_is_no_address_that_anybody_else_uses_or_signed_up_from(self) -> None:
        campaign = refused_campaign()
        uses_address(account(), "203.0.113.1")
        account(signup_ip="203.0.113.2")

        assert values(campaign)["address"] == ["203.0.113.3"]

    def test_is_no_domain_of_public_mail(self) -> None:
        alone = account(email_domain="gmail.com")
        restriction(alone)

        assert values(campaign_of(alone)) == {}

    def test_counts_an_account_once_however_many_addresses_of_a_network_it_uses(self) -> None:
        wanders = account("acct_wanders", signup_ip="203.0.113.1")
        restriction(wanders)
        at = (NOW - timedelta(hours=1)).isoformat()
        sent = [line(account="acct_wanders", occurred_at=at, client={"ip": f"203.0.113.{place}"}) for place in (2, 3)]
        record_lines(sent, source="native", now=NOW)

        found = find_shareable_values(campaign_of(wanders), now=NOW).values

        assert [(one.value, one.accounts) for one in found if one.kind == "network"] == [("203.0.113.0/24", 1)]
        assert len([one for one in found if one.kind == "address"]) == 3

    def test_is_no_address_inside_of_somebodys_walls(self) -> None:
        inside = account(signup_ip="10.1.2.3")
        restriction(inside)

        assert values(campaign_of(inside)) == {}

    def test_is_nothing_of_who_was_erased(self) -> None:
        erased = account(payment_fingerprint="erased-0123456789abcdef", email_domain="erased-0123456789abcdef")
        restriction(erased)

        assert values(campaign_of(erased)) == {}

    def test_names_wordings_of_several_members_and_of_nobody_else(self) -> None:
        campaign = refused_campaign()
        for member in Account.objects.all():
            trait(member, TraitKind.OPENING, -7)
            trait(member, TraitKind.CLOSING, 8)
        trait(account(), TraitKind.CLOSING, 8)

        [wording] = values(campaign)["wrapper"]

        assert wording.endswith(f":{2**64 - 7:016x}")

    def test_is_digested_with_the_key_of_the_partner(self) -> None:
        preview = preview_share(refused_campaign(), partner().partner, tlp=Tlp.GREEN, now=NOW)

        card = preview.values[0]
        assert (card.here, card.leaves, card.accounts) == ("card_mill", KEY.digest("card", "card_mill"), 3)
        assert "card_mill" not in str(preview.objects)
        assert "mill.example" not in str(preview.objects)
        assert "acct_mill" not in str(preview.objects)
        assert preview.counts == {"payment card": 1, "e-mail domain": 1, "addresses": 3, "network": 1}

    def test_is_valid_stix(self) -> None:
        objects = preview_share(refused_campaign(), partner().partner, tlp=Tlp.GREEN, now=NOW).objects

        read = [stix2.parse(one, version="2.1", allow_custom=False) for one in objects]

        assert {one.type for one in read} == {"identity", "indicator", "sighting", "grouping"}
        grouping = next(one for one in read if one.type == "grouping")
        assert set(grouping.object_refs) == {one.id for one in read if one.type in {"indicator", "sighting"}}
        assert grouping.object_marking_refs == [stix2.TLP_GREEN.id]
        assert {one.count for one in read if one.type == "sighting"} == {1, 3}

    def test_has_the_same_ids_for_the_same_share_and_others_for_another_partner(self) -> None:
        campaign, north, south = refused_campaign(), partner().partner, partner("South Lab").partner

        ids = [
            {one["id"] for one in preview_share(campaign, to, tlp=Tlp.GREEN, now=NOW + timedelta(hours=hours)).objects}
            for to, hours in ((north, 0), (north, 5), (south, 0))
        ]

        assert ids[0] == ids[1]
        assert len(ids[0] & ids[2]) == 1  # the identity of this installation


class TestFourEyes:
    def test_let_it_leave_once_another_person_approves(self) -> None:
        share = released_share(refused_campaign(), partner().partner)

        assert share.state == Share.State.RELEASED
        assert SharedObject.objects.filter(partner=share.partner).count() == len(share.stix)
        verbs = Entry.objects.filter(subject_id=str(share.pk)).order_by("number").values_list("verb", flat=True)
        assert list(verbs) == ["share.proposed", "share.approved", "share.released"]

    def test_refuse_who_proposed_it(self) -> None:
        jonas = person("Jonas Lindqvist", role=Role.LEAD)
        share = propose_share(
            refused_campaign(), partner().partner, tlp=Tlp.AMBER, reason="They move on.", by=jonas, now=NOW
        )

        with pytest.raises(ShareError, match="Another person"):
            release_share(share, by=jonas, now=NOW)

        assert not SharedObject.objects.exists()

    def test_are_a_constraint_of_the_table(self) -> None:
        jonas = person("Jonas Lindqvist", role=Role.LEAD)
        share = propose_share(
            refused_campaign(), partner().partner, tlp=Tlp.AMBER, reason="They move on.", by=jonas, now=NOW
        )

        with pytest.raises(IntegrityError, match="released_by_another_person"), transaction.atomic():
            Share.objects.filter(pk=share.pk).update(state=Share.State.RELEASED, decided_by=jonas)

    def test_refuse_what_may_not_leave_any_more(self) -> None:
        campaign, jonas = refused_campaign(), person("Jonas Lindqvist", role=Role.LEAD)
        share = propose_share(campaign, partner().partner, tlp=Tlp.AMBER, reason="They move on.", by=jonas, now=NOW)
        freed = Account.objects.get(external_id="acct_mill_1").restrictions.get()
        lift(freed, note="A school.", by=MACHINE, now=NOW)

        with pytest.raises(ShareError, match="may not leave any more"):
            release_share(share, by=person(role=Role.ADMIN), now=NOW)

    def test_refuse_what_was_looked_at_long_ago(self) -> None:
        share = propose_share(
            refused_campaign(), partner().partner, tlp=Tlp.AMBER, reason="They move on.", by=person(), now=NOW
        )

        with pytest.raises(ShareError, match="14 days"):
            release_share(share, by=person(role=Role.ADMIN), now=NOW + timedelta(days=15))

    def test_let_either_decline(self) -> None:
        jonas = person("Jonas Lindqvist", role=Role.LEAD)
        share = propose_share(
            refused_campaign(), partner().partner, tlp=Tlp.AMBER, reason="They move on.", by=jonas, now=NOW
        )

        decline_share(share, by=jonas, now=NOW)

        with pytest.raises(ShareError, match="declined already"):
            release_share(share, by=person(role=Role.ADMIN), now=NOW)


class TestAProposal:
    def test_needs_something_that_can_leave(self) -> None:
        with pytest.raises(ShareError, match="Nothing"):
            propose_share(campaign_of(account()), partner().partner, tlp=Tlp.AMBER, reason="-", by=person(), now=NOW)

    def test_is_marked_no_stricter_than_the_partner_may_get(self) -> None:
        green = partner(tlp=Tlp.GREEN).partner

        with pytest.raises(ShareError, match="nothing stricter"):
            propose_share(refused_campaign(), green, tlp=Tlp.AMBER, reason="-", by=person(), now=NOW)

    def test_goes_to_no_partner_that_is_revoked_or_only_sends(self) -> None:
        campaign, revoked = refused_campaign(), partner().partner
        revoke_partner(revoked, by=MACHINE, now=NOW)
        for to in (revoked, partner("South Lab", receives=False).partner):
            with pytest.raises(ShareError, match="receives nothing"):
                propose_share(campaign, to, tlp=Tlp.CLEAR, reason="-", by=person(), now=NOW)

    def test_is_made_once_for_a_campaign_and_a_partner(self) -> None:
        campaign, to = refused_campaign(), partner().partner
        released_share(campaign, to)

        with pytest.raises(ShareError, match="already"):
            propose_share(campaign, to, tlp=Tlp.AMBER, reason="-", by=person(), now=NOW)


class TestRetracting:
    def test_revokes_every_object_but_who_said_it(self) -> None:
        share = released_share(refused_campaign(), partner().partner)

        retract_share(share, reason="A mistake.", by=person(), now=NOW + timedelta(hours=1))

        revoked = {one.stix_type: one.content.get("revoked", False) for one in SharedObject.objects.all()}
        assert revoked == {"identity": False, "indicator": True, "sighting": True, "grouping": True}
        for one in SharedObject.objects.all():
            stix2.parse(one.content, version="2.1")

    def test_adds_them_later_than_all_that_was_added_before(self) -> None:
        share = released_share(refused_campaign(), partner().partner)
        first = SharedObject.objects.latest("added_at").added_at

        retract_share(share, reason="A mistake.", by=person(), now=NOW - timedelta(hours=1))

        assert SharedObject.objects.filter(added_at__gt=first).count() == len(share.stix) - 1

    def test_lets_it_be_shared_again_under_new_ids(self) -> None:
        campaign, to = refused_campaign(), partner().partner
        retract_share(released_share(campaign, to), reason="A mistake.", by=person(), now=NOW)

        again = released_share(campaign, to)

        revoked = SharedObject.objects.filter(content__revoked=True).values_list("stix_id", flat=True)
        assert set(revoked).isdisjoint(one["id"] for one in again.stix)
