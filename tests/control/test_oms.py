"""Orders: every transition, and no execution lost or counted twice, whatever comes in whatever order."""

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import product

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from control.oms import (
    DuplicateOrderError,
    IllegalRequestError,
    Oms,
    Order,
    Ordered,
    OverAllocationError,
    Report,
    Status,
    UnknownOrderError,
    What,
)
from control.oms.rules import ALLOWED
from control.store import Record
from wire.records import Side

PRICE, QUANTITY, VENUE = 1_000_000, 100, 1


class Memory:
    """A journal without a disk."""

    def __init__(self) -> None:
        self.entries: list[Record] = []

    def append(self, kind: int, payload: bytes, timestamp: int) -> None:
        self.entries.append(Record(len(self.entries) + 1, timestamp, kind, payload))


def ordered(client_order_id: str = "A", **fields) -> Ordered:
    usual = {"order_id": 0, "client": "desk", "stock": "HPN", "side": Side.BUY, "price": PRICE, "quantity": QUANTITY}
    return Ordered(client_order_id=client_order_id, **{**usual, **fields})


def oms_with(*reports: Report, send: bool = True, requests=()) -> tuple[Oms, Order, Memory]:
    journal = Memory()
    oms = Oms(journal.append)
    order = oms.order(ordered(), 1)
    if send:
        oms.send(order.order_id, venue=VENUE, venue_order_id=0x10, timestamp=2)
    for report in reports:
        oms.report(report, 3)
    for what in requests:
        ask(oms, order, what)
    return oms, order, journal


def ask(oms: Oms, order: Order, what: What) -> None:
    if what is What.SEND:
        oms.send(order.order_id, venue=VENUE, venue_order_id=0x10, timestamp=4)
    elif what is What.CANCEL:
        oms.cancel(order.order_id, 4)
    else:
        oms.replace(order.order_id, price=PRICE + 100, quantity=QUANTITY + 50, venue_order_id=0x11, timestamp=4)


def report(what: What, **fields) -> Report:
    usual = {What.EXECUTED: QUANTITY, What.CANCELLED: QUANTITY, What.ACCEPTED: QUANTITY, What.REPLACED: QUANTITY + 50}
    return Report(1, what, **{"report_id": 7, "venue": VENUE, "price": PRICE, "quantity": usual.get(what, 0), **fields})


def in_status(status: Status) -> tuple[Oms, Order, Memory]:
    accepted = report(What.ACCEPTED)
    match status:
        case Status.NEW:
            return oms_with(send=False)
        case Status.PENDING_NEW:
            return oms_with()
        case Status.LIVE:
            return oms_with(accepted)
        case Status.PARTIALLY_FILLED:
            return oms_with(accepted, report(What.EXECUTED, report_id=1, quantity=30))
        case Status.FILLED:
            return oms_with(accepted, report(What.EXECUTED, report_id=1))
        case Status.PENDING_CANCEL:
            return oms_with(accepted, requests=[What.CANCEL])
        case Status.PENDING_REPLACE:
            return oms_with(accepted, requests=[What.REPLACE])
        case Status.CANCELLED:
            return oms_with(accepted, report(What.CANCELLED, report_id=1))
        case Status.REJECTED:
            return oms_with(report(What.REJECTED))
    raise AssertionError(status)


# -- the table --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", Status)
def test_every_status_is_reached(status: Status) -> None:
    _, order, _ = in_status(status)
    assert order.status is status
    assert status.is_final == (order.open == 0)


@pytest.mark.parametrize(("status", "what"), [pair for pair in product(Status, What) if pair[1].is_request])
def test_a_request_is_taken_where_the_table_allows_it_and_else_nothing_is_written(status: Status, what: What) -> None:
    oms, order, journal = in_status(status)
    before = list(journal.entries)
    if what in ALLOWED[status]:
        ask(oms, order, what)
        assert len(journal.entries) == len(before) + 1
        expected = {What.SEND: Status.PENDING_NEW, What.CANCEL: Status.PENDING_CANCEL, What.REPLACE: Status.PENDING_REPLACE}
        assert order.status is (Status.CANCELLED if status is Status.NEW and what is What.CANCEL else expected[what])
    else:
        with pytest.raises(IllegalRequestError, match=f"order 1: {status}, no {what.name.lower()} now"):
            ask(oms, order, what)
        assert journal.entries == before
        assert order.status is status


