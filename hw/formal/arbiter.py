"""The arbiter: every sequence number once and in order, and a gap that is told."""

from types import SimpleNamespace

from amaranth.hdl import Assert, Assume, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hw.arbiter.arbiter import HOLDS, PORTS, Arbiter
from hw.formal.harness import Open, stands, unless, when
from hw.items import ItemKind
from hw.net.port import BUFFERS
from hw.one_hot import lowest
from wire.moldudp64 import END_OF_SESSION, HEARTBEAT, MOST_MESSAGES
from wire.records import HOLD_SLOTS, SET_FEED, Opcode

BEFORE_TAKEN = ("HANDLE", "JOINED", "CLASSIFY", "ALIVE", "HEARD", "RANK", "STORE")
"""States with a packet in hand whose time is known."""

CLOCK = ("COMPARE", "STAMP", "ELAPSED", "EXPIRED", "TIMER", "GAP")
DRAINING = ("SCAN", "DRAIN")
SENDING = ("GAP", "JOINED", "ALIVE", "WHOLE", "TICK", "RESUMED", "COMMAND")
"""States that send the item of their name."""

FOLLOWED_BY = dict(zip(SENDING, ("HANDLE", "CLASSIFY", "HEARD", "DONE", "IDLE", "SCAN", "IDLE"), strict=True))
"""What comes when the item has gone, a cycle later."""

AFTER = ("SETTLE", "WAIT", "WHOLE", "DONE")
EMPTYING = ("EMPTY", "EMPTYING", "CONFIGURE")
RESUMING = ("RESUME", "RAISE", "RESUMED")


def is_data(packet) -> Value:
    """A packet that is there to bring messages."""
    return (packet.count != HEARTBEAT) & (packet.count != END_OF_SESSION)


def holds_messages(packet) -> Value:
    """Of a packet that has some: how many at most, and numbers that do not come round."""
    return ~packet.sequence[-1] & (packet.end > packet.sequence) & (packet.end <= packet.sequence + MOST_MESSAGES)


def well_formed(packet) -> Value:
    """What a port guarantees of a packet."""
    return Mux(
        is_data(packet),
        holds_messages(packet) & (packet.end == packet.sequence + packet.count),
        ~packet.sequence[-1] & (packet.end == packet.sequence),
    )


class OpenArbiter(Open, Arbiter):
    """The arbiter, open to the proof."""


