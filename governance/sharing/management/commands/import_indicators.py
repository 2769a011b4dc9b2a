from argparse import FileType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actor import Actor
from governance.sharing.actions.indicators import PartnerNotSendingError, import_indicators
from governance.sharing.models import Partner
from governance.sharing.received import MOST_BYTES, UnreadableObjectsError
from governance.web.counts import pluralize

FAULTS_SHOWN = 20


class Command(BaseCommand):
    help = "Take in the indicators of a partner, from a STIX 2.1 bundle. The same file again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("partner", help="the name of the partner")
        parser.add_argument("file", type=FileType("rb"), help="a bundle as JSON; - reads it from the standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        partner = Partner.objects.filter(name=options["partner"]).first()
        if partner is None:
            raise CommandError(f"There is no partner {options['partner']}.")
        with options["file"] as file:
            content = file.read(MOST_BYTES + 1)
        try:
            report = import_indicators(partner, content, by=Actor.system("import_indicators"), now=timezone.now())
        except (PartnerNotSendingError, UnreadableObjectsError) as error:
            raise CommandError(str(error)) from error
        for place, stix_id, why in report.faults[:FAULTS_SHOWN]:
            self.stderr.write(f"Object {place} {stix_id}: {why}")
        if len(report.faults) > FAULTS_SHOWN:
            self.stderr.write(f"… and {len(report.faults) - FAULTS_SHOWN:,} more.")
        self.stdout.write(
            f"{partner.name}: {pluralize(report.added, 'indicator')} added, {report.updated:,} updated, "
            f"{report.retracted:,} retracted, {report.unchanged:,} known already, {len(report.faults):,} rejected. "
            f"{pluralize(report.accounts, 'account is', 'accounts are')} scored again."
        )
