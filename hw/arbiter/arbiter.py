"""First-arrival arbitration of redundant MoldUDP64 feeds, by whole packets."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.arbiter.configuration import FeedConfiguration
from hw.itch.collector import Stored
from hw.items import Item, ItemKind
from hw.net.port import BUFFERS, Packet
from wire.moldudp64 import END_OF_SESSION, HEARTBEAT
from wire.records import HOLD_SLOTS, RESUME_FEED, SET_FEED, Opcode

PORTS = 3
"""Feed A, feed B, recovery."""

HOLDS = PORTS * HOLD_SLOTS

COUNTERS = (
    "packets_heartbeat",
    "packets_end_of_session",
    "packets_duplicate",
    "packets_held",
    "packets_dropped",
    "gaps",
)


class Held(data.Struct):
    """A packet in a hold slot: messages ``sequence`` to ``end - 1``, in a buffer of its port."""

    sequence: 64
    end: 64
    buffer: range(BUFFERS)


class Arbiter(wiring.Component):
    """Arbitration of two feeds and what is recovered, with hold slots for what comes too early.

    Members
    -------
    packets : In(stream of Packet), one per port
        Good packets.
    give_back, give_back_buffer : Out, one per port
        A buffer of the port is needed no more.
    read_buffer, read_number : Out
        The message that is read, the same address for all ports; ``read_advance``: the ports go on.
    message : In(Stored), one per port
        What was read, 2 steps later.
    control : In(stream of Item)
        TICK items, COMMAND items with SET_FEED or RESUME_FEED. Each comes out of ``o`` again, behind what it causes.
    configuration : Out(FeedConfiguration)
        As the last SET_FEED has it.
    o : Out(stream of Item)
        Every item but the messages, which are ``played``.
    played : Out(1), played_message : Out(Stored)
        With ``o.valid``: it is this message of the feed. Its ``cause`` and ``stamp`` are in the item.
    busy : Out(1)
        It has something to do.
    count_... : Out
        Pulses of the counters.

    A packet that comes in sequence is played a cycle after it was offered, a message per cycle, the first of them 3 cycles
    later; one that was seen already is thrown away in 2 cycles. Everything else takes a few cycles more, 12 of them to look
    through the hold slots while any is taken. It never waits for a missing message: what comes ahead of it is held while
    there is a slot, then dropped and counted. A packet with the message that is missing is always taken.
    """

    def __init__(self):
        super().__init__(
            {
                "packets": In(stream.Signature(Packet)).array(PORTS),
                "give_back": Out(1).array(PORTS),
                "give_back_buffer": Out(range(BUFFERS)).array(PORTS),
                "read_buffer": Out(range(BUFFERS)),
                "read_number": Out(7),
                "read_advance": Out(1),
                "message": In(Stored).array(PORTS),
                "control": In(stream.Signature(Item)),
                "configuration": Out(FeedConfiguration),
                "o": Out(stream.Signature(Item)),
                "played": Out(1),
                "played_message": Out(Stored),
                "busy": Out(1),
                **{f"count_{name}": Out(1) for name in COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()

        # -- state, as the semantics name it ---------------------------------------------------
        expected, highest = Signal(64), Signal(64)
        joined, recovering, waiting = Signal(), Signal(), Signal()
        wait_since, last_stamp, hold_time = Signal(64), Signal(64), Signal(64)
        configuration = Signal(FeedConfiguration)
        m.d.comb += self.configuration.eq(configuration)
        used = Signal(HOLDS)
        m.submodules.holds = holds = memory.Memory(shape=Held, depth=HOLDS, init=[])
        look, store = holds.read_port(domain="comb"), holds.write_port()

        # -- what is known of every packet, a cycle after it, ``expected`` or ``last_stamp`` changed ---
        exact, seen, newer, fresh = Signal(PORTS), Signal(PORTS), Signal(PORTS), Signal(PORTS)
        changes, settled = Signal(), Signal()
        m.d.sync += settled.eq(~changes)
        for n in range(PORTS):
            packet = self.packets[n].payload
            known = Signal(name=f"known_{n}")  # the comparisons are this packet's
            is_data = (packet.count != HEARTBEAT) & (packet.count != END_OF_SESSION)
            m.d.sync += [
                known.eq(self.packets[n].valid & ~self.packets[n].ready),
                exact[n].eq((packet.sequence == expected) & is_data),
                seen[n].eq((packet.end <= expected) & is_data),
                newer[n].eq(packet.stamp > last_stamp),
            ]
            m.d.comb += fresh[n].eq(self.packets[n].valid & known & settled)

        # -- the input in hand -----------------------------------------------------------------
        port, from_port = Signal(range(PORTS)), Signal()
        packet = Signal(Packet)
        item = Signal(Item)  # what goes out: the control item, or one made here
        stamp, elapsed = Signal(64), Signal(64)
        is_tick, moved = Signal(), Signal()  # moved: ``expected`` has since the input came
        command = item.payload.command
        valid = Cat(self.packets[n].valid for n in range(PORTS))
        lowest = Mux(valid[0], 0, Mux(valid[1], 1, 2))
        ahead, stale, full, missing = Signal(), Signal(), Signal(), Signal()
        slot, port_used = Signal(range(HOLD_SLOTS)), Signal(HOLD_SLOTS)
        m.d.comb += port_used.eq(Array(used[n * HOLD_SLOTS : (n + 1) * HOLD_SLOTS] for n in range(PORTS))[port])

        def give_back(which, buffer):
            for n in range(PORTS):
                with m.If(which == n):
                    m.d.comb += [self.give_back[n].eq(1), self.give_back_buffer[n].eq(buffer)]

        def take(which):
            with m.Switch(which):
                for n in range(PORTS):
                    with m.Case(n):
                        m.d.comb += self.packets[n].ready.eq(1)

        # -- messages on their way: address, memory, output ----------------------------------------------
        reading, play_port, number, last_number = Signal(), Signal(range(PORTS)), Signal(7), Signal(7)
        cause, play_stamp = Signal(64), Signal(64)
        on_the_way, advance = Signal(2), Signal()
        causes = [Signal(64, name=f"cause_{n}") for n in range(2)]
        m.d.comb += [
            advance.eq(~on_the_way[1] | self.o.ready),
            self.read_advance.eq(advance),
            self.read_number.eq(number),
            self.played.eq(on_the_way[1]),
            self.played_message.eq(Array(self.message)[play_port]),
        ]
        with m.If(advance):
            m.d.sync += [on_the_way.eq(Cat(reading, on_the_way[0])), causes[0].eq(cause), causes[1].eq(causes[0])]
            with m.If(reading):
                m.d.sync += [number.eq(number + 1), cause.eq(cause + 1)]
                with m.If(number == last_number):
                    m.d.sync += reading.eq(0)
                    give_back(play_port, self.read_buffer)
        behind = reading | on_the_way.any()

        def play(which, buffer, first, last, when):
            """Begins to play messages ``first`` to ``last`` of a packet; ``expected`` is the number of the first."""
            m.d.sync += [
                reading.eq(1),
                play_port.eq(which),
                self.read_buffer.eq(buffer),
                number.eq(first),
                last_number.eq(last),
                cause.eq(expected),
                play_stamp.eq(when),
            ]

        out = self.o.payload
        with m.If(on_the_way[1]):
            m.d.comb += [
                self.o.valid.eq(1),
                out.kind.eq(ItemKind.MESSAGE),
                out.stamp.eq(play_stamp),
                out.cause.eq(causes[1]),
            ]

        def send(kind, following, **fields):
            """Sends an item when no message is before it, then goes on to ``following``."""
            with m.If(~behind):
                m.d.comb += [
                    self.o.valid.eq(1),
                    out.kind.eq(kind),
                    out.stamp.eq(stamp),
                    *(out.payload.feed[name].eq(value) for name, value in fields.items()),
                ]
                with m.If(self.o.ready):
                    m.next = following

        # Nothing is missing. As the comparisons this is of the cycle before, in which nothing changed.
        quick = Signal()
        m.d.sync += quick.eq(joined & ~waiting & ~used.any())
        done, next_one, chosen = Signal(PORTS), Signal(PORTS), Signal(PORTS)
        m.d.comb += [done.eq(fresh & seen & quick.replicate(PORTS)), next_one.eq(fresh & exact & quick.replicate(PORTS))]
        with m.If(reading):
            m.d.comb += done.bit_select(play_port, 1).eq(0)  # one buffer of a port at a time is given back
        head, later = Signal(Packet), Signal(64)
        with m.Switch(chosen):
            for n in range(PORTS):
                with m.Case("-" * (PORTS - 1 - n) + "1" + "-" * n):
                    m.d.comb += [head.eq(self.packets[n].payload), later.eq(Mux(newer[n], head.stamp, last_stamp))]

        def choose(one):
            """The packet in hand is the chosen one, and done with."""
            m.d.comb += [chosen.eq(one), changes.eq(1)]
            m.d.sync += last_stamp.eq(later)
            for n in range(PORTS):
                with m.If(one[n]):
                    m.d.comb += self.packets[n].ready.eq(1)

        def discard():
            """Throws away a packet that was seen already, also while another is played."""
            first = done & -done
            choose(first)
            m.d.comb += self.count_packets_duplicate.eq(1)
            for n in range(PORTS):
                with m.If(first[n]):
                    m.d.comb += [self.give_back[n].eq(1), self.give_back_buffer[n].eq(head.buffer)]

        # -- the hold slots, one after the other: choose, read, compare -----------------------------------
        scan, scanning, scanned = Signal(range(HOLDS)), Signal(), Signal()
        read, read_row, read_used = Signal(Held), Signal(range(HOLDS)), Signal()
        judged, judged_row, due, over = Signal(Held), Signal(range(HOLDS)), Signal(), Signal()
        store_row = Cat(slot, port)
        m.d.comb += [
            look.addr.eq(scan),
            store.addr.eq(store_row),
            store.data.sequence.eq(packet.sequence),
            store.data.end.eq(packet.end),
            store.data.buffer.eq(packet.buffer),
        ]
        with m.If(~((due | over) & behind)):
            m.d.sync += [
                read.eq(look.data),
                read_row.eq(scan),
                read_used.eq(scanning & used.bit_select(scan, 1)),
                judged.eq(read),
                judged_row.eq(read_row),
                due.eq(read_used & (read.sequence <= expected) & (expected < read.end)),
                over.eq(read_used & (read.end <= expected)),
                scan.eq(scan + 1),
                scanned.eq(~scanning & ~read_used),
            ]
            with m.If(scan == HOLDS - 1):
                m.d.sync += [scanning.eq(0), scan.eq(scan)]

        def start_scan():
            m.d.sync += [scan.eq(0), scanning.eq(1), scanned.eq(0), read_used.eq(0), due.eq(0), over.eq(0)]

        with m.FSM() as fsm:
            with m.State("IDLE"):
                m.d.sync += [moved.eq(0), is_tick.eq(0), from_port.eq(valid.any())]
                m.d.sync += [port.eq(lowest), packet.eq(Array(each.payload for each in self.packets)[lowest])]
                with m.If(~valid.any() & self.control.valid & ~behind):
                    m.d.comb += self.control.ready.eq(1)
                    m.d.sync += item.eq(self.control.payload)
                    m.next = "CONTROL"
                # Two are common: a packet that was seen already, and the one that is next.
                with m.If(done.any()):
                    discard()
                with m.Elif(~behind & (next_one & valid & -valid).any()):
                    choose(next_one & valid & -valid)
                    m.d.sync += [expected.eq(head.end), highest.eq(head.end)]
                    play(lowest, head.buffer, 0, (head.count - 1)[:7], later)
                with m.Elif(~behind & (fresh & valid & -valid).any()):
                    m.next = "STAMP"

            with m.State("CONTROL"):
                m.d.sync += [packet.stamp.eq(item.stamp), stamp.eq(item.stamp)]
                with m.If(item.kind == ItemKind.TICK):
                    m.d.sync += is_tick.eq(1)
                    m.next = "STAMP"
                with m.Elif(SET_FEED.bits(command, "opcode") == Opcode.SET_FEED):
                    m.next = "EMPTY"
                with m.Else():
                    m.next = "RESUME"

            # -- the clock ---------------------------------------------------------------------
            with m.State("STAMP"):
                later = Mux(packet.stamp > last_stamp, packet.stamp, last_stamp)
                m.d.sync += [stamp.eq(later), last_stamp.eq(later)]
                m.next = "ELAPSED"
            with m.State("ELAPSED"):
                m.d.sync += elapsed.eq(stamp - wait_since)
                m.next = "TIMER"
            with m.State("TIMER"):
                m.next = "HANDLE"
                with m.If(waiting & (elapsed >= hold_time)):
                    m.next = "GAP"
            with m.State("GAP"):
                send(ItemKind.GAP, "HANDLE", first=expected, count=highest - expected, repeat=recovering)
                with m.If(self.o.valid & self.o.ready & ~behind):
                    m.d.comb += self.count_gaps.eq(~recovering)
                    m.d.sync += [recovering.eq(1), wait_since.eq(stamp)]

            # -- a packet ----------------------------------------------------------------------
            with m.State("HANDLE"):
                with m.If(is_tick):
                    m.next = "TICK"
                with m.Elif(~joined):
                    m.d.sync += [expected.eq(packet.sequence), highest.eq(packet.sequence), joined.eq(1)]
                    m.next = "JOINED"
                with m.Else():
                    m.next = "CLASSIFY"
            with m.State("JOINED"):
                send(ItemKind.JOINED, "CLASSIFY", first=expected)
            with m.State("CLASSIFY"):
                is_heartbeat, is_end = packet.count == HEARTBEAT, packet.count == END_OF_SESSION
                m.next = "RANK"
                with m.If(is_heartbeat | is_end):
                    m.d.comb += [
                        self.count_packets_heartbeat.eq(is_heartbeat),
                        self.count_packets_end_of_session.eq(is_end),
                    ]
                    m.d.sync += packet.end.eq(packet.sequence)  # what is counted there is no message
                    m.next = "ALIVE"
            with m.State("ALIVE"):
                send(ItemKind.ALIVE, "HEARD")
            with m.State("HEARD"):
                with m.If(packet.end > highest):
                    m.d.sync += highest.eq(packet.end)
                take(port)
                m.next = "SETTLE"

            with m.State("RANK"):
                m.d.sync += [
                    stale.eq(packet.end <= expected),
                    ahead.eq(packet.sequence > expected),
                    full.eq(port_used.all()),
                ]
                with m.Switch(port_used):
                    for n in range(HOLD_SLOTS):
                        with m.Case("-" * (HOLD_SLOTS - 1 - n) + "0" + "1" * n):
                            m.d.sync += slot.eq(n)
                    with m.Default():
                        m.d.sync += slot.eq(HOLD_SLOTS - 1)
                with m.If(packet.end > highest):
                    m.d.sync += highest.eq(packet.end)
                m.next = "STORE"
            with m.State("STORE"):
                take(port)
                m.next = "SCAN"
                with m.If(stale):
                    m.d.comb += self.count_packets_duplicate.eq(1)
                    give_back(port, packet.buffer)
                with m.Elif(full & ahead):
                    m.d.comb += self.count_packets_dropped.eq(1)
                    give_back(port, packet.buffer)
                with m.Else():
                    m.d.comb += [
                        self.count_packets_held.eq(ahead),
                        self.count_packets_dropped.eq(full),
                        store.en.eq(1),
                        look.addr.eq(store_row),
                    ]
                    m.d.sync += used.bit_select(store_row, 1).eq(1)
                    with m.If(full):  # the packet that was in the slot gives way
                        give_back(port, look.data.buffer)

            # -- drain -------------------------------------------------------------------------
            with m.State("SCAN"):  # the comparisons follow
                start_scan()
                with m.If(done.any()):
                    discard()
                with m.Elif(used.any()):
                    m.next = "DRAIN"
                with m.Elif(~behind):
                    m.next = "SETTLE"
            with m.State("DRAIN"):
                with m.If(~behind):
                    with m.If(over):
                        m.d.comb += self.count_packets_duplicate.eq(1)
                        give_back(judged_row[2:], judged.buffer)
                        m.d.sync += used.bit_select(judged_row, 1).eq(0)
                    with m.Elif(due):
                        m.d.sync += [used.bit_select(judged_row, 1).eq(0), expected.eq(judged.end), moved.eq(1)]
                        first = (expected - judged.sequence)[:7]
                        play(judged_row[2:], judged.buffer, first, (judged.end - judged.sequence - 1)[:7], stamp)
                        m.next = "SCAN"
                    with m.Elif(scanned):
                        m.next = "SETTLE"

            # -- after the drain ---------------------------------------------------------------
            with m.State("SETTLE"):
                m.d.sync += missing.eq(expected < highest)
                m.next = "WAIT"
            with m.State("WAIT"):
                m.next = "DONE"
                m.d.sync += waiting.eq(missing)
                with m.If(missing & (~waiting | moved)):
                    m.d.sync += wait_since.eq(stamp)
                with m.If(~missing & recovering):
                    m.d.sync += recovering.eq(0)
                    m.next = "WHOLE"
            with m.State("WHOLE"):
                send(ItemKind.WHOLE, "DONE")
            with m.State("DONE"):
                m.next = "IDLE"
                with m.If(~from_port):
                    m.next = "COMMAND"

            # -- commands and ticks ------------------------------------------------------------
            with m.State("TICK"):
                send(ItemKind.TICK, "IDLE")
            with m.State("EMPTY"):
                start_scan()
                m.next = "EMPTYING"
            with m.State("EMPTYING"):
                with m.If(read_used):
                    give_back(read_row[2:], read.buffer)
                    m.d.sync += used.bit_select(read_row, 1).eq(0)
                with m.If(scanned):
                    m.next = "CONFIGURE"
            with m.State("CONFIGURE"):
                start_sequence = SET_FEED.bits(command, "start_sequence")
                m.d.sync += [
                    expected.eq(start_sequence),
                    highest.eq(start_sequence),
                    joined.eq(start_sequence != 0),
                    recovering.eq(0),
                    waiting.eq(0),
                    hold_time.eq(SET_FEED.bits(command, "hold_ns")),
                    *(
                        configuration[name].eq(SET_FEED.bits(command, name))
                        for name in ("session", "address_a", "port_a", "address_b", "port_b")
                    ),
                ]
                m.next = "COMMAND"
            with m.State("RESUME"):
                sequence = RESUME_FEED.bits(command, "sequence")
                m.d.sync += recovering.eq(0)
                with m.If(sequence > expected):
                    m.d.sync += [expected.eq(sequence), moved.eq(1)]
                m.next = "RAISE"
            with m.State("RAISE"):
                with m.If(expected > highest):
                    m.d.sync += highest.eq(expected)
                m.next = "RESUMED"
            with m.State("RESUMED"):
                send(ItemKind.RESUMED, "SCAN", first=expected)
            with m.State("COMMAND"):
                with m.If(~behind):
                    m.d.comb += [out.eq(item), self.o.valid.eq(1)]
                    with m.If(self.o.ready):
                        m.next = "IDLE"

        m.d.comb += self.busy.eq(~fsm.ongoing("IDLE") | valid.any() | self.control.valid | behind)
        return m
