from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Account
from governance.audit.actor import Actor
from governance.detection.active_calibration import CalibrationVersionTakenError, activate_calibration
from governance.detection.calibration import CalibrationError
from governance.usage.scoring_queue import request_rescore
from governance.web.counts import pluralize


class Command(BaseCommand):
    help = "Activate a calibration and score every account by it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="file written by `calibrate`")

    def handle(self, *args: Any, **options: Any) -> None:
        path, now = options["file"], timezone.now()
        try:
            taken = activate_calibration(Path(path).read_text(), by=Actor.system("use_calibration"), now=now)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{path} cannot be read: {error}.") from error
        except (CalibrationError, CalibrationVersionTakenError) as error:
            raise CommandError(f"{path} is not valid: {error}.") from error
        accounts = list(Account.objects.values_list("pk", flat=True))
        request_rescore(accounts, now=now)
        judged = pluralize(len(accounts), "account")
        self.stdout.write(f"Calibration {taken.version} is in force; {judged} will be judged by it.")
