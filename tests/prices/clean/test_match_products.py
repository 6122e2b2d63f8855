"""Products matched by GTIN, by retailers' codes and by names, and the pairs that may be relaunches."""

import random

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.errors import BadData
from statcommons.core.quality import collecting
from statcommons.prices.clean import similarity as module
from statcommons.prices.clean.match_products import match_products
from statcommons.prices.clean.relaunches import relaunches
from statcommons.prices.clean.similarity import candidates, clusters, similarities, similarity, word_similarity

GTIN, OTHER_GTIN = "5904215121565", "5904215135562"


def table(*rows):
    """Rows of product, GTIN, retailer, the retailer's code, name."""
    names = ("product", "gtin", "retailer", "retailer_code", "description")
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def matched(rows, **options):
    made = match_products(table(*rows), **options)
    return {row["product"]: (row["matched_product"], row["level"]) for row in made.result.to_pyarrow().to_pylist()}


# --- similarity -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("MARTHA", "MARHTA", 0.961),
        ("DWAYNE", "DUANE", 0.840),
        ("DIXON", "DICKSONX", 0.813),
        ("JELLYFISH", "SMELLYFISH", 0.896),
        ("tea", "tea", 1.0),
        ("tea", "box", 0.0),
    ],
)
def test_published_values_of_jaro_winkler(one, other, expected):
    """Winkler (1990) and later papers; the fourth is of Jaro's distance, no letter at the start being equal."""
    assert similarity(one, other) == pytest.approx(expected, abs=5e-4)
    assert similarities([one], [other])[0] == similarity(one, other)


@given(st.text("abcde ", min_size=1, max_size=12), st.text("abcde ", min_size=1, max_size=12))
def test_similarity_is_that_of_duckdb(one, other):
    with duckdb.connect() as connection:
        (expected,) = connection.execute("SELECT jaro_winkler_similarity($1, $2)", [one, other]).fetchone()
    assert similarity(one, other) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("one", "other", "matches"),
    [
        ("sugar white diamant", "diamant sugar white", True),
        ("sugar diamant", "sugar diaman", True),
        ("milk uht 0,0% abc", "milk uht 0,5% abc", False),
        ("rice natural cenos", "rice natural sonko", False),
        ("milk uht mp", "milk uht pp", False),
        ("rice", "rice basmati", False),
        ("sugar diamant white", "sugar diaman brown", False),
        ("diamant", "diaman brown", False),
        ("diaman brown", "diamant", False),
        ("code 1000", "code 10000", False),
    ],
)
def test_the_word_that_fits_worst_decides(one, other, matches):
    assert (word_similarity(one, other) >= 0.95) is matches
    assert word_similarity(one, other) == word_similarity(other, one)


NAMES = st.lists(st.lists(st.sampled_from("abcdef"), max_size=4).map(" ".join), max_size=12)


@given(NAMES, st.randoms(use_true_random=False))
def test_candidates_are_all_pairs_of_a_block_with_a_common_word(names, draw):
    blocks = [draw.choice("XY") for _ in names]
    places, common = candidates(names, blocks)
    expected = [
        [one, other]
        for one in range(len(names))
        for other in range(one + 1, len(names))
        if blocks[one] == blocks[other] and set(names[one].split()) & set(names[other].split())
    ]
    assert places.tolist() == expected
    assert not common


def test_words_of_too_many_names_are_named_and_not_compared_by(monkeypatch):
    monkeypatch.setattr(module, "COMMON", 2)
    places, common = candidates(["rice a", "rice b", "rice a c"], ["X"] * 3)
    assert (places.tolist(), common) == ([[0, 2]], {"rice"})


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=12))
def test_clusters_are_what_links_reach(links):
    of = clusters("abcdefgh", links)
    reach = np.eye(8, dtype=bool)
    for one, other in links:
        one, other = ord(one) - 97, ord(other) - 97
        reach[one, other] = reach[other, one] = True
    for _ in range(3):
        reach = reach @ reach
    assert all(of[one] == "abcdefgh"[int(reach[place].argmax())] for place, one in enumerate("abcdefgh"))


# --- matching -------------------------------------------------------------------------------------------------------


