"""The app of people."""

from __future__ import annotations

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """People and organisations."""

    name = "statcommons.hub.people"
