import uuid
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actor import Actor
from governance.audit.stillwatch_verify import LogFaultError
from governance.evidence.actions import export_evidence
from governance.evidence.redaction import REDACTABLE, Redaction, UnknownRedactionError
from governance.evidence.scope import NotPublishedError
from governance.review.models import Case


class Command(BaseCommand):
    help = "Write everything that proves a case into one zip, which outsiders verify by themselves. An entry says so."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("case", type=uuid.UUID, help="id of the case, as in the address of its page")
        parser.add_argument("--out", type=Path, help="file to write; evidence-CASE.zip here by default")
        parser.add_argument(
            "--redact",
            action="append",
            default=[],
            metavar="NAME",
            help=f"withhold a kind of field, which stays provable; may be given again: {', '.join(REDACTABLE)}",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        case = Case.objects.select_related("account", "campaign", "assessment").filter(pk=options["case"]).first()
        if case is None:
            raise CommandError(f"There is no case {options['case']}.")
        target = (options["out"] or Path(f"evidence-{case.pk}.zip")).resolve()
        try:
            made = export_evidence(
                case,
                target,
                redaction=Redaction.of(options["redact"]),
                by=Actor.system("command line"),
                now=timezone.now(),
            )
        except (NotPublishedError, UnknownRedactionError) as error:
            raise CommandError(str(error)) from error
        except (LogFaultError, OSError) as error:
            raise CommandError(f"Nothing was written: {error}.") from error
        self.stdout.write(f"{target}\nSHA-256 {made.sha256}, as of entry {made.checkpoint} of the audit log.")
