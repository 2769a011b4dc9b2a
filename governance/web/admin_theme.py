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
    "SITE_URL": reverse_lazy("review:queue"),
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
            {"items": [{"title": "Back to the queue", "icon": "arrow_back", "link": reverse_lazy("review:queue")}]},
            {
                "title": "Who is governed",
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
                "title": "What they did",
                "items": [
                    _table("Usage events", "bolt", "usage_usageevent"),
                    _table("Hourly profiles", "bar_chart", "usage_hourlyprofile"),
                    _table("Weekly sketches", "grain", "usage_weeklysketch"),
                    _table("Excerpts", "short_text", "usage_excerpt"),
                    _table("Data keys", "lock", "usage_datakey"),
                    _table("Dirty accounts", "pending", "usage_dirtyaccount"),
                    _table("Retention", "auto_delete", "usage_retention"),
                ],
            },
            {
                "title": "What it looks like",
                "items": [
                    _table("Assessments", "speed", "detection_assessment"),
                    _table("Campaigns", "hub", "campaigns_campaign"),
                    _table("Members of campaigns", "group", "campaigns_campaignmember"),
                    _table("Links", "link", "campaigns_link"),
                    _table("Traits of accounts", "join_inner", "campaigns_accounttrait"),
                    _table("Samples of prompts", "colorize", "campaigns_accountsample"),
                    _table("Shared prompts", "forum", "campaigns_sharedprompt"),
                    _table("Known corpora", "library_books", "detection_corpus"),
                    _table("Runs of known corpora", "short_text", "detection_corpusrun"),
                    _table("Calibrations", "tune", "detection_calibration"),
                ],
            },
            {
                "title": "What people decide",
                "items": [
                    _table("Cases", "inbox", "review_case"),
                    _table("Steps", "history", "review_step"),
                    _table("Decisions", "balance", "review_decision"),
                ],
            },
            {
                "title": "What they may not do",
                "items": [_table("Restrictions", "block", "restrictions_restriction")],
            },
            {
                "title": "What was done",
                "items": [_table("Audit log", "receipt_long", "audit_entry")],
            },
            {
                "title": "Who may act",
                "items": [
                    _table("Staff", "group", "staff_user"),
                    _table("Service keys", "vpn_key", "staff_servicekey"),
                ],
            },
        ],
    },
}
