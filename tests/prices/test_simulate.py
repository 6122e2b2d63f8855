"""The simulator's truth is the truth: exact where theory says so, and indices find it, or fail, as they must."""

import numpy as np
import pytest

from statcommons.core.errors import BadCall
from statcommons.prices.clean.gtin import gtin14
from statcommons.prices.faults import plant
from statcommons.prices.index.bilateral import bilateral_series, matched
from statcommons.prices.index.multilateral import Recipe, multilateral_series
from statcommons.prices.panel import panel
from statcommons.prices.simulate import market


def geks(data, window):
    recipe = Recipe(window=window)
    return multilateral_series(recipe.pairs(data), recipe).index


def simulate(seed=3, n_products=1000, n_months=25, sigma=2.0, **options):
    return market(n_products, n_months, sigma, np.random.default_rng(seed), **options)


def unit_values(transactions):
    """Turnover over quantity by product and month, net of returns."""
    month, m = np.unique(transactions["time"].astype("datetime64[M]"), return_inverse=True)
    product, p = np.unique(transactions["product"].astype(str), return_inverse=True)
    key, row = np.unique(p * len(month) + m, return_inverse=True)
    quantity = np.bincount(row, transactions["quantity"])
    value = np.bincount(row, transactions["price"] * transactions["quantity"])
    return panel((key % len(month), month.astype(str)), (key // len(month), product), value / quantity, quantity)


def sato_vartia(both):
    s0, s1 = both.p0 * both.q0, both.p1 * both.q1
    s0, s1 = s0 / s0.sum(), s1 / s1.sum()
    ln = np.log(s1 / s0)
    weight = np.where(np.abs(ln) < 1e-9, s0, (s1 - s0) / np.where(ln == 0, 1, ln))
    return np.exp(weight @ np.log(both.p1 / both.p0) / weight.sum())


def worst(index, truth):
    return np.abs(index / truth - 1).max()


@pytest.mark.parametrize("sales", [0.0, 0.1])
@pytest.mark.parametrize("sigma", [0.5, 2.0, 4.0])
def test_sato_vartia_is_the_truth_without_entry_and_exit(sigma, sales):
    simulated = simulate(sigma=sigma, sales=sales, n_products=200)
    data = unit_values(simulated.transactions)
    index = [sato_vartia(matched(data, 0, t)) for t in range(25)]
    assert worst(index, simulated.truth["index"]) < 1e-12
    assert worst(simulated.truth["continuing"], simulated.truth["index"]) < 1e-12


def test_chained_sato_vartia_with_feenstras_ratio_is_the_truth_with_entry_and_exit():
    simulated = simulate(sigma=3.0, life=12.0, sales=0.1, n_products=200)
    data = unit_values(simulated.transactions)
    links = [matched(data, t - 1, t) for t in range(1, 25)]
    index = np.cumprod([1, *(sato_vartia(link) for link in links)])
    assert worst(index, simulated.truth["continuing"]) < 1e-12
    # New variety makes the matched share of the current month fall, and with it the cost of living.
    ratio = np.cumprod([1, *(link.share_current / link.share_base for link in links)]) ** (1 / (3.0 - 1))
    assert worst(index * ratio, simulated.truth["index"]) < 1e-12
    assert worst(index, simulated.truth["index"]) > 1e-3


@pytest.mark.parametrize(("sigma", "tolerance"), [(2.0, 5e-5), (4.0, 5e-4)])
def test_geks_tornqvist_finds_the_truth_to_second_order(sigma, tolerance):
    simulated = simulate(sigma=sigma)
    index = geks(unit_values(simulated.transactions), 13)
    assert worst(index, simulated.truth["index"]) < tolerance
    assert abs(simulated.truth["index"][-1] - 1) > 20 * tolerance


def test_geks_tornqvist_finds_the_truth_under_sales():
    simulated = simulate(sales=0.1)
    index = geks(unit_values(simulated.transactions), 13)
    assert worst(index, simulated.truth["index"]) < 2e-3


def test_geks_tornqvist_finds_the_truth_of_continuing_products():
    simulated = simulate(life=18.0, n_products=2000)
    index = geks(unit_values(simulated.transactions), 13)
    assert worst(index, simulated.truth["continuing"]) < 1e-2


def test_stockpiling_makes_a_chain_drift_and_geks_much_less():
    simulated = simulate(sales=0.1, demand="stockpiling")
    data = unit_values(simulated.transactions)
    chained = bilateral_series(data, "tornqvist", base="previous").index[-1] / simulated.truth["index"][-1] - 1
    multilateral = geks(data, 25)[-1] / simulated.truth["index"][-1] - 1
    assert chained < -0.2
    assert abs(multilateral) < abs(chained) / 4


def test_stockpiling_changes_purchases_but_neither_prices_nor_truth():
    plain, hoarded = simulate(sales=0.1, n_products=50), simulate(sales=0.1, n_products=50, demand="stockpiling")
    np.testing.assert_array_equal(plain.truth["index"], hoarded.truth["index"])
    need, bought = unit_values(plain.transactions), unit_values(hoarded.transactions)
    np.testing.assert_allclose(need.price, bought.price, rtol=1e-12)
    ratio = bought.quantity / need.quantity
    assert ratio.max() == pytest.approx(3, rel=1e-9)
    assert ratio.min() == pytest.approx(0.1, rel=1e-9)


def test_the_truth_follows_the_trend():
    ratio = simulate(trend=0.01).truth["index"] / simulate(trend=0.0).truth["index"]
    np.testing.assert_allclose(ratio, np.exp(0.01 * np.arange(25)), rtol=2e-3)


def test_the_same_seed_gives_the_same_market():
    first, again, other = simulate(1, 20, life=6.0), simulate(1, 20, life=6.0), simulate(2, 20, life=6.0)
    for name in first.transactions:
        np.testing.assert_array_equal(first.transactions[name], again.transactions[name])
    np.testing.assert_array_equal(first.truth["index"], again.truth["index"])
    assert not np.array_equal(first.truth["index"], other.truth["index"])


def test_transactions_look_like_a_delivery():
    simulated = simulate(n_products=300, n_months=14, start="2023-12", life=10.0, returns=0.02, outlets=5)
    rows = simulated.transactions
    assert simulated.truth["period"][[0, 1, -1]].tolist() == ["2023-12", "2024-01", "2025-01"]
    assert len({len(column) for column in rows.values()}) == 1
    assert rows["time"].min() >= np.datetime64("2023-12-01")
    assert rows["time"].max() <= np.datetime64("2025-01-31")
    assert set(rows["time"].astype("datetime64[M]").astype(str)) == set(simulated.truth["period"])
    assert set(rows["outlet"]) == {"001", "002", "003", "004", "005"}
    assert set(rows["group"]) == {"01.1.4"}
    assert {len(code) for code in set(rows["product"])} == {10}
    assert (rows["price"] > 0).all()
    np.testing.assert_array_equal(rows["price"], rows["price"].round(2))
    order = np.lexsort((rows["product"].astype(str), rows["outlet"].astype(str), rows["time"]))
    np.testing.assert_array_equal(order, np.arange(len(order)))


def test_returns_undo_a_part_of_a_purchase_at_its_price():
    with_returns = simulate(n_products=300, n_months=6, returns=0.02).transactions
    without = simulate(n_products=300, n_months=6, returns=0.0).transactions
    back = with_returns["quantity"] < 0
    assert 0.01 < back.mean() < 0.03
    assert not (without["quantity"] < 0).any()
    net, plain = unit_values(with_returns), unit_values(without)
    np.testing.assert_allclose(net.quantity, plain.quantity, rtol=1e-9)
    np.testing.assert_allclose(net.price, plain.price, rtol=1e-9)


def test_products_live_as_long_as_asked():
    simulated = simulate(n_products=2000, n_months=24, life=8.0)
    data = unit_values(simulated.transactions)
    assert np.bincount(data.period).tolist() == [2000] * 24
    newcomers = len(data.products) - 2000
    assert newcomers / (2000 * 23) == pytest.approx(1 / 8, rel=0.03)


@pytest.mark.parametrize("sigma", [1.0, 0.0, -2.0])
def test_an_elasticity_without_ces_demand_is_refused(sigma):
    with pytest.raises(BadCall, match="sigma"):
        simulate(sigma=sigma)


def test_an_unknown_demand_is_refused():
    with pytest.raises(BadCall, match="'ces' or 'stockpiling'"):
        simulate(demand="hoarding")


def test_without_the_later_options_a_seed_gives_the_market_it_always_gave():
    rows = simulate(n_products=40, n_months=14, life=5.0, sales=0.1).transactions
    assert len(rows["price"]) == 2263
    assert rows["price"].sum() == pytest.approx(10410.37, rel=1e-12)
    assert (rows["price"] * rows["quantity"] ** 2).sum() == pytest.approx(177672459.9614957, rel=1e-12)


def linked(simulated):
    """Transactions in which a good keeps its first code through all relaunches."""
    first = {}
    for old, new in zip(simulated.relaunches["old"], simulated.relaunches["new"], strict=True):
        first[new] = first.get(old, old)
    codes = np.array([first.get(code, code) for code in simulated.transactions["product"]], dtype=object)
    return {**simulated.transactions, "product": codes}


def test_relaunched_goods_are_the_same_goods_once_their_codes_are_linked():
    simulated = simulate(n_products=100, life=6.0, relaunches=1.0, sales=0.1)
    assert len(simulated.relaunches["new"]) > 200
    data = unit_values(linked(simulated))
    assert len(data.products) == 100
    index = [sato_vartia(matched(data, 0, t)) for t in range(25)]
    assert worst(index, simulated.truth["index"]) < 1e-12
    # Each relaunch is 10 % dearer, which the matched codes do not see.
    missed = simulated.truth["index"][-1] / simulated.truth["continuing"][-1]
    assert missed > 1.1 ** (24 / 6) * 0.9


def test_a_relaunch_follows_at_once_at_5_to_15_percent_more():
    simulated = simulate(n_products=300, n_months=12, life=6.0, relaunches=0.4)
    data = unit_values(simulated.transactions)
    price = {}
    for product, period, one in zip(data.product, data.period, data.price, strict=True):
        price[str(data.products[product]), str(data.periods[period])] = one
    months = data.periods.tolist()
    made = simulated.relaunches
    newcomers = len(data.products) - 300
    assert len(made["new"]) / newcomers == pytest.approx(0.4, abs=0.05)
    steps = [
        price[new, period] / price[old, months[months.index(period) - 1]]
        for period, old, new in zip(made["period"], made["old"], made["new"], strict=True)
    ]
    assert np.mean(steps) == pytest.approx(1.10, abs=0.01)
    assert 0.9 < min(steps) < max(steps) < 1.3
    assert made["new"].size == np.unique(made["new"]).size


def test_seasonal_goods_are_sold_in_six_months_of_each_year():
    simulated = simulate(n_products=200, n_months=24, seasonal=0.5)
    rows = simulated.transactions
    month = rows["time"].astype("datetime64[M]").astype(int)
    sold = {code: set(month[rows["product"] == code] % 12) for code in set(rows["product"])}
    counts = np.bincount([len(one) for one in sold.values()], minlength=13)
    assert counts[6] + counts[12] == 200
    assert counts[6] / 200 == pytest.approx(0.5, abs=0.1)
    in_a_row = [one for one in sold.values() if len(one) == 6]
    assert all(any({(first + k) % 12 for k in range(6)} == one for first in range(12)) for one in in_a_row)
    assert (rows["quantity"] != 0).all()
    # Living is dearer when there is less to choose from; neighbouring months are compared over what both have.
    data = unit_values(rows)
    index = np.cumprod([1, *(sato_vartia(matched(data, t - 1, t)) for t in range(1, 24))])
    assert worst(index, simulated.truth["continuing"]) < 1e-12
    assert worst(simulated.truth["continuing"], simulated.truth["index"]) > 1e-3


def test_what_leaves_is_sold_off_first():
    options = {"n_products": 300, "n_months": 12, "life": 6.0}
    plain, cleared = (unit_values(simulate(**options, clearance=share).transactions) for share in (0.0, 1.0))
    ratio = cleared.price / plain.price
    last = np.array([max(plain.period[plain.product == one]) for one in range(len(plain.products))])
    is_last = (plain.period == last[plain.product]) & (plain.period < 11)
    np.testing.assert_allclose(ratio[~is_last], 1, rtol=1e-12)
    assert 0.27 < ratio[is_last].min() < 0.33
    assert 0.57 < ratio[is_last].max() < 0.63


def test_gtins_are_valid_and_each_products_own():
    simulated = simulate(n_products=500, n_months=12, life=4.0, codes="gtin")
    codes = set(simulated.transactions["product"])
    own = set(simulate(n_products=500, n_months=12, life=4.0).transactions["product"])
    assert len(codes) == len(own)
    assert {gtin14(code) for code in codes} == {f"0{code}" for code in codes}


@pytest.mark.parametrize("options", [{"relaunches": 0.5}, {"clearance": 0.5}])
def test_nothing_is_relaunched_or_sold_off_where_nothing_leaves(options):
    with pytest.raises(BadCall, match="Give life"):
        simulate(n_products=5, **options)


def test_an_unknown_kind_of_code_is_refused():
    with pytest.raises(BadCall, match="'own' or 'gtin'"):
        simulate(n_products=5, codes="ean")


def test_faults_need_room():
    with pytest.raises(BadCall, match="10 months, 2 shops and 10 products"):
        plant(simulate(n_products=20, n_months=9, codes="gtin").transactions, np.random.default_rng(1))


def test_planted_faults_are_where_the_list_says():
    """Counted here by hand in the rows, without the checks."""
    rng = np.random.default_rng(4)
    clean = simulate(n_products=60, n_months=14, codes="gtin").transactions
    before = {name: column.copy() for name, column in clean.items()}
    rows, faults = plant(clean, rng)
    for name in clean:
        np.testing.assert_array_equal(clean[name], before[name])
    month = rows["time"].astype("datetime64[M]").astype(str)
    listed = {
        code: (period, outlet, product, count)
        for code, period, outlet, product, count in zip(*faults.values(), strict=True)
    }

    def at(code):
        period, outlet, product, count = listed[code]
        chosen = (month == period) & ((outlet == "_T") | (rows["outlet"] == outlet))
        return chosen & ((product == "_T") | (rows["product"] == product)), count

    fanned, count = at("FANOUT")
    key = np.array(
        [
            f"{day} {code} {quantity!r}"
            for day, code, quantity in zip(
                rows["time"][fanned], rows["product"][fanned], rows["quantity"][fanned], strict=True
            )
        ]
    )
    _, times = np.unique(key, return_counts=True)
    assert times[times > 1].sum() == count
    packed, count = at("UNIT")
    assert packed.sum() == count
    elsewhere = (rows["product"] == listed["UNIT"][2]) & ~packed
    assert rows["price"][packed] / np.median(rows["price"][elsewhere]) == pytest.approx(12, rel=0.1)
    slipped, count = at("DECIMAL")
    assert slipped.sum() == count
    copied, count = at("COPY")
    first = month == "2023-01"
    assert copied.sum() == first.sum() == count
    assert sorted(rows["quantity"][copied]) == sorted(rows["quantity"][first])
    gone, count = at("OUTLET_GONE")
    assert gone.sum() == count == 0
    halved, count = at("VOLUME")
    assert halved.sum() == count < 0.4 * first.sum()
    broken, count = at("ENCODING")
    assert sum("Å" in one or "Ä" in one for one in rows["description"][broken]) == count
    assert not any("Å" in one or "Ä" in one for one in rows["description"][~broken])
    wrong = [
        product for code, product in zip(faults["code"], faults["product"], strict=True) if code in ("GTIN", "FLOATED")
    ]
    assert [gtin14(code) for code in wrong] == [None] * 3
    assert {gtin14(code) is None for code in set(rows["product"]) - set(wrong)} == {False}
