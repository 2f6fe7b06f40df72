"""The contract of `Device`, the same for software and for a card."""

import ast
from pathlib import Path

import numpy as np
import pytest

import drivers
from drivers import DeviceError, commands
from drivers.card import CardDevice
from drivers.device import CommandRefusedError, Device
from drivers.settings import Feed, GlobalLimits, Limits, Quoter, SymbolSetup
from drivers.software import SoftwareDevice
from tests.drivers.engine_card import EngineCard
from wire import frames, itch, moldudp64, ouch42, soupbintcp
from wire.counters import COUNTERS
from wire.reasons import Reason
from wire.records import INPUT, CommandError, EventType, Port, Side, SlotState

SIZES = {"symbols": 16, "levels": 4096, "orders": 16384}  # the profile `twin`
WIDE = (1 << 31) - 1


@pytest.fixture(
    params=["software", "card", pytest.param("twin", marks=[pytest.mark.twin, pytest.mark.gateware])]
)
def device(request):
    if request.param == "card":
        opened = CardDevice(EngineCard(**SIZES))
    else:
        opened = drivers.open(request.param, **SIZES)
    with opened:
        yield opened


def message(record, **values):
    return record.pack(stock_locate=7, **values)


def frame(sequence, *messages):
    return frames.udp_frame(
        moldudp64.packet("SESSION", sequence, messages),
        source=0x0A000001,
        destination=0xE9360C6F,
        source_port=1000,
        destination_port=26477,
    )


def feed(device, sequence, *messages, at=None):
    data = frame(sequence, *messages)
    return device.process(np.array([(at or device.clock + 1, 0, len(data), Port.FEED_A)], INPUT), data)


def session(device, *packets):
    data = b"".join(packets)
    return device.process(np.array([(device.clock + 1, 0, len(data), Port.SESSION)], INPUT), data)


def configure(device, **limits):
    """Symbol 2 is set up, the session is up, and the market is 100.00 to 100.05."""
    wide = {
        "max_quantity": WIDE, "max_position": WIDE, "max_notional": 1 << 62, "loss_limit": 1 << 62,
        "collar": 10_000, "max_open_orders": 8, "locate_quantity": WIDE,
    }  # fmt: skip
    device.configure_global(GlobalLimits(max_gross=1 << 62, credit=1 << 62, loss_limit=1 << 62, firm="FIRM"), at=1000)
    device.configure_feed(Feed(session="SESSION"))
    device.configure_symbol(2, SymbolSetup(stock="AMZN", stock_locate=7, base_price=950_000, tick=100))
    device.configure_limits(2, Limits(**(wide | limits)))
    device.set_trading(market_open=True)
    device.login("user", "password")
    session(device, soupbintcp.login_accepted("SESSION", 1))
    add = {"stock": "AMZN", "order_reference": 1, "shares": 300}
    feed(
        device,
        1,
        message(itch.ADD_ORDER, **add, side="B", price=1_000_000),
        message(itch.ADD_ORDER, **add | {"order_reference": 2}, side="S", price=1_000_500),
    )


def sent(batch):
    """The last order message that a batch sent."""
    data = batch.output(len(batch.outputs) - 1)
    return ouch42.INBOUND.unpack(data[soupbintcp.HEADER_LENGTH :])


def test_says_what_it_is(device):
    identity = device.identify()
    assert (identity.symbols, identity.levels, identity.orders) == (16, 4096, 16384)
    assert identity.kind in {"software", "card", "twin"}
    assert device.identify() == identity


def test_verbs_trade(device):
    configure(device)
    answer = device.submit(2, Side.BUY, 1_000_100, 40, tag=77)
    assert answer.ok
    assert sent(answer.batch)["shares"] == 40
    (order,) = device.snapshot().orders
    assert (order.order_id, order.state, order.tag) == (answer.order_id, SlotState.PENDING_NEW, 77)
    assert (order.symbol, order.side, order.slot, order.price, order.remaining) == (2, Side.BUY, 1, 1_000_100, 40)

    changed = device.replace(answer.order_id, 1_000_000, 10)
    assert changed.error is CommandError.ORDER_PENDING
    taken = device.cancel(answer.order_id)
    assert taken.ok
    assert device.snapshot().orders[0].cancel_wanted
    assert device.cancel(12345).error is CommandError.UNKNOWN_ORDER


def test_refusals_carry_their_reasons(device):
    configure(device, max_quantity=10)
    answer = device.submit(2, Side.BUY, 1_000_100, 11)
    assert (answer.error, answer.refused_by) == (CommandError.REFUSED, Reason.MAX_QUANTITY.bit)
    assert answer.reasons == ["max_quantity"]
    assert len(answer.batch.outputs) == 0
    assert device.counters()["refused_max_quantity"] == 1


