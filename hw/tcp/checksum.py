"""One's complement sums of 16-bit words (RFC 1071) without long carries.

Words are network numbers, the first of two bytes in the high half. A sum is kept as two words that add up to it: three
words become two with one level of logic, and what carries out of bit 15 comes back in at bit 0.
"""

from collections.abc import Iterable

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


def words(octets: Value) -> list[Value]:
    """The words of bytes that lie with the first in bits 0..7."""
    return [Cat(octets[n + 8 : n + 16], octets[n : n + 8]) for n in range(0, len(octets), 16)]


def save_carries(m: Module, terms: Iterable[Value]) -> tuple[Value, Value]:
    """Two words with the sum of all terms; 1, 2, 3, 4 levels of logic for up to 3, 4, 6, 9 terms."""
    terms = list(terms)
    while len(terms) > 2:
        fewer = terms[len(terms) - len(terms) % 3 :]
        for n in range(0, len(terms) - len(terms) % 3, 3):
            a, b, c = terms[n : n + 3]
            partial, carries = Signal(16, name="partial"), Signal(16, name="carries")
            m.d.comb += [partial.eq(a ^ b ^ c), carries.eq((a & b) | (a & c) | (b & c))]
            fewer += [partial, Cat(carries[15], carries[:15])]
        terms = fewer
    return terms[0], terms[1]


def add(a: Value, b: Value) -> Value:
    """The sum of two words as one word: both carries are tried at once, so it takes the time of one addition."""
    plain = a + b
    carried = Cat(Const(1, 1), a) + Cat(Const(1, 1), b)
    return Mux(plain[16], carried[1:17], plain[:16])


class RunningSum(wiring.Component):
    """Says whether bytes with a checksum among them are what was sent: their sum is 0xFFFF.

    Members
    -------
    data : In(64)
        Eight bytes.
    count : In(4)
        How many of them belong to the sum.
    add : In(1)
        Add them.
    first : In(1)
        Forget what was before. With ``add``.
    more : In(32)
        Two more words to add, with ``add``.
    good : Out(1)
        The sum is 0xFFFF, 3 cycles after the last ``add``.

    A beat per cycle, any number of them.
    """

    data: In(64)
    count: In(4)
    add: In(1)
    first: In(1)
    more: In(32)
    good: Out(1)

    def elaborate(self, platform):
        m = Module()
        counted = Cat(self.data[8 * n : 8 * n + 8] & (self.count > n).replicate(8) for n in range(8))
        octets, adding, beginning = Signal(96), Signal(), Signal()
        m.d.sync += [octets.eq(Cat(counted, self.more)), adding.eq(self.add), beginning.eq(self.first)]

        low, high = Signal(16), Signal(16)
        before = [each & (~beginning).replicate(16) for each in (low, high)]
        with m.If(adding):
            m.d.sync += Cat(low, high).eq(Cat(*save_carries(m, [*words(octets), *before])))
        # 0xFFFF is what is left of every multiple of it but 0.
        m.d.sync += self.good.eq((low ^ high).all() | (low.all() & high.all()))
        return m
