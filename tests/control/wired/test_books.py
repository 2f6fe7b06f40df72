"""A snapshot in a device: its books are those of a device that missed nothing, whatever they were before."""

import socket
import time
from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pytest

from control.parameters import Limits, Quoter
from control.wired.books import PRIVATE_SESSION, bring, send
from control.wired.snapshot import Snapshot
from drivers import commands
from drivers.device import Batch, DeviceError
from drivers.live import LiveDevice
from drivers.settings import Feed, GlobalLimits, SymbolSetup
from drivers.software import SoftwareDevice
from sim.sources.flow import FlowConfig, OrderFlow
from sim.sources.tape import joined
from wire import frames, itch, moldudp64, soupbintcp
from wire.reasons import Reason
from wire.records import INPUT, EventType, Opcode, Port, TrustCause

STOCKS = ("AMZN", "AAPL")
SETUPS = {
    symbol: SymbolSetup(stock=stock, stock_locate=symbol + 1, base_price=base, tick=100)
    for symbol, (stock, base) in enumerate(zip(STOCKS, (2_170_000, 1_470_000), strict=True))
}
LOCATES = {symbol: setup.stock_locate for symbol, setup in SETUPS.items()}
FEED = Feed(session="DAY", hold_ns=1_000_000)


@pytest.fixture
def feeds() -> Iterator[tuple[socket.socket, socket.socket]]:
    made = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for each in made:
        each.bind(("127.0.0.1", 0))
    yield made[0], made[1]
    for each in made:
        each.close()


def messages(seed: int) -> list[bytes]:
    """A day's messages, number 1 first."""
    market = OrderFlow(FlowConfig(seed=seed, stocks=STOCKS, orders=40, prices=(2_200_000, 1_500_000)))
    return list(joined(market.opening(), market.more(1500)))


def snapshot_after(told: list[bytes]) -> Snapshot:
    """The orders that are left of messages, kept in a dictionary."""
    orders: dict[int, dict] = {}
    last: list[bytes] = []
    for message in told:
        fields = itch.ITCH.unpack(message)
        kind = fields["type"]
        if kind == "S":
            last = [message]
        elif kind in "AF":
            orders[fields["order_reference"]] = fields
        elif kind == "D":
            orders.pop(fields["order_reference"])
        elif kind in "ECX":
            order = orders[fields["order_reference"]]
            order["shares"] -= fields.get("executed_shares", fields.get("cancelled_shares"))
            if not order["shares"]:
                orders.pop(fields["order_reference"])
        elif kind == "U":
            old = orders.pop(fields["original_order_reference"])
            new = {"order_reference": fields["new_order_reference"], "shares": fields["shares"], "price": fields["price"]}
            orders[fields["new_order_reference"]] = old | new
    states = [message for message in told if message[0] in b"HY"]
    adds = [(itch.ADD_ORDER if each["type"] == "A" else itch.ADD_ORDER_ATTRIBUTED).pack(each) for each in orders.values()]
    return Snapshot("DAY", len(told) + 1, (*states, *adds, *last))


def packets(told: list[bytes], first: int, end: int) -> list[bytes]:
    """Messages ``first`` to ``end - 1`` of the day, some to a packet."""
    return [moldudp64.packet("DAY", n, told[n - 1 : min(n + 10, end) - 1]) for n in range(first, end, 10)]


def truth(told: list[bytes]) -> dict[int, object]:
    """The books of a device that missed nothing."""
    with SoftwareDevice() as device:
        device.configure_feed(FEED)
        for symbol, setup in SETUPS.items():
            device.configure_symbol(symbol, setup)
        for payload in packets(told, 1, len(told) + 1):
            frame = frames.udp_frame(payload, source=0, destination=0, source_port=0, destination_port=0)
            device.process(np.array([(0, 0, len(frame), Port.RECOVERY)], INPUT), frame)
        return dict(device.snapshot(depth=255).books)


@pytest.fixture
def device(feeds) -> Iterator[LiveDevice]:
    with LiveDevice(feeds, idle_us=100, tick_ns=1_000_000) as made:
        made.configure_feed(FEED)
        for symbol, setup in SETUPS.items():
            made.configure_symbol(symbol, setup)
        yield made


