"""Waveforms on request, readable without the libraries that wrote them."""

import struct

import numpy as np
import pytest

from sim.twin import Twin
from tests.twin.stand_in import stand_in
from wire.records import INPUT, Port

pytestmark = [pytest.mark.twin, pytest.mark.gateware]

HEADER, GEOMETRY, HIERARCHY_LZ4, VALUE_CHANGES = 0, 3, 6, 8


def lz4_block(packed):
    """Decoded LZ4 block, as its specification says."""
    out, at = bytearray(), 0

    def length(nibble, at):
        if nibble == 15:
            while True:
                nibble += packed[at]
                at += 1
                if packed[at - 1] != 255:
                    break
        return nibble, at

    while at < len(packed):
        token = packed[at]
        count, at = length(token >> 4, at + 1)
        out += packed[at : at + count]
        at += count
        if at == len(packed):
            break
        (offset,) = struct.unpack_from("<H", packed, at)
        count, at = length(token & 15, at + 2)
        for _ in range(count + 4):
            out.append(out[-offset])
    return bytes(out)


def blocks(fst):
    at = 0
    while at < len(fst):
        kind, length = fst[at], struct.unpack_from(">Q", fst, at + 1)[0]
        yield kind, fst[at + 9 : at + 1 + length]
        at += 1 + length


def test_waveform_has_the_ports_and_the_time(tmp_path, rng):
    path = tmp_path / "card.fst"
    inputs = np.array([(1, 0, 640, Port.FEED_A), (2, 0, 0, Port.TICK)], INPUT)
    with Twin(stand_in(), trace=True) as twin:
        before = twin.cycles
        twin.start_trace(path)
        twin.process(inputs, rng.bytes(640))
        twin.stop_trace()
        after = twin.cycles
    found = dict(blocks(path.read_bytes()))
    assert {HEADER, GEOMETRY, HIERARCHY_LZ4, VALUE_CHANGES} <= found.keys()
    start, end = struct.unpack_from(">QQ", found[HEADER])
    assert (start, end) == (2 * before, 2 * after - 1)

    (size,) = struct.unpack_from(">Q", found[HIERARCHY_LZ4])
    names = lz4_block(found[HIERARCHY_LZ4][8:])
    assert len(names) == size
    for port in (b"feed_a__payload", b"order_stamp", b"idle"):
        assert port in names


def test_waveform_of_a_model_without_them_is_refused(tmp_path):
    with Twin(stand_in()) as twin, pytest.raises(ValueError, match="trace=True"):
        twin.start_trace(tmp_path / "card.fst")
