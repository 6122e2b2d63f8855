"""Pages of what belongs to a person."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from statcommons.core.errors import BadCall, NoInput
from statcommons.hub.people import tokens as service
from statcommons.hub.people.models import Person

__all__ = ["revoke", "tokens"]


@login_required
def tokens(request: HttpRequest) -> HttpResponse:
    """List the tokens of a person, and make one."""
    person = cast(Person, request.user)
    secret = fault = ""
    typed = {"name": request.POST.get("name", ""), "days": request.POST.get("days", "90")}
    chosen = request.POST.getlist("scopes") or list(service.SCOPES)
    if request.method == "POST":
        try:
            days = int(typed["days"]) if typed["days"].strip().isdigit() else 0
            _, secret = service.issue(person, typed["name"], request.POST.getlist("scopes"), days)
        except BadCall as error:
            fault = str(error)
    answer = render(
        request,
        "people/tokens.html",
        {
            "tokens": person.tokens.all(),
            "secret": secret,
            "fault": fault,
            "typed": typed,
            "scopes": [(one, one in chosen) for one in service.SCOPES],
        },
        status=422 if fault else 200,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@require_POST
@login_required
def revoke(request: HttpRequest, token: int) -> HttpResponse:
    """Take a token back."""
    try:
        service.revoke(cast(Person, request.user), token)
    except NoInput:
        raise Http404 from None
    return redirect("tokens")
