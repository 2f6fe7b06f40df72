"""Orders through journal, gate and exchange: what the OMS has is what the device has, and a restart changes nothing."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from control.oms import DuplicateOrderError, IllegalRequestError, Oms, Report, Status, What
from control.oms.entries import ORDER_KIND, REQUEST_KIND, reason_names
from control.oms.events import DEVICE, VENUE, identity
from control.oms.flow import NotKeptError, OrderFlow, UnreconciledError
from control.parameters import Quoter
from drivers.device import DeviceError
from tests.control.order_desk import Trading
from wire import ouch42
from wire.errors import FieldError
from wire.records import IMMEDIATE_OR_CANCEL, INPUT, Port, Side, SlotState


@contextmanager
def trading(**options) -> Iterator[Trading]:
    made = Trading(**options)
    try:
        yield made
    finally:
        made.close()


def same(one: Oms, other: Oms) -> None:
    """Two that know the same of every order."""
    assert one.orders == other.orders
    assert (one._by_client, one._by_venue, one._number) == (other._by_client, other._by_venue, other._number)
    assert (one.violations, one.marks) == (other.violations, other.marks)


# -- an order's way ------------------------------------------------------------------------------


def test_an_order_is_on_the_disk_before_it_goes_to_the_device_and_answered_when_the_gate_s_word_is() -> None:
    with trading(slow=True) as made:
        sent = made.market.device.counters()["orders_new"]
        answer = made.submit()
        assert [kind.kind for kind, _ in made.disk.waiting] == [ORDER_KIND]
        assert made.market.device.counters()["orders_new"] == sent
        made.disk.write()
        assert made.market.device.counters()["orders_new"] == sent  # not on the committer's thread
        made.run()
        assert made.market.device.counters()["orders_new"] == sent + 1
        assert [kind.kind for kind, _ in made.disk.waiting] == [REQUEST_KIND]
        assert not answer.done()
        made.disk.write()
        order = answer.result(0)
        assert (order.status, chr(order.sent.marking)) == (Status.PENDING_NEW, "B")
        (open_order,) = made.desk.orders()
        assert (open_order.order_id, open_order.tag) == (identity(order.venue_order_id), order.order_id)


def test_an_order_lives_from_submit_over_replace_to_cancel() -> None:
    with trading() as made:
        order = made.submit().result(0)
        made.advance()
        assert (order.status, order.open, order.price) == (Status.LIVE, 100, 2_195_000)
        first = order.venue_order_id
        replaced = made.flow.replace(order, 2_194_900, 60, "B")
        made.run()
        assert replaced.result(0).status is Status.PENDING_REPLACE
        made.advance()
        assert (order.status, order.open, order.price, order.client_order_id) == (Status.LIVE, 60, 2_194_900, "B")
        assert order.venue_order_id != first
        made.flow.cancel(order, "C").result(0)
        assert order.status is Status.PENDING_CANCEL
        made.advance()
        assert (order.status, made.desk.orders()) == (Status.CANCELLED, ())
        assert [each.report.what for each in made.heard] == [What.ACCEPTED, What.REPLACED, What.CANCELLED]
        with pytest.raises(IllegalRequestError):
            made.flow.cancel(order, "D")
        same(made.oms, Oms(made.keeper.append, made.disk.entries))


def test_what_the_gate_refuses_ends_with_all_reasons() -> None:
    with trading() as made:
        order = made.submit(quantity=5_000, price=2_300_000).result(0)
        assert order.status is Status.REJECTED
        assert reason_names(order.ended.reason) == ["price_collar", "max_quantity", "max_notional", "position"]
        live = made.submit("B").result(0)
        made.advance()
        made.flow.replace(live, 2_195_000, 5_000, "C")
        made.run()
        assert reason_names(live.failed[1].reason) == ["max_quantity", "max_notional", "position"]
        assert (live.status, live.quantity, live.client_order_id) == (Status.LIVE, 100, "B")


def test_the_same_order_again_has_the_first_answer_and_another_under_its_id_has_none() -> None:
    with trading(slow=True) as made:
        first = made.submit()
        assert made.submit() is first
        made.disk.write()
        made.run()
        made.disk.write()
        assert made.submit().result(0) is first.result(0)
        with pytest.raises(DuplicateOrderError):
            made.submit(quantity=7)
        assert made.market.device.counters()["orders_new"] == 1


def test_a_cancel_that_overtakes_its_order_follows_it() -> None:
    with trading(slow=True) as made:
        made.submit()
        order = made.oms[1]
        cancelled = made.flow.cancel(order, "B")
        for _ in range(3):
            made.disk.write()
            made.run()
        made.advance(2)
        made.disk.write()
        assert (cancelled.result(0), order.status) == (order, Status.CANCELLED)


def test_what_no_command_can_hold_is_refused_before_it_is_written() -> None:
    with trading() as made:
        before = len(made.disk.entries)
        for fields in ({"price": 1 << 32}, {"quantity": 1 << 32}):
            with pytest.raises(FieldError):
                made.submit(**fields)
        assert len(made.disk.entries) == before
        assert not made.oms.orders


def test_quotes_and_takes_are_orders_too() -> None:
    with trading(quoter={"enabled": True}) as made:
        made.advance(2)
        quotes = [order for order in made.oms if order.ordered.client == DEVICE]
        assert {order.ordered.strategy for order in quotes} == {0}
        assert {order.status for order in quotes} == {Status.LIVE}
        assert len(quotes) == 4
        made.desk.set_quoter("AMZN", Quoter(enabled=False))
        made.advance(2)
        assert [order.status for order in quotes if order.ordered.stock == "AMZN"] == [Status.CANCELLED] * 2
        assert made.flow.strangers == 0


def test_a_void_execution_is_taken_back_and_the_device_is_told_where_it_stands() -> None:
    wide = {"max_quantity": 50_000, "max_position": 50_000, "max_notional": "100000000"}
    with trading(limits=wide) as made:
        order = made.submit(price=made.best()[1], quantity=20_000).result(0)  # more than the best level has
        made.advance(2)
        first = next(iter(order.executions.values()))
        assert order.status is Status.PARTIALLY_FILLED
        token = f"HP{identity(order.venue_order_id):012X}"
        message = ouch42.BROKEN_TRADE.pack(timestamp=1, order_token=token, match_number=first.report_id, reason="E")
        data = (len(message) + 1).to_bytes(2, "big") + b"S" + message
        made.market.device.process(np.array([(made.market.now, 0, len(data), Port.SESSION)], INPUT), data)
        made.run()
        assert order.executed == order.traded - first.quantity
        assert made.desk.positions()["AMZN"].position == order.executed


def test_shares_of_a_replaced_order_are_those_executed_and_those_open() -> None:
    wide = {"max_quantity": 50_000, "max_position": 50_000, "max_notional": "100000000"}
    with trading(limits=wide) as made:
        order = made.submit(price=made.best()[1], quantity=20_000).result(0)
        made.advance(2)
        traded = order.executed
        assert 0 < traded < 20_000
        made.flow.replace(order, order.price, traded + 70)
        made.run()
        made.advance(2)
        assert (order.status, order.quantity, order.open) == (Status.PARTIALLY_FILLED, traded + 70, 70)
        assert made.desk.orders()[0].remaining == 70
        with pytest.raises(IllegalRequestError, match="leaves none"):
            made.flow.replace(order, order.price, traded)


# -- when the journal fails ----------------------------------------------------------------------


def test_when_the_journal_fails_everything_is_killed_orders_are_refused_and_cancels_go_out() -> None:
    with trading() as made:
        order, other = made.submit().result(0), made.submit("B", price=2_194_000).result(0)
        made.advance()
        made.disk.fail()
        refused = made.submit("C")
        assert isinstance(refused.exception(0), NotKeptError)
        made.run()
        assert made.desk.watch.killed
        assert "no room" in made.desk.watch.kill_reasons["global"]
        assert {order.status for order in (order, other)} == {Status.PENDING_CANCEL}
        with pytest.raises(NotKeptError):
            made.submit("D")
        with pytest.raises(NotKeptError):
            made.flow.replace(order, 2_195_000, 50)
        made.advance(2)
        assert (order.status, other.status, made.desk.orders()) == (Status.CANCELLED, Status.CANCELLED, ())


def test_an_order_that_never_came_to_the_disk_never_goes_out() -> None:
    with trading(slow=True) as made:
        answer = made.submit()
        made.disk.fail()
        made.run()
        assert isinstance(answer.exception(0), NotKeptError)
        assert made.market.device.counters()["orders_new"] == 0


def test_an_order_whose_command_failed_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    with trading() as made:
        with monkeypatch.context() as broken:
            broken.setattr(made.market, "command", _fails)
            answer = made.submit()
        assert isinstance(answer.exception(0), DeviceError)
        with pytest.raises(UnreconciledError):
            made.flow.cancel(made.oms[1])
        assert made.flow.settle(1).result(0).status is Status.REJECTED


def _fails(data: bytes) -> None:
    raise DeviceError("the card is gone")


# -- restarts ------------------------------------------------------------------------------------


def test_orders_of_a_device_that_died_are_told_until_somebody_says_what_became_of_them() -> None:
    with trading() as made:
        made.submit().result(0)
        made.submit("B", quantity=5_000)
        made.advance()
        entries = made.disk.entries
    with trading(entries=entries) as again:
        (order,) = again.flow.unreconciled.values()
        assert (order.status, order.ordered.client_order_id) == (Status.LIVE, "A")
        assert again.submit().result(0) is order  # known, and not sent again
        assert again.market.device.counters()["orders_new"] == 0
        with pytest.raises(UnreconciledError, match="order 1 was open when its device died"):
            again.flow.cancel(order)
        told = Report(0, What.EXECUTED, 77, VENUE, price=2_195_000, quantity=40)
        rest = Report(0, What.CANCELLED, 78, VENUE, quantity=60)
        assert again.flow.reconcile(order.order_id, told, rest).status is Status.CANCELLED
        assert not again.flow.unreconciled
        assert again.oms.positions()["AMZN"] == 40


def test_ids_of_two_lives_of_a_device_are_different_orders() -> None:
    with trading() as made:
        made.submit().result(0)
        entries = list(made.disk.entries)
    with trading(entries=entries) as again:
        flow = OrderFlow(again.oms, again.desk, run=3)
        assert flow.name(0x1001) != again.flow.name(0x1001)


# -- anything ------------------------------------------------------------------------------------


class AnyTrading(RuleBasedStateMachine):
    """Orders, cancels, replaces, quotes and fills at random; the OMS is the device's snapshot, and its journal's replay."""

    @initialize(seed=st.integers(0, 2**32), quotes=st.booleans())
    def begin(self, seed: int, quotes: bool) -> None:
        wide = {"max_position": 5_000, "max_quantity": 5_000, "max_notional": "10000000"}
        self.made = Trading(quoter={"enabled": quotes}, limits=wide)
        self.random, self.count = random.Random(seed), 0
        self.checked = 0

    @rule(
        buy=st.booleans(), offset=st.integers(-3, 12), quantity=st.integers(1, 4_000),
        immediate=st.booleans(), stock=st.sampled_from(("AMZN", "AAPL")),
    )  # fmt: skip
    def order(self, buy: bool, offset: int, quantity: int, immediate: bool, stock: str) -> None:
        self.count += 1
        bid, ask = self.made.best(stock)
        price = bid + 100 * offset if buy else ask - 100 * offset
        side = Side.BUY if buy else Side.SELL
        force = {"time_in_force": IMMEDIATE_OR_CANCEL} if immediate else {}
        self.made.submit(str(self.count), stock=stock, side=side, price=price, quantity=quantity, **force)

    def pick(self):
        there = [order for order in self.made.oms if not order.status.is_final]
        return self.random.choice(there) if there else None

    @rule()
    def cancel(self) -> None:
        order = self.pick()
        if order is None:
            return
        try:
            self.made.flow.cancel(order)
        except IllegalRequestError:
            assert order.status is not Status.LIVE
        self.made.run()

    @rule(offset=st.integers(-3, 3), quantity=st.integers(1, 4_000))
    def replace(self, offset: int, quantity: int) -> None:
        order = self.pick()
        if order is None:
            return
        try:
            self.made.flow.replace(order, max(order.price + 100 * offset, 100), quantity)
        except IllegalRequestError:
            assert order.status not in (Status.LIVE, Status.PARTIALLY_FILLED) or quantity <= order.executed
        self.made.run()

    @rule(steps=st.integers(1, 3))
    def time_passes(self, steps: int) -> None:
        self.made.advance(steps)

    @rule(stock=st.sampled_from(("AMZN", "AAPL")), spread=st.integers(0, 4), enabled=st.booleans())
    def quote(self, stock: str, spread: int, enabled: bool) -> None:
        self.made.desk.set_quoter(stock, Quoter(enabled=enabled, half_spread=f"0.0{spread}00", size=50))  # type: ignore[arg-type]

    @invariant()
    def oms_and_device_agree(self) -> None:
        made = self.made
        snapshot = made.market.device.snapshot()
        stocks = made.desk.stocks
        ours = {
            identity(order.venue_order_id): (order.ordered.stock, order.ordered.side, order.price, order.open)
            for order in made.oms
            if not order.status.is_final
        }
        theirs = {
            each.order_id: (stocks[each.symbol], each.side, each.price, each.remaining)
            for each in snapshot.orders
            if each.state is not SlotState.IDLE
        }
        assert ours == theirs
        positions = made.oms.positions()
        assert {stock: positions.get(stock, 0) for stock in stocks} == {
            stocks[symbol]: each.position for symbol, each in snapshot.positions.items()
        }
        cash = made.oms.cash()
        assert {stock: cash.get(stock, 0) for stock in stocks} == {
            stocks[symbol]: each.cash for symbol, each in snapshot.positions.items()
        }
        assert (made.flow.strangers, made.oms.violations, made.oms.duplicates) == (0, [], 0)

    @invariant()
    def a_restart_changes_nothing(self) -> None:
        same(self.made.oms, Oms(self.made.keeper.append, self.made.disk.entries))

    def teardown(self) -> None:
        if hasattr(self, "made"):
            self.made.close()


TestAnyTrading = AnyTrading.TestCase
TestAnyTrading.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
