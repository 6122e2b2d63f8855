"""The report of a run: one HTML file that a stranger can read offline, in dark or light, on paper or on a telephone.

What is private stays out by construction: the report is made of ``run.json`` (counts, no values of rows) and of the
public outputs. Every word stands in ``templates/report.html``; here are only facts and figures.
"""

from __future__ import annotations

import datetime
import math
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statcommons.core.chart import Chart, chart, theme
from statcommons.core.crate import source_of
from statcommons.core.errors import BadCall, ExtraMissing
from statcommons.core.schema import Column, TableSchema
from statcommons.core.shape import TOTAL, WAYS, Series, Shape, decimals_of, number, period_words, shape
from statcommons.core.spec import MethodSpec, OutputSpec

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["report"]

TEMPLATES = Path(__file__).parent / "templates"
SHOWN = 36
"""Rows of the main output that the report shows."""
FIRST = 12
"""Rows that it shows of an output that is too large to be read whole."""
PRINTED = 18
"""Of them, rows that paper shows, so that a report stays on two pages; a further drawing takes the place of ten."""
MOST_FIGURES = 3
"""Drawings that it shows in all."""
SPECIAL = ("fan", "heat", "parts")
"""Kinds of drawing for which an output that is not the main one is shown too."""
MOST_SHARES = 2
HELD = {"held": "yes"}
"""The mark of a cell whose value is held back."""
READ = 200_000
"""Rows of an output up to which it is read whole, to be drawn."""


def report(folder: Path, facts: Mapping[str, Any], spec: MethodSpec) -> str:
    """Write the report of a run.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder; of it, only the public outputs are read.
    facts : mapping
        What ``run.json`` holds.
    spec : MethodSpec
        The method.

    Returns
    -------
    str
        One HTML page with its styles and drawings inside, without scripts and without addresses to load from.
    """
    main = _main(folder, facts, spec)
    tables = [
        {**table, "input": name, "place": place, "several": len(one["tables"]) > 1, "source": source_of(table)}
        for name, one in facts["inputs"].items()
        for place, table in enumerate(one["tables"])
    ]
    asked = [one for one in facts["quality"] if "met" in one]
    context = {
        "facts": facts,
        "spec": spec,
        "tables": tables,
        "main": main,
        "rows_in": sum(table["rows"] for table in tables),
        "printed": PRINTED - 10 * (main is not None and len(main["figures"]) > 1),
        "aside": sum(table["rows"] - table["used"] for table in tables),
        "sealed": datetime.datetime.fromisoformat(facts["created"]),
        "parameters": _parameters(facts, spec),
        "quality": _quality(facts["quality"]),
        "asked": len(asked),
        "met": sum(one["met"] for one in asked),
        "call": _call(facts, spec),
        "light": theme()["light"],
        "dark": theme()["dark"],
    }
    return _template().render(context)


def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = {
        "number": number,
        "short": _short,
        "duration": _duration,
        "day": _day,
        "period": period_words,
        "label": _label,
    }
    environment.filters.update(words)
    return environment.get_template("report.html")


# --- the main output ------------------------------------------------------------------------------------------------


def _main(folder: Path, facts: Mapping[str, Any], spec: MethodSpec) -> dict[str, Any] | None:
    """Read the first output that has rows: its finding, its drawing and the rows to show."""
    written = [one for one in spec.outputs if facts["outputs"].get(one.name, {}).get("rows")]
    if not written:
        return None
    output = written[0]
    fact = facts["outputs"][output.name]
    table, whole = _read(folder / str(fact["file"]), fact["rows"])
    chosen = [_written(value) for name, value in facts["parameters"].items() if name in WAYS]
    public = [column for column in output.schema if column.name in table.column_names and not column.confidential]
    found = _shape(table, output.schema) if whole else None
    drawn, why = _chart(table, output, whole, chosen)
    figures = [_figure(output, drawn)] if drawn else []
    figures += _shares(table, output, found) if drawn else []
    figures += _others(folder, facts, written[1:], chosen)
    shown = _shown(table, found)
    return {
        "output": output,
        "rows": fact["rows"],
        "shape": found,
        "finding": _finding(found),
        "figures": figures[:MOST_FIGURES],
        "why": why,
        "whole": whole,
        **_grid(table.take(shown), public, found),
    }


