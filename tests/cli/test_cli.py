"""The command line as its users type it: names, last lines, exit codes, completion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = str(Path(sys.executable).with_name("statcommons"))


def command(*words, cwd=None, env=None, code=0):
    """Run the installed command and hold it to its exit code."""
    done = subprocess.run(
        [SCRIPT, *map(str, words)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == code, f"{done.returncode}: {done.stderr}"
    return done


@pytest.fixture
def sales(tmp_path):
    """Three months of a simulated market, in one file a month."""
    command("simulate", "prices.scanner_market", "--out", "all.csv", "--products", "8", "--months", "3", cwd=tmp_path)
    header, *rows = (tmp_path / "all.csv").read_text().splitlines()
    for month in ("2023-01", "2023-02", "2023-03"):
        mine = [row for row in rows if row.startswith(month)]
        (tmp_path / f"sales-{month}.csv").write_text("\n".join([header, *mine]) + "\n")
    return tmp_path


def test_help_names_every_command_and_exit_code():
    said = command("--help").stdout
    names = "methods describe run rerun report validate sources simulate demo doctor upgrade"
    codes = "0 done 1 a rerun 64 bad call 65 bad data 66 no input 69 extra 70 our bug 75 try again 77 not allowed 130"
    for name in [*names.split(), *codes.split()]:
        assert name in said


def test_help_shows_examples_a_line_each():
    lines = [line.strip() for line in command("--help").stdout.splitlines()]
    assert "statcommons methods prices                        find a method" in lines


def test_a_command_is_guessed_only_where_it_is_near():
    assert "Did you mean 'methods'?" in command("method", code=64).stderr
    far = command("list", code=64).stderr
    assert "Did you mean" not in far
    assert "Known: methods, describe," in far


def test_a_parameter_that_is_a_period_says_what_a_period_looks_like():
    refused = command("run", "prices.cpi", "--deliveries", "a", "--weights", "b", "--since", "hello", code=64).stderr
    assert "since is 'hello'. Give a period (2026, 2026-Q3, 2026-11, 2026-W47) or nothing." in refused


def test_methods_are_found_by_text():
    assert command("methods", "transitive").stdout.split()[:2] == ["prices.multilateral_index", "2.0.0"]
    found = json.loads(command("methods", "unit values from", "--json").stdout)
    assert [one["id"] for one in found] == ["prices.unit_values"]
    assert "No method mentions 'zebra'" in command("methods", "zebra", code=66).stderr


def test_describe_gives_each_form():
    page = command("describe", "prices.unit_values").stdout
    assert page.startswith("# Compute unit values from transactions\n")
    assert json.loads(command("describe", "prices.unit_values", "--json").stdout)["id"] == "prices.unit_values"
    assert json.loads(command("describe", "prices.unit_values", "--ogc").stdout)["version"] == "1.0.0"
    assert command("describe", "prices.unit_values", "--toml").stdout.startswith("format = 1\n")


def test_a_run_prints_its_folder_last_and_takes_many_files(sales):
    files = sorted(path.name for path in sales.glob("sales-*.csv"))
    words = ("run", "prices.multilateral_index", "--transactions", *files, "--window", "2", "--formula", "fisher")
    done = command(*words, "--out", "first", cwd=sales)
    assert done.stdout.splitlines() == [str(sales / "first")]
    repeated = [word for file in files for word in ("--transactions", file)]
    second = command(
        "run", "prices.multilateral_index", *repeated, "--window=2", "--formula=fisher", "--json", cwd=sales
    )
    facts = json.loads(second.stdout)
    assert facts["outputs"] == json.loads((sales / "first" / "run.json").read_text())["outputs"]
    assert Path(facts["path"]).parent == sales / "workspace" / "runs"
    assert command("report", "first", cwd=sales).stdout.strip() == "first/report.html"
    assert command("report", facts["id"], cwd=sales).stdout.strip().endswith("report.html")


def test_a_rerun_says_identical_or_by_how_much_and_exits_1(sales):
    command("run", "prices.unit_values", "--transactions", "all.csv", "--out", "first", cwd=sales)
    assert "result: identical" in command("rerun", "first", cwd=sales).stdout
    text = (sales / "all.csv").read_text().splitlines()
    text[5] = text[5].replace("2023", "2024", 1)
    (sales / "changed.csv").write_text("\n".join(text) + "\n")
    differs = command("rerun", "first", "--transactions", "changed.csv", cwd=sales, code=1)
    assert "The input transactions is not the one of the run." in differs.stderr
    assert "1 row new" in differs.stdout
    facts = json.loads(command("rerun", "first", "--transactions=changed.csv", "--json", cwd=sales, code=1).stdout)
    assert facts["same"] is False
    assert facts["outputs"]["result"]["added"] == 1
    assert "no option --sales" in command("rerun", "first", "--sales", "x", cwd=sales, code=64).stderr


def test_validate_names_an_input(sales):
    said = command("validate", "prices.unit_values.transactions", "all.csv", cwd=sales).stdout
    assert "no rule is broken" in said
    (sales / "bad.csv").write_text("time,product,price,quantity\n2026-01-05,a,-1,2\n")
    refused = command("validate", "prices.unit_values.transactions", "bad.csv", cwd=sales, code=65).stderr
    assert "bad.csv, row 2, column price: price must be a number above 0, got '-1'" in refused
    assert "names no input" in command("validate", "prices.unit_values", "bad.csv", cwd=sales, code=64).stderr


def test_a_mapping_file_names_columns(tmp_path):
    (tmp_path / "sklep.csv").write_text("data;towar;cena;ilosc\n05/01/2026;a;1,50;2\n")
    (tmp_path / "map.toml").write_text(
        '[columns]\ntime = "data"\nproduct = "towar"\nprice = "cena"\nquantity = "ilosc"\n[format]\ndate = "%d/%m/%Y"\n'
    )
    words = ("run", "prices.unit_values", "--transactions", "sklep.csv", "--map", "transactions=map.toml", "--out", "r")
    done = command(*words, cwd=tmp_path)
    assert "sklep.csv was read with cells parted by semicolon, decimal comma" in done.stderr
    assert "No command" not in done.stderr
    refused = command(*words[:4], "--map", "transactions", "--out", "s", cwd=tmp_path, code=64)
    assert "Give INPUT=FILE" in refused.stderr


def test_simulated_data_come_with_their_truth_and_the_seed_decides(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        words = ("--out", f"{name}.csv", "--seed", seed, "--products", "5", "--months", "2")
        command("simulate", "prices.scanner_market", *words, cwd=tmp_path)
    a, b, c = ((tmp_path / f"{name}.csv").read_bytes() for name in "abc")
    assert a == b != c
    assert (tmp_path / "_truth" / "a.truth.csv").read_text().startswith("period,index,continuing\n")
    (tmp_path / "deliveries").mkdir()
    words = ("--out", "deliveries/north.csv", "--products", "5", "--months", "2")
    command("simulate", "prices.scanner_market", *words, cwd=tmp_path)
    read = command("validate", "prices.unit_values.transactions", "deliveries", cwd=tmp_path)
    sold = (tmp_path / "deliveries" / "north.csv").read_text().count("\n") - 1
    assert f"transactions: {sold} rows, no rule is broken." in read.stdout
    refused = command("simulate", "prices.scanner_market", "--out", "x.csv", "--sigma", "1", cwd=tmp_path, code=64)
    assert "sigma is 1.0. Give a number above 0 other than 1." in refused.stderr
    assert (
        "no simulator" in command("simulate", "prices.complete_journey", "--out", "x.csv", cwd=tmp_path, code=64).stderr
    )


def test_sources_say_what_they_are(tmp_path):
    listed = command("sources").stdout
    assert "prices.complete_journey" in listed
    assert "prices.polish_groceries" in listed
    card = command("sources", "prices.complete_journey").stdout
    assert "for education and exploration only" in card


def test_progress_as_json_lines(sales):
    code = (
        "import time, sys; from statcommons.cli.show import shown; from statcommons.core.progress import step\n"
        "with shown(sys.argv[1]), step('Wait', total=4) as one:\n"
        "    [(time.sleep(0.5), one.advance()) for _ in range(4)]\n"
    )
    said = subprocess.run([sys.executable, "-c", code, "json"], capture_output=True, text=True, check=True).stderr
    lines = [json.loads(line) for line in said.splitlines()]
    assert lines[-1]["ended"]
    assert {"step", "done", "total", "seconds", "left"} <= set(lines[0])
    plain = subprocess.run([sys.executable, "-c", code, "plain"], capture_output=True, text=True, check=True).stderr
    assert plain.startswith("Wait … ")
    assert plain.rstrip().endswith(" s")
    assert "left" in plain


def test_doctor_and_upgrade(tmp_path):
    facts = json.loads(command("doctor", "--json", cwd=tmp_path).stdout)
    assert facts["engine"].endswith("works")
    assert "nothing to upgrade" in command("upgrade", cwd=tmp_path).stdout
    (tmp_path / "workspace").mkdir()
    assert "nothing to upgrade" in command("upgrade", cwd=tmp_path).stdout
    (tmp_path / "workspace" / "settings.toml").write_text("format = 99\n")
    assert "Upgrade statcommons" in command("upgrade", cwd=tmp_path, code=64).stderr


def test_the_shell_completes_commands_and_methods():
    env = {"_STATCOMMONS_COMPLETE": "bash_complete", "COMP_WORDS": "statcommons run prices.mu", "COMP_CWORD": "2"}
    assert command(env=env).stdout.split() == ["plain,prices.multilateral_index"]
    assert "statcommons" in command(env={"_STATCOMMONS_COMPLETE": "bash_source"}).stdout


def test_an_unexpected_fault_is_our_bug(tmp_path):
    code = (
        "import statcommons.cli.catalogue as c; c.registry.methods = lambda: 1 / 0\n"
        "from statcommons.cli.main import main; main(['methods'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert "ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr
