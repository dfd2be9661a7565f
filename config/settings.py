"""Settings of one deployment, all of them from the environment.

Nothing set: SQLite, the embedded broker and everything else below var/, safe to put behind an HTTPS proxy.
docs/settings.md lists the variables.
"""

import os
import secrets
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from kombu import Exchange, Queue

from config import embedded_broker, logs

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()


def secret_key_file(path: Path) -> str:
    """Return the key kept in this file, made on first use and readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    if not path.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            os.link(draft, path)  # fails, rather than replaces, when another process was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


SECRET_KEY = env.str("SECRET_KEY", default="") or secret_key_file(DATA_DIR / "secret_key")
DEBUG = env.bool("DEBUG", default=False)
HTTPS = env.bool("HTTPS", default=True)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# The contact centre

TENANT_ID = env.str("TENANT_ID", default="t_default")
PUBLIC_URL = env.str("PUBLIC_URL", default="")
PHONE_REGION = env.str("PHONE_REGION", default="US")

# Mail; without a server of one's own it is written to files below DATA_DIR

EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_PORT = env.int("EMAIL_PORT", default=587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", default=False)
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=not EMAIL_USE_SSL)
EMAIL_TIMEOUT = 20
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
EMAIL_FILE_PATH = DATA_DIR / "mails"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="")

# Applications

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "config.back_office.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_filters",
    "django_htmx",
    "guardian",
    "import_export",
    "lucide",
    "oauth2_provider",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "contacts",
    "queues",
    "workitems",
    "workitems.api",
]

MIDDLEWARE = [
    "workitems.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.compression.PagesGZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "workitems.pages.live.UnchangedMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.sessions.LongestSessionMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "workitems.api.accounts.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "workitems.middleware.TextMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False  # every path of ours answers with and without its last slash

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
                "workitems.pages.shell.context",
            ],
            "libraries": {"list_tags": "workitems.admin.list_tags", "desk": "workitems.pages.tags"},
        },
    },
]

# Database

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'workitems.sqlite3'}")
}
DATABASE = DATABASES["default"]
if DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE takes the write lock at the start, which is what makes "lock, check, write" hold on SQLite.
    DATABASE["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;",
    }
    if "TEST_DATABASE" in os.environ:
        DATABASE["TEST"] = {"NAME": os.environ["TEST_DATABASE"]}
elif DATABASE["ENGINE"] == "django.db.backends.postgresql":
    DATABASE["CONN_HEALTH_CHECKS"] = True  # or those who come first after a restart get connections that lead nowhere
    DATABASE["OPTIONS"] = {
        "pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL_SIZE", default=8), "timeout": 10},
        "options": "-c statement_timeout=30s -c lock_timeout=10s",
    }

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SILENCED_SYSTEM_CHECKS = [
    "models.W040",  # SQLite leaves the extra columns of a covering index out, which costs it speed and nothing else
]

# People

AUTHENTICATION_BACKENDS = [
    "workitems.api.sign_in.GuardedBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = reverse_lazy("home")
LOGOUT_REDIRECT_URL = reverse_lazy("account_login")
PASSWORD_RESET_TIMEOUT = int(timedelta(days=3).total_seconds())

SECOND_FACTOR = env.str("SECOND_FACTOR", default="staff")  # who must have one: staff, everyone, or off
ACCOUNT_ADAPTER = "workitems.api.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "workitems.api.accounts.SignInForm",
    "reauthenticate": "workitems.api.accounts.PasswordAgainForm",
    "change_password": "workitems.api.accounts.NewPasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {
    "login": False,
    "login_failed": False,
    "change_password": False,
    "reauthenticate": False,
}  # sign_in.py counts in rows that all processes share
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
MFA_ADAPTER = "workitems.api.accounts.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "workitems.api.accounts.CodeForm",
    "reauthenticate": "workitems.api.accounts.CodeOnceMoreForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # whom a colleague has invited needs no address at all

SESSION_COOKIE_AGE = int(timedelta(minutes=30).total_seconds())  # of idleness, as config/sessions.py counts it

# Browser security

SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
    }
}

# Language, time, files

LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Collected files are served under names that change with their content; without them, straight from the source.
COLLECTED_DIR = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
COLLECTED = "collectstatic" in sys.argv or (COLLECTED_DIR / "staticfiles.json").exists()
STATIC_ROOT = COLLECTED_DIR if COLLECTED else None
WHITENOISE_USE_FINDERS = not COLLECTED
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# REST

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "workitems.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["workitems.api.parsing.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["workitems.api.rendering.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "workitems.api.openapi.document.Schema",
    "URL_FORMAT_OVERRIDE": None,
    "EXCEPTION_HANDLER": "workitems.api.errors.answer_to",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Workitems",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "DESCRIPTION": "The back office for contact centres: the vendor's paths, and our own under /api/v1/.",
    "SCHEMA_PATH_PREFIX": "/",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": False,
    "COMPONENT_SPLIT_PATCH": False,
    "ENFORCE_NON_BLANK_FIELDS": True,
    "POSTPROCESSING_HOOKS": ["workitems.api.openapi.document.tidy"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SECURITY": [],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer"},
            "password": {"type": "http", "scheme": "basic"},
        }
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": False, "displayOperationId": True},
}
RATE_LIMIT_PER_MINUTE = env.int("RATE_LIMIT_PER_MINUTE", default=1200)  # for each token; 0 is no limit
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}
if CACHES["default"]["BACKEND"].endswith("RedisCache"):  # a hung server must not hang a request
    CACHES["default"]["OPTIONS"] = {"socket_timeout": 1, "socket_connect_timeout": 1}

OAUTH2_PROVIDER_APPLICATION_MODEL = "api.Application"
OAUTH2_PROVIDER = {
    "SCOPES": {
        "workitems:read": _("See workitems"),
        "workitems:write": _("Create and change workitems"),
        "workitems:delete": _("Delete or archive workitems"),
        "workitems:admin": _("Everything"),
    },
    "ACCESS_TOKEN_EXPIRE_SECONDS": int(timedelta(minutes=15).total_seconds()),
    "ACCESS_TOKEN_GENERATOR": "workitems.api.oauth.make_access_token",
    "REFRESH_TOKEN_GENERATOR": "workitems.api.oauth.make_refresh_token",
    "REFRESH_TOKEN_EXPIRE_SECONDS": int(timedelta(days=30).total_seconds()),  # of idleness
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "OAUTH2_SERVER_CLASS": "workitems.api.oauth.Server",
    "OAUTH2_VALIDATOR_CLASS": "workitems.api.oauth.Validator",
    "SCOPES_BACKEND_CLASS": "workitems.api.oauth.ApplicationScopes",
    "CLEAR_EXPIRED_TOKENS_BATCH_SIZE": 1_000,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
}

# Jobs: a message is only a wake-up, the work stands in rows. Each line was learned by killing workers.

BROKER_DIR = DATA_DIR / "broker"
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="embedded://localhost")
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_SOFT_TIME_LIMIT = 540
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Nothing here uses it, and its queue bears the worker's name: RabbitMQ would refuse a second worker on one machine.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
# Two queues, so that a bulk job never delays an offer; a worker that is not told which takes from both.
CELERY_QUEUE_PREFIX = env.str("CELERY_QUEUE_PREFIX", default="")
INTERACTIVE, BULK = f"{CELERY_QUEUE_PREFIX}interactive", f"{CELERY_QUEUE_PREFIX}bulk"
QUEUE_ARGUMENTS = {"x-queue-type": "quorum"} if CELERY_BROKER_URL.startswith("amqp") else {}
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name), routing_key=name, queue_arguments=QUEUE_ARGUMENTS) for name in (INTERACTIVE, BULK)
]
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_DEFAULT_QUEUE = INTERACTIVE
CELERY_TASK_ROUTES = {
    "workitems.tasks.run_transfer": {"queue": BULK},
    "workitems.tasks.run_policy": {"queue": BULK},
    "workitems.tasks.run_bulk": {"queue": BULK},
    "workitems.tasks.sweep_stale": {"queue": BULK},
    "workitems.admin.tasks.run_export": {"queue": BULK},
    "workitems.admin.tasks.run_import": {"queue": BULK},
}
CELERY_BROKER_CONNECTION_TIMEOUT = 1.5
BROKER_TRIES = {"max_retries": 0, "interval_start": 0}  # config/publishing.py tries again where that is worth it
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any]
if CELERY_BROKER_URL.startswith("embedded:"):
    CELERY_BROKER_TRANSPORT_OPTIONS = embedded_broker.transport_options(BROKER_DIR)
    # Pool processes on such a transport share one pipe and its lock: one that is killed while it waits keeps the lock,
    # and the pool stands still for ever. Without a pool, who kills kills the worker, and its successor goes on.
    CELERY_WORKER_POOL = "solo"
elif CELERY_BROKER_URL.startswith("redis"):
    # A hung server must not hang a request: short time-outs, no retry. The two "unacked" lines are what makes
    # visibility_timeout bring a killed worker's message back within it, and not after minutes.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 900,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 2,
        "socket_connect_timeout": 1,
        **BROKER_TRIES,
    }
elif CELERY_BROKER_URL.startswith("amqp"):
    CELERY_TASK_DEFAULT_QUEUE_TYPE = "quorum"
    CELERY_WORKER_DETECT_QUORUM_QUEUES = True
    CELERY_BROKER_TRANSPORT_OPTIONS = {"confirm_publish": True, **BROKER_TRIES}


def periodic(task: str, seconds: float) -> dict[str, Any]:
    """Return an entry of the schedule; nobody works off the messages of a long standstill one by one."""
    return {"task": task, "schedule": seconds, "options": {"expires": max(30.0, seconds)}}


# By the name of the task: what is periodic claims its slot by it (workitems/beat.py).
CELERY_BEAT_SCHEDULE = {
    "expire_offers": periodic("workitems.tasks.expire_offers", 2.0),
    "keep_assigning": periodic("workitems.tasks.keep_assigning", 5.0),
    "drive_runs": periodic("workitems.tasks.drive_runs", 5.0),
    "keep_sending": periodic("workitems.tasks.keep_sending", 15.0),
    "sweep_stale": periodic("workitems.tasks.sweep_stale", 60.0),
    "apply_hours": periodic("workitems.tasks.apply_hours", 30.0),
    "drive_exports": periodic("workitems.admin.tasks.drive_exports", 5.0),
    "forget_exports": periodic("workitems.admin.tasks.forget_exports", 3600.0),
    "forget": periodic("workitems.api.tasks.forget", 3600.0),
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")

# Watching

HEALTH_FAILS_ON = env.list("HEALTH_FAILS_ON", default=["database", "migrations", "broker", "work"])
HEALTH_WORK_SECONDS = env.int("HEALTH_WORK_SECONDS", default=300)
HEALTH_BEAT_SECONDS = env.int("HEALTH_BEAT_SECONDS", default=60)
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
SECURE_REDIRECT_EXEMPT = [r"^health/"]  # probes ask the process itself, which knows no HTTPS

# Logs

LOGGING = logs.configuration(env.str("LOG_FORMAT", default="line"), env.str("LOG_LEVEL", default="INFO"))

# The admin's looks

ENVIRONMENT_NAME = env.str("ENVIRONMENT_NAME", default="")

UNFOLD = {
    "SITE_TITLE": "Workitems",
    "SITE_HEADER": "Workitems",
    "SITE_SUBHEADER": _("Back office"),
    "SITE_URL": reverse_lazy("home"),
    "SHOW_VIEW_ON_SITE": True,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("favicon.svg")},
    ],
    "ENVIRONMENT": "config.back_office.environment",
    "ENVIRONMENT_TITLE_PREFIX": "config.back_office.title_prefix",
    "STYLES": [lambda request: static("admin.css"), lambda request: static("site.css")],
    "SCRIPTS": [lambda request: static("site.js")],
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": "workitems.admin.navigation.sidebar",
    },
    "COLORS": {
        # the blue of the other pages, in the theme's steps; white reads on 600, and 500 reads on dark
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(70.7% .165 254.624)",
            "600": "oklch(48.8% .243 264.376)",
            "700": "oklch(42.4% .199 265.638)",
            "800": "oklch(37.9% .146 265.522)",
            "900": "oklch(33% .12 266)",
            "950": "oklch(28.2% .091 267.935)",
        },
    },
}
