"""The documentation cannot lie: every example on every page runs as it stands, and every public name is documented.

What a page may hold, in Markdown:

- a fence ``python`` is run; what it prints stands in the fence ``text`` that follows it;
- a fence ``console`` is run, each line after ``$`` being a command; the lines below it are what it writes, and ``...``
  stands for what differs from run to run;
- a fence below a line with a name and a colon (`` `sales.csv`: ``) is written to the file of that name;
- a fence below a line that says *Not run* is only shown, one below *Needs Spark* runs where Spark is, one below *Needs
  the Polish data* where a copy of them lies beside the checkout, and is not fetched.

The blocks of a page run in order, in one new folder. Commands of ours run in this process, which spares their imports.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import importlib
import inspect
import io
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import click
import duckdb
import pytest
from docstring_parser import DocstringStyle, parse

from statcommons.cli import main, show
from statcommons.core import errors, registry, schema, spec
from statcommons.core.run import load_run, run
from statcommons.core.source import Source
from statcommons.prices import data
from statcommons.sdmx.model import Ref
from statcommons.sdmx.store import manifest
from statcommons.sdmx.store.rows import files as rows_of
from statcommons.sdmx.structure import Component, Structure

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
POLISH = ROOT.parent / "shared" / "data" / "prices" / "polish_rice_sugar_milk.csv"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
PAGES = [page for page in PAGES if "_build" not in page.parts and page.parent != DOCS / "methods"]

# --- the blocks of a page -------------------------------------------------------------------------------------------

sys.path.insert(0, str(DOCS))
generated = importlib.import_module("generated")
sys.path.remove(str(DOCS))

FENCE = re.compile(
    r"(?:^(?P<lead>[^\n`]*(?:`[^\n`]*`[^\n`]*)*)\n\n?)?^```(?P<language>\S*)\n(?P<body>.*?)^```$", re.M | re.S
)
RUN = ("python", "console")
SHOWN = ("text", "toml", "csv", "{toctree}", "{include}")


@dataclass(frozen=True)
class Block:
    """A fence of a page."""

    lead: str
    language: str
    body: str
    line: int

    @property
    def file(self) -> str:
        found = re.fullmatch(r"`([^`]+)`:", self.lead.strip())
        return found.group(1) if found else ""

    @property
    def is_shown_only(self) -> bool:
        return "Not run" in self.lead

    @property
    def needs_spark(self) -> bool:
        return "Needs Spark" in self.lead

    @property
    def needs_polish(self) -> bool:
        return "Needs the Polish data" in self.lead


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(one["lead"] or "", one["language"], one["body"], text.count("\n", 0, one.start("body")) + 1)
        for one in FENCE.finditer(text)
    ]


# --- running them ---------------------------------------------------------------------------------------------------


class Reader:
    """Somebody who does what a page says, in one folder."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: dict[str, object] = {"__name__": "__main__"}
        self.folder = folder
        self.site = folder.with_name(f"{folder.name}-site")
        self.site.mkdir()
        self.status = 0
        self.monkeypatch = monkeypatch
        self.has_polish = POLISH.exists()
        monkeypatch.setattr(data, "_fetch_record", lambda address, folder: POLISH)
        monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.syspath_prepend(str(folder))  # as Python does for who works in it
        monkeypatch.setattr(show, "SHOWN_AFTER", float("inf"))  # how long a step lasts is no part of an example

    def follow(self, page: Path, *, spark: bool = False) -> Iterator[tuple[int, str, str, str]]:
        """Do what a page says; give the line of each step, what was done, what the page promises and what came."""
        waiting: tuple[int, str, str] | None = None
        for block in blocks(page):
            if waiting:
                yield waiting[0], waiting[1], block.body if block.language == "text" else "", waiting[2]
                waiting = None
            if block.is_shown_only or (block.needs_spark and not spark) or (block.needs_polish and not self.has_polish):
                continue
            if block.file:
                target = self.folder / block.file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(block.body, encoding="utf-8")
            elif block.language == "python":
                waiting = block.line, block.body, self.python(block.body)
            elif block.language == "console":
                for command, wanted in commands(block.body):
                    yield block.line, command, wanted, self.command(command)
        if waiting:
            yield waiting[0], waiting[1], "", waiting[2]

    def python(self, code: str) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(code, "example", "exec", dont_inherit=True), self.names)
        return out.getvalue()

    def command(self, line: str) -> str:
        if installed := re.fullmatch(r"pip install --editable (\S+)", line):
            self.install(self.folder / installed.group(1))
            return ""
        ours, _, rest = (
            (part.strip() for part in re.split(r"([|>])", f"{line} ", maxsplit=1))
            if re.search(r"[|>]", line)
            else (line, "", "")
        )
        if not ours.startswith("statcommons "):
            done = self.bash(f"(exit {self.status}); {line}")
            self.status = done.returncode
            return done.stdout
        written = self.statcommons(ours)
        if not rest:
            return written
        sign = line[len(ours) :].strip()[0]
        return self.bash(f"cat | {rest}" if sign == "|" else f"cat > {rest}", written).stdout

    def bash(self, script: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": str(self.site)}
        return subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=env,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )

    def statcommons(self, line: str) -> str:
        """Run a command of ours in this process: its words as the shell expands them, its two streams as one."""
        words = self.bash(f"printf '%s\\0' {line}").stdout.split("\0")[1:-1]
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)  # some commands write bytes
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), pytest.raises(SystemExit) as left:
            main.main(words)
        self.status = left.value.code
        return out.buffer.getvalue().decode()

    def install(self, project: Path) -> None:
        """Do what an editable installation does: put the sources on the path, and the entry points beside them."""
        about = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        info = self.site / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n")
        points = [
            f"[{group}]\n{name} = {value}\n"
            for group, all in about["entry-points"].items()
            for name, value in all.items()
        ]
        (info / "entry_points.txt").write_text("".join(points))
        for module in project.glob("*.py"):
            (self.site / module.name).symlink_to(module)
        self.monkeypatch.syspath_prepend(str(self.site))
        registry._entries.cache_clear()


