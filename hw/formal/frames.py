"""Several streams of frames on one line: whole, once, in order of priority."""

from amaranth.hdl import Assert, Assume, Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.local.arbiter import FrameArbiter


class MarkedBeat(data.Struct):
    """A beat as the arbiter sees it; ``mark`` is on one of all."""

    data: 2
    last: 1
    mark: 1


class FramesStayWhole(wiring.Component):
    """The arbiter with three streams; what they send and when the line takes it is free.

    Asserted, for every sequence of inputs that keeps the rules of streams, unbounded: a beat is taken from an input in
    the very cycle in which it leaves, and none leaves that is not taken, so that none is lost, repeated or made up, and
    a marked beat leaves once; between the first and the last beat of a frame no other leaves; what stands at ``o``
    stays until it is taken; a frame of a lower input appears only if no higher one was there in the cycle before; no
    more than one ends while the highest waits.

    Parameters
    ----------
    mutation : str, optional
        ``last``: the arbiter takes every beat for the last of its frame. ``ready``: a lower input goes on though it was
        not its turn. ``priority``: the two highest inputs are exchanged. Each must be caught.
    """

    INPUTS = 3

    def __init__(self, mutation: str | None = None):
        if mutation not in (None, "last", "ready", "priority"):
            raise ValueError(f"{mutation!r} is no mutation of this proof")
        self.mutation = mutation
        super().__init__(
            {
                "i": In(stream.Signature(MarkedBeat)).array(self.INPUTS),
                "o": Out(stream.Signature(MarkedBeat)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.arbiter = arbiter = FrameArbiter(self.INPUTS, MarkedBeat)
        place = {0: 1, 1: 0, 2: 2} if self.mutation == "priority" else {n: n for n in range(self.INPUTS)}
        passed_last = Signal()
        for n, i in enumerate(self.i):
            inner = arbiter.i[place[n]]
            m.d.comb += [
                inner.valid.eq(i.valid),
                inner.payload.eq(i.payload),
                i.ready.eq(Const(1) if self.mutation == "ready" and n == 1 else inner.ready),
            ]
            if self.mutation == "last":
                m.d.comb += inner.payload.last.eq(1)
                with m.If(arbiter.owner == n):
                    m.d.comb += passed_last.eq(i.payload.last)
        wiring.connect(m, arbiter.o, wiring.flipped(self.o))
        if self.mutation == "last":
            m.d.comb += self.o.payload.last.eq(passed_last)

        # The rules of streams: what is offered stays. And one beat of all has the mark.
        marks = Cat(i.valid & i.payload.mark for i in self.i)
        taken = Cat(i.valid & i.ready for i in self.i)
        marked = Signal()
        m.d.sync += marked.eq(marked | (marks & taken).any())
        m.d.comb += [Assume(~(marks & (marks - 1)[: len(marks)]).any()), Assume(~(marked & marks.any()))]
        for i in self.i:
            offered, before = Signal(), Signal(MarkedBeat)
            m.d.sync += [offered.eq(i.valid & ~i.ready), before.eq(i.payload)]
            m.d.comb += Assume(~offered | (i.valid & (i.payload.as_value() == before.as_value())))

        leaves = self.o.valid & self.o.ready
        m.d.comb += Assert(leaves == taken.any())
        m.d.comb += Assert(~(taken & (taken - 1)[: len(taken)]).any())
        for n, i in enumerate(self.i):
            m.d.comb += Assert(~taken[n] | (self.o.payload.as_value() == i.payload.as_value()))
        left = Signal()
        m.d.sync += left.eq(left | (leaves & self.o.payload.mark))
        m.d.comb += [Assert(left == marked), Assert(~(left & leaves & self.o.payload.mark))]

        unfinished, whose = Signal(), Signal(range(self.INPUTS))
        with m.If(leaves):
            m.d.sync += unfinished.eq(~self.o.payload.last)
            for n in range(self.INPUTS):
                with m.If(taken[n]):
                    m.d.sync += whose.eq(n)
        m.d.comb += [Assert(arbiter.inside == unfinished), Assert(whose < self.INPUTS), Assert(arbiter.owner < self.INPUTS)]
        for n in range(self.INPUTS):
            m.d.comb += [
                Assert(~(unfinished & taken[n]) | (whose == n)),
                Assert(~(unfinished & (whose == n)) | (arbiter.owner == place[n])),
            ]

        standing, stood = Signal(), Signal(MarkedBeat)
        m.d.sync += [standing.eq(self.o.valid & ~self.o.ready), stood.eq(self.o.payload)]
        m.d.comb += Assert(~standing | (self.o.valid & (self.o.payload.as_value() == stood.as_value())))

        # Who was there in the cycle before a frame appears.
        was = Signal(self.INPUTS)
        m.d.sync += was.eq(Cat(i.valid for i in self.i))
        appears = self.o.valid & ~unfinished & ~standing
        for n in range(1, self.INPUTS):
            let_in = arbiter.owner == place[n]
            m.d.comb += [Assert(~(let_in & ~unfinished) | self.i[n].valid), Assert(~(appears & let_in) | ~was[:n].any())]

        waiting, ended = Signal(), Signal(2)
        m.d.comb += waiting.eq(self.i[0].valid & ~taken[0] & ~(unfinished & (whose == 0)))
        others_end = taken[1:].any() & self.o.payload.last
        m.d.sync += ended.eq(Mux(waiting, ended + (others_end & (ended != 3)), 0))
        m.d.comb += [Assert(ended < 2), Assert((ended == 0) | (arbiter.owner == place[0]))]
        return m
