"""Steps of a packet from the exchange. docs/architecture.md, Semantics, section 10."""

from amaranth.hdl import Cat, Const, Mux, Signal

from hw.orders.changes import SlotChanges, at_most, found, traded
from hw.trader.desk import Back
from wire import ouch42, ouch50
from wire.records import EventType, Fault, OuchVersion, SessionState

# OUCH types by what they do here; those that only one version has are malformed in the other
OTHER = "SPTMNRQ"
CORRECTION = "BF"
STEPS = {
    "A": "ACCEPTED",
    "U": "REPLACED",
    "EG": "EXECUTED",
    "CD": "CANCELLED",
    "J": "REJECTED",
    "I": "CANCEL_REJECTED",
}


def add_states(m, desk):
    """Adds the steps to the state machine that is open in ``m``; they begin with ``SESSION``."""
    _packet(m, desk)
    _message(m, desk)
    _execution(m, desk)
    _outcomes(m, desk)


def _is(value, letters):
    return Cat(value == ord(letter) for letter in letters).any()


def _packet(m, desk):
    inbound, count = desk.inbound, desk.trader.counters

    with m.State("SESSION"):
        m.d.comb += count["session_packets"].eq(1)
        m.d.sync += desk.last_received.eq(desk.stamp)
        m.next = "DONE"
        with m.If(_is(inbound.code, "S")):
            m.d.sync += desk.session_sequence.eq(desk.session_sequence + 1)
            m.next = "OUCH"
        with m.Elif(_is(inbound.code, "A")):
            m.d.sync += desk.session_state.eq(SessionState.UP)
            m.next = "SESSION_UP"
        with m.Elif(_is(inbound.code, "JZ")):
            m.d.sync += desk.session_state.eq(SessionState.DOWN)
            m.next = "SESSION_CLOSED"
        with m.If(inbound.malformed):
            m.next = "MALFORMED"
    with m.State("SESSION_UP"):
        desk.emit(m, EventType.SESSION, info=SessionState.UP)
        m.next = "SWEEP"
    with m.State("SESSION_CLOSED"):
        desk.emit(m, EventType.SESSION, info=SessionState.DOWN, value=inbound.reason)
        m.next = "DONE"
    with m.State("MALFORMED"):
        value = Mux(_is(inbound.code, "S"), inbound.type, inbound.code)
        desk.emit(m, EventType.FAULT, info=Fault.SESSION_MALFORMED, value=value)
        m.d.comb += count["session_malformed"].eq(1)
        m.next = "DONE"


def _message(m, desk):
    """Finds the order that an OUCH message is about; its slot is in ``desk.slot``."""
    inbound, slot, count = desk.inbound, desk.slot, desk.trader.counters
    number_valid = inbound.order_id[3:12] < desk.parameters.symbols
    of_ours = (inbound.token_prefix == desk.everywhere.token_prefix) | (desk.ouch == OuchVersion.V5_0)
    named = inbound.token_valid & of_ours & number_valid
    its_own, pending = found(slot, inbound.order_id[12:], _is(inbound.type, "U"), _is(inbound.type, "J"))
    desk.is_pending = Signal()
    ours = Signal()

    with m.State("OUCH"):
        m.d.sync += [ours.eq(named & its_own), desk.is_pending.eq(pending)]
        m.next = "OUCH_FOUND"
    with m.State("OUCH_FOUND"):
        with m.If(_is(inbound.type, OTHER)):
            m.d.comb += count["ouch_other"].eq(1)
            m.next = "DONE"
        with m.Elif(~ours):
            m.next = "UNKNOWN_TOKEN"
        with m.Elif(_is(inbound.type, CORRECTION)):
            m.next = "CORRECTION"
        with m.Else():
            m.d.sync += desk.back.eq(Back.EVALUATE)
            with m.Switch(inbound.type):
                for letters, step in STEPS.items():
                    with m.Case(*map(ord, letters)):
                        m.next = step
    with m.State("UNKNOWN_TOKEN"):
        desk.emit(
            m, EventType.FAULT, info=Fault.UNKNOWN_TOKEN, value=inbound.type, order_id=inbound.order_id
        )
        m.d.comb += count["unknown_token"].eq(1)
        m.next = "DONE"
    with m.State("CORRECTION"):
        fault = Mux(_is(inbound.type, "B"), Fault.BROKEN_TRADE, Fault.TRADE_CORRECTION)
        desk.emit(m, EventType.FAULT, info=fault, value=inbound.value, order_id=inbound.order_id)
        m.d.comb += count["ouch_other"].eq(1)
        m.next = "DONE"


