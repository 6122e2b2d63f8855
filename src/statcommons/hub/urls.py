"""The addresses of the hub: pages stand below their language, everything else does not."""

from __future__ import annotations

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

from statcommons.hub.views import home

urlpatterns = [
    *i18n_patterns(
        path("", home, name="home"),
        path("", include("statcommons.hub.methods.urls")),
        path("me/", include("allauth.urls")),
    ),
]
