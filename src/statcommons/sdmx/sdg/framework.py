"""The global indicator framework: goals, targets, indicators and the series behind them, as tables and as artefacts.

The tables are those of the release 2022.Q1.G.03 of the United Nations' SDG database. They hold what does not change
from office to office; a national list of indicators is made of artefacts of its own.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

from statcommons.core.errors import BadCall, nearest
from statcommons.sdmx.model import Annotation, Artefact, Hierarchy, Item, Node, Ref, Scheme

__all__ = ["Framework", "Goal", "Indicator", "Series", "Target", "framework", "framework_artefacts", "sdg_order"]

SOURCE = "United Nations Statistics Division, global indicator framework, release 2022.Q1.G.03"
CODES, SERIES, CATEGORIES = "CL_SDG", "CL_SERIES", "CS_SDG"


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal, such as ``1``."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Target:
    """A target, such as ``1.a``, with the goal that it is of."""

    id: str
    goal: str
    name: str


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator in its place in the framework.

    Parameters
    ----------
    id : str
        The number, such as ``1.a.1``.
    target : str
        The target that it measures.
    name : str
        What it measures.
    tier : {"I", "II"}
        Whether countries produce data regularly (I) or not (II); both have a method that is agreed.
    custodians : tuple of str
        The agencies that compile it for the world; empty where not known.
    repeat_of : str
        The number under which the same indicator came before; empty where it comes the first time.
    disaggregations : tuple of str
        The dimensions that its name asks for, by the ids of the global data structure.
    """

    id: str
    target: str
    name: str
    tier: str
    custodians: tuple[str, ...] = ()
    repeat_of: str = ""
    disaggregations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """A series of the SDG database, with all indicators that it is of."""

    id: str
    name: str
    indicators: tuple[str, ...]


@dataclass(frozen=True)
class Framework:
    """The framework; everything stands in its order, where ``1.a.1`` follows ``1.5.4``."""

    goals: tuple[Goal, ...]
    targets: tuple[Target, ...]
    indicators: tuple[Indicator, ...]
    series: tuple[Series, ...]

    @property
    def unique(self) -> tuple[Indicator, ...]:
        """The indicators without those that repeat an earlier one."""
        return tuple(one for one in self.indicators if not one.repeat_of)

    def indicator(self, id: str) -> Indicator:
        """Give an indicator.

        Parameters
        ----------
        id : str
            Its number.

        Raises
        ------
        BadCall
            When there is none.
        """
        if id not in self._indicators:
            raise BadCall(f"There is no indicator {id!r}.", remedy=nearest(id, list(self._indicators)))
        return self._indicators[id]

    def series_of(self, indicator: str) -> tuple[Series, ...]:
        """Give the series of an indicator.

        Parameters
        ----------
        indicator : str
            Its number.

        Raises
        ------
        BadCall
            When there is no such indicator.
        """
        found = self.indicator(indicator).id
        return tuple(one for one in self.series if found in one.indicators)

    def indicators_of(self, series: str) -> tuple[Indicator, ...]:
        """Give the indicators that a series is of; none where the series is not known.

        Parameters
        ----------
        series : str
            The code of the series.
        """
        known = self._series.get(series)
        return tuple(self._indicators[id] for id in known.indicators) if known else ()

    @cached_property
    def _indicators(self) -> dict[str, Indicator]:
        return {one.id: one for one in self.indicators}

    @cached_property
    def _series(self) -> dict[str, Series]:
        return {one.id: one for one in self.series}


def sdg_order(id: str) -> tuple[tuple[bool, int, str], ...]:
    """Give what goals, targets and indicators are sorted by: numbers first, by their size, then letters.

    Parameters
    ----------
    id : str
        The number of a goal, target or indicator.

    Examples
    --------
    >>> sorted(["1.a.1", "10.1.1", "1.10.1", "1.5.4"], key=sdg_order)
    ['1.5.4', '1.10.1', '1.a.1', '10.1.1']
    """
    return tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in id.split("."))