@pytest.mark.parametrize(("status", "what"), [pair for pair in product(Status, What) if not pair[1].is_request])
def test_a_report_is_kept_and_is_a_violation_where_the_table_does_not_allow_it(status: Status, what: What) -> None:
    oms, order, journal = in_status(status)
    number = 1 if what in (What.REPLACED, What.CANCEL_REJECTED, What.REPLACE_REJECTED) else 0
    told = report(what, number=number, report_id=1 if what is What.BUSTED else 900)
    if order.knows(told):
        assert not oms.report(told, 9)
        assert oms.duplicates == 1
        return
    before = order.executed
    assert oms.report(told, 9)
    assert (journal.entries[-1].payload, order.knows(told)) == (told.pack(), True)
    beyond = order.gone > order.quantity
    assert len(oms.violations) == (what not in ALLOWED[status]) + beyond
    if what is What.EXECUTED:
        assert order.executed == before + QUANTITY
    assert Oms(journal.append, journal.entries)[1].status is order.status


def test_an_execution_before_its_acceptance_makes_the_order_one_that_was_there() -> None:
    _, order, _ = oms_with(report(What.EXECUTED, quantity=40))
    assert (order.status, order.executed, order.open) == (Status.PARTIALLY_FILLED, 40, 60)


def test_a_bust_before_its_execution_is_remembered() -> None:
    executed = report(What.EXECUTED, report_id=5, quantity=40)
    _, order, _ = oms_with(report(What.ACCEPTED), report(What.BUSTED, report_id=5), executed)
    assert (order.executed, order.open) == (0, 60)


def test_shares_of_a_void_execution_are_not_put_back() -> None:
    _, order, _ = oms_with(report(What.ACCEPTED), report(What.EXECUTED, report_id=5), report(What.BUSTED, report_id=5))
    assert (order.status, order.executed, order.open) == (Status.CANCELLED, 0, 0)


# -- ids --------------------------------------------------------------------------------------------------


def test_the_same_order_again_is_the_one_that_is_there() -> None:
    journal = Memory()
    oms = Oms(journal.append)
    first = oms.order(ordered(), 1)
    assert oms.order(ordered(), 2) is first
    assert len(journal.entries) == 1
    with pytest.raises(DuplicateOrderError, match="client order id 'A' of 'desk': it is order 1"):
        oms.order(ordered(price=PRICE + 1), 3)
    assert oms.order(ordered(client="other", price=PRICE + 1), 4).order_id == 2


def test_the_exchange_s_id_finds_order_and_request() -> None:
    oms, order, _ = oms_with(report(What.ACCEPTED), requests=[What.REPLACE])
    assert oms.find(VENUE, 0x10) == (order, 0)
    assert oms.find(VENUE, 0x11) == (order, 1)
    with pytest.raises(UnknownOrderError, match="venue 2: no order with the id 10"):
        oms.find(2, 0x10)
    with pytest.raises(UnknownOrderError, match="order 9"):
        oms.report(replace(report(What.ACCEPTED), order_id=9), 1)


@pytest.mark.parametrize(
    ("fields", "text"), [({"quantity": 0}, "quantity 0"), ({"client": ""}, "not empty"), ({"side": Side.NONE}, "side")]
)
def test_an_order_that_says_nonsense_is_not_made(fields, text) -> None:
    with pytest.raises(ValueError, match=text):
        ordered(**fields)


def test_what_the_journal_does_not_take_changes_nothing() -> None:
    def refuses(kind: int, payload: bytes, timestamp: int) -> None:
        raise OSError("disk full")

    oms = Oms(refuses)
    with pytest.raises(OSError, match="disk full"):
        oms.order(ordered(), 1)
    assert not oms.orders


# -- parents --------------------------------------------------------------------------------------------------


