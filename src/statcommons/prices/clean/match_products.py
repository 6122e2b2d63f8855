"""The same product under several codes: matched by GTIN, by the retailer's code, and by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Annotated, Any, Literal, NamedTuple

from statcommons.core.engine import current
from statcommons.core.errors import BadData
from statcommons.core.method import method
from statcommons.core.progress import step
from statcommons.core.quality import measure, notice
from statcommons.core.schema import Attribute, Dimension, Ge, Le, Measure, Schema, Table, Unit
from statcommons.prices.clean.gtin import IN_STORE, gtin14
from statcommons.prices.clean.rows import as_table
from statcommons.prices.clean.similarity import candidates, clusters, plain, similarities, word_similarity
from statcommons.prices.clean.sizes import normalised, parse_size, spelled

__all__ = ["Alone", "MatchedProducts", "Matching", "Pairs", "ProductCodes", "match_products"]

Level = Literal["gtin", "retailer_code", "name"]
LEVELS: tuple[Level, ...] = ("gtin", "retailer_code", "name")


class ProductCodes(Schema):
    """What identifies products: codes and names as they occur in deliveries; rows may repeat."""

    product: Annotated[str, Dimension, "Code that tells products apart before they are matched"]
    gtin: Annotated[str | None, Attribute, "GTIN under the bar code, with its check digit"] = None
    retailer: Annotated[str | None, Attribute, "Code of the retailer"] = None
    retailer_code: Annotated[str | None, Attribute, "The retailer's own code of the product"] = None
    group: Annotated[str | None, Attribute(codes="COICOP"), "Code of the group of products (COICOP)"] = None
    description: Annotated[str | None, Attribute, "Name of the product, as the retailer writes it"] = None


class MatchedProducts(Schema, key=("product",)):
    """Which products are one."""

    product: Annotated[str, Dimension, "Code of the product"]
    matched_product: Annotated[str, Attribute, "Code under which it is followed: that of its products that sorts first"]
    products: Annotated[int, Measure, Unit("products"), Ge(1), "How many products are one with it, itself included"]
    level: Annotated[
        Literal["gtin", "retailer_code", "name", "alone"], Attribute, "The strongest evidence by which it is matched"
    ]
    score: Annotated[float | None, Measure(decimals=3), Ge(0), Le(1.0000001), "Similarity of names in that evidence"]


class Pairs(Schema, key=("product", "other")):
    """The evidence: pairs of products that were matched directly."""

    product: Annotated[str, Dimension, "Code of a product"]
    other: Annotated[str, Dimension, "Code of the other, which sorts after it"]
    level: Annotated[Literal["gtin", "retailer_code", "name"], Attribute, "What they have in common"]
    score: Annotated[float, Measure(decimals=3), Ge(0), Le(1.0000001), "Jaro-Winkler similarity of their names"]
    name: Annotated[str | None, Attribute, "Name of the product"]
    other_name: Annotated[str | None, Attribute, "Name of the other"]


class Alone(Schema, key=("product",)):
    """Products that match no other, with the nearest that was compared."""

    product: Annotated[str, Dimension, "Code of the product"]
    name: Annotated[str | None, Attribute, "Its name"]
    nearest: Annotated[str | None, Attribute, "The product whose name is nearest, of the same group and size"]
    nearest_name: Annotated[str | None, Attribute, "Its name"]
    score: Annotated[float | None, Measure(decimals=3), Ge(0), Le(1.0000001), "Similarity of the two names"]


@dataclass(frozen=True)
class Matching:
    """Products matched, the evidence, and what is left alone."""

    result: Table[MatchedProducts]
    pairs: Table[Pairs]
    alone: Table[Alone]


class Item(NamedTuple):
    """One way in which a product is identified; a product may have several."""

    product: str
    gtin: str | None
    code: tuple[str, str] | None
    group: str
    description: str | None
    name: str
    size: tuple[float, str] | None


class Pair(NamedTuple):
    """Two items, with what they have in common."""

    one: Item
    other: Item
    level: Level
    score: float


@method(
    version="1.0.0",
    topic="Consumer prices",
    gsbpm="5.1",
    exact=True,
    references=[
        "UN Task Team on Scanner Data, e-handbook CPI from new data sources, product definition and linking",
        "Winkler (1990), String Comparator Metrics and Enhanced Decision Rules in the Fellegi-Sunter Model of Record "
        "Linkage",
    ],
)
def match_products(
    products: Table[ProductCodes],
    *,
    level: Annotated[Level, "How far down matching goes"] = "name",
    threshold: Annotated[float, Ge(0), Le(1), Unit("Jaro-Winkler similarity")] = 0.95,
    code_threshold: Annotated[float, Ge(0), Le(1), Unit("Jaro-Winkler similarity")] = 0.0,
) -> Matching:
    """Match products that are one under several codes.

    First by GTIN; then by the code of one retailer; what is still alone then by name, each with the nearest name of its
    group and package size. Every match comes with its evidence, so that a clerk can look at the weak ones. What is
    matched to the same is matched: look at products with many others, which a chain of likenesses may have joined.

    Parameters
    ----------
    products : ProductCodes
        Codes and names; a product may stand in several rows, and all it is known by counts.
    level : {"gtin", "retailer_code", "name"}
        How far down matching goes; ``name`` does all three.
    threshold : float
        The lowest similarity that matches products by name. Accents and the size are left out; each word is compared
        with the nearest of the other name, and the word that fits worst decides. Words with digits must be equal.
    code_threshold : float
        The lowest similarity of whole names that lets one code match products; where both codes agree, none is asked.
        0 trusts codes; raise it where retailers use codes again for other products.

    Returns
    -------
    result : MatchedProducts
        One row a product.
    pairs : Pairs
        The evidence; of products with one code and one name, each is paired with the next only.
    alone : Alone
        Products without a match.

    Raises
    ------
    BadData
        When no row has a GTIN, a retailer's code or a name, as far as `level` asks.

    Examples
    --------
    >>> codes = {
    ...     "product": ["1", "2", "3", "4"],
    ...     "gtin": ["5904215121565", "05904215121565", None, None],
    ...     "description": ["rice white 1kg", "RICE WH. 1 kg", "rice basmati mark 500g", "RICE BASMATI MARKA 0,5 kg"],
    ... }
    >>> match_products(codes).result.select("product", "matched_product", "level").to_pyarrow().to_pylist()
    [{'product': '1', 'matched_product': '1', 'level': 'gtin'}, {'product': '2', 'matched_product': '1', \
'level': 'gtin'}, {'product': '3', 'matched_product': '3', 'level': 'name'}, {'product': '4', 'matched_product': '3', \
'level': 'name'}]
    """
    items = _items(products)
    asked = LEVELS[: LEVELS.index(level) + 1]
    known = {"gtin": "gtin", "retailer_code": "code", "name": "name"}
    if not any(getattr(item, known[one]) for item in items for one in asked):
        raise BadData(
            "No product has anything to be matched by.",
            remedy="Give GTINs, retailers' codes or descriptions, and a `level` that uses them.",
        )
    with step("Match products", total=len(asked), unit="levels") as progress:
        found: list[Pair] = []
        for one in asked[:2]:
            found += [pair for pair in _by_code(items, one) if _trusted(pair, code_threshold)]
            progress.advance()
        nearest: dict[str, Pair] = {}
        if level == "name":
            found, nearest = _with_names(items, found, threshold)
            progress.advance()
    of = clusters({item.product for item in items}, ((pair.one.product, pair.other.product) for pair in found))
    best = _best(found)
    sizes: dict[str, int] = {}
    for cluster in of.values():
        sizes[cluster] = sizes.get(cluster, 0) + 1
    result = [
        {
            "product": product,
            "matched_product": cluster,
            "products": sizes[cluster],
            "level": best[product].level if product in best else "alone",
            "score": best[product].score if product in best else None,
        }
        for product, cluster in of.items()
    ]
    names: dict[str, str | None] = {}
    for item in items:
        names.setdefault(item.product, item.description)
    alone = [_left(product, names, nearest.get(product)) for product in of if product not in best]
    measure("Products that match another", 1 - len(alone) / len(of), unit="share")
    measure("Largest number of products that are one", max(sizes.values()), unit="products")
    return Matching(
        result=as_table(result, MatchedProducts),
        pairs=as_table(_evidence(found), Pairs),
        alone=as_table(alone, Alone),
    )


def _items(products: Any) -> list[Item]:
    """Collect the different ways in which products are identified, sorted."""
    columns = ("product", "gtin", "retailer", "retailer_code", "group", "description")
    rows = current().collect(products.select(*columns).distinct(), "Collect the products").to_pylist()
    items = set()
    unusable = 0
    for row in rows:
        gtin = gtin14(row["gtin"]) if row["gtin"] else None
        if gtin and re.search(IN_STORE, gtin):
            gtin = None
        unusable += bool(row["gtin"]) and gtin is None
        code = (row["retailer"] or "", row["retailer_code"]) if row["retailer_code"] else None
        text = row["description"]
        name, size = (plain(spelled(text)), parse_size(text)) if text else ("", None)
        items.add(Item(row["product"], gtin, code, row["group"] or "", text, name, size))
    if unusable:
        notice(f"Not used as GTIN, since the check digit is wrong or a shop gave it itself: {unusable} of {len(rows)}.")
    return sorted(items, key=lambda item: tuple((part is not None, part or ()) for part in item))


def _by_code(items: Iterable[Item], level: Level) -> Iterator[Pair]:
    """Pair the items of each code: equal names each with the next, different names all with one another."""
    holders: dict[Any, dict[str, list[Item]]] = {}
    for item in items:
        code = item.gtin if level == "gtin" else item.code
        if code:
            holders.setdefault(code, {}).setdefault(normalised(item.description or ""), []).append(item)
    pairs: list[tuple[Item, Item]] = []
    for named in holders.values():
        for equal in named.values():
            pairs += pairwise(equal)
        pairs += [(one[0], other[0]) for one, other in combinations(named.values(), 2)]
    scores = similarities(*([normalised(pair[k].description or "") for pair in pairs] for k in (0, 1)))
    for (one, other), score in zip(pairs, scores.tolist(), strict=True):
        if one.product != other.product:
            yield Pair(one, other, level, score)


def _trusted(pair: Pair, code_threshold: float) -> bool:
    """Say whether a code that two items have in common suffices: both codes do, one may need like names."""
    one, other = pair.one, pair.other
    both = one.gtin is not None and one.gtin == other.gtin and one.code is not None and one.code == other.code
    return both or pair.score >= code_threshold


def _with_names(items: list[Item], found: list[Pair], threshold: float) -> tuple[list[Pair], dict[str, Pair]]:
    """Add, for each product that no code matches, the pair with the nearest name; give that pair however near it is.

    One pair only: a product that is like two others must not make these two one.
    """
    of = clusters({item.product for item in items}, ((pair.one.product, pair.other.product) for pair in found))
    matched = {product for pair in found for product in (pair.one.product, pair.other.product)}
    of_name: dict[tuple[Any, ...], list[Item]] = {}
    for item in items:
        if item.name:
            of_name.setdefault((item.group, item.size, item.name), []).append(item)
    keys = list(of_name)
    places, common = candidates([key[-1] for key in keys], [key[:-1] for key in keys])
    if common:
        notice(f"Words too common to compare names by: {len(common)}. Groups or sizes would tell more apart.")
    measure("Pairs of names that were compared", len(places), unit="pairs")
    pairs = [Pair(a, b, "name", 1.0) for equal in of_name.values() for a, b in pairwise(equal)]
    for one, other in places.tolist():
        # Items of equal names are linked already, so that one of each stands for all.
        score = word_similarity(keys[one][-1], keys[other][-1])
        pairs.append(Pair(of_name[keys[one]][0], of_name[keys[other]][0], "name", score))
    nearest: dict[str, Pair] = {}
    for pair in pairs:
        if pair.one.product != pair.other.product:
            for product in {pair.one.product, pair.other.product} - matched:
                if product not in nearest or pair.score > nearest[product].score:
                    nearest[product] = pair
    near = {product: pair for product, pair in nearest.items() if pair.score >= threshold}
    several = 0
    for product, pair in near.items():
        other = pair.other if pair.one.product == product else pair.one
        alike = {of[item.product] for item in of_name[other.group, other.size, other.name]}
        several += len({cluster for cluster in alike if cluster in matched}) > 1
    if several:
        notice(f"Products whose name fits several that codes keep apart: {several}. Each was put to one of these.")
    return [*found, *near.values()], nearest


def _best(found: Iterable[Pair]) -> dict[str, Pair]:
    """Give the strongest evidence of each product: the first level, and there the highest score."""
    best: dict[str, Pair] = {}
    for pair in sorted(found, key=lambda pair: (LEVELS.index(pair.level), -pair.score)):
        for item in (pair.one, pair.other):
            best.setdefault(item.product, pair)
    return best


def _evidence(found: Iterable[Pair]) -> list[dict[str, Any]]:
    """Write the strongest evidence of each pair of products."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for pair in sorted(found, key=lambda pair: (LEVELS.index(pair.level), -pair.score)):
        first, second = sorted((pair.one, pair.other), key=lambda item: item.product)
        row = {"level": pair.level, "score": pair.score, "name": first.description, "other_name": second.description}
        rows.setdefault((first.product, second.product), row | {"product": first.product, "other": second.product})
    return [rows[key] for key in sorted(rows)]


def _left(product: str, names: dict[str, str | None], pair: Pair | None) -> dict[str, Any]:
    row: dict[str, Any] = {"product": product, "name": names[product]}
    if pair is None:
        return row
    other = pair.other if pair.one.product == product else pair.one
    return row | {"nearest": other.product, "nearest_name": other.description, "score": pair.score}
