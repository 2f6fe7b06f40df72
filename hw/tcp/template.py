"""What is known of a frame before there is anything to send, and which acknowledgements are due."""

from itertools import pairwise

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.tcp.checksum import add
from wire.ethernet import ETHERNET, IPV4_TYPE
from wire.ipv4 import DONT_FRAGMENT, IPV4, TCP_PROTOCOL, VERSION_LENGTH
from wire.tcp import DATA_OFFSET, TCP, Flag

TIME_TO_LIVE = 64
HEADERS = ETHERNET.length + IPV4.length + TCP.length

DATA_FLAGS = Flag.PSH | Flag.ACK
"""Of a segment with payload; ``Prepared.tcp_sum`` has them."""

SOUP_LENGTH_BYTES = 2
COUNTED_LENGTH = TCP.length + SOUP_LENGTH_BYTES
"""What ``Prepared.tcp_sum`` has of the segment's length. The rest is the number in the packet's first two bytes, which are
to be added a second time."""


class Addresses(data.Struct):
    """A connection's two ends and the next hop; held while it is open."""

    local_mac: 48
    remote_mac: 48
    local_address: 32
    remote_address: 32
    local_port: 16
    remote_port: 16


def headers(addresses, **fields):
    """The headers of a frame, byte 0 in bits 0..7, from the addresses and those fields that differ from frame to frame."""
    return Cat(
        ETHERNET.octets(
            {"destination": addresses.remote_mac, "source": addresses.local_mac, "ethertype": IPV4_TYPE}
        ),
        IPV4.octets(
            {
                "version_length": VERSION_LENGTH,
                "total_length": fields.get("total_length"),
                "flags_fragment": DONT_FRAGMENT,
                "time_to_live": TIME_TO_LIVE,
                "protocol": TCP_PROTOCOL,
                "checksum": fields.get("ip_checksum"),
                "source": addresses.local_address,
                "destination": addresses.remote_address,
            }
        ),
        TCP.octets(
            {
                "source_port": addresses.local_port,
                "destination_port": addresses.remote_port,
                "sequence_number": fields.get("sequence"),
                "acknowledgment_number": fields.get("acknowledgment"),
                "data_offset": fields.get("data_offset"),
                "flags": fields.get("flags"),
                "window": fields.get("window"),
                "checksum": fields.get("tcp_checksum"),
            }
        ),
    )


def constant_words(octets):
    """The words of the constant bytes among some, summed."""
    total = sum(int.from_bytes(octets[n : n + 2], "big") for n in range(0, len(octets), 2))
    return Const(total % 0xFFFF, 16)


class Prepared(data.Struct):
    """Header fields of the next frame with data, all of one moment, and their sums."""

    sequence: 32
    acknowledgment: 32
    window: 16
    tcp_sum: 16  # all of pseudo header and header; of the length ``COUNTED_LENGTH``
    ip_sum: 16  # without the total length


