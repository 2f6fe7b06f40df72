"""The rings in the host's memory: events that the card writes, commands that it fetches.

A ring is a power of 2 of records of 64 bytes. Its two indices count records from its start on, modulo 2^32, and are not
taken modulo its size: full and empty are not the same. A record is one AXI burst of 8 beats.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.host.axi import AxiRead, AxiWrite
from hw.host.index_writer import IndexWriter
from hw.host.register_slice import RegisterSlice
from hw.host.ring import BEATS
from hw.host.ring_control import RECORD_BITS, SIZE_BITS, RingControl, RingSetup, RingStatus
from hw.streams import Beat, StreamRegister

INDEX_BITS = 32


def place(control: RingControl, index: Value) -> Value:
    """Address of a record. The base is a multiple of the ring's size: there is nothing to add."""
    low, number = RECORD_BITS, (index & control.mask)[:SIZE_BITS]
    return Cat(control.base[:low], control.base[low:][:SIZE_BITS] | number, control.base[low + SIZE_BITS :])


def occupied(m: Module, control: RingControl, producer: Value, consumer: Value) -> Signal:
    """Whether the records between two indices are all that the ring holds, 2 cycles later. More than that is an error of
    the host's.
    """
    level, full, over = Signal(len(producer)), Signal(), Signal()
    m.d.sync += [level.eq(producer - consumer), full.eq(level == control.records), over.eq(level > control.records)]
    m.d.comb += control.bad_index.eq(control.running & over)
    return full


class _Word(data.Struct):
    data: 64
    last: 1


