from __future__ import annotations

import math
from dataclasses import replace

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from statcommons.core.errors import BadCall, BadData
from statcommons.sdmx.model import Constraint, Item, Ref, Region, Scheme
from statcommons.sdmx.reading import checked, read_rows
from statcommons.sdmx.reading.gather import NumberColumn
from statcommons.sdmx.reading.values import judge
from statcommons.sdmx.structure import Component, Structure

AREAS = Scheme(
    "codelist",
    "X",
    "CL_AREA",
    items=(Item("004"), Item("NA"), Item("1E5"), Item("150"), Item("040", parent="150"), Item("008", parent="150")),
)
FREQ = Scheme("codelist", "X", "CL_FREQ", items=(Item("A"), Item("M"), Item("Q")))
SERIES = ("FREQ", "AREA")
FLOW = Structure(
    Ref("dataflow", "X", "DF"),
    Ref("datastructure", "X", "DSD"),
    {},
    {},
    (
        Component("FREQ", "dimension", "text", codelist=FREQ.ref),
        Component("AREA", "dimension", "text", codelist=AREAS.ref),
        Component("TIME_PERIOD", "time", "period"),
        Component("OBS_VALUE", "measure", "number", facets={"minValue": "-100"}),
        Component("UNIT", "attribute", "text", required=False, attachment="series", dimensions=SERIES),
        Component("NOTE", "attribute", "text", required=False, facets={"maxLength": "5", "pattern": "[a-z]*"}),
        Component("TAGS", "attribute", "text", required=False, multiple=True),
    ),
    (AREAS, FREQ),
)
HEAD = "STRUCTURE[;],STRUCTURE_ID,ACTION,FREQ,AREA,TIME_PERIOD,OBS_VALUE,UNIT,NOTE,TAGS[]\n"


def text(*lines: str, head: str = HEAD) -> bytes:
    return (head + "".join(f"dataflow,X:DF(1.0),{line}\n" for line in lines)).encode()


def check(*lines: str, structure: Structure = FLOW, head: str = HEAD, **options):
    with duckdb.connect() as connection:
        rows = read_rows(text(*lines, head=head), structure, name="f.csv")
        found = checked(connection, rows, structure, **options)
        return found, connection.sql(f"FROM {found.table} ORDER BY _row").to_arrow_table().to_pylist()


def causes(*lines: str, **options) -> list:
    with pytest.raises(BadData) as caught:
        check(*lines, **options)
    return list(caught.value.causes)


GOOD = "I,A,004,2018,1.5,kg,ab,x;y"


def test_what_is_right_is_typed_columns():
    found, [row] = check(GOOD)
    assert found.rows == 1
    assert found.set_aside is None
    assert isinstance(row.pop("_key"), int)
    assert {name: str(value) if name in ("_start", "_end") else value for name, value in row.items()} == {
        "FREQ": "A",
        "AREA": "004",
        "TIME_PERIOD": "2018",
        "OBS_VALUE": 1.5,
        "UNIT": "kg",
        "NOTE": "ab",
        "TAGS": ["x", "y"],
        "_start": "2018-01-01 00:00:00",
        "_end": "2019-01-01 00:00:00",
        "_action": "Information",
        "_row": 2,
    }


