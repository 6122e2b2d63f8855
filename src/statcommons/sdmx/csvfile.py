"""SDMX-CSV 2.0 from a table of any size, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from statcommons.core.engine import Engine, connect
from statcommons.core.errors import BadCall, BadData, Cause, NoInput
from statcommons.core.schema import TableSchema
from statcommons.sdmx.placing import together
from statcommons.sdmx.structure import Component, Structure

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MANY", "Source", "observed_codes", "write_csv"]

Source: TypeAlias = "pa.Table | Path | str"
"""A table in memory, or the path of a Parquet file."""

MANY = 10_000
"""Distinct codes beyond which an open column gets no code list: no reader chooses from so many without their names."""

MEMORY = "1GB"
"""What the engine may hold at a time, whatever the size of the table; beyond, it spills to disk."""

ACTION = "I"
"""Information: the file says what is published, and not what a receiver shall do with it."""

EXACT = 2.0**53  # from here on a double is a whole number


def write_csv(source: Source, structure: Structure, path: Path | str) -> Path:
    """Write a table as SDMX-CSV 2.0 under the dataflow of its structure.

    The columns are ``STRUCTURE``, ``STRUCTURE_ID``, ``ACTION``, then dimensions, measures and attributes in the
    structure's order; a column of the table that the structure does not know is not written. The order of the rows is
    kept, and the table streams: 1 GB of memory is enough for any number of rows.

    A measure with ``decimals`` is the released number: it is rounded here, once, half away from zero, and written with
    exactly so many decimals (2.675 with two is ``2.68``: what counts is the shortest decimal number that stands for the
    double, the one that a person sees). Every other number is written so that it is read back as the same double.
    Codes stay text (``004``, ``NA``). A missing cell is empty; NaN, which SDMX reads as missing on purpose, is ``NaN``.
    Numbers have a point and no separator in every locale, times are UTC. The file appears whole or not at all.

    Parameters
    ----------
    source : pyarrow.Table or path
        The table, or its Parquet file.
    structure : Structure
        Of the same table.
    path : path
        The CSV file, in UTF-8.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    BadCall
        When the table lacks a column of the structure.
    BadData
        When a dimension is missing or repeats, a code is not in its code list, a period is none, or a number is
        infinite; lists every cause.
    NoInput
        When there is no such Parquet file.
    NotAllowed, TryAgain
        When the file cannot be written.

    References
    ----------
    SDMX-CSV 2.0 field guide, https://github.com/sdmx-twg/sdmx-csv

    Examples
    --------
    >>> import tempfile
    >>> import pyarrow as pa
    >>> from statcommons.core.schema import Column
    >>> from statcommons.sdmx.declared import structure
    >>> price = Column("price", "number", "measure", decimals=2)
    >>> key = (Column("period", "period", "time"), Column("product", "text", "dimension"))
    >>> prices = TableSchema("Prices", "", (*key, price), ("period", "product"))
    >>> table = pa.table({"period": ["2026-11"], "product": ["004"], "price": [2.675]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(write_csv(table, structure(prices), folder + "/prices.csv").read_text(), end="")
    STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PRODUCT,TIME_PERIOD,OBS_VALUE,DECIMALS
    dataflow,SC:DF_PRICES(1.0),I,M,004,2026-11,2.68,2
    """
    import ibis

    path = Path(path)
    with connect(memory=MEMORY) as engine:
        table = _opened(engine, source)
        absent = [one.column for one in structure.components if one.column and one.column not in table.columns]
        if absent:
            raise BadCall(
                f"The table has no column {', '.join(absent)}.",
                where=str(structure.flow),
                remedy="Give the table that the structure was made from.",
            )
        _assert_sound(engine, table, structure)
        head = {"STRUCTURE": "dataflow", "STRUCTURE_ID": str(structure.flow), "ACTION": ACTION}
        cells = {name: ibis.literal(value) for name, value in head.items()}
        cells |= {component.id: _written(table, component, structure) for component in structure.components}
        query = engine.backend.compile(table.select(**cells))
        with together(path.parent) as folder, engine.watched(f"Write {path.name}"):
            # Ibis' to_csv writes the path as Python would, which fails for a name with both kinds of quotes.
            target = str(folder / path.name).replace("'", "''")
            engine.backend.con.execute(f"COPY ({query}) TO '{target}' (FORMAT csv, HEADER)")
    return path


def observed_codes(source: Source, schema: TableSchema) -> dict[str, list[str]]:
    """Collect the distinct codes of the open columns of a table, for :func:`~statcommons.sdmx.declared.structure`.

    Open is a text column that is a dimension or names a code list, and declares no codes. A column with more than
    10,000 codes is left out, so it is not coded.

    Parameters
    ----------
    source : pyarrow.Table or path
        The table, or its Parquet file.
    schema : TableSchema
        What the table declares.

    Returns
    -------
    dict of str to list of str
        Sorted codes by column.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from statcommons.core.schema import Column
    >>> schema = TableSchema("Areas", "", (Column("area", "text", "dimension"),), ("area",))
    >>> observed_codes(pa.table({"area": ["NA", "004", "NA"]}), schema)
    {'area': ['004', 'NA']}
    """
    found = {}
    with connect(memory=MEMORY) as engine:
        table = _opened(engine, source)
        for column in schema:
            is_open = column.type == "text" and not column.codes and (column.role == "dimension" or column.codelist)
            if not is_open or column.confidential or column.name not in table.columns:
                continue
            value = table[column.name].cast("string")
            distinct = table.filter(value.notnull()).select(code=value).distinct().limit(MANY + 1)
            codes = engine.collect(distinct, "Collect codes")["code"].to_pylist()
            if len(codes) <= MANY:
                found[column.name] = sorted(codes)
    return found


def _opened(engine: Engine, source: Source) -> Any:
    if isinstance(source, str | Path):
        if not Path(source).is_file():
            raise NoInput("There is no such file.", where=str(source), remedy="Give the path of a Parquet file.")
        return engine.parquet([Path(source)])
    return engine.adopt(source)


# --- cells ----------------------------------------------------------------------------------------------------------


def _written(table: Any, component: Component, structure: Structure) -> Any:
    """Give the text of a component's cells."""
    import ibis

    if component.id == "FREQ" and not component.column:
        return _frequency(table, structure.with_role("time")[0])
    if not component.column:
        return ibis.literal(component.constant)
    value = table[component.column]
    kind = value.type()
    if kind.is_timestamp():
        return _instant(value)
    text = value.cast("string")
    if kind.is_numeric() and component.decimals is not None:
        text = _rounded(value, text, component.decimals)
    return ibis.ifelse(value.isnan(), "NaN", text) if kind.is_floating() else text


def _rounded(value: Any, text: Any, decimals: int) -> Any:
    """Round half away from zero, from the shortest text of a number to text with so many decimals.

    DuckDB's ``round`` multiplies in binary (1.005 becomes 1.0), so the text is cast to DECIMAL instead; that cast is
    exact but for two things of DuckDB 1.5, each worked round here: a text with an exponent is rounded up whatever it is
    (``5e-324`` becomes 0.0001), so small numbers are written out first; and the cast to more than 18 digits takes a
    hundred times as long, so only large numbers go through it.
    """
    import ibis

    size = value.abs()
    parts = r"^-?([\d.]+)e-(\d+)$"
    zeros = ibis.literal("0").repeat(text.re_extract(parts, 2).try_cast("int64") - 1)
    out = ibis.ifelse(value < 0, "-0.", "0.") + zeros + text.re_extract(parts, 1).replace(".", "")
    # The size is compared first: a regular expression on every row would be the slowest part of the file.
    plain = ibis.ifelse(size < 1e-3, ibis.ifelse(text.contains("e-"), out, text), text)
    narrow, wide = (plain.try_cast(f"decimal({width},{decimals})").cast("string") for width in (18, 38))
    return ibis.cases((size < 10.0 ** (17 - decimals), narrow), (size < EXACT, wide), else_=text)


def _instant(value: Any) -> Any:
    """Write an instant in UTC, with a fraction only where it has one."""
    import ibis

    seconds = value.strftime("%Y-%m-%dT%H:%M:%S")
    return seconds + ibis.ifelse(value.microsecond() == 0, "Z", value.strftime(".%fZ"))


def _frequency(table: Any, time: Component) -> Any:
    """Derive the frequency from the period; missing where the text is no period."""
    import ibis

    value = table[time.column]
    if time.type in ("date", "instant"):
        return ibis.ifelse(value.isnull(), ibis.null("string"), "D" if time.type == "date" else "I")
    patterns = {
        "M": r"^\d{4}-M?\d{2}$",
        "W": r"^\d{4}-W\d{2}$",
        "Q": r"^\d{4}-Q[1-4]$",
        "A": r"^\d{4}(-A1)?$",
        "D": r"^\d{4}-(\d{2}-\d{2}|D\d{3})$",
        "S": r"^\d{4}-S[12]$",
        "A_3": r"^\d{4}-T[1-3]$",
    }
    text = value.cast("string")
    return ibis.cases(
        *((text.re_search(pattern), code) for code, pattern in patterns.items()), else_=ibis.null("string")
    )


# --- what may not be published --------------------------------------------------------------------------------------


def _assert_sound(engine: Engine, table: Any, structure: Structure) -> None:
    """Hold the table to its structure, so that no file contradicts what stands beside it."""
    rules = {
        rule: (broken, remedy)
        for component in structure.components
        if component.column
        for rule, broken, remedy in _rules(engine, table, component, structure)
    }
    counted = table.agg(**{rule: table.count(where=broken) for rule, (broken, _) in rules.items()})
    counts = engine.row(counted, "Check rows")
    causes = [Cause(rule, counts[rule], remedy) for rule, (_, remedy) in rules.items() if counts[rule]]
    keys = [one.column for one in structure.dimensions if one.column]
    grouped = table.group_by(keys).agg(rows=table.count())
    repeated = engine.row(grouped.agg(rows=grouped.rows.sum(where=grouped.rows > 1)), "Check keys")["rows"]
    if repeated:
        causes.append(Cause(f"the key ({', '.join(keys)}) must not repeat", repeated, "Keep one row a key."))
    if causes:
        raise BadData("The table does not fit its structure.", where=str(structure.flow), causes=causes)


def _rules(engine: Engine, table: Any, component: Component, structure: Structure) -> Iterator[tuple[str, Any, str]]:
    """Give what a column must be, the condition under which a row breaks it, and the remedy."""
    import pyarrow as pa

    name, value = component.column, table[component.column]
    text = value.cast("string")
    if component.role in ("dimension", "time"):
        yield f"{name} must not be missing", value.isnull() | (text == ""), "Fill it: _T is total, _Z not applicable."
    if component.role == "time" and component.type == "period":
        wrong = value.notnull() & _frequency(table, component).isnull()
        yield f"{name} must be a period", wrong, "Write periods as 2026, 2026-Q3, 2026-11 or 2026-W47."
    if value.type().is_floating():
        yield f"{name} must be finite", value.isinf(), "Leave the cell missing."
    if component.codelist:
        codes = engine.adopt(pa.table({"code": [code.id for code in structure.codes(component)]}))
        strange = value.notnull() & text.notin(codes["code"])
        yield f"{name} must be in {component.codelist.id}", strange, "Make the structure from this table."
