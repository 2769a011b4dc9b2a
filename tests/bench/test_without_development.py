import os
import subprocess
import sys

from django.conf import settings

WITHOUT_DEVELOPMENT = """
import sys
sys.modules["wordllama"] = None  # importing it raises ImportError

import django
django.setup()
import governance.management.commands.bench
"""


class TestTheBenchmarksOfSpeed:
    def test_need_nothing_that_only_development_has(self) -> None:
        elsewhere = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}

        subprocess.run([sys.executable, "-c", WITHOUT_DEVELOPMENT], cwd=settings.BASE_DIR, env=elsewhere, check=True)
