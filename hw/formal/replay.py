"""TCP's packets that are not acknowledged: none is lost, overwritten or sent again as another."""

from amaranth.hdl import Array, Assert, Assume, Module, Mux, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hw.tcp.replay import Replay

SLOTS = 4
SETTLES = 2
"""Cycles from a kept packet until ``room`` is right; the engine leaves more."""


class KeptUntilAcknowledged(wiring.Component):
    """The ring with four slots; packets, their lengths, acknowledgements and requests to send again are free.

    A packet comes when there is room and none is being built, which takes any time; what is acknowledged grows and was sent. That is assumed, with one
    connection from power on. Asserted: a packet goes into a slot whose last one was acknowledged; what is to be sent again has the
    sequence number, length and sum of the packet that was kept in its slot; and packets that are sent again follow each other,
    without a hole but for what was acknowledged meanwhile, from the oldest that is not.

    Parameters
    ----------
    mutation : str, optional
        ``room``: a packet comes when there is no room. ``late``: the card takes what was sent for acknowledged. ``length``: a packet
        is kept with another length. Each must be caught.
    """

    MUTATIONS = ("room", "late", "length")

    def __init__(self, mutation: str | None = None):
        if mutation is not None and mutation not in self.MUTATIONS:
            raise ValueError(f"{mutation!r} is no mutation of this proof")
        self.mutation = mutation
        bits = ("offered", "built", "take", "resend_all", "resend_first")
        super().__init__({**{name: In(1) for name in bits}, "length": In(7), "sum": In(4), "acknowledged": In(32)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.replay = replay = Replay(SLOTS)
        mutation = self.mutation
        building, left, accepted, kept = Signal(), Signal(range(SETTLES + 1)), Signal(), Signal()
        slot, written, acknowledged = Signal(range(SLOTS)), Signal(32), Signal(32)
        room = 1 if mutation == "room" else replay.room
        m.d.comb += [
            Assume(~ResetSignal()),
            Assume((self.length >= 3) & (self.length <= 64)),
            Assume((self.acknowledged >= acknowledged) & (self.acknowledged <= written)),
            accepted.eq(self.offered & room & ~building & (left == 0)),
            kept.eq(self.built & building),
            replay.accepted.eq(accepted),
            replay.kept.eq(kept),
            replay.kept_slot.eq(slot),
            replay.kept_length.eq(self.length ^ 1 if mutation == "length" else self.length),
            replay.kept_sum.eq(self.sum),
            replay.acknowledged.eq(written if mutation == "late" else acknowledged),
            replay.resend_all.eq(self.resend_all),
            replay.resend_first.eq(self.resend_first),
            replay.request_taken.eq(self.take & replay.request_valid),
        ]
        m.d.sync += [
            acknowledged.eq(self.acknowledged),
            building.eq((building | accepted) & ~kept),
            left.eq(Mux(kept, SETTLES, Mux(left != 0, left - 1, 0))),
        ]
        with m.If(accepted):
            m.d.sync += slot.eq(replay.slot)

        starts, ends, sums, used = (
            Array(Signal(width, name=f"{name}_{n}") for n in range(SLOTS))
            for name, width in (("start", 32), ("end", 32), ("sum", 4), ("used", 1))
        )
        with m.If(kept):
            m.d.sync += [
                written.eq(written + self.length),
                starts[slot].eq(written),
                ends[slot].eq(written + self.length),
                sums[slot].eq(self.sum),
                used[slot].eq(1),
            ]
            m.d.comb += Assert(~used[slot] | (ends[slot] <= acknowledged))
        at, covered, asked = replay.request_slot, Signal(32), Signal()
        with m.If(replay.request_taken):
            m.d.sync += covered.eq(replay.request_sequence + replay.request_length)
        with m.If(self.resend_all | self.resend_first):
            m.d.sync += asked.eq(1)
        with m.Elif(replay.request_taken):
            m.d.sync += asked.eq(0)
        with m.If(replay.request_valid):
            m.d.comb += [
                Assert(used[at]),
                Assert(replay.request_sequence == starts[at]),
                Assert(replay.request_length == (ends[at] - starts[at])[:7]),
                Assert(replay.request_sum == sums[at]),
                Assert(
                    (replay.request_sequence <= acknowledged) | (~asked & (replay.request_sequence == covered))
                ),
            ]
        return m
