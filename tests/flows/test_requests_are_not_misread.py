"""What is asked is done as it stands there, or refused: nothing that cannot be read counts as left out."""

import json
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from governance.restrictions.models import Restriction
from governance.restrictions.queries import access
from governance.staff.models import ServiceKey
from tests.commands import run_command
from tests.factories import NOW, account, campaign_of, case, person, restriction, service_key
from tests.flows.last_word import BLOCK, Api
from tests.front import Served, served
from tests.review.pages import address, block_form, by_htmx, signed_in, text
from tests.waiting import PATIENCE

HARBOUR = BLOCK | {"account": "acct_harbour"}


@pytest.mark.django_db
class TestWhatAnotherKindTakes:
    @pytest.mark.parametrize(
        ("kind", "foreign"),
        [
            ("watch", {"requests_per_minute": 1, "withheld": ["logprobs"]}),
            ("warn", {"tokens_per_minute": 1000}),
            ("block", {"requests_per_minute": 1}),
            ("throttle", {"withheld": ["logprobs"]}),
            ("withhold", {"requests_per_minute": 1, "tokens_per_minute": 1000}),
        ],
    )
    @pytest.mark.parametrize("dry_run", [True, False])
    def test_is_refused_by_name(self, kind: str, foreign: dict[str, Any], *, dry_run: bool) -> None:
        account("acct_harbour")
        own: dict[str, Any] = {"throttle": {"requests_per_minute": 5}, "withhold": {"withheld": ["reasoning"]}}
        asked = HARBOUR | own.get(kind, {}) | foreign | {"kind": kind, "dry_run": dry_run}

        alone, of_many = Api().post(asked), Api().post({"restrictions": [asked]})

        assert alone.status_code == 400
        assert set(alone.json()["errors"]) == set(foreign)
        assert set(of_many.json()["results"][0]["error"]) == set(foreign)
        assert not Restriction.objects.exists()

    def test_may_be_null_or_empty(self) -> None:
        account("acct_harbour")

        assert Api().post(HARBOUR | {"withheld": []}).status_code == 201


def test_a_key_that_cannot_be_read_is_no_missing_key(web_server: int) -> None:
    account("acct_harbour")
    _, known = service_key(ServiceKey.Scope.RESTRICTIONS_WRITE)
    keys = [
        *("schlüssel-1".encode(), "schlüssel-1".encode("latin-1"), b"", b"  ", "\u200b".encode()),
        "monday, schlüssel".encode(),
    ]

    def post(key: bytes) -> tuple[int, Any]:
        caller = HTTPConnection("127.0.0.1", web_server, timeout=PATIENCE)
        head = {"Authorization": known["HTTP_AUTHORIZATION"], "Content-Type": "application/json"}
        caller.request("POST", "/api/v1/restrictions", json.dumps(HARBOUR), head | {"Idempotency-Key": key})
        answer = caller.getresponse()
        said = answer.status, json.loads(answer.read())
        caller.close()
        return said

    refused = [post(key) for key in keys]
    done = [post(b"schluessel-1")[0] for _ in range(2)]

    assert [status for status, _ in refused] == [422] * len(keys)
    assert all("ASCII" in body["detail"] for _, body in refused)
    assert done == [201, 201]
    assert Restriction.objects.count() == 1


@pytest.mark.django_db
class TestAMemberThatIsThereTwice:
    @pytest.mark.parametrize(
        "body",
        [
            '{"dry_run": true, "dry_run": false, %s}',
            '{"dry_run": false, "dry_run": true, %s}',
            '{%s, "account": "acct_other"}',
            '{"\\u0064ry_run": true, "dry_run": false, %s}',
            '{"restrictions": [{"dry_run": true, "dry_run": false, %s}]}',
            '{"restrictions": [], "restrictions": [{%s}]}',
        ],
    )
    def test_is_refused_wherever_it_stands(self, body: str) -> None:
        account("acct_harbour")
        account("acct_other")
        members = json.dumps(HARBOUR)[1:-1]

        answer = Api().post(body % members)

        assert answer.status_code == 400
        assert "once" in answer.json()["detail"]
        assert not Restriction.objects.exists()

    def test_is_refused_in_a_line_of_the_register(self, tmp_path: Path) -> None:
        register = tmp_path / "register.jsonl"
        licence = '"licence": {"training_permitted": false, "training_permitted": true}'
        register.write_text(
            f'{{"account": "acct_quill", "plan": "free"}}\n{{"account": "acct_harbour", {licence}}}\n'
            '{"account": "acct_a", "account": "acct_b"}\n'
        )

        ran = run_command("import_accounts", str(register))

        assert (ran.status, ran.err.count("more than once")) == (1, 2)
        assert list(Account.objects.values_list("external_id", flat=True)) == ["acct_quill"]

    def test_is_refused_in_a_lifting_too(self) -> None:
        lifted = restriction(account("acct_harbour"))
        api = Api()

        answer = api.client.delete(
            f"/api/v1/restrictions/{lifted.number}",
            '{"note": "appeal", "note": "a mistake"}',
            content_type="application/json",
            **api.known,
        )

        assert answer.status_code == 400
        assert Restriction.objects.get().ended_at is None


