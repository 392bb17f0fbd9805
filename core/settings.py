"""The composition root's settings: what runs, in which order, and where its data lies."""

from pathlib import Path

from core import database, logs
from core.environment import setting

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR: Path = setting("FILMROLL_DATA_DIR")
MODELS_DIR: Path | None = setting("FILMROLL_MODELS_DIR")
MEANING_PRESET: str = setting("FILMROLL_MEANING_PRESET")
MODEL_DOWNLOADS: bool = setting("FILMROLL_MODEL_DOWNLOADS")
CONCURRENCY: int = setting("FILMROLL_CONCURRENCY") or database.cores()
CHILD_MEMORY_MIB: int = setting("FILMROLL_CHILD_MEMORY_MIB")
ORIGINALS_DIR: Path | None = setting("FILMROLL_ORIGINALS_DIR")
UPLOAD_QUOTA_GIB: int = setting("FILMROLL_UPLOAD_QUOTA_GIB")
UPLOAD_DAYS: int = setting("FILMROLL_UPLOAD_DAYS")
RESCAN_HOURS: int = setting("FILMROLL_RESCAN_HOURS")
HOST: str = setting("FILMROLL_HOST")
PORT: int = setting("FILMROLL_PORT")

DEBUG: bool = setting("FILMROLL_DEBUG")
SECRET_KEY = setting("FILMROLL_SECRET_KEY") or database.kept_secret(DATA_DIR / "secret-key")
ALLOWED_HOSTS: list[str] = setting("FILMROLL_ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS: list[str] = setting("FILMROLL_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "procrastinate.contrib.django",
    "django_htmx",
    "heroicons",
    "ninja",
    "events",
    "core",
    "workers",
]
# Who hears of each event, in this order: read models first, the jobs last.
EVENT_CONSUMERS: list[str] = [
    "core.readmodels.libraries",
    "core.readmodels.mounts",
    "core.readmodels.files",
    "core.readmodels.photos",
    "core.readmodels.analysis",
    "core.readmodels.places",
    "core.readmodels.sidecars",
    "core.readmodels.stacks",
    "core.readmodels.duplicates",
    "core.readmodels.looks",
    "core.readmodels.uploads",
    "core.readmodels.faces",
    "core.readmodels.occasions",
    "core.readmodels.albums",
    "core.readmodels.searching",
    "core.readmodels.failures",
    "core.readmodels.forgotten",
    "workers.reactions",
]
EVENT_LIFTS = "core.domain.lifts"
# The function that writes down what events there are.
EVENT_CATALOGUE = "core.catalogue.catalogue"
# What follows the log at its own pace, in the workers.
EVENT_SUBSCRIPTIONS: list[str] = ["events.seals.SEALER"]

MIDDLEWARE = [
    "core.web.headers.security_headers",
    "django.middleware.security.SecurityMiddleware",
    "core.web.statics.StaticFiles",
    "core.web.typed.plain_text_only",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "core.urls"
# Pages of upper layers, mounted by name: (path, module).
MOUNTS = [("jobs/", "workers.console.urls")]
API_ROUTERS = [("/jobs", "workers.console.settingsapi.router"), ("/jobs", "workers.console.api.router")]
# Functions of upper layers, by name: which queues wait for what, and who writes a death into a photo's history,
# who says by a file's content whether it is welcome, who clears away uploads that nobody goes on with,
# who reads every tag of an original (in a child process), who tries again what failed, in the background,
# who has words described that somebody looks for, and why that is not possible.
UNMET_REQUIREMENTS = "workers.requirements.unmet_requirements"
UPLOAD_LOOK = "workers.uploads.look"
UPLOAD_BEGUN = "workers.uploads.sweep_later"
ALL_TAGS = "workers.alltags.all_tags_of"
RETRY_ALL = "workers.retryall.retry_all"
ASK_MEANING = "workers.meaning.ask"
MEANING_MISSING = "workers.presets.why_not"
JOB_DEAD_HOOK = "workers.deaths.record_dead"
ASGI_APPLICATION = "core.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "core.web.frame.frame",
            ],
            "builtins": ["django_htmx.templatetags.django_htmx", "core.web.icons"],
        },
    },
]

DATABASES = {"default": database.configuration(DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "tasks"
PROCRASTINATE_IMPORT_PATHS = ["workers.console.collecting"]

AUTH_USER_MODEL = "core.Account"
LOGIN_URL = "signin"
LOGIN_REDIRECT_URL = "timeline"
LOGOUT_REDIRECT_URL = "signin"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_AGE = 60 * 60 * 24 * 90
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
SERVESTATIC_USE_FINDERS = True
# What browsers ask for at the root, whatever the page.
SERVESTATIC_ROOT = BASE_DIR / "static" / "root"

LOGGING_CONFIG = "core.logs.configure"
LOGGING = logs.configuration(setting("FILMROLL_LOG_LEVEL"), json_lines=setting("FILMROLL_LOG_JSON"))
