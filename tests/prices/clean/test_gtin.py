"""Numbers under bar codes: published ones are valid, every slip of a digit is seen, columns agree with single codes."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.engine import connect
from statcommons.prices.clean.gtin import check_digit, gtin14, gtin14_of, gtin_fault

PUBLISHED = ["96385074", "036000291452", "4006381333931", "5901234123457", "10012345678902"]

bodies = st.sampled_from([7, 11, 12, 13]).flatmap(lambda n: st.text("0123456789", min_size=n, max_size=n))
codes = st.one_of(
    st.text("0123456789", max_size=16),
    bodies.map(lambda body: body + str(check_digit(body))),
    st.text("0123456789.eE+ -x", max_size=15),
)


def column(function, values, engine=None):
    def of(engine):
        table = engine.adopt(pa.table({"code": pa.array(values, pa.string()), "row": range(len(values))}))
        return engine.collect(table.select("row", made=function(table.code)).order_by("row"))["made"].to_pylist()

    if engine is not None:
        return of(engine)
    with connect(threads=1) as opened:
        return of(opened)


@pytest.mark.parametrize("code", PUBLISHED)
def test_published_numbers_are_valid(code):
    assert gtin14(code) == gtin14(f" {code} ") == code.zfill(14)
    assert check_digit(code[:-1]) == int(code[-1])


@given(bodies, st.data())
def test_a_wrong_digit_and_most_swaps_are_seen(body, data):
    code = body + str(check_digit(body))
    place = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != code[place]]))
    assert gtin14(code[:place] + other + code[place + 1 :]) is None
    left, right = code[place : place + 2].ljust(2, code[place])
    swapped = code[:place] + right + left + code[place + 2 :]
    if len(swapped) == len(code) and abs(int(left) - int(right)) not in (0, 5):
        assert gtin14(swapped) is None


@given(st.lists(codes, min_size=1, max_size=40))
def test_a_column_is_written_as_each_code_is(values):
    assert column(gtin14_of, values) == [gtin14(one) for one in values]


FAULTS = {
    "5901234123457": None,
    "036000291452": None,
    "96385074": None,
    "5901234123458": "digit",
    "590123412345": "digit",
    "59012341234": "length",
    "59012341234571": "digit",
    "": "length",
    "mleko": "length",
    "2.402437e+12": "floated",
    "5.9E12": "floated",
    "5901234123457.0": "floated",
    "5901234100000": "floated",
    "5901234120000": "digit",
    "2402435000002": "in_store",
    "200000000004": "in_store",
    "2000000000008": "in_store",
    "0212345678909": "in_store",
    "20123451": "in_store",
}


def test_faults_are_named(engine):
    assert column(gtin_fault, list(FAULTS), engine) == list(FAULTS.values())
    assert column(gtin14_of, PUBLISHED, engine) == [code.zfill(14) for code in PUBLISHED]
