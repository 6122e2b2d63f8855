"""The commands of a hub: made ready once and for all, and its first administrator."""

import importlib.util
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from statcommons.cli.main import cli
from statcommons.core import registry
from statcommons.core.errors import BadCall, ExtraMissing
from statcommons.hub.methods.models import StoredMethod
from statcommons.hub.methods.shelf import find, stock
from statcommons.hub.people.models import Person

SCRIPT = Path(sys.executable).with_name("statcommons")
PASSWORD = "a long and quiet evening"


def call(*words, **how):
    """Call a command; give what it writes, or raise as it does."""
    done = CliRunner().invoke(cli, [str(word) for word in words], **how)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_a_hub_is_made_ready_once_and_stays_as_it_is(hub):
    key = hub.path / "keys" / "secret"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_text(), set(StoredMethod.objects.values_list("pk"))
    assert len(before[0]) > 64
    assert "is ready" in call("init", "--workspace", hub.path)
    assert (key.read_text(), set(StoredMethod.objects.values_list("pk"))) == before


def test_the_shelf_has_what_is_installed_and_its_descriptions_are_whole(hub):
    assert set(StoredMethod.objects.values_list("method", flat=True)) == set(registry.methods())
    assert find("prices.unit_values").spec == registry.find_method("prices.unit_values").spec
    assert stock() == 0


def test_a_method_that_changed_is_stored_anew_and_one_that_is_gone_is_current_no_more(hub, monkeypatch):
    old = find("prices.unit_values")
    StoredMethod.objects.filter(pk=old.pk).update(code="other")
    assert stock() == 1
    new = find("prices.unit_values")
    assert new.pk != old.pk
    installed = registry.methods()
    installed.pop("prices.unit_values")
    monkeypatch.setattr(registry, "methods", lambda: installed)
    stock()
    with pytest.raises(BadCall, match="no method"):
        find("prices.unit_values")
    assert StoredMethod.objects.filter(method="prices.unit_values").count() == 2
    monkeypatch.undo()
    assert stock() == 1
    assert find("prices.unit_values") == new


def test_the_first_administrator(hub):
    words = ("createadmin", "amina@stat.example", "--workspace", hub.path)
    call(*words, "--password", PASSWORD)
    person = Person.objects.get()
    assert (person.email, person.is_superuser, person.check_password(PASSWORD)) == ("amina@stat.example", True, True)
    assert PASSWORD not in person.password
    with pytest.raises(BadCall, match=r"Amina@stat\.example is there already"):
        call("createadmin", "Amina@stat.example", "--workspace", hub.path, "--password", PASSWORD)


@pytest.mark.parametrize(
    ("email", "password"), [("amina", PASSWORD), ("a@stat.example", "12345"), ("b@stat.example", "password")]
)
def test_an_address_or_password_that_will_not_do_is_refused(hub, email, password):
    with pytest.raises(BadCall, match="Give an e-mail address and a long password"):
        call("createadmin", email, "--workspace", hub.path, "--password", password)
    assert not Person.objects.exists()


def test_a_workspace_that_may_not_be_written_is_told(tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    command = ["setpriv", "--reuid=65534", "--clear-groups", SCRIPT, "init", "--workspace", locked / "w"]
    for one in (tmp_path, *tmp_path.parents[:-2]):
        one.chmod(one.stat().st_mode | 0o055)
    done = subprocess.run(command, capture_output=True, text=True, cwd="/")
    assert done.returncode == 77, done.stderr
    assert "cannot be written" in done.stderr


def test_a_hub_of_a_database_that_does_not_answer_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("STATCOMMONS_DATABASE", "postgresql://hub@127.0.0.1:1/hub")
    done = subprocess.run([SCRIPT, "init", "--workspace", tmp_path / "w"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 75, done.stderr
    assert "The database does not answer" in done.stderr


def test_without_django_nothing_is_made_and_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ExtraMissing, match=r"needs Django.*statcommons\[hub\]"):
        call("init", "--workspace", tmp_path / "w")
    assert not (tmp_path / "w").exists()
