"""Start, stop, failure and restart of a ring in the host's memory."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from wire.records import RECORD_LENGTH

RECORD_BITS = (RECORD_LENGTH - 1).bit_length()
SIZE_BITS = 16
"""Log2 of the records of the largest ring."""


class State(enum.Enum, shape=2):
    """What a ring does."""

    STOPPED = 0
    CHECKING = 1
    RUNNING = 2
    STOPPING = 3


class RingSetup(data.Struct):
    """What the host says of a ring. It is taken when the ring starts."""

    enable: 1
    """Run; 0: come to rest, indices stay."""
    reset: 1
    """Come to rest, then indices to 0 and errors forgotten, for as long as it is 1."""
    base: 64
    """Address of the first record, a multiple of the ring's size in bytes: so no burst crosses 4 KiB."""
    size: 5
    """Log2 of the number of records, 1 to 16."""
    index: 64
    """Address of the 8 bytes that the card's index is written to, a multiple of 8."""


class RingStatus(data.Struct):
    """What has become of a ring. An error stops it, until it is reset."""

    running: 1
    stopping: 1
    bus_error: 1
    """A response on the bus was an error."""
    bad_index: 1
    """The host's index says that there is more in the ring than the ring holds."""
    bad_setup: 1
    """It was to start with an address that is not aligned, or with an impossible size."""


class RingControl(wiring.Component):
    """What both rings have in common.

    Members
    -------
    setup : In(RingSetup)
    quiet : In(1)
        Nothing is under way. It may be up to 3 cycles late.
    bus_error, bad_index : In(1)
        An error, in this cycle.
    running : Out(1)
        New work may be begun.
    failed : Out(1)
        There was an error.
    failure : Out(1)
        The first error, in the cycle after it.
    clear : Out(1)
        Indices go to 0. Nothing is under way.
    base, index : Out(64)
        The addresses, as they were when the ring started.
    records, mask : Out(17), Out(16)
        How many records it has; the bits of a record's number in it.
    status : Out(RingStatus)

    A ring runs 3 cycles after ``enable``. It rests when nothing has been under way for 4 cycles.
    """

    setup: In(RingSetup)
    quiet: In(1)
    bus_error: In(1)
    bad_index: In(1)
    running: Out(1)
    failed: Out(1)
    failure: Out(1)
    clear: Out(1)
    base: Out(64)
    index: Out(64)
    records: Out(SIZE_BITS + 1)
    mask: Out(SIZE_BITS)
    status: Out(RingStatus)

    def elaborate(self, platform):
        m = Module()
        setup, status = self.setup, self.status
        state, size, masked, rest = Signal(State), Signal(5), Signal(), Signal(2)
        misaligned = (self.base[RECORD_BITS:][:SIZE_BITS] & self.mask).any() | self.base[:RECORD_BITS].any()
        m.d.comb += [
            self.running.eq(state == State.RUNNING),
            self.clear.eq((state == State.STOPPED) & setup.reset),
            self.failed.eq(status.bus_error | status.bad_index | status.bad_setup),
            status.running.eq(self.running),
            status.stopping.eq(state == State.STOPPING),
        ]
        known = Signal()
        m.d.sync += [known.eq(self.failed), masked.eq(state == State.CHECKING)]
        m.d.comb += self.failure.eq(self.failed & ~known)

        m.d.sync += rest.eq(0)
        with m.Switch(state):
            with m.Case(State.STOPPED):
                with m.If(setup.reset):
                    m.d.sync += [status.bus_error.eq(0), status.bad_index.eq(0), status.bad_setup.eq(0)]
                with m.Elif(setup.enable & ~self.failed):
                    m.d.sync += [
                        state.eq(State.CHECKING),
                        self.base.eq(setup.base),
                        self.index.eq(setup.index),
                        size.eq(setup.size),
                    ]
            with m.Case(State.CHECKING):
                m.d.sync += [
                    self.records.eq(Cat(size == bit for bit in range(SIZE_BITS + 1))),
                    self.mask.eq(Cat(size > bit for bit in range(SIZE_BITS))),
                ]
                with m.If(masked):
                    m.d.sync += state.eq(State.RUNNING)
                    with m.If(misaligned | self.index[:3].any() | (size == 0) | (size > SIZE_BITS)):
                        m.d.sync += [state.eq(State.STOPPED), status.bad_setup.eq(1)]
            with m.Case(State.RUNNING):
                with m.If(~setup.enable | setup.reset | self.failed):
                    m.d.sync += state.eq(State.STOPPING)
            with m.Case(State.STOPPING):
                with m.If(self.quiet):
                    m.d.sync += rest.eq(rest + 1)
                    with m.If(rest == 3):
                        m.d.sync += state.eq(State.STOPPED)
        with m.If((state == State.RUNNING) | (state == State.STOPPING)):
            with m.If(self.bus_error):
                m.d.sync += status.bus_error.eq(1)
            with m.If(self.bad_index):
                m.d.sync += status.bad_index.eq(1)
        return m
