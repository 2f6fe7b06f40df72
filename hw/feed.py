"""The feed handler: three ports of frames in, items in order out."""

from amaranth.hdl import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.arbiter.arbiter import COUNTERS as ARBITER_COUNTERS
from hw.arbiter.arbiter import Arbiter
from hw.itch.collector import BAD_LENGTH, CODES, UNKNOWN
from hw.items import Item
from hw.net.port import COUNTERS as PORT_COUNTERS
from hw.net.port import FeedPort
from hw.streams import Beat
from wire.itch import ITCH

PACKET_COUNTERS = ("packets_a", "packets_b", "packets_recovery")
MESSAGE_COUNTERS = ("messages", "itch_unknown", "itch_bad_length")


class Feed(wiring.Component):
    """Both feeds and the recovery port, and the arbiter between them.

    Members
    -------
    a, b, recovery : In(stream of Beat)
        Ethernet frames without preamble and frame check sequence. Never held up.
    bad : In(2)
        Of ``a`` and ``b``, with the last beat: the frame is to leave no trace.
    stamp : In(64)
        The clock, in ns. A frame's stamp is the clock when its first beat is taken.
    control : In(stream of Item)
        TICK items, and COMMAND items with SET_FEED or RESUME_FEED. Each comes out of ``o`` again, behind the
        items that it causes, and is taken here when it does.
    o : Out(stream of Item)
        MESSAGE, ALIVE, GAP, WHOLE, JOINED, RESUMED, and what came in at ``control``, without its payload: that stands there.
    busy : Out(1)
        Something is on its way. An input of one port that is to be handled before one of another must find it
        low.
    count_... : Out
        Pulses of the counters; those of the ports are 2 bits wide: how many of the three count in this cycle.
    count_itch, count_itch_index : Out
        A message of a known type with the right length, and the type's place in ``wire.itch.ITCH.records``.

    The first message of a packet that comes in sequence is at ``o`` 10 cycles behind the last beat of its frame, the others
    follow a cycle apart. A register belongs behind ``o``.
    """

    def __init__(self):
        super().__init__(
            {
                "a": In(stream.Signature(Beat)),
                "b": In(stream.Signature(Beat)),
                "recovery": In(stream.Signature(Beat)),
                "bad": In(2),
                "stamp": In(64),
                "control": In(stream.Signature(Item)),
                "o": Out(stream.Signature(Item)),
                "busy": Out(1),
                **{f"count_{name}": Out(2) for name in PORT_COUNTERS},
                "count_packets_dropped": Out(3),
                **{
                    f"count_{name}": Out(1)
                    for name in (*PACKET_COUNTERS, *ARBITER_COUNTERS, *MESSAGE_COUNTERS)
                    if name != "packets_dropped"
                },
                "count_itch": Out(1),
                "count_itch_index": Out(range(len(ITCH.records))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.arbiter = arbiter = Arbiter()
        ports = []
        for n, (name, frames) in enumerate((("a", self.a), ("b", self.b), ("recovery", self.recovery))):
            m.submodules[name] = port = FeedPort()
            ports.append(port)
            connect(m, flipped(frames), port.i)
            connect(m, port.packet, arbiter.packets[n])
            m.d.comb += [
                port.stamp.eq(self.stamp),
                port.session.eq(arbiter.configuration.session),
                port.read.eq(arbiter.read[n]),
                port.read_buffer.eq(arbiter.read_buffer),
                port.read_number.eq(arbiter.read_number),
                port.read_advance.eq(arbiter.read_advance),
                port.give_back.eq(arbiter.give_back[n]),
                port.give_back_buffer.eq(arbiter.give_back_buffer[n]),
                arbiter.message[n].eq(port.message),
                getattr(self, f"count_packets_{name}").eq(port.count_packets),
            ]
        m.d.comb += [
            *(port.bad.eq(bad) for port, bad in zip(ports[:2], self.bad, strict=True)),
            ports[0].address.eq(arbiter.configuration.address_a),
            ports[0].port.eq(arbiter.configuration.port_a),
            ports[1].address.eq(arbiter.configuration.address_b),
            ports[1].port.eq(arbiter.configuration.port_b),
        ]
        connect(m, flipped(self.control), arbiter.control)
        connect(m, arbiter.o, flipped(self.o))
        busy = Cat(port.busy for port in ports).any()
        m.d.comb += self.busy.eq(arbiter.busy | busy)
        self._expand(m, arbiter)

        for name in PORT_COUNTERS:
            m.d.comb += getattr(self, f"count_{name}").eq(sum(getattr(port, f"count_{name}") for port in ports))
        for name in ARBITER_COUNTERS:
            counted = getattr(arbiter, f"count_{name}")
            if name == "packets_dropped":
                counted = counted + sum(port.count_packets_dropped for port in ports)
            m.d.comb += getattr(self, f"count_{name}").eq(counted)
        return m

    def _expand(self, m, arbiter):
        """The message as it was kept becomes the item's; it is counted where it passes."""
        kept, message = arbiter.played_message, self.o.payload.payload.message
        passes = arbiter.played & self.o.valid & self.o.ready
        unknown, bad_length = kept.index == UNKNOWN, kept.index == BAD_LENGTH
        m.d.comb += [
            self.count_messages.eq(passes),
            self.count_itch_unknown.eq(passes & unknown),
            self.count_itch_bad_length.eq(passes & bad_length),
            self.count_itch.eq(passes & ~unknown & ~bad_length),
            self.count_itch_index.eq(kept.index),
        ]
        with m.If(arbiter.played):
            m.d.comb += [
                message.index.eq(kept.index),
                message.unknown.eq(unknown),
                message.bad_length.eq(bad_length),
                message.stock_locate.eq(kept.stock_locate),
                message.order_reference.eq(kept.reference),
                message.quantity.eq(kept.quantity),
                message.side.eq(kept.side),
                message.printable.eq(kept.printable),
            ]
            with m.Switch(kept.index):
                for n, record in enumerate(ITCH.records):
                    with m.Case(n):
                        second = message.new_order_reference if record.code == "U" else message.match_number
                        m.d.comb += [message.type.eq(ord(record.code)), second.eq(kept.second)]
                        if record.code in CODES:
                            m.d.comb += [message.code.eq(kept.price[:8]), message.action.eq(kept.price[8:16])]
                        else:
                            m.d.comb += message.price.eq(kept.price)
