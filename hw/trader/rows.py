"""What the trader remembers of a symbol: one row of each of these memories."""

from amaranth.hdl import Module, Shape, ShapeLike, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hw.block_memory import read_block
from hw.items import Best
from hw.parameters import Parameters

Listing = data.StructLayout({"stock": 64, "base_price": 32, "tick": 32})
"""SET_SYMBOL: what the symbol is."""

Market = data.StructLayout(
    {"enabled": 1, "killed": 1, "operational_halt": 1, "trading_state": 8, "reg_sho": 8}
)
"""Whether it may be traded."""

Limits = data.StructLayout(
    {
        "max_notional": 64,
        "loss_limit": 64,
        "max_quantity": 32,
        "max_position": 32,
        "collar": 32,
        "locate_quantity": 32,
        "rate_interval": 32,
        "rate_burst": 32,
        "duplicate_window": 32,
        "max_repeats": 16,
        "max_open_orders": 16,
    }
)
"""SET_LIMITS."""

Account = data.StructLayout(
    {"position": signed(32), "cash": signed(64), "notional": 64}
)
"""What we have of it. ``notional`` is the position's, at the price of the last execution."""

Taking = data.StructLayout(
    {"enabled": 1, "highest_buy": signed(34), "lowest_sell": signed(34), "size": 32, "expiry": 64}
)
"""SET_TAKER: it buys and sells at these prices as long as the stamp is not past ``expiry``."""

Last = data.StructLayout({"valid": 1, "price": 32, "quantity": 32, "repeats": 16, "time": 64})
"""The last order of a side."""

GlobalLimits = data.StructLayout(
    {
        "max_gross": 64,
        "credit": 64,
        "loss_limit": 64,
        "stale_ns": 64,
        "heartbeat_ns": 64,
        "rate_interval": 32,
        "rate_burst": 32,
        "firm": 32,
        "token_prefix": 16,
    }
)
"""SET_GLOBAL; of the card, not of a symbol."""


def top_layout(parameters: Parameters) -> data.StructLayout:
    """Best bid and ask of a symbol, with their prices."""
    best = Best(parameters)
    return data.StructLayout({"bid": best, "ask": best})


class Rows(wiring.Component):
    """A memory with a row per symbol, or per symbol and side.

    Parameters
    ----------
    shape : ShapeLike
        The row.
    count : int
        How many.

    Members
    -------
    at : In(range(count))
        The row that is wanted.
    row : Out(shape)
        Its value, one cycle after ``at``; what is stored shows two cycles after ``store``.
    store, store_at, new : In(1), In(range(count)), In(shape)
        Writes a row.

    One read and one write per cycle.
    """

    def __init__(self, shape: ShapeLike, count: int):
        self.width, self.count = Shape.cast(shape).width, count
        index = range(count)
        super().__init__({"at": In(index), "row": Out(shape), "store": In(1), "store_at": In(index), "new": In(shape)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.rows = rows = memory.Memory(shape=self.width, depth=self.count, init=[])
        write = rows.write_port()
        m.d.comb += [
            Value.cast(self.row).eq(read_block(m, rows, self.at)),
            write.addr.eq(self.store_at),
            write.data.eq(self.new),
            write.en.eq(self.store),
        ]
        return m
