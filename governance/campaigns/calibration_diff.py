"""Findings of many accounts at once, to fit a calibration, and the scores that another calibration would give."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
from django.db.models import Exists, OuterRef

from accounts.models import Account
from governance.campaigns.labels import AccountLabel
from governance.campaigns.queries import load_context, load_usage
from governance.detection.calibration import Calibration
from governance.detection.detectors import all_detectors
from governance.detection.drift import AssessedAccount
from governance.detection.fitting import LabelledAccounts
from governance.detection.models import Assessment
from governance.detection.scoring import assess, iter_findings

BATCH: Final = 500


class ScoredTwice(NamedTuple):
    """An account as two calibrations score it; `assessed` is its assessment by the second."""

    account: str
    before: int
    assessed: AssessedAccount

    @property
    def after(self) -> int:
        return self.assessed.score


def load_labelled_accounts(labels: Mapping[str, AccountLabel], *, now: datetime) -> LabelledAccounts:
    """Return the findings of the labelled accounts that exist; `labels` are by external id."""
    detectors = all_detectors()
    known = dict(Account.objects.filter(external_id__in=labels).order_by("pk").values_list("pk", "external_id"))
    names: list[str] = []
    rows: list[list[float]] = []
    texts: list[int] = []
    for some in _batches(list(known)):
        for context in load_context(load_usage(some, now=now)):
            found = {detector.name: finding.strength for detector, finding in iter_findings(context.usage, detectors)}
            names.append(known[context.usage_view.account])
            texts.append(context.usage.texts)
            rows.append([found.get(detector.name, 0.0) for detector in detectors])
    return LabelledAccounts(
        names,
        np.array(rows, dtype=float).reshape(len(rows), len(detectors)),
        np.array([labels[name].harvest for name in names], dtype=bool),
        [labels[name].family for name in names],
        texts,
    )


def score_by_both(before: Calibration, after: Calibration, *, now: datetime) -> Iterator[ScoredTwice]:
    """Yield each account that was assessed before, with its scores by the two calibrations."""
    detectors = all_detectors()
    known = Account.objects.filter(Exists(Assessment.objects.filter(account=OuterRef("pk"))))
    names = dict(known.values_list("pk", "external_id"))
    for some in _batches(sorted(names)):
        for view, usage, _ in load_context(load_usage(some, now=now)):
            old, new = (assess(usage, detectors, one) for one in (before, after))
            found = {one.finding.detector: one.finding.family.value for one in new.findings}
            assessed = AssessedAccount(new.points, usage.texts, new.content_log_odds, found)
            yield ScoredTwice(names[view.account], old.points, assessed)


def _batches(accounts: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(accounts), BATCH):
        yield list(accounts[start : start + BATCH])
