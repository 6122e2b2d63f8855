from __future__ import annotations

import gc
import gzip

import pytest

from statcommons.core.errors import BadData, NotAllowed, TryAgain
from statcommons.sdmx.reading import source as module
from statcommons.sdmx.reading.source import source_of


def test_a_temporary_copy_goes_with_its_last_reader(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"A,B\n1,2\n"))
    source = source_of(tmp_path / "a.csv.gz")
    assert source.name == "a.csv.gz"
    copy = source.path
    assert copy.read_bytes() == b"A,B\n1,2\n"
    del source
    gc.collect()
    assert not copy.exists()


def test_a_disk_that_is_full_may_have_room_later(monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.tempfile, "NamedTemporaryFile", full)
    with pytest.raises(TryAgain, match="No space left on device"):
        source_of(b"A,B")


def test_a_file_that_unfolds_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 1 << 20)
    with pytest.raises(BadData, match="unfolds without end"):
        source_of(gzip.compress(b"0" * (3 << 20)))


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def closed(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module.Path, "open", closed)
    with pytest.raises(NotAllowed, match="cannot be opened"):
        source_of(tmp_path / "a.csv")