def commands(body: str) -> Iterator[tuple[str, str]]:
    """Cut a console block into commands and what each writes."""
    for part in re.split(r"^\$ ", body.replace("\\\n", ""), flags=re.M)[1:]:
        command, _, output = part.partition("\n")
        yield " ".join(command.split()) if "'" not in command and '"' not in command else command, output


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """Give a reader, and forget afterwards what he installed."""
    folder = tmp_path / "page"
    folder.mkdir()
    monkeypatch.chdir(folder)
    before = set(sys.modules)
    yield Reader(folder, monkeypatch)
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(tmp_path)):
            del sys.modules[name]
    registry._entries.cache_clear()


def with_spark(page: Path) -> bool:
    return any(block.needs_spark for block in blocks(page))


def assert_as_written(reader: Reader, page: Path, *, spark: bool = False) -> None:
    for line, done, wanted, came in reader.follow(page, spark=spark):
        same = doctest.OutputChecker().check_output(wanted, came, doctest.ELLIPSIS)
        assert same, f"{page.relative_to(ROOT)}:{line}\n{done}\n--- the page says:\n{wanted}\n--- it gives:\n{came}"


def named(pages: list[Path]) -> list[object]:
    return [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in pages]


@pytest.mark.parametrize("page", named([one for one in PAGES if any(block.language in RUN for block in blocks(one))]))
def test_every_example_gives_what_the_page_says(page, reader):
    assert_as_written(reader, page)


@pytest.mark.spark
@pytest.mark.xdist_group("spark")
@pytest.mark.parametrize("page", named([one for one in PAGES if with_spark(one)]))
def test_examples_for_spark(page, reader):
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        pytest.skip("no Java for Spark (install default-jre-headless)")
    assert_as_written(reader, page, spark=True)


# --- what the pages promise of themselves ---------------------------------------------------------------------------


@pytest.mark.parametrize("page", named(PAGES))
def test_every_fence_is_run_or_says_that_it_is_not(page):
    unknown = [f"{one.line}: {one.language}" for one in blocks(page) if one.language not in (*RUN, *SHOWN)]
    shown_only = [f"{one.line}: {one.language}" for one in blocks(page) if one.is_shown_only]
    assert [one for one in unknown if one not in shown_only] == []


