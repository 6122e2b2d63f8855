"""Package sizes read from product names, and products whose package shrinks while its price does not."""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from statcommons.core.engine import current
from statcommons.core.errors import BadData
from statcommons.core.method import method
from statcommons.core.quality import measure
from statcommons.core.schema import Attribute, Concept, Dimension, Gt, Measure, Period, Schema, Table, Time, Unit
from statcommons.prices.clean.rows import as_table
from statcommons.prices.data import Transactions
from statcommons.prices.unit_values import By, aggregated
from statcommons.toolbox.periods import Frequency

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Size", "SizeChanges", "normalised", "parse_size", "shrinkflation", "sizes", "spelled", "without_size"]

UNITS: dict[str, tuple[str, str]] = {
    "mg": ("g", "0.001"),
    "g": ("g", "1"),
    "gr": ("g", "1"),
    "gram": ("g", "1"),
    "dag": ("g", "10"),
    "dkg": ("g", "10"),
    "kg": ("g", "1000"),
    "oz": ("g", "28.349523125"),
    "lb": ("g", "453.59237"),
    "lbs": ("g", "453.59237"),
    "fl oz": ("ml", "29.5735295625"),
    "ml": ("ml", "1"),
    "cl": ("ml", "10"),
    "dl": ("ml", "100"),
    "l": ("ml", "1000"),
    "lt": ("ml", "1000"),
    "ltr": ("ml", "1000"),
    "litr": ("ml", "1000"),
    "litre": ("ml", "1000"),
    "liter": ("ml", "1000"),
    "szt": ("piece", "1"),
    "sztuk": ("piece", "1"),
    "pc": ("piece", "1"),
    "pcs": ("piece", "1"),
    "piece": ("piece", "1"),
    "pieces": ("piece", "1"),
    "st": ("piece", "1"),
    "stk": ("piece", "1"),
    "ct": ("piece", "1"),
}
"""What stands for a unit in a name: the unit that is counted in, and how many of it; ``fl oz`` is that of the US."""

# A number ("3,2%0,5l" is 3.2 % and half a litre; "1/2l" is left alone), its unit, and how many of it there are, before
# ("4x100g") or after ("1lx12", "0.2lx12szt"). A unit ends where no letter follows, save a word of packing ("1lpet").
TIMES = r"\s?[x×*]\s?"
SIZE = re.compile(
    rf"(?<![^\W_])(?<!\d[.,/])(?P<before>(?:\d+{TIMES})*)(?P<amount>\d+(?:[.,]\d+)?)\s?(?P<unit>{'|'.join(UNITS)})"
    rf"(?P<after>(?:{TIMES}\d+)*)(?:\s?szt\b)?(?:(?![^\W_])|(?=pet|kar|but|fol|pusz))\.?"
)
PER_CENT = re.compile(r"(\d+)(?:[.,](\d+))?\s?%")


class Size(NamedTuple):
    """What a package holds.

    Parameters
    ----------
    amount : float
        In `unit`, above 0.
    unit : {"g", "ml", "piece"}
        Grams, millilitres or pieces.
    """

    amount: float
    unit: str


def normalised(text: str) -> str:
    """Write a name in one way: composed letters, lower case, one space between words.

    Parameters
    ----------
    text : str
        A name as a retailer writes it.

    Examples
    --------
    >>> normalised("  Ry\u007a\u0307  Bia\u0142y ")
    'ryż biały'
    """
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def parse_size(text: str) -> Size | None:
    """Read how much a package holds from the name of the product.

    Parameters
    ----------
    text : str
        A name, such as ``rice 4x100g`` or ``milk 0,75l``; a comma or a point before decimals, none for thousands.

    Returns
    -------
    Size or None
        In grams, millilitres or pieces. Pieces count only where neither mass nor volume stands ("100 g, 4 pcs" is
        100 g). None where no size stands, or several that differ: then nobody can know which is meant.

    References
    ----------
    UN Task Team on Scanner Data, e-handbook, product definition: quantities in a common unit of measure.

    Examples
    --------
    >>> parse_size("ryż biały 4x100g"), parse_size("drink 0,75l 3% corma"), parse_size("cukier biały")
    (Size(amount=400.0, unit='g'), Size(amount=750.0, unit='ml'), None)
    >>> parse_size("mleko uht 3,2%1lx12") == parse_size("mleko uht 12 x 1 l")
    True
    """
    found = {_size(match) for match in SIZE.finditer(normalised(text))}
    measured = {size for size in found if size.amount > 0 and size.unit != "piece"}
    left = measured or {size for size in found if size.amount > 0}
    return next(iter(left)) if len(left) == 1 else None


def _size(match: re.Match[str]) -> Size:
    unit, factor = UNITS[match["unit"]]
    count = math.prod(int(number) for number in re.findall(r"\d+", match["before"] + " " + match["after"]))
    # Decimals, so that 0.7 l and 700 ml are one size.
    return Size(float(Decimal(match["amount"].replace(",", ".")) * Decimal(factor) * count), unit)