def on_tape(device: LiveDevice, feeds, sent: list[bytes]) -> None:
    """The feeds send packets while the device copies them."""
    before = sum(device.counters()[name] for name in ("packets_a", "packets_b"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for n, payload in enumerate(sent):
            sender.sendto(payload, feeds[n % 2].getsockname())
    while sum(device.counters()[name] for name in ("packets_a", "packets_b")) < before + len(sent):
        time.sleep(0.001)
        device.poll()


@pytest.mark.parametrize("run", range(4))
def test_books_are_those_of_a_device_that_missed_nothing(device: LiveDevice, feeds, seed: int, run: int) -> None:
    told, chooser = messages(seed + run), np.random.default_rng(seed + run)
    lost, at = sorted(chooser.integers(200, len(told) - 200, 2).tolist())
    device.inject(packets(told, 1, lost))
    device.record(True)
    # Old packets, a gap up to the snapshot, and what comes behind it.
    on_tape(device, feeds, packets(told, max(lost - 50, 1), lost) + packets(told, at + 1, len(told) + 1))
    events: list[np.ndarray] = []
    device.subscribe(lambda batch: events.append(batch.events))
    found = bring(device, snapshot_after(told[:at]), FEED, LOCATES, [0])
    assert (found.whole, found.sequence) == (True, len(told) + 1)
    snapshot = device.snapshot(depth=255)
    assert dict(snapshot.books) == truth(told)
    assert len(device.alive().references) > 0
    counters = snapshot.counters
    assert [counters[name] for name in ("unknown_reference", "duplicate_reference", "over_execution", "bad_value")] == [0] * 4
    # Trust: nothing was told to be trusted before the feed was whole, and only what was to trade may.
    blocked = {symbol: each.blocked_by for symbol, each in snapshot.positions.items()}
    assert not blocked[0] & (Reason.BOOK_UNTRUSTED.bit | Reason.SYMBOL_DISABLED.bit)
    assert blocked[1] & Reason.SYMBOL_DISABLED.bit
    assert not blocked[1] & Reason.BOOK_UNTRUSTED.bit


def test_a_hole_behind_the_snapshot_is_a_gap_like_any_other(device: LiveDevice, feeds, seed: int) -> None:
    told = messages(seed)
    device.inject(packets(told, 1, 301))
    device.record(True)
    on_tape(device, feeds, packets(told, 601, 801) + packets(told, 821, 1001))
    seen: list[Batch] = []
    device.subscribe(seen.append)
    found = bring(device, snapshot_after(told[:600]), FEED, LOCATES, LOCATES)
    assert (found.whole, found.sequence) == (False, 801)
    events = np.concatenate([batch.events for batch in seen])
    assert (events[events["type"] == EventType.GAP]["value"] == 801).any()
    lost = events[(events["type"] == EventType.TRUST_LOST) & (events["info"] == TrustCause.GAP)]
    assert len(lost)
    seen.clear()
    device.inject(packets(told, 801, 821) + packets(told, 821, len(told) + 1))
    events = np.concatenate([batch.events for batch in seen])
    assert ((events["type"] == EventType.TRUST_REGAINED) & (events["info"] == TrustCause.GAP)).any()
    assert dict(device.snapshot(depth=255).books) == truth(told)


def test_a_snapshot_that_lacks_an_order_gives_other_books(device: LiveDevice, feeds, seed: int) -> None:
    """The comparison above sees what it is to see."""
    told = messages(seed)
    whole = snapshot_after(told)
    device.record(True)
    short = Snapshot("DAY", whole.sequence, tuple(each for n, each in enumerate(whole.messages) if n != len(whole.messages) // 2))
    bring(device, short, FEED, LOCATES, LOCATES)
    assert dict(device.snapshot(depth=255).books) != truth(told)


def test_a_command_that_is_refused_is_named(device: LiveDevice) -> None:
    with pytest.raises(DeviceError, match="command 8 for symbol 9: BAD_SYMBOL"):
        send(device, [commands.set_feed(Feed(session=PRIVATE_SESSION)), commands.set_position(9, position=1)])


def test_nothing_new_goes_out_until_the_books_are_right(device: LiveDevice, feeds, seed: int) -> None:
    """With an open market, a session and a quoter, no order is sent between the first command and the last."""
    told = messages(seed)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        device.connect(socket.create_connection(listener.getsockname()))
        exchange, _ = listener.accept()
        limits = {"max_gross": 1 << 60, "credit": 1 << 60, "loss_limit": 1 << 60}
        device.configure_global(GlobalLimits(**limits, token_prefix="HP", firm="HPIN"))
        for symbol in SETUPS:
            device.configure_limits(symbol, Limits().settings())
        device.login("ME", "SECRET")
        exchange.sendall(soupbintcp.login_accepted("DAY", 1))
        seen: list[np.ndarray] = []
        device.subscribe(lambda batch: seen.append(batch.events))
        device.inject(packets(told, 1, 501))
        device.record(True)
        on_tape(device, feeds, packets(told, 901, len(told) + 1))
        end = time.monotonic() + 30
        while not any((events["type"] == EventType.GAP).any() for events in seen):
            device.poll()
            assert time.monotonic() < end
        for symbol in SETUPS:  # only now, so that there are no quotes that wait for an answer
            device.configure_quoter(symbol, Quoter().settings(Decimal("0.01")))
        assert not any((events["type"] == EventType.ORDER_SENT).any() for events in seen)
        seen.clear()
        bring(device, snapshot_after(told[:900]), FEED, LOCATES, LOCATES)
        device.heartbeat()
        events = np.concatenate(seen)
        orders = np.flatnonzero(events["type"] == EventType.ORDER_SENT)
        enabled = np.flatnonzero((events["type"] == EventType.COMMAND) & (events["value"] == Opcode.SET_TRADING))[len(SETUPS)]
        assert len(orders) >= 2
        assert orders.min() > enabled > 100
        exchange.close()