def test_gtins_match_in_every_length_and_before_all_else():
    rows = [
        ("a", GTIN, "r1", "7", "rice white 1kg"),
        ("b", f"0{GTIN}", "r2", "9", "WHITE R. 1 KG"),
        ("c", OTHER_GTIN, "r1", "8", "rice wild 1kg"),
    ]
    assert matched(rows) == {"a": ("a", "gtin"), "b": ("a", "gtin"), "c": ("c", "alone")}


def test_a_retailers_code_is_his_own():
    rows = [("a", None, "r1", "7", "x"), ("b", None, "r1", "7", "y"), ("c", None, "r2", "7", "z")]
    assert matched(rows) == {"a": ("a", "retailer_code"), "b": ("a", "retailer_code"), "c": ("c", "alone")}
    assert {level for _, level in matched(rows[1:]).values()} == {"alone"}


def test_names_match_without_sizes_spaces_and_accents_but_in_one_size():
    rows = [
        ("a", None, None, None, "Mleczko łaciate 3,5% 0,2l"),
        ("b", None, None, None, "mleczko  LACIATE 3.5 % 200 ml"),
        ("c", None, None, None, "mleczko laciate 3,5% 500ml"),
    ]
    assert matched(rows) == {"a": ("a", "name"), "b": ("a", "name"), "c": ("c", "alone")}
    assert {level for _, level in matched(rows[:2], level="name", threshold=1).values()} == {"name"}


def test_names_match_within_their_group_only():
    rows = table(("a", None, None, None, "snack abc"), ("b", None, None, None, "snack abc"))
    apart = match_products(rows | {"group": ["01.1.1", "01.1.8"]}).result.to_pyarrow().to_pylist()
    assert [row["level"] for row in apart] == ["alone", "alone"]


def test_a_name_joins_one_of_those_that_codes_keep_apart_and_this_is_told():
    rows = [
        ("a1", GTIN, None, None, "rice abc"),
        ("a2", GTIN, None, None, "rice abc"),
        ("b1", OTHER_GTIN, None, None, "rice abc"),
        ("b2", OTHER_GTIN, None, None, "rice abc"),
        ("new", None, None, None, "rice abc"),
    ]
    with collecting() as found:
        of = matched(rows)
    assert of["a1"][0] == of["a2"][0] != of["b1"][0] == of["b2"][0]
    assert of["new"] in {("a1", "name"), ("b1", "name")}
    assert any("several that codes keep apart: 1" in text for text in found.notices)


@pytest.mark.parametrize(("near", "far"), [("diamant", "diamonte"), ("zdiamante", "diamonte")])
def test_a_name_joins_the_nearest_of_those_above_the_threshold(near, far):
    named = ((near, GTIN), (far, OTHER_GTIN))
    rows = [(f"{name}{k}", gtin, None, None, f"sugar {name}") for name, gtin in named for k in "12"]
    of = matched([*rows, ("new", None, None, None, "sugar diamante")], threshold=0.8)
    assert of["new"] == (of[f"{near}2"][0], "name")
    assert of["new"][0] != of[f"{far}2"][0]


def test_codes_that_are_used_again_are_trusted_only_where_names_are_alike():
    rows = [
        ("a", None, "r", "7", "rice basmati"),
        ("b", None, "r", "7", "rice basmatti"),
        ("c", None, "r", "7", "shampoo"),
    ]
    assert {product for product, _ in matched(rows).values()} == {"a"}
    with_care = matched(rows, level="retailer_code", code_threshold=0.9)
    assert with_care == {"a": ("a", "retailer_code"), "b": ("a", "retailer_code"), "c": ("c", "alone")}


def test_two_codes_that_agree_ask_for_no_name():
    rows = [("a", GTIN, "r", "7", "rice"), ("b", GTIN, "r", "7", "shampoo"), ("c", GTIN, "r", "8", "shower")]
    assert matched(rows, level="retailer_code", code_threshold=1) == {
        "a": ("a", "gtin"),
        "b": ("a", "gtin"),
        "c": ("c", "alone"),
    }


