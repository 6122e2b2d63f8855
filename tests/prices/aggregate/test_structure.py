"""The tree of groups: what COICOP codes imply, and what is no tree."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from statcommons.core.errors import BadData
from statcommons.prices.aggregate.structure import coicop_tree, tree, tree_of


def test_coicop_codes_imply_their_tree_and_national_parts_go_deeper():
    made = coicop_tree(["01.1.1.1", "01.1.1.1.PL3", "12.1"])
    above = {code: made.codes[up] if up >= 0 else None for code, up in zip(made.codes, made.parent, strict=True)}
    assert above == {
        "_T": None,
        "01": "_T",
        "12": "_T",
        "01.1": "01",
        "12.1": "12",
        "01.1.1": "01.1",
        "01.1.1.1": "01.1.1",
        "01.1.1.1.PL3": "01.1.1.1",
    }
    assert made.level.tolist() == [0, 1, 1, 2, 2, 3, 4, 5]
    assert made.version == "COICOP 2018"


def test_other_codes_need_a_structure_of_their_own():
    with pytest.raises(BadData, match=r"11421_3, food: no code of COICOP 2018.*Give the structure"):
        coicop_tree(["01.1", "food", "11421_3"])


def test_sums_go_up_whatever_the_order_of_the_codes():
    made = tree(["d", "a", "c", "b"], ["c", None, "a", "a"])
    values = np.zeros(4)
    values[[made.codes.index("b"), made.codes.index("d")]] = 2, 3
    assert dict(zip(made.codes, made.up(values).tolist(), strict=True)) == {"a": 5, "b": 2, "c": 3, "d": 3}
    assert [made.codes[one] for one in made.below(made.codes.index("c"))] == ["c", "d"]
    assert [made.codes[one] for one in made.above(made.codes.index("d"))] == ["c", "a"]


@pytest.mark.parametrize(
    ("codes", "parents", "says"),
    [
        (["a", "b", "c", "c"], [None, None, "a", "b"], "c has several rows, under a and b"),
        (["a", "a"], [None, None], "a has several rows, under the top"),
        (["a", "b"], [None, "x"], "b belongs to x, which is not there"),
        (["a", "b", "c"], ["c", "a", "b"], "in a circle: a → c → b → a"),
        (["a"], ["a"], "in a circle: a → a"),
    ],
)
def test_what_is_no_tree_is_refused_by_its_codes(codes, parents, says):
    with pytest.raises(BadData, match=says):
        tree(codes, parents)


def structure(**columns):
    empty = [None] * len(columns["code"])
    types = dict.fromkeys(("code", "parent", "name", "version"), pa.string())
    return pa.table({name: pa.array(columns.get(name, empty), kind) for name, kind in types.items()})


def test_a_code_means_something_only_in_its_version():
    mixed = structure(code=["01", "01.1"], parent=[None, "01"], version=["COICOP 1999", "COICOP 2018"])
    with pytest.raises(BadData, match="mixes COICOP 1999 and COICOP 2018"):
        tree_of(mixed, [])
    one = structure(code=["01", "01.1"], parent=[None, "01"], version=["ECOICOP 2", None])
    assert tree_of(one, ["01.1"]).version == "ECOICOP 2"
    assert tree_of(structure(code=["1"], parent=[None]), ["1"]).version == ""


def test_a_structure_has_all_groups_that_are_used():
    with pytest.raises(BadData, match=r"lacks groups that are used: 01\.2"):
        tree_of(structure(code=["01"], parent=[None]), ["01", "01.2"])
