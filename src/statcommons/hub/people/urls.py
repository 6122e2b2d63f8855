"""The addresses of what belongs to a person."""

from __future__ import annotations

from django.urls import path

from statcommons.hub.people import views

urlpatterns = [
    path("me/tokens", views.tokens, name="tokens"),
    path("me/tokens/<int:token>/revoke", views.revoke, name="token-revoke"),
]
