"""Answers to queries of data."""

from __future__ import annotations

import itertools
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from statcommons.core.errors import BadCall, BadData
from statcommons.sdmx.formats import Options
from statcommons.sdmx.model import Ref
from statcommons.sdmx.query.data import DataQuery, Facts
from statcommons.sdmx.service.asked import Asked
from statcommons.sdmx.service.caching import joined_facts
from statcommons.sdmx.service.dataquery import data_query
from statcommons.sdmx.service.exchange import Headers, Refusal, Response
from statcommons.sdmx.service.flows import named_flows
from statcommons.sdmx.service.offers import DATA_FORMATS

if TYPE_CHECKING:
    from statcommons.sdmx.store import Selection, Store

RANGE = re.compile(r"values\s*=\s*(\d{1,15})\s*-\s*(\d{0,15})", re.A)


def answer_data(store: Store, asked: Asked) -> Response:
    """Answer a query of data.

    Parameters
    ----------
    store : Store
        Where they are.
    asked : Asked
        What is asked for.

    Raises
    ------
    StatCommonsError
        When the query cannot be answered.
    """
    several = queries(store, asked)
    facts = with_facts(store, several)
    wanted = _range(asked)
    tag = asked.tag(facts, wanted[0] if wanted else "")
    if kept := asked.unchanged(facts, tag, exists=False):
        return kept
    selections = _paged(store, several)
    more: Headers = (("Accept-Ranges", "values"),)
    status = 200
    if wanted:
        selections, told = _cut(store, selections, int(wanted[1]), int(wanted[2]) if wanted[2] else None)
        status, more = 206, (*more, told)
    selections = [one for one in selections if not _is_empty(one)]
    if not selections:
        return _nothing(asked)
    if kept := asked.unchanged(facts, tag):
        return kept
    format = DATA_FORMATS[asked.route.rest][asked.choice.offer]
    header = asked.header(facts, tag, selections[0].query.flow.agency)
    if _is_file(asked) or not format.is_text:
        name = _file_name(selections[0].query.flow, format.suffix)
        more = (*more, ("Content-Disposition", f'attachment; filename="{name}"'))
    data_sets = list(itertools.chain.from_iterable(one.data_sets() for one in selections))
    options = _options(asked)
    try:
        pieces = format.write(data_sets, header, options)
        return asked.answer(pieces, facts, tag, status=status, text=format.is_text, more=more)
    except BadCall as error:  # the query is right, and the format cannot say what it finds
        raise Refusal(406, error.what, where="format", remedy=error.remedy) from None


def queries(store: Store, asked: Asked) -> list[DataQuery]:
    """Make the queries of the flows that are named; of several, those count whose structure is there and fits.

    Parameters
    ----------
    store : Store
        Where the structures are.
    asked : Asked
        What is asked for.

    Raises
    ------
    BadCall, BadData
        When the query fits none of them, or none has a structure.
    """
    flows = named_flows(store.artefacts, asked.route)
    found: list[DataQuery] = []
    refused: BadCall | BadData | None = None
    for flow in flows:
        try:
            found.append(data_query(store.structure(flow), asked.route, asked.parameters))
        except (BadCall, BadData) as error:
            refused = refused or error
    if refused and not found:
        raise refused
    return found


def with_facts(store: Store, several: list[DataQuery]) -> Facts:
    """Give what may be kept of an answer to these queries: structures are in it, too.

    Parameters
    ----------
    store : Store
        Where the flows are.
    several : list of DataQuery
        What is asked of them.
    """
    return joined_facts([store.structure_facts(), *(store.facts(one.flow) for one in several)])


def _range(asked: Asked) -> re.Match[str] | None:
    """Read the range of observations that is asked for; changes are never cut, because a receiver needs all of them."""
    if asked.parameters.history or asked.parameters.updated_after:
        return None
    headers = asked.request.headers
    return RANGE.fullmatch((headers.get("range") or headers.get("x-range") or "").strip())


def _cut(
    store: Store, selections: list[Selection], first: int, last: int | None
) -> tuple[list[Selection], tuple[str, str]]:
    """Take a range of the observations of an answer, counted through all its flows."""
    total = sum(_within(one.query, one.total()) for one in selections)
    end = total - 1 if last is None else min(last, total - 1)
    if total and (first > end):
        raise Refusal(
            416,
            f"The answer has {total:,} observations, which are counted from 0.",
            where="Range",
            remedy=f"Ask for values=0-{total - 1}.",
            headers=(("Content-Range", f"values */{total}"),),
        )
    return _part(store, selections, first, end), ("Content-Range", f"values {first}-{end}/{total}")


def _paged(store: Store, several: list[DataQuery]) -> list[Selection]:
    """Select what queries ask for; of several flows together, offset and limit count through all of them."""
    first = several[0] if several else None
    if first is None or len(several) == 1 or first.history or first.updated_after:
        return [store.select(one) for one in several]
    if not first.offset and first.limit is None:
        return [store.select(one) for one in several]
    whole = [store.select(replace(one, offset=0, limit=None)) for one in several]
    end = sys.maxsize if first.limit is None else first.offset + first.limit - 1
    return _part(store, whole, first.offset, end)


def _part(store: Store, selections: list[Selection], first: int, end: int) -> list[Selection]:
    """Take the observations between two places, counted through all flows."""
    cut, begin = [], 0
    for selection in selections:
        many = _within(selection.query, selection.total())
        low, high = max(first - begin, 0), min(end - begin, many - 1)
        if low <= high:
            offset = selection.query.offset + low
            cut.append(store.select(replace(selection.query, offset=offset, limit=high - low + 1)))
        begin += many
    return cut


def _within(query: DataQuery, total: int) -> int:
    """Count what offset and limit leave of an answer."""
    left = max(total - query.offset, 0)
    return left if query.limit is None else min(left, query.limit)


def _is_empty(selection: Selection) -> bool:
    query = selection.query
    is_past = query.offset > 0 and not query.history and not query.updated_after and selection.total() <= query.offset
    return is_past or selection.is_empty()


def _nothing(asked: Asked) -> Response:
    """Say that there are no data: REST 1.5 calls this an error, REST 2.x does not."""
    if asked.route.rest == 1:
        raise Refusal(
            404,
            "There are no data for this query.",
            where="path",
            remedy="Ask availableconstraint for the values that there are.",
        )
    return Response(204, (("Content-Type", asked.choice.content_type), ("Cache-Control", "no-cache")))


def _options(asked: Asked) -> Options:
    said, implied = asked.parameters, asked.choice.parameters
    labels = said.labels or implied.get("labels", "id")
    keys = said.keys or implied.get("keys", "none")
    time_format = said.time_format or implied.get("timeformat", "original")
    for name, value, known in (
        ("labels", labels, ("id", "name", "both")),
        ("keys", keys, ("none", "obs", "series", "both")),
        ("timeFormat", time_format, ("original", "normalized")),
    ):
        if value not in known:
            raise Refusal(406, f"{name} cannot be {value!r}.", where="Accept", remedy=f"Known: {', '.join(known)}.")
    return Options(asked.languages or ("en",), labels, keys, time_format)


def _is_file(asked: Asked) -> bool:
    return asked.choice.parameters.get("file", "") == "true"


def _file_name(flow: Ref, suffix: str) -> str:
    return re.sub(r"[^\w.@$-]", "_", f"{flow.agency}_{flow.id}_{flow.version}.{suffix}", flags=re.A)
