"""Every setting, from the environment, safe by default.

STILLWATCH_URL    public address, e.g. https://stillwatch.example.com; http:// is meant for one's own machine only
BEHIND_PROXY      true where TLS ends at a proxy that sets X-Forwarded-Proto and adds the address that called it to the
                  end of X-Forwarded-For, by which sign-ins are limited (default false: the caller's own address counts)
PROXIES           how many proxies stand behind one another, each of which adds to X-Forwarded-For (default 1 with
                  BEHIND_PROXY): too few and all sign-ins seem to come from a proxy, too many and clients can lie
ALLOWED_HOSTS     host names that are answered, with commas between them (default: that of STILLWATCH_URL)
PORT              where `manage.py up` listens (default 8000)
STILLWATCH_DATA   folder of the embedded servers and of this installation's secrets (default .data/)
DATABASE_URL      PostgreSQL of one's own; with BROKER_URL (Valkey, Redis or RabbitMQ) nothing embedded starts
MIGRATE_DATABASE_URL  the same database as the role that owns its tables, for commands (default DATABASE_URL)
SECRET_KEY        signs sessions; FINGERPRINT_KEY keys the fingerprints of prompts; EXCERPT_KEY encrypts excerpts
                  (a new one before old ones, with semicolons between them, until `rewrap_excerpt_keys` has run).
                  Required beside DATABASE_URL; with the embedded servers made once and kept in STILLWATCH_DATA
STILLWATCH_DEMO   what `manage.py up` puts into an empty database: full, small or none
                  (default full with the embedded servers, else none)
TERMS_CLAUSES     the clauses of your terms that a decision can name, with semicolons between them
EVENT_DAYS        how many days usage events are kept, at least 31 (default 90)
PROFILE_DAYS      how many days hourly profiles are kept (default 400)
INTAKE_MAX_LAG    past so many seconds that accounts wait to be scored, intake answers 429 (default 900; 0 for never)
NEW_NAMES_AN_HOUR  how many accounts, keys and organisations that nobody knew a service key may bring in with usage in
                  an hour (default 2000; 0 for any number); above it intake answers 429 until the register names them
EXCERPTS_PER_DAY  how many encrypted prompt excerpts are kept an account and day (default 3; 0 keeps none)
EXCERPT_DAYS      after how many days they are deleted (default 30)
FAIL_CLOSED_PLANS the plans whose customers a gateway refuses while Stillwatch cannot be reached, with commas between
                  them (default: none; who is restricted already stays so in any case)
WEBHOOK_PRIVATE_NETWORKS  networks that webhooks may go to although they are not public (e.g. 10.1.0.0/16), with commas
                  between them; to those http:// will do (default: none)
AUTOMATIC_ACCOUNTS_AN_HOUR  how many accounts a live policy may restrict in an hour without a person (default 20)
AUTOMATIC_TRAFFIC_PERCENT  … and of how much of the traffic of an hour (default 2)
AUTOMATIC_SHADOW_HOURS  how long a policy is in the shadow before it can go live without a reason (default 24)
UNDO_MINUTES      how long a decision can be undone, which opens its case again; later it is lifted (default 30)
GATEWAY_SILENT_MINUTES  after how many minutes without a question or a report a gateway counts as silent (default 5)
UNREADABLE_NAMES  what nginx, Envoy and LiteLLM are answered where a customer's name cannot be read: refuse (default),
                  or outage, so that they do what they were set to do when Stillwatch does not answer
DATABASE_TIMEOUTS_WEB, DATABASE_TIMEOUTS_WORKER  how long web processes and workers let PostgreSQL take before they give
                  up, as statement_timeout=60s,lock_timeout=5s,idle_in_transaction_session_timeout=30s (the default of
                  web; of workers 10min, 60s and 10min; commands such as migrate wait as long as it takes)
DATABASE_SILENT_SECONDS  for how many seconds PostgreSQL may not answer the check, and whether a connection still works,
                  until that connection is left for a new one (default 10)
CHECK_PORT        where `manage.py up` lets the check listen, which gateways ask (default: the one after PORT)
CHECK_FOLDER      where processes of the check save what is in force, so that those that start while PostgreSQL is away
                  know it (default check/ in STILLWATCH_DATA)
CHECK_URL         where web processes reach the check (default http://127.0.0.1: and CHECK_PORT)
GATEWAYS_WAITING  how many requests of one service key may wait at a process of the check: polls and streams of clients,
                  one for each process of a gateway (default 500); more get 429
WEB_THREADS       how many requests a web process answers at once (default 128)
BODIES_OF_A_KEY   how many bodies of one service key a web process receives at once (default 16); more get 429
BODY_SECONDS      how long the body of a request to a web process may take (default 30), and longer only as far as it
                  comes at 16 KiB a second; later it gets 408
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from environs import Env, validate

from governance.platform import embedded, timeouts
from governance.platform.bounded_connection import connection_class, longest_silence
from governance.platform.installation_secrets import Secrets, get_or_create_secrets
from governance.web.admin_theme import UNFOLD  # noqa: F401 - a setting by its name

# Batches are small and processes many: threads of polars would only wait for each other. Read when polars is imported.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.str("STILLWATCH_DATA", str(BASE_DIR / ".data"))).expanduser().resolve()

# Where Stillwatch is reached -----------------------------------------------------------------------------------

PUBLIC_URL = env.str("STILLWATCH_URL", "https://localhost").rstrip("/")
_public = urlsplit(PUBLIC_URL)
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
    _secrets = Secrets(env.str("SECRET_KEY", ""), env.str("FINGERPRINT_KEY", ""), env.str("EXCERPT_KEY", ""))
    if not (DATABASE_URL and BROKER_URL and all(_secrets)):
        raise ImproperlyConfigured(
            "Servers of your own need DATABASE_URL, BROKER_URL, SECRET_KEY, FINGERPRINT_KEY and EXCERPT_KEY."
        )
SECRET_KEY = _secrets.secret_key
FINGERPRINT_KEY = _secrets.fingerprint_key.encode()
EXCERPT_KEYS = [key.encode() for key in _secrets.excerpt_key.split(";")]

ENGINE = "governance.platform.postgresql"
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=600, conn_health_checks=True, engine=ENGINE)}
_owner = dj_database_url.parse(MIGRATE_DATABASE_URL)
if _owner["NAME"] != DATABASES["default"]["NAME"]:
    raise ImproperlyConfigured("DATABASE_URL and MIGRATE_DATABASE_URL must name the same database: set both.")
DATABASE_OWNER: dict[str, Any] = {name: _owner[name] for name in ("USER", "PASSWORD", "HOST", "PORT")}
# Said by the process itself, before it reads this: see wsgi.py and celery.py.
_process = env.str(timeouts.PROCESS, "command", validate=validate.OneOf([*timeouts.DEFAULTS]))
_timeouts = timeouts.DEFAULTS[_process] | env.dict(f"DATABASE_TIMEOUTS_{_process.upper()}", {})
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
        "connection_class": connection_class(_most),
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
    "rest_framework",
    "template_partials",
    "governance.apps.GovernanceConfig",
    "governance.platform",
    "governance.audit",
    "governance.staff",
    "governance.web.apps.WebConfig",
    "accounts",
    "governance.usage",
    "governance.detection",
    "governance.campaigns",
    "governance.restrictions",
    "governance.gateways",
    "governance.webhooks",
    "governance.review",
    "governance.policies",
]

MIDDLEWARE = [
    "governance.web.api_responses.ApiResponseMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "governance.web.middleware.RefuseNulMiddleware",
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

# Who may do what -----------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "staff.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = reverse_lazy("sign-in")
LOGIN_REDIRECT_URL = reverse_lazy("review:queue")
LOGOUT_REDIRECT_URL = LOGIN_URL
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "governance.web.views.csrf_failure"
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
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

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["governance.web.authentication.ServiceKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["governance.web.authentication.HoldsScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["governance.web.parsing.BoundedJsonParser"],
    "DEFAULT_METADATA_CLASS": "governance.web.methods.ScopesMetadata",
    "EXCEPTION_HANDLER": "governance.web.problems.problem_response",
    "UNAUTHENTICATED_USER": None,
    # ASCII with escapes: an error may repeat what was sent, and half a character cannot be written otherwise.
    "UNICODE_JSON": False,
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
    {"socket_connect_timeout": 1, "socket_timeout": 5, "visibility_timeout": 300}
    if BROKER_URL.startswith("redis")
    else {}
)
CELERY_TASK_PUBLISH_RETRY = False
# What waits for others, who may be slow, has a worker of its own with threads: nothing else ever waits behind it.
CELERY_TASK_ROUTES = {
    f"governance.tasks.{task}": {"queue": "delivery"}
    for task in ("deliver_restrictions", "deliver_webhook", "compare_gateways", "probe_gateways")
}
# Under a backlog these must not pile up, and clocks may differ by seconds: so half a minute.
CELERY_BEAT_SCHEDULE = {
    "score-dirty-accounts": {
        "task": "governance.tasks.score_dirty_accounts",
        "schedule": 2.0,
        "options": {"expires": 30},
    },
    "rescore-changed-licences": {
        "task": "governance.tasks.rescore_changed_licences",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "end-expired-restrictions": {
        "task": "governance.tasks.end_expired_restrictions",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "cover-new-names": {
        "task": "governance.tasks.cover_new_names",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "deliver-restrictions": {
        "task": "governance.tasks.deliver_restrictions",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "compare-gateways": {"task": "governance.tasks.compare_gateways", "schedule": 60.0, "options": {"expires": 60}},
    "probe-gateways": {"task": "governance.tasks.probe_gateways", "schedule": 30.0, "options": {"expires": 30}},
    "carry-out-policies": {
        "task": "governance.tasks.apply_policies",
        "schedule": 15.0,
        "options": {"expires": 30},
    },
    "carry-out-decisions": {
        "task": "governance.tasks.apply_unfinished_decisions",
        "schedule": 10.0,
        "options": {"expires": 30},
    },
    "heartbeat-of-worker": {
        "task": "governance.tasks.record_heartbeat",
        "schedule": 5.0,
        "args": ["celery"],
        "options": {"expires": 30},
    },
    "heartbeat-of-courier": {
        "task": "governance.tasks.record_heartbeat",
        "schedule": 5.0,
        "args": ["delivery"],
        "options": {"expires": 30, "queue": "delivery"},
    },
    "prepare-partitions": {"task": "governance.tasks.prepare_partitions", "schedule": timedelta(hours=6)},
    "drop-old-usage": {"task": "governance.tasks.drop_old_usage", "schedule": timedelta(hours=1)},
    "note-strangers": {"task": "governance.tasks.record_stranger_failures", "schedule": timedelta(minutes=15)},
    "delete-expired-rows": {"task": "governance.tasks.delete_expired_rows", "schedule": timedelta(hours=6)},
    "delete-expired-excerpts": {"task": "governance.tasks.delete_expired_excerpts", "schedule": timedelta(hours=1)},
}

# How Stillwatch works ------------------------------------------------------------------------------------------

DEMO = env.str("STILLWATCH_DEMO", "full" if EMBEDDED else "none", validate=validate.OneOf(["full", "small", "none"]))
DEMO_STAFF_FILE = DATA_DIR / "demo-staff.json"
EVENT_DAYS = env.int("EVENT_DAYS", 90, validate=validate.Range(min=31))
PROFILE_DAYS = env.int("PROFILE_DAYS", 400, validate=validate.Range(min=31))
INTAKE_MAX_LAG = env.int("INTAKE_MAX_LAG", 900, validate=validate.Range(min=0))
NEW_NAMES_AN_HOUR = env.int("NEW_NAMES_AN_HOUR", 2_000, validate=validate.Range(min=0))
EXCERPTS_PER_DAY = env.int("EXCERPTS_PER_DAY", 3)
EXCERPT_DAYS = env.int("EXCERPT_DAYS", 30)
UNREADABLE_NAMES = env.str("UNREADABLE_NAMES", "refuse", validate=validate.OneOf(["refuse", "outage"]))
FAIL_CLOSED_PLANS: list[str] = env.list("FAIL_CLOSED_PLANS", [])
WEBHOOK_PRIVATE_NETWORKS: list[str] = env.list("WEBHOOK_PRIVATE_NETWORKS", [])
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
TERMS_CLAUSES = env.list(
    "TERMS_CLAUSES",
    [
        "2.3 No training of competing models",
        "2.4 No automated extraction of answers",
        "2.6 Stay within the declared use",
        "3.1 One customer, one account",
        "3.2 True particulars at sign-up",
        "3.4 No resale of access",
    ],
    delimiter=";",
)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "governance.web.logs.VisibleFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "filters": {"refusals": {"()": "governance.web.logs.WithoutTraceback"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["refusals"]}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
}
