"""The app of methods."""

from __future__ import annotations

from django.apps import AppConfig


class MethodsConfig(AppConfig):
    """Methods and jobs."""

    name = "statcommons.hub.methods"
