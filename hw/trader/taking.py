"""The taker's order. docs/architecture.md, Semantics, section 7.

It is put together while the item is taken, and shown to the gate while the events go out. ``TAKE`` does what follows from the
gate's answer, and goes on at ``MARK``.
"""

from amaranth.hdl import Cat, Const, Mux, Signal
from amaranth.lib import data

from hw.trader.desk import TAKE_READY, Back
from wire.reasons import STATE_REASONS
from wire.records import IMMEDIATE_OR_CANCEL, SLOTS, TAKER_SLOT, TAKER_STRATEGY


def judge(m, desk):
    """Shows the order to the gate as soon as that can be, whatever the state machine does meanwhile."""
    gate, order, best, taker = desk.gate, desk.order, desk.best, desk.taker.row
    looked = top(desk)
    sizes = [Signal(32, name=f"{name}_size") for name in ("buy", "sell")]
    for size, level in zip(sizes, (looked.ask, looked.bid), strict=True):
        m.d.sync += size.eq(Mux(level.quantity < taker.size, level.quantity, taker.size))
    with m.If(desk.taking & (desk.age == TAKE_READY - 1)):
        m.d.sync += [
            order.replace.eq(0),
            order.price.eq(Mux(desk.side, best.bid.price, best.ask.price)),
            order.quantity.eq(Mux(desk.side, sizes[1], sizes[0])),
            order.strategy.eq(TAKER_STRATEGY),
            order.tag.eq(0),
            order.time_in_force.eq(IMMEDIATE_OR_CANCEL),
            order.free.eq(1),
        ]
    with m.If(desk.taking & ~desk.take_judging & (desk.age >= TAKE_READY)):
        m.d.comb += gate.start.eq(desk.release.ready & desk.exposure.ready)
        m.d.sync += [desk.take_judging.eq(gate.start), desk.wanted.eq(gate.start)]
    with m.If(desk.take_judging & gate.done):
        m.d.sync += [
            desk.mask.eq(gate.mask),
            desk.marking.eq(gate.marking),
            desk.refused.eq(~gate.passed),
            desk.wanted.eq(0),
            desk.take_judged.eq(1),
        ]


def top(desk):
    """The top that the taker looks at."""
    return data.View(desk.best.shape(), Mux(desk.attending, desk.valuation.top, desk.first.top))


def wants(desk, stamp):
    """Whether the taker wants an order from the symbol whose rows are there, and whether that buys."""
    best = top(desk)
    taker, occupied = desk.taker.row, desk.ahead_occupied
    wanted = taker.enabled & taker.size.any() & (stamp <= taker.expiry) & desk.session_up
    buys = best.ask.has & (best.ask.price <= taker.highest_buy) & ~occupied[TAKER_SLOT]
    sells = best.bid.has & (best.bid.price >= taker.lowest_sell) & ~occupied[SLOTS + TAKER_SLOT]
    return wanted & (buys | sells), buys


def look(m, desk, stamp):
    """Finds out in the cycle in which the symbol's rows are there whether the taker wants an order, and on which side."""
    wanted, buys = wants(desk, stamp)
    m.d.sync += [desk.taking.eq(wanted), desk.place.eq(Cat(Const(TAKER_SLOT, 2), ~buys))]


def add_states(m, desk):
    """Adds the step to the state machine that is open in ``m``."""
    with m.State("TAKE"):
        with m.If(~desk.taking):
            m.next = "MARK"
        with m.Elif(desk.take_judged):
            m.d.sync += [desk.taking.eq(0), desk.take_judging.eq(0), desk.take_judged.eq(0), desk.back.eq(Back.MARK)]
            m.next = "SENT"
            with m.If((desk.mask & STATE_REASONS).any()):  # it did not want to
                m.next = "MARK"
            with m.Elif(desk.refused):
                m.next = "REFUSED"
