"""A chart is made from the roles of a table's columns, and says what it shows without being seen."""

from __future__ import annotations

import datetime
import itertools
import json
import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core import blocks, drawing
from statcommons.core.chart import chart, theme
from statcommons.core.errors import BadCall, ExtraMissing
from statcommons.core.schema import Column, TableSchema
from statcommons.core.shape import Point, Series, midnight, number, period_words, shape

PERIOD = Column("period", "period", "time")
GROUP = Column("group", "text", "dimension")
INDEX = Column("index", "number", "measure", unit="2024-01 = 100", decimals=1)
STATUS = Column("status", "text", "attribute", concept="OBS_STATUS")
SCHEMA = TableSchema("PriceIndex", "", (PERIOD, GROUP, INDEX, STATUS))
MONTHS = [f"{year}-{month:02d}" for year in (2024, 2025, 2026) for month in range(1, 13)]


def table(groups, periods=MONTHS, status=None):
    """Series that grow each at its own pace from 100, without randomness."""
    rows = [
        (when, group, 100 * (1 + 0.001 * (place + 1)) ** step)
        for place, group in enumerate(groups)
        for step, when in enumerate(periods)
    ]
    found = {"period": [row[0] for row in rows], "group": [row[1] for row in rows], "index": [row[2] for row in rows]}
    return pa.table(found | ({"status": status} if status else {}))


def groups(count):
    return [f"{place:02d} Bread and cereals" for place in range(count)]


# --- periods and numbers --------------------------------------------------------------------------------------------

PERIODS = [
    ("2026", datetime.date(2026, 1, 1), "2026"),
    ("2026-A1", datetime.date(2026, 1, 1), "2026"),
    ("2026-S2", datetime.date(2026, 7, 1), "S2 2026"),
    ("2026-T3", datetime.date(2026, 9, 1), "T3 2026"),
    ("2026-Q3", datetime.date(2026, 7, 1), "Q3 2026"),
    ("2026-11", datetime.date(2026, 11, 1), "November 2026"),
    ("2026-M11", datetime.date(2026, 11, 1), "November 2026"),
    ("2026-W01", datetime.date(2025, 12, 29), "week 1 of 2026"),  # the week of the year's first Thursday
    ("2020-W53", datetime.date(2020, 12, 28), "week 53 of 2020"),
    ("2024-D060", datetime.date(2024, 2, 29), "day 60 of 2024"),
    ("2026-11-21", datetime.date(2026, 11, 21), "21 November 2026"),
]


@pytest.mark.parametrize(("text", "start", "words"), PERIODS)
def test_a_period_is_placed_at_its_first_day_and_written_in_words(text, start, words):
    found = shape(pa.table({"period": [text], "index": [1.0]}), TableSchema("I", "", (PERIOD, INDEX)))
    assert found.series[0].points[0].moment == midnight(start)
    assert period_words(text) == words


@pytest.mark.parametrize("text", ["2026-02-30", "2026-W60", "yesterday", "2026-13"])
def test_what_is_no_period_is_refused_by_name(text):
    with pytest.raises(BadCall, match=re.escape(repr(text))):
        shape(pa.table({"period": [text], "index": [1.0]}), TableSchema("I", "", (PERIOD, INDEX)))


def test_nothing_is_minus_zero():
    assert number(-0.0001, 1) == "0.0"
    assert number(-0.06, 1) == "−0.1"
    assert number(float("nan"), 1) == ":"


# --- what a table holds ---------------------------------------------------------------------------------------------


def test_dimensions_that_vary_make_series_and_the_total_is_first():
    found = shape(table(["b", "_T", "a"]), SCHEMA)
    assert [one.name for one in found.series] == ["Total", "a", "b"]
    assert found.varying == (GROUP,)
    assert found.main is found.series[0]
    assert found.base == 100


def test_a_dimension_that_does_not_vary_is_told_once():
    found = shape(table(["_T"]), SCHEMA)
    assert found.constant == {"group": "_T"}
    assert [one.name for one in found.series] == [""]


def test_the_change_of_an_index_is_from_its_first_to_its_last_known_value():
    when = {"period": ["2024-01", "2024-02", "2024-03"], "index": [None, 80.0, 100.0]}
    first, last, change = shape(pa.table(when), TableSchema("I", "", (PERIOD, INDEX))).change()
    assert (first.period, last.period, change) == ("2024-02", "2024-03", 0.25)


