"""First-arrival arbitration of redundant MoldUDP64 feeds, by whole packets."""

from functools import reduce
from operator import or_
from types import SimpleNamespace

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.arbiter.configuration import FeedConfiguration
from hw.host.register_slice import RegisterSlice
from hw.itch.collector import Stored
from hw.items import Item, ItemKind
from hw.net.port import BUFFERS, Packet
from hw.one_hot import lowest, select
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
        A buffer of the port is needed no more, since the cycle before.
    read : Out(1), one per port
        The port that is read, high until its messages are out.
    read_buffer, read_number : Out
        The message that is read, the same address for all ports; ``read_advance``: the ports go on.
    message : In(Stored), one per port
        What was read, 2 steps later; 0 at the ports that are not.
    control : In(stream of Item)
        TICK items, COMMAND items with SET_FEED or RESUME_FEED. Each comes out of ``o`` again, behind what it causes, and is
        taken when it does. The command itself stands here, not at ``o``.
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

    A packet that comes in sequence is played a cycle after it was offered, a message per cycle, the first of them 4 cycles
    later; one that was seen already is thrown away in 3 cycles. Everything else takes a few cycles more, 12 of them to look
    through the hold slots while any is taken. It never waits for a missing message: what comes ahead of it is held while
    there is a slot, then dropped and counted. A packet with the message that is missing is always taken.
    """

    def __init__(self):
        super().__init__(
            {
                "packets": In(stream.Signature(Packet)).array(PORTS),
                "give_back": Out(1).array(PORTS),
                "give_back_buffer": Out(range(BUFFERS)).array(PORTS),
                "read": Out(1).array(PORTS),
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
        # ``known``: there is a packet; ``fresh``: and all that is said is about it, and as it is now. ``next_one``, ``seen``: and
        # nothing is missing, and it is the packet that was waited for; it was seen already.
        known, fresh, next_one, seen, newer = Signal(PORTS), Signal(PORTS), Signal(PORTS), Signal(PORTS), Signal(PORTS)
        changes, quick = Signal(), Signal()
        m.d.comb += quick.eq(joined & ~waiting & ~used.any())
        for n in range(PORTS):
            packet = self.packets[n].payload
            is_data = (packet.count != HEARTBEAT) & (packet.count != END_OF_SESSION)
            here = self.packets[n].valid
            m.d.sync += [
                known[n].eq(here & ~self.packets[n].ready),
                fresh[n].eq(here & ~changes),
                next_one[n].eq(here & ~changes & quick & is_data & (packet.sequence == expected)),
                seen[n].eq(here & ~changes & quick & is_data & (packet.end <= expected)),
                newer[n].eq(packet.stamp > last_stamp),
            ]

        # -- the input in hand: a packet, or the control item ---------------------------------------------
        port, from_port = Signal(PORTS), Signal()  # a bit for every port
        packet = Signal(Packet)
        stamp, elapsed, expired = Signal(64), Signal(64), Signal()
        moved = Signal()  # ``expected`` has since the input came
        item = self.control.payload  # stays until it is taken, when all is done
        command = item.payload.command
        valid = Cat(self.packets[n].valid for n in range(PORTS))
        full, missing = Signal(), Signal()
        slot, port_used = Signal(range(HOLD_SLOTS)), Signal(HOLD_SLOTS)
        m.d.comb += port_used.eq(select(port, (used[n * HOLD_SLOTS : (n + 1) * HOLD_SLOTS] for n in range(PORTS))))

        m.d.sync += [bit.eq(0) for bit in self.give_back]

        def give_back(which, buffer):
            """``which`` has a bit for every port."""
            for n in range(PORTS):
                with m.If(which[n]):
                    m.d.sync += [self.give_back[n].eq(1), self.give_back_buffer[n].eq(buffer)]

        def take(which):
            m.d.comb += changes.eq(1)
            for n in range(PORTS):
                with m.If(which[n]):
                    m.d.comb += self.packets[n].ready.eq(1)

        def port_of(row):
            """Of a hold slot."""
            return Cat(row[2:] == n for n in range(PORTS))

        # -- messages on their way: address, memory, the port's register, the one behind the choice of ports ----------
        reading, playing, number, last_number = Signal(), Signal(PORTS), Signal(7), Signal(7)
        cause = Signal(64)  # of the next message that comes out
        on_the_way, advance = Signal(2), Signal()
        m.submodules.played = played = RegisterSlice(Stored)
        m.d.comb += [
            played.i.valid.eq(on_the_way[1]),
            played.i.payload.eq(reduce(or_, (Value.cast(message) for message in self.message))),
            advance.eq(~on_the_way[1] | played.i.ready),
            self.read_advance.eq(advance),
            self.read_number.eq(number),
            self.played.eq(played.o.valid),
            self.played_message.eq(played.o.payload),
            played.o.ready.eq(self.o.ready),
            *(self.read[n].eq(playing[n]) for n in range(PORTS)),
        ]
        with m.If(advance):
            m.d.sync += on_the_way.eq(Cat(reading, on_the_way[0]))
            with m.If(reading):
                m.d.sync += number.eq(number + 1)
                with m.If(number == last_number):
                    m.d.sync += reading.eq(0)
                    give_back(playing, self.read_buffer)
        with m.If(played.o.valid & self.o.ready):
            m.d.sync += cause.eq(cause + 1)
        behind = reading | on_the_way.any() | played.o.valid

        def play(which, buffer, first, last):
            """Begins to play messages ``first`` to ``last`` of a packet; ``expected`` is the number of the first."""
            m.d.sync += [
                reading.eq(1),
                playing.eq(which),
                self.read_buffer.eq(buffer),
                number.eq(first),
                last_number.eq(last),
                cause.eq(expected),
            ]

        # -- items that are no messages: all about them is in registers when they go out, and 0 else, as MESSAGE is -------
        sending, kind = Signal(), Signal(ItemKind)
        has_first, has_count, returned = Signal(), Signal(), Signal()
        lacking, out = Signal(64), self.o.payload
        m.d.comb += [
            self.o.valid.eq(played.o.valid | sending),
            out.kind.eq(kind),
            out.stamp.eq(stamp),
            out.cause.eq(Mux(played.o.valid, cause, 0)),
            out.payload.feed.first.eq(Mux(has_first, expected, 0)),
            out.payload.feed.count.eq(Mux(has_count, lacking, 0)),
            out.payload.feed.repeat.eq(has_count & recovering),
            self.control.ready.eq(returned & self.o.ready),
        ]

        # It has gone: no path from ``o.ready`` into the steps, only here.
        gone = Signal()
        m.d.sync += gone.eq(sending & self.o.ready)
        with m.If(self.o.ready):
            m.d.sync += [sending.eq(0), returned.eq(0)]

        def send(what, following, first=False, count=False):
            """Sends an item when no message is before it, then goes on to ``following``."""
            with m.If(gone):
                m.d.sync += [each.eq(0) for each in (Value.cast(kind), has_first, has_count)]
                m.next = following
            with m.Elif(~behind & ~sending):
                back = what in (ItemKind.TICK, ItemKind.COMMAND)
                m.d.sync += [
                    sending.eq(1), kind.eq(what), has_first.eq(first), has_count.eq(count), returned.eq(back),
                ]  # fmt: skip

        done, first, seen_one = Signal(PORTS), Signal(PORTS), Signal(PORTS)
        # While messages of a port are read none of its other buffers is given back: it does so with one at a time.
        m.d.comb += [first.eq(lowest(known)), done.eq(seen & ~(playing & reading.replicate(PORTS)))]
        payloads = [each.payload for each in self.packets]
        head = data.View(Packet, select(first, payloads))  # of the first port that has one
        chosen = Mux(seen_one.any(), seen_one, first)
        chosen_stamp = select(chosen, (each.stamp for each in payloads))

        def choose():
            """The chosen packet is done with."""
            take(chosen)
            with m.If((newer & chosen).any()):
                m.d.sync += last_stamp.eq(chosen_stamp)

        def discard():
            """Throws away a packet that was seen already, in the next cycle; also while another is played."""
            with m.If(~seen_one.any()):
                m.d.sync += seen_one.eq(lowest(done))

        m.d.sync += seen_one.eq(0)
        with m.If(seen_one.any()):
            choose()
            m.d.comb += self.count_packets_duplicate.eq(1)
            for n, each in enumerate(payloads):
                give_back(Cat(seen_one[n] & (k == n) for k in range(PORTS)), each.buffer)

        # -- the hold slots, one after the other: choose, read, compare -----------------------------------
        scan, scanning, scanned = Signal(range(HOLDS)), Signal(), Signal()
        read, read_row, read_used = Signal(Held), Signal(range(HOLDS)), Signal()
        judged, judged_row, due, over = Signal(Held), Signal(range(HOLDS)), Signal(), Signal()
        store_row = Cat(slot, port[1:])
        m.d.comb += [
            look.addr.eq(scan),
            store.addr.eq(store_row),
            store.data.sequence.eq(packet.sequence),
            store.data.end.eq(packet.end),
            store.data.buffer.eq(packet.buffer),
        ]
        goes_on = read.end > expected
        with m.If(~((due | over) & behind)):
            m.d.sync += [
                read.eq(look.data),
                read_row.eq(scan),
                read_used.eq(scanning & used.bit_select(scan, 1)),
                judged.eq(read),
                judged_row.eq(read_row),
                due.eq(read_used & (read.sequence <= expected) & goes_on),
                over.eq(read_used & ~goes_on),
                scan.eq(scan + 1),
                scanned.eq(~scanning & ~read_used),
            ]
            with m.If(scan == HOLDS - 1):
                m.d.sync += [scanning.eq(0), scan.eq(scan)]

        def start_scan():
            m.d.sync += [scan.eq(0), scanning.eq(1), scanned.eq(0), read_used.eq(0), due.eq(0), over.eq(0)]

        # Of the packet in hand, a cycle after it, ``expected`` or ``highest`` changed.
        stale, ahead, higher, late = Signal(), Signal(), Signal(), Signal()
        m.d.sync += [
            stale.eq(packet.end <= expected),
            ahead.eq(packet.sequence > expected),
            higher.eq(packet.end > highest),
            late.eq(packet.stamp > last_stamp),
            lacking.eq(highest - expected),
            elapsed.eq(stamp - wait_since),
            expired.eq(elapsed >= hold_time),
        ]

        def raise_highest():
            with m.If(higher):
                m.d.sync += highest.eq(packet.end)

        with m.FSM() as fsm:
            # Where ``expected`` and ``highest`` jump to: for all states the same choice.
            jump = Mux(fsm.ongoing("IDLE"), head.end, packet.sequence)
            with m.State("IDLE"):
                m.d.sync += [moved.eq(0), from_port.eq(known.any()), port.eq(first), packet.eq(head)]
                with m.If(~valid.any() & self.control.valid & ~behind):
                    m.next = "CONTROL"
                # Two are common: a packet that was seen already, and the one that is next.
                with m.If(done.any()):
                    discard()
                with m.Elif(~behind & (next_one & first).any()):
                    choose()
                    m.d.sync += [
                        expected.eq(jump),
                        highest.eq(jump),
                        stamp.eq(Mux((newer & chosen).any(), chosen_stamp, last_stamp)),
                    ]
                    play(first, head.buffer, 0, (head.count - 1)[:7])
                with m.Elif(~behind & (fresh & first).any()):
                    m.next = "COMPARE"

            with m.State("CONTROL"):
                # SET_FEED has the sequence number where RESUME_FEED has it.
                number_given = RESUME_FEED.bits(command, "sequence")
                m.d.sync += [
                    packet.stamp.eq(item.stamp),
                    packet.sequence.eq(number_given),
                    packet.end.eq(number_given),
                ]
                with m.If(item.kind == ItemKind.TICK):
                    m.next = "COMPARE"
                with m.Elif(SET_FEED.bits(command, "opcode") == Opcode.SET_FEED):
                    m.next = "EMPTY"
                with m.Else():
                    m.next = "RESUME"

            # -- the clock ---------------------------------------------------------------------
            with m.State("COMPARE"):
                m.next = "STAMP"
            with m.State("STAMP"):
                m.d.sync += stamp.eq(last_stamp)
                with m.If(late):
                    m.d.sync += [stamp.eq(packet.stamp), last_stamp.eq(packet.stamp)]
                m.next = "HANDLE"
                with m.If(waiting):
                    m.next = "ELAPSED"
            with m.State("ELAPSED"):
                m.next = "EXPIRED"
            with m.State("EXPIRED"):
                m.next = "TIMER"
            with m.State("TIMER"):
                m.next = "HANDLE"
                with m.If(expired):
                    m.next = "GAP"
            with m.State("GAP"):
                send(ItemKind.GAP, "HANDLE", first=True, count=True)
                with m.If(gone):
                    m.d.comb += self.count_gaps.eq(~recovering)
                    m.d.sync += [recovering.eq(1), wait_since.eq(stamp)]

            # -- a packet ----------------------------------------------------------------------
            with m.State("HANDLE"):
                with m.If(~from_port):
                    m.next = "TICK"
                with m.Elif(~joined):
                    m.d.sync += [expected.eq(jump), highest.eq(jump), joined.eq(1)]
                    m.next = "JOINED"
                with m.Else():
                    m.next = "CLASSIFY"
            with m.State("JOINED"):
                send(ItemKind.JOINED, "CLASSIFY", first=True)
            with m.State("CLASSIFY"):
                is_heartbeat, is_end = packet.count == HEARTBEAT, packet.count == END_OF_SESSION
                m.next = "RANK"
                with m.If(is_heartbeat | is_end):
                    m.d.comb += [
                        self.count_packets_heartbeat.eq(is_heartbeat),
                        self.count_packets_end_of_session.eq(is_end),
                    ]
                    m.next = "ALIVE"
            with m.State("ALIVE"):
                send(ItemKind.ALIVE, "HEARD")
            with m.State("HEARD"):
                raise_highest()
                take(port)
                m.next = "SETTLE"

            with m.State("RANK"):
                m.d.sync += full.eq(port_used.all())
                with m.Switch(port_used):
                    for n in range(HOLD_SLOTS):
                        with m.Case("-" * (HOLD_SLOTS - 1 - n) + "0" + "1" * n):
                            m.d.sync += slot.eq(n)
                    with m.Default():
                        m.d.sync += slot.eq(HOLD_SLOTS - 1)
                raise_highest()
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
                with m.If(used.any()):
                    m.next = "DRAIN"
                with m.Elif(done.any()):
                    discard()
                with m.Elif(~behind):
                    m.next = "SETTLE"
            with m.State("DRAIN"):
                with m.If(~behind):
                    with m.If(over):
                        m.d.comb += self.count_packets_duplicate.eq(1)
                        give_back(port_of(judged_row), judged.buffer)
                        m.d.sync += used.bit_select(judged_row, 1).eq(0)
                    with m.Elif(due):
                        m.d.sync += [used.bit_select(judged_row, 1).eq(0), expected.eq(judged.end), moved.eq(1)]
                        begin = (expected - judged.sequence)[:7]
                        play(port_of(judged_row), judged.buffer, begin, (judged.end - judged.sequence - 1)[:7])
                        m.next = "SCAN"
                    with m.Elif(scanned):
                        m.next = "SETTLE"

            # -- after the drain ---------------------------------------------------------------
            with m.State("SETTLE"):
                m.d.sync += missing.eq(expected != highest)
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
                m.d.sync += stamp.eq(packet.stamp)
                start_scan()
                m.next = "EMPTYING"
            with m.State("EMPTYING"):
                with m.If(read_used):
                    give_back(port_of(read_row), read.buffer)
                    m.d.sync += used.bit_select(read_row, 1).eq(0)
                with m.If(scanned):
                    m.next = "CONFIGURE"
            with m.State("CONFIGURE"):
                m.d.sync += [
                    expected.eq(jump),
                    highest.eq(jump),
                    joined.eq(packet.sequence != 0),
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
                m.d.sync += [stamp.eq(packet.stamp), recovering.eq(0)]
                m.next = "RAISE"
            with m.State("RAISE"):
                raise_highest()
                with m.If(ahead):
                    m.d.sync += [expected.eq(jump), moved.eq(1)]
                m.next = "RESUMED"
            with m.State("RESUMED"):
                send(ItemKind.RESUMED, "SCAN", first=True)
            with m.State("COMMAND"):
                send(ItemKind.COMMAND, "IDLE")
            ongoing = {state: fsm.ongoing(state) for state in tuple(fsm.encoding)}

        # Proofs look at these (hw.formal.arbiter).
        self.inside = SimpleNamespace(
            encoding=fsm.encoding, ongoing=ongoing, expected=expected, highest=highest, joined=joined,
            recovering=recovering, waiting=waiting, wait_since=wait_since, last_stamp=last_stamp,
            hold_time=hold_time, used=used, holds=holds, quick=quick, seen_one=seen_one, done=done, port=port,
            from_port=from_port, packet=packet, stamp=stamp, elapsed=elapsed, expired=expired, moved=moved,
            missing=missing, lacking=lacking, sending=sending, kind=kind, has_first=has_first, has_count=has_count,
            returned=returned, behind=behind, reading=reading, playing=playing, number=number,
            last_number=last_number, cause=cause, on_the_way=on_the_way, slice=played, scan=scan,
            scanning=scanning, scanned=scanned, read=read, read_row=read_row, read_used=read_used, judged=judged,
            judged_row=judged_row, due=due, over=over, known=known, next_one=next_one, seen=seen, newer=newer,
            fresh=fresh, gone=gone,
            stale=stale, ahead=ahead, higher=higher, late=late, full=full, slot=slot, head=head,
        )  # fmt: skip
        m.d.comb += self.busy.eq(~ongoing["IDLE"] | valid.any() | self.control.valid | behind)
        return m