def test_kill_stops_and_clear_kill_lets_go(device):
    configure(device)
    for scope in ({}, {"symbol": 2}, {"strategy": 3}):
        device.kill(**scope)
        assert not device.submit(2, Side.BUY, 1_000_000, 10, strategy=3).ok
        device.clear_kill(**scope)
        assert device.submit(2, Side.BUY, 1_000_000, 10, strategy=3).ok


def test_snapshot_tells_books_positions_and_counters(device):
    configure(device)
    device.set_position(2, position=-5, cash=-700, mark=1_000_200)
    shot = device.snapshot()
    assert [(each.price, each.quantity, each.orders) for each in shot.books[2].bids] == [(1_000_000, 300, 1)]
    assert [(each.price, each.quantity, each.orders) for each in shot.books[2].asks] == [(1_000_500, 300, 1)]
    position = shot.positions[2]
    # Short, so marked at the best ask.
    assert (position.position, position.cash, position.mark) == (-5, -700, 1_000_500)
    assert position.pnl == -700 - 5 * 1_000_500
    assert position.blocked_by == 0
    assert shot.counters.keys() == COUNTERS.keys()
    assert (shot.counters["messages"], shot.counters["itch_A"], shot.counters["top_changes"]) == (2, 2, 2)
    assert device.mapped == (2,)


def test_the_quoter_quotes_and_stops(device):
    configure(device)
    quotes = device.configure_quoter(2, Quoter(half_spread=2 << 16, size=10)).batch
    assert len(quotes.outputs) == 2
    assert sent(quotes)["shares"] == 10
    off = device.configure_quoter(2, Quoter(half_spread=2 << 16, size=10, enabled=False))
    assert off.ok


def test_subscribers_see_every_batch_until_they_leave(device):
    seen = []
    leave = device.subscribe(seen.append)
    answer = device.configure_feed(Feed())
    beat = device.heartbeat(at=5)
    tick = device.tick(6)
    leave()
    device.tick(7)
    assert [each.events.tobytes() for each in seen] == [
        each.events.tobytes() for each in (answer.batch, beat, tick)
    ]
    assert beat.events["type"].tolist() == [EventType.HEARTBEAT]
    assert device.clock == 7


def test_configuration_that_is_refused_raises_with_the_answer(device):
    with pytest.raises(CommandRefusedError, match="SET_QUOTER: BAD_SYMBOL") as caught:
        device.configure_quoter(1, Quoter(half_spread=1, size=1))
    assert caught.value.answer.error is CommandError.BAD_SYMBOL
    assert device.command(b"\xee" + bytes(63)).error is CommandError.UNKNOWN_OPCODE


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([(5, 0, 0, Port.TICK), (4, 0, 0, Port.TICK)], "input 1: stamp 4 is before 5"),
        ([(2, 0, 0, Port.TICK)], "input 0: stamp 2 is before 3"),
        ([(5, 0, 9, Port.FEED_A)], "behind the buffer"),
        ([(5, 0, 0, 9)], "no such port"),
    ],
)
def test_inputs_that_make_no_sense_are_refused_and_named(device, rows, why):
    device.tick(3)
    with pytest.raises(ValueError, match=why):
        device.process(np.array(rows, INPUT), b"8 bytes.")
    assert device.clock == 3


def test_closed_devices_say_so(device):
    device.close()
    with pytest.raises(DeviceError, match="closed"):
        device.tick(1)
    device.close()


def test_unknown_devices_are_named():
    with pytest.raises(ValueError, match="no device 'vfio'; there are software, twin"):
        drivers.open("vfio")


def test_the_protocol_is_met():
    """Every public name of `Device` is there, with the same signature."""

    def methods(path, name):
        tree = ast.parse(Path(path).read_text())
        (body,) = [node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
        return {n.name: ast.unparse(n.args) for n in body if isinstance(n, ast.FunctionDef) and n.name[0] != "_"}

    wanted = methods(drivers.device.__file__, "Device")
    have = methods(drivers.commanded.__file__, "CommandedDevice")
    assert {name: have.get(name) for name in wanted} == wanted
    device: Device = SoftwareDevice(**SIZES)
    assert device.identify().kind == "software"


def test_commands_from_elsewhere_count_as_configuration(device):
    data = commands.set_symbol(1, SymbolSetup(stock="A", stock_locate=3, base_price=0, tick=100), 4096)
    device.process(np.array([(1, 0, 64, Port.COMMAND)], INPUT), data)
    assert device.mapped == (1,)
