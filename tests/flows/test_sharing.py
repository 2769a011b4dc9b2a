"""From the page of a campaign to the case of an account elsewhere, and back: over HTTP, with a client of others."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.test import Client, override_settings
from django.utils import timezone
from taxii2client.common import TokenAuth
from taxii2client.v21 import ApiRoot, Collection, Server, as_pages

from accounts.models import Account
from governance import tasks
from governance.audit.models import Entry
from governance.audit.queries import iter_chain_checks
from governance.detection.models import Assessment
from governance.pipeline import govern
from governance.restrictions.actions import lift
from governance.restrictions.models import Restriction
from governance.sharing.actions.partners import PartnerSecrets, Source, add_partner, revoke_partner
from governance.sharing.models import Partner, Share, Tlp
from governance.staff.roles import Role
from governance.usage.actions import record_lines
from tests.factories import MACHINE, account, case, line, person
from tests.flows.web_server import running_web_server
from tests.review.pages import address, signed_in, text
from tests.servers import free_port
from tests.sharing.partners import KEY, refused_campaign

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server() -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running_web_server(port=port, STILLWATCH_URL=url), override_settings(WEBHOOK_PRIVATE_NETWORKS=["127.0.0.0/8"]):
        yield url


def receiver(name: str) -> PartnerSecrets:
    return add_partner(name, receives=True, sends=False, tlp=Tlp.AMBER, key=KEY, by=MACHINE, now=timezone.now())


def collection_of(server: str, token: str) -> Collection:
    """What a client finds that knows the address of the server and a token."""
    found: ApiRoot = Server(f"{server}/taxii2/", auth=TokenAuth(token)).default
    [collection] = found.collections
    return collection


def read(collection: Collection, **wanted: Any) -> list[dict[str, Any]]:
    """By pages of two."""
    pages = as_pages(collection.get_objects, per_request=2, **wanted)
    return [one for page in pages for one in page.get("objects", [])]


def newcomer() -> Account:
    """Signs up later, with the card of the campaign, and has a case for another reason."""
    new = account("acct_newcomer", payment_fingerprint="CARD_MILL")
    at = (timezone.now() - timedelta(minutes=5)).isoformat()
    record_lines([line(account="acct_newcomer", occurred_at=at)], source="native", now=timezone.now())
    case(new)
    return new


def case_page(client: Client, of: Account) -> str:
    """As it reads once its account was scored again."""
    while govern(now=timezone.now()):
        pass
    return text(client.get(address(of.cases.get())))


def share_by_pages(server: str, to: Partner) -> Share:
    """Jonas proposes on the page of the campaign, Ada approves."""
    campaign = refused_campaign()
    jonas = signed_in(person("Jonas Lindqvist", role=Role.LEAD))
    ada = signed_in(person("Ada Moreau", role=Role.ADMIN))
    page = f"/campaigns/{campaign.pk}/share/"
    assert page in text(jonas.get(f"/campaigns/{campaign.pk}/"))

    preview = text(jonas.get(page, {"partner": str(to.pk), "tlp": "amber"}))
    assert "card_mill" in preview
    assert "203.0.113.2" in preview

    sent = {"partner": str(to.pk), "tlp": "amber", "reason": "They move on."}
    assert jonas.post(f"{page}propose/", sent).status_code == 302
    share = Share.objects.get()
    assert jonas.post(f"/shares/{share.pk}/approve/").status_code == 409
    assert ada.post(f"/shares/{share.pk}/approve/").status_code == 302
    return share


def reads_what_was_released(collection: Collection, share: Share) -> None:
    """A client of others, by every way that the standard has."""
    objects = read(collection)
    assert sorted(objects, key=lambda one: one["id"]) == sorted(share.stix, key=lambda one: one["id"])
    assert {one["type"] for one in read(collection, type="indicator")} == {"indicator"}
    assert [one["id"] for one in read(collection, id=objects[0]["id"])] == [objects[0]["id"]]
    assert collection.get_object(objects[1]["id"])["objects"] == [objects[1]]
    manifest = collection.get_manifest()["objects"]
    assert [one["id"] for one in manifest] == [one["id"] for one in objects]
    assert collection.object_versions(objects[0]["id"])["versions"] == [objects[0]["modified"]]
    assert read(collection, added_after=manifest[-1]["date_added"]) == []


def reads_nothing(server: str, another: PartnerSecrets, *, of: Collection) -> None:
    """Neither in its own collection nor in that of the other partner."""
    assert read(collection_of(server, another.token)) == []
    with pytest.raises(requests.HTTPError, match="404"):
        Collection(of.url, auth=TokenAuth(another.token)).get_objects()


def test_a_campaign_is_named_to_a_partner_and_its_newcomer_there_and_taken_back(server: str) -> None:
    north, others = receiver("North Lab"), receiver("Others")
    share = share_by_pages(server, north.partner)

    collection = collection_of(server, north.token)
    reads_what_was_released(collection, share)
    reads_nothing(server, others, of=collection)

    # The other side reads the same collection by itself, and a newcomer there is named.
    source = Source(collection.url, north.token)
    add_partner(
        "A partner", receives=False, sends=True, tlp=Tlp.RED, key=KEY, source=source, by=MACHINE, now=timezone.now()
    )
    new, mira = newcomer(), signed_in(person("Mira Okafor"))
    assert "A partner names" not in case_page(mira, new)
    tasks.read_collections()
    assert "A partner names its payment card." in case_page(mira, new)
    newest = Assessment.objects.filter(account=new).latest("assessed_at")
    [finding] = [one for one in newest.findings if one["detector"] == "named_by_partner"]
    assert (finding["family"], newest.score < 50) == ("partners", True)

    # Taken back by one side, it is gone on the other.
    ada = signed_in(person("Ada Moreau", role=Role.ADMIN))
    assert ada.post(f"/shares/{share.pk}/retract/", {"reason": "A mistake."}).status_code == 302
    tasks.read_collections()
    assert "A partner names" not in case_page(mira, new)

    # Whose token is revoked reads nothing any more.
    revoke_partner(north.partner, by=MACHINE, now=timezone.now())
    with pytest.raises(requests.HTTPError, match="401"):
        collection.get_objects()

    verbs = list(Entry.objects.filter(subject_kind="share").order_by("number").values_list("verb", flat=True))
    assert verbs == ["share.proposed", "share.approved", "share.released", "share.retracted"]
    assert not [fault for fault in iter_chain_checks() if fault is not None and fault.breaks_chain]


def test_who_was_let_in_again_stays_named_only_until_somebody_takes_it_back(server: str) -> None:
    north = receiver("North Lab")
    share = share_by_pages(server, north.partner)
    ada = signed_in(person("Ada Lind", role=Role.ADMIN))
    warning = "1 of 3 accounts named to North Lab"
    tasks.count_let_in()
    assert warning not in text(ada.get("/settings/partners/"))

    lift(Restriction.objects.earliest("number"), note="It was a school.", by=MACHINE, now=timezone.now())
    tasks.count_let_in()

    assert warning in text(ada.get("/settings/partners/"))
    assert "1 let in again since" in text(ada.get(f"/campaigns/{share.campaign_id}/share/"))
    assert "1 of these accounts was let in again, and North Lab still counts" in text(ada.get(f"/shares/{share.pk}/"))
    ada.post(f"/shares/{share.pk}/retract/", {"reason": "One was a school."})
    assert warning not in text(ada.get("/settings/partners/"))
    assert all(one.get("revoked") for one in read(collection_of(server, north.token), type="indicator"))


def test_a_partner_that_refuses_the_token_is_shown_and_keeps_no_other_from_being_read(server: str) -> None:
    north = receiver("North Lab")
    share_by_pages(server, north.partner)
    url = collection_of(server, north.token).url
    for name, token in (("Locked", "swt_wrong"), ("Open", north.token)):
        add_partner(
            name,
            receives=False,
            sends=True,
            tlp=Tlp.RED,
            key=KEY,
            source=Source(url, token),
            by=MACHINE,
            now=timezone.now(),
        )

    tasks.read_collections()

    ada = signed_in(person("Ada Moreau", role=Role.ADMIN))
    assert "It answered 401." in text(ada.get("/settings/partners/"))
    assert Partner.objects.get(name="Open").indicators.count() == 6
    assert Partner.objects.get(name="Open").trouble == ""
