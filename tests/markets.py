"""Small markets, to try index numbers on."""

import numpy as np

from statcommons.prices.panel import panel


def months(n):
    """So many months from January 2023 on."""
    return np.array([f"{2023 + month // 12}-{month % 12 + 1:02d}" for month in range(n)])


def dense(prices, quantities):
    """A panel of products (rows) by months (columns); a cell of price 0 is not sold."""
    prices, quantities = np.array(prices, float), np.array(quantities, float)
    product, month = np.nonzero(prices)
    codes = np.array([f"{number:03d}" for number in range(len(prices))])
    names = months(prices.shape[1])
    return panel(names[month], codes[product], prices[product, month], quantities[product, month], periods=names)


def random_market(seed, n_products=30, n_periods=9):
    """Prices, 0 where nothing is sold, and quantities, with entry and exit; the first product is always sold."""
    rng = np.random.default_rng(seed)
    shape = (n_products, n_periods)
    prices = np.exp(rng.normal(1, 0.5, (n_products, 1)) + rng.normal(0, 0.2, shape))
    sold = rng.random(shape) < 0.7
    sold[0] = True
    return np.where(sold, prices, 0), rng.uniform(1, 100, shape)