def test_every_make_that_a_page_names_is_a_target():
    targets = re.findall(r"^(\S+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    said = {
        word
        for page in PAGES
        for word in re.findall(r"(?:^    |`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.M)
    }
    assert {"demo", "test", "docs"} <= said
    assert said - set(targets) == set()


def test_every_link_of_the_front_pages_leads_somewhere():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
        assert links
        assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_readme_shows_its_example_and_a_picture_early():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code, output = blocks(ROOT / "README.md")
    assert (code.language, output.language) == ("python", "text")
    assert len(code.body.splitlines()) <= 10
    assert output.line < 50
    (picture,) = re.findall(r"!\[[^\]]{20,}\]\((\S+)\)", readme)
    assert (ROOT / picture).stat().st_size < 150_000


def test_every_page_is_reached_from_the_first():
    listed = {
        (page.parent / f"{entry}.md").resolve()
        for page in DOCS.rglob("index.md")
        for block in blocks(page)
        if block.language == "{toctree}"
        for line in block.body.splitlines()
        if line and not line.startswith(":")
        for entry in (
            [one.name.removesuffix(".md") for one in page.parent.glob(f"{line}.md")] if "*" in line else [line]
        )
    }
    assert {page for page in DOCS.rglob("*.md") if "_build" not in page.parts} - listed == {DOCS / "index.md"}


@pytest.fixture(scope="module")
def commands_page():
    return generated.commands_page()


def test_the_page_of_commands_names_every_command_and_option(commands_page):
    seen = []
    for words, command in generated.commands():
        section = commands_page.partition(f"## `{words}`")[2].partition("\n## ")[0]
        spellings = [one for option in command.params if isinstance(option, click.Option) for one in option.opts]
        assert [one for one in spellings if not re.search(rf"(?<!\S){one}\b", section)] == []
        seen.append(words)
    assert {f"statcommons {name}" for name in main.COMMANDS} < set(seen)


def test_the_page_of_a_run_names_every_file_and_key(tmp_path):
    page = (DOCS / "reference" / "run-folder.md").read_text(encoding="utf-8")
    sales = tmp_path / "sales.csv"
    sales.write_text("day,product,price,quantity\n2026-01-05,tea,2,1\n2026-01-06,tea,-2,1\n")
    names = {"transactions": {"time": "day"}}
    done = run(
        "prices.unit_values", {"transactions": sales}, mappings=names, on_bad_rows="set_aside", out=tmp_path / "run"
    )
    files = {file.relative_to(done.path).as_posix() for file in done.path.rglob("*") if file.is_file()}
    general = {"outputs/result.parquet": "outputs/NAME.parquet", "outputs/net_returns.parquet": "outputs/NAME.parquet"}
    general["private/set_aside/transactions.parquet"] = "private/set_aside/INPUT.parquet"
    assert [file for file in files if f"| `{general.get(file, file)}` |" not in page] == []
    facts = load_run(done.path).facts
    (table,) = facts["inputs"]["transactions"]["tables"]
    rows = set(re.findall(r"^\| `(\w+)` \|", page, re.M))
    assert set(facts) == rows - {"file"}
    inner = [facts["method"], facts["engine"], facts["environment"], table, table["files"][0], table["set_aside"][0]]
    inner += [facts["outputs"]["result"], *facts["quality"]]
    assert [key for one in inner for key in one if f"`{key}`" not in page] == []


def test_the_page_of_a_store_names_every_key_and_column():
    page = (DOCS / "reference" / "sdmx-store.md").read_text(encoding="utf-8")
    keys = [one.name for cls in (manifest.Manifest, manifest.Segment, manifest.Load) for one in fields(cls)]
    area, time = Component("AREA", "dimension", "text"), Component("TIME_PERIOD", "time", "period")
    structure = Structure(Ref("dataflow", "X", "DF"), Ref("datastructure", "X", "DSD"), {}, {}, (area, time))
    columns = duckdb.sql(rows_of(DOCS, manifest.new_manifest(structure.key), structure)).columns
    inner = {"TIME_PERIOD", "_segment", "_place"}  # named otherwise, or made when a file is read
    assert [one for one in (*keys, *columns) if one not in inner and f"`{one}`" not in page] == []


def test_the_page_of_errors_has_every_class_with_its_codes():
    page = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", page, re.M))
    classes = [
        one for one in vars(errors).values() if inspect.isclass(one) and issubclass(one, errors.StatCommonsError)
    ]
    classes.remove(errors.StatCommonsError)
    assert rows == {(one.__name__, str(one.exit_code), str(one.status)) for one in classes}


def test_the_page_of_method_toml_has_every_key():
    page = (DOCS / "reference" / "method-toml.md").read_text(encoding="utf-8")
    said = set(re.findall(r"`(\w+)`", page))
    classes = (spec.MethodSpec, spec.InputSpec, spec.ParameterSpec, spec.OutputSpec, schema.TableSchema, schema.Column)
    assert [(cls.__name__, one.name) for cls in classes for one in fields(cls) if one.name not in said] == []
    assert set(schema.JSON_TYPES) | set(schema.ROLES.values()) <= said


def test_the_page_of_schemas_has_every_word_of_a_declaration():
    page = (DOCS / "reference" / "schema.md").read_text(encoding="utf-8")
    assert [name for name in schema.__all__ if not re.search(rf"\b{name}\b", page)] == []


# --- what the code promises of its docstrings -----------------------------------------------------------------------

OWN = [
    (module.__name__, name, one)
    for module in generated.modules()
    for name, one in generated.public_names(module).items()
]
FUNCTIONS = [pytest.param(one, id=f"{module}.{name}") for module, name, one in OWN if generated.is_function(one)]
CLASSES = [pytest.param(one, id=f"{module}.{name}") for module, name, one in OWN if inspect.isclass(one)]
CONSTANTS = [
    pytest.param(module, name, id=f"{module}.{name}")
    for module, name, one in OWN
    if not generated.is_function(one) and not inspect.isclass(one)
]


def documented(docstring: str | None) -> list[str]:
    """The names that a docstring has under Parameters, in order."""
    found = parse(docstring or "", style=DocstringStyle.NUMPYDOC)
    return [
        name.strip().lstrip("*") for one in found.params if one.args[0] == "param" for name in one.arg_name.split(",")
    ]


# The parts of a machine are shown by what uses them; an example of their own would be half of it.
SHOWN_BY = {
    "statcommons.core.crate.crate": "run",
    "statcommons.core.report.report": "run",
    "statcommons.core.seal.outputs": "run",
    "statcommons.core.seal.write": "run",
    "statcommons.core.places.numbered": "bind",
    "statcommons.core.places.placed": "bind",
    "statcommons.core.check.count_broken": "check_method",
    "statcommons.core.check.count_repeated": "check_method",
    "statcommons.core.textfile.examine": "read",
    "statcommons.core.textfile.line_numbers": "read",
    "statcommons.core.textfile.misfit": "read",
    "statcommons.core.textfile.one_line_a_row": "read",
    "statcommons.core.textfile.recoded": "read",
    "statcommons.core.blocks.bars": "chart",
    "statcommons.core.blocks.heat": "chart",
    "statcommons.core.drawing.data": "chart",
    "statcommons.core.drawing.lines": "chart",
    "statcommons.core.drawing.panels": "chart",
    "statcommons.core.drawing.short": "chart",
    "statcommons.sdmx.structure_file.write_structure": "write_run",
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_docstring_has_the_parameters_of_the_signature(function):
    bare = inspect.unwrap(function)
    listed, takes = documented(inspect.getdoc(bare)), list(inspect.signature(bare).parameters)
    assert listed == takes


def called_on_pages() -> set[str]:
    """The names of all functions that a block of a page calls."""
    trees = [
        ast.parse(one.body)
        for page in PAGES
        for one in blocks(page)
        if one.language == "python" and not one.is_shown_only
    ]
    calls = [node.func for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {getattr(one, "id", getattr(one, "attr", "")) for one in calls}


CALLED = called_on_pages()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_an_example(function):
    bare = inspect.unwrap(function)
    shown_by = SHOWN_BY.get(f"{bare.__module__}.{bare.__name__}", bare.__name__)
    if isinstance(function, Source) and function.spec.access == "download":
        shown_by = "source"  # no test fetches what nobody asked for
    assert has_example(bare) or shown_by in CALLED, "neither its docstring nor a page has an example"


def has_example(function: object) -> bool:
    return bool(parse(inspect.getdoc(function) or "", style=DocstringStyle.NUMPYDOC).examples)


def test_what_is_shown_by_another_has_no_example_of_its_own():
    found = {f"{module}.{name}": one for module, name, one in OWN}
    assert [name for name in SHOWN_BY if name not in found or has_example(found[name])] == []


@pytest.mark.parametrize("cls", CLASSES)
def test_a_class_and_what_it_offers_is_documented(cls):
    assert inspect.getdoc(cls)
    bare = [name for name, one in vars(cls).items() if not name.startswith("_") and is_bare(one)]
    assert bare == []
    if listed := documented(cls.__doc__):
        assert listed == list(inspect.signature(cls).parameters)


def is_bare(member: object) -> bool:
    """Whether a method or property has no docstring."""
    function = getattr(member, "fget", None) or getattr(member, "func", None) or getattr(member, "__func__", member)
    return inspect.isfunction(function) and not function.__doc__


@pytest.mark.parametrize(("module", "name"), CONSTANTS)
def test_a_constant_is_described_below_itself(module, name):
    words = generated.described(module).get(name)
    assert words


def test_every_name_of_a_module_is_there():
    absent = [
        f"{module.__name__}.{name}"
        for module in generated.modules()
        for name in module.__all__
        if not hasattr(module, name)
    ]
    assert not absent


def test_every_method_and_source_has_its_page():
    assert set(generated.method_pages()) == {f"{id}.md" for id in registry.methods()}
    cards = generated.sources_page()
    assert [id for id in registry.sources() if f"## `{id}`" not in cards] == []
