"""The server and its adapter: what goes over real HTTP, and how it starts and stops."""

from __future__ import annotations

import contextlib
import http.client
import io
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import sdmx_answers
from sdmx_stores import load, opened, row

from statcommons.core.errors import BadCall, NoInput
from statcommons.sdmx.service.serve import serve
from statcommons.sdmx.service.wsgi import application, request_of

V1 = "/sdmx/v1/data/DF_X"
FORMATS = ("csv", "genericdata", "structurespecificdata", "xmldata")
CSV = {"Accept": "application/vnd.sdmx.data+csv;version=1.0.0"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a store of three observations, and one of many."""
    store = opened(tmp_path_factory.mktemp("serve") / "store")
    rows = [row(f"A{number:05}", str(year), float(year)) for number in range(2_000) for year in range(1971, 2021)]
    load(store, [row("KH", "2020", 1.5), row("KH", "2021", 2.5), row("TH", "2021", 3.5), *rows])
    return store.path


@pytest.fixture(scope="module")
def address(place):
    with sdmx_answers.running(place) as address:
        yield address


def ask(address, path, method="GET", headers=CSV, body=None):
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer, answer.read()


def test_an_address_arrives_as_it_was_sent(address):
    assert len(ask(address, f"{V1}/A.KH+TH")[1].splitlines()) == 4
    assert len(ask(address, f"{V1}/A.KH%2BTH")[1].splitlines()) == 4
    assert len(ask(address, f"{V1}/A.KH?c[TIME_PERIOD]=ge:2020+le:2020")[1].splitlines()) == 2


def test_a_long_answer_is_streamed(address):
    answer, body = ask(address, V1)
    assert answer.getheader("Transfer-Encoding") == "chunked"
    assert len(body.splitlines()) == 100_004


def test_head_sends_no_body(address):
    answer, body = ask(address, V1, "HEAD")
    assert (answer.status, body) == (200, b"")
    assert answer.getheader("ETag") == ask(address, V1)[0].getheader("ETag")


def test_nothing_to_say_keeps_the_connection(address):
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    for wanted in (204, 304, 200):
        tag = {"If-None-Match": "*"} if wanted == 304 else {}
        key = "ZZ" if wanted == 204 else "KH"
        connection.request("GET", f"/sdmx/v2/data/dataflow/SC/DF_X/1.0/A.{key}", headers=CSV | tag)
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (wanted, wanted == 200)


def test_forms_and_what_is_too_large(address):
    form = CSV | {"Content-Type": "application/x-www-form-urlencoded"}
    assert len(ask(address, V1, "POST", form, "key=A.KH+TH")[1].splitlines()) == 4
    with socket.create_connection(urlsplit(address).netloc.split(":"), timeout=30) as connection:
        connection.sendall(f"POST {V1} HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\nkey=".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413")
    assert ask(address, f"{V1}?{'x' * 9000}")[0].status == 414
    assert ask(address, f"{V1}?{'x' * 7990}")[0].status == 414


def test_many_at_a_time_get_each_their_own(address):
    def count(number):
        query = f"{V1}/A.A{number:05}?startPeriod={1971 + number % 40}&format={FORMATS[number % 4]}"
        _, body = ask(address, query, headers={})
        return body.count(b"OBS_VALUE=") or body.count(b"<generic:ObsValue") or body.count(f"A{number:05},".encode())

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(count, range(160)))
    assert found == [50 - number % 40 for number in range(160)]


def test_old_clients_get_no_chunks(address):
    with socket.create_connection(urlsplit(address).netloc.split(":"), timeout=30) as connection:
        connection.sendall(f"GET {V1}/A.KH?format=csv HTTP/1.0\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert len(body.splitlines()) == 3


def test_a_stop_waits_for_the_answers_under_way(place):
    with sdmx_answers.started(place) as (process, address):
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        connection.request("GET", V1, headers=CSV)
        answer = connection.getresponse()
        first = answer.read(100)
        process.send_signal(signal.SIGTERM)
        assert len((first + answer.read()).splitlines()) == 100_004
        assert process.wait(30) == 0


STALLING = """
import sys
from statcommons.sdmx.service import serve
serve.STALLED = 1
serve.serve(sys.argv[1], port=0, processes=1, threads=2)
"""


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="This system has no such limit")
def test_who_takes_nothing_of_an_answer_keeps_nobody_waiting_for_ever(place, monkeypatch):
    monkeypatch.setattr(sdmx_answers, "SERVE", STALLING)
    with sdmx_answers.running(place) as address, contextlib.ExitStack() as stack:
        for _ in range(2):
            reader = stack.enter_context(socket.socket())
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            reader.connect(("127.0.0.1", urlsplit(address).port))
            reader.sendall(f"GET {V1} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert ask(address, f"{V1}/A.KH")[0].status == 200


def test_what_cannot_be_served(tmp_path, place):
    with pytest.raises(NoInput, match="no store"):
        serve(tmp_path / "none")
    with pytest.raises(BadCall, match="no port"):
        serve(place, port=70_000)


def test_a_port_that_is_taken(place, address):
    port = urlsplit(address).port
    code = f"from statcommons.sdmx.service.serve import serve; serve({str(place)!r}, port={port}, processes=1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "BadCall" in done.stderr
    assert "another port" in done.stderr


def test_any_server_of_wsgi_will_do(place):
    from statcommons.sdmx.store import Store

    said = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": f"{V1}/A.KH",
        "QUERY_STRING": "lastNObservations=1",
        "HTTP_ACCEPT": CSV["Accept"],
        "wsgi.input": io.BytesIO(),
    }
    body = application(Store(place))(environ, lambda status, headers: said.append((status, dict(headers))))
    assert len(b"".join(body).splitlines()) == 2
    assert said[0][0] == "200 OK"


@pytest.mark.parametrize(
    ("environ", "path", "query"),
    [
        ({"RAW_URI": "/a%2Cb?c=1+2"}, "/a%2Cb", "c=1+2"),
        ({"REQUEST_URI": "/a%2Cb?c=1+2#x"}, "/a%2Cb", "c=1+2"),
        ({"RAW_URI": "https://host:1/a?b"}, "/a", "b"),
        ({"RAW_URI": "/mount/sdmx/v1", "SCRIPT_NAME": "/mount"}, "/sdmx/v1", ""),
        ({"PATH_INFO": "/é".encode().decode("latin-1"), "QUERY_STRING": "c=1+2"}, "/%C3%A9", "c=1+2"),
    ],
)
def test_the_address_of_a_request(environ, path, query):
    made = request_of({"REQUEST_METHOD": "GET"} | environ)
    assert (made.path, made.query) == (path, query)
