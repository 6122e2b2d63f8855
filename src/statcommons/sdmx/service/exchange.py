"""What comes in and what goes out: a request and a response as plain data, of no web framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from statcommons.core.errors import StatCommonsError

__all__ = ["Headers", "Refusal", "Request", "Response"]

Headers: TypeAlias = tuple[tuple[str, str], ...]
"""The headers of a response, in order: name and value."""


def _nothing(size: int) -> bytes:
    """Read a body that is empty."""
    return b""


@dataclass(frozen=True)
class Request:
    """A request.

    Parameters
    ----------
    path, query : str
        The two halves of the address as they were sent, not decoded; a server that decodes them loses plus signs.
    method : str
        The method of HTTP.
    headers : mapping of str to str
        By name in lower case.
    read : callable
        Reads at most so many bytes of the body.
    """

    path: str
    query: str = ""
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    read: Callable[[int], bytes] = _nothing


@dataclass(frozen=True)
class Response:
    """A response; its body may be long, and has a method ``close`` where something is to be let go."""

    status: int
    headers: Headers = ()
    body: Iterable[bytes] = ()

    def header(self, name: str) -> str:
        """Give a header by its name in any case; empty where it is not there.

        Examples
        --------
        >>> Response(304, (("ETag", '"1"'),)).header("etag")
        '"1"'
        """
        return next((value for known, value in self.headers if known.lower() == name.lower()), "")


class Refusal(StatCommonsError):
    """A request that is refused with a certain status of HTTP.

    Parameters
    ----------
    status : int
        The status.
    what, remedy, where : str
        As in all errors.
    headers : tuple of (str, str)
        What the response adds, such as ``Allow``.

    Examples
    --------
    >>> print(Refusal(414, "The address has 20,000 signs.", remedy="Send a long key by POST."))
    The address has 20,000 signs. Send a long key by POST.
    """

    exit_code = 64

    def __init__(self, status: int, what: str, *, remedy: str = "", where: str = "", headers: Headers = ()) -> None:
        super().__init__(what, remedy=remedy, where=where)
        self.http_status = status
        self.headers = headers
