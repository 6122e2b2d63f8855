"""Bad input through the command: exit code, a message on standard error, and nothing left, whatever stops it."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import tomli_w
from bad_input import HEADER, REFUSED, rows, text

SCRIPT = Path(sys.executable).with_name("statcommons")
RUN = ("run", "prices.unit_values")


@pytest.fixture
def start(tmp_path):
    """Start the command in a folder of its own, with a temporary folder of its own."""
    (tmp_path / "temporary").mkdir()
    (tmp_path / "runs").mkdir()
    environment = os.environ | {"TMPDIR": str(tmp_path / "temporary"), "HOME": str(tmp_path)}

    def begin(*words, before=()):
        return subprocess.Popen(
            [*map(str, before), SCRIPT, *map(str, words)],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin


@pytest.fixture
def command(start):
    """Run the command to its end and hold it to its exit code."""

    def run(*words, code=0, before=()):
        process = start(*words, before=before)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, f"{process.returncode}: {err}"
        assert "Traceback" not in err
        return out, err

    return run


def assert_nothing_left(folder: Path) -> None:
    """No run, no hidden folder beside its place, nothing in the temporary folder, and no workspace with a run."""
    assert list((folder / "runs").iterdir()) == []
    assert list((folder / "temporary").iterdir()) == []
    assert list(folder.glob("workspace/runs/*")) == []


COMMAND = [case for case in REFUSED if case.command]


@pytest.mark.parametrize("case", COMMAND, ids=lambda case: case.id)
def test_refused(case, command, tmp_path):
    made = case.make(tmp_path)
    words = [*RUN, "--out", tmp_path / "runs" / "out", "--transactions", *(made if isinstance(made, list) else [made])]
    if case.mapping:
        (tmp_path / "columns.toml").write_text(tomli_w.dumps(case.mapping))
        words += ["--map", f"transactions={tmp_path / 'columns.toml'}"]
    for name, value in case.parameters.items():
        words += [f"--{name}", value]
    out, err = command(*words, code=case.code)
    assert out == ""
    assert err.startswith("statcommons: ")
    for word in case.says:
        assert word in err
    assert_nothing_left(tmp_path)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("run", "prices.unit_value", "--transactions", "sales.csv"), 64, "Did you mean 'prices.unit_values'?"),
        ((*RUN, "--transaction", "sales.csv"), 64, "--transactions"),
        ((*RUN,), 64, "transactions is missing"),
        ((*RUN, "--transactions", "sales.csv", "--on-bad-rows", "ignore"), 64, "set_aside"),
        ((*RUN, "--transactions", "sales.csv", "--map", "sales.csv"), 64, "INPUT=FILE"),
        ((*RUN, "--transactions", "sales.csv", "--map", "transactions=sales.csv"), 64, "not TOML"),
        ((*RUN, "--transactions", "sales.csv", "--map", "transactions=none.toml"), 66, "no such mapping file"),
        ((*RUN, "--transactions", "sales.csv", "--memory", "much"), 64, "such as 2GB"),
        ((*RUN, "--transactions", "sales.csv", "--out", "sales.csv"), 64, "there already"),
        ((*RUN, "--transactions", "sales.csv", "--out", "sales.csv/out"), 64, "cannot be"),
        (("validate", "prices.unit_values.transactions", "none.csv"), 66, "no such file"),
    ],
    ids=lambda value: " ".join(value[2:]) or "no input" if isinstance(value, tuple) else "",
)
def test_calls_that_cannot_be(words, code, says, command, tmp_path):
    text(rows())(tmp_path)
    assert says in command(*words, code=code)[1]
    assert_nothing_left(tmp_path)


def test_errors_as_json_have_their_causes(command, tmp_path):
    text(rows("2026-01-09,b,-3.5,3"))(tmp_path)
    facts = json.loads(command(*RUN, "--transactions", "sales.csv", "--json", code=65)[1].splitlines()[-1])
    (cause,) = facts["causes"]
    assert (facts["error"], facts["exit_code"]) == ("BadRows", 65)
    assert cause["where"] == "sales.csv, row 4, column price"
    assert (cause["rows"], cause["value"]) == (1, "-3.5")


def test_set_aside_is_told_and_kept(command, tmp_path):
    text(rows("2026-01-09,b,-3.5,3"))(tmp_path)
    out, err = command(*RUN, "--transactions", "sales.csv", "--on-bad-rows", "set_aside", "--out", "runs/out")
    assert "Notice: sales.csv: 1 of 3 rows were set aside." in err
    aside = pq.read_table(tmp_path / out.strip() / "private" / "set_aside" / "transactions.parquet").to_pylist()
    assert [(one["row"], one["cause"]) for one in aside] == [(4, "price must be a number above 0")]
    assert list((tmp_path / "temporary").iterdir()) == []


def test_validate_refuses_the_same_and_leaves_nothing(command, tmp_path):
    text(rows("2026-01-09,b,-3.5,3"))(tmp_path)
    _, err = command("validate", "prices.unit_values.transactions", "sales.csv", code=65)
    assert "sales.csv, row 4, column price" in err
    assert_nothing_left(tmp_path)


def test_an_extra_that_is_missing_is_named(command, tmp_path, monkeypatch):
    """A module that cannot be imported stands in the way of the one that is installed."""
    (tmp_path / "hidden" / "pyspark").mkdir(parents=True)
    (tmp_path / "hidden" / "pyspark" / "__init__.py").write_text("raise ImportError('not here')")
    text(rows())(tmp_path)
    hidden = ["env", f"PYTHONPATH={tmp_path / 'hidden'}"]
    _, err = command(*RUN, "--transactions", "sales.csv", "--engine", "spark:local[1]", code=69, before=hidden)
    assert "pip install 'statcommons[spark]'" in err
    assert_nothing_left(tmp_path)


# --- rights ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def nobody(tmp_path):
    """Give the words that make the command run as nobody, who may read the program and write in a folder of his."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can become nobody, by setpriv")
    user = pwd.getpwnam("nobody")
    words = ["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
    for folder in (tmp_path, *tmp_path.parents):
        if folder.name.startswith(("pytest-", "popen-", "test_")):
            folder.chmod(0o755)
    for folder in ("runs", "temporary"):
        os.chown(tmp_path / folder, user.pw_uid, user.pw_gid)
    if subprocess.run([*words, SCRIPT, "--version"], capture_output=True, check=False).returncode:
        pytest.skip("nobody may not read the environment")
    return words


def test_a_file_that_may_not_be_read(start, command, nobody, tmp_path):
    text(rows())(tmp_path).chmod(0)
    words = (*RUN, "--transactions", tmp_path / "sales.csv", "--out", tmp_path / "runs" / "out")
    _, err = command(*words, code=77, before=nobody)
    assert "sales.csv: The file may not be read. Ask its owner" in err
    assert_nothing_left(tmp_path)


def test_a_folder_with_a_part_that_may_not_be_read(start, command, nobody, tmp_path):
    (tmp_path / "year" / "december").mkdir(parents=True, mode=0o755)
    text(rows())(tmp_path / "year")
    (tmp_path / "year" / "december").chmod(0)
    words = (*RUN, "--transactions", tmp_path / "year", "--out", tmp_path / "runs" / "out")
    _, err = command(*words, code=77, before=nobody)
    assert "december: The file may not be read" in err
    assert_nothing_left(tmp_path)


def test_a_folder_that_may_not_be_written(start, command, nobody, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o755)
    text(rows())(tmp_path)
    for out in ("closed/out", "closed/deeper/out"):
        words = (*RUN, "--transactions", tmp_path / "sales.csv", "--out", tmp_path / out)
        _, err = command(*words, code=77, before=nobody)
        assert "The folder may not be written. Choose another with --out." in err
    words = (*RUN, "--transactions", tmp_path / "sales.csv", "--workspace", tmp_path / "closed" / "work")
    assert "--workspace" in command(*words, code=77, before=nobody)[1]
    assert list((tmp_path / "closed").iterdir()) == []


def test_no_network_is_needed(start, command, tmp_path):
    alone = ["unshare", "--net"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no right to unshare the network")
    text(rows())(tmp_path)
    assert command(*RUN, "--transactions", "sales.csv", before=alone)[0]


# --- what stops a run -----------------------------------------------------------------------------------------------


@pytest.fixture
def long_run(start, tmp_path):
    """Start a run that lasts, and wait until it is in the middle of it."""
    path = tmp_path / "long.csv"
    path.write_text(HEADER + "".join(f"2026-01-05,p{n % 9973},2.5,1\n" for n in range(200_000)) * 8)
    process = start(*RUN, "--transactions", "long.csv", "--out", "runs/out", "--threads", "1")
    until = time.monotonic() + 60
    while not (logs := list((tmp_path / "runs").glob(".out.*.partial/private/log.txt"))):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    time.sleep(0.3)
    assert process.poll() is None
    assert logs
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_run_that_is_stopped_leaves_nothing(number, long_run, tmp_path):
    long_run.send_signal(number)
    _, err = long_run.communicate(timeout=60)
    assert long_run.returncode == 130
    assert err.splitlines()[-1] == "statcommons: Cancelled; nothing was written."
    assert_nothing_left(tmp_path)


def test_what_a_killed_run_leaves_is_swept_by_the_next(long_run, command, tmp_path):
    long_run.kill()
    long_run.communicate()
    left = [one.name for one in (tmp_path / "runs").iterdir()]
    assert len(left) == 1
    assert left[0].startswith(".out.")
    assert left[0].endswith(".partial")
    text(rows())(tmp_path)
    command(*RUN, "--transactions", "sales.csv", "--out", "runs/next")
    assert [one.name for one in (tmp_path / "runs").iterdir()] == ["next"]
    assert list((tmp_path / "temporary").iterdir()) == []


def test_of_two_runs_at_once_with_one_place_exactly_one_wins(start, tmp_path):
    text(rows())(tmp_path)
    both = [start(*RUN, "--transactions", "sales.csv", "--out", "runs/out") for _ in range(2)]
    said = [process.communicate(timeout=120)[1] for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes == [0, 64], said
    assert any("there already" in one for one in said)
    assert [one.name for one in (tmp_path / "runs").iterdir()] == ["out"]
    assert (tmp_path / "runs" / "out" / "report.html").exists()


def test_two_runs_at_once_in_one_workspace_do_not_meet(start, tmp_path):
    text(rows())(tmp_path)
    both = [start(*RUN, "--transactions", "sales.csv") for _ in range(2)]
    places = [process.communicate(timeout=120)[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert len(set(places)) == 2
    assert sorted(Path(one).name for one in places) == sorted(
        one.name for one in (tmp_path / "workspace" / "runs").iterdir()
    )
