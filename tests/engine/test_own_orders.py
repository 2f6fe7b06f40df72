"""Own orders, position and cash are right whatever the exchange says, in whatever order."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.path import Engine
from tests import dialect
from tests.engine.ouch_model import Account
from tests.scenarios.build import Result, Script, add, run
from wire.records import Action, EventType, Opcode, OuchVersion, Side, SlotState, SnapshotPart

LOCATE, BASE, TICK, LEVELS = 10, 990_000, 100, 64
STATES = {
    "new": SlotState.PENDING_NEW,
    "live": SlotState.LIVE,
    "replacing": SlotState.PENDING_REPLACE,
    "cancelling": SlotState.PENDING_CANCEL,
}
SHARES = st.integers(0, 120)
PRICES = st.integers(9_900, 9_963).map(lambda index: index * 100)


class OwnOrders(RuleBasedStateMachine):
    """Device and model side by side, on one symbol. The quoter is off: what is sent, the rules asked for."""

    ouch = OuchVersion.V4_2

    @initialize()
    def start(self) -> None:
        self.engine = Engine(1, LEVELS, 64)
        self.account = Account()
        self.seen: list[int] = [1 << 12 | 7]  # ids that were ever used, and one that never was
        self.now = 1_000
        script = self.script().set_global().set_symbol(0, LOCATE, base=BASE, tick=TICK, levels=LEVELS)
        script.set_limits(0).command(Opcode.SET_FEED, start_sequence=1).open_market().log_in()
        script.feed(add(LOCATE, 1, "B", 100, 992_000), add(LOCATE, 2, "S", 100, 993_000))
        self.do(script)

    def script(self) -> Script:
        self.now += 1
        return Script(self.now)

    def do(self, script: Script) -> Result:
        """Runs a script; the model learns what was sent."""
        result = run(self.engine, script if self.ouch is OuchVersion.V4_2 else dialect.spoken(script))
        self.check_packets(result.packets)
        for event in result.of(EventType.ORDER_SENT):
            number, identity = int(event["order_id"]) & 7, int(event["order_id"])
            price, quantity = int(event["price"]), int(event["quantity"])
            match Action(int(event["info"]) & 0xFF):
                case Action.NEW:
                    self.account.sent_new(number, int(event["side"]), identity, price, quantity)
                case Action.REPLACE:
                    assert event["value"] == self.account.orders[number].identity
                    self.account.sent_replace(number, identity, price, quantity)
                case Action.CANCEL:
                    order = self.account.orders[number]
                    assert (order.identity, order.price, order.open) == (identity, price, quantity)
                    self.account.sent_cancel(number)
            self.seen.append(identity)
        return result

    def check_packets(self, packets: tuple[bytes, ...]) -> None:
        """What else must be right about the packets that left."""

    def say(self, script: Script, known: bool) -> None:
        """Runs what the exchange says; the device knows the order if and only if the model does."""
        before = len(self.account.orders)
        unknown = self.do(script).counters.get("unknown_token", 0)
        assert unknown == self.unknown + (not known), before
        self.unknown = unknown

    unknown = 0

    # -- the host ------------------------------------------------------------------------------

    @rule(side=st.sampled_from((Side.BUY, Side.SELL)), price=PRICES, quantity=st.integers(1, 100))
    def new(self, side: Side, price: int, quantity: int) -> None:
        self.do(self.script().new_order(0, side, price, quantity))

    @rule(data=st.data(), price=PRICES, quantity=st.integers(1, 100))
    def replace(self, data: st.DataObject, price: int, quantity: int) -> None:
        identity = data.draw(st.sampled_from(self.seen))
        self.do(self.script().command(Opcode.REPLACE_ORDER, order_id=identity, price=price, quantity=quantity))

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        identity = data.draw(st.sampled_from(self.seen))
        order = self.account.find(identity, pending=False)
        if order is not None and order.state != "live":
            order.wanted = True
        self.do(self.script().command(Opcode.CANCEL_ORDER, order_id=identity))

    # -- the exchange, truthful or not ---------------------------------------------------------

    @rule(data=st.data(), shares=SHARES, price=PRICES, dead=st.booleans())
    def accepted(self, data: st.DataObject, shares: int, price: int, dead: bool) -> None:
        identity = data.draw(st.sampled_from(self.seen))
        known = self.account.accepted(identity, shares, price, dead)
        self.say(self.script().accepted(identity, shares, price, state="D" if dead else "L"), known)

    @rule(data=st.data(), shares=SHARES, price=PRICES, dead=st.booleans())
    def replaced(self, data: st.DataObject, shares: int, price: int, dead: bool) -> None:
        identity = data.draw(st.sampled_from(self.seen))
        known = self.account.replaced(identity, shares, price, dead)
        self.say(self.script().replaced(identity, 0, shares, price, state="D" if dead else "L"), known)

    @rule(data=st.data(), shares=SHARES, price=PRICES)
    def executed(self, data: st.DataObject, shares: int, price: int) -> None:
        identity = data.draw(st.sampled_from(self.seen))
        known = self.account.executed_shares(identity, shares, price)
        self.say(self.script().executed(identity, shares, price), known)

    @rule(data=st.data(), shares=SHARES)
    def cancelled(self, data: st.DataObject, shares: int) -> None:
        identity = data.draw(st.sampled_from(self.seen))
        known = self.account.cancelled(identity, shares)
        self.say(self.script().cancelled(identity, shares), known)

    @rule(data=st.data())
    def rejected(self, data: st.DataObject) -> None:
        identity = data.draw(st.sampled_from(self.seen))
        known = self.account.rejected(identity)
        self.say(self.script().rejected(identity), known)

    @rule(data=st.data())
    def cancel_rejected(self, data: st.DataObject) -> None:
        identity = data.draw(st.sampled_from(self.seen))
        known = self.account.cancel_rejected(identity)
        self.say(self.script().cancel_rejected(identity), known)

    @precondition(lambda self: self.account.orders)
    @rule(data=st.data())
    def as_asked(self, data: st.DataObject) -> None:
        """What a good exchange says next about an order."""
        order = data.draw(st.sampled_from(list(self.account.orders.values())))
        script, identity = self.script(), order.identity
        match order.state:
            case "new":
                script.accepted(identity, order.open, order.price)
                known = self.account.accepted(identity, order.open, order.price, False)
            case "replacing":
                left = max(order.next_total - order.filled, 0)
                script.replaced(order.next_identity, identity, left, order.next_price)
                known = self.account.replaced(order.next_identity, left, order.next_price, False)
            case "cancelling":
                script.cancelled(identity, order.open)
                known = self.account.cancelled(identity, order.open)
            case _:
                half = (order.open + 1) // 2
                script.executed(identity, half, order.price)
                known = self.account.executed_shares(identity, half, order.price)
        assert known
        self.say(script, True)

    # -- what must hold ------------------------------------------------------------------------

    @invariant()
    def device_and_model_agree(self) -> None:
        parts = SnapshotPart.ORDERS | SnapshotPart.POSITION
        result = self.do(self.script().command(Opcode.SNAPSHOT, 0, parts=parts))
        (position,) = result.of(EventType.POSITION)
        assert position["quantity"].astype("i4") == self.account.position
        assert position["value"].astype("i8") == self.account.cash
        held = {}
        for event in result.of(EventType.OPEN_ORDER):
            number = int(event["side"]) << 2 | int(event["info"]) >> 8 & 0xFF
            held[number] = event
        assert held.keys() == self.account.orders.keys()
        for number, order in self.account.orders.items():
            event, replacing = held[number], order.state == "replacing"
            assert event["order_id"] == order.identity
            assert int(event["info"]) & 0xFF == STATES[order.state]
            assert int(event["info"]) >> 24 == order.wanted
            assert (event["price"], event["quantity"], event["quantity2"]) == (order.price, order.open, order.filled)
            assert event["value"] == (order.next_identity if replacing else 0)
            assert event["price2"] == (order.next_price if replacing else 0)

    @invariant()
    def exposure_is_the_sum_of_its_orders(self) -> None:
        core = self.engine.state.core[0]
        assert core["open_notional"] == sum(order.worst_notional for order in self.account.orders.values())
        assert core["executed_notional"] == self.account.executed


TestOwnOrders = OwnOrders.TestCase
