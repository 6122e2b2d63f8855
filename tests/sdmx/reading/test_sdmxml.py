from __future__ import annotations

import datetime
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.errors import BadData
from statcommons.sdmx.reading import ml_parts, read_rows
from statcommons.sdmx.reading.ml_expat import by_expat
from statcommons.sdmx.reading.ml_head import heads
from statcommons.sdmx.reading.source import source_of

NAMESPACES = (
    'xmlns:m="http://www.sdmx.org/resources/sdmxml/schemas/v3_0/message" '
    'xmlns:ss="http://www.sdmx.org/resources/sdmxml/schemas/v3_0/data/structurespecific" '
    'xmlns:c="http://www.sdmx.org/resources/sdmxml/schemas/v3_0/common" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:n="urn:x"'
)
HEADER = (
    "<m:Header><m:ID>x</m:ID><m:Test>false</m:Test><m:Prepared>2026-11-21T00:00:00Z</m:Prepared>"
    '<m:Sender id="X"/><m:Structure structureID="S" dimensionAtObservation="TIME_PERIOD">'
    "<c:StructureUsage>urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=X:DF(1.0)</c:StructureUsage>"
    "</m:Structure></m:Header>"
)


def message(*sets: str, head: str = HEADER, before: str = "") -> bytes:
    body = "".join(sets)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{before}'
        f"<m:StructureSpecificData {NAMESPACES}>{head}\n{body}</m:StructureSpecificData>"
    ).encode()


def data(content: str, said: str = "") -> str:
    return (
        f'<m:DataSet ss:structureRef="S" ss:action="Replace" xsi:type="n:DataSetType"{said}>\n{content}</m:DataSet>\n'
    )


def rows(found) -> list[dict]:
    return [
        {name: value for name, value in one.items() if value is not None and name != "_row"}
        for batch in found.batches
        for one in batch.to_pylist()
    ]


def read(content: str, said: str = "") -> list[dict]:
    [found] = read_rows(message(data(content, said)))
    return rows(found)


SERIES = (
    '<Series A="x" U="kg">\n<Obs TIME_PERIOD="2018" OBS_VALUE="1"/>'
    '<Obs TIME_PERIOD="2019" OBS_VALUE="2" S="e"/></Series>\n'
)


def test_series_stand_in_each_row():
    [found] = read_rows(message(data(SERIES)), name="a.xml")
    assert (found.structure, found.action, found.path) == ("X:DF(1.0)", "Replace", "a.xml")
    assert rows(found) == [
        {"A": "x", "U": "kg", "TIME_PERIOD": "2018", "OBS_VALUE": "1"},
        {"A": "x", "U": "kg", "TIME_PERIOD": "2019", "OBS_VALUE": "2", "S": "e"},
    ]
    assert [batch["_row"].to_pylist() for batch in found.batches] == [[1, 2]]


def test_attributes_of_the_data_set_stand_in_each_row():
    assert [row["TITLE"] for row in read(SERIES, ' TITLE="All &amp; more"')] == ["All & more"] * 2


def test_a_series_without_observations_is_told_all_the_same():
    found = read('<Series A="y" U="t"/>\n<Series A="z"></Series>' + SERIES)
    assert found[:2] == [{"A": "y", "U": "t"}, {"A": "z"}]
    assert len(found) == 4


def test_groups_that_come_later_or_say_different_things():
    content = '<Group xsi:type="n:G" A="x" G="one"/><n:Group xsi:type="n:H" A="y" H="two"/>' + SERIES
    assert [row.get("G") for row in read(content)] == ["one", "one"]
    assert [row.get("H") for row in read(content)] == [None, None]


def test_components_with_several_values():
    content = (
        '<Series A="x"><Obs TIME_PERIOD="2018"><Comp id="T"><Value>a</Value><Value>b &amp; c</Value></Comp></Obs>'
        '<Obs TIME_PERIOD="2019"/></Series>'
    )
    assert read(content) == [
        {"A": "x", "TIME_PERIOD": "2018", "T": ["a", "b & c"]},
        {"A": "x", "TIME_PERIOD": "2019"},
    ]


