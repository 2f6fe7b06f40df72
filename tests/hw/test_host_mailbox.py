"""The host's mailbox: frames of every length, whole and without a hole."""

import random

import pytest
from amaranth.sim import Simulator

from hw.host.mailbox import MOST_BYTES, FrameMailbox

pytestmark = pytest.mark.gateware


def frames_of(sends: list[tuple[bytes, int]]) -> tuple[list[bytes], int]:
    """What comes out when these bytes are written and sent with these lengths; and the count."""
    dut, out, frame, counted = FrameMailbox(), [], bytearray(), 0

    async def write(ctx):
        for content, length in sends:
            for at in range(0, len(content), 4):
                ctx.set(dut.word, int.from_bytes(content[at : at + 4], "little"))
                ctx.set(dut.write, 1)
                await ctx.tick()
            ctx.set(dut.write, 0)
            ctx.set(dut.length, length)
            ctx.set(dut.send, 1)
            await ctx.tick()
            ctx.set(dut.send, 0)
            while ctx.get(dut.busy):
                await ctx.tick()
        await ctx.tick().repeat(5)

    async def read(ctx):
        nonlocal counted
        inside = False
        async for _, reset, valid, beat, count in ctx.tick().sample(dut.o.valid, dut.o.payload, dut.count_frames):
            assert not reset
            counted += count
            assert valid or not inside, "a hole"
            if valid:
                assert beat.count == 8 or beat.last
                frame.extend(beat.data.to_bytes(8, "little")[: beat.count])
                inside = not beat.last
                if beat.last:
                    out.append(bytes(frame))
                    frame.clear()

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(write)
    simulator.add_testbench(read, background=True)
    simulator.run()
    return out, counted


def test_frames_come_out_as_they_were_written(seed):
    rng = random.Random(seed)
    lengths = [*range(1, 30), 62, 63, 64, 65, 1499, 1514, MOST_BYTES, *(rng.randrange(1, MOST_BYTES) for _ in range(5))]
    rng.shuffle(lengths)
    sent = [rng.randbytes(length) for length in lengths]
    out, counted = frames_of([(each, len(each)) for each in sent])
    assert out == sent
    assert counted == len(sent)


def test_a_length_that_cannot_be_sends_nothing_and_forgets(seed):
    rng = random.Random(seed)
    good = rng.randbytes(100)
    out, counted = frames_of([(rng.randbytes(40), 0), (good, 100), (rng.randbytes(1600), 1600), (good[:50], 50)])
    assert out == [good, good[:50]]
    assert counted == 2
