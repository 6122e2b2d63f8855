"""The pages: who may see what, a form that keeps what was typed, and nothing that a stranger can bring to run."""

import gzip
import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.urls import get_resolver

from statcommons.hub.methods.models import Job
from statcommons.hub.methods.queue import submit
from statcommons.hub.methods.shelf import find
from statcommons.hub.methods.worker import Worker
from statcommons.hub.people.models import Person

SALES = b"time,product,price,quantity\n2026-01-05,a,2.0,1\n2026-01-09,a,3.0,3\n"
METHOD = "/en/methods/hub/prices.unit_values"
INDEX = "/en/methods/hub/prices.multilateral_index"


def person(email, **facts):
    return Person.objects.create_user(email, "a long and quiet evening", **facts)


@pytest.fixture
def amina(hub):
    return person("amina@stat.example")


def signed_in(one, **how):
    client = Client(**how)
    client.force_login(one, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def sales(name="sales.csv", content=SALES):
    return SimpleUploadedFile(name, content, "text/csv")


def asked(client, address=METHOD, **typed):
    return client.post(address, {"input_transactions": sales(), **typed})


@pytest.fixture
def ran(hub, amina):
    """A run of Amina's that has ended well."""
    asked(signed_in(amina))
    assert Worker(hub).work()
    return Job.objects.get()


# --- who may see what -----------------------------------------------------------------------------------------------

# Every address by its name: what comes for a stranger, for another person, for the owner, for an administrator.
RIGHTS = {
    "home": (200, 200, 200, 200),
    "methods": (200, 200, 200, 200),
    "method": (200, 200, 200, 200),
    "runs": (302, 200, 200, 200),
    "run": (302, 404, 200, 200),
    "run-state": (302, 404, 200, 200),
    "run-cancel": (302, 404, 302, 302),
    "run-report": (302, 404, 200, 200),
    "run-file": (302, 404, 200, 200),
    "tokens": (302, 200, 200, 200),
    "api": (200, 200, 200, 200),
    "conformance": (200, 200, 200, 200),
    "processes": (200, 200, 200, 200),
    "process": (200, 200, 200, 200),
    "execution": (401, 401, 401, 401),
    "jobs": (200, 200, 200, 200),
    "job": (404, 404, 200, 200),
    "results": (404, 404, 200, 200),
    "output": (404, 404, 200, 200),
    "token-revoke": (302, 404, 404, 404),
}


def address(name, job):
    words = {
        "method": "methods/hub/prices.unit_values",
        "run": f"runs/{job.pk}",
        "run-state": f"runs/{job.pk}/state",
        "run-cancel": f"runs/{job.pk}/cancel",
        "run-report": f"runs/{job.pk}/report.html",
        "run-file": f"runs/{job.pk}/files/outputs/result.parquet",
        "home": "",
        "tokens": "me/tokens",
        "token-revoke": "me/tokens/1/revoke",
    }
    bare = {
        "process": "processes/prices.unit_values",
        "execution": "processes/prices.unit_values/execution",
        "job": f"jobs/{job.pk}",
        "results": f"jobs/{job.pk}/results",
        "output": f"jobs/{job.pk}/results/result",
    }
    if name in (*bare, "api", "conformance", "processes", "jobs"):
        return f"/{bare.get(name, name)}"
    return f"/en/{words.get(name, name)}"


def test_every_address_answers_each_person_as_it_must(ran, amina):
    people = [
        Client(),
        signed_in(person("other@stat.example")),
        signed_in(amina),
        signed_in(person("admin@stat.example", is_superuser=True)),
    ]
    for name, wanted in RIGHTS.items():
        ask = Client.post if name in ("run-cancel", "execution", "token-revoke") else Client.get
        answers = [ask(one, address(name, ran)) for one in people]
        assert (name, [one.status_code for one in answers]) == (name, list(wanted))
        for one in answers:
            one.close()


def test_no_address_is_without_its_rights():
    from statcommons.hub.urls import urlpatterns

    assert urlpatterns
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    ours = {name for name in names if not name.startswith(("account_", "mfa_", "usersessions_", "socialaccount_"))}
    assert ours == set(RIGHTS)


def test_who_is_not_signed_in_is_asked_to_and_comes_back(ran):
    answer = Client().get("/en/runs")
    assert answer.headers["Location"] == "/en/me/login/?next=/en/runs"


@pytest.mark.parametrize("file", ["private/log.txt", "../../keys/secret", "outputs/../private/log.txt", "outputs", ""])
def test_nothing_private_leaves_a_run(ran, amina, file):
    assert signed_in(amina).get(f"/en/runs/{ran.pk}/files/{file}").status_code == 404


def test_a_file_and_a_report_are_given_as_they_are(ran, amina, hub):
    client = signed_in(amina)
    answer = client.get(f"/en/runs/{ran.pk}/files/outputs/result.parquet")
    assert b"".join(answer.streaming_content) == (hub.runs / ran.run / "outputs" / "result.parquet").read_bytes()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="result.parquet"'
    answer = client.get(f"/en/runs/{ran.pk}/report.html")
    assert b"".join(answer.streaming_content).startswith(b"<!doctype html>")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "script-src" not in answer.headers["Content-Security-Policy"]


# --- the form -------------------------------------------------------------------------------------------------------


def test_a_form_becomes_a_job_and_its_file_is_kept(amina, hub):
    answer = asked(signed_in(amina), parameter_period="week")
    job = Job.objects.get()
    assert answer.headers["Location"] == f"/en/runs/{job.pk}"
    assert (job.owner, job.parameters) == (amina, {"period": "week", "by": "total"})
    [file] = job.inputs["transactions"]
    assert file.startswith(f"{hub.path.absolute()}/files/")
    assert Path(file).read_bytes() == SALES


@pytest.mark.parametrize("typed", ["13", "١٣", " 13 "])
def test_a_number_may_be_typed_in_arabic_digits(amina, typed):
    asked(signed_in(amina), INDEX, parameter_window=typed)
    assert Job.objects.get().parameters["window"] == 13


def test_what_is_wrong_stands_at_its_field_and_what_was_typed_is_kept(amina):
    answer = signed_in(amina).post(INDEX, {"parameter_window": "1", "parameter_splice": "half"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "window is 1. Give a whole number from" in page
    assert "Choose a file." in page
    assert re.search(r'name="parameter_window" value="1"[^>]*aria-invalid="true"', page)
    assert "<option selected>half</option>" in page
    assert "2 answers need a change." in page
    assert not Job.objects.exists()


def test_a_stranger_cannot_run_anything(hub):
    assert asked(Client()).headers["Location"].startswith("/en/me/login/")
    assert not Job.objects.exists()
    assert not (hub.path / "files").exists()


def test_a_form_of_another_site_is_refused(amina):
    assert asked(signed_in(amina, enforce_csrf_checks=True)).status_code == 403
    assert not Job.objects.exists()


def test_a_stranger_may_bring_little(amina, hub):
    large = SALES + b"2026-01-05,a,2.0,1\n" * 150_000
    answer = Client().post(METHOD, {"input_transactions": sales(content=large)})
    assert (answer.status_code, b"2,500,000 are taken" in answer.content) == (413, True)
    assert signed_in(amina).post(METHOD, {"input_transactions": sales(content=large)}).status_code == 302
    with override_settings(UPLOAD_MOST=1_000):
        assert signed_in(amina).post(METHOD, {"input_transactions": sales(content=large)}).status_code == 413
    assert len(list((hub.path / "files").iterdir())) == 1


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "a\\b.csv", ".hidden.csv", "<script>.csv", "x" * 300 + ".csv", "ملف.csv"]
)
def test_the_name_of_a_file_leads_nowhere_else(amina, hub, name):
    signed_in(amina).post(METHOD, {"input_transactions": sales(name)})
    [folder] = (hub.path / "files").iterdir()
    [file] = folder.iterdir()
    assert file.read_bytes() == SALES
    assert not file.name.startswith(".")
    assert not set(file.name) & set("/\\<>")


def test_what_a_stranger_brings_is_text_on_a_page(amina, hub):
    evil = "<script>alert(1)</script>"
    amina.name = evil
    amina.save()
    job = submit(find("prices.unit_values"), {"transactions": ["x.csv"]}, {}, owner=amina)
    Job.objects.filter(pk=job.pk).update(status="failed", error={"what": evil, "where": evil, "remedy": evil})
    for page in ("/en/", "/en/runs", f"/en/runs/{job.pk}"):
        text = signed_in(amina).get(page).content.decode()
        assert evil not in text
        assert "&lt;script&gt;" in text


# --- every page -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("accept", "to"), [("ar", "ar"), ("fr-CA,en;q=0.5", "fr"), ("zh-CN", "zh-hans"), ("de", "en")])
def test_the_first_page_is_in_the_language_of_the_reader(hub, accept, to):
    answer = Client().get("/", headers={"accept-language": accept})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/{to}/")


def test_a_page_says_its_language_and_direction(hub):
    page = Client().get("/ar/methods").content.decode()
    assert '<html lang="ar" dir="rtl">' in page
    assert 'hreflang="zh-Hans" href="/zh-hans/methods"' in page
    assert '<html lang="zh-Hans" dir="ltr">' in Client().get("/zh-hans/methods").content.decode()


def test_pages_are_light_and_load_nothing_from_elsewhere(ran, amina):
    client = signed_in(amina)
    for name in ("home", "methods", "method", "runs", "run"):
        answer = client.get(address(name, ran))
        page = answer.content.decode()
        assert len(gzip.compress(answer.content)) < 12_000
        assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []
        assert "style=" not in page
        assert "<script" not in page
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_that_is_not_there_helps_on(hub):
    answer = Client().get("/en/methods/hub/prices.nothing")
    assert answer.status_code == 404
    assert 'href="/en/methods"' in answer.content.decode()
    assert Client().get("/en/methods/other/prices.unit_values").status_code == 404
