"""From deliveries to what is published: the whole line, its update, and what it holds back."""

import warnings

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from statcommons import load_run, rerun
from statcommons.cli.main import main
from statcommons.core.errors import BadData
from statcommons.core.run import run
from statcommons.core.seed import seeded
from statcommons.prices import multilateral_index
from statcommons.prices.aggregate.aggregate_index import aggregate_index
from statcommons.prices.cpi import cpi
from statcommons.prices.data import scanner_market

pytestmark = pytest.mark.filterwarnings("ignore::statcommons.core.quality.Notice")

MONTHS = 8
WEIGHTS = {"group": ["01.1.1", "01.1.4", "01.2.1"], "weight": [50.0, 30.0, 20.0]}
OPEN = {"least_retailers": 1, "dominance": 1.0, "window": 5, "filters": "none"}


def market(seed, months=MONTHS, **options):
    """Sales in three groups; the same seed gives the same first months."""
    with seeded(seed):
        sales = scanner_market(products=30, months=months, codes="gtin", **options).result
    codes = [int(code[-4:-1]) % 3 for code in sales["product"].to_pylist()]
    groups = pa.array([WEIGHTS["group"][code] for code in codes])
    return sales.set_column(sales.column_names.index("group"), "group", groups)


def of(retailer, sales):
    return sales.append_column("retailer", pa.array([retailer] * sales.num_rows))


SALES = {name: of(name, market(seed)) for name, seed in (("A", 1), ("B", 2), ("C", 3))}


def month_of(sales):
    return pc.utf8_slice_codeunits(sales["time"].cast(pa.string()), 0, 7)


def before(sales, month):
    return sales.filter(pc.less(month_of(sales), month))


def only(sales, month):
    return sales.filter(pc.equal(month_of(sales), month))


def compiled(deliveries, *inputs, **options):
    return cpi(deliveries, WEIGHTS, *inputs, **(OPEN | options))


def rows(table, *names):
    made = table.to_pyarrow().select(names).to_pylist()
    return sorted((tuple(row.values()) for row in made), key=str)


def test_it_is_what_its_parts_give():
    """Products are a retailer's own, the index of a group is over all retailers, groups add up with their weights."""
    pooled = pa.concat_tables(
        [
            one.set_column(
                one.column_names.index("product"),
                "product",
                pc.binary_join_element_wise(one["retailer"], one["product"], " "),
            )
            for one in SALES.values()
        ]
    )
    elementary = multilateral_index(pooled, window=5, by="group")
    expected = aggregate_index(elementary.select("period", "group", "index"), WEIGHTS)
    made = compiled(list(SALES.values()), hold=False)
    assert rows(made.result, "period", "group", "index") == rows(expected.result, "period", "group", "index")
    assert rows(made.contributions, "period", "of", "group", "previous") == rows(
        expected.contributions, "period", "of", "group", "previous"
    )
    assert set(made.result.confidentiality.to_pyarrow().to_pylist()) == {"F"}


@pytest.mark.parametrize("splice", ["mean", "movement", "fbew", "mean_pub"])
def test_a_monthly_update_is_the_full_run_to_the_bit(splice):
    everything = compiled(list(SALES.values()), splice=splice)
    first = compiled([before(one, "2023-08") for one in SALES.values()], splice=splice)
    inputs = (list(SALES.values()), None, None, first.unit_values, first.published)
    update = compiled(*inputs, splice=splice, since="2023-08")
    for name, columns in {
        "result": ("period", "group", "computed", "contribution_previous"),
        "groups": ("period", "group", "index", "matched_products", "retailers"),
        "unit_values": ("retailer", "period", "group", "product", "turnover", "quantity"),
    }.items():
        assert rows(getattr(update, name), *columns) == rows(getattr(everything, name), *columns)
    assert rows(update.revisions, "period") == []
    standing = update.published.filter(update.published.vintage == 2)
    assert set(standing.period.to_pyarrow().to_pylist()) == {"2023-08"}


def test_a_period_that_is_delivered_again_replaces_what_was_there():
    first = compiled([before(one, "2023-08") for one in SALES.values()])
    again = [SALES["A"], only(SALES["B"], "2023-08"), only(SALES["C"], "2023-08")]
    with pytest.warns(UserWarning, match="7 periods of retailers were delivered again"):
        update = compiled(again, None, None, first.unit_values)
    assert rows(update.result, "period", "group", "index") == rows(
        compiled(list(SALES.values())).result, "period", "group", "index"
    )


def test_days_that_follow_are_added_and_days_given_again_in_part_are_refused():
    days = SALES["A"]["time"].cast(pa.string())
    early = SALES["A"].filter(pc.less(days, "2023-08-15"))
    late = SALES["A"].filter(pc.greater_equal(days, "2023-08-15"))
    first = compiled([early, SALES["B"], SALES["C"]], hold=False)
    update = compiled([late], None, None, first.unit_values, hold=False)
    whole = compiled(list(SALES.values()), hold=False)
    columns = ("retailer", "period", "group", "product", "turnover", "quantity", "first_day", "last_day")
    assert rows(update.unit_values, *columns) == rows(whole.unit_values, *columns)
    again = SALES["A"].filter(pc.greater_equal(days, "2023-08-10"))
    with pytest.raises(BadData, match=r"2023-08 was delivered from .* before, and from 2023-08-10"):
        compiled([again], None, None, first.unit_values)


