"""CRC-32 in software and in gates against zlib."""

import random
import zlib

import pytest

from hw.net.mac import crc
from hw.net.mac.crc import FrameCheck, FrameCheckSequence
from tests.hw.simulation import simulate

pytestmark = pytest.mark.gateware


def fcs(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "little")


def test_the_definition_is_zlibs():
    rng = random.Random(1)
    for size in range(100):
        data = rng.randbytes(size)
        assert crc.frame_check_sequence(data) == fcs(data)
        assert crc.advance(crc.INITIAL, data + fcs(data)) == crc.RESIDUE


def test_a_word_at_a_time_is_the_same():
    rng = random.Random(2)
    data, state = rng.randbytes(800), crc.INITIAL
    for n in range(0, len(data), 8):
        state = crc.WORD(int.from_bytes(data[n : n + 8], "little") ^ state)
    assert state ^ crc.INITIAL == zlib.crc32(data)
    state = crc.INITIAL
    for octet in data:
        state = state >> 8 ^ crc.STEP((state ^ octet) & 0xFF)
    assert state ^ crc.INITIAL == zlib.crc32(data)


def test_a_frame_is_judged_wherever_it_begins_and_ends():
    rng = random.Random(3)
    dut = FrameCheck()
    cases = [(size, middle) for size in range(9, 40) for middle in (0, 1)] * 4

    async def testbench(ctx):
        for size, middle in cases:
            data = rng.randbytes(size)
            sequence = bytearray(fcs(data))
            wrong = rng.random() < 0.5
            if wrong:
                sequence[rng.randrange(4)] ^= 1 << rng.randrange(8)
            wire = bytes([0x55, 0x55, 0x55, 0xD5] * middle) + data + sequence
            for n in range(0, len(wire), 8):
                piece = wire[n : n + 8]
                ctx.set(dut.data, int.from_bytes(piece, "little"))
                ctx.set(dut.keep, (1 << len(piece)) - 1)
                ctx.set(dut.first, n == 0)
                ctx.set(dut.middle, middle)
                await ctx.tick()
            if len(wire) % 8 == 0:  # the end is known only by the next word, which has nothing of the frame
                ctx.set(dut.data, 0)
                ctx.set(dut.keep, 0)
                ctx.set(dut.first, 0)
                await ctx.tick()
            assert ctx.get(dut.good) == (not wrong), (size, middle)

    simulate(dut, testbench)


def test_the_sequence_of_a_frame_of_any_size_and_padding():
    rng = random.Random(4)
    dut = FrameCheckSequence()

    async def testbench(ctx):
        for size in [*range(1, 60), *(rng.randrange(1, 100) for _ in range(100))]:
            data = rng.randbytes(size)
            whole = data
            if rng.random() < 0.5:  # up to byte 4 of this word or of one behind it
                whole = data.ljust(8 * rng.randrange(-(-size // 8) - (size % 8 in (1, 2, 3)), 20) + 4, b"\0")
            words = -(-len(whole) // 8)
            for n in range(words):
                part, real = whole[8 * n : 8 * n + 8], data[8 * n : 8 * n + 8]
                ctx.set(dut.data, int.from_bytes(real.ljust(8, b"\xff"), "little"))
                ctx.set(dut.keep, (1 << len(real)) - 1)
                ctx.set(dut.count, len(part))
                ctx.set(dut.add, 1)
                if n == words - 1:
                    rest = ctx.get(dut.rest).to_bytes(4, "little")
                await ctx.tick()
            ctx.set(dut.add, 0)
            left = int.from_bytes(rest[len(part) :], "little")
            found = (ctx.get(dut.fcs) ^ left).to_bytes(4, "little")
            assert found == fcs(whole), size
            for _ in range(rng.randrange(1, 4)):
                await ctx.tick()

    simulate(dut, testbench)
