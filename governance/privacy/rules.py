"""Every table: what it holds of people, why, how long, and what deletes it. docs/privacy.md is made of this. Pure.

A new table needs a rule, and a new field that could hold words a place in it: tests/privacy/test_rules.py. Where a rule
has an end, the same test makes a row that old and sees that the task deletes it.
"""

from typing import Final

from governance.privacy.periods import (
    ACCOUNT,
    HERE,
    by_expiry,
    with_event_days,
    with_profiles,
    with_samples,
    with_texts,
)
from governance.privacy.rule import Does, Ends, Purpose, Rule
from governance.privacy.rules_of_sharing import RULES_OF_SHARING
from governance.privacy.rules_of_staff import RULES_OF_STAFF
from governance.privacy.rules_without_people import RULES_WITHOUT_PEOPLE

CUSTOMERS, DETECTION, DECISIONS, ENFORCEMENT, RECORD, STAFF, OPERATION = Purpose

_DIGESTS: Final = "keyed digests and counts of prompts, answers and addresses"
_OF_SKETCHES: Final = "histograms distinct_counts templates openings closings addresses sketches shingles answers"
_SKETCHES: Final = dict.fromkeys(_OF_SKETCHES.split(), _DIGESTS)
_IDS: Final = "the seller's ids"
_NAMES: Final = "the seller's ids, and digests of keys"
_REFUSES: Final = "stays: gateways refuse by it"