def test_what_a_product_is_known_by_in_several_rows_counts_together():
    rows = [
        ("a", GTIN, None, None, "x"),
        ("a", None, "r", "7", "y"),
        ("b", GTIN, None, None, "z"),
        ("c", None, "r", "7", "w"),
    ]
    assert {product for product, _ in matched(rows).values()} == {"a"}


@pytest.mark.parametrize("code", ["5904215121566", "2402435000002", "59042151215650000", "5.9042E+12"])
def test_what_is_no_global_gtin_matches_nothing_and_is_told(code):
    with collecting() as found:
        of = matched([("a", code, None, None, "rice"), ("b", code, None, None, "shampoo")])
    assert {level for _, level in of.values()} == {"alone"}
    assert any(text.endswith("2 of 2.") for text in found.notices)


def test_the_evidence_and_what_is_nearest_to_those_alone():
    rows = [
        ("a", GTIN, None, None, "rice abc"),
        ("b", GTIN, None, None, "rice abd"),
        ("c", None, None, None, "tea grean 100g"),
        ("d", None, None, None, "tea green 100g"),
        ("e", None, None, None, "coffee"),
    ]
    made = match_products(table(*rows), threshold=1)
    assert made.pairs.to_pyarrow().to_pylist() == [
        {
            "product": "a",
            "other": "b",
            "level": "gtin",
            "score": pytest.approx(similarity("rice abc", "rice abd")),
            "name": "rice abc",
            "other_name": "rice abd",
        }
    ]
    alone = {row["product"]: row for row in made.alone.to_pyarrow().to_pylist()}
    assert set(alone) == {"c", "d", "e"}
    assert (alone["c"]["nearest"], alone["d"]["nearest_name"]) == ("d", "tea grean 100g")
    assert alone["c"]["score"] == pytest.approx(similarity("grean", "green"))
    assert alone["e"]["nearest"] is None


def test_many_outlets_of_one_code_are_joined_by_few_pairs():
    rows = [(f"p{k:03}", GTIN, f"r{k}", "7", f"rice {'white' if k % 2 else 'wh.'} 1kg") for k in range(200)]
    made = match_products(table(*rows))
    assert {row["matched_product"] for row in made.result.to_pyarrow().to_pylist()} == {"p000"}
    assert made.pairs.to_pyarrow().num_rows == 199


def test_the_order_of_the_rows_changes_nothing():
    draw = random.Random(3)
    rows = [
        (
            f"p{k}",
            draw.choice([GTIN, OTHER_GTIN, None]),
            "r",
            draw.choice(["1", "2", None]),
            f"rice {draw.choice('abc')} x",
        )
        for k in range(30)
    ]
    with collecting():
        first = match_products(table(*rows))
        draw.shuffle(rows)
        again = match_products(table(*rows))
    for name in ("result", "pairs", "alone"):
        assert getattr(first, name).to_pyarrow().equals(getattr(again, name).to_pyarrow())


def test_nothing_to_match_by_is_refused():
    with pytest.raises(BadData, match="anything"):
        match_products(table(("a", None, None, None, None), ("b", None, None, None, None)))
    with pytest.raises(BadData, match="anything"):
        match_products(table(("a", None, None, None, "rice"), ("b", None, None, None, "tea")), level="retailer_code")


# --- relaunches -----------------------------------------------------------------------------------------------------


def sales(*rows):
    """Rows of month, product, price, quantity, name."""
    month, product, price, quantity, name = zip(*rows, strict=True)
    return {
        "time": [f"2026-{one:02}-05" for one in month],
        "product": list(product),
        "price": [float(one) for one in price],
        "quantity": [float(one) for one in quantity],
        "description": list(name),
    }


STAY = [(month, "stay", 1, 1, "tea") for month in range(1, 9)]


def found_in(*rows, **options):
    return relaunches(sales(*STAY, *rows), **options).to_pyarrow().to_pylist()


@pytest.mark.parametrize(("enters", "gap"), [(3, 0), (4, 1), (6, 3), (7, None)])
def test_who_enters_within_the_gap_is_a_candidate(enters, gap):
    rows = [(month, "old", 4, 1, "rice abc 500g") for month in (1, 2, 3)]
    rows += [(month, "new", 5, 1, "rice abc 400g") for month in range(enters, 9)]
    assert [row["gap"] for row in found_in(*rows)] == ([] if gap is None else [gap])
    assert len(found_in(*rows, max_gap=4)) == 1


