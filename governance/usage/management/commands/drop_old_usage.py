from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from governance.usage.actions import drop_old_usage


class Command(BaseCommand):
    help = "Drops the days of usage events and the profiles that are older than EVENT_DAYS and PROFILE_DAYS say."

    def handle(self, *args: Any, **options: Any) -> None:
        days = drop_old_usage(now=timezone.now())
        self.stdout.write(f"Days dropped: {', '.join(map(str, days)) or 'none'}.")
