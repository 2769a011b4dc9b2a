"""The accounts that are compared, as columns. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from governance.campaigns.traits import TraitKind
from governance.usage.fingerprint import EDGES_KEPT

Numbers: TypeAlias = NDArray[Any]

WRAPPER_KINDS: Final = (TraitKind.OPENING, TraitKind.CLOSING)
HARD_KINDS: Final = (TraitKind.ADDRESS, TraitKind.CARD)

# Columns of the tables that go in. In `TRAITS` `account` is an account's id.
TRAITS: Final[dict[str, Any]] = {"account": pl.Int64, "kind": pl.Int16, "digest": pl.Int64, "share": pl.Float64}
ACCOUNTS: Final[dict[str, Any]] = {
    "account": pl.Int64,
    "organisation": pl.Int64,
    "email_domain": pl.String,
    "licensed": pl.Boolean,
    "texts": pl.Int64,
    "log_odds": pl.Float64,
    "is_product": pl.Boolean,
    "is_evaluation": pl.Boolean,
    "slots": pl.List(pl.Int64),
}

# A wrapper counts for groups if it covers this share of an account's prompts; on half of them it counts in full.
LEAST_SHARE: Final = 0.04
FULL_SHARE: Final = 0.5
# A wrapper that a larger share of all accounts use is a public tool's and ties nobody.
MOST_USERS: Final = 0.2
# With fewer accounts than this, rarity is computed as if there were this many.
MIN_POPULATION: Final = 200
# The least length of an account's vector: a common wrapper that it uses now and then makes it like nobody.
LEAST_LENGTH: Final = 0.5
SLOTS_A_DAY: Final = 144
# An address that more accounts use is a carrier's or a cloud's.
MOST_AT_ADDRESS: Final = 80


@dataclass(frozen=True, eq=False)
class Population:
    """All accounts that have usage. Row `i` of every array and matrix is account `accounts["account"][i]`.

    Attributes:
        accounts: rows of `ACCOUNTS` in order of account; `log_odds` are those that the account's content is a harvest's
            (natural logarithm, null where it sends no text).
        traits: rows of `TRAITS`; values that one account alone has tell nothing and may be left out.
    """

    accounts: pl.DataFrame
    traits: pl.DataFrame

    def __len__(self) -> int:
        return len(self.accounts)

    @cached_property
    def ids(self) -> Numbers:
        return self.accounts["account"].to_numpy()

    @cached_property
    def log_odds(self) -> Numbers:
        """Log-odds limited to 6 either way, so that no account decides for its group; NaN where it sends no text."""
        return self.accounts["log_odds"].clip(-6, 6).cast(pl.Float64).fill_null(np.nan).to_numpy()

    @cached_property
    def has_text(self) -> Numbers:
        return ~np.isnan(self.log_odds)

    @cached_property
    def texts(self) -> Numbers:
        return self.accounts["texts"].to_numpy()

    @cached_property
    def organisations(self) -> Numbers:
        """A number for each organisation; accounts of unknown ones count as one each."""
        own = -1 - pl.int_range(len(self), eager=True)
        return self.accounts["organisation"].fill_null(own).to_numpy()

    @cached_property
    def barred(self) -> Numbers:
        return self.accounts["licensed"].to_numpy()

    @cached_property
    def is_silent_product(self) -> Numbers:
        """Whether an account without text sends tools or a schema for the answer with most requests, as a product does.

        Its hours alone do not make it a member of anything.
        """
        return self.accounts["is_product"].to_numpy() & ~self.has_text

    @cached_property
    def evaluating(self) -> Numbers:
        """Whether the account's requests look like those of an evaluation."""
        return self.accounts["is_evaluation"].to_numpy()

    @cached_property
    def domains(self) -> list[str]:
        """The e-mail domain of each account, empty where it is not known."""
        return self.accounts["email_domain"].fill_null("").to_list()

    @cached_property
    def wrappers(self) -> csr_array:
        """Openings and closings, shape (accounts, values): share of the prompts times rarity, each row of length 1.

        Rarity of a value that `u` of `n` accounts have is ln(n / u), its self-information in nats, known from text
        retrieval as inverse document frequency (Spärck Jones 1972).
        """
        among = max(len(self), MIN_POPULATION)
        used = self._with_users(WRAPPER_KINDS, least=LEAST_SHARE).filter(pl.col("users") <= MOST_USERS * among)
        rarity = (among / pl.col("users")).log()
        weighed = _incidence(used.with_columns(weight=pl.col("share").clip(0, FULL_SHARE) * rarity), len(self))
        length = np.sqrt(weighed.multiply(weighed).sum(axis=1))
        return csr_array(weighed.multiply(1 / np.maximum(length, LEAST_LENGTH)[:, None]))

    @cached_property
    def addresses(self) -> csr_array:
        """Addresses that two to `MOST_AT_ADDRESS` accounts use, shape (accounts, addresses): share of the requests.

        Entries are at least a millionth, so that an address of the sign-up alone is an entry too.
        """
        return self._hard(TraitKind.ADDRESS)

    @cached_property
    def cards(self) -> csr_array:
        """Cards that two to `MOST_AT_ADDRESS` accounts are paid with, shape (accounts, cards): 1."""
        return self._hard(TraitKind.CARD)

    @cached_property
    def hard(self) -> csr_array:
        """Addresses and cards side by side, shape (accounts, values)."""
        return csr_array(hstack([self.addresses, self.cards]))

    @cached_property
    def slots(self) -> csr_array:
        """Ten-minute slots from a midnight on, shape (accounts, slots): 1 where the account was active."""
        listed = self.accounts.with_row_index("row").select("row", "slots").explode("slots").drop_nulls()
        columns = listed["slots"].to_numpy()
        columns = columns - (columns.min(initial=2**40) // SLOTS_A_DAY * SLOTS_A_DAY)
        return csr_array(
            (np.ones(len(listed), np.float32), (listed["row"].to_numpy(), columns)),
            shape=(len(self), int(columns.max(initial=-1)) + 1),
        )

    @cached_property
    def chance(self) -> float:
        """The chance that a slot of one account is a given slot of another: Σ `q`², `q` being a slot's share of all."""
        popularity = np.asarray(self.slots.sum(axis=0)).ravel()
        total = popularity.sum()
        return float(((popularity / total) ** 2).sum()) if total else 0.0

    def wrapped_shares(self, rows: Numbers, *, like: Numbers | None = None) -> Numbers:
        """Return the share of its prompts that each of these accounts opens, or closes, as a quarter of a group does.

        It is at least so much: a prompt may open with two of these values, its first words and its first line.

        Args:
            like: the rows of the group; without it these accounts are the group.
        """
        group = rows if like is None else like
        best = np.zeros(len(rows))
        for shares in (self._openings, self._closings):
            common = np.asarray(csr_array(shares[group]).count_nonzero(axis=0)) >= max(2, len(group) / 4)
            if common.any():
                within = csr_array(shares[rows][:, common])
                together = np.asarray(within.sum(axis=1)).ravel() / EDGES_KEPT
                best = np.maximum(best, np.maximum(together, within.max(axis=1).toarray().ravel()))
        return np.minimum(best, 1.0)

    @cached_property
    def wrapper_shares(self) -> csr_array:
        """Openings and closings that two accounts or more use, shape (accounts, values): share of the prompts."""
        return _incidence(self._with_users(WRAPPER_KINDS).with_columns(weight="share"), len(self))

    @cached_property
    def _openings(self) -> csr_array:
        return _incidence(self._with_users([TraitKind.OPENING]).with_columns(weight="share"), len(self))

    @cached_property
    def _closings(self) -> csr_array:
        return _incidence(self._with_users([TraitKind.CLOSING]).with_columns(weight="share"), len(self))

    def _hard(self, kind: TraitKind) -> csr_array:
        used = self._with_users([kind]).filter(pl.col("users") <= MOST_AT_ADDRESS)
        return _incidence(used.with_columns(weight=pl.col("share").clip(1e-6, 1)), len(self))

    def _with_users(self, kinds: Sequence[TraitKind], *, least: float = 0.0) -> pl.DataFrame:
        """Return traits that two accounts or more have, with `row`, the account's, and `users`, how many have it."""
        rows = self.accounts.select("account").with_row_index("row")
        used = self.traits.filter(pl.col("kind").is_in(kinds) & (pl.col("share") >= least)).join(rows, on="account")
        return used.with_columns(users=pl.len().over("kind", "digest")).filter(pl.col("users") > 1)


def _incidence(used: pl.DataFrame, accounts: int) -> csr_array:
    """Return the matrix of shape (accounts, values) of the column `weight`."""
    column = used.select(pl.struct("kind", "digest").rank("dense") - 1).to_series().to_numpy()
    values = int(column.max(initial=0)) + 1 if len(used) else 0
    return csr_array((used["weight"].to_numpy(), (used["row"].to_numpy(), column)), shape=(accounts, values))
