"""The TAXII server: who is let in, what they find, and what they are told where they err."""

from base64 import b64encode
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from governance.audit.models import Entry
from governance.sharing.actions.partners import replace_token, revoke_partner
from governance.sharing.actions.shares import retract_share
from governance.sharing.models import Partner, SharedObject
from governance.sharing.taxii.responses import REQUESTS_OF_A_PARTNER, WRONG_TOKENS_OF_A_NETWORK
from governance.staff.attempts import PERIOD, count_attempt, period_start
from governance.staff.models import AttemptCount
from tests.factories import MACHINE, person
from tests.rules.test_hostile_values import TEXTS, quoted
from tests.sharing.partners import partner, refused_campaign, released_share

pytestmark = pytest.mark.django_db

MEDIA_TYPE = "application/taxii+json;version=2.1"


def ask(path: str = "", token: str = "", *, accept: str = MEDIA_TYPE, scheme: str = "Bearer", **query: Any) -> Any:
    headers = {"Accept": accept, **({"Authorization": f"{scheme} {token}"} if token else {})}
    return Client().get(f"/taxii2/{path}", query, headers=headers)


def objects_of(of: Partner, what: str = "objects/") -> str:
    return f"shared/collections/{of.collection_id}/{what}"


@pytest.fixture
def token() -> str:
    """Of North Lab, to which a campaign was released: 14 objects."""
    made = partner()
    released_share(refused_campaign(), made.partner)
    return made.token


@pytest.fixture
def north(token: str) -> Partner:
    return Partner.objects.get()


class TestWhoAsks:
    @pytest.mark.parametrize("path", ["", "shared/", "shared/collections/", "nothing/", "shared/status/1/"])
    def test_is_refused_without_a_token(self, path: str) -> None:
        answer = ask(path)

        assert (answer.status_code, answer["Content-Type"]) == (401, MEDIA_TYPE)
        assert "WWW-Authenticate" in answer
        assert answer.json()["http_status"] == "401"

    @pytest.mark.parametrize("shown", ["Bearer {}", "bearer {}", "Token {}", "Basic {basic}"])
    def test_shows_a_token_in_either_way(self, token: str, shown: str) -> None:
        basic = b64encode(f"north:{token}".encode()).decode()

        answer = Client().get("/taxii2/", headers={"Authorization": shown.format(token, basic=basic)})

        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("shown", ["", "swt_", "Bearer", "Bearer swt_wrong", "Basic é", "Basic bm9ydGg=", "x y z"])
    def test_is_refused_with_anything_else(self, shown: str) -> None:
        headers = {"Authorization": shown.encode().decode("latin-1")}

        assert Client().get("/taxii2/", headers=headers).status_code == 401

    def test_is_refused_with_a_token_that_was_replaced(self, token: str, north: Partner) -> None:
        new = replace_token(north, by=MACHINE, now=timezone.now()).token

        assert [ask(token=one).status_code for one in (token, new)] == [401, 200]

    def test_is_refused_once_revoked_or_expired(self, token: str, north: Partner) -> None:
        Partner.objects.update(expires_at=timezone.now())
        expired = ask(token=token).status_code
        Partner.objects.update(expires_at=None)
        revoke_partner(north, by=MACHINE, now=timezone.now())

        assert (expired, ask(token=token).status_code) == (401, 401)

    def test_is_refused_where_it_only_sends(self) -> None:
        assert ask(token=partner(receives=False).token).status_code == 401

    def test_is_recorded_once_an_hour(self, token: str) -> None:
        for _ in range(3):
            ask(token=token)

        [entry] = Entry.objects.filter(verb="partner.token_used")
        assert (entry.actor_kind, entry.actor_name) == ("partner", "North Lab")

    def test_may_not_ask_without_end(self, token: str, north: Partner) -> None:
        start = period_start(timezone.now(), PERIOD)
        count_attempt(AttemptCount.Kind.PARTNER, north.pk.hex, start)
        AttemptCount.objects.filter(key=north.pk.hex).update(count=REQUESTS_OF_A_PARTNER - 1)

        answers = [ask(token=token) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 429]
        assert "Retry-After" in answers[1]

    def test_may_not_try_tokens_without_end(self, token: str) -> None:
        ask(token="swt_wrong")
        AttemptCount.objects.filter(kind=AttemptCount.Kind.PARTNER_NETWORK).update(count=WRONG_TOKENS_OF_A_NETWORK - 1)

        answers = [ask(token=one).status_code for one in (token, "swt_wrong", "swt_wrong", token)]

        assert answers == [200, 401, 429, 429]


