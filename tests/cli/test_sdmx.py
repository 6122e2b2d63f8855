"""The commands of SDMX as their users type them."""

import datetime
import json
import os
import subprocess
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from sdmx_stores import STRUCTURE

from statcommons.core.run import run
from statcommons.sdmx import artefacts_of, write_structure
from statcommons.sdmx.message import Header
from statcommons.sdmx.model import Constraint, Dataflow, Ref, Region
from statcommons.sdmx.structures.ml import write_structures_ml

SCRIPT = str(Path(sys.executable).with_name("statcommons"))
HEAD = "DATAFLOW,FREQ,AREA,TIME_PERIOD,OBS_VALUE,UNIT,STATUS\n"
FLOW = "SC:DF_X(1.0)"


def command(*words, cwd=None, code=0):
    done = subprocess.run([SCRIPT, "sdmx", *map(str, words)], cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, f"{done.returncode}: {done.stderr}"
    return done


@pytest.fixture
def place(tmp_path):
    """A folder with a structure message and a data file."""
    write_structure(STRUCTURE, tmp_path / "structure.xml", standard="2.1")
    rows = [f"{FLOW},A,004,2020,1.5,PT,P", f"{FLOW},A,004,2021,2.5,PT,", f"{FLOW},A,NA,2020,3,PT,A"]
    (tmp_path / "data.csv").write_text(HEAD + "\n".join(rows) + "\n")
    return tmp_path


@pytest.fixture
def loaded(place):
    command("load", "structure.xml", "data.csv", "--store", "st", cwd=place)
    return place


def test_a_file_is_loaded_asked_and_served(loaded):
    said = command("flows", "--store", "st", "--json", cwd=loaded).stdout
    [flow] = json.loads(said)
    assert (flow["flow"], flow["observations"], flow["series"], flow["periods"]) == (FLOW, 3, 2, ["2020", "2021"])
    asked = "data/dataflow/SC/DF_X/1.0/A.004?lastNObservations=1&format=csv"
    lines = command("get", asked, "--store", "st", cwd=loaded).stdout.splitlines()
    assert [line.split(",")[4:8] for line in lines[1:]] == [["004", "2021", "2.5", "PT"]]
    command("get", f"http://somewhere/sdmx/v2/{asked}", "--store", "st", "--out", "a.csv", cwd=loaded)
    assert (loaded / "a.csv").read_text().splitlines() == lines
    words = [SCRIPT, "sdmx", "serve", "--store", "st", "--port", "0", "--processes", "1"]
    with subprocess.Popen(words, cwd=loaded, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().strip()
            with urllib.request.urlopen(f"{address}/{asked}", timeout=30) as answer:
                assert answer.read().decode().splitlines() == lines
        finally:
            server.terminate()


@pytest.mark.parametrize("name", ["again.xml", "again.json"])
def test_data_in_messages_need_no_structure_that_the_store_knows(loaded, name):
    command("convert", "data.csv", name, "--structure", "structure.xml", cwd=loaded)
    said = command("load", name, "--store", "st", cwd=loaded).stdout
    assert "0 added, 0 changed, 0 deleted, 3 unchanged" in said
    said = command("load", name, "structure.xml", "--store", "new", cwd=loaded).stdout
    assert "3 added" in said


def test_actions_times_and_withdrawal(loaded):
    (loaded / "new.csv").write_text(HEAD + f"{FLOW},A,004,2020,9,,\n")
    due = "2999-01-01T00:00:00+02:00"
    words = ("load", "new.csv", "--store", "st", "--action", "replace", "--valid-from", due, "--json")
    [done] = json.loads(command(*words, cwd=loaded).stdout)
    assert (done["changed"], done["valid_from"]) == (1, "2998-12-31T22:00:00.000000Z")
    [flow] = json.loads(command("flows", "--store", "st", "--json", cwd=loaded).stdout)
    assert flow["modified"] < "2999"
    command("withdraw", done["load"], "--store", "st", cwd=loaded)
    assert "not known" in command("withdraw", done["load"], "--store", "st", cwd=loaded, code=64).stderr
    (loaded / "gone.csv").write_text(HEAD + f"{FLOW},A,NA,2020,,,\n")
    said = command("load", "gone.csv", "--store", "st", "--action", "delete", cwd=loaded).stdout
    assert "1 deleted" in said


def test_deletion_empties_the_values_that_rows_name_as_the_help_says(loaded):
    told = " ".join(command("load", "--help").stdout.split())
    assert "delete empties the values that a row names" in told
    said = command("load", "data.csv", "--store", "st", "--action", "delete", cwd=loaded).stdout
    assert "3 changed, 0 deleted" in said
    lines = command("get", "data/dataflow/SC/DF_X/1.0?format=csv", "--store", "st", cwd=loaded).stdout.splitlines()
    head, *cells = [line.split(",") for line in lines]
    assert [row[head.index("OBS_VALUE")] for row in cells] == ["", "", ""]


def test_a_dataflow_without_its_structure_hides_no_other(loaded):
    lacking = Dataflow("dataflow", "SC", "DF_BARE", name={"en": "Bare"}, structure=Ref("datastructure", "SC", "DSD_NO"))
    header = Header("x", datetime.datetime.now(datetime.UTC), "SC")
    (loaded / "bare.xml").write_bytes(write_structures_ml((lacking,), "2.1", header))
    command("load", "bare.xml", "--store", "st", cwd=loaded)
    flows = {one["flow"]: one for one in json.loads(command("flows", "--store", "st", "--json", cwd=loaded).stdout)}
    assert (flows[FLOW]["observations"], flows[FLOW]["missing"]) == (3, "")
    bare = flows["SC:DF_BARE(1.0)"]
    assert (bare["name"], bare["observations"]) == ("Bare", 0)
    assert bare["missing"] == "There is no structure SC:DSD_NO(1.0). Load its structure message first."
    said = command("flows", "--store", "st", cwd=loaded).stdout
    assert "3 observations, 2 series" in said
    assert f"SC:DF_BARE(1.0)  Bare\n    {bare['missing']}" in said


def test_every_fault_is_told_and_nothing_is_loaded(loaded):
    (loaded / "bad.csv").write_text(HEAD + f"{FLOW},A,004,2020-13,1,,\n{FLOW},A,,2021,x,,\n")
    for words in (("load", "bad.csv", "--store", "st"), ("validate", "bad.csv", "--structure", "structure.xml")):
        said = command(*words, cwd=loaded, code=65).stderr
        assert "bad.csv" in said
        assert "TIME_PERIOD" in said
        assert "AREA" in said
        assert "OBS_VALUE" in said
    [flow] = json.loads(command("flows", "--store", "st", "--json", cwd=loaded).stdout)
    assert flow["observations"] == 3
    (loaded / "half.csv").write_text(HEAD + f"{FLOW},A,004,2020-13,1,,\n{FLOW},A,KM,2021,7,,\n")
    done = command("load", "half.csv", "--store", "st", "--on-bad-rows", "set_aside", cwd=loaded)
    assert "1 added" in done.stdout
    aside = Path(done.stderr.rsplit(" ", 1)[1].strip())
    assert "2020-13" in aside.read_text()
    aside.unlink()


def test_files_are_checked_converted_and_filled_in(place):
    assert "3 rows satisfy" in command("validate", "data.csv", "--structure", "structure.xml", cwd=place).stdout
    command("convert", "structure.xml", "structure.json", cwd=place)
    command("convert", "data.csv", "data.xml", "--structure", "structure.json", "--format", "ml-3.0", cwd=place)
    command("convert", "data.xml", "again.csv", "--structure", "structure.xml", "--format", "csv-1.0", cwd=place)
    assert (place / "again.csv").read_text().count("\n") == 4
    command("template", FLOW, "fill.xlsx", "--structure", "structure.xml", cwd=place)
    assert (place / "fill.xlsx").read_bytes()[:2] == b"PK"


def test_a_check_holds_data_to_constraints_as_a_load_does(place):
    region = Region(True, {"AREA": ("004",)})
    allowed = Constraint("dataconstraint", "SC", "CON", attached=(STRUCTURE.flow,), regions=(region,))
    header = Header("x", datetime.datetime.now(datetime.UTC), "SC")
    (place / "both.xml").write_bytes(write_structures_ml((*artefacts_of(STRUCTURE), allowed), "2.1", header))
    command("load", "both.xml", "--store", "st", cwd=place)
    for words in (("--structure", "both.xml"), ("--store", "st")):
        said = command("validate", "data.csv", *words, cwd=place, code=65).stderr
        assert "row 4: the constraint SC:CON(1.0) does not allow it" in said


def test_a_dataflow_is_named_where_the_structures_have_several(place):
    other = replace(STRUCTURE, flow=replace(STRUCTURE.flow, id="DF_Y"))
    header = Header("x", datetime.datetime.now(datetime.UTC), "SC")
    artefacts = {one.ref: one for one in (*artefacts_of(STRUCTURE), *artefacts_of(other))}
    (place / "two.xml").write_bytes(write_structures_ml(tuple(artefacts.values()), "2.1", header))
    (place / "plain.csv").write_text("FREQ,AREA,TIME_PERIOD,OBS_VALUE\nA,004,2020,1\n")
    words = ("convert", "plain.csv", "out.csv", "--structure", "two.xml")
    assert "several dataflows" in command(*words, cwd=place, code=64).stderr
    command(*words, "--flow", "SC:DF_Y(1.0)", cwd=place)
    assert "SC:DF_Y(1.0),I,A,004,2020,1" in (place / "out.csv").read_text()


def test_a_run_is_published_and_asked(tmp_path):
    sales = {
        "time": ["2026-01-05", "2026-01-05", "2026-02-05", "2026-02-05"],
        "product": ["rice", "tea", "rice", "tea"],
        "price": [1.0, 1.0, 0.5, 1.0],
        "quantity": [10, 100, 5000, 100],
    }
    run("prices.bilateral_index", {"transactions": sales}, {"formula": "fisher"}, out=tmp_path / "run")
    command("publish", "run", "--store", "st", "--flow", "UNGP:DF_CPI(2.0)", cwd=tmp_path)
    asked = "data/dataflow/UNGP/DF_CPI/2.0?c[TIME_PERIOD]=2026-02&format=csvfile"
    header, line = command("get", asked, "--store", "st", cwd=tmp_path).stdout.splitlines()
    assert (
        dict(zip(header.split(","), line.split(","), strict=True))["OBS_VALUE"] == "0.6976"
    )  # the root of 105/110 times 2600/5100
    again = command("publish", "run", "--store", "st", "--flow", "UNGP:DF_CPI(2.0)", cwd=tmp_path).stdout
    assert "0 added, 0 changed, 0 deleted, 2 unchanged" in again


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("get", "data/dataflow/SC/DF_NONE/1.0", "--store", "st"), 66, "no dataflow"),
        (("get", "data/dataflow/SC/DF_X/1.0/A.004.B.C", "--store", "st"), 64, "places"),
        (("get", "data/dataflow/SC/DF_X/1.0", "--store", "st", "--accept", "application/pdf"), 64, "pdf"),
        (("get", "data", "--store", "nowhere"), 66, "no store"),
        (("serve", "--store", "nowhere"), 66, "no store"),
        (("flows", "--store", "nowhere"), 66, "no store"),
        (("withdraw", "1", "--store", "nowhere"), 66, "no store"),
        (("load", "data.csv", "--store", "st", "--valid-from", "9999-12-31T23:59:59-05:00"), 64, "no time"),
        (("load", "missing.xml", "--store", "st"), 66, "missing.xml"),
        (("load", "data.csv", "--store", "st", "--flow", "SC:DF_NONE(1.0)"), 66, "no dataflow"),
        (("load", "data.csv", "--store", "st", "--flow", "DF_X"), 64, "AGENCY:ID(VERSION)"),
        (("load", "data.csv", "--store", "st", "--valid-from", "soon"), 64, "no time"),
        (("load", "data.csv", "--store", "st", "--valid-from", "2001-01-01"), 64, "never changed"),
        (("load", "data.csv", "--store", "st", "--action", "append"), 64, "append"),
        (("convert", "data.csv", "out.xml"), 65, "--structure"),
        (("convert", "data.csv", "out.doc", "--structure", "structure.xml"), 64, "out.doc"),
        (("convert", "data.csv", "out.xml", "--structure", "structure.xml", "--format", "xml-9"), 64, "xml-9"),
    ],
)
def test_what_cannot_be_is_refused_with_its_exit_code(loaded, words, code, said):
    assert said in command(*words, cwd=loaded, code=code).stderr


