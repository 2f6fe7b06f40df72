"""Spread, queue imbalance and microprice of one book top."""

from functools import partial

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hw.pipeline import delayed

ONE = 1 << 16
"""1.0 in Q16.16."""

RECIPROCAL_BITS = 10
RECIPROCAL = [(1 << 26) // m for m in range(1 << RECIPROCAL_BITS, 2 << RECIPROCAL_BITS)]
"""floor(2^26 / m) for m in 1024..2047: the division that the imbalance needs."""

LATENCY = 8


def top_layout(index_bits: int) -> data.StructLayout:
    """Both best levels as the ladder knows them."""
    side = data.StructLayout({"has": 1, "index": index_bits, "quantity": 32})
    return data.StructLayout({"bid": side, "ask": side})


class Signals(wiring.Component):
    """Signals of a book top.

    Parameters
    ----------
    index_bits : int
        Bits of a ladder index, at most 12.

    Members
    -------
    top : In
        Best bid and ask: ``has``, ``index``, ``quantity``.
    valid : Out(1)
        Both sides have an order, total quantity and spread are greater than 0.
    spread : Out(signed)
        Ticks, negative when the book is crossed.
    imbalance : Out(signed(18))
        Q16.16, -1 all ask to 1 all bid.
    microprice : Out(signed)
        Ticks from the ladder's base, Q16.16.

    Latency 8 cycles, one top per cycle. When ``valid`` is 0 the other outputs mean nothing.
    """

    def __init__(self, index_bits: int):
        if not 1 <= index_bits <= 12:
            raise ValueError(f"index_bits is {index_bits}, not 1 to 12")
        self.index_bits = index_bits
        super().__init__(
            {
                "top": In(top_layout(index_bits)),
                "valid": Out(1),
                "spread": Out(signed(index_bits + 1)),
                "imbalance": Out(signed(18)),
                "microprice": Out(signed(index_bits + 19)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        bid, ask = self.top.bid, self.top.ask

        register = partial(delayed, m)

        spread = register(ask.index.as_unsigned() - bid.index.as_unsigned(), "spread")
        total = register(bid.quantity + ask.quantity, "total")
        quantity = register(bid.quantity, "quantity")
        both = register(bid.has & ask.has, "both")
        usable = register(both & total.any() & (spread > 0), "usable")

        # The total shifted left until its leading one is bit 32, in steps of 8 and then of 1; the bid goes with it.
        # Their upper 11 bits are m and b: what is above them is gone, what is below is rounded down.
        coarse_total, coarse_quantity = Signal(33), Signal(33)
        for first, shift in ((25, 0), (17, 8), (9, 16), (1, 24), (0, 32)):
            with m.If(total[first:].any()) if shift == 0 else m.Elif(total[first:].any()):
                m.d.sync += [coarse_total.eq(total << shift), coarse_quantity.eq(quantity << shift)]
        upper, share = Signal(11), Signal(11)
        for shift in range(8):
            with m.If(coarse_total[32]) if shift == 0 else m.Elif(coarse_total[32 - shift]):
                m.d.sync += [
                    upper.eq(coarse_total[22 - shift : 33 - shift]),
                    share.eq(coarse_quantity[22 - shift : 33 - shift]),
                ]

        m.submodules.reciprocal = table = memory.Memory(shape=17, depth=len(RECIPROCAL), init=RECIPROCAL)
        lookup = table.read_port()
        m.d.comb += lookup.addr.eq(upper[:RECIPROCAL_BITS])
        product = register(register(share, "share_4") * lookup.data, "product")
        weight = register(Mux((product >> 10) > ONE, ONE, (product >> 10)[:17]), "weight")
        lean = register(weight, "lean")
        shift = register(register(spread, "spread_late", 5) * weight, "shift")
        base = register(bid.index.as_unsigned(), "index", 7) << 16
        m.d.sync += [
            self.valid.eq(register(usable, "valid_late", 5)),
            self.spread.eq(register(spread, "spread_end", 6)),
            self.imbalance.eq((lean << 1) - ONE),
            self.microprice.eq(base + shift),
        ]
        return m
