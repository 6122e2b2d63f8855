"""The project's promises about itself: what its files may say, what its locks hold, what its pages load."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = sorted((ROOT / "locks").glob("*.txt"))

# Joined here, so that this file does not say what it forbids.
REGISTRY_HOSTS = [
    ".".join(name) for name in [("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("yarnpkg", "com")]
]
HOME_PATH = re.compile(r"(?<![\w.:/])/(?:home|Users|root)/\w")
OUTSIDE = r"""["']?\s*(?:https?:)?//"""
LOADED_FROM_OUTSIDE = re.compile(
    rf"""\b(?:src|srcset|poster|data)\s*=\s*{OUTSIDE}|<link\b[^>]*\bhref\s*=\s*{OUTSIDE}|@import\s+{OUTSIDE}|\burl\(\s*{OUTSIDE}""",
    re.IGNORECASE,
)


@cache
def tracked() -> dict[str, str]:
    """All text files that are or would be committed, by their path."""
    # A checkout that belongs to another user, as in a container, is still ours to read.
    git = ["git", "-c", "safe.directory=*"]
    listed = run(*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout.split("\0")
    texts = {}
    for name in filter(None, listed):
        path = ROOT / name
        if path.is_file() and not path.is_symlink() and b"\0" not in (content := path.read_bytes())[:8000]:
            texts[name] = content.decode("utf-8", errors="replace")
    assert "pyproject.toml" in texts
    return texts


def lines_with(found) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in tracked().items()
        for number, line in enumerate(text.splitlines(), 1)
        if found(line)
    ]


def requirements(lock: Path) -> dict[str, set[str]]:
    """The packages of a lock, each with its versions (several where they differ by Python)."""
    versions: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE):
        versions.setdefault(canonicalize_name(name), set()).add(version)
    assert versions, lock
    return versions


def asked_by(*extras: str) -> dict[str, SpecifierSet]:
    """What pyproject.toml asks for in these extras, and in those that they name themselves."""
    asked = {}
    for requirement in (Requirement(line) for extra in extras for line in PROJECT["optional-dependencies"][extra]):
        if requirement.name == PROJECT["name"]:
            asked |= asked_by(*requirement.extras)
        else:
            asked[canonicalize_name(requirement.name)] = requirement.specifier
    return asked


def asked_always() -> dict[str, SpecifierSet]:
    """What the library asks for, and what builds and installs it."""
    builders = [
        line for line in (ROOT / "locks" / "setup.in").read_text(encoding="utf-8").splitlines() if line[0] != "#"
    ]
    return {canonicalize_name(r.name): r.specifier for r in map(Requirement, PROJECT["dependencies"] + builders)}


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_no_file_names_a_package_registry():
    assert lines_with(lambda line: any(host in line.lower() for host in REGISTRY_HOSTS)) == []


def test_no_file_holds_a_path_of_one_machine():
    here = [f"{folder}/" for folder in {ROOT, ROOT.parent, Path.home()} if len(folder.parts) > 1]
    assert lines_with(lambda line: HOME_PATH.search(line) or any(path in line for path in here)) == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_lock_holds_hashes_and_no_address(lock):
    text = re.sub(r"^\s*#.*\n?", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    entries = text.replace("\\\n", " ").splitlines()
    assert entries
    hashed = re.compile(r"[\w.-]+==[\w.!+-]+(?: *;[^\\]+?)?(?:\s+--hash=sha256:[0-9a-f]{64})+\s*")
    assert [entry[:100] for entry in entries if not hashed.fullmatch(entry)] == []
    assert "//" not in lock.read_text(encoding="utf-8")


@pytest.mark.parametrize("extras", ["demo", "dev", "charts sdmx spark"])
def test_lock_holds_what_the_project_asks_for(extras):
    held = requirements(ROOT / "locks" / f"{extras.split()[-1]}.txt")
    asked = asked_always() | asked_by(*extras.split())
    wanting = [f"{name}{limits}" for name, limits in asked.items() if not any(map(limits.contains, held.get(name, ())))]
    assert wanting == [], "run `make lock`"


def test_locks_agree_with_the_one_that_was_tested():
    tested = requirements(ROOT / "locks" / "dev.txt")
    for lock in LOCKS:
        assert {name: held for name, held in requirements(lock).items() if not held <= tested.get(name, set())} == {}


def test_the_demo_draws_no_spark():
    assert not {"pyspark", "py4j"} & requirements(ROOT / "locks" / "demo.txt").keys()


def test_every_dependency_has_its_row():
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = {canonicalize_name(name) for name in re.findall(r"^\| ([\w.-]+) \|", page, re.MULTILINE)} - {"package"}
    assert rows == (asked_always() | asked_by("dev")).keys()


def test_no_page_of_ours_loads_from_outside():
    pages = (".css", ".html", ".j2", ".jinja", ".js", ".py", ".svg")
    loading = lines_with(LOADED_FROM_OUTSIDE.search)
    assert [line for line in loading if line.split(":")[0].endswith(pages)] == []


def test_the_documentation_builds_and_loads_nothing_from_outside(tmp_path):
    built = tmp_path / "html"
    sphinx = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-d", tmp_path / "trees"]
    done = run(*sphinx, "docs", built)
    assert done.returncode == 0, done.stderr
    pages = [page for page in built.rglob("*") if page.suffix in {".html", ".css", ".js"}]
    assert built / "index.html" in pages
    loading = {
        page.name: found.group()
        for page in pages
        if (found := LOADED_FROM_OUTSIDE.search(page.read_text(encoding="utf-8")))
    }
    assert loading == {}


def test_the_licence_is_the_whole_apache_licence():
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License\n                           Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    assert PROJECT["license"] == "Apache-2.0"


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_readme_starts_with_its_two_commands(command):
    assert command in "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:20])


@pytest.mark.parametrize(("file", "line"), [("CHANGELOG.md", "## {} "), ("CITATION.cff", "version: {}\n")])
def test_the_version_is_told_everywhere(file, line):
    assert line.format(PROJECT["version"]) in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("script", [".ci/run", "scripts/environment", "scripts/lock", "scripts/system-packages"])
def test_scripts_can_be_run(script):
    assert os.access(ROOT / script, os.X_OK)
    assert run("bash", "-n", script).returncode == 0


def test_a_python_that_is_too_old_is_refused_with_a_remedy(tmp_path):
    (tmp_path / "scripts").mkdir()
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "demo.txt").touch()
    done = run(shutil.copy(ROOT / "scripts" / "environment", tmp_path / "scripts"), "demo", PYTHON="false")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "make PYTHON=" in done.stderr
    assert not (tmp_path / ".venv").exists()