def without_size(text: str) -> str:
    """Give the name of a product without the sizes in it, to tell what stays when the package changes.

    Parameters
    ----------
    text : str
        A name.

    Returns
    -------
    str
        The normalised rest.

    Examples
    --------
    >>> without_size("Coffee GHI 2 x 400g"), without_size("mleko 3,2%0,5l pet")
    ('coffee ghi', 'mleko 3,2% pet')
    """
    return " ".join(SIZE.sub(" ", normalised(text)).split())


def spelled(name: str) -> str:
    """Spell a name so that what tells classes apart looks alike: without its size, ``2 %`` as ``2,0%``.

    Parameters
    ----------
    name : str
        As a retailer writes it.

    Examples
    --------
    >>> spelled("Mleko UHT 2%1lpet"), spelled("mleko uht 2.0 % 0,5l")
    ('mleko uht 2,0% pet', 'mleko uht 2,0%')
    """
    text = PER_CENT.sub(lambda found: f" {found[1]},{found[2] or 0}% ", without_size(name))
    return " ".join(text.split())


def sizes(texts: Iterable[str | None]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read the sizes of a column of names, each different name once.

    Parameters
    ----------
    texts : iterable of str, or an Arrow array
        Names, one a row; they may repeat and be missing.

    Returns
    -------
    amount : array of shape (rows,)
        How much, in `unit`; not a number where no size is known.
    unit : array of shape (rows,)
        ``g``, ``ml`` or ``piece``; None where no size is known.

    Examples
    --------
    >>> amount, unit = sizes(["500 g", "12 szt.", None])
    >>> amount.tolist(), unit.tolist()
    ([500.0, 12.0, nan], ['g', 'piece', None])
    """
    import numpy as np

    rows = texts.to_pylist() if hasattr(texts, "to_pylist") else list(texts)
    parsed = {text: parse_size(text) if text else None for text in set(rows)}
    found = [parsed[text] for text in rows]
    amount = np.array([size.amount if size else math.nan for size in found], np.float64)
    return amount, np.array([size.unit if size else None for size in found], object)


class SizeChanges(Schema, key=("period", "group", "name", "unit", "size_before", "size")):
    """Products that are sold in another package than before, with what that did to the price."""

    period_before: Annotated[Period, Time, "Month or week compared with"]
    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month or week"]
    group: Annotated[str, Dimension(codes="COICOP"), "Group of products; _T where none is distinguished"]
    name: Annotated[str, Dimension, "Name of the product without its size"]
    unit: Annotated[Literal["g", "ml", "piece"], Dimension, "What the sizes are counted in"]
    size_before: Annotated[float, Dimension, Gt(0), "Size of the package before, in the unit"]
    size: Annotated[float, Dimension, Gt(0), "Size of the package now, in the unit"]
    price_before: Annotated[float, Measure, Unit("currency"), Gt(0), "Unit value of a package before"]
    price: Annotated[float, Measure, Unit("currency"), Gt(0), "Unit value of a package now"]
    size_change: Annotated[float, Measure(decimals=4), Unit("share"), "Change of the size"]
    price_change: Annotated[float, Measure(decimals=4), Unit("share"), "Change of the price of a package"]
    unit_price_change: Annotated[float, Measure(decimals=4), Unit("share"), "Change of the price of a gram, millilitre"]
    kind: Annotated[
        Literal[
            "shrinkflation",
            "sharkflation",
            "shrinkdeflation",
            "unshrinkflation",
            "unshrinkdeflation",
            "sharkdeflation",
            "proportional",
        ],
        Attribute,
        "What the change is called",
    ]
    replaced: Annotated[bool, Attribute, "Whether the new size was not sold before, nor the old one since"]
    turnover: Annotated[float, Measure(decimals=2), Unit("currency"), Gt(0), "Turnover of the new size now"]


def _kind(size_change: float, price_change: float, unit_price_change: float) -> str:
    """Name a change of size by what became of the price of a package and of a gram."""
    if math.isclose(unit_price_change, 0, abs_tol=1e-9):
        return "proportional"
    dearer = unit_price_change > 0
    if size_change < 0:
        return ("sharkflation" if price_change > 0 else "shrinkflation") if dearer else "shrinkdeflation"
    return "unshrinkflation" if dearer else ("sharkdeflation" if price_change < 0 else "unshrinkdeflation")


@method(
    version="1.0.0",
    topic="Consumer prices",
    gsbpm="5.4",
    exact=True,
    references=[
        "UN Task Team on Scanner Data, e-handbook CPI from new data sources, product definition",
        "Białek (2026), PriceIndices 0.3.1, the names of the six kinds of change",
    ],
)
def shrinkflation(
    transactions: Table[Transactions],
    *,
    compare: Annotated[Literal["first", "previous"], "Which earlier sales a period is compared with"] = "previous",
    period: Frequency = "month",
    by: By = "total",
) -> Table[SizeChanges]:
    """Find products whose package became smaller or larger, and what that did to the price.

    Products are the same where their names are the same without the size. Each size of a period is compared with each
    other size of the earlier one. An index that follows product codes misses the price change that a new package hides;
    the rows of kind ``shrinkflation`` are the ones to look at: less in the package, no more to pay, and dearer.

    Parameters
    ----------
    transactions : Transactions
        Sales with descriptions in which the size stands (``coffee 200g``); others take no part, and are counted.
    compare : {"first", "previous"}
        Whether the last period is compared with the first, or each with the one before in which the product was sold.
    period : {"month", "week"}
        Whether prices are averaged over months or weeks.
    by : {"total", "group"}
        Whether groups of products are kept apart.

    Returns
    -------
    SizeChanges
        One row a product and pair of sizes: *shrinkflation* (smaller, dearer by the gram, not dearer by the package),
        *sharkflation* (smaller, dearer by both), *shrinkdeflation* (smaller, cheaper by the gram), *unshrinkflation*
        (larger, dearer by the gram), *unshrinkdeflation* (larger, cheaper by the gram, not by the package),
        *sharkdeflation* (larger, cheaper by both), *proportional* (the price by the gram stays).

    Raises
    ------
    BadData
        When nothing is sold whose description has a size in it.

    Examples
    --------
    >>> sales = {
    ...     "time": ["2026-01-05", "2026-02-05"],
    ...     "product": ["1", "1"],
    ...     "price": [20.0, 19.0],
    ...     "quantity": [10, 10],
    ...     "description": ["coffee ABC 200g", "coffee ABC 160g"],
    ... }
    >>> found = shrinkflation(sales).select("name", "size_before", "size", "unit_price_change", "kind")
    >>> [round(value, 4) if isinstance(value, float) else value for value in found.to_pyarrow().to_pylist()[0].values()]
    ['coffee abc', 200.0, 160.0, 0.1875, 'shrinkflation']
    """
    engine = current()
    named = transactions.filter(transactions.description.notnull())
    sums = aggregated(named.mutate(product=named.description), period, by)
    rows = engine.collect(sums.order_by(["group", "product", "period"]), "Sum up unit values").to_pylist()
    without = engine.row(transactions.agg(rows=transactions.description.isnull().sum(), all=transactions.count()))
    packages = _packages(rows)
    sized = math.fsum(
        turnover for cells in packages.values() for sold in cells.values() for turnover, _ in sold.values()
    )
    turnover = math.fsum(max(row["turnover"], 0.0) for row in rows)
    measure("Rows without a description", (without["rows"] or 0) / without["all"], unit="share", indicator="ESS A5")
    if not sized:
        raise BadData(
            "Nothing is sold whose description has a size in it.",
            remedy="Give descriptions such as 'coffee 200g', or state the sizes.",
        )
    measure("Share of turnover whose size is known", sized / turnover, unit="share")
    first, last = min(row["period"] for row in rows), max(row["period"] for row in rows)
    found = []
    for key, cells in packages.items():
        present = sorted(cells) if compare == "previous" else [one for one in (first, last) if one in cells]
        for before, now in itertools.pairwise(present):
            found += _changes(key, before, now, cells[before], cells[now])
    return as_table(found, SizeChanges)


Package = dict[str, dict[float, tuple[float, float]]]  # by period and size: turnover and packages


def _packages(rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], Package]:
    """Sum turnover and packages by group, name without size and unit; what is not sold on balance is no package."""
    parsed = {text: (parse_size(text), without_size(text)) for text in {row["product"] for row in rows}}
    parts: dict[tuple[str, str, str], dict[str, dict[float, list[tuple[float, float]]]]] = {}
    for row in rows:
        size, name = parsed[row["product"]]
        if size:
            cells = parts.setdefault((row["group"], name, size.unit), {}).setdefault(row["period"], {})
            cells.setdefault(size.amount, []).append((row["turnover"], row["quantity"]))
    packages: dict[tuple[str, str, str], Package] = {}
    for key, cells_of in parts.items():
        for period, of_size in cells_of.items():
            for amount, summands in of_size.items():
                turnover, quantity = (math.fsum(part) for part in zip(*summands, strict=True))
                if turnover > 0 and quantity > 0:
                    packages.setdefault(key, {}).setdefault(period, {})[amount] = turnover, quantity
    return packages


def _changes(
    key: tuple[str, str, str],
    before: str,
    now: str,
    old: dict[float, tuple[float, float]],
    new: dict[float, tuple[float, float]],
) -> list[dict[str, Any]]:
    group, name, unit = key
    found = []
    for size_before, (turnover_before, packages_before) in sorted(old.items()):
        for size, (turnover, packages) in sorted(new.items()):
            if size == size_before:
                continue
            price_before, price = turnover_before / packages_before, turnover / packages
            changes = (
                size / size_before - 1,
                price / price_before - 1,
                (price / size) / (price_before / size_before) - 1,
            )
            found.append(
                {
                    "period_before": before,
                    "period": now,
                    "group": group,
                    "name": name,
                    "unit": unit,
                    "size_before": size_before,
                    "size": size,
                    "price_before": price_before,
                    "price": price,
                    **dict(zip(("size_change", "price_change", "unit_price_change"), changes, strict=True)),
                    "kind": _kind(*changes),
                    "replaced": size not in old and size_before not in new,
                    "turnover": turnover,
                }
            )
    return found
