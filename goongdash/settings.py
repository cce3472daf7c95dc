"""Django's settings, read once from the environment (the table is in README.md).

Development needs no variable at all: it runs its own PostgreSQL and Redis and keeps made-up secrets in
DATA_DIR. Production (GOONGDASH_ENV=production) refuses to start without its own.
"""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError, validate

from goongdash.embedded import paths
from goongdash.folders import folder
from goongdash.networks import networks
from goongdash.rates import rate
from goongdash.secrets import development_secrets

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = paths.data_dir()

env = Env(expand_vars=False)
env.add_parser("networks", networks)
env.add_parser("folder", folder)
env.add_parser("rate", rate)

try:
    GOONGDASH_ENV = env.str("GOONGDASH_ENV", "development", validate=validate.OneOf(["development", "production"]))
    IS_PRODUCTION = GOONGDASH_ENV == "production"
    DEBUG = env.bool("DEBUG", False)
    LOG_LEVEL = env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))
    LOG_FORMAT = env.str("LOG_FORMAT", "json", validate=validate.OneOf(["json", "text"]))

    _made = {} if IS_PRODUCTION else development_secrets(DATA_DIR)
    SECRET_KEY = env.str("SECRET_KEY", _made.get("SECRET_KEY", ""))
    KEY_LOOKUP_SECRET = env.str("KEY_LOOKUP_SECRET", _made.get("KEY_LOOKUP_SECRET", ""))
    # The first encrypts; the others still decrypt what they once encrypted.
    KEY_ENCRYPTION_SECRETS = env.list("KEY_ENCRYPTION_SECRET", [_made.get("KEY_ENCRYPTION_SECRET", "")])

    _postgres = validate.Regexp(r"^$|^postgres(ql)?://", error="Write it as postgresql://user:password@host:5432/name.")
    _redis = validate.Regexp(r"^$|^(rediss?|unix)://", error="Write it as redis://user:password@host:6379/0.")
    DATABASE_URL = env.str("DATABASE_URL", "", validate=_postgres) or paths.database_url(DATA_DIR)
    REDIS_URL = env.str("REDIS_URL", "", validate=_redis) or paths.redis_url(DATA_DIR)
    # Every Redis key begins with this, so that one Redis can serve several installations (and tests).
    REDIS_PREFIX = env.str("REDIS_PREFIX", "goongdash", validate=validate.Regexp(r"^[a-z0-9_.-]{1,40}$"))

    _url = validate.Regexp(r"^https?://[^/\s]+/?$", error="Write it as https://api.example.com.")
    PORT = env.int("PORT", 8000, validate=validate.Range(1, 65_535))
    GATE_PORT = env.int("GATE_PORT", 8001, validate=validate.Range(1, 65_535))
    GATE_HOST = env.str("GATE_HOST", "127.0.0.1")
    GATE_PUBLIC_URL = env.str("GATE_PUBLIC_URL", f"http://127.0.0.1:{GATE_PORT}", validate=_url).rstrip("/")
    # How the dashboard's address reads in mails.
    WEB_PUBLIC_URL = env.str("WEB_PUBLIC_URL", f"http://127.0.0.1:{PORT}", validate=_url).rstrip("/")
    TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES", [])
    METRICS_FROM = env.networks("METRICS_FROM", networks("127.0.0.0/8, ::1"))
    KEY_CACHE_TTL_S = env.int("KEY_CACHE_TTL_S", 300, validate=validate.Range(1, 3_600))
    KEY_CACHE_SIZE = env.int("KEY_CACHE_SIZE", 100_000, validate=validate.Range(100, 10_000_000))
    STORE_TIMEOUT_MS = env.int("STORE_TIMEOUT_MS", 1_000, validate=validate.Range(10, 60_000))
    GATE_PROCESSES = env.int("GATE_PROCESSES", 1, validate=validate.Range(1, 1_024))
    GATE_WHEN_STORE_FAILS = env.str("GATE_WHEN_STORE_FAILS", "closed", validate=validate.OneOf(["closed", "open"]))
    GATE_SPOOL_DIR = env.folder("GATE_SPOOL_DIR", DATA_DIR / "spool")
    # Of the whole folder, so that gates that die again and again do not fill the disk.
    GATE_SPOOL_MAX_BYTES = env.int("GATE_SPOOL_MAX_BYTES", 268_435_456, validate=validate.Range(4_096, 2**40))

    USAGE_SHARDS = env.int("USAGE_SHARDS", 1, validate=validate.Range(1, 1_024))
    # A country database in MaxMind's format; without one, usage has no countries.
    GEOIP_DATABASE = env.str("GEOIP_DATABASE", "")
    RAW_RETENTION_DAYS = env.int("RAW_RETENTION_DAYS", 35, validate=validate.Range(1, 3_650))
    # Whether pages show callers' addresses with their last part, which makes them personal data.
    SHOW_WHOLE_ADDRESSES = env.bool("SHOW_WHOLE_ADDRESSES", False)
    # The database refuses to delete younger entries.
    AUDIT_RETENTION_DAYS = env.int("AUDIT_RETENTION_DAYS", 366, validate=validate.Range(366, 36_500))
    NOTICE_RETENTION_DAYS = env.int("NOTICE_RETENTION_DAYS", 365, validate=validate.Range(1, 36_500))
    # When an account is told of an origin, or of a key that is used far more than usual (stats/spikes.py).
    ORIGIN_LEARNING_HOURS = env.int("ORIGIN_LEARNING_HOURS", 24, validate=validate.Range(0, 8_760))
    ORIGIN_MIN_REQUESTS = env.int("ORIGIN_MIN_REQUESTS", 20, validate=validate.Range(1, 10**9))
    ORIGIN_SPIKE_MIN_REQUESTS = env.int("ORIGIN_SPIKE_MIN_REQUESTS", 100, validate=validate.Range(1, 10**9))
    ORIGIN_SPIKE_PERCENT = env.int("ORIGIN_SPIKE_PERCENT", 50, validate=validate.Range(1, 100))
    ORIGIN_USUAL_PERCENT = env.int("ORIGIN_USUAL_PERCENT", 10, validate=validate.Range(0, 100))
    KEY_SPIKE_FACTOR = env.int("KEY_SPIKE_FACTOR", 5, validate=validate.Range(2, 1_000))
    KEY_SPIKE_MIN_REQUESTS = env.int("KEY_SPIKE_MIN_REQUESTS", 200, validate=validate.Range(1, 10**9))
    KEY_SPIKE_LEARNING_DAYS = env.int("KEY_SPIKE_LEARNING_DAYS", 3, validate=validate.Range(1, 7))
    KEY_SPIKE_QUOTA = env.int("KEY_SPIKE_QUOTA", 100, validate=validate.Range(0, 10**9))
    # How often one token may ask the usage API.
    USAGE_API_RATE = env.rate("USAGE_API_RATE", rate("60/m"))
    _zone = validate.OneOf(available_timezones(), error="{input!r} is no time zone; write it as Asia/Ho_Chi_Minh.")
    BILLING_TIME_ZONE = env.str("BILLING_TIME_ZONE", "Asia/Ho_Chi_Minh", validate=_zone)

    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [] if IS_PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
    CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
    DOCS_URL = env.str("DOCS_URL", "https://docs.goong.io/", validate=validate.URL())
    # Off where the site itself is served without TLS (a laptop, a test installation).
    SECURE_COOKIES = env.bool("SECURE_COOKIES", IS_PRODUCTION)
    # How many proxies of yours stand before the dashboard and append to X-Forwarded-For.
    ALLAUTH_TRUSTED_PROXY_COUNT = env.int("WEB_PROXY_COUNT", 0, validate=validate.Range(0, 10))

    # Off where empty: deposits are then recorded by operators only.
    PAYMENT_PROVIDER = env.str("PAYMENT_PROVIDER", "", validate=validate.OneOf(["", "stripe"]))
    STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", "")
    STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", "")
    STRIPE_API_URL = env.str("STRIPE_API_URL", "")

    EMAIL_HOST = env.str("EMAIL_HOST", "")
    EMAIL_PORT = env.int("EMAIL_PORT", 587, validate=validate.Range(1, 65_535))
    EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
    EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
    EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", True)
    DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Goongdash <no-reply@localhost>")
