"""At least one row in every table: what tests of every page and every admin start from."""

import uuid

from accounts.actions import register_accounts
from accounts.models import Account
from accounts.register import AcceptedTerms, AccountLine, ApiKeyValue, LicenceValue
from governance.audit.models import PublicationTrouble
from governance.audit.publishing import publish
from governance.campaigns.models import (
    AccountSample,
    AccountTrait,
    AnswerSample,
    Campaign,
    CampaignMember,
    CampaignRule,
    CampaignRuleAccount,
    CampaignSearch,
    SharedPrompt,
)
from governance.configuration.models import DueTarget, ReasonOverride
from governance.detection.corpora import add_corpus
from governance.detection.models import Assessment, CalibrationVersion, Corpus, CorpusShingle
from governance.evidence.models import EvidenceBundle
from governance.evidence.sealing import seal_day
from governance.gateways.models import (
    CanaryProbe,
    DriftRepair,
    Gateway,
    GatewayInstance,
    LiteLlmPush,
    LostDecision,
    PropagationEntry,
    Refusal,
)
from governance.investigation.actions import watch
from governance.overview.actions import measure_overview
from governance.policies.kill_switch import stop_policies
from governance.policies.models import PolicyOutcome
from governance.policies.versions import propose
from governance.privacy.erasure import start_erasure
from governance.privacy.holds import find_target, set_hold
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Change, CoveredAccount, FeedEpoch, LiftedOrigin, LostName, Restriction
from governance.restrictions.reasons import Reason
from governance.review.actions import claim, decide
from governance.review.bulk.actions import decide_many
from governance.review.models import (
    BulkTarget,
    Case,
    CaseViewer,
    Decision,
    DecisionTarget,
    InboxItem,
    SavedView,
    SkippedCase,
)
from governance.review.verdicts import Verdict
from governance.sharing.actions.indicators import import_indicators
from governance.sharing.actions.partners import add_partner
from governance.sharing.actions.shares import propose_share, release_share, retract_share
from governance.sharing.keys import shared_keys
from governance.sharing.models import Tlp
from governance.staff.attempts import count_attempt
from governance.staff.credentials import ClientOrigin, remember_origin
from governance.staff.models import AttemptCount, ServiceKey, User
from governance.staff.second_factor import add_authenticator_app, new_app_secret
from governance.staff.session_store import SessionStore
from governance.staff.sessions import begin_session
from governance.usage.actions import compact_profiles, record_lines
from governance.usage.models import (
    EventConflict,
    HeldEvent,
    LastUsage,
    LateDay,
    NewNameCount,
    ReportedAnswer,
    Retention,
)
from governance.webhooks.actions import add_webhook
from governance.webhooks.models import Delivery
from tests.factories import (
    MACHINE,
    NOW,
    account,
    assessment,
    campaign_of,
    case,
    line,
    person,
    restriction,
    service_key,
)
from tests.policies.outcomes import BLOCK
from tests.sharing.partners import bundle, indicator
from tests.staff.second_factors import current_code


def _one_of_the_work_on(opened: Case, mira: User) -> None:
    SavedView.objects.create(name="Critical", query="band=critical", owner=mira, created_at=NOW)
    InboxItem.objects.create(user=mira, case=opened, kind=InboxItem.Kind.MENTIONED, by=mira, at=NOW, text="@mira")
    SkippedCase.objects.create(case=opened, user=mira, at=NOW)
    CaseViewer.objects.create(case=opened, user=mira, seen_at=NOW)


def _one_of_what_is_compared(other: Account) -> None:
    AccountSample.objects.create(
        account=other,
        sketches=[1, 2],
        requests=2,
        model="flagship-2",
        ratio=1.5,
        alone=True,
        slots=[7],
        is_product=False,
        is_evaluation=False,
        taken_at=NOW,
    )
    SharedPrompt.objects.create(sketch=1, accounts=1)
    AnswerSample.objects.create(kind=0, digest=7, account=other)


def _one_of_sign_in(mira: User) -> None:
    remember_origin(mira, ClientOrigin("203.0.113.0/24", "a device"), now=NOW)
    secret = new_app_secret()
    add_authenticator_app(mira, secret, current_code(secret), now=NOW)
    begin_session(SessionStore(), mira, address="203.0.113.7", browser="Firefox on Linux", now=NOW)
    count_attempt(AttemptCount.Kind.STRANGERS, "192.0.2.0/24", NOW)