def _read(path: Path, rows: int) -> tuple[pa.Table, bool]:
    """Read an output whole, or where it is large its first rows; says which."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if rows <= READ:
        return pq.read_table(path), True
    with pq.ParquetFile(path) as file:
        return pa.Table.from_batches([next(file.iter_batches(FIRST))]), False


def _shape(table: pa.Table, schema: TableSchema) -> Shape | None:
    try:
        return shape(table, schema)
    except BadCall:
        return None


def _chart(table: pa.Table, output: OutputSpec, whole: bool, chosen: Sequence[str]) -> tuple[Chart | None, str]:
    """Make the drawing, or say why there is none (in words of the template, or of the error)."""
    if not whole:
        return None, "large"
    try:
        return chart(table, output.schema, chosen=chosen), ""
    except ExtraMissing as missing:
        return None, str(missing)
    except BadCall:
        return None, "none"


def _figure(output: OutputSpec, drawn: Chart) -> dict[str, Any]:
    """Give a drawing with what its heading says: the measure, by which columns, in which period."""
    columns = [drawn.shape.time, *drawn.shape.varying] if drawn.shape.time else [*drawn.shape.varying]
    time = next((column.name for column in output.schema if column.role == "time"), "")
    return {
        "chart": drawn,
        "measure": drawn.shape.measure,
        "columns": [column.name for column in columns if column],
        "when": drawn.shape.constant.get(time, ""),
        "output": output,
    }


def _shares(table: pa.Table, output: OutputSpec, found: Shape | None) -> list[dict[str, Any]]:
    """Draw what share a series rests upon, such as of matched products, where it has one main series in time."""
    if found is None or found.time is None or found.main is None or found.counted or found.is_split:
        return []
    columns = [one for one in output.schema if one.unit == "share" and one.role == "attribute" and not one.confidential]
    codes = [[_text(value) for value in table[column.name].to_pylist()] for column in found.varying]
    keys: Iterable[tuple[str, ...]] = zip(*codes, strict=True) if codes else [()] * table.num_rows
    rows = [place for place, key in enumerate(keys) if key == found.main.key]
    times = [_text(when) for when in table[found.time.name].take(rows).to_pylist()]
    series = []
    for column in columns:
        values = dict(zip(times, table[column.name].take(rows).to_pylist(), strict=True))
        known = [one for one in found.main.points if values.get(one.period) is not None]
        points = tuple(replace(one, value=100.0 * values[one.period], status="") for one in known)
        if len({point.value for point in points}) > 1:
            series.append(Series((column.name,), column.name, points))
    if not series:
        return []
    name, series = _in_common(series[:MOST_SHARES])
    measure = Column(name, "number", "measure", "What the figures rest upon", unit="%", decimals=0)
    drawn = Chart(Shape(found.time, measure, None, {}, (), tuple(series)), "line")
    return [_figure(output, drawn)]


def _in_common(series: list[Series]) -> tuple[str, list[Series]]:
    """Take the words with which the names of all series begin out of them: matched_share of base and current."""
    words = [one.name.split("_") for one in series]
    same = next((place for place, some in enumerate(zip(*words, strict=False)) if len(set(some)) > 1), len(words[0]))
    names = [_label("_".join(one[same:])) if same < len(one) else "" for one in words]
    common = "_".join(words[0][:same]) or "shares"
    return common, [replace(one, name=name) for one, name in zip(series, names, strict=True)]


def _others(
    folder: Path, facts: Mapping[str, Any], outputs: Sequence[OutputSpec], chosen: Sequence[str]
) -> list[dict[str, Any]]:
    """Draw further outputs that have a form of their own: contributions, counts, one figure made in many ways."""
    figures = []
    for output in outputs:
        fact = facts["outputs"][output.name]
        table, whole = _read(folder / str(fact["file"]), fact["rows"])
        drawn, _ = _chart(table, output, whole, chosen)
        if drawn and drawn.kind in SPECIAL:
            figures.append(_figure(output, drawn))
    return figures


def _finding(found: Shape | None) -> dict[str, Any] | None:
    """Compute what an index says in one sentence: how it changed from its first to its last period."""
    changed = found.change() if found else None
    if found is None or changed is None or found.main is None:
        return None
    first, last, change = changed
    return {
        "measure": found.measure.name,
        "total": found.main.is_total and len(found.series) > 1,
        "change": number(abs(change) * 100, 1),
        "direction": 0 if f"{abs(change) * 100:.1f}" == "0.0" else math.copysign(1, change),
        "first": first.period,
        "last": last.period,
        "status": last.status,
    }


def _shown(table: pa.Table, found: Shape | None) -> list[int]:
    """Choose the rows to show: the newest of each series, the total first; as many as there is room for."""
    if found is None or found.time is None:
        return list(range(min(SHOWN, table.num_rows)))
    places: dict[tuple[str, ...], list[tuple[str, int]]] = {}
    codes = [[_text(value) for value in table[column.name].to_pylist()] for column in found.varying]
    keys: Iterable[tuple[str, ...]] = zip(*codes, strict=True) if codes else [()] * table.num_rows
    for place, (key, when) in enumerate(zip(keys, table[found.time.name].to_pylist(), strict=True)):
        places.setdefault(key, []).append((str(when), place))
    each = max(1, SHOWN // len(found.series)) if found.series else SHOWN
    chosen = [place for one in found.series for _, place in sorted(places[one.key])[-each:]]
    return chosen[:SHOWN]


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _grid(table: pa.Table, columns: Sequence[Column], found: Shape | None) -> dict[str, Any]:
    """Lay out rows for the page: what heads a row, what is counted, and the marks of observation status."""
    status = next((column.name for column in columns if column.concept == "OBS_STATUS"), "")
    constant = found.constant if found else {}
    order = {"dimension": 0, "time": 1, "measure": 2, "attribute": 3}
    chosen = [column for column in columns if column.name not in constant and column.name != status]
    chosen.sort(key=lambda column: (order[column.role], found is not None and column.name != found.measure.name))
    flags = [(flag or "").upper() for flag in table[status].to_pylist()] if status else []
    held = _held(table, columns)
    heads, lines = [], [list[dict[str, str]]() for _ in range(table.num_rows)]
    for column in chosen:
        values = table[column.name].to_pylist()
        share = column.unit == "share"
        numeric = column.type in ("number", "integer") and column.role in ("measure", "attribute")
        heads.append(
            {
                "name": column.name,
                "unit": "%" if share else column.unit,
                "numeric": numeric,
                "role": column.role,
                "optional": column.role == "attribute",
            }
        )
        places = 1 if share else decimals_of(column, values) if numeric else 0
        for line, value, is_held in zip(lines, values, held, strict=True):
            kept_back = is_held and value is None and column.role == "measure"
            line.append({"text": "c"} | HELD if kept_back else {"text": _cell(value, column, places, numeric, share)})
    measured = next((place for place, head in enumerate(heads) if head["role"] == "measure"), None)
    for line, flag in zip(lines, flags, strict=False):
        if measured is not None and flag not in ("", "A"):
            line[measured]["flag"] = flag.lower()
    cells = [cell for line in lines for cell in line]
    missing, kept_back = any(cell["text"] == ":" for cell in cells), any("held" in cell for cell in cells)
    codes = sum(head["role"] == "dimension" for head in heads) if found and len(found.series) > 1 else 0
    for line in lines if codes else ():
        if all(cell["text"] == TOTAL for cell in line[:codes]):
            line[0]["total"] = "yes"
    return {"heads": heads, "lines": lines, "missing": missing, "held": kept_back, "constant": constant}


def _held(table: pa.Table, columns: Sequence[Column]) -> list[bool]:
    """Say of each row whether it may not be published: its confidentiality status is other than free."""
    status = next((column.name for column in columns if column.concept == "CONF_STATUS"), "")
    return [value not in (None, "", "F") for value in table[status].to_pylist()] if status else [False] * table.num_rows


def _cell(value: Any, column: Column, places: int, numeric: bool, share: bool) -> str:
    if value is None:
        return ":"
    if numeric:
        return number(value * 100 if share else value, places)
    if column.role == "time":
        words = period_words(str(value))
        return words[:1].upper() + words[1:]
    return str(value)


# --- small facts ----------------------------------------------------------------------------------------------------


def _parameters(facts: Mapping[str, Any], spec: MethodSpec) -> list[dict[str, Any]]:
    known = {one.name: one for one in spec.parameters}
    found = []
    for name, value in facts["parameters"].items():
        one = known.get(name)
        is_default = one is not None and not one.required and one.default == value
        found.append({"name": name, "value": _written(value), "unit": one.unit if one else "", "default": is_default})
    return found


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(_written(one) for one in value) if isinstance(value, list | tuple) else _text(value)


def _quality(measures: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Write the measures out; those of one name, such as of three deliveries, are numbered in their order."""
    counts, met = Counter(one["name"] for one in measures), Counter[str]()
    found = []
    for one in measures:
        name = one["name"]
        met[name] += 1
        label = f"{name} ({met[name]} of {counts[name]})" if counts[name] > 1 else name
        found.append({**one, "name": label, "shown": _amount(one), "bound": _bound(one)})
    return found


