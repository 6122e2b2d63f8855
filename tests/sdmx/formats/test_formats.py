"""Every format says the same rows, whatever the layout, the batches and the texts."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sdmx_decode import DECODERS
from sdmx_made import (
    AREA,
    AREAS,
    FREQ,
    HEADER,
    ROWS,
    SEX,
    SOURCE,
    STATUS,
    TIME,
    VALUE,
    component,
    data_set,
    structure,
)

from statcommons.core.errors import BadCall, BadData
from statcommons.sdmx.formats import FORMATS, Options
from statcommons.sdmx.reading import read_rows

TEXTS = ["csv-1.0", "csv-2.0", "csv-2.1", "json-1.0", "json-2.0", "json-2.1"]
TEXTS += ["generic-2.1", "structurespecific-2.1", "ml-3.0", "ml-3.1"]
SERIES = ["generictimeseries-2.1", "structurespecifictimeseries-2.1"]
LAYOUTS = ["TIME_PERIOD", "AllDimensions", "SEX"]


def message(name: str, *sets, **options) -> bytes:
    return b"".join(FORMATS[name].write(sets, HEADER, Options(**options)))


def decoded(name: str, made: bytes) -> list[dict]:
    rows = DECODERS[FORMATS[name].suffix](made)
    for row in rows:
        row.pop("VALID_FROM", None)
    return [compared(row) for row in rows]


def compared(row: dict) -> dict:
    """Make numbers comparable: NaN is a word, and -0.0 is not 0.0."""
    text = row.get("OBS_VALUE")
    return row if text is None or row.get("OBS_VALUE") == "NaN" else row | {"OBS_VALUE": repr(float(text))}


def expected(rows, made=AREAS) -> list[dict]:
    told = []
    for row in rows:
        cells = zip((one.id for one in made.components), row, strict=True)
        cells = {id: ";".join(cell) if isinstance(cell, list) else cell for id, cell in cells}
        there = {id: cell for id, cell in cells.items() if cell not in (None, "")}
        value = there.get("OBS_VALUE")
        if value is not None:
            there["OBS_VALUE"] = "NaN" if math.isnan(value) else repr(float(value))
        told.append({id: cell if isinstance(cell, str) else str(cell).lower() for id, cell in there.items()})
    return told


def sortable(rows):
    return sorted(sorted(row.items()) for row in rows)


@pytest.mark.parametrize("at", LAYOUTS)
@pytest.mark.parametrize("name", TEXTS)
def test_rows_come_back(name, at):
    by_sex = sorted(ROWS, key=lambda row: (row[1], row[3])) if at == "SEX" else ROWS
    made = message(name, data_set(AREAS, by_sex, at=at))
    assert sortable(decoded(name, made)) == sortable(expected(ROWS))


@pytest.mark.parametrize("name", SERIES)
def test_time_series_come_back(name):
    assert decoded(name, message(name, data_set(AREAS, ROWS))) == expected(ROWS)


@pytest.mark.parametrize("batch", [1, 2, 3])
@pytest.mark.parametrize("at", LAYOUTS)
@pytest.mark.parametrize("name", TEXTS)
def test_batches_change_no_byte(name, at, batch):
    assert message(name, data_set(AREAS, ROWS, at=at, batch=batch)) == message(name, data_set(AREAS, ROWS, at=at))


@pytest.mark.parametrize("name", TEXTS + SERIES)
def test_first_bytes_come_before_the_last_batch(name):
    asked = []

    def batches(whole):
        for number, batch in enumerate(whole):
            asked.append(number)
            yield batch

    made = data_set(AREAS, ROWS, batch=1)
    chunks = FORMATS[name].write([replace(made, observations=batches(made.observations))], HEADER, Options())
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > 100 and len(asked) > 1:
            break
    assert len(asked) < len(ROWS)


@pytest.mark.parametrize("name", TEXTS + SERIES)
def test_series_alone_have_no_observations(name):
    made = message(name, data_set(AREAS, ROWS, observations=False))
    keys = {(row[0], row[1], row[2]) for row in ROWS}
    rows = decoded(name, made)
    assert {(row["FREQ"], row["REF_AREA"], row["SEX"]) for row in rows} == keys
    assert len(rows) == len(keys)
    assert not any({"TIME_PERIOD", "OBS_VALUE", "OBS_STATUS"} & row.keys() for row in rows)
    assert {row["UNIT_MEASURE"] for row in rows} == {"PT", "NR"}
    assert b"Obs>" not in made
    assert b"<Obs" not in made


@pytest.mark.parametrize("name", TEXTS + SERIES)
def test_no_rows(name):
    assert decoded(name, message(name, data_set(AREAS, []))) == []


@pytest.mark.parametrize("name", ["csv-2.0", "csv-2.1", "json-2.0", "json-2.1", "generic-2.1", "ml-3.0", "ml-3.1"])
def test_deletes_have_keys_only(name):
    keys = structure(FREQ, AREA, SEX, TIME)
    sets = [data_set(AREAS, ROWS), data_set(keys, [row[:4] for row in ROWS[:2]], action="Delete")]
    made = message(name, *sets)
    assert sortable(decoded(name, made)) == sortable([*expected(ROWS), *expected([row[:4] for row in ROWS[:2]], keys)])
    assert b",D," in made or b'"Delete"' in made


def test_csv_1_cannot_delete():
    with pytest.raises(BadCall, match="deleted"):
        FORMATS["csv-1.0"].write([data_set(AREAS, ROWS, action="Delete")], HEADER, Options())


TWO = structure(FREQ, AREA, SEX, TIME, VALUE, component("LOWER", "measure", "integer"), id="TWO")
MANY = structure(FREQ, AREA, SEX, TIME, VALUE, component("NOTES", "attribute", multiple=True), id="MANY")


@pytest.mark.parametrize("name", ["csv-1.0", "json-1.0", "generic-2.1", "structurespecific-2.1"])
@pytest.mark.parametrize("made", [TWO, MANY])
def test_what_a_format_cannot_hold_is_refused_before_the_first_byte(name, made):
    rows = [("A", "116", "F", "2018", 1.5, 2 if made is TWO else ["x"])]
    with pytest.raises(BadCall, match=r"one (measure|value)"):
        FORMATS[name].write([data_set(made, rows)], HEADER, Options())


@pytest.mark.parametrize("at", LAYOUTS)
@pytest.mark.parametrize("name", ["csv-2.0", "csv-2.1", "json-2.0", "json-2.1", "ml-3.0", "ml-3.1"])
def test_several_measures_and_several_values(name, at):
    two = [
        ("A", "116", "F", "2018", 1.5, 2),
        ("A", "116", "F", "2019", None, -(2**60)),
        ("A", "116", "M", "2018", 2.0, None),
    ]
    many = [
        ("A", "116", "F", "2018", 1.5, ["x", "y, z"]),
        ("A", "116", "F", "2019", 2.5, None),
        ("A", "4", "F", "2018", 3.5, []),
        ("A", "4", "M", "2018", 3.5, ["é <&>"]),
    ]
    if at == "SEX":
        two.sort(key=lambda row: row[3])
    made = message(name, data_set(TWO, two, at=at), data_set(MANY, many, at=at))
    assert sortable(decoded(name, made)) == sortable([*expected(two, TWO), *expected(many, MANY)])


def words(cell) -> str:
    """Write words by language as the readers of tests give them."""
    return ";".join(f"{language}:{text}" for language, text in cell)


LANGUAGES = structure(
    FREQ,
    AREA,
    SEX,
    TIME,
    VALUE,
    component("NOTE", "attribute", attachment="dataflow", multilingual=True),
    component("TITLE_ML", "attribute", attachment="series", dimensions=("FREQ", "REF_AREA", "SEX"), multilingual=True),
    component("COMMENT", "attribute", multilingual=True),
    component("REMARKS", "attribute", multilingual=True, multiple=True),
    id="LANGUAGES",
)
SPOKEN = [
    ("A", "116", "F", "2018", 1.5, [("en", "n")], [("en", "Area"), ("fr", "Zone <&")], [("km", "ភ្នំពេញ")], None),
    ("A", "116", "F", "2019", 2.5, [("en", "n")], [("en", "Area"), ("fr", "Zone <&")], None, []),
    ("A", "4", "F", "2018", 2.5, [("en", "n")], None, [], [[("en", 'a "b"'), ("fr", "b")], [("en", "c")]]),
]


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("at", LAYOUTS)
@pytest.mark.parametrize("name", ["json-2.0", "json-2.1", "ml-3.0", "ml-3.1"])
def test_words_in_several_languages(name, at, batch):
    rows = sorted(SPOKEN, key=lambda row: (row[1], row[3])) if at == "SEX" else SPOKEN
    told = []
    for row in rows:
        note, title, comment = (words(cell) if cell else None for cell in row[5:8])
        remarks = [words(one) for one in row[8] or []]
        told.append((*row[:5], note, title, comment, remarks))
    made = message(name, data_set(LANGUAGES, rows, at=at, batch=batch))
    assert sortable(decoded(name, made)) == sortable(expected(told, LANGUAGES))


def test_words_in_several_languages_in_csv():
    made = message("csv-2.0", data_set(LANGUAGES, SPOKEN)).decode()
    assert [line.split(",", 8)[-1] for line in made.splitlines()] == [
        "NOTE[en;fr],TITLE_ML[en;fr],COMMENT[en;fr;km],REMARKS[en;fr]",
        "en:n,en:Area;fr:Zone <&,km:ភ្នំពេញ,",
        "en:n,en:Area;fr:Zone <&,,",
        'en:n,,,"""""""en:a """"""""b"""""""""""";fr:b"";en:c"',
    ]


TYPED = structure(
    FREQ,
    AREA,
    SEX,
    TIME,
    VALUE,
    component("DECIMALS", "attribute", "integer", attachment="series", dimensions=("FREQ", "REF_AREA", "SEX")),
    component("SHARE", "attribute", "number", attachment="dataflow"),
    component("BREAK", "attribute", "boolean"),
    component("ERROR", "attribute", "number"),
    id="TYPED",
)


@pytest.mark.parametrize("at", LAYOUTS)
@pytest.mark.parametrize("name", TEXTS)
def test_attributes_that_are_numbers(name, at):
    rows = [
        ("A", "116", "F", "2018", 1.55, 2, 0.5, True, 0.25),
        ("A", "116", "F", "2019", 1.55, 2, 0.5, None, None),
        ("A", "4", "F", "2018", 1.5, 1, 0.5, False, 2.5),
    ]
    rows = sorted(rows, key=lambda row: (row[1], row[3])) if at == "SEX" else rows
    assert sortable(decoded(name, message(name, data_set(TYPED, rows, at=at)))) == sortable(expected(rows, TYPED))


awkward = st.text(
    st.one_of(
        st.sampled_from("\"',;&<>]\\/\t\n\r ~:|é្𝄞"), st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"))
    ),
    min_size=1,
    max_size=8,
).filter(lambda text: not {"\ufffe", "\uffff"} & set(text))
number = st.one_of(
    st.none(),
    st.floats(allow_infinity=False),
    st.sampled_from([0.1, 1e22, -0.0, 5e-324, 1e15 + 0.3, float("nan"), 1e-5, 1e16, 123456789012.0, -28.0]),
)


@settings(max_examples=25)
@given(
    rows=st.lists(st.tuples(number, st.sampled_from(["A", "E", None]), st.none() | awkward), min_size=1, max_size=12),
    batch=st.integers(1, 5),
    title=st.none() | awkward,
    source=st.none() | awkward,
)
@pytest.mark.parametrize("name", TEXTS)
def test_any_text_and_number_comes_back(name, rows, batch, title, source):
    whole = [
        ("A", "116", "FM"[place % 2], str(2000 + place // 2), value, "PT", title, source, status, comment)
        for place, (value, status, comment) in enumerate(rows)
    ]
    whole.sort(key=lambda row: row[:4])
    for at in LAYOUTS:
        ordered = sorted(whole, key=lambda row: row[3]) if at == "SEX" else whole
        made = data_set(AREAS, ordered, batch=batch, at=at)
        assert sortable(decoded(name, message(name, made))) == sortable(expected(whole))


@pytest.mark.parametrize("name", TEXTS + SERIES)
def test_infinite_numbers_are_refused(name):
    with pytest.raises(BadData, match="infinite"):
        message(name, data_set(AREAS, [(*ROWS[0][:4], math.inf, *ROWS[0][5:])]))


@pytest.mark.parametrize("name", TEXTS)
def test_released_numbers_have_their_decimals(name):
    made = structure(FREQ, AREA, SEX, TIME, replace(VALUE, decimals=2), id="ROUNDED")
    rows = [("A", "116", "F", str(2000 + place), value) for place, value in enumerate([1.5, 2.0, 0.25, 1e-7, -3.1])]
    text = message(name, data_set(made, rows)).decode()
    for told in ("1.50", "2.00", "0.25", "-3.10"):
        assert told in text


@pytest.mark.parametrize("name", TEXTS)
def test_decimals_come_from_the_attribute_too(name):
    decimals = component("DECIMALS", "attribute", attachment="series", dimensions=("FREQ", "REF_AREA", "SEX"))
    made = structure(FREQ, AREA, SEX, TIME, VALUE, decimals, id="DECIMALS")
    rows = [("A", "116", "F", "2000", 7.5, "2"), ("A", "4", "F", "2000", 8.5, None), ("A", "NA", "F", "2000", 9.0, "1")]
    text = message(name, data_set(made, rows)).decode()
    assert "7.50" in text
    assert "8.5" in text
    assert "8.50" not in text
    assert "9.0" in text


@pytest.mark.parametrize("name", TEXTS)
def test_without_time(name):
    made = structure(FREQ, AREA, SEX, VALUE, STATUS, id="TIMELESS")
    rows = [("A", "116", "F", 1.5, "A"), ("A", "116", "M", 2.5, None), ("A", "4", "F", None, "E")]
    for at in ("AllDimensions", "SEX"):
        assert sortable(decoded(name, message(name, data_set(made, rows, at=at)))) == sortable(expected(rows, made))


@pytest.mark.parametrize("name", TEXTS)
def test_a_constant_of_the_structure_is_said(name):
    made = structure(FREQ, AREA, SEX, TIME, VALUE, replace(SOURCE, constant="Census"), id="CONSTANT")
    rows = [("A", "116", "F", "2018", 1.5, "Census")]
    whole = data_set(made, rows)
    whole = replace(whole, series=whole.series.drop_columns(["SOURCE"]))
    assert decoded(name, message(name, whole)) == expected(rows, made)


def test_names_of_formats_and_media_types_are_unique():
    assert len({one.content_type for one in FORMATS.values()}) == len(FORMATS)
    assert all(name == one.name for name, one in FORMATS.items())


@pytest.mark.parametrize("at", LAYOUTS)
@pytest.mark.parametrize("name", TEXTS)
def test_our_own_readers_read_it(name, at):
    rows = sorted(ROWS, key=lambda row: (row[1], row[3])) if at == "SEX" else ROWS
    [read] = read_rows(message(name, data_set(AREAS, rows, at=at)), AREAS)
    cells = [row for batch in read.batches for row in batch.to_pylist()]
    there = [{id: text for id, text in row.items() if text and not id.startswith("_")} for row in cells]
    assert sortable(map(compared, there)) == sortable(expected(ROWS))