@pytest.mark.parametrize(
    ("line", "column", "rule", "remedy", "value"),
    [
        ("I,A,4,2018,1,,,", "AREA", "a program has read a code as a number", "Write 004 for 4", "4"),
        ("I,A,100000,2018,1,,,", "AREA", "a program has read a code as a number", "Write 1E5 for 100000", "100000"),
        ("I,A,41,2018,1,,,", "AREA", "not in its code list", "Did you mean|Known: 004", "41"),
        ("I,A, 004,2018,1,,,", "AREA", "blanks around", "Take the blanks out", " 004"),
        ("I,A,,2018,1,,,", "AREA", "must not be missing", "Fill the cell", None),
        ("I,A,~,2018,1,,,", "AREA", "must not be missing", "Fill the cell", None),
        ("I,M,004,2018-13,1,,,", "TIME_PERIOD", "must be a period", "With FREQ M: 2026-01", "2018-13"),
        ("I,A,004,43831,1,,,", "TIME_PERIOD", "must be a period", "43831 is 2020-01-01", "43831"),
        ("I,A,004,2020-01-01 00:00:00,1,,,", "TIME_PERIOD", "must be a period", "Excel has made a date of it", None),
        ("I,A,004,31/12/2020,1,,,", "TIME_PERIOD", "must be a period", "mapping file", "31/12/2020"),
        ('I,A,004,2018,"1,5",,,', "OBS_VALUE", "with a decimal point", "Write 1.5, or say", "1,5"),
        ("I,A,004,2018,n.a.,,,", "OBS_VALUE", "must be a number", "leave the cell empty", "n.a."),
        ("I,A,004,2018,1e999,,,", "OBS_VALUE", "must be a number", "leave the cell empty", "1e999"),
        ("I,A,004,2018,inf,,,", "OBS_VALUE", "must be a number", "leave the cell empty", "inf"),
        ("I,A,004,2018,-101,,,", "OBS_VALUE", "must be at least -100", "within the limits", "-101"),
        ("I,A,004,2018,,,,", "OBS_VALUE", "must not be missing", "Fill the cell", None),
        ("I,A,004,2018,1,,abcdef,", "NOTE", "at most 5 characters", "that length", "abcdef"),
        ("I,A,004,2018,1,,A1,", "NOTE", "must have the form", "of that form", "A1"),
    ],
)
def test_each_fault_is_named_with_place_value_and_remedy(line, column, rule, remedy, value):
    [cause] = causes(GOOD, line)
    assert cause.where == f"f.csv, row 3, column {column}"
    assert rule in cause.rule
    assert cause.rows == 1
    assert any(one in cause.remedy for one in remedy.split("|"))
    if value is not None:
        assert cause.value == value


def test_all_faults_are_told_together_and_counted():
    found = causes(
        GOOD,
        "I,A,5,2018,x,,,",
        "I,Z,6,2018,1,,,",
        "I,A,5,2019,1,,,",
        "I,A,004,2020,1,,,",
        "I,A,004,2020,2,,,",
        "I,A,004,2021,1,t,,",
    )
    by_rule = {cause.rule: cause for cause in found}
    area = by_rule["AREA has a value that is not in its code list"]
    assert (area.rows, area.value, area.where) == (3, "5", "f.csv, row 3, column AREA")
    assert "Others: 6" in area.remedy
    assert by_rule["FREQ has a value that is not in its code list"].rows == 1
    assert by_rule["OBS_VALUE must be a number"].rows == 1
    key = by_rule["FREQ, AREA, TIME_PERIOD must be a key"]
    assert (key.rows, key.where) == (2, "f.csv, row 6")
    assert key.value == "FREQ=A, AREA=004, TIME_PERIOD=2020"
    assert "f.csv, row 7" in key.remedy
    unit = by_rule["UNIT is said of a series and differs within it"]
    assert (unit.rows, unit.where, unit.value) == (1, "f.csv, row 8, column UNIT", "t")
    assert len(found) == 5


def test_bad_rows_are_named_one_by_one():
    with pytest.raises(BadData) as caught:
        check(*[f"I,A,004,{year},1,,," for year in range(1000, 1010)], "I,A,004,x,1,,,", "I,A,004,y,1,,,")
    assert [(row.file, row.row, row.value) for row in caught.value.rows] == [("f.csv", 12, "x"), ("f.csv", 13, "y")]
    assert str(caught.value).startswith("f.csv: 2 of 12 rows break the structure X:DF(1.0).")


def test_bad_rows_can_be_set_aside():
    found, rows = check(GOOD, "I,A,5,2018,x,,,", "I,A,NA,2018,2,,,", "I,A,NA,2018,3,,,", on_bad_rows="set_aside")
    assert [row["_row"] for row in rows] == [2]
    assert found.rows == 1
    assert found.counts["OBS_VALUE must be a number"] == 1
    assert found.counts["FREQ, AREA, TIME_PERIOD must be a key"] == 2
    aside = found.set_aside.to_pylist()
    assert [(row["file"], row["row"], row["AREA"], row["OBS_VALUE"]) for row in aside] == [
        ("f.csv", 3, "5", "x"),
        ("f.csv", 4, "NA", "2.0"),
        ("f.csv", 5, "NA", "3.0"),
    ]
    assert "code list" in aside[0]["cause"]
    assert "must be a number" in aside[0]["cause"]
    assert "3 of 4 rows were set aside" in found.notes[-1]


def test_only_two_things_can_be_done_with_bad_rows():
    with pytest.raises(BadCall, match="on_bad_rows is 'drop'"):
        check(GOOD, on_bad_rows="drop")


