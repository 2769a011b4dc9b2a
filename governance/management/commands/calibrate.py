from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.campaigns.calibration_diff import ScoredTwice, load_labelled_accounts, score_by_both
from governance.campaigns.labels import AccountLabel
from governance.detection.active_calibration import get_active_calibration
from governance.detection.calibration import Calibration, format_calibration
from governance.detection.detectors import all_detectors
from governance.detection.drift import build_reference
from governance.detection.fitting import (
    FloatArray,
    LabelledAccounts,
    fit_probability,
    fit_weights,
    leave_one_family_out,
)
from governance.detection.scoring import REVIEW_LINE
from governance.review.queries import labels_from_decisions
from governance.web.counts import pluralize
from governance.web.faults import plain_fault

NAMED: Final = 20
FEWEST: Final = 10


class LabelLine(msgspec.Struct):
    account: Annotated[str, msgspec.Meta(min_length=1)]
    label: Literal["malicious", "benign", "licensed"]
    family: str = ""


class Command(BaseCommand):
    help = (
        "Fit the weights of detectors to labelled accounts, write them to a file, and print what they would change. "
        "Nothing changes before `use_calibration` activates the file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("labels", nargs="?", help="a JSON object a line: account, label, family")
        parser.add_argument("--decided", action="store_true", help="also learn from cases that staff decided")
        parser.add_argument("--name", help="name of the calibration (default: today)")
        parser.add_argument("--output", help="output file (default: NAME.toml)")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        labels = labels_from_decisions() if options["decided"] else {}
        if options["labels"]:
            labels |= _read(options["labels"])
        known = load_labelled_accounts(labels, now=now)
        if not FEWEST <= known.harvests.sum() <= len(known.accounts) - FEWEST:
            raise CommandError(
                f"Of the labelled accounts {known.harvests.sum()} harvests and {(~known.harvests).sum()} others are "
                f"known here; it takes {FEWEST} of each."
            )
        detectors = all_detectors()
        families = len(set(known.families))
        unseen = leave_one_family_out(known, detectors)
        fitted = Calibration(
            version=options["name"] or f"{now:%Y-%m-%d}",
            weights=fit_weights(known, detectors),
            fitted_on=f"{len(known.accounts):,} labelled accounts of {families} families",
            probability=fit_probability(unseen, known.harvests),
        )
        scored = [*score_by_both(get_active_calibration(), fitted, now=now)]
        reference = build_reference([one.assessed for one in scored], [detector.name for detector in detectors])
        fitted = replace(fitted, reference=reference)
        path = Path(options["output"] or f"{fitted.version}.toml")
        path.write_text(format_calibration(fitted))
        self.print_weights(fitted)
        self.print_fit(known, unseen)
        self.print_changes([one for one in scored if one.before != one.after])
        self.stdout.write(f"\nWritten to {path}. To activate it: manage.py use_calibration {path}")

    def print_weights(self, fitted: Calibration) -> None:
        before = get_active_calibration()
        self.stdout.write(f"Weights, in force ({before.version}) and fitted ({fitted.version})")
        for detector in sorted(all_detectors(), key=lambda one: (one.family, -abs(one.weight))):
            old, new = before.weight(detector.name, otherwise=detector.weight), fitted.weights[detector.name]
            self.stdout.write(f"  {detector.family:9} {detector.name:24} {old:+6.1f} {new:+6.1f}")

    def print_fit(self, known: LabelledAccounts, points: FloatArray) -> None:
        """How the method does on families it has not seen: what may be hoped for, unlike the fit itself."""
        found, wrong = points[known.harvests] >= REVIEW_LINE, points[~known.harvests] >= REVIEW_LINE
        self.stdout.write(
            f"\nEach family judged by weights fitted without it: {found.sum()} of {len(found)} harvests and "
            f"{wrong.sum()} of {len(wrong)} others reach the review line."
        )

    def print_changes(self, changed: list[ScoredTwice]) -> None:
        enter = [one for one in changed if one.before < REVIEW_LINE <= one.after]
        leave = [one for one in changed if one.after < REVIEW_LINE <= one.before]
        self.stdout.write(f"\n{pluralize(len(changed), 'account')} would get another score.")
        for said, some in (("would reach the review line", enter), ("would fall below it", leave)):
            self.stdout.write(f"{len(some):,} {said}{':' if some else '.'}")
            for one in sorted(some, key=lambda one: -abs(one.after - one.before))[:NAMED]:
                self.stdout.write(f"  {one.account}: {one.before} → {one.after}")
            if len(some) > NAMED:
                self.stdout.write(f"  and {len(some) - NAMED:,} more")


def _read(path: str) -> dict[str, AccountLabel]:
    """The labels of a file. Licensed accounts are left out: what they do is no harvest, and looks like one."""
    decoder = msgspec.json.Decoder(LabelLine)
    labels: dict[str, AccountLabel] = {}
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                one = decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                raise CommandError(f"{path} line {number}: {plain_fault(error, LabelLine)}.") from error
            if one.label != "licensed":
                labels[one.account] = AccountLabel(one.label == "malicious", one.family or one.label)
    return labels
