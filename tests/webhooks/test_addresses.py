"""Webhooks go to public addresses only, whatever a name says."""

import pytest
from django.test import override_settings

from governance.webhooks.addresses import AddressError, check_url, is_permitted

PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - nobody listens here
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001::1",
    "fec0::1",
    "::7f00:1",
    "64:ff9b:1::7f00:1",
    "5f00::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused_however_it_is_written(address: str) -> None:
    assert not is_permitted(address, encrypted=True)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_a_public_address_is_permitted_but_never_in_the_clear(address: str) -> None:
    assert is_permitted(address, encrypted=True)
    assert not is_permitted(address, encrypted=False)


@override_settings(WEBHOOK_PRIVATE_NETWORKS=["10.1.0.0/16"])
def test_the_operator_may_name_networks_of_their_own() -> None:
    assert is_permitted("10.1.2.3", encrypted=False)
    assert not is_permitted("10.2.2.3", encrypted=True)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hook",
        "ftp://example.com/",
        "http://example.com/",
        "https://",
        "https://a:b@example.com/",
        "https://a:99999/",
        "https://a:0/",
        "https://a..b/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://" + "a" * 64 + ".com/",
        "https://example.com/a hook",
        "https://example.com/a\nhook",
        "https://example.com/hök",
    ],
)
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(AddressError):
        check_url(url)
