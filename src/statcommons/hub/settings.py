"""Django's settings, made from the workspace: ``settings.toml``, and the environment where a server has its secrets.

``STATCOMMONS_WORKSPACE`` says which workspace, ``STATCOMMONS_DATABASE`` where the database is, when it is not the file
``hub.sqlite`` in it.
"""

from __future__ import annotations

import os

from statcommons.core.workspace import workspace
from statcommons.hub.database import database

HOME = workspace()
HUB = HOME.settings.get("hub", {})
"""The table ``[hub]`` of the settings."""

_secret = HOME.path / "keys" / "secret"
SECRET_KEY = _secret.read_text(encoding="ascii") if _secret.is_file() else ""
DEBUG = False
ALLOWED_HOSTS = list(HUB.get("hosts", ["localhost", "127.0.0.1", "[::1]"]))

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "statcommons.hub.people",
    "statcommons.hub.methods",
]
MIDDLEWARE: list[str] = []
AUTH_USER_MODEL = "people.Person"
DATABASES = {"default": database(os.environ.get("STATCOMMONS_DATABASE") or HUB.get("database"), HOME.path)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LEASE_SECONDS = float(HUB.get("lease_seconds", 60))
"""After how many seconds without a word a worker is taken for dead."""

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

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
