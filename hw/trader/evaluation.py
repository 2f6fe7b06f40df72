"""Steps of an evaluation: take, mark to market, withdraw, quote. docs/architecture.md, Semantics, sections 6 and 7.

``EVALUATE`` does it for the symbol at work, ``SWEEP`` for all that are mapped. They end the item.
"""

from amaranth.hdl import Mux, Signal
from amaranth.lib import data

from hw.arithmetic import distance
from hw.quoter.quoter import Quote
from hw.trader import taking
from hw.trader.desk import STATE_SETTLE, Back
from hw.trader.valuation import Quotes
from wire.reasons import STATE_REASONS, WITHDRAW_REASONS
from wire.records import QUOTER_STRATEGY, SLOTS, TIME_IN_FORCE_DAY, SlotState

QUOTER_PLACES = sum(1 << place for place in range(0, 2 * SLOTS, SLOTS))


def add_states(m, desk):
    """Adds the steps to the state machine that is open in ``m``."""
    _sweep(m, desk)
    _mark_to_market(m, desk)
    _walk_slots(m, desk)


def _sweep(m, desk):
    with m.State("SWEEP"):
        m.d.sync += [desk.sweeping.eq(1), desk.direct.eq(0), desk.unswept.eq(desk.mapped), desk.symbol.eq(0)]
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
    with m.State("EVALUATE"):
        m.d.comb += desk.valuation.go.eq(1)
        m.d.sync += [desk.age.eq(1), desk.is_marked.eq(0), desk.is_quoted.eq(0)]
        taking.look(m, desk, desk.stamp)
        m.next = "TAKE"
    with m.State("MARK"):
        m.d.sync += desk.place.eq(0)
        with m.If(desk.is_marked):
            m.d.comb += desk.trader.counters["evaluations"].eq(1)
            m.d.sync += [desk.money.eq(desk.marked), desk.unsettled.eq(STATE_SETTLE)]
            m.next = "EVALUATED"
            with m.If(desk.session_up):
                m.next = "SETTLE"
    with m.State("SETTLE"):
        m.d.sync += [desk.loads.eq(1), desk.todo.eq((desk.slots.occupied | QUOTER_PLACES) & ~1)]
        with m.If((desk.valuation.soon | desk.quoted_now | desk.is_quoted) & (desk.unsettled <= 1)):
            m.next = "QUOTE"


def _walk_slots(m, desk):
    """Slot by slot; the first one is there already. The gate judges a quote while it is still open whether it is to go."""
    slot, order, gate = desk.slot, desk.order, desk.gate
    state_mask = Signal.like(desk.mask)
    strategy_killed = desk.killed_strategies.bit_select(slot.strategy, 1)
    withdraw = (state_mask & WITHDRAW_REASONS).any() | strategy_killed | slot.cancel_wanted
    may_quote = ~(state_mask & STATE_REASONS).any() & ~desk.killed_strategies[QUOTER_STRATEGY]
    quotes = data.View(Quotes, Mux(desk.quoted_now, desk.valuation.quotes, desk.quotes))
    quote = data.View(Quote, Mux(desk.side, quotes.sell, quotes.buy))
    wanted, apart, far = Signal(), Signal(32), Signal()

    with m.State("NEXT_SLOT"):
        take_place(m, desk)
        m.next = "LOAD_SLOT"
        with m.If(~desk.todo.any()):
            m.next = "EVALUATED"
    with m.State("LOAD_SLOT"):
        m.d.sync += desk.loads.eq(1)
        m.next = "JUDGE_SLOT"
    with m.State("JUDGE_SLOT"):
        m.next = "QUOTE"
    with m.State("QUOTE"):
        m.d.sync += [
            state_mask.eq(gate.state_mask),
            wanted.eq(quote.want),
            apart.eq(distance(quote.price, slot.price)),
            order.price.eq(quote.price),
            order.quantity.eq(desk.quoting.row.size),
            order.strategy.eq(QUOTER_STRATEGY),
            order.tag.eq(Mux(slot.state == SlotState.IDLE, 0, slot.tag)),
            order.time_in_force.eq(TIME_IN_FORCE_DAY),
            order.free.eq(1),
            order.replace.eq(slot.state == SlotState.LIVE),
        ]
        m.next = "TREAT_SLOT"
    with m.State("TREAT_SLOT"):
        m.d.sync += [far.eq(apart >= desk.quotes.threshold), wanted.eq(wanted & may_quote)]
        m.d.sync += desk.back.eq(Back.NEXT_SLOT)
        m.next = "NEXT_SLOT"
        with m.If((slot.state == SlotState.LIVE) & withdraw):
            m.next = "CANCEL"
        with m.Elif(desk.place[:2] == 0):
            desk.judge(m)
            m.next = "DECIDE"
    with m.State("DECIDE"):
        m.next = "NEXT_SLOT"
        with m.If((slot.state == SlotState.IDLE) & wanted):
            desk.submit(m)
        with m.If(slot.state == SlotState.LIVE):
            with m.If(~wanted):
                m.next = "CANCEL"
            with m.Elif(far & ~desk.young):
                m.d.sync += desk.back.eq(Back.REQUOTED)
                desk.submit(m)
    with m.State("REQUOTED"):
        m.d.sync += desk.back.eq(Back.NEXT_SLOT)
        m.next = "NEXT_SLOT"
        with m.If(desk.refused):
            m.next = "CANCEL"


def take_place(m, desk):
    """Takes the lowest place that is to be done."""
    for place in reversed(range(2 * SLOTS)):
        with m.If(desk.todo[place]):
            m.d.sync += desk.place.eq(place)
    m.d.sync += desk.todo.eq(desk.todo & (desk.todo - 1))
