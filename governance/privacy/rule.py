"""What a rule of governance/privacy/rules.py says of a table. Pure."""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Final, NamedTuple

# What stands where somebody's text was.
ERASED_TEXT: Final = "[erased]"


class Purpose(Enum):
    """Why rows are kept, and by which right: in words, for the articles of the GDPR that a lawyer will think of."""

    CUSTOMERS = (
        "to know who holds an account, and to see which accounts act as one",
        "legitimate interest in protecting the service (Art. 6(1)(f))",
    )
    DETECTION = (
        "to see whether an account harvests answers against the terms",
        "legitimate interest in protecting the service (Art. 6(1)(f))",
    )
    DECISIONS = (
        "to decide on accounts, give the reasons, and answer for them when somebody objects",
        "legitimate interest; defence against legal claims (Art. 6(1)(f))",
    )
    ENFORCEMENT = (
        "to refuse or limit access at the gateways, and to see that they do",
        "performance of the contract and its terms (Art. 6(1)(b)); legitimate interest (Art. 6(1)(f))",
    )
    RECORD = (
        "to prove what was done, by whom and when",
        "accountability (Art. 5(2)); defence against legal claims (Art. 6(1)(f))",
    )
    STAFF = (
        "to let staff and machines sign in and do what their role may do",
        "legitimate interest in security (Art. 6(1)(f), Art. 32)",
    )
    OPERATION = ("to run the service", "no personal data, or none beyond an account's id")

    @property
    def why(self) -> str:
        return self.value[0]

    @property
    def ground(self) -> str:
        return self.value[1]


class Does(StrEnum):
    """What becomes of a row whose time is over."""

    DELETE = "deleted"
    REPLACE_TEXTS = f"its texts are replaced by {ERASED_TEXT}"
    PSEUDONYMIZE = "pseudonymised"


class Ends(NamedTuple):
    """Rows are kept for `days` after the time at `since`; then the task `by` of governance/tasks.py does the rest.

    `setting` is the variable by which the days are set; without one they are fixed in the release.
    """

    days: float
    since: str
    by: str
    setting: str = ""
    does: Does = Does.DELETE

    @property
    def words(self) -> str:
        """How long, and what then."""
        since = f"`{self.since.replace('__', '.')}`"
        by_setting = f" (`{self.setting}`)" if self.setting else ""
        if not self.days:
            return f"until {since}{by_setting}, then {self.does}"
        number, unit = (round(self.days * 24), "hour") if self.days < 1 else (round(self.days), "day")
        return f"{number:,} {unit}{'' if number == 1 else 's'}{by_setting} after {since}, then {self.does}"


class Rule(NamedTuple):
    """A table: which of its fields say something of a person, why it is kept, how long, and what an erasure does.

    `plain` are its other fields that could hold words, with spaces between them; references to accounts and to staff
    need no mention. `staff` are fields that name staff, `texts` those with what staff typed of a customer: an erasure
    replaces these in the rows of the account at `account`. `kept` says in words how long where no `ends` does.
    """

    table: str
    purpose: Purpose
    personal: Mapping[str, str] = {}
    plain: str = ""
    kept: str = ""
    ends: Ends | None = None
    staff: str = ""
    texts: str = ""
    account: str = ""
    erasure: str = ""

    @property
    def said(self) -> dict[str, str]:
        """Every field that says something of a person, and what."""
        staff, texts = dict.fromkeys(self.staff.split(), "staff"), dict.fromkeys(self.texts.split(), "typed by staff")
        return {**self.personal, **staff, **texts}

    @property
    def words_of_erasure(self) -> str:
        if self.erasure:
            return self.erasure
        if self.texts:
            return f"{', '.join(f'`{name}`' for name in self.texts.split())} replaced by {ERASED_TEXT}"
        return "stays" if self.said else "–"
