"""What every URL takes: what stands in its path, and which names its query, form or document may hold.

A table, so that a new URL is a new row: tests/rules/test_every_url.py refuses a URL that has none.
"""

import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import Account, Organisation
from governance.audit.models import Entry
from governance.campaigns.models import Campaign
from governance.evidence.models import EvidenceBundle
from governance.gateways.models import LostDecision
from governance.policies.models import PolicyVersion
from governance.privacy.models import LegalHold
from governance.restrictions.models import Restriction
from governance.review.bulk.forms import SeenField
from governance.review.models import BulkDecision, Case, Decision, SavedView
from governance.review.queue_forms import QueueForm
from governance.staff.models import ServiceKey, User
from governance.webhooks.models import Webhook
from tests.factories import NOW
from tests.rules.arguments_of_machines import ARGUMENTS_OF_MACHINES
from tests.rules.arguments_of_sharing import ARGUMENTS_OF_SHARING
from tests.rules.arguments_of_sign_in import ARGUMENTS_OF_SIGN_IN
from tests.rules.given import Arguments, first_of


def _open_case() -> object:
    return Case.objects.filter(status=Case.Status.OPEN, campaign=None).values_list("pk", flat=True)[0]


def _decided_case() -> object:
    return Decision.objects.values_list("case_id", flat=True)[0]


def _first_id(model: type[Model]) -> object:
    return model._default_manager.values_list("external_id", flat=True)[0]


ACCOUNT = {"external_id": partial(_first_id, Account)}


def _campaign_case() -> object:
    return Case.objects.filter(status=Case.Status.OPEN, account=None).values_list("pk", flat=True)[0]


