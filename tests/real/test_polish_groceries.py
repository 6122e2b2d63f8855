"""The openly licensed Polish scanner data: fetched when asked for, and verified by content in either form."""

from __future__ import annotations

import csv
import hashlib
import http.server
import json
import threading

import numpy as np
import pytest

from statcommons.core.errors import BadData
from statcommons.core.quality import Notice
from statcommons.prices import bilateral_index, data

NAME = "prices/polish_rice_sugar_milk.csv"


@pytest.fixture
def zenodo(shared, tmp_path, monkeypatch):
    """Serve the data as the archive does: a record that names a file with semicolons and decimal commas."""
    with shared(NAME).open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    for row in rows[1:]:
        row[1:3] = [cell.replace(".", ",") for cell in row[1:3]]
    with (tmp_path / "dataRSM.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    content = (tmp_path / "dataRSM.csv").read_bytes()

    class Archive(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            link = f"http://127.0.0.1:{server.server_port}/content"
            checksum = hashlib.md5(content, usedforsecurity=False).hexdigest()
            file = {"key": "dataRSM.csv", "checksum": f"md5:{checksum}", "links": {"self": link}}
            body = content if self.path == "/content" else json.dumps({"files": [file]}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Archive) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(data, "POLISH_RECORD", f"http://127.0.0.1:{server.server_port}/record")
        yield
        server.shutdown()


def test_it_is_fetched_and_is_the_data_described(zenodo):
    table = data.polish_groceries()
    assert table.num_rows == 8090
    assert table["product"].to_pylist()[0].isdigit()


def test_other_content_is_refused(shared, tmp_path):
    text = shared(NAME).read_text(encoding="utf-8").replace("3.05,243", "3.06,243", 1)
    (tmp_path / "changed.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadData, match="another version of the data"):
        data.polish_table(tmp_path / "changed.csv")


@pytest.mark.parametrize(
    ("formula", "expected"),
    [("fisher", 0.967521726773), ("tornqvist", 0.969065405143), ("jevons", 1.037873325101)],
)
@pytest.mark.filterwarnings(f"ignore::{Notice.__module__}.{Notice.__qualname__}")
def test_the_raw_indices_of_the_handbook_example(shared, formula, expected):
    """December 2024 to January 2026, by EAN, the faults of the delivery left in."""
    index = bilateral_index(data.polish_table(shared(NAME)), formula=formula).to_pyarrow()
    assert index["period"].to_pylist()[-1] == "2026-01"
    np.testing.assert_allclose(index["index"].to_pylist()[-1], expected, rtol=1e-11)
