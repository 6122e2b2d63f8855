"""Queries of versions find what the standard says, and nothing that it does not know is read."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.errors import BadCall, BadData
from statcommons.sdmx.query.versions import matching_versions, version_order

THERE = ["0.9.0", "1", "1.0", "1.4", "2.1", "1.0.0", "1.4.2", "1.10.0", "2.1.1-draft", "2.1.0", "3.0.0-rc.1", "0.1.0-x"]

part = st.integers(0, 3).map(str)
semantic = st.builds("{}.{}.{}".format, part, part, part)
version = st.one_of(part, st.builds("{}.{}".format, part, part), semantic, st.builds("{}-draft".format, semantic))
versions = st.lists(version, unique=True)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("+", ["2.1.0"]),
        ("~", ["3.0.0-rc.1"]),
        ("*", THERE),
        ("~.0", ["2.1"]),
        ("~.0.0", ["3.0.0-rc.1"]),
        ("1.~", ["1.4"]),
        ("1.+.0", ["1.10.0"]),
        ("1.0.+", ["1.0.0"]),
        ("2.1.+", ["2.1.0"]),
        ("2.1.~", ["2.1.1-draft"]),
        ("0.~.0", ["0.9.0"]),
        ("1+.5.0", ["2.1.0"]),
        ("3+.0.0", []),
        ("1.4+.3", ["1.10.0"]),
        ("1~.1", ["2.1"]),
        ("*.0", ["1.0", "1.4", "2.1"]),
        ("1*.1", ["1.4", "2.1"]),
        ("1.*", ["1.0", "1.4"]),
        ("1.1*", ["1.4"]),
        ("1.1*.9", ["1.4.2", "1.10.0"]),
        ("2*.1.1", ["2.1.1-draft", "3.0.0-rc.1"]),
        ("1", ["1"]),
        ("1.0", ["1.0"]),
        ("1.0.0", ["1.0.0"]),
        ("2.1.1", []),
        ("2.1.1-draft", ["2.1.1-draft"]),
        ("1~.2.0,1.2.0+", ["3.0.0-rc.1"]),
        ("%2B,1.0", ["1.0", "2.1.0"]),
        ("1.4.2,1.4.2,*", THERE),
    ],
)
def test_forms_of_rest_2(query, expected):
    assert matching_versions(query, THERE) == tuple(expected)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("latest", ["2.1.0"]),
        ("all", THERE),
        ("1.0", ["1.0"]),
        ("1.0+1.4", ["1.0", "1.4"]),
        ("1.0%2Blatest", ["1.0", "2.1.0"]),
        ("9", []),
    ],
)
def test_forms_of_rest_1(query, expected):
    assert matching_versions(query, THERE, rest=1) == tuple(expected)


@pytest.mark.parametrize(
    "query",
    [
        *[
            "",
            "latest",
            "all",
            "x",
            "1.",
            ".1",
            "1.2.3.4",
            "01.0",
            "1.2.3-",
            "1.2-draft",
            "1.2.3-01",
            "1.2.3-a..b",
            " 1.0",
        ],
        *[
            "1+",
            "1~",
            "1*",
            "1.2+",
            "1.+",
            "0.+.0",
            "0+.1.0",
            "+.2.3",
            "~.1",
            "1.~.2",
            "1.2+.1+",
            "+.+.+",
            "++",
            "1..0+",
        ],
        *["1.2.0+-draft", "1.0,", ",", "+1.0", "1.0.1234567890", "1234567890.0.0+"],
    ],
)
def test_what_rest_2_does_not_know_is_refused(query):
    with pytest.raises(BadCall, match=r"version: .* cannot be read") as caught:
        matching_versions(query, THERE)
    assert "Write" in caught.value.remedy


@pytest.mark.parametrize("query", ["", "*", "~", "1.0+", "1.0,1.1", "1.0-draft", "1.+.0"])
def test_what_rest_1_does_not_know_is_refused(query):
    with pytest.raises(BadCall, match="cannot be read"):
        matching_versions(query, THERE, rest=1)


@pytest.mark.parametrize("version", ["", "draft", "v1", "1.0-", "1..0", "1.0.0+build"])
def test_what_is_no_version_is_refused(version):
    with pytest.raises(BadData, match="is not a version"):
        matching_versions("*", ["1.0", version])


def mixed(versions):
    return random.Random(9).sample(versions, len(versions))


def test_precedence_is_that_of_semantic_versioning():
    """The chain of SDMX's own text, and that of Semantic Versioning 2.0.0, 11."""
    chain = ["draft", "draft.1", "draft.prerelease", "prerelease", "prerelease.2", "prerelease.11", "rc.1"]
    chain = [f"1.0.0-{one}" for one in chain]
    assert sorted(mixed(chain), key=version_order) == chain
    chain = [f"1.0.0-{one}" for one in ("alpha", "alpha.1", "alpha.beta", "beta", "beta.2", "beta.11", "rc.1")]
    chain += ["1.0.0", "2.0.0", "2.1.0", "2.1.1", "2.9.0", "2.10.0"]
    assert sorted(mixed(chain), key=version_order) == chain


