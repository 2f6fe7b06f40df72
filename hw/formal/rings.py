"""The rings in the host's memory: indices, records and the bus they go over."""

import itertools

from amaranth.hdl import Assert, Assume, Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hw.formal.harness import stands
from hw.host.dma import CommandFetcher, EventWriter
from hw.host.ring import BEATS
from hw.host.ring_control import RECORD_BITS, SIZE_BITS, RingControl
from hw.host.write_arbiter import WriteArbiter

FEW = 2  # records under way at once: enough for one that follows another
INDEX_BITS = 6  # of 32: what holds here is modulo 2^n, and it is the same logic for every n
PAGE_BITS = 12


def distance(start: Value, end: Value) -> Value:
    """How far one index is past another."""
    return (end - start)[:INDEX_BITS]


def in_order(*indices: Value) -> list[Value]:
    """Assertions that no index is past the one behind it, counted from the first."""
    far = [distance(indices[0], each) for each in indices]
    return [Assert(low <= high) for low, high in itertools.pairwise(far)]


def inactive(control: RingControl) -> Value:
    """The ring stands still."""
    return ~(control.status.running | control.status.stopping)


def sized(control: RingControl, moved: Value, size: Value) -> Value:
    """Assertion that a ring with anything in it has the size that the host gave it."""
    return Assert((inactive(control) & ~moved) | (control.records == Const(1) << size))


def in_page(address: Value, length: Value) -> Value:
    """A burst from an address on, ``length + 1`` beats of 8 bytes, does not cross 4 KiB."""
    return address[:PAGE_BITS] + ((length + 1) << 3) <= 1 << PAGE_BITS


class _Harness(wiring.Component):
    """Inputs that are free, and what all proofs here do with them."""

    mutations: tuple[str, ...] = ()

    def __init__(self, mutation: str | None, *bits: str, **wide: int):
        if mutation is not None and mutation not in self.mutations:
            raise ValueError(f"{mutation!r} is no mutation of this proof")
        self.mutation = mutation
        setup = {"enable": 1, "reset": 1, "base": 64, "place": 64, "size": 5}
        super().__init__({name: In(width) for name, width in {**setup, **dict.fromkeys(bits, 1), **wide}.items()})

    def _setup(self, m: Module, ring: EventWriter | CommandFetcher) -> Signal:
        """All of the setup is free, but that the host changes the size only of a ring that was reset, and the ring is not
        larger than the indices tell apart. The size.
        """
        size = Signal(5)

        def told(size: Value) -> Value:
            return (size < INDEX_BITS) | (size > SIZE_BITS)

        with m.If(ring.control.clear & told(self.size)):
            m.d.sync += size.eq(self.size)
        m.d.comb += [
            Assert(told(size)),
            ring.setup.enable.eq(self.enable),
            ring.setup.reset.eq(self.reset),
            ring.setup.base.eq(self.base),
            ring.setup.index.eq(self.place),
            ring.setup.size.eq(size),
        ]
        return size

    def _index(self, m: Module, ring: EventWriter | CommandFetcher) -> Signal:
        """The index's way to the host's memory: taken at any time, answered at any time after that. What the host sees, as
        early as it can be.
        """
        port, writer = ring.index, ring.writer
        addressed, sent, seen = Signal(), Signal(), Signal(INDEX_BITS)
        m.d.comb += [
            port.awready.eq(self.index_aw),
            port.wready.eq(self.index_w),
            port.bvalid.eq(self.index_b & addressed & sent),
            Value.cast(port.bresp).eq(Cat(0, self.index_bad)),
        ]
        m.d.sync += [
            addressed.eq((addressed | (port.awvalid & port.awready)) & ~port.bvalid),
            sent.eq((sent | (port.wvalid & port.wready)) & ~port.bvalid),
        ]
        with m.If(port.wvalid & port.wready):
            m.d.sync += seen.eq(port.wdata)
        with m.If(ring.control.clear):
            m.d.sync += seen.eq(0)
        m.d.comb += [
            Assert(writer.busy == (port.awvalid | addressed)),
            Assert(writer.busy == (port.wvalid | sent)),
            Assert(~(port.awvalid & addressed)),
            Assert(~(port.wvalid & sent)),
            Assert(port.wvalid | (seen == port.wdata[:INDEX_BITS])),
            Assert(~inactive(ring.control) | ~writer.busy),
            Assert(stands(m, port.awvalid, self.index_aw, port.awaddr)),
            Assert(stands(m, port.wvalid, self.index_w, port.wdata)),
            Assert(inactive(ring.control) | (ring.control.index[:3] == 0)),
            Assert(inactive(ring.control) | (ring.control.base[:RECORD_BITS] == 0)),
            Assert(~port.awvalid | in_page(port.awaddr, port.awlen)),
        ]
        return seen


