"""A card and its shadow: the same answers as the card alone, and what happens when they differ or the card is gone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from control import market
from control.failover.pair import Inheritance, Pair
from control.layers import load
from drivers.commanded import CommandedDevice
from drivers.device import Batch, DeviceError
from drivers.settings import GlobalLimits
from drivers.software import SoftwareDevice
from wire.frames import udp_frame
from wire.itch import ADD_ORDER
from wire.moldudp64 import packet
from wire.records import INPUT, SET_GLOBAL, EventType, Opcode, Port, Side

SIZES = {"symbols": 2, "levels": 4096, "orders": 4096}
QUOTER = {"enabled": True, "size": 100}


class Card(SoftwareDevice):
    """An engine in the card's place, that can fail."""

    def __init__(self) -> None:
        super().__init__(**SIZES)
        self.dead = self.deaf = False

    def _exchange(self, inputs: NDArray[np.void], buffer: NDArray[np.uint8]) -> Batch:
        if self.dead:
            raise DeviceError("it does not answer")
        batch = super()._exchange(inputs, buffer)
        if self.deaf:
            return Batch(batch.events[:0], batch.outputs[:0], batch.payload[:0])
        return batch


class Scene:
    """A pair in a synthetic market."""

    def __init__(self, device: CommandedDevice | None = None, *, seed: int = 5) -> None:
        values: dict[str, Any] = {
            "input": {"seed": seed, "messages": 6_000, "symbols": ["HPNA", "HPNB"], "rate": 20_000},
            "device": SIZES,
            "quoter": QUOTER,
            "limits": {"max_position": 100_000, "max_open_orders": 8},
            "venue": {"jitter_ns": 200_000},
        }
        self.alarms: list[str] = []
        self.card, self.shadow = Card(), SoftwareDevice(**SIZES)
        self.pair = Pair(self.card, self.shadow, self.alarms.append, self.shadow.begin_after, check_ns=0)
        self.device = device or self.pair
        self.configuration = load(environment={}, flags=values)
        self.source = market.source(self.configuration)
        self.world = market.world(self.configuration, self.source.tape)
        self.run = market.start(self.world, self.device, self.configuration, self.source.setups)

    def to(self, message: int) -> None:
        self.run.advance(int(self.source.tape.timestamps[message]))
        self.device.heartbeat(at=max(self.run.now, self.device.clock))


def test_a_pair_answers_as_the_card_alone_and_every_check_finds_them_equal() -> None:
    pair, alone = Scene(), Scene(SoftwareDevice(**SIZES))
    for message in range(900, 5_900, 50):
        for scene in (pair, alone):
            scene.to(message)
        pair.pair.check()
    assert pair.alarms == []
    assert pair.pair.checks == 100
    assert pair.pair.skipped == 0
    shown = [scene.run.events[scene.run.events["type"] != EventType.HEARTBEAT] for scene in (pair, alone)]
    names = [name for name in shown[0].dtype.names or () if name not in ("sequence", "cause")]
    assert len(shown[0]) > 1_000
    assert (shown[0][names] == shown[1][names]).all()
    assert (pair.run.payload == alone.run.payload).all()
    assert len(pair.run.outputs) > 50


def test_a_position_that_the_host_sets_is_no_difference() -> None:
    scene = Scene()
    scene.to(2_000)
    scene.pair.set_position(0, position=-40, cash=1_234, mark=5, at=scene.device.clock)
    assert scene.pair.ledger.positions[0] == -40
    scene.pair.check()
    assert scene.alarms == []
    assert scene.pair.checks == 1


def test_one_wrong_bit_in_the_cards_book_stops_both_before_the_next_second() -> None:
    scene = Scene()
    scene.to(2_000)
    scene.pair.check()
    assert scene.alarms == []
    # A message that the card alone sees: its book has an order that the shadow's has not.
    _one_message(scene, scene.card)
    scene.to(2_001)
    scene.pair.check()
    scene.to(2_200)
    assert len(scene.alarms) == 1
    assert "differ" in scene.alarms[0]
    assert scene.pair.diverged is not None
    sent = scene.run.events[scene.run.events["type"] == EventType.ORDER_SENT]
    kills = scene.run.events[scene.run.events["type"] == EventType.KILL]
    assert len(kills) >= 1
    after = sent[sent["timestamp"] > kills[0]["timestamp"]]
    assert all(int(info) & 0xFF == 3 for info in after["info"])  # cancels only


