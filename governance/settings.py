"""Every setting, from the environment, safe by default. docs/settings.md says what each means."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import Env, validate

from governance.openapi.settings import SPECTACULAR_SETTINGS  # noqa: F401 - a setting by its name
from governance.platform import embedded, environment, timeouts
from governance.platform.bounded_connection import bounded_connection_class, longest_silence
from governance.platform.console_log import log_to_console
from governance.platform.installation_secrets import LOG_KEYS, PEPPERS, Secrets, get_or_create_secrets, read_keys
from governance.restrictions.usual_clauses import USUAL_CLAUSES, USUAL_CLAUSES_OF_REASONS
from governance.staff.sign_in_settings import *  # noqa: F403 - settings by their names
from governance.timetable import TIMETABLE, WAITING_FOR_OTHERS
from governance.web.admin_theme import UNFOLD  # noqa: F401 - a setting by its name
from governance.web.rest_settings import REST_FRAMEWORK  # noqa: F401 - a setting by its name

# Batches are small and processes many: threads of polars would only wait for each other. Read when polars is imported.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.str("STILLWATCH_DATA", str(BASE_DIR / ".data"))).expanduser().resolve()

# Where Stillwatch is reached -----------------------------------------------------------------------------------

PUBLIC_URL = env.str("STILLWATCH_URL", "https://localhost").rstrip("/")
_public = environment.parse_url_setting("STILLWATCH_URL", PUBLIC_URL, schemes=("https", "http"))
SECURE = _public.scheme == "https"
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [_public.hostname or "localhost"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# What Stillwatch stands on -------------------------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", "")
MIGRATE_DATABASE_URL = env.str("MIGRATE_DATABASE_URL", "") or DATABASE_URL
BROKER_URL = env.str("BROKER_URL", "")
EMBEDDED = not DATABASE_URL and not BROKER_URL
if EMBEDDED:
    DATABASE_URL, MIGRATE_DATABASE_URL, BROKER_URL = embedded.addresses(DATA_DIR)
    _secrets = get_or_create_secrets(DATA_DIR)
else:
    _needed = ("DATABASE_URL", "BROKER_URL", "SECRET_KEY", "FINGERPRINT_KEY", "EXCERPT_KEY")
    if _missing := [name for name in _needed if not env.str(name, "")]:
        raise ImproperlyConfigured(f"Servers of your own need {', '.join(_missing)} too.")
    for _name, _url in (("DATABASE_URL", DATABASE_URL), ("MIGRATE_DATABASE_URL", MIGRATE_DATABASE_URL)):
        environment.parse_url_setting(_name, _url, schemes=("postgresql", "postgres"))
    _secrets = Secrets(env.str("SECRET_KEY"), env.str("FINGERPRINT_KEY"), env.str("EXCERPT_KEY"))
SECRET_KEY = _secrets.secret_key
FINGERPRINT_KEY = _secrets.fingerprint_key.encode()
EXCERPT_KEYS = [key.encode() for key in _secrets.excerpt_key.split(";")]
AUDIT_KEYS, SERVICE_KEY_PEPPERS = (read_keys(ring, env, DATA_DIR if EMBEDDED else None) for ring in (LOG_KEYS, PEPPERS))

ENGINE = "governance.platform.postgresql"
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=600, conn_health_checks=True, engine=ENGINE)}
_owner = dj_database_url.parse(MIGRATE_DATABASE_URL)
if _owner["NAME"] != DATABASES["default"]["NAME"]:
    raise ImproperlyConfigured("DATABASE_URL and MIGRATE_DATABASE_URL must name the same database: set both.")
DATABASE_OWNER: dict[str, Any] = {name: _owner[name] for name in ("USER", "PASSWORD", "HOST", "PORT")}
# Said by the process itself, before it reads this: see wsgi.py and celery.py.
_process = env.str(timeouts.PROCESS, "command", validate=validate.OneOf([*timeouts.DEFAULTS]))
_variable = f"DATABASE_TIMEOUTS_{_process.upper()}"
_given = environment.parse_timeouts(_variable, env.str(_variable, ""), known=timeouts.DEFAULTS["web"])
_timeouts = timeouts.DEFAULTS[_process] | _given
_options = DATABASES["default"].setdefault("OPTIONS", {})
for _name, _value in timeouts.LEAVES_LOST_SERVERS.items():
    _options.setdefault(_name, _value)
DATABASE_SILENT_SECONDS = env.float("DATABASE_SILENT_SECONDS", 10.0, validate=validate.Range(min=0.1))
_most = longest_silence(_timeouts["statement_timeout"])
DATABASES["default"]["SILENT_SECONDS"] = _most  # type: ignore[typeddict-unknown-key] # of our engine
_options["options"] = timeouts.connection_options(_timeouts, before=_options.get("options", ""))
if pooled := env.int("DATABASE_POOL", 0):
    # A web process has many threads, of which few at a time ask the database.
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    _options["pool"] = {
        "min_size": 1,
        "max_size": pooled,
        "timeout": 10,
        "connection_class": bounded_connection_class(_most),
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What Stillwatch is made of ------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "governance.web.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "django_htmx",
    *("allauth", "allauth.account", "allauth.mfa"),
    "rest_framework",
    "template_partials",
    "governance.apps.GovernanceConfig",
    "governance.platform",
    "governance.audit",
    "governance.staff",
    "governance.configuration",
    "governance.web.apps.WebConfig",
    "accounts",
    "governance.privacy",
    "governance.usage",
    "governance.detection",
    "governance.campaigns",
    "governance.restrictions",
    "governance.gateways",
    "governance.webhooks",
    "governance.review",
    "governance.sharing",
    *("governance.policies", "governance.evidence", "governance.investigation", "governance.overview"),
]

MIDDLEWARE = [
    "governance.web.request_ids.RequestIdMiddleware",
    "governance.web.api_responses.ApiResponseMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "governance.web.middleware.RefuseUnreadableMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "governance.web.middleware.SessionMiddleware",
]

ROOT_URLCONF = "governance.urls"
WSGI_APPLICATION = "governance.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["governance.web.templatetags.names"],
        },
    },
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = "governance.platform.formats"

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "governance.web.static.HashedStaticFiles"},
}

# Who may do what: also governance/staff/sign_in_settings.py ------------------------------------------------------

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
PROXIES = env.int("PROXIES", 1, validate=validate.Range(min=1)) if BEHIND_PROXY else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}

# What runs later -----------------------------------------------------------------------------------------------

CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A message that finds the broker dead must fail at once: the row is the truth and the timetable below finds it.
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"max_retries": 0, "socket_connect_timeout": 1, "socket_timeout": 5, "visibility_timeout": 300}
    if BROKER_URL.startswith("redis")
    else {}
)
CELERY_TASK_PUBLISH_RETRY = False
# What waits for others, who may be slow, has a worker of its own with threads: nothing else ever waits behind it.
CELERY_TASK_ROUTES = {f"governance.tasks.{task}": {"queue": "delivery"} for task in WAITING_FOR_OTHERS}
CELERY_BEAT_SCHEDULE = TIMETABLE

# How Stillwatch works ------------------------------------------------------------------------------------------

DEMO = env.str("STILLWATCH_DEMO", "full" if EMBEDDED else "none", validate=validate.OneOf(["full", "small", "none"]))
DEMO_STAFF_FILE = DATA_DIR / "demo-staff.json"
DEMO_GATEWAYS_FILE = DATA_DIR / "demo-gateways.json"
EVENT_DAYS = env.int("EVENT_DAYS", 90, validate=validate.Range(min=31))
PROFILE_DAYS = env.int("PROFILE_DAYS", 400, validate=validate.Range(min=31))
INTAKE_MAX_LAG = env.int("INTAKE_MAX_LAG", 900, validate=validate.Range(min=0))
READS_A_MINUTE = env.int("READS_A_MINUTE", 600, validate=validate.Range(min=0))
WRITES_A_MINUTE = env.int("WRITES_A_MINUTE", 6_000, validate=validate.Range(min=0))
NEW_NAMES_AN_HOUR = env.int("NEW_NAMES_AN_HOUR", 2_000, validate=validate.Range(min=0))
HARVEST_BASE_RATE = env.float("HARVEST_BASE_RATE", 0.01, validate=validate.Range(min=1e-6, max=0.5))
EXCERPTS_PER_DAY = env.int("EXCERPTS_PER_DAY", 3)
EXCERPT_DAYS = env.int("EXCERPT_DAYS", 30)
ASSESSMENT_DAYS = env.int("ASSESSMENT_DAYS", 730, validate=validate.Range(min=31))
CASE_TEXT_DAYS = env.int("CASE_TEXT_DAYS", 1_095, validate=validate.Range(min=31))
CLOSED_ACCOUNT_DAYS = env.int("CLOSED_ACCOUNT_DAYS", 730, validate=validate.Range(min=31))
UNREADABLE_NAMES = env.str("UNREADABLE_NAMES", "refuse", validate=validate.OneOf(["refuse", "outage"]))
FAIL_CLOSED_PLANS: list[str] = env.list("FAIL_CLOSED_PLANS", [])
WEBHOOK_PRIVATE_NETWORKS: list[str] = environment.parse_networks(
    "WEBHOOK_PRIVATE_NETWORKS", env.list("WEBHOOK_PRIVATE_NETWORKS", [])
)
AUTOMATIC_ACCOUNTS_AN_HOUR = env.int("AUTOMATIC_ACCOUNTS_AN_HOUR", 20, validate=validate.Range(min=0))
AUTOMATIC_TRAFFIC_PERCENT = env.float("AUTOMATIC_TRAFFIC_PERCENT", 2.0, validate=validate.Range(min=0, max=100))
AUTOMATIC_SHADOW_HOURS = env.int("AUTOMATIC_SHADOW_HOURS", 24, validate=validate.Range(min=0))
UNDO_MINUTES = env.int("UNDO_MINUTES", 30, validate=validate.Range(min=0))
GATEWAY_SILENT_MINUTES = env.int("GATEWAY_SILENT_MINUTES", 5, validate=validate.Range(min=1))
PORT = env.int("PORT", 8000, validate=validate.Range(min=1, max=65535))
CHECK_PORT = env.int("CHECK_PORT", PORT + 1, validate=validate.Range(min=1, max=65535))
CHECK_FOLDER = Path(env.str("CHECK_FOLDER", str(DATA_DIR / "check"))).expanduser().resolve()
CHECK_URL = env.str("CHECK_URL", f"http://127.0.0.1:{CHECK_PORT}")
# Where a running `up` writes the address of its check, so that `doctor` finds it in a shell that has no PORT.
CHECK_URL_FILE = DATA_DIR / "check-url"
CHECK_URL_IS_GIVEN = not {"PORT", "CHECK_PORT", "CHECK_URL"}.isdisjoint(os.environ)
GATEWAYS_WAITING = env.int("GATEWAYS_WAITING", 500, validate=validate.Range(min=1))
WEB_THREADS = env.int("WEB_THREADS", 128, validate=validate.Range(min=1))
BODIES_OF_A_KEY = env.int("BODIES_OF_A_KEY", 16, validate=validate.Range(min=1))
BODY_SECONDS = env.float("BODY_SECONDS", 30.0, validate=validate.Range(min=0.1))
AUDIT_FOLDER = Path(env.str("AUDIT_FOLDER", str(DATA_DIR / "audit"))).expanduser().resolve()
# The same in every process: a shell beside `up` has no STILLWATCH_URL.
_host = "localhost" if EMBEDDED else _public.hostname or "localhost"
AUDIT_ORIGIN = env.str("AUDIT_ORIGIN", _host, validate=validate.Regexp(r"[^\s+]+\Z"))
AUDIT_WITNESS_URL = environment.parse_optional_url("AUDIT_WITNESS_URL", env.str("AUDIT_WITNESS_URL", "")).rstrip("/")
AUDIT_WITNESS_KEY, AUDIT_TIMESTAMP_ROOTS = env.str("AUDIT_WITNESS_KEY", ""), env.str("AUDIT_TIMESTAMP_ROOTS", "")
AUDIT_TIMESTAMP_URL = environment.parse_optional_url("AUDIT_TIMESTAMP_URL", env.str("AUDIT_TIMESTAMP_URL", ""))
EVIDENCE_FOLDER = Path(env.str("EVIDENCE_FOLDER", str(DATA_DIR / "evidence"))).expanduser().resolve()
EVIDENCE_DAYS = env.int("EVIDENCE_DAYS", 30, validate=validate.Range(min=1))
TERMS_CLAUSES: list[str] = env.list("TERMS_CLAUSES", USUAL_CLAUSES, delimiter=";")
# Which clause a reason usually breaks: the decision form chooses it with the reason.
REASON_CLAUSES = environment.parse_pairs(env.list("REASON_CLAUSES", USUAL_CLAUSES_OF_REASONS, delimiter=";"))

LOGGING = log_to_console(env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(environment.LOG_LEVELS)))
