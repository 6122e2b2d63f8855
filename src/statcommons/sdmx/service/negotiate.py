"""Which format, language and encoding a client gets of what is offered.

What the address says (``format``, ``lang``, ``compression``) beats what the headers say, because a person can write the
one and a browser writes the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from statcommons.core.errors import BadCall
from statcommons.sdmx.query.versions import matching_versions
from statcommons.sdmx.service.exchange import Refusal

__all__ = ["Choice", "Offer", "choose", "choose_encoding", "languages"]

QUALITY = re.compile(r"0?\.\d{1,3}|[01]\.?|1\.0{1,3}", re.A)
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*", re.A)
ENCODINGS = ("zstd", "gzip")
"""The encodings that we have, best first."""
SHOWN = 12  # offers that an error names


@dataclass(frozen=True, eq=False)
class Offer:
    """A format that is offered.

    Parameters
    ----------
    media : str
        The media type, without parameters.
    version : str
        The version of the format, as the media type says it; empty where it says none.
    names : tuple of str
        The values of the parameter ``format`` that mean it.
    general : tuple of str
        Broader media types that it is one of: who asks for ``text/csv`` gets it, and under this name.
    defaults : mapping of str to mapping
        What a name implies besides the format, such as labels with ``csvfilewithlabels``.
    takes : frozenset of str
        The parameters of the media type that choose how it is written.
    """

    media: str
    version: str = ""
    names: tuple[str, ...] = ()
    general: tuple[str, ...] = ()
    defaults: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    takes: frozenset[str] = frozenset()

    @property
    def content_type(self) -> str:
        """The media type with its version."""
        return f"{self.media};version={self.version}" if self.version else self.media


@dataclass(frozen=True)
class Choice:
    """The offer that a client gets.

    Parameters
    ----------
    offer : Offer
        Which one.
    content_type : str
        The media type under which it is sent.
    parameters : mapping of str to str
        What the client asked for inside the format: ``labels``, ``file`` …
    """

    offer: Offer
    content_type: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Range:
    """One range of media types of the header Accept."""

    media: str
    version: str
    parameters: Mapping[str, str]
    quality: float

    def fits(self, offer: Offer) -> str:
        """Give the media type by which the range means an offer; empty where it does not."""
        kind, _, subtype = self.media.partition("/")
        for media in (offer.media, *offer.general):
            if self.media == media or (subtype == "*" and kind in ("*", media.partition("/")[0])):
                return media if _is_version(self.version, offer.version) else ""
        return ""

    @property
    def weight(self) -> int:
        """How narrow the range is: of two that fit, the narrower one counts."""
        return 0 if self.media == "*/*" else 1 if self.media.endswith("/*") else 2 + bool(self.version)


def choose(offers: Sequence[Offer], accept: str = "", *, format: str = "", version: str = "") -> Choice:
    """Choose the format that a client gets.

    Parameters
    ----------
    offers : sequence of Offer
        What is offered, best first: the first is given to who asks for nothing.
    accept : str
        The header Accept.
    format, version : str
        The parameters ``format`` and ``formatVersion``.

    Raises
    ------
    Refusal
        When nothing fits (406), naming what is offered.

    References
    ----------
    RFC 9110, 12.5.1; SDMX REST 2.2, content negotiation and extensions.

    Examples
    --------
    >>> csv = Offer("text/x-csv", "1.0.0", ("csv",)), Offer("text/x-csv", "2.1.0", ("csv",))
    >>> choose(csv).offer.version, choose(csv, "text/x-csv;version=2+.0.0").offer.version
    ('1.0.0', '2.1.0')
    >>> choose(csv, "application/pdf", format="csv").content_type
    'text/x-csv;version=1.0.0'
    """
    ranges = list(_ranges(accept))
    if format:
        named = [one for one in offers if format.lower() in one.names]
        fitting = [one for one in named if _is_version(version, one.version)]
        if not fitting:
            known = dict.fromkeys(name for one in offers for name in one.names)
            versions = ", ".join(dict.fromkeys(one.version for one in named if one.version))
            remedy = f"Its versions: {versions}." if versions else f"Known: {', '.join(known)}."
            raise Refusal(406, f"There is no format {format!r} {version}".strip() + ".", where="format", remedy=remedy)
        implied = fitting[0].defaults.get(format.lower(), {})
        # Who names a format and accepts it in another word is answered in his own.
        offer, media = next(
            ((one, media) for asked in ranges if asked.weight >= 2 for one in fitting if (media := asked.fits(one))),
            (fitting[0], fitting[0].media),
        )
        return _choice(offer, media, implied)
    if not ranges:
        return _choice(offers[0], offers[0].media, {})
    fits = [
        (asked, -index, place, media)
        for place, offer in enumerate(offers)
        for index, asked in enumerate(ranges)
        if (media := asked.fits(offer))
    ]
    narrowest = {place: max(fit[0].weight for fit in fits if fit[2] == place) for _, _, place, _ in fits}
    wanted = [fit for fit in fits if fit[0].weight == narrowest[fit[2]] and fit[0].quality]
    # Most wanted, then said by name, then said first, then offered first.
    chosen = max(wanted, key=lambda fit: (fit[0].quality, fit[0].weight >= 2, fit[1], -fit[2]), default=None)
    if chosen is None:
        raise Refusal(
            406,
            f"Nothing is offered that fits {accept!r}.",
            where="Accept",
            remedy=f"Offered: {', '.join(one.content_type for one in offers[:SHOWN])}"
            + (f" and {len(offers) - SHOWN} more." if len(offers) > SHOWN else "."),
        )
    asked, _, place, media = chosen
    taken = {name: value for name, value in asked.parameters.items() if name in offers[place].takes}
    return _choice(offers[place], media, taken)


def _choice(offer: Offer, media: str, parameters: Mapping[str, str]) -> Choice:
    return Choice(offer, offer.content_type if media == offer.media else media, parameters)


def choose_encoding(accept: str = "", compression: str = "") -> str:
    """Choose how the body is compressed; the empty text is not at all.

    Parameters
    ----------
    accept : str
        The header Accept-Encoding.
    compression : str
        The parameter ``compression``.

    Raises
    ------
    Refusal
        When the parameter names an encoding that we do not have (406).

    Examples
    --------
    >>> choose_encoding("gzip, deflate, br"), choose_encoding("gzip;q=0.5, zstd"), choose_encoding("br")
    ('gzip', 'zstd', '')
    """
    if compression:
        if compression not in (*ENCODINGS, "identity", "none"):
            raise Refusal(
                406,
                f"There is no compression {compression!r}.",
                where="compression",
                remedy=f"Known: {', '.join(ENCODINGS)}, identity.",
            )
        return compression if compression in ENCODINGS else ""
    asked = {name: quality for name, _, quality in _weighted(accept)}
    offered = {one: asked.get(one, asked.get("*", 0.0)) for one in ENCODINGS}
    best = max(offered, key=offered.__getitem__)
    return best if offered[best] > 0 and offered[best] >= asked.get("identity", 0) else ""


def languages(accept: str = "", lang: str = "") -> tuple[str, ...]:
    """Give the languages that a client prefers, best first; none is all, or whichever there is.

    Parameters
    ----------
    accept : str
        The header Accept-Language.
    lang : str
        The parameter ``lang``.

    Examples
    --------
    >>> languages("ru, en-gb;q=0.8, *;q=0.1"), languages("ru", "fr"), languages("ru", "all")
    (('ru', 'en-gb'), ('fr',), ())
    """
    if lang:
        return () if lang == "all" else (lang,)
    asked = [(name, quality) for name, _, quality in _weighted(accept) if quality and LANGUAGE.fullmatch(name)]
    return tuple(dict.fromkeys(name for name, _ in sorted(asked, key=lambda one: -one[1])))


# --- headers --------------------------------------------------------------------------------------------------------


def _ranges(accept: str) -> Iterator[Range]:
    for media, parameters, quality in _weighted(accept):
        if media == "*":  # what Java's old client meant by */*
            media = "*/*"
        yield Range(media, parameters.pop("version", ""), parameters, quality)


def _weighted(header: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Cut a header into choices, their parameters, and how much each is wanted; what cannot be read is passed over."""
    for part in header.split(","):
        name, *rest = (one.strip() for one in part.split(";"))
        pairs = dict(_pairs(rest))
        quality = pairs.pop("q", "1")
        if name and QUALITY.fullmatch(quality):
            yield name.lower(), pairs, float(quality)


def _pairs(parts: Iterable[str]) -> Iterator[tuple[str, str]]:
    for part in parts:
        name, sign, value = part.partition("=")
        if sign:
            yield name.strip().lower(), value.strip().strip('"')


def _is_version(asked: str, offered: str) -> bool:
    """Tell whether a version fits: the same, a shorter writing or a working draft of it, or one of a free form."""
    if not asked or not offered:
        return True
    wanted, there = _three(asked.removesuffix("-wd")), _three(offered)
    try:
        return wanted == there or bool(matching_versions(wanted, [there]))
    except BadCall:
        return False


def _three(version: str) -> str:
    """Write a version in three parts: formats are 2.1, 2.1.0 or 2 in the words of different clients."""
    parts = version.split(".")
    return version if version in ("+", "~", "*") else ".".join([*parts, *["0"] * (3 - len(parts))])