class EventWriter(wiring.Component):
    """Events into a ring in the host's memory.

    Parameters
    ----------
    outstanding : int
        Events that may be without a response, 2 at least.
    index_bits : int
        Width of the indices, more than the largest ring's log2. A proof takes few.

    Members
    -------
    i : In(stream of unsigned(64))
        Events, 8 beats each.
    dropped : In(1)
        An event was lost before it came here.
    setup : In(RingSetup)
    consumer : In(32)
        The host's index: events before it have been read.
    axi : Out(AxiWrite())
        Events, a burst each.
    index : Out(AxiWrite())
        Two words of 32 bits, low one first: the producer's index, and how many events were lost.
    producer : Out(32)
        Events whose data is in the host's memory.
    published : Out(32)
        The producer's index that the host has in its memory.
    lost : Out(32)
        Events that the host should have got and never will, modulo 2^32.
    overrun : Out(1)
        Events were lost, here or before: what the host knows has a hole, a snapshot fills it.
    acknowledge : In(1)
        ``overrun`` is seen.
    status : Out(RingStatus)
    failure : Out(1)
        The ring has just stopped with an error.
    count_events_lost : Out(2)
        Without those that were ``dropped``.
    count_bus_errors : Out(2)
        Responses that were errors.

    First beat out 2 cycles after it came in, its address before it, a beat per cycle. The index goes out 3 cycles after the
    response to the data, and at most one write of it is under way: under load it covers what has gathered since the one
    before.

    An event that finds the ring full is taken and lost, whole. One that finds ``outstanding`` events without response, or
    the bus not ready, waits. After an error everything that had no response is lost, and all that comes until the ring is
    reset. While the ring is stopped by the host events vanish, and are not counted.
    """

    def __init__(self, outstanding: int = 16, index_bits: int = INDEX_BITS):
        if outstanding < 2:
            raise ValueError(f"outstanding is {outstanding}: 2 events at least may be without a response")
        self.outstanding = outstanding
        # What is under way. Proofs look at it (hw.formal.rings).
        self.control, self.writer = RingControl(), IndexWriter()
        self.begun, self.flying = Signal(index_bits), Signal(range(outstanding + 1))
        super().__init__(
            {
                "i": In(stream.Signature(64)),
                "dropped": In(1),
                "setup": In(RingSetup),
                "consumer": In(index_bits),
                "axi": Out(AxiWrite()),
                "index": Out(AxiWrite()),
                "producer": Out(index_bits),
                "published": Out(index_bits),
                "lost": Out(INDEX_BITS),
                "overrun": Out(1),
                "acknowledge": In(1),
                "status": Out(RingStatus),
                "failure": Out(1),
                "count_events_lost": Out(2),
                "count_bus_errors": Out(2),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.control = control = self.control
        m.submodules.writer = writer = self.writer
        # Two registers: so the address of an event is at the bus before the last beat of the one ahead has left.
        m.submodules.words = words = StreamRegister(_Word)
        m.submodules.ahead = ahead = RegisterSlice(_Word)
        wiring.connect(m, words.o, ahead.i)
        axi = self.axi
        wiring.connect(m, writer.axi, wiring.flipped(self.index))
        m.d.comb += [control.setup.eq(self.setup), self.status.eq(control.status), self.failure.eq(control.failure)]

        # Begun events and those without a response. An event takes 8 cycles to come in: what is decided for the first beat
        # of the next may be as old as that.
        begun, flying = self.begun, self.flying
        full = occupied(m, control, begun, self.consumer)
        go, drop, missed = Signal(), Signal(init=1), Signal()
        m.d.sync += [
            go.eq(control.running & ~full & ~control.failed & (flying != self.outstanding) & ~axi.awvalid),
            drop.eq(~control.running | full | control.failed),
            missed.eq(control.running | control.failed),
        ]

        beat, dropping = Signal(range(BEATS)), Signal()
        first = beat == 0
        start, stop = Signal(), Signal()  # of an event that is written; of one without a place
        m.d.comb += [
            start.eq(first & self.i.valid & go & words.i.ready),
            stop.eq(first & self.i.valid & drop),
            self.i.ready.eq(Mux(first, drop | (go & words.i.ready), dropping | words.i.ready)),
            words.i.valid.eq(self.i.valid & Mux(first, go, ~dropping)),
            words.i.payload.data.eq(self.i.payload),
            words.i.payload.last.eq(beat == BEATS - 1),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += beat.eq(beat + 1)
            with m.If(first):
                m.d.sync += dropping.eq(drop)

        m.d.comb += [
            axi.awlen.eq(BEATS - 1),
            axi.wdata.eq(ahead.o.payload.data),
            axi.wlast.eq(ahead.o.payload.last),
            axi.wvalid.eq(ahead.o.valid),
            ahead.o.ready.eq(axi.wready),
            axi.bready.eq(1),
        ]
        with m.If(axi.awready):
            m.d.sync += axi.awvalid.eq(0)
        with m.If(start):
            m.d.sync += [axi.awvalid.eq(1), axi.awaddr.eq(place(control, begun)), begun.eq(begun + 1)]
        m.d.sync += flying.eq(flying + start - axi.bvalid)

        # Responses come in order: after the first that is none, nothing more counts as written.
        bad, spoilt = Signal(), Signal()
        m.d.comb += [
            bad.eq(axi.bvalid & Value.cast(axi.bresp)[1]),
            spoilt.eq(bad | (axi.bvalid & control.failed)),
            control.bus_error.eq(bad | writer.bus_error),
            control.quiet.eq((flying == 0) & ~writer.busy & (writer.current | control.failed)),
            self.count_bus_errors.eq(bad + writer.bus_error),
        ]
        with m.If(axi.bvalid & ~spoilt):
            m.d.sync += self.producer.eq(self.producer + 1)
        losses = Signal(2)
        m.d.sync += [
            self.count_events_lost.eq(spoilt + (stop & missed)),
            losses.eq(spoilt + (stop & missed) + (self.dropped & missed)),
            self.lost.eq(self.lost + losses),
        ]
        with m.If(self.acknowledge):
            m.d.sync += self.overrun.eq(0)
        with m.If(losses.any()):
            m.d.sync += self.overrun.eq(1)

        m.d.comb += [
            writer.value.eq(Cat(self.producer, Const(0, INDEX_BITS - len(self.producer)), self.lost)),
            writer.address.eq(control.index),
            writer.enable.eq((control.status.running | control.status.stopping) & ~control.failed),
            writer.clear.eq(control.clear),
            self.published.eq(writer.published),
        ]
        with m.If(control.clear):
            m.d.sync += [begun.eq(0), self.producer.eq(0), self.lost.eq(0), self.overrun.eq(0)]
        return m


class CommandFetcher(wiring.Component):
    """Commands out of a ring in the host's memory.

    Parameters
    ----------
    outstanding : int
        Commands that may be asked for and not yet given out, a power of 2, 2 at least. There is room for all of them.
    index_bits : int
        As of :class:`EventWriter`.

    Members
    -------
    setup : In(RingSetup)
    producer : In(32)
        The host's index: commands before it are in the ring. Writing it is the doorbell.
    axi : Out(AxiRead())
        Commands, a burst each.
    index : Out(AxiWrite())
        A word of 64 bits: the consumer's index.
    o : Out(stream of Beat)
        Commands in order, ``last`` with the eighth beat.
    consumer : Out(32)
        Commands that were taken at ``o``, to the last beat.
    status : Out(RingStatus)
    failure : Out(1)
        The ring has just stopped with an error.
    count_bus_errors : Out(2)
        Responses that were errors.

    A read goes out 2 cycles after ``producer`` has moved, and a command 2 cycles after its last beat has come in: one that
    did not come in whole and without an error is never begun. A command in 8 cycles. When ``o`` waits, no more are asked
    for than there is room. After an error the commands before it are given out, and none of those behind it. To stop, what
    was asked for is given out first.
    """

    def __init__(self, outstanding: int = 4, index_bits: int = INDEX_BITS):
        if outstanding < 2 or outstanding & (outstanding - 1):
            raise ValueError(f"outstanding is {outstanding}, not a power of 2 from 2 on")
        self.outstanding = outstanding
        # What is under way. Proofs look at it (hw.formal.rings).
        self.control, self.writer = RingControl(), IndexWriter()
        self.asked, self.beats = Signal(index_bits), RegisterSlice(Beat)
        self.arriving, self.reading = Signal(range(outstanding * BEATS)), Signal(range(outstanding * BEATS))
        self.held, self.flying, self.whole = (Signal(range(outstanding + 1)) for _ in range(3))
        super().__init__(
            {
                "setup": In(RingSetup),
                "producer": In(index_bits),
                "axi": Out(AxiRead()),
                "index": Out(AxiWrite()),
                "o": Out(stream.Signature(Beat)),
                "consumer": Out(index_bits),
                "status": Out(RingStatus),
                "failure": Out(1),
                "count_bus_errors": Out(2),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.control = control = self.control
        m.submodules.writer = writer = self.writer
        m.submodules.kept = kept = memory.Memory(shape=64, depth=self.outstanding * BEATS, init=[])
        axi = self.axi
        wiring.connect(m, writer.axi, wiring.flipped(self.index))
        m.d.comb += [control.setup.eq(self.setup), self.status.eq(control.status), self.failure.eq(control.failure)]

        # Ask: one command in 8 cycles, which is as fast as they are given out.
        asked, pace = self.asked, Signal(range(BEATS))
        held, flying = self.held, self.flying  # asked for and not given out; and not come in
        more, ask, given, came = Signal(), Signal(), Signal(), Signal()
        occupied(m, control, self.producer, self.consumer)
        m.d.sync += [more.eq(self.producer != asked), pace.eq(Mux(pace == 0, 0, pace - 1))]
        m.d.comb += [
            ask.eq((pace == 0) & more & control.running & ~control.failed & (held != self.outstanding) & ~axi.arvalid),
            axi.arlen.eq(BEATS - 1),
        ]
        with m.If(axi.arready):
            m.d.sync += axi.arvalid.eq(0)
        with m.If(ask):
            m.d.sync += [
                axi.arvalid.eq(1),
                axi.araddr.eq(place(control, asked)),
                asked.eq(asked + 1),
                pace.eq(BEATS - 1),
            ]
        m.d.sync += [held.eq(held + ask - given), flying.eq(flying + ask - came)]

        # Keep: each command has its place from the moment it is asked for.
        arriving, whole, spoilt = self.arriving, self.whole, Signal()
        store, bad, good = kept.write_port(), Signal(), Signal()
        last = arriving[: RECORD_BITS - 3] == BEATS - 1
        m.d.comb += [
            axi.rready.eq(1),
            store.en.eq(axi.rvalid),
            store.addr.eq(arriving),
            store.data.eq(axi.rdata),
            came.eq(axi.rvalid & last),
            bad.eq(spoilt | Value.cast(axi.rresp)[1]),
            good.eq(came & ~bad & ~control.failed),
        ]
        with m.If(axi.rvalid):
            m.d.sync += [arriving.eq(arriving + 1), spoilt.eq(bad & ~last)]

        # Give out.
        m.submodules.beats = beats = self.beats
        wiring.connect(m, beats.o, wiring.flipped(self.o))
        look, reading, done = kept.read_port(domain="comb"), self.reading, Signal()
        m.d.comb += [
            look.addr.eq(reading),
            beats.i.payload.data.eq(look.data),
            beats.i.payload.count.eq(BEATS),
            beats.i.payload.last.eq(reading[: RECORD_BITS - 3] == BEATS - 1),
            beats.i.valid.eq(whole != 0),
            done.eq(beats.i.valid & beats.i.ready & beats.i.payload.last),
            given.eq(self.o.valid & self.o.ready & self.o.payload.last),
        ]
        with m.If(beats.i.valid & beats.i.ready):
            m.d.sync += reading.eq(reading + 1)
        m.d.sync += whole.eq(whole + good - done)
        with m.If(given):
            m.d.sync += self.consumer.eq(self.consumer + 1)

        m.d.comb += [
            control.bus_error.eq((came & bad) | writer.bus_error),
            control.quiet.eq(~(flying.any() | whole.any() | self.o.valid | writer.busy) & (writer.current | control.failed)),
            self.count_bus_errors.eq((came & bad) + writer.bus_error),
            writer.value.eq(self.consumer),
            writer.address.eq(control.index),
            writer.enable.eq((control.status.running | control.status.stopping) & ~control.failed),
            writer.clear.eq(control.clear),
        ]
        with m.If(control.clear):
            m.d.sync += [each.eq(0) for each in (asked, held, arriving, reading, self.consumer)]
        return m
