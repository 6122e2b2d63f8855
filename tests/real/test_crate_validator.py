"""The research object of a run is valid by roc-validator; its contexts are served from ../shared/data."""

from __future__ import annotations

import json
import shutil
from typing import Annotated
from urllib.parse import unquote

import pytest

from statcommons.core.method import method
from statcommons.core.run import run
from statcommons.core.schema import Dimension, Ge, Measure, Period, Schema, Table, Time, Unit

requests = pytest.importorskip("requests")
services = pytest.importorskip("rocrate_validator.services")

# rdflib's, by way of the validator and pySHACL: the validator takes a warning for a failed check.
pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")

PROFILES = ["ro-crate-1.1", "process-run-crate", "workflow-ro-crate", "workflow-run-crate"]


class Sales(Schema):
    """Sales of shops."""

    period: Annotated[Period, Time, "Month"]
    shop: Annotated[str, Dimension, "Shop"]
    turnover: Annotated[float, Measure, Unit("EUR"), Ge(0), "Turnover"]


@method(version="1.0.0", id="test.scaled", references=["United Nations, Handbook"])
def scaled(
    sales: Table[Sales], others: Table[Sales] | None = None, *, scale: float = 1.0, exact: bool = True
) -> Table[Sales]:
    """Scale the turnover."""
    return sales.mutate(turnover=sales.turnover * scale)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run on a file and on a table in memory, with a row set aside."""
    folder = tmp_path_factory.mktemp("crate")
    (folder / "sales.csv").write_text("period,shop,turnover\n2026-01,a,1\n2026-02,a,2\n2026-02,b,-1\n")
    inputs = {"sales": folder / "sales.csv", "others": {"period": ["2026"], "shop": ["a"], "turnover": [1.0]}}
    return run(scaled, inputs, {"scale": 2.0}, out=folder / "run", on_bad_rows="set_aside", workspace=folder / "w")


@pytest.fixture
def refused(shared, monkeypatch):
    """Give the identifiers of the checks that refuse a crate at REQUIRED; nothing leaves the machine."""
    contexts = {version: shared(f"hub/rocrate/context-{version}.jsonld").read_bytes() for version in ("1.1", "1.2")}

    def answer(session, verb, url, **options):
        found = next((content for version, content in contexts.items() if f"crate/{version}/context" in url), None)
        assert found, f"the validator asks for {url}"
        reply = requests.Response()
        reply.url, reply.status_code, reply._content = url, 200, found
        reply.headers["Content-Type"] = "application/ld+json"
        return reply

    monkeypatch.setattr(requests.Session, "request", answer)

    def checks(crate, profile):
        settings = services.ValidationSettings(
            rocrate_uri=str(crate),
            profile_identifier=profile,
            requirement_severity=services.Severity.REQUIRED,
            no_cache=True,
        )
        return sorted({issue.check.identifier for issue in services.validate(settings).get_issues()})

    return checks


@pytest.mark.parametrize("profile", PROFILES)
def test_a_run_is_a_valid_research_object(refused, made, profile):
    assert refused(made.path, profile) == []


def without(*path):
    """A crate without one property of one entity."""

    def change(document):
        entity = next(one for one in document["@graph"] if one["@id"] == path[0])
        del entity[path[1]]

    return change


def unlinked(document):
    root = next(one for one in document["@graph"] if one["@id"] == "./")
    root["hasPart"] = [one for one in root["hasPart"] if one["@id"] != "report.html"]


def absent(document):
    root = next(one for one in document["@graph"] if one["@id"] == "./")
    root["hasPart"].append({"@id": "outputs/gone.parquet"})
    document["@graph"].append({"@id": "outputs/gone.parquet", "@type": "File", "name": "gone"})


BROKEN = [
    ("ro-crate-1.1", without("./", "license")),
    ("ro-crate-1.1", without("./", "datePublished")),
    ("ro-crate-1.1", unlinked),
    ("ro-crate-1.1", absent),
    ("process-run-crate", without("#run", "instrument")),
    ("workflow-ro-crate", without("./", "mainEntity")),
    ("workflow-ro-crate", without("method.toml", "programmingLanguage")),
    ("workflow-run-crate", without("./", "conformsTo")),
    ("workflow-run-crate", without("#parameter-scale", "additionalType")),
]


@pytest.mark.parametrize(("profile", "change"), BROKEN)
def test_a_broken_one_is_refused(refused, made, tmp_path, profile, change):
    folder = tmp_path / "run"
    shutil.copytree(made.path, folder)
    document = json.loads((folder / "ro-crate-metadata.json").read_text())
    change(document)
    (folder / "ro-crate-metadata.json").write_text(json.dumps(document))
    assert refused(folder, profile)


@pytest.mark.parametrize("name", ["base_unchanged", "no_datePublished", "no_license", "unlinked_file", "no_name"])
def test_the_validator_judges_here_as_the_golden_says(refused, shared, tmp_path, name):
    cases = json.loads(shared("hub/rocrate/mutations_golden.json").read_text())
    case = next(one for one in cases if one["case"] == name)
    (tmp_path / "ro-crate-metadata.json").write_text(json.dumps(case["document"]))
    for one in case["document"]["@graph"]:
        if one["@type"] == "File":
            file = tmp_path / unquote(one["@id"])
            file.parent.mkdir(exist_ok=True)
            file.touch()
    assert refused(tmp_path, case["profile"]) == case["checks"].split()