class TestWhatIsFound:
    def test_is_one_collection_of_ones_own(self, token: str, north: Partner) -> None:
        partner("South Lab")

        root = ask(token=token).json()["default"]
        found = ask("shared/collections/", token).json()["collections"]

        assert root.endswith("/taxii2/shared/")
        assert ask("shared/", token).json()["versions"] == [MEDIA_TYPE]
        assert [(one["id"], one["can_read"], one["can_write"]) for one in found] == [
            (str(north.collection_id), True, False)
        ]
        assert ask(objects_of(north, ""), token).json() == found[0]

    def test_is_nothing_of_others(self, token: str, north: Partner) -> None:
        south = partner("South Lab")
        one = SharedObject.objects.earliest("pk").stix_id

        for what in ("", "objects/", "manifest/", f"objects/{one}/", f"objects/{one}/versions/"):
            assert ask(objects_of(north, what), south.token).status_code == 404
        assert ask(f"shared/collections/{uuid4()}/", token).status_code == 404
        assert ask(objects_of(south.partner), south.token).json() == {}

    def test_is_paged_without_gaps(self, token: str, north: Partner) -> None:
        found, query = [], {"limit": "5"}
        while True:
            page = ask(objects_of(north), token, **query).json()
            found += [one["id"] for one in page["objects"]]
            if not page.get("more"):
                break
            query["next"] = page["next"]

        assert found == list(SharedObject.objects.order_by("added_at", "pk").values_list("stix_id", flat=True))
        assert len(found) == 14

    def test_says_when_it_was_added(self, token: str, north: Partner) -> None:
        answer, manifest = ask(objects_of(north), token), ask(objects_of(north, "manifest/"), token).json()["objects"]
        last = answer["X-TAXII-Date-Added-Last"]

        assert ask(objects_of(north), token, added_after=last).json() == {}
        assert answer["X-TAXII-Date-Added-First"] == manifest[0]["date_added"]

    @pytest.mark.parametrize(
        ("query", "types"),
        [
            ({"match[type]": "grouping"}, {"grouping"}),
            ({"match[type]": "grouping,identity"}, {"grouping", "identity"}),
            ({"match[type]": "malware"}, set()),
            ({"match[spec_version]": "2.0"}, set()),
            ({"match[spec_version]": "2.0,2.1", "match[type]": "sighting"}, {"sighting"}),
            ({"match[version]": "first", "match[type]": "sighting"}, {"sighting"}),
            ({"match[version]": "2026-11-02T09:14:00.000Z", "match[type]": "sighting"}, {"sighting"}),
            ({"match[version]": "2020-11-02T09:14:00Z"}, set()),
        ],
    )
    def test_is_filtered(self, token: str, north: Partner, query: dict[str, str], types: set[str]) -> None:
        found = ask(objects_of(north), token, **query).json().get("objects", [])

        assert {one["type"] for one in found} == types

    def test_is_filtered_by_several_ids(self, token: str, north: Partner) -> None:
        ids = sorted(SharedObject.objects.values_list("stix_id", flat=True))[:2]

        found = ask(objects_of(north), token, **{"match[id]": ",".join(ids)}).json()["objects"]

        assert sorted(one["id"] for one in found) == ids


class TestWhoErrs:
    @pytest.mark.parametrize(
        "query",
        [
            {"limit": "0"},
            {"limit": "-1"},
            {"limit": "many"},
            {"limit": "9" * 40},
            {"next": "x"},
            {"next": "é"},
            {"added_after": "yesterday"},
            {"added_after": "2026-11-02T09:14:00"},
            {"match[version]": "newest"},
            {"match[id]": ",".join(["x"] * 201)},
            {"match[name]": "x"},
        ],
    )
    def test_is_told_what(self, token: str, north: Partner, query: dict[str, str]) -> None:
        answer = ask(objects_of(north), token, **query)

        assert (answer.status_code, answer["Content-Type"]) == (400, MEDIA_TYPE)
        assert set(answer.json()) == {"title", "description", "http_status"}

    @pytest.mark.parametrize(
        ("accept", "status"),
        [
            (MEDIA_TYPE, 200),
            ("application/taxii+json", 200),
            ('application/taxii+json; version="2.1"', 200),
            ("text/html, */*;q=0.1", 200),
            ("application/taxii+json;version=2.0", 406),
            ("application/json", 406),
            ("application/vnd.oasis.taxii+json", 406),
        ],
    )
    def test_is_told_which_answers_there_are(self, token: str, accept: str, status: int) -> None:
        assert ask(token=token, accept=accept).status_code == status

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_is_told_that_nothing_is_written(self, token: str, north: Partner, method: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}

        answer = getattr(Client(enforce_csrf_checks=True), method)(f"/taxii2/{objects_of(north)}", headers=headers)

        assert (answer.status_code, answer["Allow"], answer["Content-Type"]) == (405, "GET, HEAD", MEDIA_TYPE)

    @pytest.mark.parametrize("path", ["nothing/", "shared/status/1/", "shared/collections/x/"])
    def test_is_told_that_there_is_nothing(self, token: str, path: str) -> None:
        answer = ask(path, token)

        assert (answer.status_code, answer["Content-Type"]) == (404, MEDIA_TYPE)

    def test_is_told_that_there_is_no_such_object(self, token: str, north: Partner) -> None:
        assert ask(objects_of(north, f"objects/indicator--{uuid4()}/"), token).status_code == 404


class TestHostileRequests:
    @pytest.mark.parametrize(
        "name", ["limit", "next", "added_after", "match[id]", "match[type]", "match[version]", "x"]
    )
    def test_break_nothing(self, token: str, north: Partner, name: str) -> None:
        for value in TEXTS:
            query = f"{quoted(name)}={quoted(value)}"
            headers = {"Authorization": f"Bearer {token}"}
            address = f"/taxii2/{objects_of(north)}"

            assert Client().generic("GET", address, headers=headers, QUERY_STRING=query).status_code < 500, value

    def test_for_objects_find_nothing(self, token: str, north: Partner) -> None:
        for value in TEXTS:
            answer = Client().get(
                f"/taxii2/{objects_of(north)}{quoted(value)}/", headers={"Authorization": f"Bearer {token}"}
            )

            assert answer.status_code in {200, 400, 404}, value


def test_what_was_retracted_meets_who_reads_on(token: str, north: Partner) -> None:
    last = ask(objects_of(north), token)["X-TAXII-Date-Added-Last"]
    retract_share(north.shares.get(), reason="A mistake.", by=person(), now=timezone.now() + timedelta(hours=1))

    found = ask(objects_of(north), token, added_after=last).json()["objects"]

    assert {one["revoked"] for one in found} == {True}
    assert len(found) == 13
