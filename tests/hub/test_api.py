"""Methods for programs: OGC API - Processes with a token, in bodies that hold in 1.0 and in the draft of 2.0."""

import csv
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from conftest import SHARED
from django.test import Client
from django.utils import timezone
from ogc_documents import DOCUMENTS, components
from openapi_schema_validator import OAS30Validator

from statcommons.core.errors import BadCall, NoInput
from statcommons.hub.audit.models import Entry
from statcommons.hub.methods.models import Job
from statcommons.hub.methods.worker import Worker
from statcommons.hub.people.models import Person, Token
from statcommons.hub.people.tokens import bearer, issue, revoke

SALES = "time,product,price,quantity\n2026-01-05,a,2.0,1\n2026-01-09,a,3.0,3\n"
RUN = "/processes/prices.unit_values/execution"
EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"


@pytest.fixture
def amina(hub):
    return Person.objects.create_user("amina@stat.example")


@pytest.fixture
def program(amina):
    """A client that shows a token of Amina's."""
    return with_token(issue(amina, "a program", ["run", "read"], 30)[1])


def with_token(text):
    return Client(headers={"authorization": f"Bearer {text}"})


def run(client, inputs, process="prices.unit_values"):
    body = {"inputs": inputs, "response": "document"}
    return client.post(f"/processes/{process}/execution", body, content_type="application/json")


# --- the line from a call to a result -------------------------------------------------------------------------------


def test_a_program_runs_a_method_and_gets_its_result(hub, program):
    made = run(program, {"transactions": {"value": SALES, "mediaType": "text/csv"}, "period": "month"})
    job = Job.objects.get()
    assert made.status_code == 201
    assert made.headers["Location"] == f"http://testserver/jobs/{job.pk}"
    assert made.json()["status"] == "accepted"
    early = program.get(f"/jobs/{job.pk}/results")
    assert (early.status_code, early.json()["type"]) == (404, f"{EXCEPTIONS}result-not-ready")
    assert Worker(hub).work()
    told = program.get(f"/jobs/{job.pk}").json()
    assert (told["status"], told["progress"], told["jobID"], told["id"]) == ("successful", 100, *[str(job.pk)] * 2)
    assert told["created"] <= told["started"] <= told["finished"]
    results = program.get(f"/jobs/{job.pk}/results").json()
    address = results["result"]["href"].removeprefix("http://testserver")
    answer = program.get(address, headers={"accept": "text/csv"})
    [row] = csv.DictReader(b"".join(answer.streaming_content).decode().splitlines())
    assert (row["product"], float(row["price"])) == ("a", 2.75)
    whole = b"".join(program.get(address).streaming_content)
    assert whole == next((hub.runs / Job.objects.get().run / "outputs").glob("result.parquet")).read_bytes()


def test_what_is_wrong_with_the_data_is_told(hub, program):
    run(program, {"transactions": "time,product,price,quantity\n2026-01-05,a,-2.0,1\n"})
    assert Worker(hub).work()
    job = Job.objects.get()
    told = program.get(f"/jobs/{job.pk}").json()
    assert told["status"] == "failed"
    assert "price" in json.dumps(job.error)
    answer = program.get(f"/jobs/{job.pk}/results")
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert answer.json()["title"] == told["message"] == job.error["what"]


def test_a_job_is_dismissed(hub, program):
    run(program, {"transactions": SALES})
    job = Job.objects.get()
    assert program.delete(f"/jobs/{job.pk}").json()["status"] == "dismissed"
    answer = program.get(f"/jobs/{job.pk}/results")
    assert (answer.status_code, answer.json()["detail"]) == (404, "It was dismissed.")