class EventIndices(_Harness):
    """The event ring's indices, with a host that keeps to the rules and all else free: events, setup, bus, errors.

    Asserted, for every sequence of inputs, unbounded: of consumer, index in the host's memory, index on its way, producer,
    events whose data has been answered, and events begun, none is past the one behind it, and the last is not more than the
    ring's size past the first. So the host sees no event before it is there, and none is overwritten before it has been
    read. A host that keeps to the rules does not see ``bad_index``, and nothing is under way in a ring that stands still.
    On the bus, no burst crosses 4 KiB, and what is offered stays until it is taken.

    Parameters
    ----------
    mutation : str, optional
        ``full``: the card sees one more read than there was. ``early``: it takes an address that was taken for a response.
        ``withdrawn``: it takes an address for taken that was not. ``page``: an address is half an event further. Each must be
        caught.
    """

    mutations = "full", "early", "withdrawn", "page"

    def __init__(self, mutation: str | None = None):
        bits = "valid", "dropped", "acknowledge", "read", "aw", "w", "b", "bad", "index_aw", "index_w", "index_b", "index_bad"
        super().__init__(mutation, *bits, data=64)

    def elaborate(self, platform):
        m = Module()
        m.submodules.events = events = EventWriter(FEW, INDEX_BITS)
        control, axi = events.control, events.axi
        size, seen = self._setup(m, events), self._index(m, events)

        # The host reads what its memory says is there.
        consumer = Signal(INDEX_BITS)
        with m.If(self.read & (consumer != seen)):
            m.d.sync += consumer.eq(consumer + 1)
        with m.If(control.clear):
            m.d.sync += consumer.eq(0)
        m.d.comb += [
            events.i.valid.eq(self.valid),
            events.i.payload.eq(self.data),
            events.dropped.eq(self.dropped),
            events.acknowledge.eq(self.acknowledge),
            events.consumer.eq(consumer + 1 if self.mutation == "full" else consumer),
        ]

        # The bus takes when it likes, and answers what it has taken.
        taken, took, answered = Signal(range(FEW + 1)), Signal(), Signal()
        m.d.comb += [
            axi.awready.eq(1 if self.mutation == "withdrawn" else self.aw),
            axi.wready.eq(self.w),
            took.eq(axi.awvalid & axi.awready),
            answered.eq(self.b & (taken != 0)),
            axi.bvalid.eq(took if self.mutation == "early" else answered),
            Value.cast(axi.bresp).eq(Cat(0, self.bad)),
        ]
        broken, landed = Signal(), Signal(INDEX_BITS)
        m.d.sync += [
            taken.eq(taken + took - answered),
            landed.eq(landed + (answered & ~self.bad & ~broken)),
            broken.eq(broken | (answered & self.bad)),
        ]
        with m.If(control.clear):
            m.d.sync += [landed.eq(0), broken.eq(0)]

        m.d.comb += [
            # What the rest stands on.
            Assert(events.flying == taken + axi.awvalid),
            Assert(events.flying <= FEW),
            Assert(~broken | control.failed),
            Assert(~inactive(control) | (events.flying == 0)),
            Assert(distance(consumer, landed) + events.flying <= distance(consumer, events.begun)),
            sized(control, events.begun != consumer, size),
            # What is to be shown.
            *in_order(consumer, seen, events.index.wdata[:INDEX_BITS], events.producer, landed, events.begun),
            Assert(distance(consumer, events.begun) <= control.records),
            Assert(~events.status.bad_index),
            Assert(stands(m, axi.awvalid, self.aw, axi.awaddr)),
            Assert(stands(m, axi.wvalid, self.w, axi.wdata, axi.wlast)),
            Assert(~axi.awvalid | in_page(axi.awaddr + (32 if self.mutation == "page" else 0), axi.awlen)),
        ]
        return m


