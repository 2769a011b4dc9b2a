from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from governance.audit.models import Entry
from governance.demo import world
from governance.demo.gateways import GatewaySecrets, issue_gateway_keys, keep_secrets
from governance.demo.intake import DEMO
from governance.demo.story import Demonstration
from governance.demo.team import assemble_team
from governance.overview.actions import measure_overview
from governance.staff.actions import ensure_demo_staff
from governance.web.counts import pluralize

SEED = 2031
SIZES = {"full": {"accounts": 300, "days": 14}, "small": {"accounts": 60, "days": 3}}


class Command(BaseCommand):
    help = "Load the demonstration into an empty database. STILLWATCH_DEMO=small loads a smaller one."

    def handle(self, *args: Any, **options: Any) -> None:
        if Account.objects.exists():
            raise CommandError("There are accounts already: load the demonstration into an empty database.")
        if Entry.objects.exists():
            raise CommandError(
                "The audit log has entries already, and the demonstration plays the past weeks: load it into an "
                "empty database, before people and service keys are added."
            )
        now = timezone.now()
        size = SIZES["small" if settings.DEMO == "small" else "full"]
        self._say(f"Making up {size['accounts']} customers and {pluralize(size['days'], 'day')} of their usage")
        made = world.build_world(seed=SEED, ends_at=now.replace(minute=0, second=0, microsecond=0), **size)
        story, events = Demonstration(made), 0
        began_at = story.begins_at
        # One transaction, so that a demonstration that was interrupted is not taken for a whole one.
        with transaction.atomic():
            ensure_demo_staff(settings.DEMO_STAFF_FILE, by=DEMO, now=began_at)
            team = assemble_team(by=DEMO, now=began_at)
            gateways, secrets = issue_gateway_keys(by=DEMO, now=began_at)
            self._say("Playing what they did, scoring them and deciding about some, day by day")
            for day in story.play(team=team, gateways=gateways):
                events += day.events
                self._say(f"  {day.day}: {pluralize(day.events, 'usage event')}")
            measure_overview(now=timezone.now())  # else the overview asks whether the worker runs
            keep_secrets(settings.DEMO_GATEWAYS_FILE, GatewaySecrets(*secrets, stopped_at=story.stopped_at))
        accounts = pluralize(len(story.labels), "account")
        self._say(f"Loaded the demonstration: {accounts}, {pluralize(events, 'usage event')}.")

    def _say(self, line: str) -> None:
        """At once: who waits for minutes wants to see how far it is."""
        self.stdout.write(line)
        self.stdout.flush()
