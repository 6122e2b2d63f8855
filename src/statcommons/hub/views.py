"""The first page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from statcommons.hub.methods.models import Job, StoredMethod
from statcommons.hub.methods.services import visible

__all__ = ["home"]


def home(request: HttpRequest) -> HttpResponse:
    """Show what there is, and the latest runs of who looks."""
    return render(
        request,
        "home.html",
        {
            "methods": StoredMethod.objects.filter(is_current=True).count(),
            "runs": visible(Job.objects.all(), request.user).select_related("method")[:5],
        },
    )