def _one_message(scene: Scene, device: CommandedDevice) -> None:
    """Give one device a message of its own: the next one of the feed, with another price."""
    expected = int(device.heartbeat().events["value"][0])
    add = ADD_ORDER.pack(
        stock_locate=scene.source.setups[0].stock_locate, timestamp=device.clock, order_reference=1 << 40, side="B",
        shares=7, stock="HPNA", price=scene.source.setups[0].base_price,
    )  # fmt: skip
    payload = packet(scene.configuration.feed.session, expected, [add])
    frame = udp_frame(payload, source=1, source_port=1, destination=1, destination_port=1)
    device.process(np.array([(device.clock, 0, len(frame), Port.RECOVERY)], INPUT), frame)


@pytest.mark.parametrize("how", ["dead", "deaf"])
def test_a_card_that_fails_or_is_silent_is_given_up_and_nobody_trades_until_the_shadow_is_promoted(how: str) -> None:
    scene = Scene()
    scene.to(3_000)
    sent = len(scene.run.outputs)
    assert sent > 20
    setattr(scene.card, how, True)
    scene.to(3_100)
    assert scene.pair.failed is not None
    assert len(scene.alarms) == 1
    before = len(scene.run.outputs)
    scene.to(3_600)
    assert len(scene.run.outputs) == before  # nobody sends
    with pytest.raises(DeviceError, match="nobody has taken over"):
        scene.pair.submit(0, Side.BUY, 1_000_000, 1)
    assert scene.pair.set_trading(0, enabled=True).ok  # settings are taken all the same

    position = scene.pair.ledger.positions.get(0, 0)
    inherited = Inheritance({0: (position, -position * 1_000_000, 1_000_000)}, 5_000_000_000, scene.pair.ledger.generation, "", 1)
    scene.pair.promote(inherited)
    assert scene.pair.snapshot().positions[0].position == position
    scene.pair.login("HAIRPN", "demo", sequence=1)
    numbers: list[int] = []
    scene.pair.subscribe(lambda batch: numbers.extend(batch.events["sequence"].tolist()))
    scene.to(5_900)
    fresh = scene.run.events[scene.run.events["type"] == EventType.ORDER_SENT]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert scene.pair.events_lost == 0
    state = scene.pair.snapshot()
    assert scene.pair.ledger.differences({0: state.positions[0]}, state.orders) == []
    later = fresh[fresh["timestamp"] > scene.source.tape.timestamps[3_600]]
    new = later[(later["info"] & 0xFF) == 1]
    assert len(new)
    assert int(new["order_id"].min()) >> 12 > inherited.generation


def test_what_the_card_spent_of_the_credit_is_not_there_for_the_shadow() -> None:
    scene = Scene()
    credit = scene.configuration.portfolio.settings("FIRM", "HP").credit
    scene.card.dead = True
    scene.to(1_000)
    told: list[bytes] = []
    process = scene.shadow.process

    def spy(inputs: NDArray[np.void], buffer: Any) -> Batch:
        octets = np.frombuffer(buffer, np.uint8) if isinstance(buffer, bytes) else buffer
        told.extend(octets[int(i["offset"]) :][:64].tobytes() for i in inputs if i["port"] == Port.COMMAND)
        return process(inputs, buffer)

    scene.shadow.process = spy  # type: ignore[method-assign]
    scene.pair.promote(Inheritance({}, 7_000, 0, "", 1))
    scene.pair.configure_global(GlobalLimits(credit=5_000, max_gross=1, loss_limit=1))
    credits = [SET_GLOBAL.unpack(data)["credit"] for data in told if data[0] == Opcode.SET_GLOBAL]
    assert credits == [credit - 7_000, 0]


def test_a_shadow_is_not_promoted_while_the_card_may_trade() -> None:
    scene = Scene()
    with pytest.raises(DeviceError, match="was not given up"):
        scene.pair.promote(Inheritance({}, 0, 0, "", 1))


@pytest.mark.twin
@pytest.mark.gateware
def test_the_simulated_card_and_its_shadow_trade_and_never_differ() -> None:
    values: dict[str, Any] = {"input": {"seed": 4, "symbols": ["HPNA"]}, "serve": {"minutes": 1, "rate": 200}, "quoter": QUOTER}
    demo = market.DemoMarket(load(environment={}, flags=values), market.PAIR, lambda text: None)
    pair = demo.device
    assert isinstance(pair, Pair)
    sent: list[int] = []
    pair.subscribe(lambda batch: sent.extend(batch.events["type"][batch.events["type"] == EventType.ORDER_SENT].tolist()))
    demo.open()
    begin = demo.now
    for step in range(1, 16):
        demo.advance(begin + step * 200_000_000)
    assert pair.identify().kind == "twin"
    assert pair.diverged is None
    assert pair.failed is None
    assert pair.checks >= 2
    assert len(sent) > 10
    pair.close()