def one_of_everything() -> None:
    """Commit nothing; leave at least one row in every table of ours."""
    harbour = AccountLine(
        account="acct_harbour",
        organisation="org_harbour",
        created_at=NOW,
        licence=LicenceValue(training_permitted=True),
        keys=[ApiKeyValue(id="key_1")],
        terms=AcceptedTerms(version="2026-03", accepted_at=NOW),
    )
    register_accounts([harbour], by=MACHINE, now=NOW)
    record_lines([line(messages=[{"role": "user", "content": "Hello"}])], source="native", now=NOW)
    compact_profiles([Account.objects.get().pk])
    record_lines([line(id="evt_not_compacted_yet")], source="native", now=NOW)
    _one_of_days_of_usage()
    key, _ = service_key(ServiceKey.Scope.ACCESS_READ)
    LastUsage.objects.create(service_key=key, newest_at=NOW, received_at=NOW)
    NewNameCount.objects.create(service_key=key, hour=NOW, names=1)
    EventConflict.objects.create(
        account=Account.objects.get(), source="native", day=NOW, events=2, in_time_alone=1, newest_at=NOW
    )
    mira = person()
    _one_of_sign_in(mira)
    opened = case()
    other = account("acct_2")
    _one_campaign(other)
    _one_of_what_is_compared(other)
    add_corpus(
        "quiz",
        [" ".join(f"word{number}" for number in range(400))],
        evaluation=True,
        by=MACHINE,
        now=NOW,
    )
    CorpusShingle.objects.create(corpus=Corpus.objects.get(), digest=5)
    CalibrationVersion.objects.create(version="1", content="", in_force_since=NOW, put_in_force_by="system:test")
    AccountTrait.objects.create(kind=1, digest=7, account=opened.own_account, uses=9, share=0.4)
    claim(opened, by=mira, now=NOW)
    _one_of_the_work_on(opened, mira)
    block = Verdict(action=RestrictionKind.BLOCK, reason=Reason.BULK_HARVEST)
    decide(opened, block, decision_id=uuid.uuid4(), by=mira, now=NOW)
    watch(other, reason="A tip.", by=mira, now=NOW)
    _one_of_all_that_proves_it(mira)
    _one_of_what_is_set_and_measured()
    _one_bulk_decision(mira)


def _one_of_what_is_shared(mira: User) -> None:
    """Released, retracted and proposed again; and a partner's indicator that fits somebody."""
    mill = account("acct_mill", payment_fingerprint="card_mill")
    restriction(mill)
    north, jonas = add_partner("North Lab", receives=True, sends=True, tlp=Tlp.AMBER, by=MACHINE, now=NOW), person()
    campaign, why = campaign_of(mill), "They move on."
    share = propose_share(campaign, north.partner, tlp=Tlp.AMBER, reason=why, by=mira, now=NOW)
    retract_share(release_share(share, by=jonas, now=NOW), reason="A mistake.", by=mira, now=NOW)
    propose_share(campaign, north.partner, tlp=Tlp.AMBER, reason=why, by=mira, now=NOW)
    digest = shared_keys(north.partner)[0].digest("card", "card_mill")
    said = indicator(f"[x-stillwatch-digest:card = '{digest}']")
    import_indicators(north.partner, bundle(said), by=MACHINE, now=NOW)


def _one_of_days_of_usage() -> None:
    Retention.objects.create(pk=1, kept_from=NOW.date())
    seal_day(NOW.date(), now=NOW)
    LateDay.objects.create(day=NOW.date())


def _one_of_privacy() -> None:
    held, erased = account("acct_held"), account("acct_erased", email_domain="erased.example")
    set_hold(find_target("account", held.external_id), reason="Case 12/26.", by=MACHINE, now=NOW)
    HeldEvent.objects.create(key=uuid.uuid4(), account=held, day=NOW.date(), event={"model": "flagship-2"})
    start_erasure(find_target("account", erased.external_id), reason="Request 2026-118.", by=MACHINE, now=NOW)


