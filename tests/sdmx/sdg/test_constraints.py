"""A file is told every code that the content constraints do not allow, once each, with its rows."""

from dataclasses import replace

import pytest

from statcommons.core.errors import BadData, NoInput
from statcommons.sdmx.reading import read_rows
from statcommons.sdmx.sdg.constraints import check_unsd, read_constraints

TABLE = b"""SERIES,Name,UNIT_MEASURE,SEX,AGE
SI_POV_DAY1,"Poverty, $1.25",PT,ALL,_T;Y0T14
SH_DYN_MORT,Mortality,,_T; F ;M,Y0T4
EN_NOTHING,Said of nothing,,,
"""
HEAD = "DATAFLOW,SERIES,SEX,AGE,UNIT_MEASURE,OBS_VALUE"


def rows(*lines, head=HEAD):
    return read_rows("\n".join([head, *(f"UN:D(1.0),{one}" for one in lines), ""]).encode(), name="data.csv")


def faults(*lines, **how):
    with pytest.raises(BadData) as told:
        check_unsd(rows(*lines, **how), TABLE)
    return told.value


def test_what_is_allowed_passes():
    assert check_unsd(rows("SI_POV_DAY1,X,_T,PT,1", "SH_DYN_MORT,F,Y0T4,,1", "EN_NOTHING,Q,Q,Q,1"), TABLE) == 3


def test_all_and_empty_cells_say_nothing():
    assert read_constraints(TABLE) == {
        "SI_POV_DAY1": {"UNIT_MEASURE": {"PT"}, "AGE": {"_T", "Y0T14"}},
        "SH_DYN_MORT": {"SEX": {"_T", "F", "M"}, "AGE": {"Y0T4"}},
        "EN_NOTHING": {},
    }


def test_each_code_is_told_once_with_its_rows_and_the_first_of_them():
    found = faults(
        "SH_DYN_MORT,F,Y0T4,PT,1",
        "SH_DYN_MORT,W,Y0T4,PT,1",
        "SH_DYN_MORT,W,_T,PT,1",
        "SI_POV_DAY1,W,_T,IX,1",
    )
    assert found.what == "3 of 4 rows are not what the constraints allow."
    assert [(one.where, one.rule, one.value, one.rows) for one in found.causes] == [
        ("data.csv, row 3, column SEX", "SEX of SH_DYN_MORT may be F, M, _T", "W", 2),
        ("data.csv, row 4, column AGE", "AGE of SH_DYN_MORT may be Y0T4", "_T", 1),
        ("data.csv, row 5, column UNIT_MEASURE", "UNIT_MEASURE of SI_POV_DAY1 may be PT", "IX", 1),
    ]


def test_codes_are_counted_over_all_batches():
    [one] = rows("SH_DYN_MORT,W,Y0T4,,1", "SH_DYN_MORT,F,Y0T4,,1", "SH_DYN_MORT,W,Y0T4,,1")
    [batch] = one.batches
    with pytest.raises(BadData) as told:
        check_unsd([replace(one, batches=[batch.slice(2), batch.slice(0, 2)])], TABLE)
    [cause] = told.value.causes
    assert (cause.where, cause.rows) == ("data.csv, row 2, column SEX", 2)
    assert told.value.what == "2 of 3 rows are not what the constraints allow."


def test_a_series_that_is_not_there_is_told_with_the_nearest():
    [cause] = faults("SI_POV_DAY,F,_T,PT,1", "SI_POV_DAY,F,_T,PT,1").causes
    assert (cause.value, cause.rows) == ("SI_POV_DAY", 2)
    assert "SI_POV_DAY1" in cause.remedy


def test_a_code_that_is_not_given_is_told():
    [cause] = faults("SH_DYN_MORT,,Y0T4,,1", "SH_DYN_MORT,F,Y0T4,,1").causes
    assert (cause.where, cause.value, cause.remedy) == ("data.csv, row 2, column SEX", "", "Give a code in every row.")


@pytest.mark.parametrize(
    ("head", "line", "missing"),
    [
        ("DATAFLOW,SERIES,AGE,OBS_VALUE", "SH_DYN_MORT,Y0T4,1", ["SEX", "UNIT_MEASURE"]),
        ("DATAFLOW,SEX,AGE,UNIT_MEASURE", "F,Y0T4,PT", ["SERIES"]),
    ],
)
def test_a_column_that_is_missing_is_told_once(head, line, missing):
    found = faults(line, head=head)
    assert found.what == "Columns are missing that the constraints ask for."
    assert [cause.rule for cause in found.causes] == [f"there is no column {one}" for one in missing]


@pytest.mark.parametrize("table", [b"SERIES,Name\nX,Y\n", b"Name,SEX\nX,Y\n", b"SERIES,SEX\n\xff\xfe,Y\n"])
def test_other_tables_are_refused(table):
    with pytest.raises(BadData, match="constraints"):
        read_constraints(table)


def test_a_table_that_is_not_there_is_told(tmp_path):
    with pytest.raises(NoInput):
        read_constraints(tmp_path / "none.csv")
