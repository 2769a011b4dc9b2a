"""What is read of a line of the register: every value in one spelling, and nothing made of an empty text."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core.management import call_command

from accounts.models import Account, Organisation
from accounts.normalization import customer_network, normalize_domain
from accounts.register import parse_account_line


def read(**members: Any) -> Any:
    return parse_account_line(json.dumps({"account": "acct_1", **members}).encode())


class TestALine:
    @pytest.mark.parametrize(
        "spelled", ["203.0.113.77", "::ffff:203.0.113.77", "::FFFF:CB00:714D", "[::ffff:cb00:714d]:1"]
    )
    def test_has_one_address(self, spelled: str) -> None:
        assert read(signup_ip=spelled).signup_ip == "203.0.113.77"

    @pytest.mark.parametrize(
        "spelled", ["example.com", "EXAMPLE.com", "example.com.", " example.com ", "ana@Example.Com", "@example.com"]
    )
    def test_has_one_domain(self, spelled: str) -> None:
        assert read(email_domain=spelled).email_domain == "example.com"

    @pytest.mark.parametrize("spelled", ["müller.example", "MU\u0308LLER.example", "xn--mller-kva.example"])
    def test_has_one_domain_in_any_script(self, spelled: str) -> None:
        assert read(email_domain=spelled).email_domain == "xn--mller-kva.example"

    def test_has_one_country_and_one_id(self) -> None:
        found = parse_account_line(
            '{"account": " acct_e\u0301\\t", "country": "nl", "payment_fingerprint": "card_1 "}'.encode()
        )

        assert (found.account, found.country, found.payment_fingerprint) == ("acct_é", "NL", "card_1")

    def test_makes_nothing_of_an_empty_text(self) -> None:
        names = (
            "organisation", "organisation_name", "created_at", "plan", "declared_use", "country", "signup_ip",
            "email_domain", "payment_fingerprint", "status",
        )  # fmt: skip

        found = msgspec.structs.asdict(read(**dict.fromkeys(names, "")))

        assert {found[name] or None for name in names} <= {None, msgspec.UNSET}

    def test_makes_nothing_of_one_inside(self) -> None:
        licence = {"training_permitted": True, "starts_at": "", "ends_at": "", "reference": ""}

        found = read(licence=licence, keys=[{"id": "key_1", "digest": ""}])

        assert (found.licence.starts_at, found.licence.ends_at, found.keys[0].digest) == (None, None, None)


@pytest.mark.django_db
def test_two_spellings_are_one_account_of_one_organisation(tmp_path: Path) -> None:
    file, out = tmp_path / "accounts.jsonl", StringIO()
    lines = [{"account": "acct_1", "organisation": "org_1"}, {"account": "acct_1 ", "organisation": " org_1"}]
    file.write_text("\ufeff" + "\n".join(map(json.dumps, lines)))

    call_command("import_accounts", str(file), stdout=out)

    assert out.getvalue() == "1 account created, 0 updated, 1 unchanged, 0 lines rejected.\n"
    assert Account.objects.get().organisation == Organisation.objects.get()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.77"),
        ("::ffff:203.0.113.77", "203.0.113.77"),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2::/64"),
    ],
)
def test_a_customer_has_an_ipv4_address_or_a_network_of_ipv6(address: str, network: str) -> None:
    assert customer_network(address) == network


@pytest.mark.parametrize("odd", ["", ".", "..", "a..b", "ü" * 70 + ".example", "@"])
def test_a_domain_that_is_none_is_no_error(odd: str) -> None:
    assert normalize_domain(odd) == odd.strip(".@")