def test_a_parent_is_as_far_as_its_children() -> None:
    journal = Memory()
    oms = Oms(journal.append)
    parent = oms.order(ordered("P", is_parent=True), 1)
    assert parent.status is Status.NEW
    with pytest.raises(IllegalRequestError):
        oms.send(parent.order_id, venue=VENUE, venue_order_id=1, timestamp=1)
    one = oms.order(ordered("1", parent_id=1, quantity=60), 2)
    with pytest.raises(OverAllocationError, match="order 1: 40 shares left, its child wants 41"):
        oms.order(ordered("2", parent_id=1, quantity=41), 2)
    two = oms.order(ordered("2", parent_id=1, quantity=40), 2)
    for child in (one, two):
        oms.send(child.order_id, venue=VENUE, venue_order_id=child.order_id, timestamp=3)
    assert (parent.status, parent.open, parent.free) == (Status.LIVE, 100, 0)
    oms.report(Report(one.order_id, What.EXECUTED, 1, VENUE, price=PRICE, quantity=60), 4)
    oms.report(Report(two.order_id, What.CANCELLED, 2, VENUE, quantity=40), 5)
    assert (parent.status, parent.executed, parent.open, parent.free) == (Status.PARTIALLY_FILLED, 60, 0, 40)
    oms.cancel(parent.order_id, 6)
    assert parent.status is Status.CANCELLED
    with pytest.raises(IllegalRequestError, match="takes no child"):
        oms.order(ordered("3", parent_id=1, quantity=1), 7)
    with pytest.raises(IllegalRequestError, match="its child is not"):
        oms.order(ordered("4", parent_id=oms.order(ordered("Q", is_parent=True), 8).order_id, stock="OTHER"), 8)
    again = Oms(journal.append, journal.entries)
    assert [order.status for order in again] == [order.status for order in oms]


# -- any order of anything --------------------------------------------------------------------------------


@dataclass
class Truth:
    """What really is at the exchange: an order there, and what it told of it."""

    quantity: int
    left: int
    number: int = 0
    alive: bool = True
    executed: dict[int, int] = field(default_factory=dict)
    busted: set[int] = field(default_factory=set)

    @property
    def net(self) -> int:
        return sum(shares for match, shares in self.executed.items() if match not in self.busted)


