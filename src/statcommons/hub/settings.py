"""Django's settings, made from the workspace: ``settings.toml``, and the environment where a server has its secrets.

``STATCOMMONS_WORKSPACE`` says which workspace, ``STATCOMMONS_DATABASE`` where the database is, when it is not the file
``hub.sqlite`` in it.
"""

from __future__ import annotations

import os
from pathlib import Path

from statcommons.core.workspace import workspace
from statcommons.hub.database import database

HOME = workspace()
HUB = HOME.settings.get("hub", {})
"""The table ``[hub]`` of the settings."""

_secret = HOME.path / "keys" / "secret"
SECRET_KEY = _secret.read_text(encoding="ascii") if _secret.is_file() else ""
DEBUG = False
ALLOWED_HOSTS = list(HUB.get("hosts", ["localhost", "127.0.0.1", "[::1]"]))
HUB_ID = str(HUB.get("id", "hub"))
"""The id of this hub in addresses, which stays its own when hubs exchange what they have."""
HUB_NAME = str(HUB.get("name", ""))
"""The office that keeps the hub."""

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "statcommons.hub.audit",
    "statcommons.hub.people",
    "statcommons.hub.methods",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "statcommons.hub.middleware.content_security",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "statcommons.hub.middleware.size_limit",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "statcommons.hub.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "statcommons.hub.frame.frame",
            ]
        },
    }
]
STATIC_URL = "/static/"
STATIC_ROOT = HOME.path / "static"
STATICFILES_DIRS = [Path(__file__).parent / "static"]
STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}

AUTH_USER_MODEL = "people.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = bool(HUB.get("https", False))
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
UPLOAD_MOST = int(HUB.get("upload_mb", 2_000)) * 1_000_000
"""Bytes that a person may bring at a time."""
DATABASES = {"default": database(os.environ.get("STATCOMMONS_DATABASE") or HUB.get("database"), HOME.path)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LEASE_SECONDS = float(HUB.get("lease_seconds", 60))
"""After how many seconds without a word a worker is taken for dead."""

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"django": {"handlers": ["console"], "level": "ERROR"}},
}

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("ar", "العربية"),
    ("zh-hans", "中文"),
    ("en", "English"),
    ("fr", "Français"),
    ("ru", "Русский"),
    ("es", "Español"),
]