def test_nothing_is_set_aside_where_nothing_is_right():
    with pytest.raises(BadData):
        check("I,A,5,2018,1,,,", on_bad_rows="set_aside")


def test_a_column_that_is_no_component_is_told():
    head = HEAD.replace("NOTE", "NOTES")
    [cause] = causes(GOOD, head=head)
    assert cause.where == "f.csv, column NOTES"
    assert "'NOTE'" in cause.remedy
    found, [row] = check(GOOD, head=head, on_bad_rows="set_aside")
    assert row["NOTE"] is None
    assert "NOTES" in found.notes[0]


def test_a_dimension_that_no_row_has_is_told_once():
    head = "STRUCTURE,STRUCTURE_ID,ACTION,AREA,TIME_PERIOD,OBS_VALUE\n"
    [cause] = causes("I,004,2018,1", "I,004,2019,1", head=head)
    assert (cause.rule, cause.rows) == ("FREQ must not be missing", 2)
    assert "Add a column FREQ" in cause.remedy


def test_deletions_may_leave_out_anything_and_give_any_value():
    _, rows = check("D,A,,,,,,", "D,A,004,2018,-,,,", "D,A,004,,,-,-,-", "D,A,004,2018,-,,,")
    assert [row["OBS_VALUE"] is not None and math.isnan(row["OBS_VALUE"]) for row in rows] == [False, True, False, True]
    assert rows[2]["UNIT"] == "-"
    assert {row["_action"] for row in rows} == {"Delete"}


def test_rows_come_in_the_order_of_keys_and_periods_however_they_came():
    lines = [f"I,A,{area},{year},1,kg,ab," for year in (2020, 2018) for area in ("NA", "004")]
    with duckdb.connect() as connection:
        rows = read_rows(text(*lines, "I,A,004,x,1,kg,ab,"), FLOW)
        found = checked(connection, rows, FLOW, on_bad_rows="set_aside")
        table = connection.sql(f"FROM {found.table}").to_arrow_table()
    got = [(one["AREA"], one["TIME_PERIOD"], one["_row"]) for one in table.to_pylist()]
    assert got == [("004", "2018", 5), ("004", "2020", 3), ("NA", "2018", 4), ("NA", "2020", 2)]
    assert table["_key"].to_pylist() == sorted(table["_key"].to_pylist())


def test_a_deletion_still_names_codes_that_exist():
    [cause] = causes("D,A,5,,,,,")
    assert cause.rule == "AREA has a value that is not in its code list"


def test_a_row_may_say_something_of_a_series_only():
    _, rows = check("M,A,004,,,kg,,", "M,A,NA,~,,kg,,")
    assert [row["_start"] for row in rows] == [None, None]
    [cause] = causes("M,A,,2018,,kg,,")
    assert cause.where == "f.csv, row 2, column AREA"


def test_a_merge_may_leave_out_the_measure():
    check("M,A,004,2018,,,ab,")
    [cause] = causes("R,A,004,2018,,,,")
    assert cause.rule == "OBS_VALUE must not be missing"


def test_a_missing_number_may_be_said():
    _, rows = check("I,A,004,2018,NaN,,,", "I,A,004,2019,#N/A,,,")
    assert all(math.isnan(row["OBS_VALUE"]) for row in rows)


def region(include: bool = True, **values):
    cascade = frozenset(values.pop("cascade", ()))
    periods = values.pop("periods", {})
    return Region(include, {name: tuple(codes) for name, codes in values.items()}, cascade, periods)


def constraint(*regions: Region, role: str = "allowed") -> Constraint:
    return Constraint("dataconstraint", "X", "CR", role=role, regions=regions)


LINES = ["I,A,004,2018,1,,,", "I,A,NA,2018,1,,,", "I,A,040,2018,1,,,", "I,M,040,2019-05,1,,,"]


