from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from governance.audit.actor import Actor
from governance.usage.actions import reencrypt_data_keys
from governance.web.counts import pluralize


class Command(BaseCommand):
    help = "Encrypt the data keys of excerpts with the first EXCERPT_KEY, so that the others can be removed."

    def handle(self, *args: Any, **options: Any) -> None:
        count = reencrypt_data_keys(by=Actor.system("rewrap_excerpt_keys"), now=timezone.now())
        self.stdout.write(
            f"{pluralize(count, 'data key is', 'data keys are')} encrypted with the first of "
            f"{pluralize(len(settings.EXCERPT_KEYS), 'installation key')}."
        )