LIST = tuple(QueueForm.base_fields)
CASE = {"pk": _open_case}
CAMPAIGN = {"pk": partial(first_of, Campaign)}
CAMPAIGN_CASE = {"pk": _campaign_case}
DECIDED = {"pk": _decided_case}
BULK = {"pk": partial(first_of, BulkDecision)}
LOST = {"pk": partial(first_of, LostDecision)}
WEBHOOK = {"pk": partial(first_of, Webhook)}
SOMEBODY = {"pk": partial(first_of, User)}
POLICY = {"pk": partial(first_of, PolicyVersion)}
RESTRICTION = {"number": partial(first_of, Restriction)}
ENTRY = {"number": partial(first_of, Entry)}
DECISION = {
    "decision": str(uuid.uuid4()),
    "action": "throttle",
    "against": "bulk_harvest",
    "requests_per_minute": "7",
    "tokens_per_minute": "900",
    "terms_clause": "2.3 No training of competing models",
    "scope": "account",
    "days": "7",
    "withheld": "logprobs",
    "favour": "research",
    "note": "As agreed.",
    "confirmed": "on",
}
TICKS = {"accounts": "1", "listed": "1,2", "others": "on", "seen": "9", "left_out_because": "A school."}
BLOCK = {
    "account": "acct_harbour",
    "kind": "throttle",
    "reason": "other",
    "requests_per_minute": 7,
    "expires_at": "2030-01-01T00:00:00Z",
    "unique_key": "k",
    "dry_run": False,
}
ARGUMENTS: dict[str, Arguments] = {
    "/": Arguments(),
    "/queue/": Arguments(query=LIST),
    "/queue/views/save/": Arguments(sent={"name": "Critical", "query": "band=critical", "is_shared": "on"}),
    "/queue/views/<uuid:pk>/remove/": Arguments({"pk": partial(first_of, SavedView)}),
    "/inbox/": Arguments(),
    "/inbox/read/": Arguments(sent={"item": "1", "newest": "1"}),
    "/colleagues/": Arguments(),
    "/restrictions/": Arguments(query=("kind", "q", "before")),
    "/restrictions/<int:number>/lift/": Arguments(RESTRICTION, query=("kind", "q", "before"), sent={"note": "A slip."}),
    "/overview/cases/": Arguments(query=("band", "age", "due", "opened", "decided", "after")),
    "/overview/<slug:name>.csv": Arguments({"name": lambda: "days"}),
    "/log/": Arguments(query=("who", "kind", "about", "verb", "first", "last", "before")),
    "/log/export/": Arguments(sent={"file_format": "ndjson", "verb": "case.decided"}),
    "/log/<int:number>/": Arguments(ENTRY),
    "/log/<int:number>/proof/": Arguments(ENTRY),
    "/log/<int:number>/leaf/": Arguments(ENTRY),
    "/settings/": Arguments(),
    "/settings/due/": Arguments(sent={"critical": "2", "high": "12", "elevated": "48", "low": "96"}),
    "/settings/reasons/": Arguments(sent={"offer-other": "on", "clause-other": "", "offer-evaluation": "on"}),
    "/settings/history/": Arguments(query=("before",)),
    "/settings/users/": Arguments(),
    "/settings/users/add/": Arguments(sent={"name": "Ines Varga", "email": "ines@example.com", "role": "auditor"}),
    "/settings/users/<uuid:pk>/role/": Arguments(SOMEBODY, sent={"role": "lead"}),
    "/settings/users/<uuid:pk>/shut-out/": Arguments(SOMEBODY),
    "/settings/users/<uuid:pk>/end-sessions/": Arguments(SOMEBODY),
    "/settings/users/<uuid:pk>/remove-factor/": Arguments(SOMEBODY),
    "/settings/users/<uuid:pk>/readmit/": Arguments(SOMEBODY),
    "/settings/privacy/": Arguments(query=("kind", "name")),
    "/settings/privacy/hold/": Arguments(sent={"kind": "account", "name": "acct_harbour", "reason": "Case 12/26."}),
    "/settings/privacy/hold/<uuid:pk>/lift/": Arguments(
        {"pk": partial(first_of, LegalHold)}, sent={"reason": "The lawsuit is over."}
    ),
    "/settings/privacy/erase/": Arguments(
        query=("kind", "name"), sent={"reason": "Request 2026-118.", "confirmed": "on"}
    ),
    "/settings/keys/": Arguments(),
    "/settings/keys/issue/": Arguments(
        sent={"name": "gateway-us", "scopes": "access:read", "days": "30", "networks": "203.0.113.0/24"}
    ),
    "/settings/keys/<uuid:pk>/replace/": Arguments({"pk": partial(first_of, ServiceKey)}, sent={"days": "7"}),
    "/settings/keys/<uuid:pk>/end-previous/": Arguments({"pk": partial(first_of, ServiceKey)}),
    "/settings/keys/<uuid:pk>/revoke/": Arguments({"pk": partial(first_of, ServiceKey)}),
    **ARGUMENTS_OF_SHARING,
    "/calibration/drift/": Arguments(),
    "/policy/": Arguments(),
    "/policy/propose/": Arguments(sent={"content": 'version = "2"'}),
    "/policy/<int:pk>/live/": Arguments(POLICY, sent={"why": "Agreed."}),
    "/policy/<int:pk>/retire/": Arguments(POLICY, sent={"why": "Agreed."}),
    "/policy/off/": Arguments(sent={"why": "Too many."}),
    "/policy/on/": Arguments(sent={"why": "Mended."}),
    "/campaigns/": Arguments(query=("state", "after")),
    "/campaigns/<uuid:pk>/": Arguments(CAMPAIGN, query=("q", "tie", "sort", "ticked", "long", "case", "list")),
    "/campaigns/<uuid:pk>/split/": Arguments(CAMPAIGN, sent={"accounts": "1", "split_because": "Two schools."}),
    "/campaigns/<uuid:pk>/merge/": Arguments(
        CAMPAIGN, sent={"other": str(uuid.uuid4()), "merge_because": "One operator."}
    ),
    "/cases/<uuid:pk>/campaign/preview/": Arguments(CAMPAIGN_CASE, sent=DECISION | TICKS),
    "/cases/<uuid:pk>/campaign/decide/": Arguments(CAMPAIGN_CASE, sent=DECISION | TICKS),
    "/bulk/": Arguments(query=("accounts",), sent={"accounts": "1,2"}),
    "/bulk/decide/": Arguments(sent=DECISION | {"accounts": "1", "listed": "1,2", "seen": SeenField.sign(9, NOW)}),
    "/bulk/<uuid:pk>/": Arguments(BULK),
    "/bulk/<uuid:pk>/undo/": Arguments(BULK, sent={"note": "A mistake."}),
    "/cases/next/": Arguments(query=LIST, sent={"view": "all", "band": "high"}),
    "/cases/<uuid:pk>/": Arguments(DECIDED),
    "/cases/<uuid:pk>/claim/": Arguments(CASE),
    "/cases/<uuid:pk>/release/": Arguments(CASE),
    "/cases/<uuid:pk>/hold/": Arguments(CASE, sent={"hours": "24", "until": "2030-01-01T10:00", "because": "Legal."}),
    "/cases/<uuid:pk>/resume/": Arguments(CASE),
    "/cases/<uuid:pk>/assign/": Arguments(CASE, sent={"to": "Mira Okafor", "because": "She knows them."}),
    "/cases/<uuid:pk>/escalate/": Arguments(CASE, sent={"because": "A large customer."}),
    "/cases/<uuid:pk>/answer/": Arguments(CASE, sent={"because": "Block it."}),
    "/cases/<uuid:pk>/skip/": Arguments(CASE, sent={"because": "I know somebody there."}),
    "/cases/<uuid:pk>/viewers/": Arguments(CASE, query=("active",)),
    "/cases/<uuid:pk>/note/": Arguments(CASE, sent={"text": "Called them."}),
    "/cases/<uuid:pk>/excerpts/": Arguments(CASE, sent={"reason": "To tell a benchmark from a harvest."}),
    "/cases/<uuid:pk>/evidence/": Arguments(CASE, sent={"bundle": str(uuid.uuid4()), "redact": "ip", "excerpts": "0"}),
    "/evidence/<uuid:pk>/download/": Arguments({"pk": partial(first_of, EvidenceBundle)}),
    "/cases/<uuid:pk>/reopen/": Arguments(DECIDED),
    "/cases/<uuid:pk>/decide/": Arguments(CASE, sent=DECISION),
    "/cases/<uuid:pk>/undo/": Arguments(DECIDED, sent={"note": "A mistake."}),
    "/cases/<uuid:pk>/restrictions/<int:number>/lift/": Arguments(
        DECIDED | RESTRICTION, sent={"note": "A mistake.", "everywhere": "on"}
    ),
    "/accounts/": Arguments(
        query=("band", "least", "most", "plan", "country", "organisation", "watched", "sort", "after")
    ),
    "/accounts/<external:external_id>/": Arguments(ACCOUNT, query=("period",)),
    "/accounts/<external:external_id>/explanation/": Arguments(ACCOUNT),
    "/accounts/<external:external_id>/asking/": Arguments(ACCOUNT),
    "/accounts/<external:external_id>/open/": Arguments(ACCOUNT, sent={"reason": "A tip."}),
    "/accounts/<external:external_id>/watch/": Arguments(ACCOUNT, sent={"reason": "A tip."}),
    "/accounts/<external:external_id>/unwatch/": Arguments(ACCOUNT, sent={"reason": "Nothing came of it."}),
    "/organisations/<external:external_id>/": Arguments(
        {"external_id": partial(_first_id, Organisation)}, query=("after",)
    ),
    "/search/": Arguments(query=("q", "kind", "after")),
    "/enforcement/": Arguments(),
    "/enforcement/alarm/": Arguments(),
    "/enforcement/missing/": Arguments(query=("after",)),
    "/enforcement/lost/<int:pk>/keep/": Arguments(LOST),
    "/enforcement/lost/<int:pk>/drop/": Arguments(LOST),
    "/enforcement/webhooks/": Arguments(),
    "/enforcement/webhooks/add/": Arguments(sent={"url": "https://hooks.example.com/other"}),
    "/enforcement/webhooks/<uuid:pk>/": Arguments(WEBHOOK),
    "/enforcement/webhooks/<uuid:pk>/rotate/": Arguments(WEBHOOK),
    "/enforcement/webhooks/<uuid:pk>/switch/": Arguments(WEBHOOK, sent={"to": "off"}),
    "/enforcement/webhooks/<uuid:pk>/test/": Arguments(WEBHOOK),
    "/enforcement/webhooks/<uuid:pk>/replay/": Arguments(
        WEBHOOK, sent={"delivery": str(uuid.uuid4()), "since": "2026-11-01"}
    ),
    "/enforcement/webhooks/<uuid:pk>/remove/": Arguments(WEBHOOK),
    **ARGUMENTS_OF_SIGN_IN,
    "/words/": Arguments(),
    "/problems/": Arguments(),
    "/api-reference/": Arguments(),
    "/api-reference/openapi.json": Arguments(),
    "/api/v1/openapi.json": Arguments(),
    "/health/": Arguments(),
    "/api/v1/access/check": Arguments(query=("account", "api_key")),
    "/api/v1/restrictions": Arguments(
        query=(
            "account",
            "campaign",
            "live",
            "before",
            "kind",
            "reason",
            "after",
            "limit",
            "fields",
            "dry_run",
            "note",
        ),
        sent=BLOCK,
    ),
    "/api/v1/restrictions/<int:number>": Arguments(RESTRICTION, query=("note",), sent={"note": "A mistake."}),
    **ARGUMENTS_OF_MACHINES,
    "/admin/": Arguments(query=("next",)),
    "/admin/search/": Arguments(query=("s", "extended", "page")),
    "/admin/login/": Arguments(query=("next",)),
    "/admin/logout/": Arguments(),
    "/admin/password_change/": Arguments(),
    "/admin/password_change/done/": Arguments(),
    "/admin/autocomplete/": Arguments(query=("app_label", "model_name", "field_name", "term", "page")),
    "/admin/jsi18n/": Arguments(),
    "/admin/(?P<url>.*)$": Arguments({"url": lambda: "nothing/"}),
}

