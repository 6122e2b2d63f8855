"""The panel sorts, checks and cuts unit values without changing any."""

import numpy as np
import pytest

from statcommons.core.errors import BadCall, BadData
from statcommons.prices.panel import panel, require_consecutive
from statcommons.prices.unit_values import panels_of

PERIOD = np.array(["2024-02", "2024-01", "2024-01", "2024-02"], dtype=object)
PRODUCT = np.array(["tea", "tea", "004", "rice"], dtype=object)
PRICE = np.array([3.0, 2.0, 1.0, 5.0])
QUANTITY = np.array([10.0, 20.0, 30.0, 40.0])


def columns(made):
    return [made.products[made.product].tolist(), made.periods[made.period].tolist(), made.price.tolist()]


def test_rows_are_sorted_by_product_then_period():
    made = panel(PERIOD, PRODUCT, PRICE, QUANTITY)
    assert made.products.tolist() == ["004", "rice", "tea"]
    assert made.periods.tolist() == ["2024-01", "2024-02"]
    assert columns(made) == [
        ["004", "rice", "tea", "tea"],
        ["2024-01", "2024-02", "2024-01", "2024-02"],
        [1.0, 5.0, 2.0, 3.0],
    ]
    assert made.quantity.tolist() == [30.0, 40.0, 20.0, 10.0]


@pytest.mark.parametrize("dtype", [object, "U", np.dtypes.StringDType()])
def test_any_kind_of_text_makes_the_same_panel(dtype):
    made = panel(PERIOD.astype(dtype), PRODUCT.astype(dtype), PRICE, QUANTITY)
    assert columns(made) == columns(panel(PERIOD, PRODUCT, PRICE, QUANTITY))


def test_dictionary_codes_make_the_same_panel():
    labels = np.array(["tea", "unused", "rice", "004"])
    made = panel(PERIOD, (np.array([0, 0, 3, 2]), labels), PRICE, QUANTITY)
    assert made.products.tolist() == ["004", "rice", "tea"]
    assert columns(made) == columns(panel(PERIOD, PRODUCT, PRICE, QUANTITY))


def test_blocks_are_the_dense_panel_whatever_their_size():
    made = panel(PERIOD, PRODUCT, PRICE, QUANTITY)
    (whole,) = made.blocks()
    assert whole.P.tolist() == [[1.0, 0.0, 2.0], [0.0, 5.0, 3.0]]
    assert whole.Q.tolist() == [[30.0, 0.0, 20.0], [0.0, 40.0, 10.0]]
    assert whole.V.tolist() == [[30.0, 0.0, 40.0], [0.0, 200.0, 30.0]]
    assert whole.M.tolist() == [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
    np.testing.assert_array_equal(whole.L, np.log(np.where(whole.P > 0, whole.P, 1.0)))
    for cells, widths in [(1, [1, 1, 1]), (4, [2, 1]), (6, [3])]:
        parts = list(made.blocks(cells))
        assert [part.P.shape[1] for part in parts] == widths
        for matrix, expected in enumerate(whole):
            np.testing.assert_array_equal(np.hstack([part[matrix] for part in parts]), expected)


def test_periods_may_be_named_that_have_no_row():
    made = panel(PERIOD, PRODUCT, PRICE, QUANTITY, periods=["2024-03", "2024-02", "2024-01", "2023-12"])
    assert made.periods.tolist() == ["2023-12", "2024-01", "2024-02", "2024-03"]
    assert columns(made) == columns(panel(PERIOD, PRODUCT, PRICE, QUANTITY))


def test_a_row_outside_the_named_periods_is_refused():
    with pytest.raises(BadData, match="2024-02 is not one of the periods"):
        panel(PERIOD, PRODUCT, PRICE, QUANTITY, periods=["2024-01", "2024-03"])


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize("name", ["price", "quantity"])
def test_a_measure_that_is_not_above_zero_is_refused_with_its_place(name, bad):
    measures = {"price": PRICE.copy(), "quantity": QUANTITY.copy()}
    measures[name][3] = bad
    with pytest.raises(BadData, match=f"period 2024-02, product rice: 1 unit values have a {name}"):
        panel(PERIOD, PRODUCT, **measures)


def test_a_repeated_period_and_product_is_refused():
    with pytest.raises(BadData, match="period 2024-01, product tea: 1 unit values repeat"):
        panel(np.array(["2024-01"] * 3), np.array(["tea", "rice", "tea"]), [1, 2, 3], [1, 1, 1])


@pytest.mark.parametrize(
    "codes", [[5.9e12, 1.0], ["004", None], ["004", np.nan], np.array(["2024-01", "NaT"], "M8[D]")]
)
def test_labels_that_are_not_text_are_refused(codes):
    with pytest.raises(BadData, match="product is not text"):
        panel(np.array(["2024-01", "2024-02"]), np.array(codes, getattr(codes, "dtype", object)), [1, 1], [1, 1])


@pytest.mark.parametrize("code", [-1, 2])
def test_a_dictionary_code_without_label_is_refused(code):
    with pytest.raises(BadData, match="A row has no product"):
        panel(np.array(["2024-01"]), (np.array([code]), np.array(["tea", "rice"])), [1], [1])


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(BadCall, match="different lengths"):
        panel(PERIOD, PRODUCT, PRICE[:3], QUANTITY)


def test_an_empty_panel_is_refused():
    with pytest.raises(BadData, match="no unit value"):
        panel(PERIOD[:0], PRODUCT[:0], PRICE[:0], QUANTITY[:0])


@pytest.mark.parametrize(
    "periods",
    [
        pytest.param(["2023-11", "2023-12", "2024-01"], id="months over a year end"),
        pytest.param(["2020-W52", "2020-W53", "2021-W01"], id="weeks over a long year"),
        pytest.param(["2021-W51", "2021-W52", "2022-W01"], id="weeks over a short year"),
        pytest.param([3, 4, 5], id="numbers"),
        pytest.param(["spring", "summer", "winter"], id="no calendar"),
    ],
)
def test_consecutive_periods_pass(periods):
    require_consecutive(np.array(periods))


@pytest.mark.parametrize(
    "periods",
    [["2023-11", "2023-12", "2024-02"], ["2020-W51", "2020-W52", "2021-W01"], [3, 4, 6]],
    ids=["months", "weeks", "numbers"],
)
def test_a_gap_is_refused_with_the_periods_beside_it(periods):
    with pytest.raises(BadData, match=f"no data between {periods[1]} and {periods[2]}"):
        require_consecutive(np.array(periods))


def test_panels_of_groups_come_from_rows_in_any_order():
    pa = pytest.importorskip("pyarrow")
    rows = [  # tea is in both groups
        ("2024-01", "b", "tea", 1.0),
        ("2024-02", "b", "tea", 2.0),
        ("2024-01", "b", "Ähre", 3.0),
        ("2024-01", "a", "tea", 4.0),
        ("2024-02", "a", "rice", 5.0),
    ]
    for order in np.random.default_rng(1).permutation([range(5)] * 10, axis=1):
        period, group, product, price = zip(*(rows[place] for place in order), strict=True)
        table = {"period": period, "group": group, "product": product, "price": price, "quantity": price}
        made = panels_of(pa.table({name: list(values) for name, values in table.items()}))
        assert list(made) == ["a", "b"]
        assert columns(made["a"]) == [["rice", "tea"], ["2024-02", "2024-01"], [5.0, 4.0]]
        assert made["a"].products.tolist() == ["rice", "tea"]
        assert columns(made["b"]) == [["tea", "tea", "Ähre"], ["2024-01", "2024-02", "2024-01"], [1.0, 2.0, 3.0]]