def test_what_is_no_index_has_no_change():
    people = Column("people", "integer", "measure", unit="persons")
    when = pa.table({"period": ["2024", "2025"], "people": [1, 2]})
    assert shape(when, TableSchema("P", "", (PERIOD, people))).change() is None


def test_two_values_in_one_period_are_refused():
    with pytest.raises(BadCall, match="more than one value in 2024-01"):
        shape(pa.table({"period": ["2024-01"] * 2, "index": [1.0, 2.0]}), TableSchema("I", "", (PERIOD, INDEX)))


def test_a_table_without_a_measure_is_refused():
    with pytest.raises(BadCall, match="no measure"):
        shape(pa.table({"period": ["2024"]}), TableSchema("I", "", (PERIOD,)))


# --- which chart ----------------------------------------------------------------------------------------------------


def one_period(names):
    return table(names, periods=["2024-01"])


CASES = {
    "one": (table(["_T"]), "line", 1),
    "five": (table(groups(5)), "line", 5),
    "total of many": (table(["_T", *groups(80)]), "line", 1),
    "eight": (table(groups(8)), "panels", 8),
    "hundreds": (table(groups(300), MONTHS[:12]), "panels", 12),
    "one period": (one_period(groups(9)), "bar", 9),
    "many bars": (one_period(groups(40)), "bar", 20),
    "weeks": (table(["a", "b"], [f"2024-W{week:02d}" for week in range(1, 53)]), "line", 2),
    "years": (table(["a"], [str(year) for year in range(1950, 2025)]), "line", 1),
    "days": (table(["a"], [f"2024-03-{day:02d}" for day in range(1, 32)]), "line", 1),
}


WAY = Column("series", "text", "dimension")
PART = Column("part", "number", "measure", unit="pp", decimals=2)
ROWS = Column("rows", "integer", "measure", unit="rows")
CODE = Column("code", "text", "dimension")
FAN = TableSchema("Fan", "", (PERIOD, WAY, INDEX), key=("period", "series"))
FINDINGS = TableSchema("Findings", "", (CODE, PERIOD, ROWS))


def fan(count):
    names = [f"geks/{window}/mean" for window in range(9, 9 + count)]
    return table(names).rename_columns(["period", "series", "index"])


def findings(codes=("COPY", "UNIT"), periods=MONTHS[:3], each=2):
    """Each code ``each`` times in every period: 10 rows the first time, 20 the second."""
    rows = [(code, period, 10 * (time + 1)) for code in codes for period in periods for time in range(each)]
    return pa.table({name: [row[place] for row in rows] for place, name in enumerate(("code", "period", "rows"))})


def split(values, groups=None, codelist=""):
    group = Column("group", "text", "dimension", codelist=codelist)
    names = groups or [f"part {place:02d}" for place in range(len(values))]
    rows = pa.table({"period": ["2025-01"] * len(values), "group": names, "part": values})
    return rows, TableSchema("Parts", "", (PERIOD, group, PART), key=("period", "group"))


def test_many_ways_to_make_one_figure_are_a_band_with_the_chosen_one_before_it():
    made = chart(fan(8), FAN, chosen=["12", "mean"])
    assert made.kind == "fan"
    assert "geks/12/mean goes from 100.0 (January 2024) to 115.0 (December 2026)." in made.words
    assert "geks/10/mean goes" in chart(fan(8), FAN, chosen=["tpd", "10", "half"]).words  # as near as there is
    last = [100 * (1 + 0.001 * (place + 1)) ** 35 for place in range(8)]
    assert f"All 8 series end between {min(last):.1f} and {max(last):.1f}." in made.words
    assert made.notes == (
        "The band reaches from the lowest to the highest of 8 series, which are made in different ways.",
    )
    assert chart(fan(7), FAN).kind == "panels"
    assert chart(table(groups(8)), SCHEMA).kind == "panels"  # groups are no ways to make one figure


def test_the_band_is_as_wide_as_the_series():
    made = chart(fan(9), FAN)
    band = made.spec["layer"][0]
    assert (band["mark"]["type"], len(band["data"]["values"])) == ("area", 36)
    assert band["data"]["values"][-1]["v"] == pytest.approx(100 * 1.001**35)
    assert band["data"]["values"][-1]["h"] == pytest.approx(100 * 1.009**35)


