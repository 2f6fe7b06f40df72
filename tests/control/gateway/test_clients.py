"""Orders by FIX: what a client is told is what the OMS knows, each fact once, whatever is repeated, cut or killed."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from control.gateway.dropcopy import DropCopy
from control.gateway.fix.settings import Identity, Settings
from control.oms import Status
from control.oms.entries import REPORT_KIND
from control.oms.events import DEVICE
from control.parameters import Taker
from tests.control.gateway.fix_client import Client, Line, order_entry
from tests.control.order_desk import Trading
from tests.control.small_market import STEP
from wire.records import IMMEDIATE_OR_CANCEL

VERSIONS = ["FIX.4.2", "FIX.4.4", "FIX.5.0SP2"]


@contextmanager
def line(tmp_path: Path, version: str = "FIX.4.4", *, slow: bool = False, **options) -> Iterator[Line]:
    made = Trading(slow=slow)
    ours = order_entry(tmp_path, version, **options)
    connected = Line(made, ours, Client(version))
    connected.connect()
    try:
        yield connected
    finally:
        ours.close()
        made.close()


def seen(client: Client, *tags: int) -> list[tuple[str, ...]]:
    return [tuple(each.get(tag, "") for tag in tags) for each in client.came]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_order_from_new_over_replace_to_cancel(tmp_path: Path, version: str) -> None:
    with line(tmp_path, version) as made:
        client = made.client
        client.order("A")
        made.advance()
        client.replace("B", "A", "219.40", 60)
        made.advance()
        client.cancel("C", "B")
        made.advance()
        assert seen(client, 35, 150, 39, 11, 41, 38, 44, 151, 14) == [
            ("8", "0", "0", "A", "", "100", "219.5", "100", "0"),
            ("8", "5", "0", "B", "A", "60", "219.4", "60", "0"),
            ("8", "4", "4", "C", "B", "60", "219.4", "0", "0"),
        ]
        assert len({each[17] for each in client.came}) == 3
        assert made.ours.session.counters["received"] >= 3
        (order,) = made.made.oms
        assert (order.ordered.client, order.ordered.strategy, order.status) == ("alpha", 3, Status.CANCELLED)


@pytest.mark.parametrize("version", VERSIONS)
def test_executions_say_shares_price_and_sums(tmp_path: Path, version: str) -> None:
    with line(tmp_path, version) as made:
        _, ask = made.made.best()
        made.client.order("A", t44=f"{(ask + 2_000) / 10_000:.4f}", t38=900, t59=3)
        made.advance()
        new, *fills = made.client.came
        assert (new[150], new[39], new[59]) == ("0", "0", "3")
        (order,) = made.made.oms
        assert order.ordered.time_in_force == IMMEDIATE_OR_CANCEL
        executions = [each for each in fills if 32 in each]
        assert sum(int(each[32]) for each in executions) == order.executed > 0
        assert [int(each[14]) for each in executions][-1] == order.executed
        assert {each[150] for each in executions} <= ({"1", "2"} if version == "FIX.4.2" else {"F"})
        last = executions[-1]
        notional = sum(int(each[32]) * round(float(each[31]) * 10_000) for each in executions)
        assert float(last[6]) == pytest.approx(notional / order.executed / 10_000, abs=1e-6)
        assert [int(each[151]) for each in executions] == [900 - int(each[14]) for each in executions]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_gate_s_reasons_are_named(tmp_path: Path, version: str) -> None:
    with line(tmp_path, version) as made:
        made.client.order("A", t38=5_000)
        made.client.order("B")
        made.advance()
        made.client.replace("C", "B", "219.50", 5_000)
        made.advance()
        assert seen(made.client, 35, 150, 39, 11, 103)[:1] == [("8", "8", "8", "A", "3")]
        assert made.client.came[0][58] == "max_quantity, max_notional, position"
        reject = made.client.came[-1]
        assert (reject[35], reject[11], reject[41], reject[434], reject[39]) == ("9", "C", "B", "2", "0")
        assert reject[58] == "max_quantity, max_notional, position"
        assert made.made.oms[2].quantity == 100


@pytest.mark.parametrize(
    ("changes", "reason", "text"),
    [
        ({"t55": "IBM"}, "1", "IBM"),
        ({"t40": 1, "t44": None}, "11", r"OrdType \(40\) 1"),
        ({"t59": 1}, "11", "TimeInForce"),
        ({"t54": 7}, "11", "Side"),
        ({"t38": "1.5"}, "99", "OrderQty"),
        ({"t44": "219.50001"}, "99", "Price"),
        ({"t111": 10}, "11", "MaxFloor"),
        ({"t11": "x" * 37}, "99", "ClOrdID"),
    ],
)
def test_what_an_order_may_not_say_is_rejected_with_the_field(tmp_path: Path, changes: dict, reason: str, text: str) -> None:
    with line(tmp_path) as made:
        made.client.order("A", **changes)
        made.advance()
        (answer,) = made.client.came
        assert (answer[35], answer[150], answer[39], answer[37], answer[103]) == ("8", "8", "8", "NONE", reason)
        assert text.replace("\\", "") in answer[58]
        assert not made.made.oms.orders


def test_no_repetition_trades_twice(tmp_path: Path) -> None:
    with line(tmp_path) as made:
        client = made.client
        client.order("A")
        made.advance()
        client.order("A")
        client.order("A", header={97: "Y"})
        client.order("A", t38=50)
        client.cancel("A", "A")
        made.advance()
        assert seen(client, 35, 150, 11, 103, 102) == [
            ("8", "0", "A", "", ""),
            ("8", "8", "A", "6", ""),
            ("8", "I", "A", "", ""),
            ("8", "8", "A", "6", ""),
            ("9", "", "A", "", "6"),
        ]
        assert client.came[2][97] == "Y"
        assert made.made.market.device.counters()["orders_new"] == 1


def test_cancels_that_cannot_be(tmp_path: Path) -> None:
    with line(tmp_path) as made:
        client = made.client
        client.cancel("X", "nowhere")
        client.order("A")
        made.advance()
        client.cancel("B", "A")
        client.cancel("C", "A")
        made.advance()
        client.cancel("D", "A")
        made.advance()
        rejects = [(each[11], each[37], each[39], each[102]) for each in client.came if each[35] == "9"]
        assert rejects == [("X", "NONE", "8", "1"), ("C", "1", "6", "3"), ("D", "1", "4", "0")]


@pytest.mark.parametrize("version", VERSIONS)
def test_status_is_answered_and_is_no_fact(tmp_path: Path, version: str) -> None:
    with line(tmp_path, version) as made:
        made.client.order("A")
        made.advance()
        made.client.send("H", {11: "A", 55: "AMZN", 54: 1})
        made.client.send("H", {11: "Z", 55: "AMZN", 54: 1})
        made.advance()
        _, known, unknown = made.client.came
        assert (known[17], known[39], known[151]) == ("0", "0", "100")
        assert (unknown[17], unknown[39], unknown[103]) == ("0", "8", "5")


def test_a_session_that_sends_too_much_is_told_so_and_may_cancel(tmp_path: Path) -> None:
    with line(tmp_path, interval=1_000_000_000, tolerance=1_000_000_000) as made:
        for name in "ABCD":
            made.client.order(name)
        made.advance()
        made.client.cancel("E", "A")
        made.advance()
        assert [each[11] for each in made.client.came if each[150] == "8"] == ["C", "D"]
        assert made.client.came[-1][150] == "4"


def test_what_is_not_on_the_disk_is_neither_received_nor_told(tmp_path: Path) -> None:
    with line(tmp_path, slow=True) as made:
        expected = made.ours.store._recorded
        made.client.order("A")
        made.settle()
        assert made.ours.store.next_expected == expected + 1
        assert made.ours.store._recorded == expected
        made.made.disk.write()
        made.settle()
        assert made.ours.store._recorded == expected + 1
        made.advance()
        assert made.made.oms[1].status is Status.LIVE
        assert made.client.came == []  # the exchange's word is not on the disk
        made.made.disk.write()
        made.settle()
        assert seen(made.client, 150) == [("0",)]


def test_when_the_journal_fails_orders_are_rejected_and_what_happens_is_still_told(tmp_path: Path) -> None:
    with line(tmp_path) as made:
        made.client.order("A")
        made.advance()
        made.made.disk.fail()
        made.client.order("B")
        made.advance()
        assert seen(made.client, 150, 11)[:2] == [("0", "A"), ("8", "B")]
        assert "no room" in made.client.came[1][58]
        assert (made.client.came[2][150], made.client.came[2][11]) == ("4", "A")  # the kill took it back


def facts_of(client: Client) -> list[int]:
    """Numbers of the facts that a client was told of, in its order."""
    found = [each.get(17 if each[35] == "8" else 198, "") for each in client.came]
    return [int(number) for number in found if number.isdigit() and number != "0"]


def trouble(made: Line, rng: random.Random, steps: int) -> int:
    """Orders and cancels, and pieces of what they cause, in any order that threads and disk may have; how many orders."""
    sent = 0
    for _ in range(steps):
        what = rng.random()
        if what < 0.15:
            sent += 1
            price, force = rng.choice((("220.6000", 3), ("219.5000", 0), ("220.4000", 0), ("250.0000", 0)))
            made.client.order(f"order-{sent}", t44=price, t59=force, t38=rng.randrange(1, 200))
        elif what < 0.22 and sent:
            made.client.cancel(f"cancel-{rng.random()}", f"order-{rng.randrange(1, sent + 1)}")
        elif what < 0.45:
            made.deliver()
        elif what < 0.60:
            made.made.run()
        elif what < 0.75 and made.queue:
            made.queue.pop(0)()
        elif what < 0.88:
            made.made.disk.write()
        else:
            made.made.market.advance(made.made.market.now + STEP)
    return sent


def test_everything_is_told_once_through_a_death_at_any_point(tmp_path: Path, seed: int) -> None:
    """The process dies between two steps; what the journal has and the store has not is told at the next start."""
    late = before = 0
    for number in range(14):
        rng = random.Random(seed + number)
        folder = tmp_path / str(number)
        folder.mkdir()
        made = Trading(slow=True)
        ours, client = order_entry(folder), Client()
        line = Line(made, ours, client)
        line.connect()
        sent = trouble(line, rng, rng.randrange(20, 150))
        line.die()
        told = facts_of(client)

        fresh = order_entry(folder)
        known = fresh.told
        again = Trading(entries=made.disk.entries, hear=fresh.hear)
        before, late = before + known, late + fresh.told - known
        line = Line(again, fresh, client)
        line.connect()
        line.advance(3)
        facts = [record.sequence for record in again.disk.entries if record.kind == REPORT_KIND]
        assert facts_of(client) == facts
        assert facts[: len(told)] == told
        names = [order.ordered.client_order_id for order in again.oms]
        assert sorted(names) == sorted(f"order-{n}" for n in range(1, sent + 1))
        fresh.close()
        again.close()
    assert late > 0
    assert before > 0


def test_a_store_that_fails_leaves_no_fact_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Trading()
    ours, client = order_entry(tmp_path), Client()
    first = Line(made, ours, client)
    first.connect()
    client.order("A")
    first.advance()
    with monkeypatch.context() as broken:
        broken.setattr(ours.store, "sent", _full)
        made.flow.cancel(made.oms[1])
        first.advance()
    made.flow.submit(made.order("B", client="alpha"))
    first.advance()
    assert facts_of(client) == [3]
    first.die()
    fresh = order_entry(tmp_path)
    again = Trading(entries=made.disk.entries, hear=fresh.hear)
    second = Line(again, fresh, client)
    second.connect()
    assert facts_of(client) == [record.sequence for record in made.disk.entries if record.kind == REPORT_KIND]
    assert len(facts_of(client)) == 3
    fresh.close()
    again.close()


def _full(number: int, message: bytes | None) -> None:
    raise OSError(28, "No space left on device")


def test_a_drop_copy_hears_of_every_execution_of_everybody_once(tmp_path: Path) -> None:
    made = Trading()
    copy = DropCopy(Settings(Identity("FIX.4.4", "HAIRPIN", "CLIENT")), tmp_path, "clearing")
    connected = Line(made, copy, Client())
    connected.connect()
    made.desk.set_taker("AAPL", Taker(enabled=True, value=Decimal(199_999), size=7, max_age_ns=0))
    for name in "AB":
        _, ask = made.best()
        made.flow.submit(made.order(name, client="beta", price=ask + 500, quantity=30))
        connected.advance(3)
        if name == "A":
            connected.cut()  # what happens meanwhile is asked for again
    connected.connect()
    executed = [(key[1], each) for order in made.oms for key, each in order.executions.items()]
    assert len(connected.client.came) == len(executed) > 1
    assert {each[1] for each in connected.client.came} == {"beta", DEVICE}
    assert sum(int(each[32]) for each in connected.client.came if each[1] == "beta") == 60
    assert {each[797] for each in connected.client.came} == {"Y"}
    assert made.oms.positions()["AMZN"] == sum(
        int(each[32]) * (1 if each[54] == "1" else -1) for each in connected.client.came if each[55] == "AMZN"
    )
    connected.client.order("C")
    connected.settle()
    assert connected.client.came[-1][35] == "j"
    copy.close()
    made.close()
