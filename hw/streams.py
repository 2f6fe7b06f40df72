"""Streams of the datapath: the beat that bytes travel in, and the registers and queues between stages.

A stream is ``amaranth.lib.stream``: ``payload`` moves when ``valid`` and ``ready`` are both high. Every stage
puts a register on what it sends, so that no path crosses two stages.
"""

from amaranth.hdl import Module, Shape, ShapeLike, Value
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

BEAT_BYTES = 8


class Beat(data.Struct):
    """Up to eight bytes of a frame, a packet, a message or a TCP stream.

    ``data`` holds byte 0 in bits 0..7. ``count`` bytes of it are valid, from byte 0 on: 8 everywhere but in
    the beat with ``last``. An empty message is one beat with ``last`` and count 0. Bytes beyond ``count``
    mean nothing.
    """

    data: 64
    last: 1
    count: 4


class StreamRegister(wiring.Component):
    """A register between two stages.

    Parameters
    ----------
    shape : ShapeLike
        The payload.

    Members
    -------
    i : In(stream)
    o : Out(stream)
        What came in, a cycle later.

    Latency 1 cycle, one payload per cycle. ``ready`` passes through without a register.
    """

    def __init__(self, shape: ShapeLike):
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.i.ready.eq(self.o.ready | ~self.o.valid)
        with m.If(self.i.ready):
            m.d.sync += [self.o.valid.eq(self.i.valid), self.o.payload.eq(self.i.payload)]
        return m


class StreamQueue(wiring.Component):
    """First in, first out, in block RAM or, when shallow, in distributed RAM.

    Parameters
    ----------
    shape : ShapeLike
        The payload.
    depth : int
        How many payloads it holds, at least 2.

    Members
    -------
    i : In(stream)
    o : Out(stream)
        What came in, in order.
    level : Out(range(depth + 1))
        How many it holds.

    Latency 2 cycles, one payload per cycle. Full, it takes no more: who must not wait looks at ``i.ready``.
    """

    def __init__(self, shape: ShapeLike, depth: int):
        if depth < 2:
            raise ValueError(f"a queue holds at least 2 payloads, not {depth}")
        self.depth, self.width = depth, Shape.cast(shape).width
        super().__init__(
            {
                "i": In(stream.Signature(shape)),
                "o": Out(stream.Signature(shape)),
                "level": Out(range(depth + 1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = fifo.SyncFIFOBuffered(width=self.width, depth=self.depth)
        m.d.comb += [
            queue.w_data.eq(Value.cast(self.i.payload)),
            queue.w_en.eq(self.i.valid),
            self.i.ready.eq(queue.w_rdy),
            Value.cast(self.o.payload).eq(queue.r_data),
            self.o.valid.eq(queue.r_rdy),
            queue.r_en.eq(self.o.ready),
            self.level.eq(queue.level),
        ]
        return m
