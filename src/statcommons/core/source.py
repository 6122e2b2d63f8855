"""@source: a data set or a simulator, with its licence, access, schema, and how to get it.

A source is a function that gives a table. One that stands in a package or must be fetched takes no argument; a
simulator takes parameters, draws from :func:`statcommons.core.seed.rng`, and gives a dataclass with the ``truth``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from statcommons.core.method import Method
from statcommons.core.spec import MethodSpec

__all__ = ["Source", "SourceSpec", "source"]

Access = Literal["package", "download", "simulated"]


@dataclass(frozen=True)
class SourceSpec:
    """A source as plain data; ``method`` holds what it shares with methods: title, parameters, output schemas."""

    method: MethodSpec
    access: Access
    publisher: str
    licence: str
    terms: str = ""
    extra: str = ""

    @property
    def id(self) -> str:
        """The id, ``domain.name``."""
        return self.method.id

    def as_dict(self) -> dict[str, Any]:
        """Give the source as plain data."""
        facts = {"access": self.access, "publisher": self.publisher, "terms": self.terms, "extra": self.extra}
        return self.method.as_dict() | {"licence": self.licence} | {name: one for name, one in facts.items() if one}


class Source:
    """A function that gives a data set, with its description."""

    def __init__(self, function: Callable[..., Any], facts: Mapping[str, Any], about: Mapping[str, Any]) -> None:
        functools.update_wrapper(self, function)
        self._method = Method(function, facts, {})
        self._about = dict(about)

    @functools.cached_property
    def spec(self) -> SourceSpec:
        """The plain description."""
        return SourceSpec(self._method.spec, **self._about)

    def __call__(self, **parameters: Any) -> Any:
        """Get the data set; parameters are checked as a method's are.

        Returns
        -------
        any table, or a dataclass of tables
            What :func:`statcommons.table` takes.
        """
        return self._method.function(**self._method.parameters(parameters))


def source(
    *,
    version: str,
    access: Access,
    publisher: str,
    licence: str,
    terms: str = "",
    topic: str = "",
    references: Sequence[str] = (),
    extra: str = "",
    id: str | None = None,
) -> Callable[[Callable[..., Any]], Source]:
    """Make a source of a function that gives a table.

    Parameters
    ----------
    version : str
        Version of the data set, or of the simulator.
    access : {"package", "download", "simulated"}
        How it is had: from an installed package, fetched when a user asks, or made.
    publisher : str
        Who publishes it.
    licence : str
        SPDX identifier, or the licence's name.
    terms : str
        What the publisher asks of users beyond the licence.
    topic : str
        The subject-matter.
    references : sequence of str
        DOI and papers.
    extra : str
        The extra of statcommons that brings it.
    id : str, optional
        ``domain.name``.

    Examples
    --------
    >>> from statcommons.core.registry import find_source
    >>> find_source("prices.complete_journey").spec.extra
    'demo'
    """
    facts = {
        "version": version,
        "topic": topic,
        "gsbpm": "4.3",
        "references": tuple(references),
        "exact": True,
        "licence": licence,
        "id": id,
    }
    about = {"access": access, "publisher": publisher, "licence": licence, "terms": terms, "extra": extra}
    return lambda function: Source(function, facts, about)
