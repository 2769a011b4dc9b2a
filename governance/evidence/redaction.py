"""What may be kept back from a bundle, by name. Pure.

What is kept back is left out of what is shown; the leaf keeps its salted commitment, so it can be shown and proved
later by whoever holds the database.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from governance.privacy.log_details import is_typed, names_staff

WITHHELD: Final = "[withheld]"
STAFF: Final = "staff"
NOTES: Final = "notes"
REDACTABLE: Final[Mapping[str, str]] = {
    STAFF: "names and e-mail addresses of staff",
    NOTES: "what staff typed",
    "organisation": "names of organisations",
    "email_domain": "e-mail domains of account holders",
    "payment_fingerprint": "digests of cards",
    "signup_ip": "addresses at sign-up",
    "declared_use": "what account holders said they use it for",
    "ip": "addresses that requests came from",
    "user_agent": "programs that requests came from",
    "end_user": "ids of the customer's own users",
    "conversation": "ids of conversations",
    "api_key": "ids of API keys",
}


class UnknownRedactionError(Exception):
    """Nothing has this name; the message lists those that there are."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} cannot be withheld. Choose from: {', '.join(sorted(REDACTABLE))}.")


class Redaction(NamedTuple):
    """The names of what is withheld."""

    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, names: Collection[str]) -> "Redaction":
        """Raises UnknownRedactionError."""
        for name in names:
            if name not in REDACTABLE:
                raise UnknownRedactionError(name)
        return cls(frozenset(names))

    @property
    def in_words(self) -> list[str]:
        return [REDACTABLE[name] for name in sorted(self.names)]

    def show(self, name: str, value: Any) -> Any:
        """Return the value, or the mark of one that is withheld; nothing stays nothing."""
        return WITHHELD if value and name in self.names else value

    def hides(self, field: str) -> bool:
        """Whether a field of a usage event or of an account is withheld."""
        return field in self.names

    def hides_of_entry(self, verb: str, field: str, content: Mapping[str, Any]) -> bool:
        """Whether a field of an audit entry is withheld: `actor`, `subject` or `details.NAME`."""
        if field == "actor":
            return STAFF in self.names and content["actor_kind"] == STAFF
        if field == "subject":
            return "api_key" in self.names and content["subject_kind"] == "key"
        name = field.removeprefix("details.")
        if NOTES in self.names and is_typed(verb, name):
            return True
        return STAFF in self.names and names_staff(verb, name)