class AnyOrder(RuleBasedStateMachine):
    """Orders at an exchange that does what it wants, whose reports come late, mixed up and more than once."""

    ids = Bundle("ids")

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.journal = Memory()
        self.oms = Oms(self.journal.append)
        self.truth: dict[int, Truth] = {}
        self.on_the_way: list[Report] = []
        self.delivered: list[Report] = []
        self.next = 1
        self.random = random.Random(seed)

    def tell(self, order_id: int, what: What, **fields) -> None:
        self.next += 1
        self.on_the_way.append(Report(order_id, what, **{"report_id": self.next, "venue": VENUE, **fields}))

    @rule(target=ids, quantity=st.integers(1, 500), sell=st.booleans())
    def order(self, quantity: int, sell: bool) -> int:
        asked = ordered(str(len(self.oms.orders)), quantity=quantity, side=Side.SELL if sell else Side.BUY)
        order = self.oms.order(asked, 1)
        self.oms.send(order.order_id, venue=VENUE, venue_order_id=order.order_id << 8, timestamp=1)
        return order.order_id

    @rule(order_id=ids, dies=st.integers(0, 9))
    def exchange_takes_it(self, order_id: int, dies: int) -> None:
        if order_id in self.truth:
            return
        quantity = self.oms[order_id].ordered.quantity
        self.truth[order_id] = Truth(quantity, quantity)
        if dies == 0:
            self.truth[order_id] = Truth(quantity, 0, alive=False)
            self.tell(order_id, What.REJECTED)
        else:
            self.tell(order_id, What.ACCEPTED, price=PRICE, quantity=quantity)

    @rule(order_id=ids, part=st.floats(0.01, 1))
    def exchange_executes(self, order_id: int, part: float) -> None:
        truth = self.truth.get(order_id)
        if truth is None or not truth.left:
            return
        shares = max(1, int(truth.left * part))
        truth.left -= shares
        self.tell(order_id, What.EXECUTED, price=PRICE, quantity=shares, number=truth.number)
        truth.executed[self.next] = shares

    @rule(order_id=ids)
    def exchange_busts(self, order_id: int) -> None:
        truth = self.truth.get(order_id)
        valid = sorted(truth.executed.keys() - truth.busted) if truth else []
        if valid:
            match = self.random.choice(valid)
            truth.busted.add(match)
            self.on_the_way.append(Report(order_id, What.BUSTED, match, VENUE))

    @rule(order_id=ids)
    def cancel(self, order_id: int) -> None:
        order, truth = self.oms[order_id], self.truth.get(order_id)
        if What.CANCEL not in ALLOWED[order.status]:
            with pytest.raises(IllegalRequestError):
                self.oms.cancel(order_id, 2)
            return
        request = self.oms.cancel(order_id, 2)
        if truth is not None and truth.left:
            self.tell(order_id, What.CANCELLED, quantity=truth.left, number=truth.number)
            truth.left = 0
        elif truth is not None:
            self.tell(order_id, What.CANCEL_REJECTED, number=request.number)

    @rule(order_id=ids, more=st.integers(1, 300))
    def replace(self, order_id: int, more: int) -> None:
        order, truth = self.oms[order_id], self.truth.get(order_id)
        venue_order_id = order_id << 8 | len(order.requests) + 1
        asked = {"price": PRICE + 100, "quantity": order.executed + more, "venue_order_id": venue_order_id}
        if What.REPLACE not in ALLOWED[order.status]:
            with pytest.raises(IllegalRequestError):
                self.oms.replace(order_id, **asked, timestamp=2)
            return
        request = self.oms.replace(order_id, **asked, timestamp=2)
        traded = sum(truth.executed.values()) if truth else 0
        if truth is not None and truth.left and request.quantity > traded:
            truth.number, truth.quantity = request.number, request.quantity
            truth.left = request.quantity - traded
            self.tell(order_id, What.REPLACED, price=request.price, quantity=request.quantity, number=request.number)
        elif truth is not None:
            self.tell(order_id, What.REPLACE_REJECTED, number=request.number)

    @rule(count=st.integers(1, 8))
    def reports_arrive_in_any_order(self, count: int) -> None:
        for _ in range(min(count, len(self.on_the_way))):
            told = self.on_the_way.pop(self.random.randrange(len(self.on_the_way)))
            assert self.oms.report(told, 3)
            self.delivered.append(told)

    @rule(count=st.integers(1, 4))
    def reports_arrive_again(self, count: int) -> None:
        for told in self.random.sample(self.delivered, min(count, len(self.delivered))):
            before = len(self.journal.entries)
            assert not self.oms.report(told, 4)
            assert len(self.journal.entries) == before

    @rule()
    def restart(self) -> None:
        self.oms = Oms(self.journal.append, list(self.journal.entries))

    @invariant()
    def executions_are_those_that_arrived(self) -> None:
        arrived: Counter[int] = Counter()
        void = {told.report_id for told in self.delivered if told.what is What.BUSTED}
        for told in self.delivered:
            if told.what is What.EXECUTED and told.report_id not in void:
                arrived[told.order_id] += told.quantity
        for order in self.oms:
            assert order.executed == arrived[order.order_id]

    def teardown(self) -> None:
        """When everything has arrived it is as the exchange has it, in whatever order it came."""
        if not hasattr(self, "oms"):
            return
        while self.on_the_way:
            self.reports_arrive_in_any_order(8)
        positions: Counter[str] = Counter()
        for order_id, truth in self.truth.items():
            order = self.oms[order_id]
            assert (order.executed, order.open) == (truth.net, truth.left)
            if truth.left == 0:
                filled = truth.alive and truth.net >= truth.quantity
                assert order.status is (Status.REJECTED if not truth.alive else Status.FILLED if filled else Status.CANCELLED)
            positions[order.ordered.stock] += truth.net if order.ordered.side is Side.BUY else -truth.net
        assert self.oms.positions().get("HPN", 0) == positions["HPN"]
        again = Oms(self.journal.append, list(self.journal.entries))
        assert [(o.status, o.executed, o.open, o.price) for o in again] == [
            (o.status, o.executed, o.open, o.price) for o in self.oms
        ]


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
