"""Latencies counted on the card: a histogram of cycles, exact to the cycle."""

import itertools

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

BITS = 32
DRAIN = 8  # cycles after which a sample has left the pipeline, and some


class Totals(wiring.Component):
    """Number, sum, minimum and maximum of samples.

    Members
    -------
    sample, valid : In(32), In(1)
    clear : In(1)
        Begin anew. No sample in the same cycle or the one after.
    count : Out(32)
        Modulo 2^32, as the other counts of the histogram.
    sum : Out(64)
    minimum, maximum : Out(32)
        All ones and 0 if there was no sample.

    Latency 2 cycles, one sample per cycle.
    """

    sample: In(BITS)
    valid: In(1)
    clear: In(1)
    count: Out(BITS)
    sum: Out(2 * BITS)
    minimum: Out(BITS, init=(1 << BITS) - 1)
    maximum: Out(BITS)

    def elaborate(self, platform):
        m = Module()
        low, high = self.sum[:BITS], self.sum[BITS:]
        carry = Signal()
        m.d.sync += [carry.eq(0), high.eq(high + carry)]
        with m.If(self.valid):
            m.d.sync += [self.count.eq(self.count + 1), Cat(low, carry).eq(low + self.sample)]
            with m.If(self.sample < self.minimum):
                m.d.sync += self.minimum.eq(self.sample)
            with m.If(self.sample > self.maximum):
                m.d.sync += self.maximum.eq(self.sample)
        with m.If(self.clear):
            m.d.sync += [self.count.eq(0), self.sum.eq(0), self.minimum.eq(self.minimum.init), self.maximum.eq(0)]
        return m


