"""Campaigns by their cores, and who joins them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from governance.campaigns.groups import Basis
from governance.campaigns.joining import JoinedAccount, find_joining
from tests.campaigns.village import Village


class Circle(Village):
    """Accounts of which some are the cores of campaigns."""

    def __init__(self) -> None:
        super().__init__()
        self.cores: list[list[int]] = []

    def core(self, *accounts: Mapping[str, Any]) -> None:
        """Add a campaign of these accounts."""
        self.cores.append([self.add(**given) for given in accounts])

    def joining(self, basis: Basis = Basis.WRAPPERS) -> list[JoinedAccount]:
        cores = [np.array(core) for core in self.cores]
        found = find_joining(self.population(others=0), cores, [basis] * len(cores))
        return [JoinedAccount(row, campaign, round(belongs, 6)) for row, campaign, belongs in sorted(found)]