def test_prices_are_unit_values_around_the_change():
    rows = [(month, "old", price, 2, "rice abc 500g") for month, price in ((1, 9), (2, 4), (3, 4), (4, 1))]
    rows += [(month, "new", price, 1, "rice abc 400g") for month, price in ((5, 4), (6, 4), (7, 4), (8, 100))]
    (row,) = found_in(*rows)
    assert (row["price_before"], row["price_after"]) == (3, 4)
    assert row["price_ratio"] == pytest.approx(4 / 3)
    assert row["unit_price_ratio"] == pytest.approx(4 / 3 * 500 / 400)
    assert row["turnover"] == 18
    assert (row["last_period"], row["first_period"]) == ("2026-04", "2026-05")


def test_candidates_are_ranked_by_name_then_by_price():
    rows = [(1, "old", 4, 1, "rice abc")]
    new = [
        ("cheap", 1, 1, "rice abc"),
        ("dear", 9, 1, "rice abc"),
        ("like", 4, 1, "rice abc"),
        ("far", 4, 1, "rice abcd"),
    ]
    rows += [(month, *one) for one in new for month in range(2, 9)]
    order = [("like", 1), ("dear", 2), ("cheap", 3), ("far", 4)]
    assert [(row["entering"], row["rank"]) for row in found_in(*rows)] == order


def test_names_below_the_threshold_are_no_candidates():
    rows = [(1, "old", 4, 1, "rice abc"), *((month, "new", 4, 1, "rice xyz") for month in range(2, 9))]
    alike = similarity("rice abc", "rice xyz")
    assert [row["similarity"] for row in found_in(*rows, threshold=0.5)] == [pytest.approx(alike)]
    assert found_in(*rows, threshold=0.95) == []


def test_who_stays_or_was_there_already_is_no_relaunch():
    rows = [(month, "a", 4, 1, "rice abc") for month in range(1, 9)]
    rows += [(month, "b", 4, 1, "rice abc") for month in range(3, 9)]  # a stays
    rows += [(month, "c", 4, 1, "coffee xyz") for month in range(1, 4)]
    rows += [(month, "d", 4, 1, "coffee xyz") for month in range(1, 9)]  # was there before c left
    rows += [(1, "e", 4, 1, "cocoa one")]
    rows += [(month, "f", 4, 1, "cocoa one") for month in range(1, 5)]  # was there when e left in the first month
    assert found_in(*rows) == []


def test_relaunches_that_were_put_in_are_found_and_ranked_first():
    """Forty products, twelve of which come back under a new code, a little renamed and dearer, among strangers."""
    draw = random.Random(8)
    rows, truth = [], {}
    for k in range(40):
        name = (
            " ".join(draw.sample(["rice", "milk", "uht", "wild", "bio", "white", "abc", "xyz", "goat"], 3)) + f" n{k}"
        )
        ends = draw.randint(2, 5) if k < 12 else 8
        price = draw.uniform(2, 9)
        rows += [(month, f"old{k}", price, 3, f"{name} 500g") for month in range(1, ends + 1)]
        if k < 12:
            back = ends + draw.randint(1, 3)
            truth[f"old{k}"] = f"new{k}"
            rows += [(month, f"new{k}", price * 1.1, 3, f"{name} new 450 g") for month in range(back, 9)]
    first = {row["leaving"]: row["entering"] for row in found_in(*rows) if row["rank"] == 1}
    assert first == truth


def test_a_month_without_data_is_refused():
    with pytest.raises(BadData, match="no data between"):
        relaunches(sales((1, "a", 1, 1, "x"), (3, "b", 1, 1, "x")))


def test_products_without_a_name_are_counted():
    given_sales = sales(*STAY, (1, "b", 1, 1, "x"))
    given_sales["description"][-1] = None
    with collecting() as found:
        relaunches(given_sales)
    assert {one.name: one.value for one in found.measures}["Products without a name"] == 0.5
    given_sales["description"] = [None] * 9
    with pytest.raises(BadData, match="No product has a description"):
        relaunches(given_sales)