@pytest.mark.django_db
class TestAnAddressOfThePages:
    @pytest.mark.parametrize(
        "where",
        [
            *("/queue/?view=maybe", "/queue/?band=nope", "/queue/?after=x", "/queue/?view=mine&band=nope"),
            *(f"/queue/?q={'x' * 121}", "/cases/next/?after=zzz", "/cases/next/?view=maybe"),
        ],
    )
    def test_that_makes_no_sense_is_refused_in_words(self, where: str) -> None:
        case(account("acct_harbour"))
        client = signed_in(person())

        answers = client.get(where), client.get(where, headers=by_htmx("cases"))

        assert [answer.status_code for answer in answers] == [400, 400]
        assert "Invalid address" in text(answers[0])
        assert any(f"{name}:" in text(answers[0]) for name in ("view", "band", "after", "q"))

    @pytest.mark.parametrize("where", ["/queue/?view=&band=&q=&after=", "/queue/?view=mine", "/cases/next/?after="])
    def test_may_leave_filters_blank(self, where: str) -> None:
        assert signed_in(person()).get(where).status_code in {200, 302}


@pytest.mark.django_db
class TestAFlagOfAForm:
    @pytest.fixture
    def mira(self) -> Client:
        return signed_in(person())

    @pytest.mark.parametrize("flag", ["maybe", "yes", "On", "2", " ", ["on", "false"]])
    def test_that_is_no_flag_lifts_and_blocks_nobody(self, mira: Client, flag: str) -> None:
        harbour = case(account("acct_harbour"))
        number = restriction(harbour.own_account).number

        lifting = {"note": "One school.", "everywhere": flag}
        lifted = mira.post(address(harbour, f"restrictions/{number}/lift/"), lifting)
        decided = mira.post(address(harbour, "decide/"), block_form(confirmed=flag))

        assert (lifted.status_code, decided.status_code) == (422, 422)
        assert Restriction.objects.get().ended_at is None

    @pytest.mark.parametrize(
        ("flag", "everywhere"), [("on", 1), ("true", 1), ("1", 1), ("false", 0), ("0", 0), ("", 0)]
    )
    def test_is_taken_as_it_says(self, mira: Client, flag: str, everywhere: int) -> None:
        harbour, quill = account("acct_harbour"), account("acct_quill")
        made = Api().post(BLOCK | {"campaign": str(campaign_of(harbour, quill).pk)}).json()["restrictions"]
        numbers = {one["account"]: one["number"] for one in made}
        opened = case(harbour)

        lifting = {"note": "One school.", "everywhere": flag}
        answer = mira.post(address(opened, f"restrictions/{numbers['acct_harbour']}/lift/"), lifting)

        assert answer.status_code == 302
        assert access(account="acct_harbour", now=timezone.now()).allowed
        assert access(account="acct_quill", now=timezone.now()).allowed == bool(everywhere)


@pytest.mark.django_db(transaction=True)
class TestATextThatIsNoName:
    NUL = "acct_a\0b"

    def test_is_refused_by_each_gateway(self) -> None:
        with served() as front:
            key = {"x_stillwatch_key": front.secret}
            encoded = "acct_a%00b"
            statuses = {
                "query": front.ask(f"/access/check?account={encoded}").status,
                "twice": front.ask(f"/access/check?account=acct_free&api_key={encoded}").status,
                "json": front.ask("/access/check", method="POST", body={"account": self.NUL}).status,
                "json, encoded": front.ask("/access/check", method="POST", body={"account": encoded}).status,
                "nginx": front.ask("/access/nginx", x_stillwatch_account=encoded, **key).status,
                "envoy": front.ask("/access/envoy/", x_stillwatch_account=encoded, **key).status,
            }
            asked = [guardrail(front, user_api_key_user_id=name) for name in (self.NUL, encoded)]

        assert statuses == {
            "query": 400,
            "twice": 400,
            "json": 400,
            "json, encoded": 400,
            "nginx": 403,
            "envoy": 400,
        }
        assert asked == ["BLOCKED", "BLOCKED"]

    @pytest.mark.parametrize("said", [r'"\ud83d"', r'"\udc00 \ud83d\ude00"', "NaN", "-Infinity", '"\udcff"'])
    def test_keeps_no_customer_of_litellm_out_as_long_as_it_is_no_name(self, said: str) -> None:
        number = restriction(account("acct_harbour"), at=NOW).number
        with served() as front:
            front.knows(number)
            texts = said.encode("utf-8", "surrogateescape").decode("latin-1")
            free = guardrail(front, texts=texts, user_api_key_user_id="acct_free")
            blocked = guardrail(front, texts=texts, user_api_key_user_id="acct_harbour")
            nameless = guardrail(front, texts=texts, user_api_key_user_id="acct_\ud83d")

        assert (free, blocked, nameless) == ("NONE", "BLOCKED", "BLOCKED")


def guardrail(front: Served, *, texts: str = '"Hello"', **metadata: str) -> str:
    body = f'{{"texts": [{texts}], "request_data": {json.dumps(metadata)}}}'
    said = front.ask("/beta/litellm_basic_guardrail_api", method="POST", text=body, x_api_key=front.secret)
    return str(said.json["action"])