def test_texts_in_several_languages():
    content = (
        '<Obs A="x" TIME_PERIOD="2018"><Comp id="T"><Value><c:Text xml:lang="en">one</c:Text>'
        '<c:Text xml:lang="fr">un</c:Text></Value></Comp></Obs>'
    )
    assert read(content)[0]["T"] == [("en", "one"), ("fr", "un")]


def test_several_texts_in_several_languages():
    def value(**words: str) -> str:
        texts = "".join(f'<c:Text xml:lang="{one}">{text}</c:Text>' for one, text in words.items())
        return f"<Value>{texts}</Value>"

    content = "".join(
        f'<Obs A="x" TIME_PERIOD="{year}"><Comp id="T">{values}</Comp></Obs>'
        for year, values in (("2018", value(en="one", fr="un") + value(en="two")), ("2019", value(km="z")))
    )
    assert [row["T"] for row in read(content)] == [[[("en", "one"), ("fr", "un")], [("en", "two")]], [[("km", "z")]]]


def test_words_are_whole_wherever_the_file_is_cut_into_blocks(monkeypatch):
    monkeypatch.setattr("statcommons.sdmx.reading.ml_expat.BLOCK", 7)
    words = "A text of some length"
    content = f'<Obs T="1"><Comp id="W"><Value><c:Text xml:lang="fr">{words}</c:Text></Value></Comp></Obs>'
    assert read(content) == [{"T": "1", "W": [("fr", words)]}]


def test_several_data_sets_are_several_rows():
    second = data(SERIES.replace('"x"', '"y"')).replace("Replace", "Delete")
    found = read_rows(message(data(SERIES), "<!-- <m:DataSet> in a comment -->", second))
    assert [one.action for one in found] == ["Replace", "Delete"]
    assert [[row["A"] for row in rows(one)] for one in found] == [["x", "x"], ["y", "y"]]


def test_an_empty_data_set():
    [found] = read_rows(message('<m:DataSet ss:structureRef="S" ss:action="Replace"/>'))
    assert rows(found) == []


def test_history_says_since_when_values_are_public():
    [found] = read_rows(message(data(SERIES, ' ss:validFromDate="2026-01-01T02:00:00+02:00"')))
    assert found.valid_from == datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.mark.parametrize("text", ["soon", "9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00"])
def test_what_is_no_instant_is_refused(text):
    with pytest.raises(BadData, match="is not an instant"):
        read(SERIES, f' ss:validFromDate="{text}"')


def test_comments_and_sections_within_the_data():
    assert read(SERIES + "<!-- here --><?and here?>" + SERIES.replace('"x"', "'y'")) == [
        *read(SERIES),
        *read(SERIES.replace('"x"', '"y"')),
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "utf-8-sig"])
def test_other_encodings(encoding):
    text = message(data(SERIES.replace('"kg"', '"Zürich"'))).decode()
    declared = text.replace("UTF-8", encoding.replace("-sig", ""))
    [found] = read_rows(declared.encode(encoding))
    assert [row["U"] for row in rows(found)] == ["Zürich"] * 2


DTD = '<!DOCTYPE a [<!ENTITY x "y">]>'
LAUGHS = (
    "<!DOCTYPE a [<!ENTITY a 'ha'>"
    + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9))
    + "]>"
)


@pytest.mark.parametrize("before", [DTD, LAUGHS, '<!DOCTYPE a SYSTEM "file:///etc/passwd">'])
def test_document_types_and_with_them_all_entities_are_refused(before):
    with pytest.raises(BadData, match=r"a\.xml, line 2: There is a document type declaration"):
        read_rows(message(data(SERIES), before=before), name="a.xml")


@pytest.mark.parametrize("cut", [60, 400, -2, -30, -60, -120])
def test_a_file_that_is_cut_off_is_refused_with_the_line(cut):
    whole = message(data(SERIES * 3))
    with pytest.raises(BadData, match=r"a.xml, line \d+, column \d+: The XML cannot be read|a.xml: The file ends"):
        [rows(found) for found in read_rows(whole[:cut], name="a.xml")]


def test_the_line_is_counted_behind_what_was_read_fast():
    lines = "".join(f'<Series A="{n}">\n<Obs TIME_PERIOD="2018"/>\n</Series>\n' for n in range(200_000))
    whole = message(data(lines + "<Series A='oops'>\n<Obs></Series>\n"))
    line = whole[: whole.index(b"<Obs></Series>")].count(b"\n") + 1
    with pytest.raises(BadData, match=rf"line {line:,}, column"):
        [rows(found) for found in read_rows(whole)]


