"""The API keys that a customer shows are found, whatever is around them."""

import hashlib

import pytest
from django.utils import timezone

from tests.factories import account, api_key, restriction
from tests.front import Served
from tests.gateways.check.requests_by_protocol import SECRET, raw

AROUND = [
    b"Bearer %s x",
    b"Bearer %s;",
    b'Bearer "%s"',
    b"Bearer:%s",
    b"Bearer=%s",
    b"Bearer %s,Bearer good",
    b"good, %s",
]


class TestAShownKey:
    @pytest.mark.parametrize("header", ["Authorization", "X-Api-Key"])
    @pytest.mark.parametrize(
        "shown",
        ["Bearer {}", "bearer\t{} ", "Bearer Bearer {}", "Token {}", "ApiKey {}", "Bearer: {}", "a b c d e f {}"],
    )
    def test_is_found_behind_the_words_before_it_whatever_else_is_shown(
        self, front: Served, header: str, shown: str
    ) -> None:
        key = api_key(account("acct_harbour"), "key_1")
        key.digest = hashlib.sha256(SECRET.encode()).digest()
        key.save()
        front.knows(restriction(key, at=timezone.now()).number)
        good = ("X-Api-Key" if header == "Authorization" else "Authorization", b"sk-good")

        def status(secret: str) -> int:
            return raw(front, "/access/nginx", (header, shown.format(secret).encode()), good).status

        assert (status(SECRET), status("sk-fine")) == (403, 204)


class TestAKeyWithSomethingAroundIt:
    @pytest.fixture(autouse=True)
    def _blocked(self, front: Served) -> None:
        owner = account("acct_harbour")
        for name in ("sk-blocked", "sk,comma"):
            key = api_key(owner, name)
            key.digest = hashlib.sha256(name.encode()).digest()
            key.save()
        front.knows(restriction(owner, at=timezone.now()).number)

    @pytest.mark.parametrize("header", ["Authorization", "X-Api-Key"])
    def test_is_found_by_nginx_and_envoy(self, front: Served, header: str) -> None:
        ways = [way % key for way in AROUND for key in (b"sk-blocked", b"sk,comma")]
        paths = ("/access/nginx", "/access/envoy/v1")

        assert [way for way in ways for path in paths if raw(front, path, (header, way)).status != 403] == []
        two = [(header, b"Bearer sk,comma"), (header, b"Bearer good")]
        assert raw(front, "/access/nginx", *two).status == raw(front, "/access/nginx", *two[::-1]).status == 403

    def test_among_more_words_than_are_looked_at_cannot_be_read(self, front: Served) -> None:
        header = ("Authorization", b"Bearer " + b"x " * 64 + b"y")

        assert raw(front, "/access/nginx", header).status == 403
        assert raw(front, "/access/envoy/v1", header).status == 400
