"""First-arrival arbitration of redundant MoldUDP64 feeds, by whole packets."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.arbiter.configuration import FeedConfiguration
from hw.items import Item, ItemKind
from hw.moldudp64.receiver import BUFFER_WORDS, Packet
from hw.net.ingest import BUFFERS
from hw.streams import BEAT_BYTES, Beat
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


class PacketHead(data.Struct):
    """What belongs to the message blocks that are being played.

    The first of them has the number ``sequence``; the first ``skip`` have been played before. All have this
    ``stamp``.
    """

    stamp: 64
    sequence: 64
    skip: 16


class Held(data.Struct):
    """A packet in a hold slot: messages ``sequence`` to ``end - 1``."""

    sequence: 64
    end: 64
    length: 11


class Arbiter(wiring.Component):
    """Arbitration of two feeds and what is recovered, with hold slots for what comes too early.

    Members
    -------
    packets : In(stream of Packet), one per port
        Valid packets; each lies in the port's buffer ``filling``.
    filling : Out, one per port
        The buffer of the packet that comes next.
    read_buffer, read_word : Out
        Address in the packet buffers of all ports.
    read_data : In(64), one per port
        What is there, a cycle later.
    control : In(stream of Item)
        TICK items, COMMAND items with SET_FEED or RESUME_FEED. Each comes out of ``items`` again.
    configuration : Out(FeedConfiguration)
        As the last SET_FEED has it.
    items : Out(stream of Item)
        Every item but the messages.
    blocks : Out(stream of Beat)
        Message blocks, packet by packet.
    head : Out(PacketHead)
        What belongs to ``blocks``; stays as long as ``behind`` is high.
    start : Out(1)
        ``head`` is new: the blocks of another packet follow.
    behind : In(1)
        A message of ``blocks`` is still on its way to where ``items`` go.
    busy : Out(1)
        It has something to do.
    count_... : Out(1)
        Pulses of the counters.

    A packet that comes in sequence begins to leave 12 cycles after it was offered, and then a beat every
    other cycle. It never waits for a missing message: what comes ahead of it is held while there is a slot,
    then dropped and counted. A packet with the message that is missing is always taken.
    """

    def __init__(self):
        super().__init__(
            {
                "packets": In(stream.Signature(Packet)).array(PORTS),
                "filling": Out(range(BUFFERS)).array(PORTS),
                "read_buffer": Out(range(BUFFERS)),
                "read_word": Out(range(BUFFER_WORDS)),
                "read_data": In(64).array(PORTS),
                "control": In(stream.Signature(Item)),
                "configuration": Out(FeedConfiguration),
                "items": Out(stream.Signature(Item)),
                "blocks": Out(stream.Signature(Beat)),
                "head": Out(PacketHead),
                "start": Out(1),
                "behind": In(1),
                "busy": Out(1),
                **{f"count_{name}": Out(1) for name in COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.holds = holds = memory.Memory(shape=Held, depth=16, init=[])
        write, read = holds.write_port(), holds.read_port(domain="comb")

        # -- state, as the semantics name it ---------------------------------------------------
        expected, highest = Signal(64), Signal(64)
        joined, recovering, waiting = Signal(), Signal(), Signal()
        wait_since, last_stamp, hold_time = Signal(64), Signal(64), Signal(64)
        used = Signal(HOLDS)
        # Which of a port's buffers belongs to which slot. The one that no slot has is being filled.
        buffers = [
            [Signal(range(BUFFERS), init=slot, name=f"buffer_{port}_{slot}") for slot in range(HOLD_SLOTS)]
            for port in range(PORTS)
        ]
        filling = [Signal(range(BUFFERS), init=HOLD_SLOTS, name=f"filling_{port}") for port in range(PORTS)]
        configuration = Signal(FeedConfiguration)
        m.d.comb += [self.filling[port].eq(filling[port]) for port in range(PORTS)]
        m.d.comb += self.configuration.eq(configuration)

        # -- the input in hand -----------------------------------------------------------------
        port, from_port = Signal(range(PORTS)), Signal()
        packet, end = Signal(Packet), Signal(64)
        item = Signal(Item)  # what goes out: the control item, or one made here
        stamp, elapsed = Signal(64), Signal(64)
        is_tick = Signal()
        moved = Signal()  # expected has moved since the input came
        command = item.payload.command

        def send(kind, following, **fields):
            """Sends an item when nothing is before it on the other way, then goes on to ``following``."""
            out = self.items.payload
            m.d.comb += [
                self.items.valid.eq(~self.behind),
                out.kind.eq(kind),
                out.stamp.eq(stamp),
                out.cause.eq(0),
                *(out.payload.feed[name].eq(value) for name, value in fields.items()),
            ]
            with m.If(self.items.ready & ~self.behind):
                m.next = following

        valid = Cat(self.packets[n].valid for n in range(PORTS))
        ahead, stale, full, missing = Signal(), Signal(), Signal(), Signal()
        slot, port_used = Signal(range(HOLD_SLOTS)), Signal(HOLD_SLOTS)
        with m.Switch(port):
            for n in range(PORTS):
                with m.Case(n):
                    m.d.comb += port_used.eq(used[n * HOLD_SLOTS : (n + 1) * HOLD_SLOTS])
        m.d.comb += [
            write.addr.eq(Cat(slot, port)),
            write.data.sequence.eq(packet.sequence),
            write.data.end.eq(end),
            write.data.length.eq(packet.length),
        ]

        # -- the hold slot in hand -------------------------------------------------------------
        seen, at = Signal(HOLDS), Signal(range(HOLDS))  # seen in this scan
        held, skip, remaining = Signal(Held), Signal(16), Signal(11)
        m.d.sync += self.start.eq(0)
        left = used & ~seen
        m.d.comb += read.addr.eq(at)

        with m.FSM() as fsm:
            with m.State("IDLE"):
                m.d.sync += [moved.eq(0), is_tick.eq(0), from_port.eq(valid.any())]
                with m.If(valid.any()):
                    m.next = "PACKET"
                    with m.Switch(valid):
                        for n in range(PORTS):
                            with m.Case("-" * (PORTS - 1 - n) + "1" + "0" * n):
                                m.d.sync += port.eq(n)
                with m.Elif(self.control.valid):
                    m.d.comb += self.control.ready.eq(1)
                    m.d.sync += item.eq(self.control.payload)
                    m.next = "CONTROL"

            with m.State("PACKET"):
                with m.Switch(port):
                    for n in range(PORTS):
                        with m.Case(n):
                            m.d.sync += packet.eq(self.packets[n].payload)
                m.next = "STAMP"
            with m.State("CONTROL"):
                m.d.sync += [packet.stamp.eq(item.stamp), stamp.eq(item.stamp)]
                with m.If(item.kind == ItemKind.TICK):
                    m.d.sync += is_tick.eq(1)
                    m.next = "STAMP"
                with m.Elif(SET_FEED.bits(command, "opcode") == Opcode.SET_FEED):
                    m.next = "CONFIGURE"
                with m.Else():
                    m.next = "RESUME"

            # -- the clock ---------------------------------------------------------------------
            with m.State("STAMP"):
                later = Mux(packet.stamp > last_stamp, packet.stamp, last_stamp)
                m.d.sync += [stamp.eq(later), last_stamp.eq(later)]
                m.next = "ELAPSED"
            with m.State("ELAPSED"):
                m.d.sync += [elapsed.eq(stamp - wait_since), end.eq(packet.sequence + packet.count)]
                m.next = "TIMER"
            with m.State("TIMER"):
                m.next = "HANDLE"
                with m.If(waiting & (elapsed >= hold_time)):
                    m.next = "GAP"
            with m.State("GAP"):
                send(
                    ItemKind.GAP,
                    "HANDLE",
                    first=expected,
                    count=highest - expected,
                    repeat=recovering,
                )
                with m.If(self.items.valid & self.items.ready):
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
                with m.If(is_heartbeat | is_end):
                    m.d.comb += [
                        self.count_packets_heartbeat.eq(is_heartbeat),
                        self.count_packets_end_of_session.eq(is_end),
                    ]
                    m.d.sync += end.eq(packet.sequence)
                    m.next = "ALIVE"
                with m.Else():
                    m.next = "RANK"
            with m.State("ALIVE"):
                send(ItemKind.ALIVE, "HEARD")
            with m.State("HEARD"):
                with m.If(end > highest):
                    m.d.sync += highest.eq(end)
                m.next = "RELEASE"

            with m.State("RANK"):
                m.d.sync += [
                    stale.eq(end <= expected),
                    ahead.eq(packet.sequence > expected),
                    full.eq(port_used.all()),
                ]
                with m.Switch(port_used):
                    for n in range(HOLD_SLOTS):
                        with m.Case("-" * (HOLD_SLOTS - 1 - n) + "0" + "1" * n):
                            m.d.sync += slot.eq(n)
                    with m.Default():
                        m.d.sync += slot.eq(HOLD_SLOTS - 1)
                with m.If(end > highest):
                    m.d.sync += highest.eq(end)
                m.next = "STORE"
            with m.State("STORE"):
                m.next = "RELEASE"
                with m.If(stale):
                    m.d.comb += self.count_packets_duplicate.eq(1)
                with m.Elif(full & ahead):
                    m.d.comb += self.count_packets_dropped.eq(1)
                with m.Else():
                    m.d.comb += [
                        self.count_packets_held.eq(ahead),
                        self.count_packets_dropped.eq(full),  # the packet that was in the slot
                        write.en.eq(1),
                    ]
                    with m.Switch(port):
                        for n in range(PORTS):
                            with m.Case(n), m.Switch(slot):
                                for k in range(HOLD_SLOTS):
                                    with m.Case(k):
                                        m.d.sync += [
                                            used[n * HOLD_SLOTS + k].eq(1),
                                            filling[n].eq(buffers[n][k]),
                                            buffers[n][k].eq(filling[n]),
                                        ]
            with m.State("RELEASE"):
                with m.Switch(port):
                    for n in range(PORTS):
                        with m.Case(n):
                            m.d.comb += self.packets[n].ready.eq(1)
                m.next = "SCAN"
            # -- drain -------------------------------------------------------------------------
            with m.State("SCAN"):
                with m.If(left == 0):
                    m.next = "SETTLE"
                with m.Else():
                    with m.Switch(left):
                        for n in range(HOLDS):
                            with m.Case("-" * (HOLDS - 1 - n) + "1" + "0" * n):
                                m.d.sync += [at.eq(n), seen[n].eq(1)]
                    m.next = "READ"
            with m.State("READ"):
                m.d.sync += held.eq(read.data)
                m.next = "COMPARE"
            with m.State("COMPARE"):
                m.d.sync += [stale.eq(held.end <= expected), ahead.eq(held.sequence > expected)]
                m.next = "DECIDE"
            with m.State("DECIDE"):
                with m.If(stale):
                    m.d.comb += self.count_packets_duplicate.eq(1)
                    m.d.sync += used.bit_select(at, 1).eq(0)
                    m.next = "SCAN"
                with m.Elif(ahead):
                    m.next = "SCAN"
                with m.Else():
                    m.d.sync += [
                        used.bit_select(at, 1).eq(0),
                        seen.eq(0),
                        skip.eq(expected - held.sequence),
                        self.read_buffer.eq(Array(b for per_port in buffers for b in per_port)[at]),
                    ]
                    m.next = "PLAY"

            # -- play --------------------------------------------------------------------------
            with m.State("PLAY"):
                m.d.sync += [expected.eq(held.end), moved.eq(1)]
                m.d.sync += [self.read_word.eq(0), remaining.eq(held.length)]
                send(ItemKind.ALIVE, "FETCH")
                with m.If(self.items.valid & self.items.ready):
                    m.d.sync += [
                        self.start.eq(1),
                        self.head.stamp.eq(stamp),
                        self.head.sequence.eq(held.sequence),
                        self.head.skip.eq(skip),
                    ]
            with m.State("FETCH"):
                m.next = "LOAD"
            with m.State("LOAD"):
                m.d.sync += [
                    self.blocks.payload.last.eq(remaining <= BEAT_BYTES),
                    self.blocks.payload.count.eq(Mux(remaining <= BEAT_BYTES, remaining, BEAT_BYTES)),
                    self.blocks.payload.data.eq(Array(self.read_data[n] for n in range(PORTS))[at[2:]]),
                    self.read_word.eq(self.read_word + 1),
                    remaining.eq(Mux(remaining <= BEAT_BYTES, 0, remaining - BEAT_BYTES)),
                ]
                m.next = "BEAT"
            with m.State("BEAT"):
                m.d.comb += self.blocks.valid.eq(1)
                with m.If(self.blocks.ready):
                    m.next = "LOAD"
                    with m.If(remaining == 0):
                        m.next = "SCAN"

            # -- after the drain ---------------------------------------------------------------
            with m.State("SETTLE"):
                m.d.sync += [missing.eq(expected < highest), seen.eq(0)]
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
            with m.State("CONFIGURE"):
                start_sequence = SET_FEED.bits(command, "start_sequence")
                m.d.sync += [
                    expected.eq(start_sequence),
                    highest.eq(start_sequence),
                    joined.eq(start_sequence != 0),
                    recovering.eq(0),
                    waiting.eq(0),
                    used.eq(0),
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
                m.d.comb += [self.items.payload.eq(item), self.items.valid.eq(~self.behind)]
                with m.If(self.items.ready & ~self.behind):
                    m.next = "IDLE"

        m.d.comb += self.busy.eq(~fsm.ongoing("IDLE") | valid.any() | self.control.valid)
        return m