def test_a_store_of_a_hub_takes_no_load(loaded):
    (loaded / "st" / "store.json").write_text('{"format": 1, "owner": "hub"}')
    for words in (("load", "data.csv", "--store", "st"), ("load", "structure.xml", "--store", "st")):
        assert "belongs to a hub" in command(*words, cwd=loaded, code=77).stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_store_that_may_not_be_written_is_told(loaded):
    # Its owner alone may write it.
    words = ["setpriv", "--reuid", "65534", "--clear-groups", SCRIPT, "sdmx", "load", "data.csv", "--store", "st"]
    for one in (loaded, loaded / "st"):
        one.chmod(0o755)
    done = subprocess.run(
        words, cwd=loaded, capture_output=True, text=True, timeout=120, env={**os.environ, "HOME": "/"}
    )
    assert done.returncode == 77, done.stderr


def test_the_face_says_what_it_has():
    import statcommons.sdmx as face

    assert {name for name in face.__all__ if getattr(face, name)} == set(face.__all__)
    assert artefacts_of is face.artefacts_of


def test_what_is_not_installed_is_named_with_its_extra(loaded):
    hidden = "import sys; sys.modules['lxml'] = None; from statcommons.cli.main import main; main(sys.argv[1:])"
    words = [sys.executable, "-c", hidden, "sdmx", "load", "structure.xml", "--store", "other"]
    done = subprocess.run(words, cwd=loaded, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "statcommons[sdmx]" in done.stderr) == (69, True), done.stderr
    face = "import sys; sys.modules['orjson'] = None; import statcommons.sdmx as face; face.Store"
    done = subprocess.run([sys.executable, "-c", face], cwd=loaded, capture_output=True, text=True, timeout=60)
    assert "ExtraMissing" in done.stderr


