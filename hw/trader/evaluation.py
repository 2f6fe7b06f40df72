"""Steps of an evaluation: mark to market, withdraw, quote. docs/architecture.md, Semantics, sections 6 and 7.

``EVALUATE`` does it for the symbol at work, ``SWEEP`` for all that are mapped. They end the item.
"""

from amaranth.hdl import Mux, Signal

from hw.quoter import quoter
from hw.trader.desk import Back
from wire.reasons import STATE_REASONS, WITHDRAW_REASONS
from wire.records import QUOTER_STRATEGY, SLOTS, TIME_IN_FORCE_DAY, SlotState

QUOTER_PLACES = sum(1 << place for place in range(0, 2 * SLOTS, SLOTS))
MARK_CYCLES = 5
"""Cycles from the symbol's rows being there to its profit and loss being stored; the quoter runs meanwhile."""


def add_states(m, desk):
    """Adds the steps to the state machine that is open in ``m``."""
    _sweep(m, desk)
    _mark_to_market(m, desk)
    _walk_slots(m, desk)
    _quote(m, desk)


def _sweep(m, desk):
    with m.State("SWEEP"):
        m.d.sync += [desk.sweeping.eq(1), desk.unswept.eq(desk.mapped), desk.symbol.eq(0)]
        m.next = "SWEEP_NEXT"
    with m.State("SWEEP_NEXT"):
        with m.If(~desk.unswept.any()):
            m.next = "DONE"
        with m.Elif(desk.unswept[0]):
            m.next = "EVALUATE"
        with m.Else():
            m.d.sync += [desk.unswept.eq(desk.unswept >> 1), desk.symbol.eq(desk.symbol + 1)]
    with m.State("EVALUATED"):
        m.d.sync += [desk.unswept.eq(desk.unswept >> 1), desk.symbol.eq(desk.symbol + 1)]
        m.next = "DONE"
        with m.If(desk.sweeping):
            m.next = "SWEEP_NEXT"


def _mark_to_market(m, desk):
    account, top = desk.account.row, desk.top.row
    long, short = account.position > 0, account.position < 0
    mark, pnl = Signal(32), Signal.like(account.pnl)

    with m.State("EVALUATE"):
        m.next = "MARK"
    with m.State("MARK"):
        m.d.comb += desk.trader.counters["evaluations"].eq(1)
        price = Mux(long & top.bid.has, top.bid.price, Mux(short & top.ask.has, top.ask.price, account.mark))
        desk.multiply(m, desk.magnitude(account.position), price)
        m.d.sync += mark.eq(price)
        m.next = "MARK_WAIT"
    desk.pause(m, "MARK_WAIT", 2, "MARK_VALUE")
    with m.State("MARK_VALUE"):
        m.d.sync += pnl.eq(Mux(short, account.cash - desk.product, account.cash + desk.product))
        m.next = "MARK_STORE"
    with m.State("MARK_STORE"):
        desk.store(m, desk.account, mark=mark, pnl=pnl)
        m.d.sync += desk.pnl_total.eq(desk.pnl_total + pnl - account.pnl)
        m.next = "EVALUATED"
        with m.If(desk.session_up):
            m.next = "SETTLE"
    # The gate needs 2 cycles for the state reasons, the quoter its latency since the rows were there.
    desk.pause(m, "SETTLE", quoter.LATENCY - MARK_CYCLES, "LOOK")


def _walk_slots(m, desk):
    slot = desk.slot
    state_mask = Signal.like(desk.mask)
    strategy_killed = desk.killed_strategies.bit_select(slot.strategy, 1)
    withdraw = (state_mask & WITHDRAW_REASONS).any() | strategy_killed | slot.cancel_wanted

    with m.State("LOOK"):
        m.d.sync += [state_mask.eq(desk.gate.state_mask), desk.todo.eq(desk.slots.occupied | QUOTER_PLACES)]
        m.next = "NEXT_SLOT"
    with m.State("NEXT_SLOT"):
        take_place(m, desk)
        m.next = "LOAD_SLOT"
        with m.If(~desk.todo.any()):
            m.next = "EVALUATED"
    with m.State("LOAD_SLOT"):
        m.next = "JUDGE_SLOT"
    with m.State("JUDGE_SLOT"):
        m.d.sync += slot.eq(desk.slots.slot)
        m.next = "TREAT_SLOT"
    with m.State("TREAT_SLOT"):
        m.d.sync += desk.back.eq(Back.NEXT_SLOT)
        m.next = "NEXT_SLOT"
        with m.If((slot.state == SlotState.LIVE) & withdraw):
            m.next = "CANCEL"
        with m.Elif(desk.place[:2] == 0):
            m.next = "QUOTE"
    desk.may_quote = ~(state_mask & STATE_REASONS).any() & ~desk.killed_strategies[QUOTER_STRATEGY]


def take_place(m, desk):
    """Takes the lowest place that is to be done."""
    for place in reversed(range(2 * SLOTS)):
        with m.If(desk.todo[place]):
            m.d.sync += desk.place.eq(place)
    m.d.sync += desk.todo.eq(desk.todo & (desk.todo - 1))


def _quote(m, desk):
    slot, order = desk.slot, desk.order
    quote = Mux(desk.side, desk.quoter.sell, desk.quoter.buy)
    quote = desk.quoter.buy.shape()(quote)
    wanted, distance, far = Signal(), Signal(33), Signal()
    change = quote.price - slot.price

    with m.State("QUOTE"):
        m.d.sync += [wanted.eq(quote.want & desk.may_quote), distance.eq(Mux(change < 0, -change, change))]
        m.d.sync += [
            order.price.eq(quote.price),
            order.quantity.eq(desk.quoting.row.size),
            order.strategy.eq(QUOTER_STRATEGY),
            order.tag.eq(Mux(slot.state == SlotState.IDLE, 0, slot.tag)),
            order.time_in_force.eq(TIME_IN_FORCE_DAY),
            order.free.eq(1),
            order.replace.eq(slot.state == SlotState.LIVE),
        ]
        m.next = "QUOTE_DISTANCE"
    with m.State("QUOTE_DISTANCE"):
        m.d.sync += far.eq(distance >= desk.quoter.threshold)
        m.next = "QUOTE_DECIDE"
    with m.State("QUOTE_DECIDE"):
        m.next = "NEXT_SLOT"
        with m.If((slot.state == SlotState.IDLE) & wanted):
            m.next = "SUBMIT"
        with m.If(slot.state == SlotState.LIVE):
            with m.If(~wanted):
                m.next = "CANCEL"
            with m.Elif(far):
                m.d.sync += desk.back.eq(Back.REQUOTED)
                m.next = "SUBMIT"
    with m.State("REQUOTED"):
        m.d.sync += desk.back.eq(Back.NEXT_SLOT)
        m.next = "NEXT_SLOT"
        with m.If(desk.refused):
            m.next = "CANCEL"