@pytest.mark.parametrize(
    ("one", "outside"),
    [
        (constraint(region(AREA=["004", "NA"])), [4, 5]),
        (constraint(region(False, AREA=["004"])), [2]),
        (constraint(region(AREA=["150"], cascade=["AREA"])), [2, 3]),
        (constraint(region(AREA=["150"])), [2, 3, 4, 5]),
        (constraint(region(FREQ=["A"], AREA=["004"]), region(FREQ=["M"], AREA=["040"])), [3, 4]),
        (constraint(region(), region(False, FREQ=["A"], AREA=["040"])), [4]),
        (constraint(region(periods={"TIME_PERIOD": ("2019", "")})), [2, 3, 4]),
        (constraint(region(periods={"TIME_PERIOD": ("", "2018-12")})), [5]),
        (constraint(region(AREA=["004"]), role="actual"), []),
    ],
)
def test_constraints(one, outside):
    if not outside:
        check(*LINES, constraints=[one])
        return
    with pytest.raises(BadData) as caught:
        check(*LINES, constraints=[one])
    [cause] = caught.value.causes
    assert cause.rule == "the constraint X:CR(1.0) does not allow it"
    assert [row.row for row in caught.value.rows] == outside
    assert cause.value.startswith("FREQ=")


def test_keys_repeat_across_files_too():
    rows = [one for name in ("a.csv", "b.csv") for one in read_rows(text(GOOD), FLOW, name=name)]
    with duckdb.connect() as connection, pytest.raises(BadData, match=r"a.csv, b.csv: 2 of 2 rows") as caught:
        checked(connection, rows, FLOW)
    assert caught.value.causes[0].where == "a.csv, row 2"
    assert "b.csv, row 2" in caught.value.causes[0].remedy


@pytest.mark.parametrize("other", ["2018-A1", "2018-01-01/P1Y"])
def test_a_period_written_in_two_ways_is_one(other):
    [cause] = causes("I,A,004,2018,1,,,", "I,A,NA,2018,1,,,", f"I,A,004,{other},2,,,")
    assert (cause.rule, cause.rows, cause.where) == ("FREQ, AREA, TIME_PERIOD must be a key", 2, "f.csv, row 2")
    assert "It is also in f.csv, row 4" in cause.remedy


def test_no_rows_at_all():
    with duckdb.connect() as connection, pytest.raises(BadData, match="no rows"):
        checked(connection, [], FLOW)


def test_a_pattern_that_cannot_be_is_a_fault_of_the_structure():
    broken = Component("NOTE", "attribute", "text", facets={"pattern": "("})
    with pytest.raises(BadCall, match="NOTE: The pattern"):
        judge(broken, FLOW)


@pytest.mark.parametrize("facet", ["minValue", "maxValue", "minLength", "maxLength"])
def test_a_limit_that_cannot_be_is_a_fault_of_the_structure(facet):
    broken = replace(FLOW, components=(Component("OBS_VALUE", "measure", "number", facets={facet: "much"}),))
    with pytest.raises(BadCall, match=f"OBS_VALUE: {facet} is 'much'"):
        check("1", structure=broken, head="STRUCTURE,STRUCTURE_ID,OBS_VALUE\n")


def test_a_code_list_that_is_a_stub_allows_what_comes():
    stub = replace(FLOW, codelists=(replace(AREAS, items=()), FREQ))
    check("I,A,004,2018,1,,,", structure=stub)
    [cause] = causes("I,Z,004,2018,1,,,", structure=stub)
    assert cause.rule == "FREQ has a value that is not in its code list"


def test_a_limit_may_be_without_end():
    wide = replace(FLOW, components=(Component("OBS_VALUE", "measure", "number", facets={"maxValue": "INF"}),))
    check("1e300", structure=wide, head="STRUCTURE,STRUCTURE_ID,OBS_VALUE\n")


TYPES = {"integer": ("1", "-7", "x", "1.0", "9" * 19, "0x1F", "+3", "", "9223372036854775807", "9223372036854775808")}
TYPES |= {"number": ("1", "-7.5e3", "x", "1,0", ".5", "5.", "1_0", "inf", "nan", "NaN", "#N/A", " 1", "+3", "")}
TYPES |= {"boolean": ("true", "false", "1", "0", "TRUE", "yes", "")}


@pytest.mark.parametrize("kind", TYPES)
@given(data=st.data())
def test_columns_of_numbers_agree_with_the_judge(kind, data):
    """The fast way sees many cells at a time; what it takes for sure must be right by the judge, and the other way."""
    import pyarrow as pa

    number = st.one_of(st.integers().map(str), st.floats().map(repr), st.text("0123456789+-.eE_, ", max_size=6))
    cells = data.draw(st.lists(st.one_of(st.sampled_from(TYPES[kind]), number), max_size=8))
    component = Component("V", "measure", kind)
    column, tell = NumberColumn(component), judge(component, FLOW)
    column.add(pa.array([cell or None for cell in cells], pa.string()))
    for row, cell in enumerate(cells):
        fault = tell(cell) if cell else None
        value = column.arrow()[row].as_py()
        assert bool(fault) == (row in column.odd and tell(column.odd[row]) is not None), cell
        if cell and not fault:
            wanted = {"number": float, "integer": int, "boolean": lambda one: one in ("true", "1")}[kind]
            assert value == (
                pytest.approx(math.nan, nan_ok=True) if cell == "#N/A" else pytest.approx(wanted(cell), nan_ok=True)
            )


