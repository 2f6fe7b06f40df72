"""Registers and queues between stages: what goes in comes out, once and in its place."""

from collections.abc import Callable

from amaranth.hdl import Assert, Assume, Const, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.host.register_slice import RegisterSlice
from hw.streams import StreamQueue, StreamRegister

NUMBER_BITS = 6
SHALLOW = 3  # a depth that is no power of 2, so that indices wrap early and by comparison

QUEUES: dict[str, tuple[Callable[..., wiring.Component], int]] = {
    "register": (StreamRegister, 1),
    "slice": (RegisterSlice, 2),
    "queue": (lambda shape: StreamQueue(shape, SHALLOW), SHALLOW),
}
"""What is between an input and an output, and how many payloads it holds."""


class Marked(data.Struct):
    """A payload: ``mark`` is on one of all, ``rest`` is anything."""

    mark: 1
    rest: 1


class PassesInOrder(wiring.Component):
    """A queue whose ends are free, but for the rules of streams.

    Asserted: what was taken and has not come out is never less than nothing and never more than the queue holds; the payload
    with the mark, whichever it is, comes out in its place and as it was, and no other has the mark; what stands at the output
    stays until it is taken; and a queue that is empty takes, one that holds something offers it within 2 cycles.

    Parameters
    ----------
    what : str
        Of ``QUEUES``.
    mutation : str, optional
        ``full``: it is given payloads when it is not ready. ``twice``: a payload that was taken is offered again. ``other``: a
        payload changes inside. Each must be caught.
    """

    def __init__(self, what: str, mutation: str | None = None):
        if mutation not in (None, "full", "twice", "other"):
            raise ValueError(f"{mutation!r} is no mutation of this proof")
        self.make, self.holds = QUEUES[what]
        self.mutation = mutation
        super().__init__(
            {
                "i": In(stream.Signature(Marked)),
                "o": Out(stream.Signature(Marked)),
                "which": In(NUMBER_BITS),
                "rest": In(1),
                "swallow": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = self.make(Marked)
        mutation = self.mutation
        m.d.comb += [
            queue.i.payload.eq(self.i.payload),
            queue.i.valid.eq(self.i.valid),
            self.i.ready.eq(Const(1) if mutation == "full" else queue.i.ready),
            self.o.payload.eq(queue.o.payload),
            self.o.valid.eq(queue.o.valid),
            queue.o.ready.eq(self.o.ready & ~(self.swallow if mutation == "twice" else Const(0))),
        ]
        if mutation == "other":
            m.d.comb += self.o.payload.rest.eq(queue.o.payload.rest ^ (self.swallow & queue.o.valid))

        # Which payload is marked is free, and so is the rest of it; both stay as they are.
        begun, which, rest = Signal(), Signal(NUMBER_BITS), Signal()
        m.d.sync += [begun.eq(1), which.eq(self.which), rest.eq(self.rest)]
        m.d.comb += Assume(~begun | ((which == self.which) & (rest == self.rest)))

        taken, given = Signal(NUMBER_BITS), Signal(NUMBER_BITS)
        goes_in, comes_out = self.i.valid & self.i.ready, self.o.valid & self.o.ready
        marked_in, marked_out = taken == self.which, given == self.which
        m.d.sync += [taken.eq(taken + goes_in), given.eq(given + comes_out)]
        m.d.comb += [
            Assume(~self.i.valid | (self.i.payload.mark == marked_in)),
            Assume(~(self.i.valid & marked_in) | (self.i.payload.rest == self.rest)),
            # Numbers do not come round: one payload is marked.
            Assume(~taken.all() | ~self.i.valid),
        ]
        inside = Signal(NUMBER_BITS)
        m.d.comb += [
            inside.eq(taken - given),
            Assert(inside <= self.holds),
            Assert(~self.o.valid | (inside != 0)),
            Assert(~self.o.valid | (self.o.payload.mark == marked_out)),
            Assert(~(self.o.valid & marked_out) | (self.o.payload.rest == self.rest)),
            Assert((inside != 0) | self.i.ready),
        ]
        standing, stood = Signal(), Signal(Marked)
        m.d.sync += [standing.eq(self.o.valid & ~self.o.ready), stood.eq(self.o.payload)]
        m.d.comb += Assert(~standing | (self.o.valid & (self.o.payload.as_value() == stood.as_value())))
        waiting = Signal(2)
        with m.If((inside != 0) & ~self.o.valid):
            m.d.sync += waiting.eq(waiting + ~waiting.all())
        with m.Else():
            m.d.sync += waiting.eq(0)
        m.d.comb += Assert(waiting < 2)
        if isinstance(queue, RegisterSlice):  # what makes it inductive: what its second place holds
            second = (given + 1)[:NUMBER_BITS] == self.which
            m.d.comb += [
                Assert(inside == queue.o.valid + queue.full),
                Assert(~queue.full | (queue.spare.mark == second)),
                Assert(~(queue.full & second) | (queue.spare.rest == self.rest)),
            ]
        return m
