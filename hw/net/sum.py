"""Internet checksums (RFC 1071) of an IPv4 header and of a UDP datagram, summed as they pass."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from wire.ipv4 import UDP_PROTOCOL

BITS = 26
"""Of a sum: enough for the largest payload that is taken."""


class DatagramSum(wiring.Component):
    """Says whether the checksums of a header and of a datagram are right: each one's complement sum is 0xFFFF.

    Sums are made of bytes as they lie, low byte first: they do not depend on the byte order.

    Members
    -------
    data : In(64)
        Four halves of words.
    add, first : In(1), In(1)
        There is a beat; it is the first of its frame that counts.
    header, pseudo, body : In(4)
        The halves that belong to the IPv4 header, to its addresses, and to the datagram.
    mine : In(8)
        The bytes that are not behind the datagram.
    again : In(2)
        The second or the fourth half is the datagram's length, which counts twice.
    header_good, good : Out(1)
        Valid in the second cycle behind the last ``add``.

    A beat per cycle.
    """

    data: In(64)
    add: In(1)
    first: In(1)
    header: In(4)
    pseudo: In(4)
    body: In(4)
    mine: In(8)
    again: In(2)
    header_good: Out(1)
    good: Out(1)

    def elaborate(self, platform):
        m = Module()
        halves = [self.data[at : at + 16] for at in range(0, 64, 16)]
        begins, adds = Signal(), Signal()
        m.d.sync += [begins.eq(self.first), adds.eq(self.add)]

        def pairs(values, name):
            """Sums of the first two and of the last two, a cycle later."""
            sums = [Signal(17, name=f"{name}_{n}") for n in range(2)]
            m.d.sync += [each.eq(values[2 * n] + values[2 * n + 1]) for n, each in enumerate(sums)]
            return sums

        in_header = [Mux(self.header[n], half, 0) for n, half in enumerate(halves)]
        in_body = []
        for n, half in enumerate(halves):
            octets = [half[:8] & self.mine[2 * n].replicate(8), half[8:] & self.mine[2 * n + 1].replicate(8)]
            in_body.append(Mux(self.pseudo[n], half, Mux(self.body[n], Cat(octets), 0)))
        length = Signal(16)
        m.d.sync += length.eq(Mux(self.again[0], halves[1], Mux(self.again[1], halves[3], 0)))

        def total(terms, start, name):
            """The sum of all terms from the first beat on: true of its low and high part adding up to 0xFFFF."""
            kept = Signal(BITS, name=name)
            with m.If(adds):
                m.d.sync += kept.eq(three(*terms, Mux(begins, start, kept)))
            return (kept[:16] ^ kept[16:]).all()

        m.d.comb += [
            self.header_good.eq(total(pairs(in_header, "header"), 0, "header_sum")),
            self.good.eq(total([*pairs(in_body, "body"), length], UDP_PROTOCOL << 8, "body_sum")),
        ]
        return m


def three(*terms):
    """A sum with one carry chain: three terms at a time become two without carries."""
    terms = list(terms)
    while len(terms) > 2:
        a, b, c, *rest = terms
        terms = [*rest, a ^ b ^ c, ((a & b) | (a & c) | (b & c)) << 1]
    return terms[0] + terms[1]
