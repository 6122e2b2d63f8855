"""Django is told of no workspace before anything imports its models: a test that needs a hub makes one of its own."""

import os
from unittest.mock import patch


def pytest_configure():
    """Set Django up, once a process."""
    import django
    from django.conf import settings

    os.environ["DJANGO_SETTINGS_MODULE"] = "statcommons.hub.settings"
    # A browser that stands open in the same process keeps a loop of events, which Django takes for a view of its own.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with patch.dict(os.environ, STATCOMMONS_WORKSPACE=os.devnull):
        django.setup()
        settings.SECRET_KEY = "known to all, and used in tests alone"  # noqa: S105
