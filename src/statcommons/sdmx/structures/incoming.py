"""What structure messages coming in have in common, whatever their format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from statcommons.core.errors import BadData, NoInput
from statcommons.core.quality import notice
from statcommons.sdmx.model import BY_CLASS, Annotation, Constraint, Definition, Ref, Region, parse_urn

__all__ = ["attachment", "availability", "content", "hierarchy_id", "regions", "tell_what_is_not_held"]

Values = Mapping[str, tuple[str, ...]]


def content(source: bytes | Path | str, where: str = "message") -> tuple[bytes, str]:
    """Give the bytes of a message, and what errors call it.

    Parameters
    ----------
    source : bytes or path
        The message itself, or its file.
    where : str
        What errors call a message that is no file.

    Raises
    ------
    NoInput
        When the file cannot be opened.

    Examples
    --------
    >>> content(b"<Structure/>")
    (b'<Structure/>', 'message')
    """
    if isinstance(source, bytes):
        return source, where
    try:
        return Path(source).read_bytes(), str(source)
    except OSError as error:
        raise NoInput(
            f"The file cannot be opened: {error.strerror}.", where=str(source), remedy="Check its name and place."
        ) from None


# --- what is not held -----------------------------------------------------------------------------------------------


def is_held(name: str, passed: Counter[str]) -> bool:
    """Tell whether the model holds a class of SDMX, and count it as passed over when not.

    Parameters
    ----------
    name : str
        The class; the empty name of what has none is held.
    passed : Counter
        What was passed over.
    """
    if name and name not in BY_CLASS:
        passed[f"reference to {name}"] += 1
    return not name or name in BY_CLASS


def held_ref(urn: str, passed: Counter[str]) -> Ref | None:
    """Read a URN; one of a class that the model does not hold is none, and counted.

    Parameters
    ----------
    urn : str
        The URN.
    passed : Counter
        What was passed over.

    Raises
    ------
    BadData
        When it is no URN.
    """
    head, sign, _ = urn.partition("=")
    return parse_urn(urn) if is_held(head.rpartition(".")[2] if sign else "", passed) else None


def tell_what_is_not_held(passed: Mapping[str, int], where: str) -> None:
    """Say what of a message was passed over.

    Parameters
    ----------
    passed : mapping of str to int
        What, and how often.
    where : str
        The message.

    Examples
    --------
    >>> from statcommons.core.quality import collecting
    >>> with collecting() as found:
    ...     tell_what_is_not_held({"MetadataStructure": 2}, "all.xml")
    >>> found.notices
    ['all.xml: passed over, because it is not held here: MetadataStructure (2).']
    """
    if passed:
        what = ", ".join(f"{name} ({count})" for name, count in passed.items())
        notice(f"{where}: passed over, because it is not held here: {what}.")


def nothing_held(passed: Collection[str], where: str) -> BadData:
    """Make the error of a message in which there is nothing to read.

    Parameters
    ----------
    passed : collection of str
        What was passed over.
    where : str
        The message.
    """
    what = f"only what is not held here: {', '.join(passed)}" if passed else "no structure"
    return BadData(f"The message has {what}.", where=where, remedy="Give one with data structures or code lists.")


# --- rules of reading -----------------------------------------------------------------------------------------------


def in_order(components: Iterable[Definition]) -> tuple[Definition, ...]:
    """Put components in the order of the model: dimensions, time, measures, attributes.

    Parameters
    ----------
    components : iterable of Definition
        The components, those of one role in their order.
    """
    order = {"dimension": 0, "time": 1, "measure": 2, "attribute": 3}
    return tuple(sorted(components, key=lambda component: order[component.role]))


def attachment(relation: Collection[str], dimensions: Sequence[str], times: Collection[str]) -> str:
    """Tell what an attribute is said of; one that depends on time is said of each observation.

    Parameters
    ----------
    relation : collection of str
        What the message names, in lower case: ``none``, ``dataflow``, ``dimension``, ``group`` …
    dimensions : sequence of str
        The dimensions that it names.
    times : collection of str
        The ids of the time dimension.

    Examples
    --------
    >>> attachment({"dimension"}, ["FREQ"], {"TIME_PERIOD"}), attachment({"none"}, [], ())
    ('series', 'dataflow')
    """
    if "group" in relation:
        return "group"
    if dimensions:
        return "observation" if set(dimensions) & set(times) else "series"
    return "dataflow" if {"none", "dataflow"} & set(relation) else "observation"


def hierarchy_id(codelist: str, hierarchy: str, *, only: bool) -> str:
    """Name a hierarchy of a hierarchical code list of SDMX 2.1, which is no artefact of its own there.

    Parameters
    ----------
    codelist, hierarchy : str
        The ids of both.
    only : bool
        Whether it is the only one.

    Examples
    --------
    >>> hierarchy_id("HCL_AREAS", "UN", only=False), hierarchy_id("HCL_AREAS", "UN", only=True)
    ('HCL_AREAS_UN', 'HCL_AREAS')
    """
    return codelist if only else f"{codelist}_{hierarchy}"


def regions(
    include: bool, values: Values, without: Values, cascade: Collection[str], periods: Mapping[str, tuple[str, str]]
) -> Iterator[Region]:
    """Make the regions of one of a message: values that it takes away from itself are taken away by one of their own.

    Parameters
    ----------
    include : bool
        Whether the region is put in or taken away.
    values, without : mapping of str to tuple of str
        By component, the values that are meant, and those that are not.
    cascade : collection of str
        The components whose values mean all below them too.
    periods : mapping of str to (str, str)
        The first and last period, by component.

    Examples
    --------
    >>> [(one.include, one.values) for one in regions(True, {"SEX": ("F",)}, {"AGE": ("_T",)}, (), {})]
    [(True, {'SEX': ('F',)}), (False, {'AGE': ('_T',)})]
    """
    if values or periods or not without:
        yield Region(include, values, frozenset(cascade) & values.keys(), periods)
    for id, codes in without.items():
        yield Region(not include, {id: codes}, frozenset(cascade) & {id})


def availability(
    attached: tuple[Ref, ...],
    annotations: tuple[Annotation, ...],
    counts: Mapping[str, object],
    told: tuple[Region, ...],
) -> Constraint:
    """Make the constraint for what SDMX 3.1 says of data that are there.

    There it has no identity of its own, so it takes that of what it is about; its counts become annotations, as earlier
    versions have them.

    Parameters
    ----------
    attached : tuple of Ref
        What it is about.
    annotations : tuple of Annotation
        Its annotations.
    counts : mapping of str to object
        How many series and observations there are, by the id of the annotation; none where it is not said.
    told : tuple of Region
        What is there.

    Examples
    --------
    >>> flow = Ref("dataflow", "UN", "DF_SDG", "1.0")
    >>> made = availability((flow,), (), {"obs_count": 12, "series_count": None}, ())
    >>> made.id, made.role, made.annotations[0].title
    ('DF_SDG', 'actual', '12')
    """
    metrics = tuple(Annotation(name, "sdmx_metrics", str(count)) for name, count in counts.items() if count is not None)
    about = attached[0]
    return Constraint(
        "dataconstraint",
        about.agency,
        about.id,
        about.version,
        annotations=(*annotations, *metrics),
        role="actual",
        attached=attached,
        regions=told,
    )