@given(
    st.lists(
        st.tuples(st.sampled_from(["004", "NA"]), st.integers(2000, 2003), st.sampled_from(["", "a", "b"])),
        min_size=1,
        max_size=12,
    )
)
def test_keys_and_series_agree_with_a_naive_model(lines):
    keys = [(area, year) for area, year, _ in lines]
    repeated = {row for row, key in enumerate(keys) if keys.count(key) > 1}
    first: dict[str, str] = {}
    for area, _, unit in lines:
        if unit:
            first.setdefault(area, unit)
    differing = {row for row, (area, _, unit) in enumerate(lines) if unit and unit != first[area]}
    rows = [f"I,A,{area},{year},1,{unit},," for area, year, unit in lines]
    if not repeated and not differing:
        check(*rows)
        return
    with pytest.raises(BadData) as caught:
        check(*rows)
    found: dict[str, set[int]] = {}
    for one in caught.value.rows:
        found.setdefault("key" if "must be a key" in one.rule else "unit", set()).add(one.row - 2)
    assert found.get("key", set()) == repeated
    assert found.get("unit", set()) == differing


SPOKEN = Structure(
    FLOW.flow,
    FLOW.definition,
    {},
    {},
    (
        Component("AREA", "dimension", "text"),
        Component("OBS_VALUE", "measure", "number"),
        Component("WORDS", "attribute", "text", required=False, multilingual=True),
        Component("NOTES", "attribute", "text", required=False, multilingual=True, multiple=True),
    ),
)


@pytest.mark.parametrize(
    ("head", "line", "words", "notes"),
    [
        ("AREA,OBS_VALUE", "004,1", None, None),
        ("AREA,OBS_VALUE,WORDS,NOTES", "004,1,a;b,c", [("en", "a;b")], [[("en", "c")]]),
        (
            "AREA,OBS_VALUE,WORDS[en;fr],NOTES[en;fr]",
            "004,1,en:a;fr:b,fr:c",
            [("en", "a"), ("fr", "b")],
            [[("fr", "c")]],
        ),
        ("AREA,OBS_VALUE,WORDS[],NOTES[]", "004,1,a,b;c", [("en", "a")], [[("en", "b")], [("en", "c")]]),
    ],
    ids=["absent", "plain", "spoken", "listed"],
)
def test_words_in_languages_may_come_in_any_form(head, line, words, notes):
    _, [row] = check(line, structure=SPOKEN, head=f"STRUCTURE[;],STRUCTURE_ID,{head}\n")
    assert (row["WORDS"], row["NOTES"]) == (words, notes)


def test_two_texts_in_one_language_are_refused():
    told = causes("004,1,a;b", structure=SPOKEN, head="STRUCTURE[;],STRUCTURE_ID,AREA,OBS_VALUE,WORDS[]\n")
    assert [one.rule for one in told] == ["WORDS has several texts in one language"]
    head = "STRUCTURE[;],STRUCTURE_ID,AREA,OBS_VALUE,WORDS[en;ar]\n"
    [told] = causes("004,1,plain;second", structure=SPOKEN, head=head)
    assert (told.rule, told.where) == ("WORDS has several texts in one language", "f.csv, row 2, column WORDS")
    assert "plain" in str(told.value)
    assert "second" in str(told.value)


def test_a_list_without_a_value_is_no_value(tmp_path):
    table = pa.table({"FREQ": ["A"], "AREA": ["NA"], "TIME_PERIOD": ["2020"], "OBS_VALUE": [1.0], "TAGS": [[None]]})
    parquet.write_table(table, tmp_path / "a.parquet")
    with duckdb.connect() as connection:
        checked(connection, read_rows(tmp_path / "a.parquet", FLOW), FLOW)
        assert connection.sql("SELECT TAGS FROM checked").fetchall() == [(None,)]