def _amount(measure: Mapping[str, Any]) -> str:
    """Write the value of a measure of quality with its unit, where its name does not say it already."""
    value, unit = measure["value"], measure.get("unit", "")
    if isinstance(value, str):
        return value
    if unit == "share":
        return f"{number(value * 100, 1)}%"
    text = number(value, 0 if float(value).is_integer() else 2)
    return text if not unit or unit in measure["name"].lower().split() else f"{text} {unit}"


def _bound(measure: Mapping[str, Any]) -> str:
    asked, unit = str(measure.get("asked", "")), measure.get("unit", "")
    if unit == "share":
        return re.sub(r"\d[\d.e-]*", lambda found: f"{float(found[0]) * 100:g}%", asked)
    return f"{asked} pp" if asked and unit == "pp" else asked


def _call(facts: Mapping[str, Any], spec: MethodSpec) -> list[str]:
    """Write the call that makes the same run, one option a line, with names that tell its files apart."""
    lines = [f"statcommons run {spec.id}"]
    for name, one in facts["inputs"].items():
        words: list[str] = []
        for table in one["tables"]:
            files = [str(file["name"]) for file in table.get("files", ())]
            words += [table["source"]] if table.get("source") else files or [f"{name}.parquet"]
        lines.append(f"--{_option(name)} {shlex.join(words)}")
    for name, value in facts["parameters"].items():
        if value is not None:
            lines.append(f"--{_option(name)} {shlex.quote(_written(value))}")
    lines += [f"--on-bad-rows {facts['on_bad_rows']}"] if facts["on_bad_rows"] != "fail" else []
    lines += [f"--seed {facts['seed']}"] if facts["seed"] else []
    kind = str(facts["engine"]["address"]).partition(":")[0]
    return lines + ([f"--engine {kind}:"] if kind != "duckdb" else []) + ["--out again"]


def _option(name: str) -> str:
    return name.replace("_", "-")


def _short(digest: str) -> str:
    """Show the ends of a digest, enough to compare by eye."""
    return f"{digest[:4]}…{digest[-4:]}" if len(digest) > 12 else digest


def _label(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _day(moment: datetime.datetime) -> str:
    return period_words(moment.date().isoformat())


def _duration(seconds: float) -> str:
    """Write how long something took.

    >>> _duration(5.07), _duration(114), _duration(7384)
    ('5.1 s', '1 min 54 s', '2 h 3 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
