"""JSON from outside, parsed so that it can do no harm, and its cells as columns of text."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from statcommons.core.errors import BadData, OurBug
from statcommons.sdmx.reading.gather import LANGUAGE
from statcommons.sdmx.reading.json_runs import taken_out
from statcommons.sdmx.reading.source import Source

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Parsed", "texts"]

REMEDY = "Get the file again, as it was written."


@dataclass(frozen=True)
class Parsed:
    """A message of JSON, and the runs of plain observations that were taken out of it."""

    message: Any
    runs: list[bytes]


def parsed_json(source: Source) -> Parsed:
    """Parse JSON.

    Parameters
    ----------
    source : Source
        The file; one nested deeper than 1,024 levels is refused.

    Raises
    ------
    BadData
        When it is no JSON, or is cut off; with the line.
    """
    import orjson

    data = source.path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", errors="replace").encode()
    rest, runs = taken_out(data)
    collecting = gc.isenabled()
    gc.disable()  # a million lists are no garbage, and looking through them takes longer than making them
    try:
        return Parsed(orjson.loads(rest), runs)
    except orjson.JSONDecodeError:
        error = _located(data)
        where = f"{source.name}, line {error.lineno:,}, column {error.colno:,}"
        raise BadData(f"The JSON cannot be read: {error.msg}.", where=where, remedy=REMEDY) from None
    finally:
        if collecting:
            gc.enable()


def _located(data: bytes) -> Any:
    """Parse a broken message as it stands, for the place of the fault."""
    import orjson

    try:
        orjson.loads(data)
    except orjson.JSONDecodeError as error:
        return error
    raise OurBug("A message of JSON cannot be read without its observations.")


def texts(cells: Sequence[Any]) -> pa.Array:
    """Make a column of text, of lists of text, or of text by language, from cells of JSON.

    Numbers are written in the shortest way that is read back as the same number.

    Parameters
    ----------
    cells : sequence
        Text, numbers, booleans, lists, objects by language, or None.

    Examples
    --------
    >>> texts([1.5, 2, None]).to_pylist(), texts([["a"], None]).to_pylist(), texts([{"en": "a"}]).to_pylist()
    (['1.5', '2', None], [['a'], None], [[('en', 'a')]])
    """
    import pyarrow as pa

    try:
        found = pa.array(cells)
        if not pa.types.is_nested(found.type):
            return found.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        pass
    lists = [None if cell is None else cell if isinstance(cell, list) else [cell] for cell in cells]
    spoken = any(isinstance(one, dict) for cell in lists for one in cell or ())
    one: Any = pa.map_(pa.string(), pa.string()) if spoken else pa.string()
    tell = _by_language if spoken else _text
    found = [cell and [tell(one) for one in cell if one is not None] for cell in lists]
    if any(isinstance(cell, list) for cell in cells):
        return pa.array(found, pa.list_(one))
    return pa.array([cell and cell[0] for cell in found], one)


def _by_language(cell: Any) -> list[tuple[str, Any]]:
    return list(cell.items()) if isinstance(cell, dict) else [(LANGUAGE, _text(cell))]


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return repr(cell) if isinstance(cell, float) else str(cell)
