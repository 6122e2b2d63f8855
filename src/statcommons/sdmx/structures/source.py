"""Where structure messages come from, and what is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from statcommons.core.errors import NoInput
from statcommons.core.quality import notice

__all__ = ["content", "tell_what_is_not_held"]


def content(source: bytes | Path | str) -> tuple[bytes, str]:
    """Give the bytes of a message, and what errors call it.

    Parameters
    ----------
    source : bytes or path
        The message itself, or its file.

    Raises
    ------
    NoInput
        When the file cannot be opened.

    Examples
    --------
    >>> content(b"<Structure/>")
    (b'<Structure/>', 'message')
    """
    if isinstance(source, bytes):
        return source, "message"
    try:
        return Path(source).read_bytes(), str(source)
    except OSError as error:
        raise NoInput(
            f"The file cannot be opened: {error.strerror}.", where=str(source), remedy="Check its name and place."
        ) from None


def tell_what_is_not_held(passed: Mapping[str, int], where: str) -> None:
    """Say what of a message was passed over.

    Parameters
    ----------
    passed : mapping of str to int
        What, and how often.
    where : str
        The message.

    Examples
    --------
    >>> from statcommons.core.quality import collecting
    >>> with collecting() as found:
    ...     tell_what_is_not_held({"MetadataStructure": 2}, "all.xml")
    >>> found.notices
    ['all.xml: passed over, because it is not held here: MetadataStructure (2).']
    """
    if passed:
        what = ", ".join(f"{name} ({count})" for name, count in passed.items())
        notice(f"{where}: passed over, because it is not held here: {what}.")