def _one_bulk_decision(mira: User) -> None:
    """Undone while it was at work: one account was skipped, and the decision on the other is still to be undone."""
    verdict = Verdict(action=RestrictionKind.WATCH, reason=Reason.BULK_HARVEST)
    accounts = [case(account(name)).own_account for name in ("acct_of_many_1", "acct_of_many_2")]
    pks = [one.pk for one in accounts]
    bulk = decide_many(pks, verdict, bulk_id=uuid.uuid4(), seen=0, seen_at=NOW, by=mira, now=NOW)
    BulkTarget.objects.filter(bulk=bulk, account=accounts[0]).update(state="skipped", because="Claimed by Jonas.")


def _one_of_what_is_set_and_measured() -> None:
    DueTarget.objects.create(band="high", hours=12)
    ReasonOverride.objects.create(reason="other", is_offered=False)
    measure_overview(now=NOW)
    publish(now=NOW)
    PublicationTrouble.objects.create(kind=PublicationTrouble.Kind.WITNESS, message="it answered 503", since=NOW)
    _one_of_privacy()
    EvidenceBundle.objects.create(
        case=Case.objects.filter(campaign=None)[0], requested_at=NOW, requested_by=User.objects.all()[0]
    )


def _one_campaign(member: Account) -> None:
    campaign = Campaign.objects.create(state=Campaign.State.OPEN, first_seen_at=NOW, opened_at=NOW, size=1)
    belongs = {"joined_at": NOW, "tied_to": 1, "strength": 1.0, "ties": {"card": 0.8}}
    CampaignMember.objects.create(campaign=campaign, account=member, **belongs)
    CampaignSearch.objects.create(pk=1, searched_at=NOW)
    rule = CampaignRule.objects.create(belonging="apart", reason="One is a school.", made_at=NOW, made_by="staff:Mira")
    CampaignRuleAccount.objects.create(rule=rule, account=member)
    seen = assessment(member)
    Case.objects.create(campaign=campaign, assessment=seen, score=seen.score, band=seen.band, opened_at=NOW, due_at=NOW)


def _one_of_all_that_proves_it(somebody: User) -> None:
    gateway, restriction = Gateway.objects.create(name="edge", created_at=NOW), Restriction.objects.get()
    gateway_instance = GatewayInstance.objects.create(
        gateway=gateway, instance="a", started_at=NOW, seen_at=NOW, sequence=1
    )
    PropagationEntry.objects.create(gateway_instance=gateway_instance, sequence=1, at=NOW)
    LiftedOrigin.objects.create(origin=f"decision:{uuid.uuid4()}")
    CoveredAccount.objects.create(restriction=restriction, account=Account.objects.earliest("pk"))
    epoch = FeedEpoch.objects.create(
        identifier="e1", starts_after=0, continues=0, began_at=NOW, reason="Tried out.", author="system:test"
    )
    LostDecision.objects.create(
        epoch=epoch, number=9, what=LostDecision.What.BEGAN, target="account acct_lost", payload={}, noted_at=NOW
    )
    LostName.objects.create(account=Account.objects.earliest("pk"), kind="key", name="key_lost", restored_at=NOW)
    ReportedAnswer.objects.create(key=uuid.uuid4(), is_finished=True, in_background=False, newest_at=NOW)
    Refusal.objects.create(gateway=gateway, restriction=restriction, first_at=NOW, last_at=NOW, count=1)
    CanaryProbe.objects.create(gateway=gateway, at=NOW, outcome=CanaryProbe.Outcome.OBEYED, took_ms=200)
    DriftRepair.objects.create(gateway=gateway, at=NOW, name="team harbour", blocked=True, mended=True)
    LiteLlmPush.objects.create(gateway=gateway, kind="team", name="harbour", because="account:harbour", blocked_at=NOW)
    DecisionTarget.objects.create(
        decision=Decision.objects.get(), account=Account.objects.get(external_id="acct_2"), left_out_because="A school."
    )
    webhook, _ = add_webhook("https://hooks.example.com/", by=MACHINE, now=NOW)
    Delivery.objects.create(webhook=webhook, change=Change.objects.get(), created_at=NOW, due_at=NOW)
    policy = propose(BLOCK, by=somebody, now=NOW)
    stop_policies(why="Trying it out.", by=somebody, now=NOW)
    PolicyOutcome.objects.create(
        policy=policy,
        account=Account.objects.get(restrictions=restriction),
        assessment=Assessment.objects.earliest("pk"),
        rule="Critical",
        kind="block",
        terms={},
        state=PolicyOutcome.State.SHADOW,
        at=NOW,
        due_at=NOW,
    )
    _one_of_what_is_shared(somebody)
