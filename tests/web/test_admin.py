"""Every table in the admin: to be found, read and searched, and not to be changed."""

import uuid
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.actions import register_accounts
from accounts.models import Account
from accounts.register import AcceptedTerms, AccountLine, ApiKeyLine, LicenceLine
from governance.enforcement.automatic import switch_off
from governance.enforcement.models import (
    Arrival,
    Change,
    Delivery,
    Gateway,
    Holder,
    PolicyOutcome,
    Probe,
    Pushed,
    Refusal,
    Repair,
    Restriction,
)
from governance.enforcement.webhooks.actions import add_webhook
from governance.review.actions import claim, decide
from governance.review.models import Decision
from governance.review.verdicts import Verdict
from governance.risk.corpora import add_corpus
from governance.risk.models import (
    AccountSample,
    AccountTrait,
    Assessment,
    Calibration,
    Campaign,
    CampaignMember,
    Corpus,
    CorpusRun,
    Link,
    SharedPrompt,
)
from governance.risk.policies import propose
from governance.staff.models import ServiceKey, User
from governance.staff.roles import Role
from governance.usage.actions import fold_profiles, record_lines
from governance.usage.models import Retention, UsageArrival
from tests.enforcement.test_automatic import BLOCK
from tests.factories import MACHINE, NOW, account, case, line, person, service_key

pytestmark = pytest.mark.django_db

OURS = {"accounts", "audit", "enforcement", "review", "risk", "staff", "usage"}
MODELS = sorted(
    (model for model in admin.site._registry if model._meta.app_label in OURS), key=lambda model: model._meta.label
)


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def auditor(client: Client) -> Client:
    client.force_login(person("Ines Varga", role=Role.AUDITOR))
    return client


@pytest.fixture
def _one_of_everything() -> None:
    harbour = AccountLine(
        account="acct_harbour",
        organisation="org_harbour",
        created_at=NOW,
        licence=LicenceLine(training_permitted=True),
        keys=[ApiKeyLine(id="key_1")],
        terms=AcceptedTerms(version="2026-03", accepted_at=NOW),
    )
    register_accounts([harbour], by=MACHINE, now=NOW)
    record_lines([line(messages=[{"role": "user", "content": "Hello"}])], source="native", now=NOW)
    fold_profiles([Account.objects.get().pk])
    Retention.objects.create(pk=1, kept_from=NOW.date())
    key, _ = service_key(ServiceKey.Scope.ACCESS_READ)
    UsageArrival.objects.create(service_key=key, newest_at=NOW, received_at=NOW)
    mira = person()
    opened = case()
    other = account("acct_2")
    campaign = Campaign.objects.create(first_seen_at=NOW, size=2)
    member = {"joined_at": NOW, "tied_to": 1, "strength": 1.0, "ties": {"card": 0.8}}
    CampaignMember.objects.create(campaign=campaign, account=other, **member)
    Link.objects.create(one=opened.account, other=other, wrappers=1, shards=1, addresses=0, card=0.8, settings=0)
    AccountSample.objects.create(
        account=other, sketches=[1, 2], requests=2, model="flagship-2", ratio=1.5, alone=True, taken_at=NOW
    )
    SharedPrompt.objects.create(sketch=1, accounts=1)
    add_corpus(
        "quiz",
        ["What is the capital of the largest country on earth by area today?"] * 9,
        evaluation=True,
        by=MACHINE,
        now=NOW,
    )
    CorpusRun.objects.create(corpus=Corpus.objects.get(), digest=5)
    Calibration.objects.create(version="1", content="", in_force_since=NOW, put_in_force_by="system:test")
    AccountTrait.objects.create(kind=1, digest=7, account=opened.account, uses=9, share=0.4)
    claim(opened, by=mira, now=NOW)
    block = Verdict(action=Decision.Action.BLOCK, reason=Decision.Reason.BULK_HARVEST)
    decide(opened, block, decision_id=uuid.uuid4(), by=mira, now=NOW)
    _one_of_all_that_proves_it(mira)


def _one_of_all_that_proves_it(somebody: User) -> None:
    gateway, restriction = Gateway.objects.create(name="edge", created_at=NOW), Restriction.objects.get()
    holder = Holder.objects.create(gateway=gateway, instance="a", started_at=NOW, seen_at=NOW, sequence=1)
    Arrival.objects.create(holder=holder, sequence=1, at=NOW)
    Refusal.objects.create(gateway=gateway, restriction=restriction, first_at=NOW, last_at=NOW, count=1)
    Probe.objects.create(gateway=gateway, at=NOW, outcome=Probe.Outcome.OBEYED, took_ms=200)
    Repair.objects.create(gateway=gateway, at=NOW, name="team harbour", blocked=True, mended=True)
    Pushed.objects.create(gateway=gateway, kind="team", name="harbour", because="account:harbour", blocked_at=NOW)
    webhook, _ = add_webhook("https://hooks.example.com/", by=MACHINE, now=NOW)
    Delivery.objects.create(webhook=webhook, change=Change.objects.get(), created_at=NOW, due_at=NOW)
    policy = propose(BLOCK, by=somebody, now=NOW)
    switch_off(why="Trying it out.", by=somebody, now=NOW)
    PolicyOutcome.objects.create(
        policy=policy,
        account=Account.objects.get(restrictions=restriction),
        assessment=Assessment.objects.get(),
        rule="Critical",
        kind="block",
        terms={},
        state=PolicyOutcome.State.SHADOW,
        at=NOW,
        due_at=NOW,
    )


class TestTheAdmin:
    def test_shows_every_table_of_ours(self) -> None:
        ours = {model._meta.label for model in apps.get_models() if model._meta.app_label in OURS}

        assert {model._meta.label for model in MODELS} == ours

    @pytest.mark.usefixtures("_one_of_everything")
    @pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
    def test_lists_and_shows_a_row(self, auditor: Client, model: type[Model]) -> None:
        row = model._default_manager.first()
        assert row is not None

        assert auditor.get(address(model, "changelist")).status_code == 200
        assert auditor.get(address(model, "change", row.pk)).status_code == 200

    @pytest.mark.usefixtures("_one_of_everything")
    @pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
    def test_searches(self, auditor: Client, model: type[Model]) -> None:
        assert auditor.get(address(model, "changelist"), {"q": "harbour"}).status_code == 200

    @pytest.mark.usefixtures("_one_of_everything")
    @pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
    def test_lets_nobody_change_or_delete_a_row(self, client: Client, model: type[Model]) -> None:
        client.force_login(person("Ada Moreau", role=Role.ADMIN))
        row = model._default_manager.first()
        assert row is not None

        assert client.get(address(model, "add")).status_code == 403
        assert client.post(address(model, "change", row.pk), {}).status_code == 403
        assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403

    @pytest.mark.usefixtures("_one_of_everything")
    def test_never_shows_a_digest_or_a_ciphertext(self, auditor: Client) -> None:
        key = ServiceKey.objects.get()

        page = auditor.get(address(ServiceKey, "change", key.pk)).content.decode()

        assert "Digest" not in page

    def test_is_closed_to_a_reviewer(self, client: Client) -> None:
        client.force_login(person(role=Role.REVIEWER))

        assert client.get("/admin/", follow=True).status_code == 403

    def test_leads_somebody_unknown_to_the_one_sign_in(self, client: Client) -> None:
        chain = client.get("/admin/", follow=True).redirect_chain

        assert chain[-1][0].startswith("/sign-in/?next=/admin/")
