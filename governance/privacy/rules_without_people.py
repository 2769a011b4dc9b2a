"""The tables that say nothing of a person but, at most, the id of an account: a part of rules.py. Pure."""

from typing import Final

from governance.privacy.periods import ACCOUNT, HERE, by_expiry, with_event_days, with_profiles
from governance.privacy.rule import Ends, Purpose, Rule

_, DETECTION, DECISIONS, ENFORCEMENT, RECORD, STAFF, OPERATION = Purpose

RULES_WITHOUT_PEOPLE: Final = (
    Rule("accounts.TermsVersion", OPERATION, plain="name address", kept="for ever"),
    Rule("accounts.TermsAcceptance", DECISIONS, kept=ACCOUNT),
    Rule("privacy.HeldAccount", RECORD, kept="until the hold is lifted"),
    Rule("privacy.ErasedAccount", RECORD, kept="as long as the erasure"),
    Rule("usage.EventConflict", DETECTION, plain="source", ends=with_event_days("day")),
    Rule("usage.ReportedAnswer", OPERATION, ends=Ends(3, "newest_at", "drop_old_usage")),
    Rule("usage.Retention", OPERATION, kept="one row"),
    Rule("usage.HourlyProfile", DETECTION, plain="model", ends=with_profiles("hour")),
    Rule("usage.DirtyAccount", OPERATION, plain="last_error", kept="until it is scored"),
    Rule("usage.NewNameCount", OPERATION, ends=Ends(1, "hour", "drop_old_usage")),
    Rule("usage.LateDay", OPERATION, kept="until the day is sealed again"),
    Rule("usage.LastUsage", OPERATION, kept="as long as the service key"),
    Rule("detection.AccountScore", DETECTION, kept=ACCOUNT),
    Rule("detection.Corpus", OPERATION, plain="name", kept="until it is removed"),
    Rule("detection.CorpusShingle", OPERATION, kept="as long as its corpus"),
    Rule("campaigns.SharedPrompt", OPERATION, kept="counted again with every search"),
    Rule("campaigns.CampaignSearch", OPERATION, kept="one row"),
    Rule("campaigns.CampaignRuleAccount", DECISIONS, kept="as long as its rule"),
    Rule("restrictions.CoveredAccount", ENFORCEMENT, kept="as long as the restriction"),
    Rule("restrictions.LiftedOrigin", ENFORCEMENT, plain="origin", kept="for ever: what was lifted stays so"),
    Rule(
        "gateways.Gateway",
        ENFORCEMENT,
        plain="name canary_url canary_headers canary_body litellm_url litellm_key",
        kept="for ever",
    ),
    Rule("gateways.GatewayInstance", OPERATION, plain="instance trouble", ends=by_expiry("seen_at", 30)),
    Rule("gateways.PropagationEntry", OPERATION, ends=by_expiry("at", 30)),
    Rule("gateways.Refusal", RECORD, kept="as long as the restriction"),
    Rule("gateways.CanaryProbe", OPERATION, plain="detail", ends=by_expiry("at", 30)),
    Rule("webhooks.Delivery", OPERATION, plain="last_error", ends=by_expiry("created_at", 30)),
    Rule("review.SkippedCase", STAFF, ends=by_expiry("at", 8 / 24)),
    Rule("review.CaseViewer", STAFF, ends=by_expiry("seen_at", 1)),
    Rule("policies.PolicyVersion", RECORD, plain="version content", kept="for ever"),
    Rule("policies.PolicyOutcome", DECISIONS, plain="rule terms because", ends=by_expiry("at", 365)),
    Rule(
        "audit.Checkpoint",
        RECORD,
        plain="origin root note folder cosignatures time_stamp",
        kept="for ever: it is published",
    ),
    Rule("audit.PublicationTrouble", OPERATION, plain="message", kept="until it works again"),
    Rule("evidence.UsageSeal", RECORD, plain="root", kept="for ever: the root is in the audit log"),
    Rule("evidence.SealedAccount", RECORD, plain="root", ends=Ends(90, "seal__day", HERE, "EVENT_DAYS")),
    Rule("configuration.DueTarget", OPERATION, kept="until it is changed"),
    Rule("configuration.ReasonOverride", OPERATION, plain="reason terms_clause", kept="until it is changed"),
    Rule("overview.HarmMeasure", OPERATION, kept="for ever"),
    Rule("overview.DailyMedian", OPERATION, kept="for ever"),
    Rule("platform.Heartbeat", OPERATION, plain="queue", kept="one row a queue"),
    Rule("admin.LogEntry", OPERATION, plain="object_id object_repr change_message", kept="nothing is written"),
    Rule("auth.Permission", OPERATION, plain="name codename", kept="names of permissions"),
    Rule("auth.Group", OPERATION, plain="name", kept="nothing is written"),
    Rule("contenttypes.ContentType", OPERATION, plain="app_label model", kept="names of tables"),
)