RULES: Final = (
    # Customers.
    Rule(
        "accounts.Organisation",
        CUSTOMERS,
        {"name": "the company, or a person who trades under their own name", "external_id": "the seller's own id"},
        kept="as long as the register has it",
        erasure="`name` becomes a pseudonym; the register does not bring it back",
    ),
    Rule(
        "accounts.Account",
        CUSTOMERS,
        {
            "external_id": "the seller's own id, by which gateways refuse it",
            "email_domain": "domain of the holder's e-mail address",
            "payment_fingerprint": "digest of the card, as the payment provider gave it",
            "signup_ip": "address at sign-up",
            "declared_use": "what the holder said they use it for",
            "country": "country of the holder",
        },
        plain="plan",
        ends=Ends(730, "closed_at", HERE, "CLOSED_ACCOUNT_DAYS", Does.PSEUDONYMIZE),
        erasure="domain and card become pseudonyms, address and declared use go; the register does not bring them back",
    ),
    Rule(
        "accounts.ApiKey",
        ENFORCEMENT,
        {"external_id": "the seller's own id of the key", "digest": "SHA-256 of the key"},
        kept=ACCOUNT,
        erasure=_REFUSES,
    ),
    Rule("accounts.Licence", CUSTOMERS, {"reference": "number of a contract"}, kept=ACCOUNT),
    Rule(
        "privacy.LegalHold",
        RECORD,
        {"reason": "why it was set", "lifted_because": "why it was lifted"},
        staff="set_by lifted_by",
        kept="for ever: it explains why something was kept",
    ),
    Rule(
        "privacy.Erasure",
        RECORD,
        {"reason": "which request it answers"},
        staff="erased_by",
        kept="for ever: it proves the erasure",
    ),
    Rule(
        "usage.UsageEvent",
        DETECTION,
        {
            "ip": "address of the caller",
            "user_agent": "program of the caller",
            "end_user": "the customer's id of their own user",
            "conversation": "the customer's id of a conversation",
            "country": "country of the caller",
            "api_key": "the seller's id of the key",
            "event_id": "id of the request",
        },
        plain="source model operation status response_format language",
        ends=with_event_days("day"),
        erasure="`ip`, `user_agent`, `end_user` and `conversation` go",
    ),
    Rule(
        "usage.HeldEvent",
        DETECTION,
        {"event": "a usage event of a held account whose day is over"},
        kept="until no legal hold covers the account",
        erasure="deleted",
    ),
    Rule(
        "usage.Excerpt",
        DECISIONS,
        {"ciphertext": "the beginning of a sampled prompt, encrypted with the account's own key"},
        plain="model",
        ends=Ends(0, "expires_at", "delete_expired_excerpts", "EXCERPT_DAYS"),
        erasure="deleted, unreadable at once since its key is gone",
    ),
    Rule(
        "usage.DataKey",
        DECISIONS,
        {"encrypted_key": "key of the account's excerpts, encrypted with EXCERPT_KEY"},
        kept=ACCOUNT,
        erasure="deleted, and not made again",
    ),
    Rule("usage.ProfileDelta", DETECTION, _SKETCHES, "model", ends=with_profiles("hour")),
    Rule("usage.WeeklySketch", DETECTION, _SKETCHES, "model", ends=with_profiles("week", later=7)),
    # Detection and campaigns.
    Rule(
        "detection.Assessment",
        DETECTION,
        {"findings": "what was seen in the usage, in words", "harmless": "the best innocent explanation"},
        plain="model_version policy_version",
        ends=Ends(730, "confirmed_at", HERE, "ASSESSMENT_DAYS"),
        erasure="what it quotes of the register goes",
    ),
    Rule("detection.CalibrationVersion", RECORD, plain="version content", staff="put_in_force_by", kept="for ever"),
    # In this order: by its sample the rest of an account is known to be old.
    Rule("campaigns.AccountTrait", DETECTION, {"digest": _DIGESTS}, ends=with_samples("account__sample__taken_at")),
    Rule("campaigns.AnswerSample", DETECTION, {"digest": _DIGESTS}, ends=with_samples("account__sample__taken_at")),
    Rule("campaigns.AccountSample", DETECTION, {"sketches": _DIGESTS}, "model slots", ends=with_samples("taken_at")),
    Rule(
        "campaigns.Campaign",
        DETECTION,
        {"findings": "what ties its members, in words"},
        "watched_because model_version",
        "for ever: what was decided refers to it",
    ),
    Rule(
        "campaigns.CampaignMember",
        DETECTION,
        {"ties": "what it shares with other members, as shares"},
        plain="left_out_because",
        ends=Ends(1_095, "left_at", HERE),
        erasure="stays, as a link between pseudonyms",
    ),
    Rule(
        "campaigns.CampaignRule",
        DECISIONS,
        {"reason": "typed by staff"},
        staff="made_by",
        kept="as long as it counts",
        erasure="values of the register that it quotes go",
    ),
    # Restrictions and gateways.
    Rule(
        "restrictions.Restriction",
        ENFORCEMENT,
        staff="author approver ended_by withdrawn_by",
        plain="terms_clause withheld replaced_numbers origin unique_key superseded_by",
        ends=with_texts("ended_at"),
        texts="ending_note",
        account="account",
        erasure="stays in force; `ending_note` is replaced",
    ),
    Rule(
        "restrictions.CoveredName",
        ENFORCEMENT,
        {"name": _NAMES},
        kept="while the restriction is in force",
        erasure=_REFUSES,
    ),
    Rule(
        "restrictions.Change",
        ENFORCEMENT,
        {"payload": "what gateways were sent: the seller's ids, and digests of keys"},
        kept="for ever: the feed has no gaps",
        erasure=_REFUSES,
    ),
    Rule("restrictions.FeedEpoch", RECORD, plain="identifier reason", staff="author", kept="for ever"),
    Rule("restrictions.LostName", ENFORCEMENT, {"name": _NAMES}, kept="as long as the customer"),
    Rule("gateways.DriftRepair", ENFORCEMENT, {"name": _IDS}, "detail", ends=by_expiry("at", 365)),
    Rule("gateways.LiteLlmPush", ENFORCEMENT, {"name": _IDS, "because": _IDS}, kept="while it is blocked there"),
    Rule(
        "gateways.LostDecision",
        ENFORCEMENT,
        {"target": "the seller's id", "payload": "as gateways had it"},
        "problem",
        staff="settled_by",
        ends=by_expiry("settled_at", 365),
    ),
    Rule(
        "webhooks.Webhook",
        OPERATION,
        plain="url secrets disabled_because",
        staff="created_by",
        kept="until it is removed",
    ),
    *RULES_OF_SHARING,
    # Review, policies and investigation.
    Rule(
        "review.Case",
        DECISIONS,
        plain="families",
        ends=with_texts("closed_at"),
        texts="held_because assigned_because escalated_because",
        account="account",
    ),
    Rule(
        "review.Step", DECISIONS, staff="by", ends=with_texts("case__closed_at"), texts="text", account="case__account"
    ),
    Rule(
        "review.Decision",
        DECISIONS,
        plain="terms_clause",
        ends=with_texts("case__closed_at"),
        texts="note undone_note",
        account="case__account",
    ),
    Rule(
        "review.DecisionTarget",
        DECISIONS,
        ends=with_texts("decision__case__closed_at"),
        texts="left_out_because",
        account="account",
    ),
    Rule(
        "review.BulkDecision",
        DECISIONS,
        plain="terms_clause withheld",
        ends=with_texts("decided_at"),
        texts="note undone_note",
        erasure="values of the register that it quotes go",
    ),
    Rule(
        "evidence.EvidenceBundle",
        RECORD,
        plain="withheld sha256 problem",
        ends=Ends(30, "requested_at", "delete_old_bundles", "EVIDENCE_DAYS"),
        texts="reason",
        account="case__account",
    ),
    Rule("review.BulkTarget", DECISIONS, ends=with_texts("bulk__decided_at"), texts="because", account="account"),
    Rule("review.InboxItem", DECISIONS, ends=by_expiry("at", 180), texts="text", account="case__account"),
    Rule(
        "review.SavedView",
        STAFF,
        {"name": "typed by staff", "query": "filters, typed by staff"},
        kept="until its owner removes it",
    ),
    Rule("policies.KillSwitch", RECORD, {"why": "typed by staff"}, staff="by", kept="one row"),
    Rule("investigation.WatchedAccount", DETECTION, kept="until it is taken off", texts="reason", account="account"),
    # The record, staff, machines and figures.
    Rule(
        "audit.Entry",
        RECORD,
        {
            "subject_id": "ids: of accounts the seller's own",
            "details": "ids and figures, and what staff typed: see below",
        },
        plain="actor_kind subject_kind previous_hash hash leaf salt",
        staff="actor_name actor_id",
        kept="for ever: an entry that is changed or missing breaks the proof",
        erasure="stays unchanged",
    ),
    *RULES_OF_STAFF,
    Rule(
        "web.KeptAnswer",
        OPERATION,
        {"body": "an answer to a machine, with the seller's ids"},
        "key request_digest",
        ends=by_expiry("at", 7),
    ),
    *RULES_WITHOUT_PEOPLE,
)
