"""The search finds accounts, keys, organisations, domains, addresses, cards and records, whatever their state."""

import uuid
from datetime import timedelta
from hashlib import sha256

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, Organisation
from governance.campaigns.models import AccountTrait
from governance.campaigns.traits import TraitKind
from governance.investigation import search as searching
from governance.restrictions.reasons import Reason
from governance.review.actions import decide
from governance.review.models import Dismissal
from governance.review.verdicts import Verdict
from governance.staff.models import User
from governance.usage.profiles.build import address_digest
from tests.factories import NOW, account, api_key, assessment, campaign_of, case, restriction
from tests.investigation.pages import found
from tests.review.pages import text

pytestmark = pytest.mark.django_db


def organisation(name: str, external_id: str) -> Organisation:
    return Organisation.objects.create(name=name, external_id=external_id)


def seen_at(user: Account, address: str) -> None:
    AccountTrait.objects.create(
        account=user, kind=TraitKind.ADDRESS, digest=address_digest(address), uses=40, share=0.4
    )


class TestAnAccount:
    @pytest.mark.parametrize("typed", ["acct_harbour", "ACCT_Harb", "acct_h", "  acct_harbour "])
    def test_is_found_by_how_its_id_begins_whatever_the_capitals(self, client: Client, typed: str) -> None:
        account("acct_Harbour")
        account("acct_quill")

        assert found(client, typed) == {"accounts": ["acct_Harbour"]}

    def test_is_found_though_it_lies_below_the_review_line_and_never_had_a_case(self, client: Client) -> None:
        assessment(account("acct_harbour"), score=3, band="low")

        assert found(client, "acct_harbour") == {"accounts": ["acct_harbour"]}

    def test_is_found_though_its_case_is_decided(self, client: Client, mira: User) -> None:
        verdict = Verdict(action=Dismissal.DISMISS, reason=Reason.EVALUATION)
        decide(case(account("acct_harbour")), verdict, decision_id=uuid.uuid4(), by=mira, now=NOW)

        assert found(client, "acct_harbour") == {"accounts": ["acct_harbour"]}

    @pytest.mark.parametrize("name", ["eu/1042", "konto Ärger", "a%b_c", "..", "~x", "客户-7", "o'hara"])
    def test_with_any_characters_in_its_id_is_found_and_its_page_opens(self, client: Client, name: str) -> None:
        account(name)

        assert found(client, name)["accounts"] == [name]
        address = client.get("/search/", {"q": name}).content.decode().split('class="row-open" href="')[1].split('"')[0]
        assert client.get(address).context["account"].external_id == name

    @pytest.mark.parametrize("typed", ["a%", "a_ct"])
    def test_is_found_by_no_pattern(self, client: Client, typed: str) -> None:
        account("acct_harbour")

        assert found(client, typed) == {}


class TestAKey:
    def test_is_found_by_how_its_id_begins(self, client: Client) -> None:
        api_key(account("acct_harbour"), "KEY_9x")

        assert found(client, "key_9") == {"keys": ["KEY_9x"]}

    @pytest.mark.parametrize("form", ["{}", "sha256:{}", "SHA-256:{}"])
    def test_is_found_by_its_digest(self, client: Client, form: str) -> None:
        key = api_key(account("acct_harbour"), "key_9x")
        digest = sha256(b"sk-secret")
        key.digest = digest.digest()
        key.save()

        assert found(client, form.format(digest.hexdigest().upper())) == {"keys": ["key_9x"]}


class TestAnOrganisation:
    @pytest.mark.parametrize("typed", ["harbour quay", "QUAY", "qua har", "org_hq", "Ltd."])
    def test_is_found_by_its_id_and_by_how_words_of_its_name_begin(self, client: Client, typed: str) -> None:
        organisation("Harbour-Quay Ltd", "org_hq")
        organisation("Mere & Sons", "org_mere")

        assert found(client, typed) == {"organisations": ["org_hq"]}

    def test_is_found_once_though_its_id_and_its_name_fit(self, client: Client) -> None:
        organisation("quay", "quay")

        assert found(client, "quay") == {"organisations": ["quay"]}


class TestADomain:
    @pytest.mark.parametrize(
        "typed", ["harbour.example", "Harbour.Example", "mira@harbour.example", "@harbour.example"]
    )
    def test_finds_the_accounts_that_signed_up_with_it(self, client: Client, typed: str) -> None:
        account("acct_1", email_domain="harbour.example")
        account("acct_2", email_domain="quill.example")

        assert found(client, typed) == {"domain": ["acct_1"]}


class TestACard:
    def test_finds_all_accounts_that_pay_with_it_whatever_the_capitals(self, client: Client) -> None:
        for name in ("acct_1", "acct_2"):
            account(name, payment_fingerprint="Card_7f3A")
        account("acct_3", payment_fingerprint="card_other")

        assert found(client, "card_7f3a") == {"card": ["acct_1", "acct_2"]}