class OnceAndInOrder(wiring.Component):
    """The arbiter; its ports and its source of commands keep to the rules of streams, packets, commands and time are free.

    Asserted, for every sequence of inputs, unbounded:

    - a message's ``cause`` is the number behind the last message's, or the one that JOINED, RESUMED or SET_FEED named; and
      the message is the one with this number in its packet, whichever buffer of whichever port that is in
    - a buffer is given back once, when all of it was played or seen, or it is counted as dropped, or SET_FEED empties it
    - GAP begins at the number that is due and has what is missing; it comes before a packet or TICK is taken if, and only if,
      something is missing and nothing of it came for ``hold_ns``: semantics, section 2, written apart
    - WHOLE comes once nothing is missing any more, and does: at rest nothing is recovered that is whole
    - at rest no packet with the message that is due is in a hold slot

    Assumed of a port, as :class:`hw.net.port.FeedPort` has it: a packet stands until it is taken; it has 1 to 102 messages from
    ``sequence``, which is below 2^63, to ``end``, or none if it is a heartbeat or ends the session; its buffer is not offered
    again before it is given back; ``message`` is what was read 2 steps before. At ``control``: TICK or COMMAND, which stands.

    Parameters
    ----------
    mutation : str, optional
        ``silent``: the arbiter goes on at a later packet without a word. ``head``: of a packet that was held the messages that
        were seen are played again. ``again``: its slot is not freed. ``increment``: what is expected behind it is one too
        far. ``untold``: a gap is not told. ``passed_over``: the last slot is not looked at. ``hasty``: a packet that was seen is
        thrown away, without a look at the time, behind one that was just found to be ahead. Each must be caught.
    """

    MUTATIONS = ("silent", "head", "again", "increment", "untold", "passed_over", "hasty")

    def __init__(self, mutation: str | None = None):
        if mutation is not None and mutation not in self.MUTATIONS:
            raise ValueError(f"{mutation!r} is no mutation of this proof")
        self.mutation = mutation
        self.arbiter = OpenArbiter()
        members = self.arbiter.signature.members
        super().__init__(
            {
                "packets": members["packets"],
                "control": members["control"],
                "ready": In(1),
                "port": In(range(PORTS)),
                "buffer": In(range(BUFFERS)),
                "other": In(64).array(PORTS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        arbiter = self.arbiter
        m.submodules.arbiter = arbiter
        x = arbiter.inside
        o, item = arbiter.o, arbiter.o.payload
        feed = item.payload.feed
        mutation = self.mutation

        def among(*states) -> Value:
            """In one of the states; a state whose item has gone counts as the one that follows."""
            there = [x.ongoing[each] & ~x.gone if each in SENDING else x.ongoing[each] for each in states]
            return Cat(there, (x.ongoing[each] & x.gone for each in SENDING if FOLLOWED_BY[each] in states)).any()

        # -- the arbiter's surroundings: ports and commands -------------------------------------------------------------
        wiring.connect(m, wiring.flipped(self.control), arbiter.control)
        control = self.control.payload
        command = control.payload.command
        sets_feed = SET_FEED.bits(command, "opcode") == Opcode.SET_FEED
        is_command, number_given = control.kind == ItemKind.COMMAND, SET_FEED.bits(command, "start_sequence")
        m.d.comb += [
            arbiter.o.ready.eq(self.ready),
            Assume(stands(m, self.control.valid, self.control.ready, Value.cast(control))),
            Assume(~self.control.valid | (control.kind == ItemKind.TICK) | is_command),
        ]
        for n, port in enumerate(self.packets):
            wiring.connect(m, wiring.flipped(port), arbiter.packets[n])
            m.d.comb += [
                Assume(stands(m, port.valid, port.ready, Value.cast(port.payload))),
                Assume(~port.valid | well_formed(port.payload)),
            ]

        # -- one buffer of one port, whichever it is ---------------------------------------------------------------------
        begun, watched = Signal(), Cat(self.port, self.buffer)
        before = Signal(len(watched))
        m.d.sync += [begun.eq(1), before.eq(watched)]
        m.d.comb += [
            Assume(~begun | (watched == before)),
            Assume(self.port < PORTS),
            Assume(self.buffer < BUFFERS),
        ]
        owned, base, end = Signal(), Signal(64), Signal(64)
        is_port = Signal(PORTS)
        m.d.comb += is_port.eq(Const(1) << self.port)
        given = Signal()
        for n, port in enumerate(self.packets):
            offered = Signal(name=f"offered_{n}")
            m.d.comb += [
                offered.eq(is_port[n] & port.valid & is_data(port.payload) & (port.payload.buffer == self.buffer)),
                Assume(~(offered & owned)),
            ]
            with m.If(offered & port.ready):
                m.d.sync += [owned.eq(1), base.eq(port.payload.sequence), end.eq(port.payload.end)]
            with m.If(is_port[n] & arbiter.give_back[n] & (arbiter.give_back_buffer[n] == self.buffer)):
                m.d.comb += given.eq(1)
        with m.If(given):
            m.d.sync += owned.eq(0)
        dropped, emptied = Signal(), Signal()
        m.d.sync += [dropped.eq(arbiter.count_packets_dropped), emptied.eq(among("EMPTYING"))]
        m.d.comb += when(given, owned, (end <= x.expected) | dropped | emptied)

        # What is read from it: number and mark, two steps later; of all others no mark, and anything.
        reads = Signal()
        m.d.comb += reads.eq((Cat(arbiter.read) & is_port).any() & (arbiter.read_buffer == self.buffer))
        marked, its_number = [reads], [(base + arbiter.read_number)[:64]]
        for n in range(1, 3):
            marked.append(Signal(name=f"marked_{n}"))
            its_number.append(Signal(64, name=f"its_number_{n}"))
            with m.If(arbiter.read_advance):
                m.d.sync += [marked[n].eq(marked[n - 1]), its_number[n].eq(its_number[n - 1])]
        chosen = Signal(PORTS)
        m.d.sync += chosen.eq(Cat(arbiter.read))
        for n in range(PORTS):
            own = is_port[n] & marked[2]
            with m.If(chosen[n]):
                m.d.comb += [
                    arbiter.message[n].reference.eq(Mux(own, its_number[2], self.other[n])),
                    arbiter.message[n].printable.eq(own),
                ]
        m.d.comb += when(x.reading, (Cat(arbiter.read) & (Cat(arbiter.read) - 1)) == 0, Cat(arbiter.read) != 0)

        # -- what the semantics say, by what goes in and comes out --------------------------------------------------------
        following, highest, told, recovering = Signal(64), Signal(64), Signal(), Signal()
        last, since, current, hold = Signal(64), Signal(64), Signal(64), Signal(64)
        taken, stamp, now, its_end = Signal(), Signal(64), Signal(64), Signal(64)
        takes_packet = Signal(PORTS)
        for n, port in enumerate(self.packets):
            m.d.comb += takes_packet[n].eq(port.valid & port.ready)
            with m.If(takes_packet[n]):
                m.d.comb += [taken.eq(1), stamp.eq(port.payload.stamp), its_end.eq(port.payload.end)]
        m.d.comb += Assert((takes_packet & (takes_packet - 1)) == 0)
        goes = o.valid & o.ready
        with m.If(goes & (item.kind == ItemKind.TICK)):
            m.d.comb += [taken.eq(1), stamp.eq(control.stamp), Assert(~takes_packet.any())]
        missing, due = Signal(), Signal()
        m.d.comb += [
            now.eq(Mux(stamp > last, stamp, last)),
            missing.eq(x.expected != highest),
            due.eq(missing & ((now - since)[:64] >= hold)),
        ]
        with m.If(taken):
            m.d.sync += [last.eq(now), current.eq(now), told.eq(0)]
            with m.If(due | ~missing):
                m.d.sync += since.eq(now)
            with m.If(its_end > highest):
                m.d.sync += highest.eq(its_end)
        with m.If(goes):
            with m.Switch(item.kind):
                with m.Case(ItemKind.MESSAGE):
                    m.d.sync += [following.eq(following + 1), since.eq(current)]
                with m.Case(ItemKind.GAP):
                    m.d.comb += [Assert(~told), Assert(feed.first == following), Assert(feed.repeat == recovering)]
                    m.d.comb += Assert(feed.count == (highest - following)[:64])
                    m.d.sync += [told.eq(1), recovering.eq(1)]
                with m.Case(ItemKind.WHOLE):
                    m.d.comb += [Assert(recovering), Assert(following == highest)]
                    m.d.sync += recovering.eq(0)
                with m.Case(ItemKind.JOINED):
                    m.d.sync += [following.eq(feed.first), highest.eq(feed.first)]
                with m.Case(ItemKind.RESUMED):
                    m.d.comb += Assert(feed.first == Mux(number_given > following, number_given, following))
                    m.d.sync += [following.eq(feed.first), recovering.eq(0), current.eq(control.stamp)]
                    with m.If(feed.first > highest):
                        m.d.sync += highest.eq(feed.first)
                    with m.If(feed.first != following):
                        m.d.sync += since.eq(control.stamp)
                with m.Case(ItemKind.COMMAND), m.If(sets_feed):
                    m.d.sync += [
                        following.eq(number_given),
                        highest.eq(number_given),
                        recovering.eq(0),
                        hold.eq(SET_FEED.bits(command, "hold_ns")),
                    ]
        with m.If(o.valid & (item.kind == ItemKind.MESSAGE)):
            m.d.comb += [
                Assert(arbiter.played),
                Assert(item.cause == following),
                *when(arbiter.played_message.printable, arbiter.played_message.reference == item.cause),
            ]
        # At rest the feed is whole, or the host knows it is not.
        m.d.comb += when(among("IDLE") & recovering, missing)

        s = SimpleNamespace(
            among=among, following=following, highest=highest, missing=missing, told=told, recovering=recovering, last=last,
            since=since, current=current, hold=hold, taken=taken, now=now, base=base, end=end, owned=owned, given=given,
            reads=reads, marked=marked, its_number=its_number, chosen=chosen, is_port=is_port, sets_feed=sets_feed,
            is_command=is_command, number_given=number_given,
        )  # fmt: skip
        self._messages(m, x, s)
        self._states(m, x, s)
        self._time(m, x, s)
        self._slots(m, x, s)
        m.d.comb += when(taken, told == due)
        if mutation is not None:
            self._mutate(arbiter.module, x)
        return m

    def _messages(self, m, x, s):
        """Where messages are on their way, their numbers are those that are due."""
        read, start = Signal(64), Signal(64)  # ``start`` is the number of the packet's first message
        with m.If(s.among("IDLE") & ~x.reading):
            m.d.sync += start.eq(x.head.sequence)
        with m.If(s.among("DRAIN") & ~x.reading):
            m.d.sync += start.eq(x.judged.sequence)
        passed = x.slice.o.valid + x.slice.full
        m.d.comb += [
            read.eq(x.cause + x.on_the_way[0] + x.on_the_way[1] + passed),
            *when(x.behind, x.cause == s.following, s.among("IDLE", *DRAINING), x.joined),
            *when(x.reading, x.number <= x.last_number, read == (start + x.number)[:64]),
            *when(x.reading, x.expected == (start + x.last_number + 1)[:64]),
            *when(x.behind & ~x.reading, read == x.expected),
            *when(x.slice.full, x.slice.o.valid),
            *when(x.reading & s.reads, s.owned, s.base == start, s.end == x.expected),
            *when(x.on_the_way[0] & s.marked[1], s.its_number[1] == (x.cause + x.on_the_way[1] + passed)[:64]),
            *when(x.on_the_way[1] & s.marked[2], s.its_number[2] == (x.cause + passed)[:64]),
            *when(x.slice.full & x.slice.spare.printable, x.slice.spare.reference == (x.cause + 1)[:64]),
        ]
        # The port whose message comes is the one that is s.chosen.
        m.d.comb += when(x.on_the_way.any(), s.chosen == x.playing)
        for n in range(2):
            m.d.comb += when(x.on_the_way[n] & s.marked[n + 1], x.playing == s.is_port)
        m.d.comb += when(x.on_the_way.any() | x.reading, (x.playing & (x.playing - 1)) == 0, x.playing != 0)

    def _states(self, m, x, s):
        """What is in hand, state by state."""
        control, command_states = self.control, s.among(*EMPTYING, *RESUMING, "COMMAND")
        m.d.comb += [
            *when(s.among("CONTROL", "TICK") | command_states, control.valid, ~x.from_port),
            *when(command_states, s.is_command),
            *when(s.among("TICK"), ~s.is_command),
            *when(s.among(*EMPTYING), s.sets_feed, x.packet.sequence == s.number_given, x.packet.end == s.number_given),
            *when(s.among(*RESUMING), x.packet.stamp == control.payload.stamp),
            *when(s.among(*RESUMING), ~s.sets_feed, x.packet.sequence == s.number_given, x.packet.end == s.number_given),
            *when(
                s.among(*CLOCK, "HANDLE") & ~x.from_port, control.valid, ~s.is_command, x.packet.stamp == control.payload.stamp
            ),
            *when(s.among(*DRAINING, *AFTER) & ~x.from_port, control.valid, s.is_command, ~s.sets_feed),
            *when(s.among("TICK"), x.packet.stamp == control.payload.stamp),
            *when(s.among(*BEFORE_TAKEN) & ~s.among("HANDLE"), x.from_port, x.joined),
            *when(s.among("RANK", "STORE"), is_data(x.packet)),
            *when(s.among("ALIVE", "HEARD"), ~is_data(x.packet)),
        ]
        sends = Value.cast(Cat(x.ongoing[each] for each in SENDING))
        m.d.comb += [
            *when(x.sending | x.gone, sends.any(), ~x.behind),
            Assert(~(x.sending & x.gone)),
            *unless(x.sending, ~x.returned),
            *unless(x.sending | x.gone, Value.cast(x.kind) == 0, ~x.has_first, ~x.has_count),
        ]
        for each in SENDING:
            m.d.comb += when(
                x.sending & x.ongoing[each],
                x.kind == ItemKind[each],
                x.has_first == (each in ("GAP", "JOINED", "RESUMED")),
                x.has_count == (each == "GAP"),
                x.returned == (each in ("TICK", "COMMAND")),
            )
        m.d.comb += when(x.seen_one.any(), s.among("IDLE", "SCAN"))
        m.d.comb += when(x.seen_one.any(), (x.seen_one & x.fresh) == x.seen_one)
        m.d.comb += when(x.seen_one.any() & s.among("SCAN"), x.used == 0, ~x.waiting)
        m.d.comb += when(s.among("IDLE"), (x.seen_one & x.done) == x.seen_one)
        in_hand = s.among(*CLOCK, *BEFORE_TAKEN) & x.from_port
        m.d.comb += when(in_hand, (x.port & (x.port - 1)) == 0, x.port != 0)
        for n, port in enumerate(self.packets):
            same = Value.cast(port.payload) == Value.cast(x.packet)
            m.d.comb += when(in_hand & x.port[n], port.valid, same)
            m.d.comb += when(x.seen_one[n], port.valid, is_data(port.payload), port.payload.end <= x.expected)
            m.d.comb += when(x.seen_one[n] & x.reading, ~x.playing[n])
            its, data = port.payload, is_data(port.payload)
            m.d.comb += [
                *when(x.known[n], port.valid),
                *when(x.fresh[n], x.known[n]),
                *when(x.seen[n] | x.next_one[n], x.fresh[n], data),
                *when(x.fresh[n] & s.among("IDLE", "SCAN"), x.newer[n] == (its.stamp > x.last_stamp)),
                *when(x.seen[n] & s.among("IDLE", "SCAN"), x.quick, its.end <= x.expected),
                *when(x.next_one[n] & s.among("IDLE"), x.quick, its.sequence == x.expected),
            ]
        m.d.comb += [
            *when(s.among("STAMP"), x.late == (x.packet.stamp > x.last_stamp)),
            *when(s.among("RANK", "HEARD", "RAISE"), x.higher == (x.packet.end > x.highest)),
            *when(s.among("RAISE", "STORE"), x.ahead == (x.packet.sequence > x.expected)),
            *when(s.among("STORE"), x.stale == (x.packet.end <= x.expected)),
            *when(x.sending & s.among("GAP"), x.lacking == (x.highest - x.expected)[:64]),
        ]
        for n in range(PORTS):
            rows = x.used[n * HOLD_SLOTS : (n + 1) * HOLD_SLOTS]
            m.d.comb += when(s.among("STORE") & x.port[n], x.full == rows.all(), rows.bit_select(x.slot, 1) == x.full)
        jumped = s.among("JOINED", "RESUMED") | (s.among("COMMAND") & s.sets_feed)
        m.d.comb += [
            *when(~x.behind & ~jumped, s.following == x.expected),
            *when(s.among("JOINED"), x.expected == x.packet.sequence),
            *when(s.among("COMMAND") & s.sets_feed, x.expected == s.number_given),
            *when(s.among("RESUMED"), x.expected == Mux(s.number_given > s.following, s.number_given, s.following)),
        ]

    def _time(self, m, x, s):
        """What is known of what is missing, and since when."""
        latest = Mux(x.packet.stamp > s.last, x.packet.stamp, s.last)
        timed = s.among("HANDLE", "TICK") | (s.among(*BEFORE_TAKEN) & x.from_port)
        counting = s.among("ELAPSED", "EXPIRED", "TIMER", "GAP")
        due = x.waiting & ((x.stamp - s.since)[:64] >= s.hold)
        whole = ~x.waiting & (x.used == 0) & (x.expected == x.highest)
        told = x.ongoing["GAP"] & x.gone  # what follows from it comes with the next cycle
        recovering, wait_since = x.recovering | told, Mux(told, x.stamp, x.wait_since)
        raised = Mux(x.packet.end > s.highest, x.packet.end, s.highest)
        m.d.comb += [
            *unless(s.among("COMMAND") & s.sets_feed, x.hold_time == s.hold),
            *when(s.among("IDLE", "CONTROL", *CLOCK, *BEFORE_TAKEN, "TICK") & ~s.among("JOINED"), x.waiting == s.missing),
            *when(x.waiting & s.among("IDLE", "CONTROL", *CLOCK), wait_since == s.since),
            *when(~timed, ~s.told),
            *when(s.taken & timed, s.now == x.stamp),
            *when(s.taken & ~timed, ~s.missing),
            *when(timed, s.told == due, x.stamp == latest, x.last_stamp == latest),
            *when(s.told, wait_since == x.stamp),
            *when(x.waiting & timed & ~s.told, wait_since == s.since),
            *when(counting, x.stamp == latest, x.last_stamp == latest, x.waiting),
            *when(s.among("EXPIRED"), x.elapsed == (x.stamp - wait_since)[:64]),
            *when(s.among("TIMER"), x.expired == due),
            *when(s.among("GAP"), due),
            *unless(timed | counting, x.last_stamp == s.last),
            *unless(s.among("WHOLE", "RAISE", "RESUMED") | (s.among("COMMAND") & s.sets_feed), recovering == s.recovering),
            *when(recovering, x.waiting),
            *when(s.among("WHOLE"), s.recovering, ~recovering, x.expected == x.highest),
            *when(s.among(*DRAINING, "SETTLE", "WAIT"), whole | (s.current == x.stamp)),
            *when(s.among(*DRAINING, "SETTLE", "WAIT") & x.moved & ~x.behind, whole | (s.since == x.stamp)),
            *when(s.among(*DRAINING, "SETTLE", "WAIT") & ~x.moved & ~x.waiting, whole | (s.since == x.stamp)),
            *when(s.among(*DRAINING, "SETTLE", "WAIT") & ~x.moved & x.waiting, wait_since == s.since),
            *when(s.among(*DRAINING) & x.behind, x.moved),
            *when(s.among("IDLE") & x.behind, ~x.waiting),
            *when(x.moved, s.among("IDLE", "RESUMED", *DRAINING, *AFTER, "COMMAND")),
            *when(s.among(*RESUMING), x.waiting == (s.following != s.highest), ~x.waiting | (wait_since == s.since)),
            *when(s.among("RAISE", "RESUMED"), x.stamp == self.control.payload.stamp),
            *when(s.among("RESUMED"), x.moved == (x.expected != s.following)),
            *when(s.among("WAIT"), x.missing == (x.expected != x.highest)),
            *when(s.among("WHOLE", "DONE"), x.waiting == (x.expected != x.highest)),
            *when(x.waiting & s.among("WHOLE", "DONE"), wait_since == s.since),
            *when(~x.joined, ~x.waiting, x.used == 0, x.expected == x.highest),
            *when(x.expected != x.highest, x.highest > x.expected),
            *when(s.among(*DRAINING) & ~x.waiting & (x.used == 0), x.expected == x.highest),
            *when(s.among("STORE"), x.highest == raised),
            *unless(
                s.among("JOINED", "STORE", "RESUMED") | (s.among("COMMAND") & s.sets_feed),
                x.highest == s.highest,
            ),
            *when(s.among("JOINED"), x.highest == x.packet.sequence, ~x.waiting),
            *when(s.among("RAISE", "RESUMED"), ~recovering),
            *when(s.among("RESUMED"), x.highest == Mux(s.number_given > s.highest, s.number_given, s.highest)),
            *when(s.among("COMMAND") & s.sets_feed, x.highest == s.number_given, x.used == 0, ~x.waiting, ~recovering),
            *when(
                s.among("COMMAND") & s.sets_feed, x.hold_time == SET_FEED.bits(self.control.payload.payload.command, "hold_ns")
            ),
            *when(s.among("COMMAND") & ~s.sets_feed, x.waiting == s.missing, ~x.waiting | (wait_since == s.since)),
        ]

    def _slots(self, m, x, s):
        """What is held, and in whose hands a buffer is."""
        rest = ~s.among(*DRAINING, *EMPTYING, *RESUMING)
        in_slot = []
        for row in range(HOLDS):
            look = x.holds.read_port(domain="comb")
            self.arbiter.module.d.comb += look.addr.eq(row)
            held = look.data
            used = x.used[row]
            unread = x.scanning & (x.scan <= row)
            is_read, is_judged = x.read_used & (x.read_row == row), (x.due | x.over) & (x.judged_row == row)
            m.d.comb += [
                *when(used, x.joined, held.end <= x.highest, holds_messages(held)),
                *when(used & rest, held.sequence > x.expected, x.highest > x.expected),
                *when(used, x.waiting | s.among(*DRAINING, "SETTLE", "WAIT")),
                *when(used & ~x.waiting & s.among(*DRAINING), held.end == x.highest),
                *when(is_read & ~s.among("SCAN"), used, Value.cast(x.read) == Value.cast(held)),
                *when(is_judged & s.among("DRAIN"), used, Value.cast(x.judged) == Value.cast(held)),
                *when(used & s.among("DRAIN"), (held.sequence > x.expected) | unread | is_read | is_judged),
                *when(used & s.among("EMPTYING"), unread | is_read),
            ]
            mine = Signal(name=f"in_slot_{row}")
            m.d.comb += mine.eq(used & s.is_port[row // HOLD_SLOTS] & (held.buffer == self.buffer))
            m.d.comb += when(mine, held.sequence == s.base, held.end == s.end)
            in_slot.append(mine)
        m.d.comb += [
            *when(x.scanning & x.read_used, x.read_row < x.scan),
            *when(x.scanning & (x.due | x.over), x.judged_row < x.scan),
            *when(x.read_used & (x.due | x.over), x.judged_row < x.read_row),
            *(Assert(row < HOLDS) for row in (x.scan, x.read_row, x.judged_row)),
            *when(x.scanned, ~x.scanning, ~x.read_used),
            *when(x.scanning, (x.used == 0) | s.among(*DRAINING, "EMPTYING")),
            *when(x.read_used | x.due | x.over, s.among(*DRAINING, "EMPTYING")),
            *when(x.due & s.among("DRAIN"), ~x.over, x.judged.sequence <= x.expected, x.judged.end > x.expected),
            *when(x.over & s.among("DRAIN"), x.judged.end <= x.expected),
            *when(s.among(*DRAINING) & ~x.waiting, (x.used & (x.used - 1)) == 0),
            *when(s.among("CONFIGURE"), x.used == 0),
            Assert(sum([*in_slot, x.reading & s.reads, s.given]) == s.owned),
        ]

    def _mutate(self, inner, x):
        """Breaks the arbiter."""
        plays = x.ongoing["DRAIN"] & ~x.behind & x.due & ~x.over
        match self.mutation:
            case "silent":
                with inner.If(x.ongoing["CLASSIFY"]):
                    inner.d.sync += x.expected.eq(x.packet.sequence)
            case "head":
                with inner.If(plays):
                    inner.d.sync += x.number.eq(0)
            case "again":
                with inner.If(plays):
                    inner.d.sync += x.used.eq(x.used)
            case "increment":
                with inner.If(plays):
                    inner.d.sync += x.expected.eq(x.judged.end + 1)
            case "untold":
                inner.d.sync += x.expired.eq(0)
            case "passed_over":
                with inner.If(x.ongoing["DRAIN"] & (x.scan == HOLDS - 2)):
                    inner.d.sync += x.scanning.eq(0)
            case "hasty":
                for n, port in enumerate(self.arbiter.packets):
                    its = port.payload
                    with inner.If(x.ongoing["STORE"]):
                        inner.d.sync += [
                            x.fresh[n].eq(port.valid & ~port.ready),
                            x.seen[n].eq(port.valid & ~port.ready & x.quick & is_data(its) & (its.end <= x.expected)),
                        ]
                with inner.If(x.ongoing["SCAN"] & ~x.seen_one.any()):
                    inner.d.sync += x.seen_one.eq(lowest(x.done))
