"""Bodies: begun at once, compressed while they are written, let go of when nobody reads on."""

from __future__ import annotations

import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.errors import BadData
from statcommons.sdmx.service.bodies import Body

UNPACK = {
    "": lambda body: body,
    "gzip": lambda body: zlib.decompress(body, 31),
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
}


@pytest.mark.parametrize("encoding", UNPACK)
@given(pieces=st.lists(st.binary(max_size=100)))
def test_what_goes_in_comes_out(encoding, pieces):
    assert UNPACK[encoding](b"".join(Body(pieces, encoding))) == b"".join(pieces)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_long_bodies_are_packed_in_order(encoding):
    pieces = [bytes([number % 256]) * 100_000 for number in range(50)]
    packed = b"".join(Body(pieces, encoding))
    assert UNPACK[encoding](packed) == b"".join(pieces)
    assert len(packed) < 50_000


def test_the_first_piece_is_made_at_once_and_the_rest_when_it_is_read():
    made = []

    def pieces():
        for number in range(3):
            made.append(number)
            yield b"x"

    body = Body(pieces())
    assert made == [0]
    assert b"".join(body) == b"xxx"


def test_what_is_refused_shows_before_anything_is_sent():
    def pieces():
        raise BadData("It cannot be said in this format.")
        yield b""

    with pytest.raises(BadData):
        Body(pieces())


@pytest.mark.parametrize("encoding", UNPACK)
def test_the_first_bytes_need_only_the_first_piece(encoding):
    def pieces():
        yield b"first"
        raise AssertionError("read on")

    first = next(iter(Body(pieces(), encoding)))
    unpack = {"": bytes, "gzip": zlib.decompressobj(31).decompress}.get(
        encoding, zstandard.ZstdDecompressor().decompressobj().decompress
    )
    assert unpack(first) == b"first"


def test_a_body_that_nobody_reads_on_is_closed():
    closed = []

    def pieces():
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append(True)

    Body(pieces()).close()
    assert closed == [True]
