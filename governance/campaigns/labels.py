"""Labels of accounts, from a file or from what staff decided. Pure."""

from typing import NamedTuple


class AccountLabel(NamedTuple):
    """What is known about an account: whether it harvests, and its kind of use."""

    harvest: bool
    family: str
