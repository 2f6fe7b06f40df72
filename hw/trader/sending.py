"""Steps of an order on its way out: gate, release, bookkeeping. docs/architecture.md, Semantics, sections 8 and 9.

``SUBMIT`` takes the order in ``desk.order`` for the slot ``desk.place``, whose row is in ``desk.slot`` if it is to be
replaced; ``CANCEL`` withdraws the slot in ``desk.slot``. Both go on at ``desk.back``. ``REVALUE`` brings up to date
what follows from a slot, and stores it.
"""

from amaranth.hdl import Cat, Mux, Signal

from hw.orders.changes import SlotChanges, open_shares, pending_shares
from hw.risk.release import Harmless
from hw.trader.desk import Back
from wire.records import Action, EventType, SlotState


def add_states(m, desk):
    """Adds the steps to the state machine that is open in ``m``."""
    order, slot, gate = desk.order, desk.slot, desk.gate
    count, changes = desk.trader.counters, SlotChanges(m, desk.slot)

    desk.pause(m, "SUBMIT", 2, "SUBMIT_GATE")  # until the rows and sums of the place are there
    with m.State("SUBMIT_GATE"):
        desk.judge(m)
        m.d.sync += desk.wanted.eq(1)
        with m.If(gate.start):
            m.next = "SUBMIT_JUDGED"
    with m.State("SUBMIT_JUDGED"):
        with m.If(gate.done):
            m.d.sync += [desk.wanted.eq(0), desk.judging.eq(0)]
            m.d.sync += [desk.mask.eq(gate.mask), desk.marking.eq(gate.marking), desk.refused.eq(~gate.passed)]
            m.next = "REFUSED"
            with m.If(gate.passed):
                m.next = "SENT"

    action = Mux(order.replace, Action.REPLACE, Action.NEW)

    def about(action, marking, strategy):
        info = Signal(32)
        m.d.comb += [
            info[:8].eq(action),
            info[8:16].eq(desk.letter(marking)),
            info[16:24].eq(strategy),
        ]
        return info

    with m.State("REFUSED"):
        desk.emit(
            m,
            EventType.ORDER_REFUSED,
            side=desk.side,
            symbol=desk.symbol,
            order_id=Mux(order.replace, desk.slot_id, 0),
            value=desk.mask,
            price=order.price,
            quantity=order.quantity,
            tag=order.tag,
            info=about(action, desk.marking, order.strategy),
        )
        m.d.comb += [count["orders_refused"].eq(1), desk.trader.count_refused.eq(desk.mask)]
        m.next = "BACK"

    with m.State("SENT"):
        desk.store(m, desk.last, valid=1, price=order.price, quantity=order.quantity, time=desk.stamp, repeats=desk.repeats)
        m.d.sync += desk.generation.eq(desk.generation + 1)
        with m.If(order.replace):
            m.d.comb += count["orders_replace"].eq(1)
            changes.send_replace(order, desk.generation + 1, desk.pending_shares)
        with m.Else():
            m.d.comb += count["orders_new"].eq(1)
            changes.send_new(order, desk.generation + 1, desk.marking)
        m.next = "SENT_EVENT"
    with m.State("SENT_EVENT"):
        desk.emit(
            m,
            EventType.ORDER_SENT,
            side=desk.side,
            symbol=desk.symbol,
            order_id=Mux(order.replace, Cat(desk.number, slot.pending_generation), desk.slot_id),
            value=Mux(order.replace, desk.slot_id, 0),
            price=order.price,
            quantity=order.quantity,
            tag=slot.tag,
            info=about(action, slot.marking, slot.strategy),
        )
        _count_message(m, desk)
        m.next = "REVALUE"

    with m.State("CANCEL"):
        with desk.send(m, Harmless.CANCEL):
            m.d.comb += count["orders_cancel"].eq(1)
            changes.send_cancel()
            m.next = "CANCEL_EVENT"
    with m.State("CANCEL_EVENT"):
        desk.emit(
            m,
            EventType.ORDER_SENT,
            side=desk.side,
            symbol=desk.symbol,
            order_id=desk.slot_id,
            price=slot.price,
            quantity=slot.remaining,
            tag=slot.tag,
            info=about(Action.CANCEL, slot.marking, slot.strategy),
        )
        _count_message(m, desk)
        m.next = "REVALUE"

    _revalue(m, desk)

    with m.State("BACK"):
        with m.Switch(desk.back):
            for each in Back:
                with m.Case(each):
                    m.next = each.name


def _count_message(m, desk):
    """The rate limits, and the session's clock."""
    desk.store(m, desk.tat, desk.tat_next)
    m.d.sync += [desk.tat_everywhere.eq(desk.tat_everywhere_next), desk.last_sent.eq(desk.stamp)]


def _revalue(m, desk):
    """Open shares, most aggressive price and notional of the slot, at worst."""
    slot = desk.slot
    idle, replacing = slot.state == SlotState.IDLE, slot.state == SlotState.PENDING_REPLACE
    pending, first, notional = Signal(32), Signal(64), Signal(64)
    more_aggressive = (slot.pending_price < slot.price) ^ ~desk.side

    with m.State("REVALUE"):
        desk.multiply(m, slot.price, slot.remaining)
        m.d.sync += [
            pending.eq(pending_shares(slot)),
            slot.worst_price.eq(Mux(replacing & more_aggressive, slot.pending_price, slot.price)),
        ]
        m.next = "REVALUE_PENDING"
    with m.State("REVALUE_PENDING"):
        desk.multiply(m, slot.pending_price, pending)
        m.d.sync += slot.open.eq(open_shares(slot, pending))
        m.next = "REVALUE_WAIT"
    with m.State("REVALUE_WAIT"):
        m.next = "REVALUE_STANDING"
    with m.State("REVALUE_STANDING"):
        m.d.sync += first.eq(desk.product)
        m.next = "REVALUE_WORST"
    with m.State("REVALUE_WORST"):
        worst = Mux(desk.product > first, desk.product, first)
        m.d.sync += notional.eq(Mux(idle, 0, worst))
        m.next = "REVALUE_STORE"
    with m.State("REVALUE_STORE"):
        m.d.sync += [desk.open_notional.eq(desk.open_notional - slot.notional + notional), slot.notional.eq(notional)]
        m.next = "STORE_SLOT"
    with m.State("STORE_SLOT"):
        m.d.comb += [desk.slots.store.eq(1), desk.exposure.store.eq(1)]
        with m.If(desk.exposure.ready):
            m.next = "BACK"
