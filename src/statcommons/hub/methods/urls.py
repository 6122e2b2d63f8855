"""The addresses of methods and runs."""

from __future__ import annotations

from django.urls import path

from statcommons.hub.methods import views

urlpatterns = [
    path("methods", views.methods, name="methods"),
    path("methods/<slug:hub>/<str:method>", views.method, name="method"),
    path("runs", views.runs, name="runs"),
    path("runs/<uuid:job>", views.run, name="run"),
    path("runs/<uuid:job>/state", views.state, name="run-state"),
    path("runs/<uuid:job>/cancel", views.cancel, name="run-cancel"),
    path("runs/<uuid:job>/report.html", views.report, name="run-report"),
    path("runs/<uuid:job>/files/<path:file>", views.file, name="run-file"),
]