def test_contributions_are_the_ten_largest_the_others_and_the_total():
    made = chart(*split([0.01 * place for place in range(-1, 14)]))
    assert made.kind == "parts"
    found = {one.name: one.last for one in made.shape.series}
    assert len(found) == 12
    assert next(iter(found)) == "part 14"
    assert found["5 others"] == pytest.approx(0.01 * (-1 + 0 + 1 + 2 + 3))
    assert found["Total"] == pytest.approx(sum(0.01 * place for place in range(-1, 14)))
    assert made.words.startswith("Bar chart of parts that add up to 0.90: part 14 0.13, part 13 0.12")
    assert made.shape.constant["period"] == "2025-01"
    eleven = chart(*split([0.1] * 11))
    assert len(eleven.shape.series) == 12  # one other alone needs no word for others


def test_contributions_of_a_classification_are_those_of_its_highest_codes():
    made = chart(*split([0.5, 0.3, 0.2, -0.1, 0.4], ["01", "01.1", "01.2", "02", "_T"], "COICOP"))
    assert {one.name: one.last for one in made.shape.series} == {"01": 0.5, "02": -0.1, "Total": 0.4}
    flat = chart(*split([0.5, 0.3], ["1", "12"]))  # products, whose codes are no tree
    assert [one.name for one in flat.shape.series] == ["1", "12", "Total"]


def test_contributions_are_of_the_last_period_and_of_the_whole():
    of = Column("of", "text", "dimension", codelist="COICOP")
    group = Column("group", "text", "dimension", codelist="COICOP")
    rows = {"period": ["2025-01", "2025-01", "2025-02", "2025-02", "2025-02"], "of": ["_T"] * 4 + ["01"]}
    rows |= {"group": ["01", "03", "01", "02", "01.1"], "part": [9.0, 8.0, 1.0, 2.0, 7.0]}
    made = chart(pa.table(rows), TableSchema("P", "", (PERIOD, of, group, PART), key=("period", "of", "group")))
    assert {one.name: one.last for one in made.shape.series} == {"02": 2.0, "01": 1.0, "Total": 3.0}


def test_records_are_counted_in_a_map_of_periods_and_codes():
    made = chart(findings(), FINDINGS)
    assert made.kind == "heat"
    assert [[point.value for point in one.points] for one in made.shape.series] == [[30.0] * 3] * 2
    assert made.words == (
        "Map of counts by period, 2 rows. COPY: 90 from January 2024 to March 2024, most in January 2024 (30). "
        "UNIT: 90 from January 2024 to March 2024, most in January 2024 (30)."
    )
    assert made.svg().count(">30</text>") == 6
    assert chart(findings(["COPY"]), FINDINGS).kind == "heat"
    keyed = TableSchema("Counts", "", (CODE, PERIOD, ROWS), key=("code", "period"))
    assert chart(findings(each=1), keyed).kind == "line"  # a series, not a list


def test_a_map_has_room_for_36_periods_and_says_so():
    weeks = [f"2025-W{week:02d}" for week in range(1, 53)]
    assert chart(findings(periods=weeks), FINDINGS).notes == ("The newest 36 of 52 periods are drawn.",)


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=30))
def test_counts_fall_into_at_most_five_classes_that_hold_them_all(values):
    bounds = blocks._bounds([float(value) for value in values])
    assert bounds == sorted(set(bounds))
    assert 1 <= len(bounds) <= len(blocks.SHADES)
    assert bounds[0] <= min(values)
    assert bounds[-1] <= max(max(values), 1)


CASES |= {
    "band": ((fan(12), FAN), "fan", 1),
    "parts": (split([0.4, -0.2, 0.1]), "parts", 0),
    "map with numbers": ((findings(tuple("ABCDEFGHIJ"), MONTHS[:8]), FINDINGS), "heat", 0),
    "map": ((findings(tuple("ABCDEFGHIJKL"), MONTHS), FINDINGS), "heat", 0),
}


def chart_of(rows):
    return chart(*rows) if isinstance(rows, tuple) else chart(rows, SCHEMA)


@pytest.fixture(params=list(CASES))
def case(request):
    return CASES[request.param]


def test_the_kind_follows_from_the_roles_and_the_number_of_series(case):
    given_table, kind, drawn = case
    made = chart_of(given_table)
    assert made.kind == kind
    assert len(re.findall(r"goes from", made.words)) == (drawn if kind != "bar" else 0)