@cache
def framework() -> Framework:
    """Give the global indicator framework.

    Returns
    -------
    Framework
        17 goals, 169 targets, 248 indicators of which 231 are different, and 606 series.

    References
    ----------
    United Nations Statistics Division: global indicator framework and SDG database, release 2022.Q1.G.03. Targets:
    A/RES/70/1. Custodians: as in the metadata of the Office for National Statistics (United Kingdom), by acronym.

    Examples
    --------
    >>> found = framework()
    >>> len(found.indicators), len(found.unique), found.indicator("13.1.1").repeat_of
    (248, 231, '1.5.1')
    >>> [one.id for one in found.series_of("1.1.1")], [one.id for one in found.indicators_of("SI_POV_DAY1")]
    (['SI_POV_DAY1', 'SI_POV_EMP1'], ['1.1.1'])
    """
    return Framework(
        tuple(Goal(one["goal"], one["name"]) for one in _table("goals")),
        tuple(Target(one["target"], _above(one["target"]), one["name"]) for one in _table("targets")),
        tuple(
            Indicator(
                one["indicator"],
                one["target"],
                one["name"],
                one["tier"],
                _several(one["custodians"]),
                one["repeat_of"],
                _several(one["disaggregations"]),
            )
            for one in _table("indicators")
        ),
        tuple(Series(one["series"], one["name"], _several(one["indicators"])) for one in _table("series")),
    )


def framework_artefacts(agency: str) -> tuple[Artefact, ...]:
    """Give the framework as artefacts of SDMX.

    SDMX allows no dot in an id, and no digit at the beginning of what is above another item: ``1.a.1`` has the id
    ``SDG1-a-1``. Names begin with the number.

    Parameters
    ----------
    agency : str
        The agency that maintains them.

    Returns
    -------
    tuple of Artefact
        The code list ``CL_SDG`` (goals, below them targets, below them indicators), the code list ``CL_SERIES``, the
        hierarchy ``H_SDG`` that puts series below indicators, and the category scheme ``CS_SDG``.

    Examples
    --------
    >>> codes, series, hierarchy, categories = framework_artefacts("SC")
    >>> len(codes.items), [item.name["en"] for item in codes.items if item.id == "SDG1-1"][0][:24]
    (434, '1.1 By 2030, eradicate e')
    >>> [item.parent for item in categories.items if item.id == "SDG1-1-1"]
    ['SDG1.SDG1-1']
    """
    found = framework()
    codes = Ref("codelist", agency, CODES)
    below: dict[str, list[Node]] = {}
    for one in found.series:
        for id in one.indicators:
            below.setdefault(id, []).append(Node(f"{_code(id)}_{one.id}", Ref("codelist", agency, SERIES, item=one.id)))
    for id in [one.id for rank in (found.indicators, found.targets) for one in rank]:
        below.setdefault(_above(id), []).append(_node(id, codes, below))
    goals = tuple(_node(goal.id, codes, below) for goal in found.goals)
    words = {"en": "Sustainable Development Goals, targets and indicators"}
    told = {"en": f"Source: {SOURCE}."}
    return (
        Scheme("codelist", agency, CODES, name=words, description=told, items=tuple(_items(found, ""))),
        Scheme(
            "codelist",
            agency,
            SERIES,
            name={"en": "Series of the SDG database"},
            description=told,
            items=tuple(Item(one.id, {"en": one.name}) for one in found.series),
        ),
        Hierarchy("hierarchy", agency, "H_SDG", name=words, description=told, nodes=goals),
        Scheme("categoryscheme", agency, CATEGORIES, name=words, description=told, items=tuple(_items(found, "."))),
    )


# --- how it is made -------------------------------------------------------------------------------------------------


def _table(name: str) -> Iterator[dict[str, str]]:
    text = resources.files(__package__).joinpath("tables", f"{name}.csv").read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


def _several(text: str) -> tuple[str, ...]:
    return tuple(text.split(";")) if text else ()


def _above(id: str) -> str:
    return id.rpartition(".")[0]


def _code(id: str) -> str:
    return "SDG" + id.replace(".", "-")


def _node(id: str, codes: Ref, below: dict[str, list[Node]]) -> Node:
    code = _code(id)
    return Node(code, Ref(codes.kind, codes.agency, codes.id, item=code), tuple(below.get(id, ())))


def _items(found: Framework, separator: str) -> Iterator[Item]:
    """Give all as items, each before those below it; ``separator`` joins the path to an item, which else has an id."""
    for goal in found.goals:
        top = _code(goal.id)
        yield Item(top, {"en": f"{goal.id} {goal.name}"})
        for target in (one for one in found.targets if one.goal == goal.id):
            code = _code(target.id)
            yield Item(code, {"en": f"{target.id} {target.name}"}, parent=top)
            path = f"{top}{separator}{code}" if separator else code
            for one in (one for one in found.indicators if one.target == target.id):
                yield Item(_code(one.id), {"en": f"{one.id} {one.name}"}, parent=path, annotations=_notes(one))


def _notes(one: Indicator) -> tuple[Annotation, ...]:
    facts = {"TIER": one.tier, "CUSTODIANS": ", ".join(one.custodians), "REPEAT_OF": one.repeat_of}
    return tuple(Annotation(type=name, title=value) for name, value in facts.items() if value)
