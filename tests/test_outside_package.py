"""A method is one function in one file, in anybody's package: installed beside ours, and found with all faces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "harvest-office"
version = "2.1.0"
dependencies = ["statcommons"]

[project.entry-points."statcommons.domains"]
harvest = "harvest_office"

[project.entry-points."statcommons.readers"]
crops = "harvest_office:read_crops"
"""

METHOD = '''
"""Crop statistics of an office of its own."""

from typing import Annotated

from statcommons.core.method import method
from statcommons.core.schema import Dimension, Ge, Gt, Measure, Schema, Table, Unit


class Fields(Schema):
    """Fields as the farmers report them."""

    crop: Annotated[str, Dimension, "Crop"]
    area: Annotated[float, Measure, Unit("ha"), Gt(0), "Area"]


class Areas(Schema, key=("crop",)):
    """Area by crop."""

    crop: Annotated[str, Dimension, "Crop"]
    area: Annotated[float, Measure(decimals=1), Unit("ha"), "Area of all its fields"]


@method(version="1.0.0", topic="Agriculture", gsbpm="5.7", exact=True)
def crop_area(
    fields: Table[Fields], *, smallest: Annotated[float, Ge(0), Unit("ha")] = 0.0
) -> Table[Areas]:
    """Add up the area of each crop.

    Fields below a size are left out, as the survey did in its first years.

    Parameters
    ----------
    fields : Fields
        One row a field.
    smallest : float
        Fields below this size are left out.

    Returns
    -------
    Areas
        One row a crop.

    Examples
    --------
    >>> crop_area({"crop": ["rye", "rye"], "area": [1.5, 2.0]}).area.to_pyarrow().to_pylist()
    [3.5]
    """
    from statcommons.core.engine import total

    kept = fields.filter(fields.area >= smallest)
    return kept.group_by("crop").agg(area=total(kept.area, 2))


def read_crops(reference):
    """Read the office's own notation: crop=area, one a line."""
    pairs = [line.split("=") for line in open(reference).read().split()]
    return {"crop": [crop for crop, _ in pairs], "area": [float(area) for _, area in pairs]}
'''


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """Build the package and install it in a folder of its own; give a function that runs commands beside it."""
    root = tmp_path_factory.mktemp("office")
    source = root / "source" / "src" / "harvest_office"
    source.mkdir(parents=True)
    (root / "source" / "pyproject.toml").write_text(PYPROJECT)
    (source / "__init__.py").write_text(METHOD)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(root / "installed"), str(root / "source")], check=True, timeout=120)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        script = Path(sys.executable).with_name("statcommons")
        command = [sys.executable, *words] if words[0] == "-c" else [str(script), *words]
        env = {**os.environ, "PYTHONPATH": str(root / "installed")}
        return subprocess.run(command, env=env, cwd=root, capture_output=True, text=True, timeout=120)

    (root / "fields.csv").write_text("crop,area\nrye,1.5\nrye,2.25\noats,0.5\n")
    return run


def test_it_is_listed_beside_ours(office):
    listed = office("methods").stdout
    assert "harvest.crop_area" in listed
    assert "prices.unit_values" in listed


def test_the_python_call(office):
    code = "from harvest_office import crop_area; print(crop_area('fields.csv', smallest=1).to_pyarrow().to_pylist())"
    assert office("-c", code).stdout.strip() == "[{'crop': 'rye', 'area': 3.75}]"


def test_the_command(office):
    done = office("run", "harvest.crop_area", "--fields", "fields.csv", "--smallest", "1", "--out", "command")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.splitlines()[-1]).name == "command"
    again = office("rerun", "command")
    assert (again.returncode, again.stdout) == (0, "result: identical\n")
    refused = office("run", "harvest.crop_area", "--fields", "fields.csv", "--smallest", "-1")
    assert refused.returncode == 64
    assert "smallest is -1.0. Give a number from 0 up (ha)." in refused.stderr


def test_the_process(office):
    process = json.loads(office("describe", "harvest.crop_area", "--ogc").stdout)
    assert process["inputs"]["smallest"]["schema"] == {"type": "number", "minimum": 0, "default": 0.0}


def test_the_form(office):
    form = json.loads(office("describe", "harvest.crop_area", "--form").stdout)
    assert form["properties"]["smallest"]["x-unit"] == "ha"
    assert form["required"] == ["fields"]


def test_the_page(office):
    page = office("describe", "harvest.crop_area").stdout
    assert page.startswith("# Add up the area of each crop\n")
    assert "statcommons run harvest.crop_area --fields fields.csv" in page


def test_the_contract_holds_there_too(office):
    code = (
        "import pyarrow as pa; from statcommons.testing import check_method; from harvest_office import crop_area\n"
        "print(len(check_method(crop_area, {'fields': pa.table({'crop': ['rye', 'oats'], 'area': [1.0, 2.0]})})))"
    )
    done = office("-c", code)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 9


def test_its_reader_reads(office):
    code = (
        "open('f.crops', 'w').write('rye=1.5 oats=2'); from harvest_office import crop_area\n"
        "print(crop_area('f.crops').order_by('crop').to_pyarrow().to_pylist())"
    )
    assert office("-c", code).stdout.strip() == "[{'crop': 'oats', 'area': 2.0}, {'crop': 'rye', 'area': 1.5}]"


def test_its_toml_gives_the_same_faces_without_its_code(office, tmp_path):
    toml = tmp_path / "method.toml"
    toml.write_text(office("describe", "harvest.crop_area", "--toml").stdout)
    bare = subprocess.run(
        [str(Path(sys.executable).with_name("statcommons")), "describe", str(toml), "--ogc"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert bare.stdout == office("describe", "harvest.crop_area", "--ogc").stdout
