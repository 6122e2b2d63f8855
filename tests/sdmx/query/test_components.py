"""Filters of components mean what the standard's table of examples says."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.errors import BadCall
from statcommons.sdmx.query.components import OPERATORS, Comparison, Filter, component_filter, component_filters
from statcommons.toolbox.sdmx_periods import time_period

VALUES = ["A", "B", "C", "D", "AB", "BA"]


def matching(text, values=VALUES, kind="text"):
    return [value for value in values if component_filter("X", text).matches(value, kind)]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        # the examples of SDMX REST 2.2, data queries, written out in Python
        ("A", lambda x: x == "A"),
        ("A,B", lambda x: x in ("A", "B")),
        ("ge:A", lambda x: x >= "A"),
        ("ge:A+le:B", lambda x: "A" <= x <= "B"),
        ("A,B+C", lambda x: x == "A" or x == "B" == "C"),
        ("ge:A+le:B,ge:C+le:D", lambda x: "A" <= x <= "B" or "C" <= x <= "D"),
        ("ne:A,B", lambda x: x != "A" or x == "B"),
        ("ne:A+B", lambda x: x != "A" and x == "B"),
        ("ne:A,ne:B", lambda x: x != "A" or x != "B"),
        ("ne:A+ne:B", lambda x: x != "A" and x != "B"),
        # the other operators
        ("eq:A", lambda x: x == "A"),
        ("lt:B", lambda x: x < "B"),
        ("gt:B", lambda x: x > "B"),
        ("co:A", lambda x: "A" in x),
        ("nc:A", lambda x: "A" not in x),
        ("sw:A", lambda x: x[0] == "A"),
        ("ew:A", lambda x: x[-1] == "A"),
    ],
)
def test_the_examples_of_the_standard(text, meaning):
    assert matching(text) == [value for value in VALUES if meaning(value)]
    assert matching(quote(text, safe="")) == matching(text), "a client may encode every sign"


comparison = st.builds(Comparison, st.sampled_from(OPERATORS), st.text(min_size=1).filter(lambda x: not {*x} & {*",+"}))
some_filter = st.builds(
    Filter, st.just("X"), st.lists(st.lists(comparison, min_size=1, max_size=3).map(tuple), min_size=1).map(tuple)
)


@given(some_filter)
def test_a_filter_is_read_as_it_is_written(one):
    assert component_filters(f"a=1&{one}&detail=full") == {"X": one}


@given(some_filter, st.text())
def test_terms_are_a_choice_and_comparisons_hold_together(one, value):
    by_hand = any(all(Filter("X", ((part,),)).matches(value) for part in term) for term in one.terms)
    assert one.matches(value) is by_hand


@given(st.sampled_from([("eq", "ne"), ("lt", "ge"), ("gt", "le"), ("co", "nc")]), st.text(), st.text())
def test_operators_come_in_pairs_that_deny_each_other(pair, asked, value):
    first, second = (Filter("X", ((Comparison(name, asked),),)).matches(value) for name in pair)
    assert first is not second


@given(st.text("abc,+:%2BCgeqn &=", max_size=12))
def test_any_text_is_a_filter_or_an_error_with_its_place(text):
    try:
        found = component_filter("X", text)
    except BadCall as error:
        where = error.where
    else:
        where = ""
        assert all(part.value for term in found.terms for part in term)
    assert where == "" or where.startswith("c[X]")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2010-01-01T00:00:00", "2010-01-01T00:00:00"),
        ("gexx:1", "gexx:1"),
        ("GE:1", "GE:1"),
        ("a:b:c", "a:b:c"),
        ("eq:ge:1", "ge:1"),
        ("a%20b", "a b"),
        ("%C3%A9", "é"),
    ],
)
def test_only_a_known_operator_is_one(text, value):
    assert component_filter("X", text).terms == ((Comparison("eq", value),),)


def test_text_compares_by_code_point():
    assert matching("ge:a", ["B", "a", "é", "Ω", "😀"]) == ["a", "é", "Ω", "😀"]
    assert matching("lt:10", ["9", "10", "1"]) == ["1"]


def test_numbers_compare_as_numbers():
    values = ["9", 10, 9.5, "1e1", "1.00e1", 0.1, "-3"]
    assert matching("lt:10", values, "number") == ["9", 9.5, 0.1, "-3"]
    assert matching("10.0", values, "number") == [10, "1e1", "1.00e1"]
    assert matching("0.1", values, "number") == [0.1]
    assert matching("ne:10", values, "number") == ["9", 9.5, 0.1, "-3"]


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_compare_as_python_does(asked, value):
    text = quote(repr(asked).replace("e+", "e"))
    assert component_filter("X", f"lt:{text}").matches(value, "number") is (value < asked)
    assert component_filter("X", text).matches(value, "number") is (value == asked)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # every period is a span; the table of section 6, 4.2.12, of the standard
        ("gt:2010", ["2011", "2011-01", "2011-Q1"]),
        ("lt:2010-Q3", ["2010-Q2", "2010-06"]),
        ("ge:2010-Q3", ["2010-Q3", "2010-07", "2010-S2", "2010-D182", "2010-W27", "2011", "2011-01", "2011-Q1"]),
        ("le:2010-Q3", ["2010-Q2", "2010-06", "2010-Q3", "2010-07", "2010-D182", "2010-W26", "2010-W27"]),
        ("2010-Q3", ["2010-Q3", "2010-07", "2010-D182", "2010-W27"]),
        ("2010-M07", ["2010-07", "2010-D182", "2010-W27"]),
        ("sw:2010-W", ["2010-W26", "2010-W27"]),
    ],
)
def test_times_compare_as_spans(text, expected):
    values = ["2010", "2010-Q2", "2010-06", "2010-Q3", "2010-07", "2010-S2", "2010-D182", "2010-W26", "2010-W27"]
    values += ["2011", "2011-01", "2011-Q1"]
    assert matching(text, values, "time") == expected
    assert matching(text, [time_period(value) for value in values], "time") == [time_period(one) for one in expected]


def test_a_time_that_is_not_within_another():
    assert matching("ne:2010", ["2009", "2010", "2010-07", "2010-12-31/P2D"], "time") == ["2009", "2010-12-31/P2D"]


def test_a_year_that_begins_in_july():
    """The example of the standard: 2010-Q3 begins on 1 January 2011, the sixth day of week 27."""
    asked = component_filter("TIME_PERIOD", "ge:2010-Q3")
    values = ["2010-12-31", "2011-01-01", "2010-W27", "2010-W28", "2010-D184", "2010-D185", "2010-S2", "2010-M07"]
    found = [value for value in values if asked.matches(value, "time", year_start="--07-01")]
    assert found == ["2011-01-01", "2010-W28", "2010-D185", "2010-S2", "2010-M07"]


@pytest.mark.parametrize("text", ["A", "ne:A", "lt:Z", "nc:A", "A,ne:A"])
@pytest.mark.parametrize("missing", [None, float("nan"), [], [None]])
def test_what_is_missing_matches_nothing(text, missing):
    assert not component_filter("X", text).matches(missing)


def test_a_component_with_several_values():
    """The standard: ``A,B+M`` means that the attribute has A, or B and M."""
    several = [["A"], ["B"], ["B", "M"], ["M", "X"], ["A", "X"]]
    assert matching("A,B+M", several) == [["A"], ["B", "M"], ["A", "X"]]
    assert matching("ne:A+ne:M", several) == [["B"]]


def test_all_filters_of_a_query_string():
    found = component_filters("c[TIME_PERIOD]=ge:2010+le:2020&detail=full&c%5bSEX%5D=F%2CM&lastNObservations=2&")
    assert [str(one) for one in found.values()] == ["c[TIME_PERIOD]=ge:2010+le:2020", "c[SEX]=eq:F,eq:M"]
    assert list(found) == ["TIME_PERIOD", "SEX"]
    assert component_filters("") == {}


@pytest.mark.parametrize(
    ("query", "where", "words"),
    [
        ("c[SEX]=", "c[SEX], sign 1", "missing"),
        ("c[SEX]", "c[SEX], sign 1", "missing"),
        ("c[SEX]=F,,M", "c[SEX], sign 3", "missing"),
        ("c[SEX]=F,M,", "c[SEX], sign 5", "missing"),
        ("c[SEX]=+F", "c[SEX], sign 1", "missing"),
        ("c[SEX]=F+ge:", "c[SEX], sign 6", "missing"),
        ("c[SEX]=F%2C", "c[SEX], sign 3", "missing"),
        ("c[SEX]=F&c%5BSEX%5D=M", "c[SEX]", "two filters"),
        ("c[]=F", "c", "does not name"),
        ("c[SEX=F", "c", "does not name"),
        ("c=F", "c", "does not name"),
        ("c[SEX]=%FF", "c[SEX]", "UTF-8"),
    ],
)
def test_errors_name_the_parameter_and_the_place(query, where, words):
    with pytest.raises(BadCall, match=words) as caught:
        component_filters(query)
    assert caught.value.where == where
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("lt:ten", "number", "'ten' is not a number"),
        ("1_000", "number", "not a number"),
        ("NaN", "number", "not a number"),
        ("1e9999999999999999999", "number", "not a number"),
        ("co:1", "number", "has numbers"),
        ("ge:2010-Q5", "time", "not a period"),
    ],
)
def test_a_value_that_does_not_fit_its_component(text, kind, words):
    with pytest.raises(BadCall, match=words) as caught:
        component_filter("X", text).predicate(kind)
    assert caught.value.where == "c[X]"