class TestAnAddress:
    @pytest.mark.parametrize("typed", ["203.0.113.9", "203.0.113.9:443", "203.0.113.0/24", "::ffff:203.0.113.9"])
    def test_finds_who_signed_up_from_it_or_from_its_network(self, client: Client, typed: str) -> None:
        account("acct_1", signup_ip="203.0.113.9")
        account("acct_2", signup_ip="198.51.100.1")

        assert found(client, typed) == {"address": ["acct_1"]}

    @pytest.mark.parametrize("typed", ["203.0.113.9", "203.0.112.0/22"])
    def test_finds_who_sends_requests_from_it(self, client: Client, typed: str) -> None:
        seen_at(account("acct_1"), "203.0.113.9")
        seen_at(account("acct_2"), "198.51.100.1")

        assert found(client, typed) == {"address": ["acct_1"]}

    def test_of_ipv6_stands_for_the_network_of_its_customer(self, client: Client) -> None:
        seen_at(account("acct_1"), "2001:db8:1:2::17")

        assert found(client, "2001:db8:1:2::99") == {"address": ["acct_1"]}
        assert found(client, "2001:db8:1::/56") == {"address": ["acct_1"]}

    def test_says_how_each_account_is_known_to_have_it(self, client: Client) -> None:
        both = account("acct_1", signup_ip="203.0.113.9")
        seen_at(both, "203.0.113.9")

        assert "signed up and sends requests from there" in text(client.get("/search/?q=203.0.113.9"))

    def test_that_is_a_large_network_says_what_was_not_looked_for(self, client: Client) -> None:
        account("acct_1", signup_ip="203.0.113.9")

        page = client.get("/search/?q=203.0.0.0/16")

        assert found(client, "203.0.0.0/16") == {"address": ["acct_1"]}
        assert "only sign-ups are looked for" in text(page)

    def test_that_is_a_huge_network_asks_for_a_smaller_one(self, client: Client) -> None:
        assert "Enter a network of /16 or smaller." in text(client.get("/search/?q=203.0.0.0/8"))


class TestARecord:
    def test_is_found_by_its_id(self, client: Client, mira: User) -> None:
        opened = case(account("acct_harbour"))
        verdict = Verdict(action=Dismissal.DISMISS, reason=Reason.EVALUATION)
        decision = decide(opened, verdict, decision_id=uuid.uuid4(), by=mira, now=NOW)
        campaign = campaign_of(opened.own_account)

        assert found(client, str(opened.pk)) == {"records": [f"case {opened.pk}"]}
        assert found(client, str(decision.pk)) == {"records": [f"decision {opened.pk}"]}
        assert found(client, str(campaign.pk).upper()) == {"records": [f"campaign {campaign.pk}"]}

    @pytest.mark.parametrize("form", ["{}", "#{}", "no. {}"])
    def test_is_a_restriction_by_its_number(self, client: Client, form: str) -> None:
        number = restriction(account("acct_harbour")).number

        assert found(client, form.format(number)) == {"records": [f"restriction {number}"]}


class TestThePage:
    def test_counts_what_it_found_and_leads_to_more_without_gap_or_repetition(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(searching, "PAGE", 10)
        names = [f"acct_{number:02}" for number in range(25)]
        for name in reversed(names):
            account(name)

        first = client.get("/search/?q=ACCT").context["results"].groups[0]
        seen: list[str] = []
        after = ""
        while True:
            group = (
                client.get("/search/", {"q": "ACCT", "kind": "accounts", "after": after}).context["results"].groups[0]
            )
            seen += [row.item.external_id for row in group.rows]
            if not (after := group.next_after):
                break

        assert (first.number, len(first.rows), first.next_after.values[0]) == (25, searching.FIRST_SHOWN, "acct_07")
        assert seen == names

    def test_goes_on_in_the_same_way_for_every_kind(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(searching, "PAGE", 2)
        for number in range(3):
            one = account(
                f"a{number}", email_domain="x.example", payment_fingerprint="x.example", organisation=f"o{number}"
            )
            api_key(one, f"x.example{number}")
            seen_at(one, "203.0.113.9")
        Organisation.objects.update(name="X.Example")

        for typed, kind in (
            ("x.example", "domain"),
            ("x.example", "card"),
            ("x.example", "keys"),
            ("x.example", "organisations"),
            ("203.0.113.9", "address"),
        ):
            first = found(client, typed, kind=kind)[kind]
            [group] = client.get("/search/", {"q": typed, "kind": kind}).context["results"].groups
            rest = found(client, typed, kind=kind, after=str(group.next_after))[kind]
            assert (len(first), len(rest), len({*first, *rest})) == (2, 1, 3), kind

    def test_refuses_to_go_on_from_nothing(self, client: Client) -> None:
        assert client.get("/search/?q=a&kind=accounts&after=nobody").status_code == 400

    @pytest.mark.parametrize(
        ("typed", "words"), [("", "Enter what you look for."), ("nobody", "Nothing found for “nobody”.")]
    )
    def test_says_what_to_do_where_there_is_nothing(self, client: Client, typed: str, words: str) -> None:
        assert words in text(client.get("/search/", {"q": typed}))

    def test_costs_at_most_a_dozen_queries(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(3):
            one = account(f"x.example{number}", email_domain="x.example", payment_fingerprint="x.example")
            api_key(one, f"x.example-{number}")
            assessment(one, at=NOW + timedelta(minutes=number))
        Organisation.objects.create(external_id="x.example", name="X.Example")

        # 1 session, 2 user, 3 accounts, 4 keys, 5 organisations, 6 domain, 7 card,
        # 8 the accounts of all kinds, 9 the rows of keys, 10 of organisations
        with django_assert_num_queries(10):
            page = client.get("/search/?q=x.example")

        assert len(page.context["results"].groups) == 5

    def test_of_an_address_costs_the_same_few_queries(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        account(signup_ip="203.0.113.9")

        # 1 session, 2 user, 3 accounts, 4 keys, 5 organisations, 6 card, 7 address, 8 the accounts
        with django_assert_num_queries(8):
            client.get("/search/?q=203.0.113.9")
