from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.audit.actor import Actor
from governance.detection.corpora import remove_corpus


class Command(BaseCommand):
    help = "Remove a known prompt collection."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        if not remove_corpus(options["name"], by=Actor.system("remove_corpus"), now=timezone.now()):
            raise CommandError(f"There is no corpus named {options['name']}.")
        self.stdout.write(f"{options['name']} is removed.")
