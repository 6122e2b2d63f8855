"""Package sizes in names, and what changes of them do to prices."""

import random
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.errors import BadData
from statcommons.core.quality import collecting
from statcommons.prices.clean.sizes import UNITS, normalised, parse_size, shrinkflation, sizes, without_size


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("4x100g", 400, "g"),
        ("0,75l", 750, "ml"),
        ("500 g", 500, "g"),
        ("1l", 1000, "ml"),
        ("1 l", 1000, "ml"),
        ("1 Litr", 1000, "ml"),
        ("0.7L wódka 40%", 700, "ml"),
        ("wino 75 cl", 750, "ml"),
        ("cukier 1kg", 1000, "g"),
        ("szynka 15 dag", 150, "g"),
        ("jajka 10 szt.", 10, "piece"),
        ("SOFT DRINK 12 FL OZ", 354.882354750, "ml"),
        ("RICE 2 LB", 907.18474, "g"),
        ("jajka 10szt 600g", 600, "g"),  # mass before pieces
        ("mleko 3,2%0,5l", 500, "ml"),
        ("mleko 2%1lpet", 1000, "ml"),
        ("mleko 3,2%1lx12", 12000, "ml"),
        ("mleczko 0.2lx12szt", 2400, "ml"),
        ("woda 2 x 6 x 0,5 l", 6000, "ml"),
        ("ryż 500g 500g", 500, "g"),  # said twice
        ("cukier w sasz.100x5g", 500, "g"),
    ],
)
def test_sizes_in_names(text, amount, unit):
    assert parse_size(text) == (pytest.approx(amount, rel=1e-15), unit)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cukier biały",
        "xyz 3 4.34",
        "mleko 3,2%tl",
        "2 gatunki",  # not 2 g
        "witamina b12l",  # a digit inside a word
        "cola 1/2l",  # not 2 l
        "500g + 50g gratis",  # two sizes: nobody knows which
        "500ml 450g",
        "0 g cukru",
        "mleczko 0,2x12szt",  # 0.2 of what?
    ],
)
def test_names_without_a_size_that_is_known(text):
    assert parse_size(text) is None


def test_letters_composed_in_either_way_and_wide_spaces_give_one_name():
    name = "Ryż\u00a0długi  500\u2009g"
    assert normalised(unicodedata.normalize("NFD", name)) == normalised(name) == "ryż długi 500 g"


WORDS = st.sampled_from(["ryż", "biały", "3,2%", "uht", "łowicz", "mp", "nr 7", "b12"])


@given(st.lists(WORDS, max_size=4), st.integers(1, 9999), st.sampled_from(sorted(UNITS)), st.booleans(), st.data())
def test_a_size_is_found_wherever_it_stands_and_leaves_the_name(words, number, unit, spaced, data):
    written = f"{number}{' ' if spaced else ''}{unit}"
    place = data.draw(st.integers(0, len(words)))
    text = " ".join([*words[:place], written, *words[place:]])
    base, factor = UNITS[unit]
    assert parse_size(text) == (pytest.approx(number * float(factor), rel=1e-15), base)
    assert without_size(text) == normalised(" ".join(words))


def test_a_column_is_read_row_by_row():
    names = pa.array(["500 g", None, "tea", "12 szt", "500 g"])
    amount, unit = sizes(names)
    assert amount.tolist() == pytest.approx([500, float("nan"), float("nan"), 12, 500], nan_ok=True)
    assert unit.tolist() == ["g", None, None, "piece", "g"]


def market(*rows):
    """Sales of (month, name, price, quantity), in any order."""
    rows = list(rows)
    random.Random(1).shuffle(rows)
    month, name, price, quantity = zip(*rows, strict=True)
    return {
        "time": [f"2026-{one:02}-05" for one in month],
        "product": list(name),
        "price": [float(one) for one in price],
        "quantity": [float(one) for one in quantity],
        "description": list(name),
    }


def kinds(table):
    return {(row["size_before"], row["size"]): row["kind"] for row in table.to_pyarrow().to_pylist()}


@pytest.mark.parametrize(
    ("size", "price", "kind"),
    [
        (80, 9, "shrinkflation"),
        (80, 10, "shrinkflation"),
        (80, 11, "sharkflation"),
        (80, 7, "shrinkdeflation"),
        (80, 8, "proportional"),
        (33, 3.3, "proportional"),  # but for the last digit
        (120, 13, "unshrinkflation"),
        (120, 11, "unshrinkdeflation"),
        (120, 10, "unshrinkdeflation"),
        (120, 9, "sharkdeflation"),
        (120, 12, "proportional"),
    ],
)
def test_the_kinds_of_change(size, price, kind):
    found = shrinkflation(market((1, "tea 100g", 10, 1), (2, f"tea {size}g", price, 1)))
    assert kinds(found) == {(100, size): kind}


def test_a_size_is_replaced_only_where_the_two_never_stand_side_by_side():
    beside = shrinkflation(market((1, "tea 100g", 10, 1), (2, "tea 100g", 10, 1), (2, "tea 80g", 9, 1)))
    instead = shrinkflation(market((1, "tea 100g", 10, 1), (2, "tea 80g", 9, 1)))
    assert beside.replaced.to_pyarrow().to_pylist() == [False]
    assert instead.replaced.to_pyarrow().to_pylist() == [True]


def test_previous_finds_the_step_that_first_and_last_hide():
    sales = market((1, "tea 100g", 10, 1), (2, "tea 80g", 10, 1), (3, "tea 100g", 12, 1))
    assert kinds(shrinkflation(sales)) == {(100, 80): "shrinkflation", (80, 100): "unshrinkdeflation"}
    assert kinds(shrinkflation(sales, compare="first")) == {}


def test_a_gap_in_a_products_sales_does_not_hide_the_change():
    sales = market((1, "tea 100g", 10, 1), (3, "tea 80g", 10, 1), (1, "rice 1kg", 2, 1), (2, "rice 1kg", 2, 1))
    (row,) = shrinkflation(sales).to_pyarrow().to_pylist()
    assert (row["period_before"], row["period"], row["kind"]) == ("2026-01", "2026-03", "shrinkflation")


def test_a_package_that_comes_back_as_often_as_it_is_sold_has_no_price():
    sales = market((1, "tea 100g", 10, 1), (2, "tea 80g", 10, 2), (2, "tea 80g", 10, -3))
    assert kinds(shrinkflation(sales)) == {}


def test_what_has_no_size_is_counted():
    with collecting() as found:
        shrinkflation(market((1, "tea 100g", 10, 3), (2, "tea", 10, 1)))
    measured = {one.name: one.value for one in found.measures}
    assert measured["Share of turnover whose size is known"] == pytest.approx(0.75, rel=1e-15)
    with pytest.raises(BadData, match="description has a size"):
        shrinkflation(market((1, "tea", 10, 3)))
