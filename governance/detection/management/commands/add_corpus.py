from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import track

from governance.audit.actor import Actor
from governance.detection.corpora import CorpusTooShortError, add_corpus
from governance.usage.files import UnreadableFileError, open_usage_file, read_lines
from governance.web.counts import pluralize
from governance.web.faults import plain_fault

USUAL: Final = ("prompt", "instruction", "question", "text", "input")


class Command(BaseCommand):
    help = (
        "Add a known prompt collection, so that accounts which send it are recognised. Only keyed digests of some of "
        "its runs of words are kept; the same name again replaces it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="its name on the case page")
        parser.add_argument(
            "files", nargs="+", help=".txt with one text per line; else .jsonl, .jsonl.gz, .jsonl.zst, .parquet"
        )
        parser.add_argument(
            "--column", action="append", default=[], help=f"default: the first existing one of {', '.join(USUAL)}"
        )
        parser.add_argument(
            "--evaluation", action="store_true", help="a public evaluation: sending it counts in favour of an account"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        texts = track(
            self.texts(options["files"], options["column"]),
            f"Reading {options['name']}",
            console=Console(stderr=True),
            transient=True,
        )
        by, now = Actor.system("add_corpus"), timezone.now()
        try:
            corpus = add_corpus(options["name"], texts, evaluation=options["evaluation"], by=by, now=now)
        except CorpusTooShortError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{corpus.name}: {pluralize(corpus.texts, 'text is', 'texts are')} known by "
            f"{pluralize(corpus.runs, 'run', 'runs')} of words."
        )

    def texts(self, files: Sequence[str], columns: Sequence[str]) -> Iterator[str]:
        for name in files:
            try:
                with open_usage_file(name) as file:
                    for number, line in enumerate(read_lines(name, file), 1):
                        if line.strip():
                            yield from _texts_in(name, number, line, columns)
            except UnreadableFileError as error:
                raise CommandError(f"{name} cannot be read: {error}") from error


def _texts_in(name: str, number: int, line: bytes, columns: Sequence[str]) -> Iterator[str]:
    if name.endswith(".txt"):
        yield line.decode(errors="replace")
        return
    try:
        row = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise CommandError(f"{name} line {number}: {plain_fault(error, dict[str, Any])}.") from error
    wanted = columns or [column for column in USUAL if row.get(column)][:1]
    found = [row[column] for column in wanted if isinstance(row.get(column), str)]
    if not found:
        raise CommandError(f"{name} line {number} has no text in {', '.join(columns or USUAL)}; name its --column.")
    yield from found
