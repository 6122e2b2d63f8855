"""The structures that there are: an immutable collection of artefacts that knows which of them name which."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

from statcommons.core.errors import BadCall
from statcommons.sdmx.model import Artefact, Item, Ref, Scheme
from statcommons.sdmx.query.versions import matching_versions, version_order
from statcommons.sdmx.structures.items import with_inherited

__all__ = ["Artefacts", "agency_schemes"]


class Artefacts:
    """An immutable collection of artefacts. Of two with the same reference it keeps the later.

    Parameters
    ----------
    artefacts : iterable of Artefact
        What is in it; the order is kept.

    Examples
    --------
    >>> sexes = Scheme("codelist", "SDMX", "CL_SEX", "2.1")
    >>> there = Artefacts([sexes])
    >>> there.find(Ref("codelist", "SDMX", "CL_SEX", "2.1")) is sexes, there.versions("codelist", "SDMX", "CL_SEX")
    (True, ('2.1',))
    """

    def __init__(self, artefacts: Iterable[Artefact] = ()) -> None:
        self._by_ref = {one.ref: one for one in artefacts}
        self._groups: dict[str, dict[tuple[str, str], list[str]]] = {}
        for ref in self._by_ref:
            self._groups.setdefault(ref.kind, {}).setdefault((ref.agency, ref.id), []).append(ref.version)

    def __iter__(self) -> Iterator[Artefact]:
        return iter(self._by_ref.values())

    def __len__(self) -> int:
        return len(self._by_ref)

    def find(self, ref: Ref) -> Artefact | None:
        """Give the artefact of a reference, or none.

        Parameters
        ----------
        ref : Ref
            With its exact version, or one of the forms of SDMX 3.0 (``1.0+.0``), which stands for the latest that fits.
        """
        found = self._by_ref.get(ref.artefact)
        if found is None and any(sign in ref.version for sign in "+~*"):
            there = self.versions(ref.kind, ref.agency, ref.id)
            with contextlib.suppress(BadCall):  # what cannot be read refers to nothing
                version = max(matching_versions(ref.version, there), key=version_order, default="")
                return self._by_ref.get(replace(ref.artefact, version=version))
        return found

    def resolve(self, ref: Ref) -> Artefact | None:
        """Give the artefact of a reference as :meth:`find` does, a code list with the codes that it takes from others.

        Parameters
        ----------
        ref : Ref
            As for :meth:`find`.
        """
        found = self.find(ref)
        return with_inherited(found, self.find) if isinstance(found, Scheme) else found

    def versions(self, kind: str, agency: str, id: str) -> tuple[str, ...]:
        """Give the versions that there are of an artefact.

        Parameters
        ----------
        kind, agency, id : str
            Which artefact.
        """
        return tuple(self._groups.get(kind, {}).get((agency, id), ()))

    def ids(self, kind: str) -> tuple[tuple[str, str], ...]:
        """Give the agency and id of each artefact of a kind, whatever its versions.

        Parameters
        ----------
        kind : str
            One of :data:`statcommons.sdmx.model.KINDS`.
        """
        return tuple(self._groups.get(kind, {}))

    def naming(self, ref: Ref) -> tuple[Artefact, ...]:
        """Give the artefacts that name this one.

        Parameters
        ----------
        ref : Ref
            An artefact.
        """
        return self._users.get(ref, ())

    @cached_property
    def _users(self) -> dict[Ref, tuple[Artefact, ...]]:
        """The table of edges, from what is named to who names it; the other direction stands in each artefact."""
        users: dict[Ref, list[Artefact]] = {}
        for one in self:
            for ref in one.references():
                named = self.find(ref)
                if named:
                    users.setdefault(named.ref, []).append(one)
        return {ref: tuple(several) for ref, several in users.items()}


def agency_schemes(artefacts: Iterable[Artefact]) -> tuple[Scheme, ...]:
    """Make the schemes of the agencies that maintain artefacts: the known ones of SDMX, and each agency's own units.

    Parameters
    ----------
    artefacts : iterable of Artefact
        What the agencies maintain.

    Examples
    --------
    >>> made = agency_schemes([Scheme("codelist", "OECD.SDD", "CL_SEX")])
    >>> [(scheme.agency, [item.id for item in scheme.items]) for scheme in made]
    [('SDMX', ['OECD']), ('OECD', ['SDD']), ('OECD.SDD', [])]
    """
    units: dict[str, dict[str, Item]] = {"SDMX": {}}
    for agency in sorted({one.agency for one in artefacts} - {"SDMX"}):
        above = "SDMX"
        for unit in agency.split("."):
            units[above].setdefault(unit, Item(unit, {"en": unit}))
            above = unit if above == "SDMX" else f"{above}.{unit}"
            units.setdefault(above, {})
    name = {"en": "Agencies"}
    return tuple(
        Scheme("agencyscheme", agency, "AGENCIES", name=name, items=tuple(items.values()))
        for agency, items in units.items()
    )