@pytest.mark.parametrize("width", [760, 360])
def test_a_drawing_is_small_has_words_and_takes_its_colours_from_the_page(case, width):
    made = chart_of(case[0])
    drawn = made.svg(width)
    root = ElementTree.fromstring(drawn)
    assert len(drawn.encode()) <= 12 * 1024
    assert root.get("role") == "img"
    assert root.get("aria-label") == made.words
    assert abs(float(root.get("viewBox").split()[2]) - width) <= (12 if made.kind == "panels" else 0)
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b", drawn)
    used = set(re.findall(r"var\(--(\w+)\)", drawn))
    assert used
    assert used <= set(theme()["light"])
    assert used <= set(theme()["dark"])


def test_a_text_of_the_data_cannot_become_markup():
    drawn = chart(table(["<script>", '"&'], MONTHS[:3]), SCHEMA).svg()
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn


def test_what_is_left_out_is_said():
    assert chart(table(groups(300), MONTHS[:12]), SCHEMA).notes == (
        "12 of 300 series are drawn: those with the highest last value.",
    )
    assert chart(table(["_T", *groups(80)]), SCHEMA).notes == (
        "16 of 80 other series are drawn in grey, evenly by their last value.",
    )
    assert chart(one_period(groups(40)), SCHEMA).notes == ("20 of 40 values are drawn: the largest.",)
    assert chart(table(groups(5)), SCHEMA).notes == ()


def test_a_single_value_makes_no_chart():
    with pytest.raises(BadCall, match="single value"):
        chart(one_period(["a"]), SCHEMA)


def test_words_name_the_turning_points():
    values = {"period": MONTHS[:4], "index": [100.0, 90.0, 120.0, 110.0]}
    assert chart(pa.table(values), TableSchema("I", "", (PERIOD, INDEX))).words == (
        "Line chart. index goes from 100.0 (January 2024) to 110.0 (April 2024). "
        "The lowest is 90.0 (February 2024), the highest 120.0 (March 2024)."
    )


def test_without_the_extra_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "altair", None)
    with pytest.raises(ExtraMissing, match=re.escape("pip install 'statcommons[charts]'")):
        chart(table(["a"]), SCHEMA)


# --- what the lines tell --------------------------------------------------------------------------------------------


def strokes(made):
    """The paths of the lines, by colour and dash."""
    root = ElementTree.fromstring(made.svg())
    paths = [one for one in root.iter("{http://www.w3.org/2000/svg}path") if one.get("stroke-width") == "2.25"]
    assert paths
    return [(one.get("stroke"), one.get("stroke-dasharray"), one.get("d")) for one in paths]


def test_a_gap_is_not_bridged():
    holes = table(["a"], MONTHS[:4] + MONTHS[5:8])
    assert len(strokes(chart(holes, SCHEMA))) == 2
    assert len(strokes(chart(table(["a"], MONTHS[:8]), SCHEMA))) == 1


def test_a_missing_value_is_a_gap():
    values = {"period": MONTHS[:5], "index": [1.0, 2.0, None, 2.0, 3.0]}
    assert len(strokes(chart(pa.table(values), TableSchema("I", "", (PERIOD, INDEX))))) == 2


def test_a_break_ends_the_line_and_stands_upright():
    made = chart(table(["a"], MONTHS[:6], status=["A", "A", "A", "B", "A", "A"]), SCHEMA)
    assert len(strokes(made)) == 2
    assert 'stroke="var(--edge)"' in made.svg()
    assert made.statuses == ("B",)


def test_provisional_is_dotted_with_hollow_points():
    made = chart(table(["a"], MONTHS[:6], status=["A"] * 4 + ["P"] * 2), SCHEMA)
    assert [dash for _, dash, _ in strokes(made)] == [None, "1,5"]
    assert made.svg().count('fill="var(--paper)"') == 3  # two points, and the paper itself
    assert made.statuses == ("P",)


def test_a_forecast_is_dashed():
    made = chart(table(["a"], MONTHS[:6], status=["A"] * 4 + ["F"] * 2), SCHEMA)
    assert [dash for _, dash, _ in strokes(made)] == [None, "6,4"]


def test_an_index_has_its_base_line_and_another_measure_has_none():
    assert 'stroke="var(--ink)"' in chart(table(["a"]), SCHEMA).svg()
    plain = TableSchema("I", "", (PERIOD, GROUP, Column("index", "number", "measure", unit="EUR")))
    assert 'stroke="var(--ink)"' not in chart(table(["a"]), plain).svg()


@pytest.mark.parametrize("width", [760, 360])
def test_the_last_value_stands_beside_its_line(width):
    drawn = chart(table(["_T", "a"], MONTHS[:12]), SCHEMA).svg(width)
    assert "Total 101.1</text>" in drawn
    assert "a 102.2</text>" in drawn


