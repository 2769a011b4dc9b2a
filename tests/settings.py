"""The settings of the tests: the product's, on servers and in a folder of their own."""

import os
import tempfile

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")

os.environ["STILLWATCH_URL"] = "http://127.0.0.1"
# Tests ask more often than anybody else; those of the limits set them.
os.environ.setdefault("READS_A_MINUTE", "0")
os.environ.setdefault("WRITES_A_MINUTE", "0")
if not WORKER:  # the workers of pytest-xdist share the servers of the process that started them
    os.environ["STILLWATCH_DATA"] = tempfile.mkdtemp(prefix="stillwatch-tests-")

from governance.settings import *  # noqa: E402, F403 read from the environment that was just set
from governance.settings import (  # noqa: E402
    BROKER_URL,
    DATABASE_OWNER,
    DATABASES,
    EMBEDDED,
    INSTALLED_APPS,
    STORAGES,
)

if EMBEDDED and WORKER:
    BROKER_URL = BROKER_URL.replace("virtual_host=0", f"virtual_host={int(WORKER.removeprefix('gw')) + 1}")
CELERY_BROKER_URL = BROKER_URL

# Tests make their databases; the processes beside them run as stillwatch_run (see tests/flows/worker.py).
DATABASES["default"] |= DATABASE_OWNER  # type: ignore[typeddict-item]

INSTALLED_APPS = ["tests.cleaning", *INSTALLED_APPS]

# Argon2 is slow on purpose, which a test that signs in need not wait for.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# As the sources are, so that nothing needs collecting first.
STORAGES |= {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
