"""The verbs of the audit log: one for each kind of entry, with the fields of its details.

To record something new, add its verb here first. An entry whose details lack a field, or hold one that its verb does
not name, is refused when it is recorded.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, Self

LICENCE: Final = "reference training_permitted starts_at ends_at"
LIMITS: Final = "requests_per_minute tokens_per_minute withheld"


class Verb(StrEnum):
    """Each is `NAME = "kind.done", "required fields", "optional fields"`, with spaces between fields."""

    required: frozenset[str]
    optional: frozenset[str]

    def __new__(cls, value: str, required: str = "", optional: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.required, member.optional = frozenset(required.split()), frozenset(optional.split())
        return member

    # The log itself: from when on a key signs what is published of it, and under which name.
    LOG_KEY_USED = "log.key_used", "key"
    # After a restore: a log of another name goes on with the first `common` of the `entries` of the one before.
    LOG_BEGAN = "log.began", "name before entries common reason"
    LOG_EXPORTED = "log.exported", "format entries filter"

    # Customers: what the register and usage say of organisations, accounts, keys and licences.
    ACCOUNTS_REGISTERED = "accounts.registered", "created updated unchanged rejected", "kept_out"
    ACCOUNT_MOVED = "account.moved", "from to"
    KEY_MOVED = "key.moved", "from to", "contested"
    KEY_DIGEST_MOVED = "key.digest_moved", "from to"
    KEY_SETTLED = "key.settled", "account contested_by"
    LICENCE_GRANTED = "licence.granted", LICENCE
    LICENCE_CHANGED = "licence.changed", LICENCE
    LICENCE_WITHDRAWN = "licence.withdrawn", LICENCE

    # Usage, and the excerpts of prompts.
    USAGE_IMPORTED = "usage.imported", "accepted duplicate rejected"
    USAGE_DEFAULT_PARTITION_USED = "usage.default_partition_used", "events days"
    USAGE_DAY_DROPPED = "usage.day_dropped"
    # The head of a tree over all events of a day; a later number covers what came late as well.
    USAGE_SEALED = "usage.sealed", "number root accounts events"
    EXCERPTS_READ = "excerpts.read", "account excerpts reason"
    EXCERPTS_KEYS_REENCRYPTED = "excerpts.keys_reencrypted", "keys"

    # Evidence: a bundle was made as of a checkpoint, of so many bytes with this hash; and taken along.
    EVIDENCE_EXPORTED = "evidence.exported", "checkpoint sha256 withheld_fields excerpts accounts", "reason"
    EVIDENCE_DOWNLOADED = "evidence.downloaded", "sha256"

    # Privacy. Reasons name a request or a lawsuit; whom it is about is the subject, by its id.
    LEGAL_HOLD_SET = "legal_hold.set", "hold reason accounts"
    LEGAL_HOLD_LIFTED = "legal_hold.lifted", "hold reason"
    PERSON_ERASED = "person.erased", "because accounts", "erasure reason"
    PERSON_ERASURE_FINISHED = "person.erasure_finished", "erasure"

    # Detection.
    SCORING_DEAD_LETTERED = "scoring.dead_lettered", "error"
    SCORING_REQUEUED = "scoring.requeued", "accounts"
    CALIBRATION_ACTIVATED = "calibration.activated", "before content"
    CORPUS_ADDED = "corpus.added", "texts runs evaluation"
    CORPUS_REMOVED = "corpus.removed"

    # Campaigns, grouped by hand.
    CAMPAIGN_MERGED = "campaign.merged", "other accounts reason"
    CAMPAIGN_SPLIT = "campaign.split", "into accounts reason"

    # Review.
    CASE_OPENED = "case.opened", "account reason score"
    CASE_CLAIMED = "case.claimed"
    CASE_RELEASED = "case.released"
    CASE_NOTED = "case.noted", "note"
    CASE_DECIDED = (
        "case.decided",
        "decision action scope reason terms_clause note score assessment restriction",
        "superseded account campaign accounts left_out left_out_because",
    )
    CASE_RESOLVED = "case.resolved", "decision case", "account campaign"
    CASE_UNDONE = "case.undone", "decision action note ended restored", "account campaign"
    CASE_REOPENED = "case.reopened", "case", "decision account campaign"
    CASE_ENDED = "case.ended", "account"
    CASE_HELD = "case.held", "until because"
    CASE_RESUMED = "case.resumed"
    CASE_ASSIGNED = "case.assigned", "to because"
    CASE_ESCALATED = "case.escalated", "because"
    CASE_RETURNED = "case.returned", "answer"
    CASE_SKIPPED = "case.skipped", "because"
    BULK_DECIDED = "bulk.decided", "action reason terms_clause note accounts"
    BULK_UNDONE = "bulk.undone", "action note"
    VIEW_SAVED = "view.saved", "name query shared"
    VIEW_REMOVED = "view.removed", "name"

    # Investigation.
    ACCOUNT_WATCHED = "account.watched", "reason"
    ACCOUNT_UNWATCHED = "account.unwatched", "reason"

    # Restrictions.
    RESTRICTION_CREATED = (
        "restriction.created",
        f"number kind reason terms_clause {LIMITS} starts_at expires_at campaign approver unique_key",
    )
    RESTRICTION_LIFTED = "restriction.lifted", "number kind", "note"
    RESTRICTION_UNDONE = "restriction.undone", "number kind", "note"
    RESTRICTION_EXPIRED = "restriction.expired", "number kind", "note"
    RESTRICTION_REPLACED = "restriction.replaced", "number kind", "note"
    RESTRICTION_SUPERSEDED = "restriction.superseded", "number kind"
    RESTRICTION_WITHDRAWN = "restriction.withdrawn", "number kind", "note"
    LOST_NAMES_RESTORED = "lost_names.restored", "restored left_to_others"

    # Policies.
    POLICY_PROPOSED = "policy.proposed", "content"
    POLICY_WENT_LIVE = "policy.went_live", "shadow_minutes scorings", "early_because"
    POLICY_RETIRED = "policy.retired"
    POLICIES_SWITCHED_OFF = "policies.switched_off", "why"
    POLICIES_SWITCHED_ON = "policies.switched_on"

    # Gateways and webhooks.
    FEED_EPOCH_BEGAN = "feed.epoch_began", "before continues starts_after reason"
    LOST_DECISION_NOTED = "lost_decision.noted", "number what kind", "gateway"
    LOST_DECISION_SETTLED = "lost_decision.settled", "number what kind outcome", "note"
    GATEWAY_LITELLM_CONNECTED = "gateway.litellm_connected", "address"
    GATEWAY_CANARY_SET = "gateway.canary_set", "account address headers"
    GATEWAY_REPAIRED = "gateway.repaired", "name blocked mended trouble"
    WEBHOOK_ADDED = "webhook.added", "host"
    WEBHOOK_SECRET_ROTATED = "webhook.secret_rotated"
    WEBHOOK_DISABLED = "webhook.disabled", "because"
    WEBHOOK_ENABLED = "webhook.enabled"
    WEBHOOK_REMOVED = "webhook.removed", "host"
    WEBHOOK_TESTED = "webhook.tested"
    WEBHOOK_REPLAYED = "webhook.replayed", "deliveries"

    # Partners, what was shared with them, and what they named.
    PARTNER_ADDED = "partner.added", "receives sends tlp"
    PARTNER_TOKEN_REPLACED = "partner.token_replaced"
    PARTNER_TOKEN_USED = "partner.token_used"
    PARTNER_KEY_CHANGED = "partner.key_changed", "version"
    PARTNER_REVOKED = "partner.revoked"
    SHARE_PROPOSED = "share.proposed", "partner campaign tlp accounts objects reason"
    SHARE_APPROVED = "share.approved", "partner campaign"
    SHARE_RELEASED = "share.released", "partner campaign objects"
    SHARE_DECLINED = "share.declined", "partner campaign"
    SHARE_RETRACTED = "share.retracted", "partner campaign objects reason"
    INDICATORS_IMPORTED = "indicators.imported", "added updated retracted rejected"

    # Settings.
    DUE_TARGET_SET = "due_target.set", "before after"
    REASON_CHOICE_SET = "reason_choice.set", "before after"

    # Staff and service keys.
    USER_ADDED = "user.added", "email role"
    USER_ROLE_CHANGED = "user.role_changed", "email before after"
    USER_DEACTIVATED = "user.deactivated", "email"
    USER_READMITTED = "user.readmitted", "email role"
    USER_PASSWORD_CHANGED = "user.password_changed"
    USER_PASSWORD_REFUSED = "user.password_refused"
    USER_FACTOR_ADDED = "user.factor_added", "factor"
    USER_FACTOR_REMOVED = "user.factor_removed", "", "factor"
    USER_FACTOR_REFUSED = "user.factor_refused"
    USER_RECOVERY_CODES_MADE = "user.recovery_codes_made"
    USER_SESSIONS_ENDED = "user.sessions_ended", "sessions"
    SIGN_IN_SUCCEEDED = "sign_in.succeeded", "", "factor"
    SIGN_IN_ENDED = "sign_in.ended"
    SIGN_IN_FAILED = "sign_in.failed", "network"
    SIGN_IN_STRANGERS_FAILED = "sign_in.strangers_failed", "hour attempts networks further_networks"
    SERVICE_KEY_ISSUED = "service_key.issued", "scopes", "allowed_from"
    SERVICE_KEY_SECRET_REPLACED = "service_key.secret_replaced", "until"
    SERVICE_KEY_SECRET_ENDED = "service_key.secret_ended"
    SERVICE_KEY_REVOKED = "service_key.revoked"
    SERVICE_KEY_USED = "service_key.used"

    def check(self, details: Mapping[str, Any]) -> None:
        """Raise TypeError unless `details` hold the fields of this verb: all that are required, and no others."""
        missing = self.required.difference(details)
        unknown = set(details) - self.required - self.optional
        if missing or unknown:
            wrong = [f"lacks {name}" for name in sorted(missing)] + [
                f"does not name {name}" for name in sorted(unknown)
            ]
            raise TypeError(f"The entry {self} {', '.join(wrong)}: see governance/audit/verbs.py.")


# Where the verb itself, without its signs, would not be plain.
_WORDS: Final = {
    Verb.LOG_KEY_USED: "key of the log used",
    Verb.LOG_BEGAN: "log began after a restore",
    Verb.KEY_SETTLED: "contested key settled",
    Verb.USAGE_DEFAULT_PARTITION_USED: "usage stored outside its days",
    Verb.USAGE_DAY_DROPPED: "day of usage deleted",
    Verb.EXCERPTS_KEYS_REENCRYPTED: "keys of excerpts encrypted again",
    Verb.PERSON_ERASED: "erasure of a person started",
    Verb.PERSON_ERASURE_FINISHED: "erasure of a person finished",
    Verb.SCORING_DEAD_LETTERED: "scoring failed for good",
    Verb.SCORING_REQUEUED: "scoring tried again",
    Verb.CASE_RESOLVED: "case decided with another",
    Verb.CASE_UNDONE: "decision undone",
    Verb.BULK_DECIDED: "many accounts decided",
    Verb.BULK_UNDONE: "decision about many undone",
    Verb.FEED_EPOCH_BEGAN: "epoch of the feed began",
    Verb.GATEWAY_LITELLM_CONNECTED: "LiteLLM connected",
    Verb.GATEWAY_CANARY_SET: "canary of a gateway set",
    Verb.GATEWAY_REPAIRED: "block at a gateway repaired",
    Verb.DUE_TARGET_SET: "due-date target changed",
    Verb.REASON_CHOICE_SET: "reason or its clause changed",
    Verb.USER_PASSWORD_CHANGED: "password changed",
    Verb.USER_PASSWORD_REFUSED: "password refused",
    Verb.USER_FACTOR_ADDED: "second factor added",
    Verb.USER_FACTOR_REMOVED: "second factor removed",
    Verb.USER_FACTOR_REFUSED: "code of a second factor refused",
    Verb.USER_RECOVERY_CODES_MADE: "recovery codes made",
    Verb.USER_SESSIONS_ENDED: "sessions ended",
    Verb.SIGN_IN_SUCCEEDED: "signed in",
    Verb.SIGN_IN_ENDED: "signed out",
    Verb.SIGN_IN_FAILED: "sign-in failed",
    Verb.SIGN_IN_STRANGERS_FAILED: "sign-ins of unknown users failed",
}


def describe_verb(verb: str) -> str:
    """Return a verb as people say it, also one of another release.

    >>> describe_verb("service_key.used"), describe_verb("sign_in.succeeded")
    ('service key used', 'signed in')
    """
    return next((words for known, words in _WORDS.items() if known == verb), verb.replace(".", " ").replace("_", " "))


def verb_choices() -> list[tuple[str, str]]:
    """Return the verbs with their words for forms and filters, in alphabetical order of the words."""
    return sorted(((verb.value, describe_verb(verb).capitalize()) for verb in Verb), key=lambda choice: choice[1])