def test_upgrade_looks_at_the_store_too(loaded):
    (loaded / "workspace").mkdir()
    (loaded / "st").rename(loaded / "workspace" / "store")
    done = subprocess.run([SCRIPT, "upgrade"], cwd=loaded, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "store workspace/store has format 1, the newest" in done.stdout) == (0, True)
    (loaded / "workspace" / "store" / "store.json").write_text('{"format": 99}')
    done = subprocess.run([SCRIPT, "upgrade"], cwd=loaded, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "format 99" in done.stderr) == (64, True)


def test_a_catalogue_is_written_in_each_form(loaded):
    address = ("--url", "https://stats.example.org", "--publisher", "NSO", "--publisher-url", "https://nso.example.org")
    for name in ("c.ttl", "c.rdf", "c.jsonld", "c.rss", "c.atom", "C.ICS"):
        command("catalogue", name, "--store", "st", *address, cwd=loaded)
        assert "DF_X" in (loaded / name).read_text()
    said = command("catalogue", "c.txt", "--store", "st", *address, cwd=loaded, code=64).stderr
    assert "does not tell a form" in said


def test_an_export_of_the_sdg_database_is_loaded_in_one_command(tmp_path):
    names = ("Goal", "Target", "Indicator", "SeriesCode", "SeriesDescription", "GeoAreaCode", "GeoAreaName")
    head = ",".join((*names, "TimePeriod", "Value", "[Units]", "[Nature]")) + "\n"
    rows = '1,1.1,1.1.1,SI_POV_DAY1,"Poverty",004,Afghanistan,2019,12.5,PERCENT,C\n'
    (tmp_path / "export.csv").write_text(head + rows + rows.replace("2019,12.5", "2020,11.5"))
    said = command("load-sdg", "export.csv", "--store", "st", cwd=tmp_path).stdout
    assert "2 added" in said
    [flow] = json.loads(command("flows", "--store", "st", "--json", cwd=tmp_path).stdout)
    assert (flow["observations"], flow["periods"]) == (2, ["2019", "2020"])
