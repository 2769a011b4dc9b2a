import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.test.utils import override_settings
from rich.console import Console
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from accounts.actions import register_accounts
from accounts.register import parse_account_line
from governance.audit.actor import Actor
from governance.backtest.database import backtest_database
from governance.backtest.run import REGISTERED_AT, iter_backtest
from governance.bench.detection import report
from governance.bench.detection.baselines import output_ratio, pooled_mmd, prada, volume
from governance.bench.detection.baselines.embedding import NoEmbeddingsError
from governance.bench.detection.world import LabelledWorld, files_of, read_world
from governance.campaigns.calibration_diff import load_labelled_accounts
from governance.campaigns.labels import AccountLabel
from governance.campaigns.queries import account_ranking
from governance.detection.detectors import all_detectors
from governance.detection.fitting import leave_one_family_out
from governance.platform.progress import terminal_progress
from governance.usage.files import open_usage_file, read_lines

BASELINES: Final = {"volume": volume, "output/input": output_ratio, "PRADA": prada, "pooled MMD": pooled_mmd}
BENCH: Final = Actor.system("bench")


class Command(BaseCommand):
    help = (
        "Measure detection on a labelled world: backtest it, score each family by weights fitted without it, and put "
        "baselines beside that. Also write the tables to .bench/detection.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("world", help="a folder with events.jsonl.gz, accounts.jsonl and labels.jsonl")
        parser.add_argument("--every", type=int, default=60, help="minutes between scorings (default: 60)")
        parser.add_argument("--no-baselines", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console()
        try:
            world = read_world(options["world"])
        except OSError as error:
            raise CommandError(f"{options['world']} is not a labelled world: {error}.") from error
        tables: list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]] = []
        with backtest_database("detection"), override_settings(EXCERPTS_PER_DAY=0):
            seconds = self.backtest(options["world"], every=timedelta(minutes=options["every"]))
            places = {place.account: place for place in account_ranking()}
            now = max(sent.at[-1] for sent in world.sent.values() if sent.at)
            labels = {
                name: AccountLabel(one.label == "malicious", f"{one.label} {one.family}")
                for name, one in world.labels.items()
            }
            known = load_labelled_accounts(labels, now=now)
            unseen = dict(zip(known.accounts, leave_one_family_out(known, all_detectors()), strict=True))
        in_force = {account: float(places[account].score) for account in world.labels}
        rows = [
            report.measure_detector("in force", world, in_force),
            report.measure_detector("family unseen", world, unseen),
        ]
        if not options["no_baselines"]:
            with console.status("Measuring baselines"):
                rows += self.baselines(world, console)
        tables.append(("Ranking", report.HEAD, report.summary_lines(rows)))
        tables.append(("Found at 0.1 % false positives", *report.family_lines(rows)))
        tables.append(("The backtest", *report.backtest_table(world, places, seconds)))
        tables.append(("Campaigns", *report.campaign_table(world, places)))
        for title, head, lines in tables:
            report.print_table(title, head, lines, console)
        path = Path(".bench") / "detection.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            "\n\n".join(f"{title}\n\n{report.markdown(head, lines)}" for title, head, lines in tables) + "\n"
        )

    def baselines(self, world: LabelledWorld, console: Console) -> list[report.DetectorRow]:
        rows = []
        for name, module in BASELINES.items():
            try:
                rows.append(report.measure_detector(name, world, module.scores(world)))
            except NoEmbeddingsError as error:
                console.print(f"Left out the baseline {name}: {error}.")
        return rows

    def backtest(self, folder: str, *, every: timedelta) -> float:
        events, accounts, _ = files_of(folder)
        register = [parse_account_line(line) for line in Path(accounts).read_bytes().splitlines() if line.strip()]
        register_accounts(register, by=BENCH, now=REGISTERED_AT)
        started = time.monotonic()
        with (
            open_usage_file(events) as file,
            terminal_progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()) as bar,
        ):
            task = bar.add_task("Replaying")
            for step in iter_backtest(read_lines(events, file), every=every):
                bar.update(task, description=f"Replaying {step.at:%-d %B %H:%M}, {step.accepted:,} events")
        return time.monotonic() - started
