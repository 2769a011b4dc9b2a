from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actor import Actor
from governance.audit.models import Entry
from governance.audit.new_logs import LogFitsError, begin_log
from governance.audit.notes import format_key
from governance.audit.publishing import log_keys, publish
from governance.audit.stillwatch_verify import LogFaultError
from governance.audit.verbs import Verb
from governance.platform.command_arguments import reason_argument


class Command(BaseCommand):
    help = (
        "After a restore that you wanted: let the audit log go on under another name, beside what was published "
        "before. An entry says with how many of the entries before it begins."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "reason",
            type=reason_argument,
            help="reason for the audit log, e.g. 'restored to 14:20 after a fault'",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            log = begin_log(reason=options["reason"], by=Actor.system("command line"), now=timezone.now())
        except LogFitsError as error:
            raise CommandError("The database holds all that was published: the log goes on as it is.") from error
        except (LogFaultError, OSError, ValueError) as error:
            raise CommandError(f"What was published before cannot be read: {error}.") from error
        publish(now=timezone.now())
        began = Entry.objects.filter(verb=Verb.LOG_BEGAN).latest("number").details
        self.stdout.write(
            f"The log {log.origin} begins in {log.path} with the first {began['common']} of the {began['entries']} "
            f"entries of {began['before']}, which stays where it is. Give this key to those who verify the log:"
        )
        for key in log_keys(log):
            self.stdout.write(format_key(key.verifier))
