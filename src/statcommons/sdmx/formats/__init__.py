"""Data messages out: one table of the formats that there are, each with its media type and its writer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from statcommons.sdmx.formats.csv import write_csv_1, write_csv_2, write_csv_21
from statcommons.sdmx.formats.csvw import write_csvw
from statcommons.sdmx.formats.json import write_json_1, write_json_2, write_json_21
from statcommons.sdmx.formats.jsonstat import write_jsonstat
from statcommons.sdmx.formats.layout import Options
from statcommons.sdmx.formats.ml_generic import write_generic, write_generic_time_series
from statcommons.sdmx.formats.ml_specific import (
    write_specific_21,
    write_specific_30,
    write_specific_31,
    write_specific_time_series,
)
from statcommons.sdmx.formats.px import write_px
from statcommons.sdmx.formats.table import write_arrow, write_parquet
from statcommons.sdmx.formats.xlsx import write_xlsx
from statcommons.sdmx.message import DataSet, Header

__all__ = ["FORMATS", "Format", "Options", "Writer"]

Writer: TypeAlias = Callable[[Sequence[DataSet], Header, Options], Iterator[bytes]]
"""Makes the bytes of a message from data sets, header and options."""


@dataclass(frozen=True)
class Format:
    """A format of data messages.

    Parameters
    ----------
    name : str
        What we call it: the family and the version, such as ``csv-2.0``.
    media_type : str
        The media type without parameters.
    version : str
        The ``version`` parameter of the media type; empty where it has none.
    suffix : str
        What the name of a file ends in.
    write : Writer
        Makes the bytes of a message from data sets, header and options. A message that the format cannot hold is
        refused with :class:`~statcommons.core.errors.BadCall` before the first byte.
    options : frozenset of str
        The fields of :class:`Options` that it heeds.
    is_text : bool
        Whether it is text in UTF-8, which the media type then says.

    Examples
    --------
    >>> FORMATS["csv-2.0"].content_type
    'application/vnd.sdmx.data+csv; version=2.0.0; charset=utf-8'
    """

    name: str
    media_type: str
    version: str
    suffix: str
    write: Writer
    options: frozenset[str] = frozenset()
    is_text: bool = True

    @property
    def content_type(self) -> str:
        """The media type as Content-Type has it."""
        version = f"; version={self.version}" if self.version else ""
        return self.media_type + version + ("; charset=utf-8" if self.is_text else "")


CSV = frozenset({"languages", "labels", "time_format"})
NAMES = frozenset({"languages"})
SDMX = "application/vnd.sdmx."
OFFICE = "application/vnd.openxmlformats-officedocument."

FORMATS = {
    one.name: one
    for one in (
        Format("csv-1.0", f"{SDMX}data+csv", "1.0.0", "csv", write_csv_1, CSV),
        Format("csv-2.0", f"{SDMX}data+csv", "2.0.0", "csv", write_csv_2, CSV | {"keys"}),
        Format("csv-2.1", f"{SDMX}data+csv", "2.1.0", "csv", write_csv_21, CSV | {"keys"}),
        Format("generic-2.1", f"{SDMX}genericdata+xml", "2.1", "xml", write_generic),
        Format("generictimeseries-2.1", f"{SDMX}generictimeseriesdata+xml", "2.1", "xml", write_generic_time_series),
        Format("structurespecific-2.1", f"{SDMX}structurespecificdata+xml", "2.1", "xml", write_specific_21),
        Format(
            "structurespecifictimeseries-2.1",
            f"{SDMX}structurespecifictimeseriesdata+xml",
            "2.1",
            "xml",
            write_specific_time_series,
        ),
        Format("ml-3.0", f"{SDMX}data+xml", "3.0.0", "xml", write_specific_30),
        Format("ml-3.1", f"{SDMX}data+xml", "3.1.0", "xml", write_specific_31),
        Format("json-1.0", f"{SDMX}data+json", "1.0.0", "json", write_json_1, NAMES),
        Format("json-2.0", f"{SDMX}data+json", "2.0.0", "json", write_json_2, NAMES),
        Format("json-2.1", f"{SDMX}data+json", "2.1.0", "json", write_json_21, NAMES),
        Format("json-stat", "application/json", "", "json", write_jsonstat, NAMES),
        Format("parquet", "application/vnd.apache.parquet", "", "parquet", write_parquet, is_text=False),
        Format("arrow", "application/vnd.apache.arrow.stream", "", "arrows", write_arrow, is_text=False),
        Format("xlsx", f"{OFFICE}spreadsheetml.sheet", "", "xlsx", write_xlsx, NAMES, is_text=False),
        Format("px", "text/x-pcaxis", "", "px", write_px, NAMES),
        Format("csvw", "application/zip", "", "zip", write_csvw, NAMES, is_text=False),
    )
}
"""The formats by name. Where a reader asks for a media type without a version, the service chooses."""
