"""What the addresses take at which gateways send usage, and programs read rows."""

from typing import Final

from accounts.serializers import AccountQuery, KeyQuery, OrganisationQuery
from governance.campaigns.serializers import CampaignQuery, MemberQuery
from governance.detection.serializers import AssessmentQuery
from governance.overview.log_pages.serializers import EntryQuery
from governance.policies.serializers import PolicyQuery
from governance.review.serializers import CaseQuery, DecisionQuery
from tests.rules.given import Arguments

_QUERIES: Final = {
    "accounts": AccountQuery,
    "organisations": OrganisationQuery,
    "keys": KeyQuery,
    "assessments": AssessmentQuery,
    "campaigns": CampaignQuery,
    "campaign-members": MemberQuery,
    "cases": CaseQuery,
    "decisions": DecisionQuery,
    "policies": PolicyQuery,
    "log-entries": EntryQuery,
}

LINE = {
    "account": "acct_harbour",
    "organisation": "org_quay",
    "organisation_name": "Quay Ltd",
    "created_at": "2026-03-12T23:32:51Z",
    "country": "NL",
    "signup_ip": "198.51.100.7",
    "licence": {"training_permitted": True, "reference": "C-18", "starts_at": "2026-06-01T00:00:00Z"},
    "keys": [{"id": "key_1", "digest": "0" * 64}],
    "terms": {"version": "2026-03", "accepted_at": "2026-03-12T23:40:00Z"},
}
EVENT = {
    "id": "req_1",
    "occurred_at": "2026-11-02T09:10:00Z",
    "account": "acct_harbour",
    "model": "flagship-2",
    "input_tokens": 812,
    "output_tokens": 1403,
    "api_key": "key_1",
    "messages": [{"role": "user", "content": "Hello"}],
}
SPAN = {
    "traceId": "0af7651916cd43dd8448eb211c80319c",
    "spanId": "b7ad6b7169203331",
    "name": "chat",
    "startTimeUnixNano": "1793610600000000000",
    "endTimeUnixNano": "1793610601000000000",
    "attributes": [{"key": "gen_ai.request.model", "value": {"stringValue": "flagship-2"}}],
}
LITELLM = {
    "id": "call_1",
    "call_type": "acompletion",
    "startTime": 1793610600.0,
    "endTime": 1793610601.0,
    "model": "flagship-2",
    "prompt_tokens": 812,
    "completion_tokens": 1403,
    "end_user": "acct_harbour",
    "metadata": {"user_api_key_hash": "k", "user_api_key_team_id": "t"},
    "messages": [{"role": "user", "content": "Hello"}],
}

ARGUMENTS_OF_MACHINES: Final = {
    **{f"/api/v1/{family}": Arguments(query=tuple(query().fields)) for family, query in _QUERIES.items()},
    "/api/v1/register": Arguments(sent={"accounts": [LINE]}),
    "/api/v1/usage-events": Arguments(sent={"events": [EVENT]}),
    "/api/v1/sources/litellm": Arguments(sent=LITELLM),
    "/v1/traces": Arguments(
        sent={"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"spans": [SPAN]}]}]}
    ),
}
