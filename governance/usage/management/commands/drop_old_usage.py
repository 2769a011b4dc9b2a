from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from governance.usage.actions import drop_old_usage


class Command(BaseCommand):
    help = "Delete usage events and profiles older than EVENT_DAYS and PROFILE_DAYS."

    def handle(self, *args: Any, **options: Any) -> None:
        days = drop_old_usage(now=timezone.now())
        self.stdout.write(f"Days dropped: {', '.join(map(str, days)) or 'none'}.")
