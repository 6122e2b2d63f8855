"""The hub as a WSGI application, for a web server."""

from __future__ import annotations

from django.core.wsgi import get_wsgi_application

from statcommons.hub.opening import opened

opened()
application = get_wsgi_application()
