"""The app of the record."""

from __future__ import annotations

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The record of what was done."""

    name = "statcommons.hub.audit"
