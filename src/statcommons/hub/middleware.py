"""What holds for each request: how much it may bring, and what its answer says of itself to the browser."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

__all__ = ["content_security", "size_limit"]

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Nothing is loaded from elsewhere, and nothing that stands in a page is run."""


def content_security(answer: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Say in each answer what a page may load, where the view has not said it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = answer(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return middleware


def size_limit(answer: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Refuse what is too large before any of it is read; a stranger may bring little."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        most = settings.UPLOAD_MOST if request.user.is_authenticated else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if length.isdigit() and int(length) > most:
            words = (
                f"The request brings {int(length):,} bytes, and {most:,} are taken. Sign in, or send less at a time."
            )
            return HttpResponse(words, status=413, content_type="text/plain; charset=utf-8")
        return answer(request)

    return middleware
