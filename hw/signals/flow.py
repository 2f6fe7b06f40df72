"""Order flow imbalance, trade imbalance and realised variance of one symbol. docs/architecture.md, Semantics, section 7."""

from functools import partial

from amaranth.hdl import Array, Const, Module, Mux, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic import clamp32
from hw.pipeline import delayed
from hw.signals.microprice import top_layout
from wire.records import MAX_DECAY

LATENCY = 5

PERIOD_BITS = 8
"""The shortest period in which the signals lose an eighth is 2^8 ns."""

PERIOD_COUNT_BITS = 6
PERIODS = 1 << PERIOD_COUNT_BITS
DECAY = [(7**n << 16) // 8**n for n in range(PERIODS)]
"""floor(2^16 * (7/8)^n): what is left after n periods. After 64 nothing is."""

MAX_RETURN = 255
"""Half ticks: a greater move of the mid price counts as this one."""

Flow = data.StructLayout({"ofi": signed(32), "trades": signed(32), "variance": 31})
"""Shares, shares, and half ticks squared with 8 bits behind the point."""

FlowRow = data.StructLayout({"flow": Flow, "time": 64})
"""What a symbol has, and the stamp that it is of."""

Trade = data.StructLayout({"valid": 1, "side": 1, "quantity": 32})
"""Shares that traded against a resting order of ``side``."""


class FlowSignals(wiring.Component):
    """Flow signals brought to a stamp: they decay, then comes what an item says.

    Parameters
    ----------
    index_bits : int
        Bits of a ladder index.

    Members
    -------
    row : In(FlowRow)
        As it was kept.
    stamp : In(64)
        ns, not before the row's.
    decay : In(5)
        They lose an eighth in 2^(8 + decay) ns.
    fresh : In(1)
        The item is a message that is not counted yet: ``before``, ``after`` and ``trade`` are what it did.
    before, after : In
        Best levels of the symbol.
    trade : In(Trade)
        One that is printable.
    again : In(1)
        ``row`` does not have yet what came at the same stamp before: ``now`` has.
    now : In(Flow)
        The symbol's signals, 4 cycles behind the rest.
    o : Out(Flow)

    Latency 5 cycles, one symbol per cycle.
    """

    def __init__(self, index_bits: int):
        self.index_bits = index_bits
        top = top_layout(index_bits)
        super().__init__(
            {
                "row": In(FlowRow),
                "stamp": In(64),
                "decay": In(range(MAX_DECAY + 1)),
                "fresh": In(1),
                "before": In(top),
                "after": In(top),
                "trade": In(Trade),
                "again": In(1),
                "now": In(Flow),
                "o": Out(Flow),
            }
        )

    def elaborate(self, platform):
        m = Module()

        register = partial(delayed, m)

        # What is left: at stage 1 the periods' ends, at stage 2 the factor.
        def window(stamp):
            starts = range(PERIOD_BITS, PERIOD_BITS + MAX_DECAY + 1)
            return Array(stamp[low : low + PERIOD_COUNT_BITS + 1] for low in starts)[self.decay]

        elapsed = register(self.stamp - self.row.time, "elapsed")[:64]
        periods = (register(window(self.stamp), "now") - register(window(self.row.time), "then"))[: PERIOD_COUNT_BITS + 1]
        decay = register(self.decay, "decay_1")
        longer = Array(elapsed[PERIOD_BITS + each + PERIOD_COUNT_BITS :].any() for each in range(MAX_DECAY + 1))
        gone = register(longer[decay] | periods[-1], "gone")
        left = register(Array(Const(each, 17) for each in DECAY)[periods[:-1]], "left")

        # Stages 3 and 4: two products of 18 bits, and their sum without the 16 bits behind the point.
        def decayed(value, name):
            value = register(value, f"{name}_late", 2)
            high, low = value[16:], value[:16]
            upper = register((high.as_signed() if value.shape().signed else high) * left, f"{name}_upper")
            lower = register(low * left, f"{name}_lower")
            total = register((upper << 16) + lower, f"{name}_sum") >> 16
            return Mux(register(gone, f"{name}_gone", 2), 0, total)

        # What has just happened. An empty side has the worst of all prices and no shares.
        before, after = self.before, self.after
        bid_up = ~before.bid.has | (after.bid.has & (after.bid.index >= before.bid.index))
        bid_down = ~after.bid.has | (before.bid.has & (after.bid.index <= before.bid.index))
        ask_down = ~before.ask.has | (after.ask.has & (after.ask.index <= before.ask.index))
        ask_up = ~after.ask.has | (before.ask.has & (after.ask.index >= before.ask.index))

        def shares(condition, side, name):
            return register(Mux(self.fresh & condition & side.has, side.quantity, 0), name)

        bids = register(shares(bid_up, after.bid, "bid_came") - shares(bid_down, before.bid, "bid_went"), "bids")
        asks = register(shares(ask_down, after.ask, "ask_came") - shares(ask_up, before.ask, "ask_went"), "asks")
        flow = register(register(bids - asks, "flow"), "flow_late")

        trade = self.trade
        taken = register(Mux(self.fresh & trade.valid, trade.quantity, 0), "taken")
        traded = register(Mux(register(trade.side, "resting"), taken, -taken), "traded", 3)

        both = before.bid.has & before.ask.has & after.bid.has & after.ask.has & self.fresh
        new, old = after.bid.index + after.ask.index, before.bid.index + before.ask.index
        moved = register(Mux(register(both, "both"), register(new, "new") - register(old, "old"), 0), "moved")
        size = Mux(moved < 0, -moved, moved)
        size = register(Mux(size > MAX_RETURN, MAX_RETURN, size)[:8], "size")
        square = register(size * size, "square")

        # Stage 5. At one stamp nothing decays.
        row, now, again = self.row.flow, self.now, register(self.again, "again", 4)

        def value(name):
            return Mux(again, now[name], decayed(row[name], name))

        variance = value("variance") + (square << 8)
        m.d.sync += [
            self.o.ofi.eq(clamp32(value("ofi") + flow)),
            self.o.trades.eq(clamp32(value("trades") + traded)),
            self.o.variance.eq(Mux(variance[31:].any(), (1 << 31) - 1, variance[:31])),
        ]
        return m
