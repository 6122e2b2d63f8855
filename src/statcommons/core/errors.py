"""Errors that say what was wrong, where, and what to do.

One family serves the library, the command line and the hub: each class carries the exit code of the command line
(after ``sysexits.h``) and the HTTP status of the service.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar

__all__ = [
    "BadCall",
    "BadData",
    "Cancelled",
    "Cause",
    "ExtraMissing",
    "NoInput",
    "NotAllowed",
    "OurBug",
    "StatCommonsError",
    "TryAgain",
    "counted",
    "nearest",
    "printable",
]

SHOWN = 20  # causes printed in a message; the rest is counted


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong with a table, and what to do about it.

    Parameters
    ----------
    rule : str
        The broken rule in words, such as ``price must be above 0``.
    rows : int
        How many rows break it.
    remedy : str
        What the reader can do.
    where : str
        File or input, with row and column of the first case where they are known.
    value : str, optional
        The first offending value. It is private: it is shown to the caller and never written into a report.

    Examples
    --------
    >>> print(Cause("price must be above 0", 2, "Mend the rows.", "sales.csv, row 4, column price", "-3"))
    sales.csv, row 4, column price: price must be above 0, got '-3' (2 rows). Mend the rows.
    """

    rule: str
    rows: int
    remedy: str
    where: str = ""
    value: str | None = None

    def __str__(self) -> str:
        place = f"{printable(self.where)}: " if self.where else ""
        value = f", got {self.value!r}" if self.value is not None else ""
        count = f" ({counted(self.rows, 'row')})" if self.rows else ""
        return f"{place}{self.rule}{value}{count}. {self.remedy}"


class StatCommonsError(Exception):
    """Base of all errors that a user can meet.

    Parameters
    ----------
    what : str
        What is wrong, with the value, as one sentence.
    remedy : str
        What to do.
    where : str
        File, row, column, method or parameter.

    Examples
    --------
    >>> print(BadCall("window is 1.", remedy="Give a whole number from 2 to 121.", where="prices.multilateral_index"))
    prices.multilateral_index: window is 1. Give a whole number from 2 to 121.
    """

    exit_code: ClassVar[int] = 70
    status: ClassVar[int] = 500

    def __init__(self, what: str, *, remedy: str = "", where: str = "") -> None:
        self.what, self.remedy, self.where = what, remedy, where
        super().__init__(what, remedy, where)

    def __str__(self) -> str:
        return " ".join(
            part for part in (f"{printable(self.where)}:" if self.where else "", self.what, self.remedy) if part
        )

    def __reduce__(self) -> tuple[Any, ...]:  # crosses Spark's worker processes
        return _rebuild, (type(self), self.__dict__.copy())

    def as_dict(self) -> dict[str, Any]:
        """Give the error as plain data, as ``--json`` and the service write it.

        Examples
        --------
        >>> BadCall("No method 'x'.").as_dict()["exit_code"]
        64
        """
        return {
            "error": type(self).__name__,
            "exit_code": self.exit_code,
            "what": self.what,
            "where": self.where,
            "remedy": self.remedy,
        }


def _rebuild(cls: type[StatCommonsError], state: dict[str, Any]) -> StatCommonsError:
    error = cls.__new__(cls)
    error.__dict__.update(state)
    return error


class BadCall(StatCommonsError):
    """A method, parameter, option or combination that cannot be."""

    exit_code, status = 64, 400


class BadData(StatCommonsError):
    """Data that break the schema or that a method cannot use; lists every cause."""

    exit_code, status = 65, 422

    def __init__(self, what: str, *, remedy: str = "", where: str = "", causes: Sequence[Cause] = ()) -> None:
        super().__init__(what, remedy=remedy, where=where)
        self.causes = tuple(causes)

    def __str__(self) -> str:
        lines = [super().__str__(), *(f"  - {cause}" for cause in self.causes[:SHOWN])]
        if len(self.causes) > SHOWN:
            lines.append(f"  … and {len(self.causes) - SHOWN} more causes")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Add the causes to the plain data."""
        causes = [{name: getattr(cause, name) for name in Cause.__slots__} for cause in self.causes]
        return super().as_dict() | {"causes": causes}


class NoInput(StatCommonsError):
    """A file that is missing or cannot be opened, or a folder with nothing to read in it."""

    exit_code, status = 66, 404


class ExtraMissing(StatCommonsError):
    """An optional part that is not installed."""

    exit_code, status = 69, 501

    def __init__(self, what: str, *, extra: str) -> None:
        super().__init__(what, remedy=f"Install it: pip install 'statcommons[{extra}]'.")


class OurBug(StatCommonsError):
    """A promise of ours that does not hold, such as a method's output that breaks its own schema."""


class TryAgain(StatCommonsError):
    """Something that may go better later: a full disk, a file that changed while it was read."""

    exit_code, status = 75, 503


class NotAllowed(StatCommonsError):
    """Something that the caller has no right to read or write."""

    exit_code, status = 77, 403


class Cancelled(StatCommonsError):
    """The caller stopped the work; nothing is left of it."""

    exit_code, status = 130, 409

    def __init__(self, what: str = "Cancelled; nothing was written.") -> None:
        super().__init__(what)


def printable(text: str) -> str:
    r"""Write signs that would move the cursor as Python writes them: a file may have any name.

    Parameters
    ----------
    text : str
        A name or a value that a user gave.

    Examples
    --------
    >>> print(printable("new\nline.csv"))
    new\nline.csv
    """
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def counted(number: int, noun: str) -> str:
    """Write how many there are, in the words that errors and notices use.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        What, in the singular; its plural ends in s.

    Examples
    --------
    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def nearest(name: str, choices: Sequence[str], *, likeness: float = 0.5) -> str:
    """Name the nearest of several choices, as the sentence that an error adds.

    Parameters
    ----------
    name : str
        What was given.
    choices : sequence of str
        What is known.
    likeness : float
        How like the name a choice must be to be guessed, from 0 to 1.

    Examples
    --------
    >>> nearest("prise", ["price", "quantity"])
    "Did you mean 'price'? Known: price, quantity."
    """
    by_lower = {choice.lower(): choice for choice in reversed(choices)}
    close = [by_lower[one] for one in get_close_matches(name.lower(), by_lower, n=1, cutoff=likeness)]
    guess = f"Did you mean {close[0]!r}? " if close else ""
    if close and len(choices) > 8:  # a long list would hide the guess
        return guess.strip()
    known = ", ".join(choices[:30]) + (f" and {len(choices) - 30} more" if len(choices) > 30 else "")
    return f"{guess}Known: {known}." if choices else f"{guess}None is known."