except (EnvError, ValueError) as error:
    raise ImproperlyConfigured(f"The environment is not usable: {error}") from error

try:
    DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True)}
except ValueError:
    # Not the text itself, nor the error that quotes it: there is a password in it.
    raise ImproperlyConfigured(
        'The environment is not usable: "DATABASE_URL" is no URL; percent-encode what is special in its parts.'
    ) from None

if IS_PRODUCTION and DEBUG:
    raise ImproperlyConfigured("DEBUG shows secrets to whoever causes an error; it cannot be on in production.")

_missing = [
    name
    for name, value in {
        "SECRET_KEY": SECRET_KEY,
        "KEY_LOOKUP_SECRET": KEY_LOOKUP_SECRET,
        # Each of them: the shortest is as strong as the whole list.
        "KEY_ENCRYPTION_SECRET": min(KEY_ENCRYPTION_SECRETS, key=len, default=""),
        "ALLOWED_HOSTS": "".join(ALLOWED_HOSTS),
    }.items()
    if len(value) < (4 if name == "ALLOWED_HOSTS" else 32)
]
if _missing:
    raise ImproperlyConfigured(f"Set {', '.join(_missing)}: hosts to answer for, secrets of at least 32 characters.")

if PAYMENT_PROVIDER == "stripe" and not (STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET):
    raise ImproperlyConfigured("Payments through Stripe need STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET.")

