"""ICMP echo (RFC 792)."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.local.arrival import Arrival
from hw.net.local.frame_buffer import ICMP_PROTOCOL
from hw.net.local.put import ADDRESS, LENGTH_BITS, MAC, SENDER, SOURCE, Operand, Put, play, send
from wire.ethernet import IPV4_TYPE
from wire.ipv4 import DONT_FRAGMENT, VERSION_LENGTH

ECHO_REQUEST = 0x0800
"""Type 8, code 0; the reply has type 0."""
MAX_TOTAL_LENGTH = 1500
TIME_TO_LIVE = 64
ETHERNET_HEADER = 14
LOOPBACK = 127
FIRST_MULTICAST = 224


class Icmp(wiring.Component):
    """Answers echo requests.

    Parameters
    ----------
    burst : int
        Replies that may follow each other.
    interval_ms : int
        In so many milliseconds one more reply is allowed, up to ``burst`` of them.

    Members
    -------
    i : In(stream of Arrival)
        ICMP for our address. Taken when the reply is gone.
    o : Out(stream of Put)
    tick_ms : In(1)
        Pulse, each millisecond.
    count_replies : Out(1)
    count_dropped : Out(1)
        Pulse: not an echo request, IP options, a fragment, more than 1500 bytes, a source that is no host, or more
        requests than allowed.

    A reply takes about 110 cycles to lay out; its payload is never copied, it goes out of the receiving buffer. A
    reply in progress holds the line for up to 190 beats: that is what the token bucket is for.

    The reply's checksum is the request's with the type's change in it (RFC 1624), not a new one: the request's was
    right, one pass over the payload is enough, and should the payload be hurt in our memory the peer will see it. It
    is added as in RFC 1141: that never gives 0x0000, which is wrong when all that it covers is 0.
    """

    def __init__(self, burst: int = 8, interval_ms: int = 1):
        if burst < 1 or interval_ms < 1:
            raise ValueError(f"burst {burst} and interval {interval_ms} ms are at least 1")
        self.burst, self.interval_ms = burst, interval_ms
        super().__init__(
            {
                "i": In(stream.Signature(Arrival)),
                "o": Out(stream.Signature(Put)),
                "tick_ms": In(1),
                "count_replies": Out(1),
                "count_dropped": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        found = self.i.payload

        tokens, waited = Signal(range(self.burst + 1), init=self.burst), Signal(range(self.interval_ms))
        with m.If(self.tick_ms):
            m.d.sync += waited.eq(Mux(waited == self.interval_ms - 1, 0, waited + 1))
        earned = self.tick_ms & (waited == self.interval_ms - 1)
        with m.If(self.count_replies & ~earned):
            m.d.sync += tokens.eq(tokens - 1)
        with m.If(earned & ~self.count_replies & (tokens != self.burst)):
            m.d.sync += tokens.eq(tokens + 1)

        first = found.source[24:]
        host = (first != 0) & (first != LOOPBACK) & (first < FIRST_MULTICAST)
        answers = Signal()
        m.d.sync += answers.eq(
            (found.body[48:] == ECHO_REQUEST)
            & ~found.options
            & ~found.fragment
            & (found.total_length <= MAX_TOTAL_LENGTH)
            & host
            & (tokens != 0)
        )
        carry, checksum = Signal(), Signal(16)
        was = found.body[32:48]
        m.d.sync += [carry.eq(was[11:].all()), checksum.eq(was + Cat(carry, Const(ECHO_REQUEST >> 1, 15)))]

        reply = (
            (7, VERSION_LENGTH << 8 | found.type_of_service),
            (8, found.total_length),
            (9, 0),
            (10, DONT_FRAGMENT),
            (11, TIME_TO_LIVE << 8 | ICMP_PROTOCOL),
            (13, ADDRESS[0]),
            (14, ADDRESS[1]),
            (15, SOURCE[0]),
            (16, SOURCE[1]),
            (12, Operand.CHECKSUM),
            (17, 0),
            (18, checksum),
            (19, found.body[16:32]),
            *enumerate(SENDER),
            *enumerate(MAC, 3),
            (6, IPV4_TYPE),
        )
        # A register on what is put, so that no path goes from the step into the transmitter.
        step, laid, saying, length = Signal(range(len(reply) + 1)), Signal(Put), Signal(), Signal(LENGTH_BITS)
        taken = Signal()
        end = play(m, laid, step, reply)
        with m.If(step == end):
            m.d.comb += send(laid, length, from_frame=True)
        m.d.sync += [
            self.o.payload.eq(laid),
            taken.eq(self.o.valid & self.o.ready),
            self.o.valid.eq(saying & ~taken & ~(self.o.valid & self.o.ready)),
            length.eq(found.total_length + ETHERNET_HEADER),
        ]
        with m.FSM():
            with m.State("WAIT"):
                with m.If(self.i.valid):
                    m.next = "LOOK"
            with m.State("LOOK"):
                m.next = "JUDGE"
            with m.State("JUDGE"):
                m.next = "REPLY"
                with m.If(~answers):
                    m.d.comb += [self.count_dropped.eq(1), self.i.ready.eq(1)]
                    m.next = "WAIT"
            with m.State("REPLY"):
                m.d.comb += saying.eq(1)
                with m.If(taken):
                    m.d.sync += step.eq(step + 1)
                    with m.If(step == end):
                        m.d.comb += [self.count_replies.eq(1), self.i.ready.eq(1)]
                        m.d.sync += step.eq(0)
                        m.next = "WAIT"
        return m
