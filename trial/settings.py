"""Settings. What differs between machines comes from the environment (docs/configuration.md)."""

from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF

from trial import local_secrets

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

TRAINING = env.bool("TRAINING", default=True)
"""True: made-up data, a yellow stripe on every page, secrets of its own. Production says TRAINING=0."""

VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
if TRAINING and "SECRET_KEY" not in env.ENVIRON:
    local_secrets.ensure(VAR_DIR / "local.env")
    env.read_env(str(VAR_DIR / "local.env"))

SECRET_KEY = env.str("SECRET_KEY")
IDENTITY_KEYS: list[str] = env.list("IDENTITY_KEYS")  # Fernet keys, first wraps, all unwrap
LOOKUP_KEY = env.str("LOOKUP_KEY")  # keyed hashes for exact look-up
SEALING_KEYS: list[str] = env.list("SEALING_KEYS", default=[])  # randomisation.md 6.2
HIGH_WATER_FILE = Path(env.str("HIGH_WATER_FILE", default=str(VAR_DIR / "high_water.json")))  # randomisation.md 9.15
DEBUG = False
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "trial.apps.TrialConfig",
    "randomisation.apps.RandomisationConfig",
    "exports.apps.ExportsConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "simple_history",
    "import_export",
    "django_tasks",
    "phonenumber_field",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.admin.apps.SimpleAdminConfig",  # only trial.operations.admin registers tables
    "django.forms",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "trial.base.middleware.request_id",
    "csp.middleware.CSPMiddleware",
    "trial.base.middleware.refuse_control_characters",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "trial.access.middleware.limit_idle_time",
    "trial.access.middleware.require_second_factor",
    "trial.base.middleware.SealedDetails",
    "trial.locking.middleware.LockedData",
    "trial.access.drafts.around_forms",
]

ROOT_URLCONF = "trial.urls"
WSGI_APPLICATION = "trial.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "trial.protocol.context.page",
            ],
            "builtins": ["trial.base.templatetags.page"],
        },
    }
]
FORM_RENDERER = "trial.base.renderer.HedgerowRenderer"

# SQLite is the embedded default; DATABASE_URL=postgres://… is production.
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url_config(env.str("DATABASE_URL", default="") or f"sqlite:///{VAR_DIR / 'hedgerow.sqlite3'}"),
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    DATABASES["default"]["OPTIONS"] = {
        # IMMEDIATE takes the write lock at BEGIN, so that a writer never fails half-way (randomisation.md 8.4).
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # Without recursive triggers, INSERT OR REPLACE would take a row away past the trigger that keeps it.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
        " PRAGMA recursive_triggers=ON;",
    }
    # Long reads use a connection of their own: with IMMEDIATE even a read inside atomic() blocks every writer.
    DATABASES["reading"] = {
        **DATABASES["default"],
        "OPTIONS": {"transaction_mode": "DEFERRED", "timeout": 20, "init_command": "PRAGMA query_only=ON;"},
        "TEST": {"MIRROR": "default"},
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    DATABASES["default"]["OPTIONS"] = {"options": "-c lock_timeout=5000"}
    DATABASES["reading"] = {
        **DATABASES["default"],
        "OPTIONS": {
            "options": "-c default_transaction_read_only=on "
            "-c default_transaction_isolation=repeatable\\ read -c lock_timeout=5000"
        },
        "TEST": {"MIRROR": "default"},
    }
# Rate limits count over every worker: the cache is a table, made by migrate.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "shared_cache"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people -------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "trial.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # an administrator makes each account; nobody signs up
ACCOUNT_ADAPTER = "trial.access.adapter.AccountAdapter"
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_RATE_LIMITS = {"login_failed": "5/5m/key,50/1h/ip", "reauthenticate": "10/m/user"}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_CHANGE_EMAIL = False
MFA_ADAPTER = "trial.access.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Hedgerow"
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", default=not TRAINING)
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/home/"
SESSION_COOKIE_AGE = env.int("IDLE_MINUTES", default=15) * 60
REGISTER_IDLE_SECONDS = env.int("REGISTER_IDLE_MINUTES", default=5) * 60  # on the leader's phone
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

# --- security -----------------------------------------------------------------------------------------
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not TRAINING
SECURE_HSTS_SECONDS = 0 if TRAINING else 31_536_000
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "trial.base.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # data: is for the second factor's QR code
        "connect-src": [SELF],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
UPLOAD_MAX_BYTES = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = UPLOAD_MAX_BYTES  # a list of people is never written to a temporary file

# --- words, times, files ------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English"), ("cy", "Cymraeg")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/London"
USE_I18N = True
USE_TZ = True
PHONENUMBER_DEFAULT_REGION = "GB"

INTEREST_PER_ADDRESS = env.int("INTEREST_PER_ADDRESS", default=20)  # public page: sendings an hour from one address
INTEREST_ALTOGETHER = env.int("INTEREST_ALTOGETHER", default=120)  # and from all together
SECURE_MAIL_DOMAINS: list[str] = env.list("SECURE_MAIL_DOMAINS", default=["nhs.net"])  # messages back go nowhere else
INTEREST_KEPT_DAYS = env.int("INTEREST_KEPT_DAYS", default=60)  # days after which nobody is called any more

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "trial.base.staticfiles.ManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WITHHELD_WORDING: list[str] = env.list("WITHHELD_WORDING", default=[])  # codes of instruments shown without their words
RELEASE_DIR = Path(env.str("RELEASE_DIR", default=str(VAR_DIR / "releases")))
SCAN_DIR = Path(
    env.str("SCAN_DIR", default=str(VAR_DIR / "scans"))
)  # sealed scans of paper forms, never served as files
BACKUP_RETENTION_DAYS = env.int("BACKUP_RETENTION_DAYS", default=35)
"""Days after which the last backup that holds a destroyed key must be gone."""
IDENTITY_RETENTION_MONTHS = env.int("IDENTITY_RETENTION_MONTHS", default=12)
RESEARCH_RETENTION_MONTHS = env.int("RESEARCH_RETENTION_MONTHS", default=120)
"""Months after the end of the study for which names and ways to reach people, and research data, are kept (R-36)."""
STUDY_END_DATE = env.str("STUDY_END_DATE", default="")
"""Day on which the study ended as declared, ISO 8601; until it is known nobody's time runs out."""

# --- messages and jobs --------------------------------------------------------------------------------
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = str(VAR_DIR / "mail")
EMAIL_HOST = env.str("EMAIL_HOST", default="localhost")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000")
"""Where participants reach this site, without a slash at the end: links in messages start with it."""
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Green prescription study <study@example.org>")
TASKS = {"default": {"BACKEND": env.str("TASKS_BACKEND", default="django_tasks.backends.immediate.ImmediateBackend")}}

SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "trial.base.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
}