def test_lists_come_in_pages(hub, program):
    first = program.get("/processes?limit=2").json()
    assert len(first["processes"]) == 2
    [following] = [one["href"] for one in first["links"] if one["rel"] == "next"]
    second = program.get(following.removeprefix("http://testserver")).json()
    assert {one["id"] for one in first["processes"]} & {one["id"] for one in second["processes"]} == set()
    assert "prev" in [one["rel"] for one in second["links"]]
    for _ in range(3):
        run(program, {"transactions": SALES})
    jobs = program.get("/jobs?limit=2").json()
    assert [one["created"] for one in jobs["jobs"]] == sorted((one["created"] for one in jobs["jobs"]), reverse=True)
    assert len(program.get("/jobs?status=running,failed").json()["jobs"]) == 0
    assert len(program.get("/jobs?processID=prices.unit_values&status=accepted").json()["jobs"]) == 3


# --- who may --------------------------------------------------------------------------------------------------------


def test_nobody_runs_anything_without_a_token(amina, hub):
    client = Client()
    assert run(client, {"transactions": SALES}).status_code == 401
    client.force_login(amina, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = run(client, {"transactions": SALES})  # a page elsewhere could make a browser send this
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert not Job.objects.exists()
    assert client.get("/jobs").status_code == 200


def test_a_job_is_nobodys_but_its_owners(program, hub):
    run(program, {"transactions": SALES})
    job = Job.objects.get()
    other = with_token(issue(Person.objects.create_user("b@stat.example"), "x", ["run", "read"], 1)[1])
    for client in (other, Client()):
        for answer in (
            client.get(f"/jobs/{job.pk}"),
            client.get(f"/jobs/{job.pk}/results"),
            client.delete(f"/jobs/{job.pk}"),
        ):
            assert (answer.status_code, answer.json()["type"]) == (404, f"{EXCEPTIONS}no-such-job")
        assert client.get("/jobs").json()["jobs"] == []
    assert Job.objects.get().status == "accepted"


def test_a_token_is_good_for_what_it_says_and_no_longer(amina, hub):
    reading, text = issue(amina, "reads", ["read"], 1)
    client = with_token(text)
    assert client.get("/jobs").status_code == 200
    assert run(client, {"transactions": SALES}).status_code == 403
    assert client.delete(f"/jobs/{uuid4()}").status_code == 403
    assert with_token(issue(amina, "runs", ["run"], 1)[1]).get("/jobs").status_code == 403
    Token.objects.filter(pk=reading.pk).update(expires=timezone.now() - timedelta(seconds=1))
    assert client.get("/jobs").status_code == 401
    assert with_token("sc_" + "x" * 43).get("/jobs").status_code == 401


def test_a_token_is_kept_as_a_digest_and_taken_back(amina, hub):
    token, text = issue(amina, "a program", ["read"], 1)
    assert text not in json.dumps([str(value) for value in Token.objects.values().get().values()])
    assert bearer(text) == token
    assert Token.objects.get().used is not None
    with pytest.raises(NoInput, match="no such token"):
        revoke(Person.objects.create_user("b@stat.example"), token.pk)
    revoke(amina, token.pk)
    assert bearer(text) is None
    told = Entry.objects.filter(about=f"token:{token.pk}").values_list("what", flat=True)
    assert list(told) == ["token.issued", "token.revoked"]


def test_a_token_of_who_may_not_sign_in_any_more_is_good_for_nothing(amina, hub):
    _, text = issue(amina, "a program", ["read"], 1)
    Person.objects.update(is_active=False)
    assert bearer(text) is None


@pytest.mark.parametrize(
    ("name", "scopes", "days", "what"),
    [
        (" ", ["read"], 1, "has no name"),
        ("x", [], 1, "good for nothing"),
        ("x", ["read", "rule"], 1, "good for read, rule"),
        ("x", ["read"], 0, "0 days"),
        ("x", ["read"], 367, "367 days"),
    ],
)
def test_a_token_that_cannot_be_is_refused(amina, hub, name, scopes, days, what):
    with pytest.raises(BadCall, match=what):
        issue(amina, name, scopes, days)
    assert not Token.objects.exists()


def test_a_person_makes_and_takes_back_tokens_on_a_page(amina, hub):
    client = Client()
    client.force_login(amina, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.post("/en/me/tokens", {"name": "nightly", "scopes": ["read"], "days": "30"})
    [token] = Token.objects.all()
    assert "sc_" in page.content.decode()
    assert page.headers["Cache-Control"] == "no-store"
    assert "sc_" not in client.get("/en/me/tokens").content.decode()
    refused = client.post("/en/me/tokens", {"name": "kept", "scopes": ["read"], "days": "many"})
    assert (refused.status_code, 'value="kept"' in refused.content.decode()) == (422, True)
    assert Client().get("/en/me/tokens").status_code == 302
    assert client.post(f"/en/me/tokens/{token.pk}/revoke").status_code == 302
    assert not Token.objects.exists()
    assert client.post(f"/en/me/tokens/{token.pk}/revoke").status_code == 404


# --- what cannot be -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("{", "The body is not JSON"),
        ("[]", "The body is no request"),
        ('{"inputs": []}', "The body is no request"),
        ('{"inputs": {}}', "input transactions is missing"),
        ('{"inputs": {"transactions": "a", "perod": "month"}}', "no parameter 'perod'"),
        ('{"inputs": {"transactions": 5}}', "no table that is known"),
        ('{"inputs": {"transactions": {"value": "x", "mediaType": "image/png"}}}', "no table that is known"),
        ('{"inputs": {"transactions": {"href": "http://169.254.169.254/"}}}', "is at 'http://169.254"),
        ('{"inputs": {"transactions": {"href": "file:///etc/passwd"}}}', "is at 'file:"),
        ('{"inputs": {"transactions": "a", "period": "year"}}', "period is 'year'"),
    ],
)
def test_a_call_that_cannot_be_is_a_problem_in_words(program, hub, body, what):
    answer = program.post(RUN, body, content_type="application/json")
    told = answer.json()
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert what in told["title"]
    assert told["detail"]
    assert not Job.objects.exists()