def test_the_drawing_does_not_depend_on_the_zone_of_the_machine():
    code = (
        "import pyarrow as pa\n"
        "from statcommons.core.chart import chart\n"
        "from statcommons.core.schema import Column, TableSchema\n"
        "t, v = Column('t', 'date', 'time'), Column('v', 'number', 'measure')\n"
        "import datetime as d\n"
        "days = [d.date(2026, 3, day) for day in range(20, 32)]\n"
        "print(chart(pa.table({'t': days, 'v': [float(i) for i in range(12)]}), TableSchema('T', '', (t, v))).svg())"
    )
    drawn = [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "TZ": zone}, capture_output=True, check=True
        ).stdout
        for zone in ("America/New_York", "Pacific/Auckland")
    ]
    assert b">20 Mar 2026</text>" in drawn[0]
    assert drawn[0] == drawn[1]


# --- the parts of the drawing, for any data -------------------------------------------------------------------------

finite = st.floats(-1e9, 1e9, allow_nan=False).map(lambda value: round(value, 3))


@given(st.lists(finite, min_size=1, max_size=30))
def test_gridlines_are_few_even_and_enclose_the_values(values):
    ticks, decimals = drawing._ticks(values)
    assert 2 <= len(ticks) <= 9
    assert ticks[0] <= min(values) + 1e-6
    assert max(values) <= ticks[-1] + 1e-6
    assert len({number(tick, decimals) for tick in ticks}) == len(ticks)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=5))
def test_labels_never_lie_upon_each_other(values):
    height = 248
    found = drawing._spread([(value, ["a"]) for value in values], [0.0, 100.0], height)
    pixels = sorted(value / 100 * height for value in found)
    assert all(after - before >= drawing.LINE for before, after in itertools.pairwise(pixels))
    assert pixels[0] >= -9
    assert pixels[-1] <= height + 9


@given(st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1)), st.integers(1, 40000), st.sampled_from([4, 7]))
def test_time_is_marked_seldom_in_order_and_within(first, days, most):
    start, end = midnight(first), midnight(first + datetime.timedelta(days=days))
    marks = [moment for moment, _ in drawing._time_ticks(start, end, most)]
    assert len(marks) <= most
    assert marks == sorted(set(marks))
    assert all(start <= moment <= end for moment in marks)


def test_a_series_is_cut_where_its_style_changes():
    days = [midnight(datetime.date(2024, 1, day)) for day in (1, 2, 3)]
    statuses = ["A", "P", "P"]
    points = [
        Point(str(place), day, 1.0, status, ("D", place))
        for place, (day, status) in enumerate(zip(days, statuses, strict=True))
    ]
    pieces = list(drawing._pieces(Series((), "", tuple(points))))
    assert [(style, [point.period for point in stroke]) for style, stroke in pieces] == [("P", ["0", "1", "2"])]


# --- files ----------------------------------------------------------------------------------------------------------


def test_a_chart_is_saved_by_its_ending(tmp_path):
    made = chart(table(["_T", "a"]), SCHEMA, title="Prices rose", subtitle="Index, January 2024 = 100")
    drawn = made.save(tmp_path / "c.svg").read_text()
    assert "Prices rose" in drawn
    assert "var(--" not in drawn  # a file of its own has no page to ask for colours
    spec = json.loads(made.save(tmp_path / "c.json").read_text())
    assert spec["$schema"].startswith("https://vega.github.io/schema/vega-lite/")
    assert spec["config"]["axis"]["gridColor"] == theme()["light"]["rule"]
    page = made.save(tmp_path / "c.html").read_text()
    assert not re.search(r"""(src|href)=["']?http""", page)
    with pytest.raises(BadCall, match="png"):
        made.save(tmp_path / "c.png")


def test_a_sign_that_no_page_can_hold_is_replaced():
    """In a separate process: unmended, the drawing would take the whole process with it."""
    import subprocess
    import sys

    code = (
        "from statcommons.core.svg import draw\n"
        "values = [{'x': 1, 'name': 'a\\x00b'}]\n"
        "spec = {'data': {'values': values}, 'mark': 'text', 'encoding': {'text': {'field': 'name'}}}\n"
        "print('a\\ufffdb' in draw(spec))"
    )
    done = subprocess.run([sys.executable, "-X", "utf8", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "True\n")