def _execution(m, desk):
    """Position, cash and what hangs on them."""
    inbound, slot, account = desk.inbound, desk.slot, desk.account.row
    changes = SlotChanges(m, slot)
    desk.shares = shares = Signal(32)
    position, cash, worth = Signal.like(account.position), Signal.like(account.cash), Signal(64)

    with m.State("EXECUTED"):
        m.d.sync += shares.eq(at_most(inbound.shares, slot.remaining))
        m.next = "EXECUTED_POSITION"
    with m.State("EXECUTED_POSITION"):
        desk.multiply(m, shares, inbound.price)
        desk.store(m, desk.last, valid=0)
        changes.execute(shares)
        m.d.sync += position.eq(traded(account.position, desk.side, shares))
        m.next = "EXECUTED_NOTIONAL"
    with m.State("EXECUTED_NOTIONAL"):
        desk.multiply(m, desk.magnitude(position), inbound.price)
        m.next = "EXECUTED_WAIT"
    with m.State("EXECUTED_WAIT"):
        m.next = "EXECUTED_CASH"
    with m.State("EXECUTED_CASH"):
        m.d.sync += [
            cash.eq(Mux(desk.side, account.cash + desk.product, account.cash - desk.product)),
            desk.executed_notional.eq(desk.executed_notional + desk.product),
        ]
        m.next = "EXECUTED_WORTH"
    with m.State("EXECUTED_WORTH"):
        m.d.sync += worth.eq(desk.product)
        m.next = "EXECUTED_STORE"
    with m.State("EXECUTED_STORE"):
        desk.store(m, desk.account, position=position, cash=cash, notional=worth)
        m.d.comb += desk.valuation.new_mark.eq(inbound.price)
        m.d.sync += desk.position_notional.eq(desk.position_notional - account.notional + worth)
        changes.finish()
        m.next = "EXECUTED_EVENT"


def _outcomes(m, desk):
    """What becomes of the slot, and the event about it."""
    inbound, slot, count = desk.inbound, desk.slot, desk.trader.counters
    changes = SlotChanges(m, slot)
    dead = _is(inbound.info, "D")

    def tell(step, kind, counter, **fields):
        with m.State(step):
            desk.emit(m, kind, side=desk.side, symbol=desk.symbol, tag=slot.tag, **fields)
            m.d.comb += count[counter].eq(1)
            m.next = "REVALUE"

    confirmed = {
        "order_id": desk.slot_id,
        "value": inbound.value,
        "price": slot.price,
        "quantity": slot.remaining,
        "info": inbound.info,
    }
    with m.State("ACCEPTED"):
        changes.accept(inbound.shares, inbound.price, dead)
        m.next = "ACCEPTED_EVENT"
    tell("ACCEPTED_EVENT", EventType.ACCEPTED, "accepted", **confirmed)

    with m.State("REPLACED"):
        changes.replace(inbound.shares, inbound.price, dead)
        m.next = "REPLACED_EVENT"
    tell("REPLACED_EVENT", EventType.REPLACED, "replaced", **confirmed)

    tell(
        "EXECUTED_EVENT",
        EventType.EXECUTED,
        "executed",
        order_id=desk.slot_id,
        value=inbound.value,
        price=inbound.price,
        quantity=desk.shares,
        quantity2=slot.remaining,
        info=inbound.info,
    )

    with m.State("CANCELLED"):
        m.d.sync += desk.shares.eq(at_most(inbound.shares, slot.remaining))
        m.next = "CANCELLED_SHARES"
    with m.State("CANCELLED_SHARES"):
        changes.cancel(desk.shares)
        m.next = "CANCELLED_EVENT"
    tell(
        "CANCELLED_EVENT",
        EventType.CANCELLED,
        "cancelled",
        order_id=desk.slot_id,
        price=slot.price,
        quantity=desk.shares,
        quantity2=slot.remaining,
        info=inbound.info,
    )

    with m.State("REJECTED"):
        changes.reject(inbound.order_id == desk.slot_id)
        m.next = "REJECTED_EVENT"
    tell(
        "REJECTED_EVENT",
        EventType.EXCHANGE_REJECT,
        "rejected",
        order_id=inbound.order_id,
        info=Cat(inbound.info, Const(ord("J"), 8)),
    )
    with m.State("CANCEL_REJECTED"):
        changes.reject_cancel()
        m.next = "CANCEL_REJECTED_EVENT"
    tell(
        "CANCEL_REJECTED_EVENT",
        EventType.EXCHANGE_REJECT,
        "cancel_rejected",
        order_id=inbound.order_id,
        info=ord("I") << 8,
    )


assert set(OTHER + CORRECTION + "".join(STEPS)) == {
    record.code for record in (*ouch42.OUTBOUND.records, *ouch50.OUTBOUND.records)
}