def test_a_body_that_is_too_large_is_refused(program, hub):
    answer = program.post(RUN, "x" * 2_600_000, content_type="application/json")
    assert (answer.status_code, "2,500,000 are taken" in answer.content.decode()) == (413, True)


def test_what_is_not_there_has_the_name_that_the_standard_gives(program, hub):
    for method, address, name in (
        ("get", "/processes/nothing", "no-such-process"),
        ("post", "/processes/nothing/execution", "no-such-process"),
        ("get", f"/jobs/{uuid4()}", "no-such-job"),
        ("delete", f"/jobs/{uuid4()}", "no-such-job"),
        ("get", f"/jobs/{uuid4()}/results", "no-such-job"),
    ):
        answer = getattr(program, method)(address)
        assert (answer.status_code, answer.json()["type"]) == (404, EXCEPTIONS + name)


@pytest.mark.parametrize("asked", ["limit=0", "limit=x", "offset=-1", "limit=1e9"])
def test_a_page_that_cannot_be_is_refused(program, hub, asked):
    assert program.get(f"/processes?{asked}").status_code == 400


def test_another_verb_is_refused(program, hub):
    answer = program.put("/processes")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    assert program.head("/processes").status_code == 200


# --- the standard ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_body_holds_in_the_standard(hub, program, name):
    folder = SHARED / "hub" / "ogc"
    if not folder.is_dir():
        pytest.skip("the documents of the standard are not beside this checkout")
    known = components(folder, name)
    run(program, {"transactions": SALES})
    job = Job.objects.get()
    bodies = {
        "landingPage": program.get("/api"),
        "confClasses": program.get("/conformance"),
        "processList": program.get("/processes"),
        "process": program.get("/processes/prices.multilateral_index"),
        "statusInfo": program.get(f"/jobs/{job.pk}"),
        "jobList": program.get("/jobs"),
        "exception": program.get("/processes/nothing"),
    }
    told = {kind: answer for kind, answer in bodies.items() if kind in known["schemas"]}
    assert len(told) >= 6
    for kind, answer in told.items():
        schema = {"$ref": f"#/components/schemas/{kind}", "components": known}
        faults = [error.message[:200] for error in OAS30Validator(schema).iter_errors(answer.json())]
        assert (kind, faults) == (kind, [])
