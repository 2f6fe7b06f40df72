"""TCP's packets that are not acknowledged: none is lost, overwritten or sent again as another."""

from types import SimpleNamespace

from amaranth.hdl import Array, Assert, Assume, Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hw.formal.harness import Open, when
from hw.formal.tcp import Line, packet_length
from hw.tcp.replay import Replay
from hw.tcp.segment import LONGEST_PACKET
from hw.tcp.template import SOUP_LENGTH_BYTES

SLOTS = 4
SLOT_BITS = 2
CLEARED = 4
"""Cycles for which the engine holds ``clear`` at least."""


def reaches(one: Value, other: Value) -> Value:
    """A sequence number is not before another, modulo 2^32."""
    return ~(one - other)[31]


def within(start: Value, end: Value, most: int) -> Value:
    """From one sequence number to another there are 0 to so many bytes, modulo 2^32."""
    return (end - start)[:32] <= most


class OpenReplay(Open, Replay):
    """The ring, open to the proof."""


class KeptUntilAcknowledged(wiring.Component):
    """The ring with four slots; packets, acknowledgements, requests to send again and new connections are free.

    Asserted, for every sequence of inputs, unbounded:

    - a packet goes into a slot whose last one was acknowledged
    - what is asked to be sent again is a packet that was kept: its slot, sequence number, length and sum
    - packets that are sent again follow each other from the oldest that is not acknowledged, without a hole but for what was
      acknowledged meanwhile
    - when all were to be sent again and nothing is left of it, all that had been kept then was sent or acknowledged

    Assumed, as the engine has it: a frame is being built for 7 cycles or more, one at a time, and its packet is kept when it is
    done; a packet begins when ``room``, a register behind, says so; what is acknowledged was accepted, and is never less than
    before; ``clear`` is held for 4 cycles, comes to its end when no frame is being built, and nothing is accepted or asked
    for while it lasts; the oldest packet alone is asked for when all that was to be sent again is acknowledged
    (:class:`hw.tcp.recovery.Recovery`).

    Parameters
    ----------
    mutation : str, optional
        ``room``: a packet comes when there is no room. ``late``: the card takes what was sent for acknowledged. ``length``: a
        packet is kept with another length. ``oldest``: the oldest alone is sent again, not all. Each must be caught.
    """

    MUTATIONS = ("room", "late", "length", "oldest")

    def __init__(self, mutation: str | None = None):
        if mutation is not None and mutation not in self.MUTATIONS:
            raise ValueError(f"{mutation!r} is no mutation of this proof")
        self.mutation = mutation
        bits = ("offered", "may", "idle", "take", "resend_all", "resend_first", "fin", "clear")
        super().__init__(
            {**{name: In(1) for name in bits}, "data": In(64), "sum": In(16), "acknowledged": In(32), "start": In(32)}
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.replay = replay = OpenReplay(SLOTS)
        m.submodules.line = line = Line()
        x, mutation, clear = replay.inside, self.mutation, self.clear

        # -- what is around the ring ---------------------------------------------------------------------------------
        opened, ended, kept, kept_slot = Signal(), Signal(), Signal(), Signal(SLOT_BITS)
        written, acknowledged, cleared = Signal(32), Signal(32), Signal(range(CLEARED + 1))
        m.d.sync += [
            opened.eq((replay.room | (mutation == "room")) & self.may & ~clear),
            kept.eq(line.done),
            acknowledged.eq(self.acknowledged),
            cleared.eq(Mux(clear, Mux(cleared == CLEARED, CLEARED, cleared + 1), 0)),
        ]
        taken, length = Signal(), Signal(7)
        m.d.comb += [
            line.offered.eq(self.offered & ~clear & ~ended),
            line.data.eq(self.data),
            line.may.eq(opened),
            line.idle.eq(self.idle),
            taken.eq(line.taken),
            length.eq(packet_length(self.data)),
        ]
        resending = Signal()  # all that were kept, and not all of them are acknowledged
        m.d.comb += [
            Assume((cleared == 0) | (cleared == CLEARED) | clear),
            Assume((cleared == 0) | clear | ~(line.busy | kept)),
            Assume(~(clear & (self.resend_all | self.resend_first))),
            Assume(~(resending & self.resend_first)),
            replay.clear.eq(clear),
            replay.start.eq(self.start),
            replay.accepted.eq(line.accepted),
            replay.kept.eq(kept),
            replay.kept_slot.eq(kept_slot),
            replay.kept_length.eq(line.length ^ (mutation == "length")),
            replay.kept_sum.eq(self.sum),
            replay.acknowledged.eq(written if mutation == "late" else acknowledged),
            replay.resend_all.eq(self.resend_all & (mutation != "oldest")),
            replay.resend_first.eq(self.resend_first | (self.resend_all & (mutation == "oldest"))),
            replay.request_taken.eq(self.take & replay.request_valid),
        ]
        with m.If(taken):
            m.d.sync += kept_slot.eq(replay.slot)
        with m.If(self.fin & ~clear & ~line.busy & ~taken):
            m.d.sync += ended.eq(1)

        # -- what was written, counted apart -------------------------------------------------------------------------------
        starts, ends, sums = (
            Array(Signal(width, name=f"{name}_{n}") for n in range(SLOTS))
            for name, width in (("start", 32), ("end", 32), ("sum", 16))
        )
        building, kept_end = Signal(), Signal(32)  # a packet that was taken is not in the ring yet; where that ends
        used, done = Signal(SLOTS), Signal(SLOTS)  # a slot has had a packet; and that was acknowledged
        m.d.sync += [done[n].eq(done[n] | reaches(acknowledged, ends[n])) for n in range(SLOTS)]
        with m.If(kept):
            m.d.sync += [building.eq(0), kept_end.eq(ends[kept_slot]), sums[kept_slot].eq(self.sum)]
        with m.If(taken):
            m.d.sync += [
                building.eq(1),
                written.eq(written + length),
                starts[replay.slot].eq(written),
                ends[replay.slot].eq(written + length),
                used.bit_select(replay.slot, 1).eq(1),
                done.bit_select(replay.slot, 1).eq(0),
            ]
        with m.If(clear):
            m.d.sync += [
                building.eq(0),
                written.eq(self.start),
                kept_end.eq(self.start),
                acknowledged.eq(self.start),
                ended.eq(0),
                used.eq(0),
            ]
        m.d.comb += [
            Assume(clear | reaches(self.acknowledged, acknowledged)),
            Assume(clear | within(self.acknowledged, written + ended, SLOTS * LONGEST_PACKET + 1)),
        ]

        # -- what is to be shown ---------------------------------------------------------------------------------------------
        at, sequence = replay.request_slot, replay.request_sequence
        frontier, goal = Signal(32), Signal(32)
        behind = (sequence + replay.request_length)[:32]
        with m.If(x.round_begins):
            m.d.sync += frontier.eq(acknowledged)
        with m.Elif(replay.request_taken):
            m.d.sync += frontier.eq(behind)
        with m.If(self.resend_all):
            m.d.sync += [resending.eq(~reaches(acknowledged, kept_end)), goal.eq(kept_end)]
        with m.Elif(reaches(acknowledged, goal)):
            m.d.sync += resending.eq(0)
        with m.If(clear):
            m.d.sync += resending.eq(0)
        waiting = x.all_later | x.all_wanted
        m.d.comb += [
            *when(taken, ~used.bit_select(replay.slot, 1) | done.bit_select(replay.slot, 1)),
            *when(
                replay.request_valid & (cleared == 0),
                used.bit_select(at, 1),
                sequence == starts[at],
                behind == ends[at],
                replay.request_sum == sums[at],
                reaches(acknowledged, sequence) | reaches(frontier, sequence),
            ),
            *when(
                resending & ~replay.resending & ~waiting & (cleared == 0),
                reaches(acknowledged, goal) | reaches(frontier, goal),
            ),
        ]
        self._stands_on(
            m, replay, line,
            SimpleNamespace(
                live=(cleared == 0) | ~clear, cleared=cleared, opened=opened, ended=ended, kept=kept, kept_slot=kept_slot,
                written=written, acknowledged=acknowledged, starts=starts, ends=ends, sums=sums, used=used, done=done,
                building=building, kept_end=kept_end, frontier=frontier, goal=goal, resending=resending, waiting=waiting,
            ),
        )  # fmt: skip
        return m

    def _stands_on(self, m, replay, line, s):
        """What makes them inductive: the ring's registers, by what was written."""
        x, live, most = replay.inside, s.live, SLOTS * LONGEST_PACKET
        at, sequence, again = replay.request_slot, replay.request_sequence, live & (x.left != 0)
        last = (at + x.left - 1)[:SLOT_BITS]
        kept = Signal(2)  # in the cycles before
        m.d.sync += kept.eq(Cat(s.kept, kept))
        m.d.comb += [
            # Where packets are.
            *when(live, x.count + s.building <= SLOTS),
            *when(live, s.building == (line.busy | s.kept)),
            *when(live, replay.slot == (x.oldest + x.count + s.building - line.accepted)[:SLOT_BITS]),
            *when(live & s.building, s.kept_slot == (x.oldest + x.count)[:SLOT_BITS], s.used.bit_select(s.kept_slot, 1)),
            *when(live & s.building, s.starts[s.kept_slot] == s.kept_end, s.ends[s.kept_slot] == s.written),
            *when(live & s.building, (s.written - s.kept_end)[:32] == line.length),
            *when(live & ~s.building, s.written == s.kept_end),
            *when(live & (x.count == 0), s.kept_end == x.oldest_sequence),
            *when(live & (x.count != 0), s.starts[x.oldest] == x.oldest_sequence),
            Assert((line.length >= SOUP_LENGTH_BYTES + 1) | ~s.building),
            Assert(line.length <= LONGEST_PACKET),
            Assert(~s.building | ~s.ended | s.kept),
            *when(live, within(x.oldest_sequence, s.written, most)),
            *when(live, within(x.oldest_sequence, s.acknowledged, most + 1)),
            *when(live, within(s.acknowledged, s.written + s.ended, most + 1)),
            # A frame takes its time.
            *when(line.accepted, line.busy, line.left == line.cycles - 1),
            *when(s.kept, ~line.busy, kept == 0),
            *when(kept[0], ~line.busy | (line.left == line.cycles - 1), ~kept[1]),
            *when(kept[1], ~line.busy | (line.left >= line.cycles - 2)),
            # Room is for one more than was in the ring two cycles ago.
            *when(live & replay.room, x.count <= SLOTS - 2 + kept[0]),
            *when(live & s.opened, x.count <= SLOTS - 2 + kept[0] + kept[1]),
            # The oldest.
            *when(live & x.measured, x.count != 0, x.oldest_end == s.ends[x.oldest]),
            *when(x.compared, x.measured | ~live),
            *when(
                live & x.measured & x.compared & x.passed,
                reaches(s.acknowledged, x.oldest_end),
                s.done.bit_select(x.oldest, 1),
            ),
            # What is to be sent again.
            *when(live & x.known, x.left != 0),
            *when(live & x.known, replay.request_length == (s.ends[at] - s.starts[at])[:32]),
            *when(live & x.known, replay.request_sum == s.sums[at]),
            *when(again, (at - x.oldest)[:SLOT_BITS] + x.left <= x.count),
            *when(again, sequence == s.starts[at]),
            *when(again, reaches(s.acknowledged, sequence) | reaches(s.frontier, sequence)),
            *when(again, within(s.frontier - most, s.ends[last], 2 * most)),
            *when(
                live & s.resending,
                within(s.acknowledged - 2 * most, s.goal, 4 * most),
                within(s.goal, s.kept_end, most),
            ),
            *when(live & s.resending & ~s.waiting, ~x.first_wanted),
            *when(live & s.resending & x.first_later, x.all_later),
            *when(live & s.resending & ~s.waiting & (x.left != 0), reaches(s.ends[last], s.goal)),
            *when(live & s.resending & ~s.waiting & (x.left == 0), within(s.goal, s.frontier, most)),
        ]
        # What is looked up.
        slot = Mux(x.for_oldest, x.oldest, at)
        looking = x.ongoing["READ"] | x.ongoing["KEEP"] | x.ongoing["USE"]
        m.d.comb += [
            *when(live & looking & x.for_oldest, ~x.measured, x.count != 0),
            *when(live & looking & ~x.for_oldest, ~x.known, x.left != 0),
        ]
        for n in range(SLOTS):
            look = x.descriptions.read_port(domain="comb")
            replay.module.d.comb += look.addr.eq(n)
            described = Value.cast(look.data)
            place = (n - x.oldest)[:SLOT_BITS]
            behind = (n + 1) % SLOTS
            m.d.comb += [
                *when(
                    live & (place < x.count),
                    s.used[n],
                    look.data.length == (s.ends[n] - s.starts[n])[:32],
                    look.data.sum == s.sums[n],
                    look.data.length >= SOUP_LENGTH_BYTES + 1,
                    look.data.length <= LONGEST_PACKET,
                ),
                *when(live & s.used[n] & (place >= x.count + s.building), s.done[n]),
                *when(live & (place + 1 < x.count), s.starts[behind] == s.ends[n]),
                *when(live & (place + 1 == x.count), s.ends[n] == s.kept_end),
                *when(live & x.ongoing["KEEP"] & (slot == n), Value.cast(x.look_up.data) == described),
                *when(live & x.ongoing["USE"] & (slot == n), Value.cast(x.looked_up) == described),
            ]
        # A ring that is cleared.
        m.d.comb += [
            Assert(s.cleared <= CLEARED),
            *when(
                s.cleared != 0,
                x.count == 0,
                replay.slot == 0,
                x.oldest == 0,
                x.oldest_sequence == s.written,
                ~x.measured,
                x.left == 0,
                ~x.known,
                ~x.all_wanted,
                ~x.first_wanted,
                ~s.building,
                ~s.resending,
                ~line.accepted,
                ~s.opened,
                ~s.ended,
                s.acknowledged == s.written,
                s.kept_end == s.written,
            ),
            *when(s.cleared >= 2, ~x.all_later, ~x.first_later, ~x.ongoing["READ"]),
            *when(s.cleared >= 3, ~x.ongoing["KEEP"]),
            *when(s.cleared >= CLEARED, ~x.ongoing["USE"]),
        ]
