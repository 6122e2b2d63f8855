"""XML from outside, parsed so that it can do no harm: no DTD, no entities, no network."""

from __future__ import annotations

import functools
from xml.parsers import expat

from lxml import etree

from statcommons.core.errors import BadData

__all__ = ["parsed"]

PIECE = 1 << 12


def parsed(data: bytes, where: str) -> etree._Element:
    """Parse XML.

    Parameters
    ----------
    data : bytes
        The whole document. One nested deeper than 256 elements, or with a text above 10 MB, is refused.
    where : str
        What errors call it.

    Raises
    ------
    BadData
        When it is no XML, is cut off, or has a document type declaration; with the line.

    Examples
    --------
    >>> parsed(b"<a><b/></a>", "a.xml").tag
    'a'
    >>> parsed(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "a.xml")
    Traceback (most recent call last):
    statcommons.core.errors.BadData: a.xml, line 1: There is a document type declaration. SDMX has none: remove it.
    """
    _refuse_dtd(data, where)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise BadData(
            f"The XML cannot be read: {error.msg}.",
            where=f"{where}, line {error.lineno}" if error.lineno else where,
            remedy="Send the whole file again, as it was written.",
        ) from None


def local(element: etree._Element) -> str:
    """Give the name of an element without its namespace.

    Parameters
    ----------
    element : etree._Element
        An element.
    """
    return _local(element.tag)


@functools.lru_cache(1024)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


class _Prolog(Exception):
    """The first element was met: there is no more prolog to look at."""


def _refuse_dtd(data: bytes, where: str) -> None:
    """Refuse a document type declaration before libxml2 sees it, which replaces entities in attributes as it parses."""
    scanner = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise BadData(
            "There is a document type declaration.",
            where=f"{where}, line {scanner.CurrentLineNumber}",
            remedy="SDMX has none: remove it.",
        )

    def stop(*_: object) -> None:
        raise _Prolog

    scanner.StartDoctypeDeclHandler = refuse
    scanner.StartElementHandler = stop
    try:
        for start in range(0, len(data), PIECE):  # Expat goes on to the end of a piece
            scanner.Parse(data[start : start + PIECE], False)
    except (_Prolog, expat.ExpatError):  # what is no XML is told by who parses it
        pass
    except (LookupError, ValueError) as error:
        raise BadData(f"The XML cannot be read: {error}.", where=where, remedy="Write it in UTF-8.") from None
