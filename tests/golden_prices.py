"""Reading the real data and golden values of prices, which lie beside the repository: whoever lacks them skips."""

from pathlib import Path

import duckdb
import numpy as np
import pytest

from statcommons.prices.panel import panel

DATA = Path(__file__).parents[2] / "shared" / "data" / "prices"


def given(name):
    """Give the path of a file, or skip the test by its name."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"needs shared/data/prices/{name}")
    return str(path)


def query(sql, name, **parameters):
    """Rows of one file, every column read as text."""
    with duckdb.connect() as connection:
        table = f"read_csv('{given(name)}', all_varchar=true)"
        return connection.execute(sql.format(table=table), parameters or None).fetchall()


def unit_values(name, product, month="substr(time, 1, 7)"):
    """Make the panel of unit values of a file."""
    sql = f"""
        SELECT {month}, {product}, sum(prices::DOUBLE * quantities::DOUBLE) / sum(quantities::DOUBLE),
               sum(quantities::DOUBLE)
        FROM {{table}} GROUP BY ALL"""
    return panel(*(np.array(column) for column in zip(*query(sql, name), strict=True)))
