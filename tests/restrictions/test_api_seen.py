"""Nobody lifts what has changed since they saw it, and no restriction is without the answer that is given again."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from governance.restrictions.models import Restriction
from governance.web.models import KeptAnswer
from tests.factories import account, restriction, service_key
from tests.restrictions.api_calls import BLOCK, post

NOTE = {"note": "A mistake."}


@pytest.mark.django_db
class TestWhatWasSeen:
    @pytest.fixture
    def block(self) -> Restriction:
        return restriction(account("acct_harbour"))

    @pytest.fixture
    def address(self, block: Restriction) -> str:
        return f"/api/v1/restrictions/{block.number}"

    @pytest.fixture
    def known(self) -> dict[str, Any]:
        return service_key("restrictions:read", "restrictions:write")[1]

    def test_is_not_sent_again(self, client: Client, address: str, known: dict[str, Any]) -> None:
        etag = client.get(address, **known)["ETag"]

        for seen in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            again = client.get(address, HTTP_IF_NONE_MATCH=seen, **known)
            assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
        assert client.get(address, HTTP_IF_NONE_MATCH='"other"', **known).status_code == 200

    def test_is_lifted(self, client: Client, address: str, known: dict[str, Any]) -> None:
        etag = client.get(address, **known)["ETag"]

        answer = client.delete(address, NOTE, content_type="application/json", HTTP_IF_MATCH=etag, **known)

        assert (answer.status_code, answer.json()["lifted"]) == (200, True)
        assert answer["ETag"] == client.get(address, **known)["ETag"] != etag

    def test_is_not_lifted_once_it_has_changed(
        self, client: Client, address: str, known: dict[str, Any], block: Restriction
    ) -> None:
        etag = client.get(address, **known)["ETag"]
        Restriction.objects.update(terms_clause="2.3 No training")

        answer = client.delete(address, NOTE, content_type="application/json", HTTP_IF_MATCH=etag, **known)

        assert (answer.status_code, answer.json()["title"]) == (412, "Changed meanwhile")
        assert answer.json()["type"].endswith("/problems/#changed-meanwhile")
        block.refresh_from_db()
        assert block.ended_at is None

    @pytest.mark.parametrize("seen", ["*", None])
    def test_may_be_anything(self, client: Client, address: str, known: dict[str, Any], seen: str | None) -> None:
        headers = {"If-Match": seen} if seen else {}

        answer = client.delete(address, NOTE, content_type="application/json", headers=headers, **known)

        assert answer.json()["lifted"] is True


@pytest.fixture
def kept_by_others(transactional_db: None) -> Iterator[tuple[dict[str, Any], Any]]:
    """Another process holds the row in which the answer is kept, and nobody waits long for it."""
    account("acct_harbour")
    key, known = service_key("restrictions:write")
    kept = KeptAnswer.objects.create(service_key=key, key="a", request_digest=b"", at=key.created_at)
    other = connections.create_connection("default")
    other.set_autocommit(False)
    with other.cursor() as cursor, connection.cursor() as ours:
        cursor.execute("SELECT 1 FROM web_keptanswer WHERE id = %s FOR UPDATE", [kept.pk])
        ours.execute("SET lock_timeout = '200ms'")
    yield known, other
    other.close()
    with connection.cursor() as ours:
        ours.execute("RESET lock_timeout")


def test_there_is_no_restriction_where_its_answer_cannot_be_kept(
    client: Client, kept_by_others: tuple[dict[str, Any], Any]
) -> None:
    known, other = kept_by_others

    refused = post(client, BLOCK, headers={"Idempotency-Key": "a"}, **known)
    nothing = Restriction.objects.count()
    other.rollback()
    done = post(client, BLOCK, headers={"Idempotency-Key": "a"}, **known)

    assert (refused.status_code, nothing) == (503, 0)
    assert (done.status_code, Restriction.objects.count()) == (201, 1)
