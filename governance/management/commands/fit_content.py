from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.bench.detection.content import (
    content_figures,
    format_content_model,
    held_out_log_odds,
    join_figures,
    label_figures,
)
from governance.bench.detection.usages import read_usages
from governance.bench.detection.world import read_labels
from governance.detection.fitting_curves import fit_curves
from governance.web.counts import pluralize


class Command(BaseCommand):
    help = (
        "Fit what each figure of content is worth to labelled worlds and write it to a file like the one that comes "
        "with Stillwatch. Also prints how many harvests rank first by models fitted without their campaign."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("worlds", nargs="+", help="folders with events.jsonl.gz and labels.jsonl")
        parser.add_argument("--output", default="curves.toml", help="output file (default: curves.toml)")

    def handle(self, *args: Any, **options: Any) -> None:
        figures = content_figures()
        in_favour = [one.in_favour for one in figures]
        worlds, units = [], []
        for folder in options["worlds"]:
            try:
                labels = read_labels(folder)
                usages = read_usages(folder, key=settings.FINGERPRINT_KEY)
            except OSError as error:
                raise CommandError(f"{folder} is not a labelled world: {error}.") from error
            names, labelled = label_figures(usages, labels, figures, world=folder)
            worlds.append(labelled)
            units += [labels[name].campaign or name for name in names]
        labelled = join_figures(worlds)
        held = held_out_log_odds(labelled, in_favour, units)
        found = (held[labelled.harvests] > max(held[~labelled.harvests])).sum()
        self.stdout.write(
            f"{found} of {labelled.harvests.sum()} harvests that sent text lie above every other account, by models "
            "fitted without their campaign."
        )
        families = len(set(labelled.families))
        fitted_on = f"{pluralize(len(labelled.families), 'labelled account')} of {families} families"
        Path(options["output"]).write_text(
            format_content_model(fit_curves(labelled, in_favour), figures, fitted_on=fitted_on)
        )
        self.stdout.write(f"Written to {options['output']}.")