def test_one_long_series_is_left_to_expat(monkeypatch):
    monkeypatch.setattr(ml_parts, "BLOCK", 100)
    monkeypatch.setattr(ml_parts, "LONGEST", 500)
    many = SERIES.replace("</Series>", '<Obs TIME_PERIOD="2020"/>' * 50 + "</Series>")
    assert len(read(SERIES + many + SERIES)) == 2 + 52 + 2


def test_an_entity_that_is_not_known_is_refused():
    with pytest.raises(BadData, match="undefined entity"):
        read(SERIES.replace('"kg"', '"&nothing;"'))


def test_nesting_without_end_does_no_harm():
    deep = "<a>" * 200_000
    with pytest.raises(BadData, match="cannot be read"):
        read(deep)


def test_text_that_only_looks_like_a_message_is_refused():
    with pytest.raises(BadData, match="The message is a html"):
        read_rows(b"<html><body/></html>")
    with pytest.raises(BadData, match="cannot be read"):
        read_rows(b"<nothing")


@pytest.mark.parametrize(
    "text",
    [
        "<Series A='x'></Series>",
        '<Series A="x">',
        '<Series A="x"/>',
        '<Series A="x"/><Obs B="y"/></Series>',
        '<Obs A="x"><Obs B="y"/>',
        '<Series A="x"></Series>',
        '<Obs A="x"></Obs>',
        '<Obs A="x" A="y"/>',
        '<Obs A="x"B="y"/>',
        '<Obs A="x<"/>',
        '<Obs A="x"/>text',
        '<Obs A="x"/></Series>',
        '<Obs A="x"/><Series A="y"><Obs B="z"/></Series>',
        '<Series A="y"><Group B="z"/><Obs B="z"/></Series>',
        '<Series A="y"><Series A="z"><Obs B="z"/></Series></Series>',
        '<!-- --><Obs A="x"/>',
        '<Obs A="\x01"/>',
        '<Obs A="a & b"/>',
        '<Obs A="&foo;"/>',
        '<Obs A="&#0;"/>',
        '<Obs A="&#1;"/>',
        '<Obs A="&#xD800;"/>',
        '<Obs A="&#x110000;"/>',
        '<Obs A="&#99999999999;"/>',
        '<Obs A="x" <Obs B="y"/>',
        '<Other A="x"/>',
        "<Obs/>",
        "",
    ],
)
def test_what_is_not_plain_is_left_to_expat(text):
    assert ml_parts.plain(text.encode()) is None


def test_bytes_that_are_no_text_are_left_to_expat():
    assert ml_parts.plain(b'<Obs A="\xff"/>') is None


VALUE = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=6)
NAMES = st.sampled_from(["A", "B", "TIME_PERIOD", "OBS_VALUE", "x:y"])
TAG = st.dictionaries(NAMES, VALUE, min_size=1, max_size=4)


def written(tag: str, said: dict[str, str], end: str) -> str:
    return f"<{tag} {' '.join(f'{name}={quoteattr(value)}' for name, value in said.items())}{end}"


@given(
    st.lists(st.tuples(TAG, st.lists(TAG, min_size=1, max_size=4)), max_size=5),
    st.lists(TAG, max_size=5),
    st.booleans(),
)
def test_both_readers_give_the_same_rows(series, flat, spaced):
    space = "\n\t" if spaced else ""
    content = space.join(
        written("Series", key, ">")
        + space
        + space.join(written("Obs", one, "/>") for one in members)
        + space
        + "</Series>"
        for key, members in series
    )
    content = content or space.join(written("Obs", one, "/>") for one in flat)
    source = source_of(message(data(content.replace("x:y", "n:y"))))
    [head] = heads(source)
    assert told(ml_parts.pieces(source, head)) == told(by_expat(source, head, head.start))


def told(pieces) -> list[dict]:
    found = []
    for piece in pieces:
        for row, member in enumerate(piece.members.tolist()):
            one = {name: cells[member].as_py() for name, cells in piece.series.items()}
            one |= {name: cells[row].as_py() for name, cells in piece.columns.items() if cells[row].is_valid}
            found.append({name: value for name, value in one.items() if value is not None})
    return found


