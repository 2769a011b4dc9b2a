"""How the Django admin looks and what its menu holds: the tables, room by room."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy


def _table(title: str, icon: str, model: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{model}_changelist")}


UNFOLD = {
    "SITE_TITLE": "Stillwatch",
    "SITE_HEADER": "Stillwatch",
    "SITE_SUBHEADER": "Every table",
    "SITE_ICON": lambda _request: static("icon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("icon.svg")}],
    "SITE_URL": reverse_lazy("overview:overview"),
    "STYLES": [lambda _request: static("css/admin.css")],
    "SCRIPTS": [lambda _request: static("admin.js")],
    "SHOW_HISTORY": False,
    "SHOW_BACK_BUTTON": True,
    "COLORS": {
        "primary": {
            "50": "oklch(97% .02 220)",
            "100": "oklch(93% .04 220)",
            "200": "oklch(87% .06 220)",
            "300": "oklch(78% .08 220)",
            "400": "oklch(68% .1 220)",
            "500": "oklch(56% .1 220)",
            "600": "oklch(48% .09 220)",
            "700": "oklch(42% .08 220)",
            "800": "oklch(36% .07 220)",
            "900": "oklch(30% .06 220)",
            "950": "oklch(22% .05 220)",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "items": [
                    {"title": "Back to the overview", "icon": "arrow_back", "link": reverse_lazy("overview:overview")}
                ]
            },
            {
                "title": "Customers",
                "items": [
                    _table("Organisations", "domain", "accounts_organisation"),
                    _table("Accounts", "badge", "accounts_account"),
                    _table("API keys", "key", "accounts_apikey"),
                    _table("Licences", "license", "accounts_licence"),
                    _table("Terms versions", "gavel", "accounts_termsversion"),
                    _table("Terms acceptances", "handshake", "accounts_termsacceptance"),
                ],
            },
            {
                "title": "Usage",
                "items": [
                    _table("Usage events", "bolt", "usage_usageevent"),
                    _table("Profile deltas", "add_chart", "usage_profiledelta"),
                    _table("Hourly profiles", "bar_chart", "usage_hourlyprofile"),
                    _table("Weekly sketches", "grain", "usage_weeklysketch"),
                    _table("Held events", "lock_clock", "usage_heldevent"),
                    _table("Excerpts", "short_text", "usage_excerpt"),
                    _table("Data keys", "lock", "usage_datakey"),
                    _table("Awaiting scoring", "pending", "usage_dirtyaccount"),
                    _table("Conflicting event ids", "difference", "usage_eventconflict"),
                    _table("Days with late events", "update", "usage_lateday"),
                    _table("Retention", "auto_delete", "usage_retention"),
                ],
            },
            {
                "title": "Risk",
                "items": [
                    _table("Assessments", "speed", "detection_assessment"),
                    _table("Account scores", "leaderboard", "detection_accountscore"),
                    _table("Campaigns", "hub", "campaigns_campaign"),
                    _table("Campaign members", "group", "campaigns_campaignmember"),
                    _table("Campaign searches", "search", "campaigns_campaignsearch"),
                    _table("Groupings by hand", "call_split", "campaigns_campaignrule"),
                    _table("Accounts grouped by hand", "group_add", "campaigns_campaignruleaccount"),
                    _table("Shared signals", "join_inner", "campaigns_accounttrait"),
                    _table("Prompt samples", "colorize", "campaigns_accountsample"),
                    _table("Shared prompts", "forum", "campaigns_sharedprompt"),
                    _table("Known corpora", "library_books", "detection_corpus"),
                    _table("Known-corpus digests", "short_text", "detection_corpusshingle"),
                    _table("Matches with partners", "handshake", "detection_partnermatch"),
                    _table("Calibrations", "tune", "detection_calibrationversion"),
                ],
            },
            {
                "title": "Review",
                "items": [
                    _table("Cases", "inbox", "review_case"),
                    _table("Case history", "history", "review_step"),
                    _table("Decisions", "balance", "review_decision"),
                    _table("Watch-list", "visibility", "investigation_watchedaccount"),
                    _table("Accounts decided on", "group", "review_decisiontarget"),
                    _table("Bulk decisions", "checklist", "review_bulkdecision"),
                    _table("Accounts of bulk decisions", "checklist", "review_bulktarget"),
                    _table("Saved views", "bookmark", "review_savedview"),
                    _table("Inbox items", "inbox", "review_inboxitem"),
                    _table("Skipped cases", "skip_next", "review_skippedcase"),
                    _table("Case viewers", "visibility", "review_caseviewer"),
                ],
            },
            {
                "title": "Enforcement",
                "items": [
                    _table("Restrictions", "block", "restrictions_restriction"),
                    _table("Restriction changes", "sync_alt", "restrictions_change"),
                    _table("Covered names", "label", "restrictions_coveredname"),
                    _table("Policies", "policy", "policies_policyversion"),
                    _table("Policy outcomes", "rule", "policies_policyoutcome"),
                    _table("Kill switch", "power_settings_new", "policies_killswitch"),
                    _table("Gateways", "router", "gateways_gateway"),
                    _table("Gateway instances", "dns", "gateways_gatewayinstance"),
                    _table("Propagation log", "timer", "gateways_propagationentry"),
                    _table("Refusal counts", "do_not_disturb_on", "gateways_refusal"),
                    _table("Canary probes", "science", "gateways_canaryprobe"),
                    _table("LiteLLM blocks", "shield", "gateways_litellmpush"),
                    _table("LiteLLM block repairs", "build", "gateways_driftrepair"),
                    _table("Decisions lost in a restore", "restore", "gateways_lostdecision"),
                    _table("Webhooks", "webhook", "webhooks_webhook"),
                    _table("Webhook deliveries", "send", "webhooks_delivery"),
                ],
            },
            {
                "title": "Sharing",
                "items": [
                    _table("Partners", "handshake", "sharing_partner"),
                    _table("Shares", "share", "sharing_share"),
                    _table("Shared objects", "data_object", "sharing_sharedobject"),
                    _table("Indicators", "flag", "sharing_indicator"),
                ],
            },
            {
                "title": "Audit",
                "items": [
                    _table("Audit log", "receipt_long", "audit_entry"),
                    _table("Published checkpoints", "verified", "audit_checkpoint"),
                    _table("Troubles with publishing", "report", "audit_publicationtrouble"),
                    _table("Evidence bundles", "folder_zip", "evidence_evidencebundle"),
                    _table("Sealed days of usage", "verified_user", "evidence_usageseal"),
                    _table("Accounts of sealed days", "badge", "evidence_sealedaccount"),
                    _table("Legal holds", "gavel", "privacy_legalhold"),
                    _table("Held accounts", "lock", "privacy_heldaccount"),
                    _table("Erasures", "person_remove", "privacy_erasure"),
                    _table("Erased accounts", "person_off", "privacy_erasedaccount"),
                ],
            },
            {
                "title": "Access",
                "items": [
                    _table("Staff", "group", "staff_user"),
                    _table("Second factors", "security", "mfa_authenticator"),
                    _table("Sessions", "devices", "staff_staffsession"),
                    _table("Service keys", "vpn_key", "staff_servicekey"),
                    _table("Due-date targets", "schedule", "configuration_duetarget"),
                    _table("Reason overrides", "rule", "configuration_reasonoverride"),
                    _table("Harm measures", "monitoring", "overview_harmmeasure"),
                    _table("Daily medians", "calendar_today", "overview_dailymedian"),
                ],
            },
        ],
    },
}
