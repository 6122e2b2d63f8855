"""The addresses of the hub: pages stand below their language, everything else does not."""

from __future__ import annotations

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

from statcommons.hub.methods import api
from statcommons.hub.views import home

urlpatterns = [
    path("api", api.landing, name="api"),
    path("conformance", api.conformance, name="conformance"),
    path("processes", api.processes, name="processes"),
    path("processes/<str:process>", api.process, name="process"),
    path("processes/<str:process>/execution", api.execution, name="execution"),
    path("jobs", api.jobs, name="jobs"),
    path("jobs/<uuid:job>", api.job, name="job"),
    path("jobs/<uuid:job>/results", api.results, name="results"),
    path("jobs/<uuid:job>/results/<str:output>", api.output, name="output"),
    *i18n_patterns(
        path("", home, name="home"),
        path("", include("statcommons.hub.methods.urls")),
        path("", include("statcommons.hub.people.urls")),
        path("me/", include("allauth.urls")),
    ),
]
