from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from governance.audit.models import Entry
from governance.demo import world
from governance.demo.story import DEMO, play
from governance.platform.progress import terminal_progress
from governance.staff.actions import DEMO_STAFF, ensure_demo_staff
from governance.staff.models import User
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
                "The audit log has entries already, and the demonstration plays the past fortnight: load it into an "
                "empty database, before people and service keys are added."
            )
        now = timezone.now()
        size = SIZES["small" if settings.DEMO == "small" else "full"]
        made = world.build_world(seed=SEED, ends_at=now.replace(minute=0, second=0, microsecond=0), **size)
        events = 0
        # One transaction, so that a demonstration that was interrupted is not taken for a whole one.
        with transaction.atomic(), terminal_progress() as progress:
            ensure_demo_staff(settings.DEMO_STAFF_FILE, by=DEMO, now=made.starts_at)
            staff = list(User.objects.filter(email__in=[email for _, email, _ in DEMO_STAFF[:2]]).order_by("email"))
            bar = progress.add_task("Loading the demonstration", total=size["days"])
            for day in play(made, staff=staff):
                events += day.events
                progress.update(bar, completed=day.number)
        accounts = pluralize(len(made.accounts), "account")
        self.stdout.write(f"Loaded the demonstration: {accounts}, {pluralize(events, 'usage event')}.")
