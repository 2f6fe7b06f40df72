"""The splitter against ``wire``'s framing of the same bytes."""

import random

import pytest

from hw.soupbin.splitter import Splitter
from tests.hw.simulation import beats, put, simulate, take

pytestmark = pytest.mark.gateware


@pytest.mark.parametrize("number", range(6))
def test_messages_come_out_whole_however_the_stream_is_cut(number):
    seed = random.Random(number)
    messages = [seed.randbytes(seed.choice((0, 1, 7, 8, 9, 16, 19, 36, seed.randrange(200)))) for _ in range(80)]
    stream = b"".join(len(message).to_bytes(2, "big") + message for message in messages)
    cuts = [seed.randrange(1, (2, 9, 40, 400)[number % 4]) for _ in range(len(stream))]
    waits = number < 3
    dut = Splitter()
    found = []

    async def feed(ctx):
        for beat in beats(stream, cuts):
            await put(ctx, dut.i, beat)
            if waits and seed.random() < 0.3:
                await ctx.tick().repeat(seed.randrange(1, 6))

    async def collect(ctx):
        message = b""
        while len(found) < len(messages):
            beat = await take(ctx, dut.o)
            assert beat.last or beat.count == 8
            message += beat.data.to_bytes(8, "little")[: beat.count]
            if beat.last:
                found.append(message)
                message = b""
            if waits and seed.random() < 0.3:
                await ctx.tick().repeat(seed.randrange(1, 6))
        await ctx.tick()
        assert not ctx.get(dut.busy)

    simulate(dut, feed, collect)
    assert found == messages


def test_clear_forgets_half_a_message():
    dut = Splitter()

    async def run(ctx):
        for length in range(1, 16):  # what nobody takes must not stop the stream
            for beat in beats(b"\0\x1e" + bytes(length)):
                await put(ctx, dut.i, beat)
            ctx.set(dut.clear, 1)
            await ctx.tick()
            ctx.set(dut.clear, 0)
            await put(ctx, dut.i, beats(b"\0\3abc")[0])
            beat = await take(ctx, dut.o)
            while not beat.last:
                beat = await take(ctx, dut.o)
            assert (beat.count, beat.data & 0xFFFFFF) == (3, int.from_bytes(b"abc", "little"))

    simulate(dut, run)
