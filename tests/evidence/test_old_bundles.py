"""How long a bundle is kept, and what deletes it sooner or keeps it longer."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from governance.evidence.bundle import DRAFT
from governance.evidence.models import EvidenceBundle
from governance.evidence.unfinished import delete_old_bundles
from governance.privacy.erasure import continue_erasures, start_erasure
from governance.privacy.holds import find_target, lift_hold, set_hold
from governance.review.models import Case
from tests.evidence.bundles import asked, make, page_of
from tests.factories import MACHINE, NOW, account, campaign_case, own_campaign

pytestmark = pytest.mark.django_db


class TestABundleWhoseTimeIsOver:
    def test_is_deleted_with_its_file(self, harbour: Case, ines: Client) -> None:
        ines.post(page_of(harbour), asked())
        file = make().file
        EvidenceBundle.objects.update(requested_at=NOW)

        assert delete_old_bundles(now=NOW + timedelta(days=30)) == 0
        assert delete_old_bundles(now=NOW + timedelta(days=30, seconds=1)) == 1

        assert not file.exists()

    def test_leaves_no_draft_of_a_killed_worker(self, settings: Settings) -> None:
        old, new = (Path(settings.EVIDENCE_FOLDER) / f"{DRAFT}{name}" for name in ("old", "new"))
        for draft, age in ((old, timedelta(days=2)), (new, timedelta(hours=1))):
            draft.mkdir(parents=True)
            os.utime(draft, (0, (NOW - age).timestamp()))

        delete_old_bundles(now=NOW)

        assert (old.exists(), new.exists()) == (False, True)

    def test_is_kept_under_a_legal_hold(self, harbour: Case, ines: Client) -> None:
        ines.post(page_of(harbour), asked())
        set_hold(find_target("account", "acct_harbour"), reason="Case 12/26.", by=MACHINE, now=NOW)

        assert delete_old_bundles(now=NOW + timedelta(days=400)) == 0

    def test_is_deleted_at_once_with_an_erased_account(self, harbour: Case, ines: Client) -> None:
        ines.post(page_of(harbour), asked())
        harbour.own_account.erased_on_request = True
        harbour.own_account.save()

        assert delete_old_bundles(now=NOW) == 1


class TestABundleAboutACampaign:
    @pytest.fixture
    def network(self, ines: Client) -> Case:
        opened = campaign_case(account("acct_a", email_domain="anna.example"), account("acct_b"))
        ines.post(page_of(opened), asked())
        EvidenceBundle.objects.update(requested_at=NOW)
        return opened

    def erase(self, name: str, *, at: datetime = NOW) -> None:
        start_erasure(find_target("account", name), reason="Request 2026-118.", by=MACHINE, now=at)
        continue_erasures(now=at)

    @pytest.mark.usefixtures("network")
    def test_is_deleted_at_once_with_an_erased_member(self) -> None:
        file = make().file

        self.erase("acct_a")

        assert delete_old_bundles(now=NOW) == 1
        assert not file.exists()

    def test_is_deleted_with_a_member_who_has_left(self, network: Case) -> None:
        own_campaign(network).members.filter(account__external_id="acct_a").update(left_at=NOW)

        self.erase("acct_a")

        assert delete_old_bundles(now=NOW) == 1

    @pytest.mark.usefixtures("network")
    def test_stays_where_it_was_asked_for_after_the_erasure_or_another_was_erased(self) -> None:
        account("acct_stranger")
        self.erase("acct_stranger")
        self.erase("acct_a", at=NOW - timedelta(hours=1))

        assert delete_old_bundles(now=NOW) == 0

    def test_is_kept_under_a_legal_hold_on_the_campaign(self, network: Case) -> None:
        hold = find_target("campaign", str(network.campaign_id))
        own_campaign(network).members.all().delete()
        set_hold(hold, reason="Case 12/26.", by=MACHINE, now=NOW)

        assert delete_old_bundles(now=NOW + timedelta(days=400)) == 0

    @pytest.mark.usefixtures("network")
    def test_is_kept_under_a_legal_hold_on_a_member(self) -> None:
        self.erase("acct_b")
        made = set_hold(find_target("account", "acct_a"), reason="Case 12/26.", by=MACHINE, now=NOW)

        assert delete_old_bundles(now=NOW + timedelta(days=400)) == 0
        lift_hold(made, reason="Over.", by=MACHINE, now=NOW)
        assert delete_old_bundles(now=NOW + timedelta(days=400)) == 1