def generic(content: str) -> bytes:
    return (
        f'<m:GenericData {NAMESPACES} xmlns:g="urn:g">{HEADER}'
        f'<m:DataSet structureRef="S" action="Append">{content}</m:DataSet></m:GenericData>'
    ).encode()


def values(said: dict[str, str], turned: bool) -> str:
    pairs = [(f"id={quoteattr(name)}", f"value={quoteattr(value)}") for name, value in said.items()]
    return "".join(f"<g:Value {' '.join(pair[::-1] if turned else pair)}/>" for pair in pairs)


def around(tag: str, content: str) -> str:
    return f"<g:{tag}>{content}</g:{tag}>\n" if content else ""


def observation(one: tuple, turned: bool, key: str = "") -> str:
    time, value, said = one
    inside = key or f"<g:ObsDimension value={quoteattr(time)}/>"
    inside += f"<g:ObsValue value={quoteattr(value)}/>" if value else ""
    return around("Obs", inside + around("Attributes", values(said, turned)))


SAID = st.dictionaries(st.sampled_from(["S", "T"]), VALUE, max_size=2)
KEY = st.dictionaries(st.sampled_from(["A", "B"]), VALUE, min_size=1, max_size=2)
MEMBERS = st.lists(st.tuples(VALUE, VALUE, SAID), min_size=1, max_size=4)


@given(st.lists(st.tuples(KEY, SAID, MEMBERS), min_size=1, max_size=4), st.booleans(), st.booleans())
def test_both_readers_give_the_same_generic_rows(series, turned, flat):
    if flat:
        content = "".join(
            observation(one, turned, around("ObsKey", values(key, turned)))
            for key, _, members in series
            for one in members
        )
    else:
        content = "".join(
            around(
                "Series",
                around("SeriesKey", values(key, turned))
                + around("Attributes", values({name + "2": value for name, value in said.items()}, turned))
                + "".join(observation(one, turned) for one in members),
            )
            for key, said, members in series
        )
    source = source_of(generic(content))
    [head] = heads(source)
    ours, wanted = told(ml_parts.pieces(source, head)), told(by_expat(source, head, head.start))
    assert ours == wanted
    assert len(wanted) == sum(len(members) for _, _, members in series)
    if "'" not in content:
        run = content.encode().rstrip()
        assert ml_parts.plain(run, False, head.at) is not None


WHOLE = (
    '<g:Series><g:SeriesKey><g:Value id="A" value="x"/></g:SeriesKey>'
    '<g:Obs><g:ObsDimension value="2018"/><g:ObsValue value="1"/></g:Obs></g:Series>'
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("</g:SeriesKey>", ""),
        ("</g:Obs>", ""),
        ("<g:Obs>", ""),
        ("</g:Series>", ""),
        ("</g:SeriesKey>", "</g:Attributes>"),
        ("<g:SeriesKey>", "<g:Obs>"),
        ('id="A" ', ""),
        ('id="A" ', 'id="A" id="B" '),
        (' value="x"', ""),
        ('<g:Value id="A" value="x"/>', '<g:ObsValue value="x"/>'),
        ('<g:ObsValue value="1"/>', '<g:Value id="V" value="1"/>'),
        ('<g:ObsValue value="1"/>', '<g:ObsValue value="1"/><g:ObsValue value="2"/>'),
        ('<g:ObsValue value="1"/>', '<g:ObsValue value="1"></g:ObsValue>'),
        ("<g:Obs>", "<g:Obs/><g:Obs>"),
        ('<g:Obs><g:ObsDimension value="2018"/><g:ObsValue value="1"/></g:Obs>', ""),
        ("<g:Obs>", '<g:Group type="G"><g:GroupKey><g:Value id="A" value="x"/></g:GroupKey></g:Group><g:Obs>'),
        ("</g:Series>", "</g:Series>text"),
    ],
)
def test_generic_runs_that_are_not_plain_are_left_to_expat(old, new):
    assert ml_parts.plain(WHOLE.encode(), False) is not None
    assert old in WHOLE
    assert ml_parts.plain(WHOLE.replace(old, new, 1).encode(), False) is None
