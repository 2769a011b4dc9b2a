import subprocess
import sys

import msgspec
from django.conf import settings

from governance.usage.fingerprint import fingerprint

MESSAGES = [
    {"role": "system", "content": "You are terse."},
    {"role": "user", "content": "How tall is the Eiffel Tower?"},
]

ELSEWHERE = f"""
import sys
for absent in ("django", "celery", "psycopg", "rest_framework", "governance.settings"):
    sys.modules[absent] = None  # importing it raises ImportError

import msgspec
from governance.usage.fingerprint import fingerprint

print(msgspec.json.encode(fingerprint(messages={MESSAGES!r}, key=b"a secret")).decode())
"""


def test_a_fingerprint_made_without_django_is_the_same() -> None:
    made = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
    )

    assert made.stderr == ""
    assert made.stdout == msgspec.json.encode(fingerprint(messages=MESSAGES, key=b"a secret")).decode() + "\n"