class CommandIndices(_Harness):
    """The command ring's indices, with a host that keeps to the rules and all else free.

    Asserted, for every sequence of inputs, unbounded: of index in the host's memory, index on its way, consumer, commands
    asked for, and producer, none is past the one behind it. So no command is read before the host has put it there, and none
    is reported done before it was given out. What is asked for has its place in the ring, and no more is asked for than there
    is room for. A host that keeps to the rules does not see ``bad_index``. On the bus as in :class:`EventIndices`.

    Parameters
    ----------
    mutation : str, optional
        ``bell``: the card sees one more command than there is. ``withdrawn``: it takes an address for taken that was not.
        Either must be caught.
    """

    mutations = "bell", "withdrawn"

    def __init__(self, mutation: str | None = None):
        bits = "ar", "r", "bad", "ready", "put", "index_aw", "index_w", "index_b", "index_bad"
        super().__init__(mutation, *bits, data=64)

    def elaborate(self, platform):
        m = Module()
        m.submodules.commands = commands = CommandFetcher(FEW, INDEX_BITS)
        control, axi = commands.control, commands.axi
        size, seen = self._setup(m, commands), self._index(m, commands)

        # The host puts a command where there is room, as far as its memory says.
        producer = Signal(INDEX_BITS)
        with m.If(self.put & (distance(seen, producer) < control.records) & control.running):
            m.d.sync += producer.eq(producer + 1)
        with m.If(control.clear):
            m.d.sync += producer.eq(0)
        m.d.comb += [
            commands.producer.eq(producer + 1 if self.mutation == "bell" else producer),
            commands.o.ready.eq(self.ready),
        ]
        given, out = Signal(INDEX_BITS), Signal(range(BEATS))
        with m.If(commands.o.valid & self.ready):
            m.d.sync += [out.eq(out + 1), given.eq(given + (out == BEATS - 1))]
        with m.If(control.clear):
            m.d.sync += given.eq(0)

        # The bus gives what was asked for, in bursts.
        taken, beat, took = Signal(range(FEW + 1)), Signal(range(BEATS)), Signal()
        came = axi.rvalid & (beat == BEATS - 1)
        m.d.comb += [
            axi.arready.eq(1 if self.mutation == "withdrawn" else self.ar),
            took.eq(axi.arvalid & axi.arready),
            axi.rvalid.eq(self.r & (taken != 0)),
            axi.rdata.eq(self.data),
            Value.cast(axi.rresp).eq(Cat(0, self.bad)),
        ]
        m.d.sync += [taken.eq(taken + took - came), beat.eq(beat + axi.rvalid)]

        slice = commands.beats
        inside = slice.o.valid + slice.full
        ending = (slice.o.valid & slice.o.payload.last) + (slice.full & slice.spare.last)
        number = distance(Const(1), commands.asked)  # of the command whose address stands at the bus
        low = (number & control.mask) << RECORD_BITS
        m.d.comb += [
            # What the rest stands on.
            Assert(commands.flying == taken + axi.arvalid),
            Assert(commands.arriving[: RECORD_BITS - 3] == beat),
            Assert((beat == 0) | (taken != 0)),
            Assert(commands.reading == (Cat(out, given) + inside)[: len(commands.reading)]),
            Assert((commands.reading[: RECORD_BITS - 3] == 0) | (commands.whole != 0)),
            Assert(commands.held >= commands.flying + commands.whole + ending),
            Assert(~slice.full | slice.o.valid),
            Assert(~slice.full | (slice.spare.last == (out == BEATS - 2))),
            Assert(~inactive(control) | ~(commands.flying.any() | commands.whole.any() | slice.o.valid)),
            sized(control, producer != seen, size),
            # What is to be shown.
            *in_order(seen, commands.index.wdata[:INDEX_BITS], commands.consumer, commands.asked, producer),
            Assert(commands.consumer == given),
            Assert(~commands.o.valid | (commands.o.payload.last == (out == BEATS - 1))),
            Assert(commands.held == distance(commands.consumer, commands.asked)),
            Assert(commands.held <= FEW),
            Assert(distance(seen, producer) <= control.records),
            Assert(~commands.status.bad_index),
            Assert(~axi.arvalid | (axi.araddr == control.base | low)),
            Assert(~axi.arvalid | in_page(axi.araddr, axi.arlen)),
            Assert(stands(m, axi.arvalid, self.ar, axi.araddr)),
            Assert(stands(m, commands.o.valid, self.ready, Value.cast(commands.o.payload))),
        ]
        return m


class WritersKeepToTheBus(wiring.Component):
    """The arbiter of the writers, with three of them that keep to the rules of AXI and are free otherwise.

    Asserted, unbounded: what the arbiter offers stays until it is taken, and no burst crosses 4 KiB.

    Parameters
    ----------
    mutation : str, optional
        ``withdrawn``: the arbiter takes an address for taken that was not. ``free``: the writers may cross 4 KiB. Either must
        be caught.
    """

    PORTS = 3

    def __init__(self, mutation: str | None = None):
        if mutation not in (None, "withdrawn", "free"):
            raise ValueError(f"{mutation!r} is no mutation of this proof")
        self.mutation = mutation
        each = {"awaddr": 64, "awlen": 8, "awvalid": 1, "wdata": 64, "wlast": 1, "wvalid": 1}
        ports = {f"i{n}_{name}": In(width) for n in range(self.PORTS) for name, width in each.items()}
        super().__init__({**ports, "aw": In(1), "w": In(1), "b": In(1), "bid": In(2)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.arbiter = arbiter = WriteArbiter(self.PORTS)
        o = arbiter.o
        for number, port in enumerate(arbiter.i):
            free = {
                name: getattr(self, f"i{number}_{name}") for name in ("awaddr", "awlen", "awvalid", "wdata", "wlast", "wvalid")
            }
            m.d.comb += [getattr(port, name).eq(value) for name, value in free.items()]
            rules = [
                stands(m, port.awvalid, port.awready, port.awaddr, port.awlen),
                stands(m, port.wvalid, port.wready, port.wdata, port.wlast),
            ]
            m.d.comb += [Assume(each) for each in rules]
            if self.mutation != "free":
                m.d.comb += Assume(~port.awvalid | in_page(port.awaddr, port.awlen))
        m.d.comb += [
            o.awready.eq(1 if self.mutation == "withdrawn" else self.aw),
            o.wready.eq(self.w),
            o.bvalid.eq(self.b),
            o.bid.eq(self.bid),
            Assert(stands(m, o.awvalid, self.aw, o.awaddr, o.awlen, o.awid)),
            Assert(stands(m, o.wvalid, self.w, o.wdata, o.wstrb, o.wlast)),
            Assert(~o.awvalid | in_page(o.awaddr, o.awlen)),
        ]
        return m
