"""Numbers are the shortest text that is read back the same, and joining gives what joining row by row would."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.errors import BadData
from statcommons.sdmx.formats.numbers import number_text
from statcommons.sdmx.formats.text import Form, OfSeries, around, escaper, joined, line, text_of, texts

PLAIN = Form(lambda column: column)
finite = st.floats(allow_nan=False, allow_infinity=False)
cell = st.text('ab,"é\n', max_size=4)


@given(st.lists(st.none() | finite))
def test_numbers_are_read_back_as_the_same_doubles(values):
    found = number_text(pa.array(values, pa.float64())).to_pylist()
    for value, text in zip(values, found, strict=True):
        if value is None:
            assert text is None
            continue
        assert np.float64(text).tobytes() == np.float64(value).tobytes()  # -0.0 too
        assert not text.endswith(".0")
        assert Decimal(text).normalize().as_tuple().digits == Decimal(repr(value)).normalize().as_tuple().digits
        assert "e-0" not in text


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1), st.integers(0, 6), st.integers(0, 6))
def test_released_numbers_have_so_many_decimals(scaled, given_decimals, decimals):
    values = [one / 10**given_decimals for one in scaled]
    for value, text in zip(values, number_text(pa.array(values), decimals).to_pylist(), strict=True):
        assert float(text) == value
        own = -Decimal(repr(value)).normalize().as_tuple().exponent
        if "e" not in text:
            assert len(text.partition(".")[2]) == max(decimals, own, 0)


def test_decimals_by_row():
    values = pa.array([1.0, 1.5, 1.5, 2.0, 1e-9, None, math.nan])
    wanted = np.array([2, 2, -1, 0, 2, 2, 2])
    assert number_text(values, wanted).to_pylist() == ["1.00", "1.50", "1.5", "2", "1e-9", None, "NaN"]


def test_infinite_numbers_are_refused():
    with pytest.raises(BadData, match="infinite"):
        number_text(pa.array([1.0, -math.inf]))


def test_a_part_of_a_longer_column():
    values = pa.array([1.5, None, 2.5, math.nan])
    assert number_text(values[1:3]).to_pylist() == [None, "2.5"]
    lists = pa.array([["a"], ["b", "c"], None, [], ["d"]])
    told = Form(lambda column: column, separator="|")
    assert texts(lists[1:], told).to_pylist() == ["b|c", None, None, "d"]
    maps = pa.array([[("en", "a")], [("en", "b"), ("fr", "c")], None], pa.map_(pa.string(), pa.string()))
    worded = Form(lambda column: column, worded=lambda language, words: joined([language, "=", words], len(words)))
    assert texts(maps[1:], worded).to_pylist() == ["en=b,fr=c", None]


@given(
    st.lists(st.tuples(cell, st.none() | cell, st.integers(0, 2)), max_size=20), st.lists(cell, min_size=3, max_size=3)
)
def test_lines_are_what_joining_row_by_row_gives(rows, series):
    batch = pa.record_batch(
        {
            "series": pa.array([row[2] for row in rows], pa.int32()),
            "a": pa.array([row[0] for row in rows], pa.string()),
            "b": pa.array([row[1] for row in rows], pa.string()),
        }
    )
    keys = OfSeries(lambda places: [pa.array(series).take(places)])
    made = line(
        "<",
        keys,
        "|",
        lambda rows: around(texts(rows["a"], PLAIN), "[", "]", ""),
        ":",
        lambda rows: around(texts(rows["b"], PLAIN), "(", ")", "-"),
        keys,
        ">",
    )(batch)
    expected = [f"<{series[place]}|[{a}]:{'-' if b is None else f'({b})'}{series[place]}>" for a, b, place in rows]
    assert made.to_pylist() == expected
    assert text_of(made).decode() == "".join(expected)
    if len(rows) > 2:
        assert text_of(made[1:-1]).decode() == "".join(expected[1:-1])


@given(st.lists(st.none() | cell))
def test_what_needs_no_escape_is_left(values):
    asked = []

    def escape(text):
        asked.append(text)
        return f"<{text}>"

    found = escaper('[",]', escape)(pa.array(values, pa.string())).to_pylist()
    assert found == [f"<{one}>" if one and set('",') & set(one) else one for one in values]
    assert asked == [one for one in values if one and set('",') & set(one)]
