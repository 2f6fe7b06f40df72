"""Several sources of frames, one line."""

from amaranth.hdl import Module, ShapeLike
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.streams import Beat

MAX_INPUTS = 8
"""No wider choice in one stage."""


class FrameArbiter(wiring.Component):
    """Whole frames of several streams on one, fixed priority.

    Parameters
    ----------
    inputs : int
        How many streams, 2 to 8. ``i[0]`` goes before ``i[1]`` and so on.
    shape : ShapeLike
        The payload, a struct with ``last``.

    Members
    -------
    i : Array(inputs) of In(stream)
        Frames. Who has begun one goes on without a hole, if its sender does.
    o : Out(stream)
        One of them at a time.
    owner : Out(range(inputs))
        Whose beat is at ``o``, or could be.
    inside : Out(1)
        A frame has begun and not ended.

    The line rests at ``i[0]``: it passes with 0 cycles of latency, through one multiplexer whose selector is a register.
    The others are let in when ``i[0]`` has nothing, 1 cycle after they ask; ``i[0]`` is back in the cycle after their
    last beat. One beat per cycle. A frame is never cut, so ``i[0]`` waits for at most one that has begun; a lower input
    waits for as long as those above it send.
    """

    def __init__(self, inputs: int, shape: ShapeLike = Beat):
        if not 2 <= inputs <= MAX_INPUTS:
            raise ValueError(f"an arbiter has 2 to {MAX_INPUTS} inputs, not {inputs}")
        self.inputs = inputs
        super().__init__(
            {
                "i": In(stream.Signature(shape)).array(inputs),
                "o": Out(stream.Signature(shape)),
                "owner": Out(range(inputs)),
                "inside": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        with m.Switch(self.owner):
            for n, i in enumerate(self.i):
                with m.Case(n):
                    m.d.comb += [
                        self.o.payload.eq(i.payload),
                        self.o.valid.eq(i.valid),
                        i.ready.eq(self.o.ready),
                    ]
        moves = self.o.valid & self.o.ready
        with m.If(moves):
            m.d.sync += self.inside.eq(~self.o.payload.last)
        with m.If(moves & self.o.payload.last):
            m.d.sync += self.owner.eq(0)
        with m.If((self.owner == 0) & ~self.inside & ~self.i[0].valid):
            for n in reversed(range(1, self.inputs)):
                with m.If(self.i[n].valid):
                    m.d.sync += self.owner.eq(n)
        return m