BILLING_ZONE = ZoneInfo(BILLING_TIME_ZONE)

INSTALLED_APPS = [
    "accounts",
    "keys",
    "stats",
    "billing",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.UserLanguageMiddleware",
    "accounts.middleware.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.CurrentAccountMiddleware",
]

ROOT_URLCONF = "goongdash.urls"
WSGI_APPLICATION = "goongdash.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context_processors.site",
            ],
        },
    }
]

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_FORMS = {"signup": "accounts.forms.SignupForm"}

MFA_ADAPTER = "accounts.adapter.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "add_webauthn": "accounts.passkey_forms.AddPasskeyForm",
    "edit_webauthn": "accounts.passkey_forms.RenamePasskeyForm",
}
MFA_TOTP_ISSUER = "Goongdash"
# A phone's clock may be half a minute off.
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE_COOKIES

USERSESSIONS_ADAPTER = "accounts.adapter.UserSessionsAdapter"

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
if not EMAIL_HOST:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"
    # Mails hold links that let their reader in.
    EMAIL_FILE_PATH.mkdir(mode=0o700, parents=True, exist_ok=True)

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": f"{REDIS_PREFIX}:cache",
    }
}

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "tasks"
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": f"{REDIS_PREFIX}:"}
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = BILLING_TIME_ZONE

LANGUAGE_CODE = "en"
# Each in its own words, for those who can't read the other.
LANGUAGES = [("en", "English"), ("vi", "Tiếng Việt")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "goongdash.formats"
LANGUAGE_COOKIE_AGE = 31_536_000
LANGUAGE_COOKIE_SECURE = SECURE_COOKIES
USE_I18N = True
USE_TZ = True
TIME_ZONE = BILLING_TIME_ZONE

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles" if IS_PRODUCTION else None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
# Development serves straight from static/; production from what collectstatic gathered.
WHITENOISE_USE_FINDERS = not IS_PRODUCTION

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
        # The form that starts a payment is answered with a redirect to the provider's page.
        "form-action": [SELF, "https://checkout.stripe.com"] if PAYMENT_PROVIDER == "stripe" else [SELF],
    }
}
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ALLAUTH_TRUSTED_PROXY_COUNT else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_COOKIES else 0
SESSION_COOKIE_SECURE = SECURE_COOKIES
CSRF_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # Whether the domain's other hosts all have TLS is the domain owner's to say, not ours.
    "security.W008",  # What ends TLS redirects to it; here every request comes from that proxy, in the clear.
    "security.W021",  # Likewise the domain owner's: a preload list is not left again for months.
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(levelname)s %(name)s %(message)s",
            "rename_fields": {"levelname": "level", "name": "logger"},
            "timestamp": "at",
        },
        "text": {"format": "%(asctime)s %(levelname)-7s %(name)s  %(message)s", "datefmt": "%Y-%m-%dT%H:%M:%S%z"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
}