def read(version):
    numbers, _, extension = version.partition("-")
    return tuple(map(int, numbers.split("."))), extension


@given(versions, part, part, part)
def test_minimum_forms_by_brute_force(available, x, y, z):
    """Every form with a minimum, from its sentence in the standard."""
    low = (int(x), int(y), int(z))
    three = {one: read(one)[0] for one in available if len(read(one)[0]) == 3}
    assert set(matching_versions(f"{x}*.{y}.{z}", available)) == {one for one, v in three.items() if v >= low}
    same = {one for one, v in three.items() if v[0] == low[0] and v[1:] >= low[1:]}
    assert set(matching_versions(f"{x}.{y}*.{z}", available)) == same
    same = {one for one, v in three.items() if v[:2] == low[:2] and v[2] >= low[2]}
    assert set(matching_versions(f"{x}.{y}.{z}*", available)) == same
    two = {one: read(one)[0] for one in available if len(read(one)[0]) == 2}
    assert set(matching_versions(f"{x}*.{y}", available)) == {one for one, v in two.items() if v >= low[:2]}


@given(versions, st.sampled_from(["", ".0.0", "1.{}.0", "1.2.{}", "1{}.2.0", "1.1{}.2", "1.2.1{}"]))
def test_signs_agree_with_each_other(available, form):
    """The latest is among all, and no other of them is later; the stable one is the latest without drafts."""
    ask = {sign: form.format(sign) if "{}" in form else sign + form for sign in "*~+"}
    every, latest = matching_versions(ask["*"], available), matching_versions(ask["~"], available)
    assert latest == ((max(every, key=version_order),) if every else ())
    stable = [one for one in every if len(read(one)[0]) == 3 and not read(one)[1] and read(one)[0][0] > 0]
    assert matching_versions(ask["+"], available) == ((max(stable, key=version_order),) if stable else ())


@given(versions, st.randoms())
def test_the_order_given_is_kept_and_changes_nothing_else(available, shuffled):
    other = shuffled.sample(available, len(available))
    for query in ("*", "+", "~", "1.0.0,2.0", "1*.0.0"):
        found = matching_versions(query, other)
        assert set(found) == set(matching_versions(query, available))
        assert list(found) == [one for one in other if one in found]


@given(st.text("0123.+~*,-ad", max_size=14), st.sampled_from([1, 2]))
def test_any_query_is_answered_or_refused(query, rest):
    found = answer(query, rest)
    assert found.where == "version" if isinstance(found, BadCall) else set(found) <= set(THERE)


def answer(query, rest):
    try:
        return matching_versions(query, THERE, rest=rest)
    except BadCall as error:
        return error