OF_THE_LIST = (
    *("q", "p", "o", "e", "all", "_facets", "_to_field", "_popup", "_changelist_filters", "_selected_action"),
    *("who", "at_from", "at_to", "decided_at_from"),
)


def _of_the_admin() -> Iterator[tuple[str, Arguments]]:
    for model in admin.site._registry:
        yield f"/admin/{model._meta.app_label}/", Arguments()
        home = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        row = {"object_id": partial(first_of, model)}
        fields = tuple(field.name for field in model._meta.get_fields())
        yield home, Arguments(query=OF_THE_LIST + fields, sent={"action": "delete_selected", "index": "0"})
        yield f"{home}add/", Arguments(query=fields)
        for page in ("", "change/", "delete/", "history/"):
            yield f"{home}<path:object_id>/{page}", Arguments(row, query=("_to_field", "_popup", "p"))


ARGUMENTS |= dict(_of_the_admin())


def patterns(of: Any = None, prefix: str = "/") -> Iterator[tuple[str, URLPattern]]:
    """Every pattern of the URL map as it is written, and what it leads to."""
    for entry in of if of is not None else get_resolver().url_patterns:
        route = prefix + str(entry.pattern).removeprefix("^")
        if isinstance(entry, URLResolver):
            yield from patterns(entry.url_patterns, route)
        elif route.startswith("/admin/(?P<app_label>"):
            for label in {model._meta.app_label for model in admin.site._registry}:
                yield f"/admin/{label}/", entry
        else:
            yield route, entry
