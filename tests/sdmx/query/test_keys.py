"""Keys of REST 1.5 and 2.x ask for the codes that they name, and wrong ones say which dimensions there are."""

import itertools
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.errors import BadCall
from statcommons.sdmx.query.keys import matches_key, parse_keys

DIMENSIONS = ["FREQ", "REF_AREA", "SEX"]
SERIES = list(itertools.product(["A", "M", "Q"], ["116", "764"], ["F", "M", "_T"]))

code = st.text("ABC_@$-019", min_size=1, max_size=4).filter(lambda text: text != "all")
one_key = st.lists(st.none() | st.frozensets(code, min_size=1), min_size=3, max_size=3).map(tuple)


def sets(text, rest):
    return [
        tuple(codes if codes is None else set(codes) for codes in key)
        for key in parse_keys(text, DIMENSIONS, rest=rest)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A.116.F", ({"A"}, {"116"}, {"F"})),
        ("A+M.116.F", ({"A", "M"}, {"116"}, {"F"})),
        ("A%2BM.116.F", ({"A", "M"}, {"116"}, {"F"})),
        ("A+M..F", ({"A", "M"}, None, {"F"})),
        ("..", (None, None, None)),
        ("A.all.", ({"A"}, None, None)),
        ("all", (None, None, None)),
        ("", (None, None, None)),
        ("A.EU27@2020.A-B$C", ({"A"}, {"EU27@2020"}, {"A-B$C"})),
    ],
)
def test_rest_1(text, expected):
    assert sets(text, 1) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A.116.F", [({"A"}, {"116"}, {"F"})]),
        ("A.*.F", [({"A"}, None, {"F"})]),
        ("A..F", [({"A"}, None, {"F"})]),
        ("A.116", [({"A"}, {"116"}, None)]),
        ("A", [({"A"}, None, None)]),
        ("*", [(None, None, None)]),
        ("", [(None, None, None)]),
        ("*.*.*", [(None, None, None)]),
        ("A.116,M", [({"A"}, {"116"}, None), ({"M"}, None, None)]),
        ("A.116%2CM.%2A.F", [({"A"}, {"116"}, None), ({"M"}, None, {"F"})]),
        ("all", [({"all"}, None, None)]),
    ],
)
def test_rest_2(text, expected):
    assert sets(text, 2) == expected


@pytest.mark.parametrize(
    ("text", "rest", "words"),
    [
        ("A.116", 1, "2 places and there are 3 dimensions: FREQ, REF_AREA, SEX"),
        ("A.116.F.", 1, "4 places"),
        ("A", 1, "1 place and"),
        ("A.116.F.", 2, "4 places"),
        ("A,A.116.F.X", 2, "4 places"),
        ("A++M.116.F", 1, "'A[+][+]M' cannot be read as codes of FREQ"),
        ("+..", 1, "codes of FREQ"),
        ("A M.116.F", 1, "codes of FREQ"),
        ("A.116,764.F", 1, "codes of REF_AREA"),
        ("A.*.F", 1, "codes of REF_AREA"),
        ("A+M.116.F", 2, "codes of FREQ"),
        ("A.1*.F", 2, "codes of REF_AREA"),
        ("A.116.F,", 2, "empty"),
        (",", 2, "empty"),
    ],
)
def test_wrong_keys(text, rest, words):
    with pytest.raises(BadCall, match=words) as caught:
        parse_keys(text, DIMENSIONS, rest=rest)
    assert caught.value.where == "key"
    assert caught.value.remedy.startswith("Write ")


def test_no_dimension_but_time():
    assert parse_keys("all", [], rest=1) == ((),)
    assert parse_keys("", [], rest=2) == ((),)
    assert matches_key([()], [])


@given(one_key, st.booleans())
def test_a_key_of_rest_1_is_read_as_it_is_written(key, encoded):
    text = ".".join("+".join(sorted(codes or ())) for codes in key)
    assert parse_keys(quote(text) if encoded else text, DIMENSIONS, rest=1) == (key,)


@given(st.lists(st.lists(st.none() | code, min_size=1, max_size=3), min_size=1))
def test_keys_of_rest_2_are_read_as_they_are_written(keys):
    text = ",".join(".".join(one or "*" for one in key) for key in keys)
    expected = [[frozenset([one]) if one else None for one in key] + [None] * (3 - len(key)) for key in keys]
    assert [list(key) for key in parse_keys(text, DIMENSIONS)] == expected


@given(st.lists(st.sampled_from(SERIES), min_size=1), st.sampled_from(SERIES))
def test_keys_match_the_series_that_they_name(asked, series):
    text = ",".join(".".join(one) for one in asked)
    assert matches_key(parse_keys(text, DIMENSIONS), series) is (series in asked)
    text = ".".join("+".join(sorted(set(codes))) for codes in zip(*asked, strict=True))
    by_hand = all(code in codes for code, codes in zip(series, zip(*asked, strict=True), strict=True))
    assert matches_key(parse_keys(text, DIMENSIONS, rest=1), series) is by_hand


def test_a_series_must_have_all_dimensions():
    with pytest.raises(ValueError, match="shorter"):
        matches_key(parse_keys("*", DIMENSIONS), ["A", "116"])