def told(*arguments, **options):
    """The notices of a compilation."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        compiled(*arguments, **options)
    return " ".join(str(one.message) for one in found)


def test_what_is_not_there_is_told():
    first = compiled([before(one, "2023-08") for one in SALES.values()])
    words = told([only(SALES["A"], "2023-08"), only(SALES["B"], "2023-08")], None, None, first.unit_values)
    assert "1 of 3 retailers of the period before delivered nothing for 2023-08" in words
    assert "copies of an earlier period and breaks in volume cannot be found" in words
    words = told([one.filter(pc.not_equal(one["group"], "01.1.1")) for one in SALES.values()])
    assert "Up to 50 % of the weight has no price of its own" in words
    same = [SALES["A"], of("D", SALES["A"].drop_columns("retailer"))]
    assert "2 retailers delivered the same" in told(same)


def test_names_of_retailers_that_differ_by_case_are_refused():
    with pytest.raises(BadData, match=r"differ by case or spaces only: 'A', 'a '"):
        compiled([SALES["A"], of("a ", SALES["B"].drop_columns("retailer"))])


def test_retailers_whose_products_match_nothing_do_not_count():
    lone = only(SALES["C"], "2023-03")
    made = compiled([SALES["A"], SALES["B"], lone], least_retailers=3, hold=False)
    assert set(made.result.confidentiality.to_pyarrow().to_pylist()) == {"A"}


def test_codes_of_two_retailers_never_meet():
    one = only(SALES["A"], "2023-01")
    other = of("A B", one.drop_columns("retailer"))
    names = pc.binary_join_element_wise("B", one["product"], " ")
    one = one.set_column(one.column_names.index("product"), "product", names)
    whole = pa.concat_tables([SALES["A"], one, other])
    assert compiled([whole], hold=False).unit_values.retailer.nunique().to_pyarrow().as_py() == 2


def test_the_headline_is_what_stands_published():
    first = compiled([before(one, "2023-08") for one in SALES.values()])
    other = WEIGHTS | {"weight": [80.0, 10.0, 10.0]}
    inputs = (list(SALES.values()), other, None, None, first.unit_values, first.published)
    made = cpi(*inputs, **(OPEN | {"since": "2023-08"}))
    top = made.result.filter(made.result.level == 0).order_by("period").to_pyarrow()
    old = first.result.filter(first.result.level == 0).order_by("period").to_pyarrow()["index"].to_numpy()
    index, computed = top["index"].to_numpy(), top["computed"].to_numpy()
    np.testing.assert_array_equal(index[:-1], old)
    assert np.abs(computed[:-1] - old).max() > 1e-3
    assert index[-1] / index[-2] == pytest.approx(computed[-1] / computed[-2], rel=1e-12)


def copied(sales):
    """Deliver June again as July."""
    june, rest = only(sales, "2023-06"), sales.filter(pc.not_equal(month_of(sales), "2023-07"))
    later = [day.replace(month=7) for day in june["time"].to_pylist()]
    return pa.concat_tables([rest, june.set_column(june.column_names.index("time"), "time", pa.array(later))])


def test_a_copied_month_is_held_and_the_other_retailers_move_the_index():
    deliveries = [copied(SALES["A"]), SALES["B"], SALES["C"]]
    made = compiled(deliveries)
    found = made.findings.to_pyarrow()
    copies = found.filter(pc.equal(found["code"], "COPY"))
    assert copies.select(["retailer", "period"]).to_pylist() == [{"retailer": "A", "period": "2023-07"}]
    plan = made.plan.to_pyarrow()
    held = plan.filter(pc.equal(plan["decision"], "hold"))
    assert set(held["retailer"].to_pylist()) == {"A"}
    assert set(held["period"].to_pylist()) == {"2023-07"}
    without = SALES["A"].filter(pc.not_equal(month_of(SALES["A"]), "2023-07"))
    expected = compiled([without, SALES["B"], SALES["C"]], hold=False)
    assert rows(made.result, "period", "group", "index") == rows(expected.result, "period", "group", "index")
    told_only = compiled(deliveries, hold=False)
    assert rows(told_only.result, "period", "index") != rows(expected.result, "period", "index")


def test_a_month_of_which_all_is_held_is_named():
    with pytest.raises(BadData, match=r"All deliveries of 2023-07 are held \(COPY\)"):
        compiled([copied(SALES["A"])])
    ended = before(copied(SALES["A"]), "2023-08")
    with pytest.warns(UserWarning, match="All deliveries of 2023-07 are held .*ends before"):
        made = compiled([ended])
    assert max(made.result.period.to_pyarrow().to_pylist()) == "2023-06"


def test_what_one_retailer_dominates_is_held_back_with_its_contributions():
    few = [SALES["A"], SALES["B"]]
    made = compiled(few, least_retailers=3)
    assert set(made.result.confidentiality.to_pyarrow().to_pylist()) == {"A"}
    assert made.result["index"].to_pyarrow().null_count == made.result.count().to_pyarrow().as_py()
    assert rows(made.contributions, "period") == []
    assert rows(made.published, "period") == []


def test_products_without_a_group_are_refused_until_it_is_given():
    nameless = {name: one.drop_columns("group") for name, one in SALES.items()}
    with pytest.raises(BadData, match=r"have no group\..*classify"):
        compiled(list(nameless.values()))
    everything = pa.concat_tables(SALES.values())
    groups = everything.select(["product", "group"]).group_by(["product", "group"]).aggregate([])
    made = compiled(list(nameless.values()), None, groups)
    assert rows(made.result, "period", "group", "index") == rows(
        compiled(list(SALES.values())).result, "period", "group", "index"
    )


def test_an_update_needs_the_names_of_the_retailers():
    first = compiled(list(SALES.values()))
    with pytest.raises(BadData, match="name no retailer"):
        compiled([SALES["A"].drop_columns("retailer")], None, None, first.unit_values)


def whole(table):
    """The index of everything, by period."""
    made = table.order_by(["level", "period"]).limit(MONTHS).to_pyarrow()
    assert len(set(made["group"].to_pylist())) == 1
    return made["index"].to_numpy()


def test_filters_and_imputation_are_carried_out():
    sales = SALES["A"].to_pylist()
    for row in sales:
        if row["time"].month == 5 and row["product"] == sales[0]["product"]:
            row["price"] *= 40.0  # no pack is so large
    deliveries = [pa.Table.from_pylist(sales, schema=SALES["A"].schema), SALES["B"], SALES["C"]]
    raw, filtered = (whole(compiled(deliveries, hold=False, filters=one).result) for one in ("none", "own"))
    clean = whole(compiled(list(SALES.values()), hold=False).result)
    assert np.abs(filtered - clean).max() < np.abs(raw - clean).max() / 2
    gone = SALES["A"].filter(pc.not_equal(month_of(SALES["A"]), "2023-08"))
    imputed = compiled([gone, SALES["B"], SALES["C"]], hold=False, imputation="carry_forward")
    plain = compiled([gone, SALES["B"], SALES["C"]], hold=False)
    assert whole(imputed.result)[-1] != whole(plain.result)[-1]
    np.testing.assert_array_equal(whole(imputed.result)[:-1], whole(plain.result)[:-1])


ON_DUCKDB = compiled(list(SALES.values())).result.order_by(["period", "group"]).to_pyarrow()


def test_both_engines_give_the_same(engine):
    made = cpi([engine.adopt(one) for one in SALES.values()], engine.adopt(pa.table(WEIGHTS)), **OPEN)
    found = engine.collect(made.result.order_by(["period", "group"]))
    assert found["group"].to_pylist() == ON_DUCKDB["group"].to_pylist()
    np.testing.assert_allclose(found["index"].to_numpy(), ON_DUCKDB["index"].to_numpy(), rtol=1e-12)


def test_from_folders_of_files_on_the_command_line(tmp_path):
    for name, sales in SALES.items():
        folder = tmp_path / "deliveries" / name
        folder.mkdir(parents=True)
        for month in sorted(set(month_of(sales).to_pylist())):
            pyarrow.csv.write_csv(only(sales, month).drop_columns("retailer"), folder / f"{month}.csv")
    pyarrow.csv.write_csv(pa.table(WEIGHTS), tmp_path / "weights.csv")
    inputs = ["--deliveries", str(tmp_path / "deliveries"), "--weights", str(tmp_path / "weights.csv")]
    options = ["--window", "5", "--least-retailers", "1", "--dominance", "1", "--filters", "none"]
    with pytest.raises(SystemExit) as ended:
        main(["run", "prices.cpi", *inputs, *options, "--out", str(tmp_path / "run")])
    assert ended.value.code == 0
    made = load_run(tmp_path / "run")
    assert len(made.facts["inputs"]["deliveries"]["tables"]) == 3
    result = pq.read_table(made.output_file("result")).sort_by([("period", "ascending"), ("group", "ascending")])
    assert result.select(["period", "group", "index"]).equals(ON_DUCKDB.select(["period", "group", "index"]))
    public = {file.name: pq.read_schema(file).names for file in (tmp_path / "run" / "outputs").glob("*.parquet")}
    assert not {"product", "turnover", "retailer"} & set(public["unit_values.parquet"])
    assert not {"retailer", "outlet", "observed"} & set(public["findings.parquet"])
    assert "index" not in public["groups.parquet"]


def test_a_run_repeats(tmp_path):
    for name, sales in SALES.items():
        pq.write_table(sales, tmp_path / f"{name}.parquet")
    pyarrow.csv.write_csv(pa.table(WEIGHTS), tmp_path / "weights.csv")
    inputs = {"deliveries": [tmp_path / f"{name}.parquet" for name in SALES], "weights": tmp_path / "weights.csv"}
    run("prices.cpi", inputs, OPEN, out=tmp_path / "run")
    assert rerun(load_run(tmp_path / "run")).same