class LatencyHistogram(wiring.Component):
    """How often each number of cycles occurred.

    A bucket is one cycle wide, and the last has all that is longer. Linear and not logarithmic: what it is for, 10 to 20
    cycles that are to be the same every time, needs every cycle told apart, where a logarithmic scale is coarse as soon as
    it is wide; 512 buckets are one block RAM and go up to 3.3 us. Of what is beyond, number, sum and maximum stay exact.

    Parameters
    ----------
    buckets : int
        A power of 2, 4 at least.

    Members
    -------
    i : In(stream of unsigned(32))
        Samples. ``ready`` is always high.
    snapshot : In(1)
        Freeze what was counted and begin anew. Ignored while ``busy``.
    busy : Out(1)
        A snapshot is being made.
    snapshots : Out(16)
        How many were made.
    count, sum, minimum, maximum : Out
        Of the samples in the snapshot, see :class:`Totals`.
    index, data : In(range(buckets)), Out(32)
        A bucket of the snapshot, 4 cycles later.

    One sample per cycle, for ever: there are two banks, samples go to one while the other stands still for the host. A
    snapshot clears the bank that stands still, ``buckets`` cycles, then lets the banks change places: no sample is
    lost and none is in two snapshots. Counts are modulo 2^32: at one sample per cycle a snapshot is due every 27 s.

    A sample is in its bucket 6 cycles after it came. Samples of one bucket that follow each other within 3 cycles do not
    see each other in the memory; they are counted together.
    """

    def __init__(self, buckets: int = 512):
        if buckets < 4 or buckets & (buckets - 1):
            raise ValueError(f"buckets is {buckets}, not a power of 2 from 4 on")
        self.buckets = buckets
        super().__init__(
            {
                "i": In(stream.Signature(BITS)),
                "snapshot": In(1),
                "busy": Out(1),
                "snapshots": Out(16),
                "count": Out(BITS),
                "sum": Out(2 * BITS),
                "minimum": Out(BITS),
                "maximum": Out(BITS),
                "index": In(range(buckets)),
                "data": Out(BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        buckets = self.buckets
        bits = (buckets - 1).bit_length()

        # A snapshot: sweep the bank that stands still, change places, wait for what is still on its way to the old one.
        active, sweeping, at, drain = Signal(), Signal(), Signal(range(buckets)), Signal(range(DRAIN + 1))
        m.d.comb += self.busy.eq(sweeping | (drain != 0))
        with m.If(sweeping):
            m.d.sync += at.eq(at + 1)
            with m.If(at == buckets - 1):
                m.d.sync += [sweeping.eq(0), active.eq(~active), drain.eq(DRAIN)]
        with m.Elif(drain != 0):
            m.d.sync += drain.eq(drain - 1)
            with m.If(drain == 1):
                m.d.sync += self.snapshots.eq(self.snapshots + 1)
        with m.Elif(self.snapshot):
            m.d.sync += sweeping.eq(1)

        # A sample's way: sample, bucket (read), value out of the memory, value kept, sum (written), and two cycles more
        # that it is remembered. It takes its bank with it.
        sample, valid, bank = Signal(BITS), Signal(), Signal()
        m.d.comb += self.i.ready.eq(1)
        m.d.sync += [sample.eq(self.i.payload), valid.eq(self.i.valid), bank.eq(active)]
        READ, OUT, KEPT, WRITE = range(4)
        bucket = [Signal(range(buckets), name=f"bucket_{n}") for n in range(4)]
        counts = [Signal(name=f"counts_{n}") for n in range(4)]
        banks = [Signal(name=f"bank_{n}") for n in range(4)]
        over = sample[bits:].any()
        m.d.sync += [
            bucket[READ].eq(sample[:bits] | over.replicate(bits)),
            counts[READ].eq(valid),
            banks[READ].eq(bank),
        ]
        for row in (bucket, counts, banks):
            m.d.sync += [later.eq(each) for each, later in itertools.pairwise(row)]

        # What the memory does not have yet: of the two samples before, each adds 1; of the third before the sum is being
        # written while it is read, so it is taken from there.
        def same(other):
            return counts[other] & (Cat(bucket[other], banks[other]) == Cat(bucket[READ], banks[READ]))

        first, second, third = Signal(), Signal(), Signal()
        extra, replaced, total, totals = Signal(2), Signal(), Signal(BITS), [Signal(BITS, name=f"total_{n}") for n in (1, 2)]
        m.d.sync += [
            first.eq(same(OUT)),
            second.eq(same(KEPT)),
            third.eq(same(WRITE)),
            extra.eq(1 + first + second),
            replaced.eq(third),
            totals[0].eq(total),
            totals[1].eq(totals[0]),
        ]

        index, kept = Signal.like(self.index), [Signal(BITS, name=f"kept_{n}") for n in range(2)]
        frozen = []
        m.d.sync += index.eq(self.index)
        for number in range(2):
            m.submodules[f"bank_{number}"] = storage = memory.Memory(shape=BITS, depth=buckets, init=[])
            m.submodules[f"totals_{number}"] = tally = Totals()
            look, store = storage.read_port(), storage.write_port()
            write = counts[WRITE] & (banks[WRITE] == number)
            m.d.comb += [
                look.addr.eq(Mux(banks[READ] == number, bucket[READ], index)),
                store.en.eq(write | (sweeping & (active != number))),
                store.addr.eq(Mux(write, bucket[WRITE], at)),
                store.data.eq(Mux(write, total, 0)),
                tally.sample.eq(sample),
                tally.valid.eq(valid & (bank == number)),
                tally.clear.eq(sweeping & (active != number)),
            ]
            m.d.sync += kept[number].eq(look.data)
            frozen.append(Cat(tally.count, tally.sum, tally.minimum, tally.maximum))
        m.d.sync += [
            total.eq(Mux(replaced, totals[1], Mux(banks[KEPT], kept[1], kept[0])) + extra),
            self.data.eq(Mux(active, kept[0], kept[1])),
            Cat(self.count, self.sum, self.minimum, self.maximum).eq(Mux(active, frozen[0], frozen[1])),
        ]
        return m