class Template(wiring.Component):
    """Keeps the header of the next frame ready.

    Parameters
    ----------
    offer_bits : int
        Bits of ``offered``.
    ack_delay : int
        Microseconds that an acknowledgement may wait for data to travel with, at least 1.

    Members
    -------
    addresses : In(Addresses)
    sequence, acknowledgment, window : In
        Of the next segment with data.
    offered : In(offer_bits)
        How much window has been given away when ``window`` was; any number that counts up.
    owed : In(1)
        Pulse, with the ``acknowledgment`` that came by it or before: bytes are to be acknowledged. The second such pulse
        without a frame in between makes it due (RFC 5681 section 4.2).
    urgent : In(1)
        Pulse: an acknowledgement is to be sent now.
    tick_us : In(1)
    started : In(1)
        A frame that acknowledges begins, with what is at ``o`` in this cycle.
    forget : In(1)
        No acknowledgement is due any more.
    o : Out(Prepared)
    due : Out(1)
        An acknowledgement must go.
    announced : Out(offer_bits)
        ``offered`` as the peer knows it.

    Whatever changes is at ``o`` 4 cycles later, every field of the same cycle; ``owed`` and ``urgent`` travel with them,
    so that what is acknowledged is never less than what was asked for.
    """

    def __init__(self, offer_bits: int, ack_delay: int = 2):
        if ack_delay < 1:
            raise ValueError(f"ack_delay is {ack_delay}, not 1 microsecond or more")
        self.offer_bits, self.ack_delay = offer_bits, ack_delay
        super().__init__(
            {
                "addresses": In(Addresses),
                "sequence": In(32),
                "acknowledgment": In(32),
                "window": In(16),
                "offered": In(offer_bits),
                "owed": In(1),
                "urgent": In(1),
                "tick_us": In(1),
                "started": In(1),
                "forget": In(1),
                "o": Out(Prepared),
                "due": Out(1),
                "announced": Out(offer_bits),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # The addresses' part stands still while a connection is open: it may take as long as it likes.
        def register(value, name):
            kept = Signal(len(value), name=name)
            m.d.sync += kept.eq(value)
            return kept

        ends = [
            half
            for address in (self.addresses.local_address, self.addresses.remote_address)
            for half in (address[16:], address[:16])
        ]
        pairs = [register(add(*ends[n : n + 2]), f"address_sum_{n}") for n in (0, 2)]
        between = register(add(*pairs), "address_sum")
        ports = register(add(self.addresses.local_port, self.addresses.remote_port), "port_sum")
        fixed_ip = IPV4.pack(
            version_length=VERSION_LENGTH, flags_fragment=DONT_FRAGMENT, time_to_live=TIME_TO_LIVE, protocol=TCP_PROTOCOL
        )
        fixed_tcp = TCP.pack(data_offset=DATA_OFFSET, flags=DATA_FLAGS)
        pseudo = TCP_PROTOCOL.to_bytes(2, "big") + COUNTED_LENGTH.to_bytes(2, "big")
        ip_sum = register(add(between, constant_words(fixed_ip)), "ip_sum")
        base = register(add(between, constant_words(fixed_tcp + pseudo)), "tcp_constant_sum")
        base = register(add(base, ports), "tcp_base_sum")

        # What moves, a stage of one addition at a time; the fields travel beside their sums.
        moving = data.StructLayout(
            {"sequence": 32, "acknowledgment": 32, "window": 16, "offered": self.offer_bits, "owed": 1, "urgent": 1}
        )
        stages = [Signal(moving, name=f"stage_{n}") for n in range(4)]
        m.d.sync += [getattr(stages[0], name).eq(getattr(self, name)) for name in moving.members]
        m.d.sync += [after.eq(before) for before, after in pairwise(stages)]
        first = stages[0]
        sequence = register(add(first.sequence[16:], first.sequence[:16]), "sequence_sum")
        acknowledgment = register(add(first.acknowledgment[16:], first.acknowledgment[:16]), "acknowledgment_sum")
        window = register(add(first.window, base), "window_sum")
        beside = register(add(acknowledgment, window), "beside_sum")
        sequence = register(sequence, "sequence_sum_kept")
        last = stages[3]
        m.d.sync += self.o.tcp_sum.eq(add(beside, sequence))
        m.d.comb += [
            self.o.sequence.eq(last.sequence),
            self.o.acknowledgment.eq(last.acknowledgment),
            self.o.window.eq(last.window),
            self.o.ip_sum.eq(ip_sum),
        ]

        owing, waited = Signal(), Signal(range(self.ack_delay))
        with m.If(self.started):
            m.d.sync += [self.due.eq(0), owing.eq(0), self.announced.eq(last.offered)]
        with m.If(owing & self.tick_us):
            m.d.sync += waited.eq(waited + 1)
            with m.If(waited == self.ack_delay - 1):
                m.d.sync += [self.due.eq(~self.started), owing.eq(0)]
        with m.If(stages[2].owed):
            m.d.sync += [owing.eq(1), waited.eq(0)]
            with m.If(owing & ~self.started):
                m.d.sync += self.due.eq(1)
        with m.If(stages[2].urgent):
            m.d.sync += self.due.eq(1)
        with m.If(self.forget):
            m.d.sync += [self.due.eq(0), owing.eq(0)]
        return m
