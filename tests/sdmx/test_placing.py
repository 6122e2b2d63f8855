"""Files appear together or not at all, and who cannot have them is told by the names that he gave."""

import errno
from pathlib import Path

import pytest

from statcommons.core.errors import NotAllowed, TryAgain
from statcommons.sdmx.placing import together


def written(path: Path) -> None:
    """Write a file as most writers of ours do."""
    with together(path.parent) as folder:
        (folder / path.name).write_text("whole")


def test_a_place_is_told_as_it_was_given(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(NotAllowed) as told:
        written(tmp_path / "a.csv")
    assert told.value.where == str(tmp_path / "a.csv")


def test_a_folder_that_takes_nothing_is_told_as_it_was_given(tmp_path, monkeypatch):
    def closed(path, *_, exist_ok=False, **__):
        if not exist_ok:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", closed)
    with pytest.raises(NotAllowed) as told:
        written(tmp_path / "a.csv")
    assert told.value.where == str(tmp_path)


def test_a_name_that_cannot_be_is_told_as_it_was_given(tmp_path):
    name = "a" * 300
    with pytest.raises(OSError, match="name too long") as told:
        written(tmp_path / name)
    assert told.value.filename == str(tmp_path / name)


def test_what_a_library_says_without_a_number_stays_as_it_is(tmp_path):
    with pytest.raises(OSError, match=r"^The file is no Parquet file\.$"), together(tmp_path):
        raise OSError("The file is no Parquet file.")


def test_a_file_among_others_is_told_as_it_was_given(tmp_path, monkeypatch):
    def full(path, *_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(TryAgain) as told, together(tmp_path / "new") as folder:
        written(folder / "a.csv")
    assert told.value.where == str(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
