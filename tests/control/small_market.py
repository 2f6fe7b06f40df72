"""A market of two stocks for tests of what stands above it: every frame by hand, one input at a time."""

from collections.abc import Mapping

import numpy as np

import drivers
from control.configuration import Configuration
from control.layers import load
from drivers import settings
from drivers.device import Answer, Batch, Device
from sim.publisher import publish
from sim.sources.flow import FlowConfig, OrderFlow
from sim.sources.tape import joined
from sim.venue import Venue
from wire.records import INPUT, Port

STOCKS = ("AMZN", "AAPL")
START = 34_200_000_000_000
STEP = 1_000_000


def small_configuration(**sections: dict[str, object]) -> Configuration:
    values: dict[str, object] = {
        "input": {"symbols": list(STOCKS), "speed": 1},
        "global": {"stale_ns": 0},
    } | sections
    return load(environment={}, flags=values)


class SmallMarket:
    """The opening of a synthetic day, then silence in which only the clock goes on: books stay as they are."""

    def __init__(
        self, configuration: Configuration, device: str = "software", *, messages: int = 0, **sizes: int
    ) -> None:
        self.configuration = configuration
        market = OrderFlow(FlowConfig(seed=3, stocks=STOCKS, orders=40, prices=(2_200_000, 1_500_000)))
        self.tape = joined(market.opening(), market.more(messages)) if messages else market.opening()
        self.frames = publish(self.tape, end_packets=0, heartbeat_ns=0)
        self.venue = Venue(self.tape)
        self._device = drivers.open(device, **sizes)
        self._device.subscribe(self._submit)
        self._answered = self._frame = 0
        self.now = int(self.tape.timestamps[0])
        self.finished = False
        self.setups: Mapping[int, settings.SymbolSetup] = {
            symbol: settings.SymbolSetup(
                stock=stock, stock_locate=symbol + 1, base_price=base, tick=100, trading_state="T"
            )
            for symbol, (stock, base) in enumerate(zip(STOCKS, (2_170_000, 1_470_000), strict=True))
        }

    @property
    def device(self) -> Device:
        return self._device

    def open(self) -> None:
        """Configure the device, log in, and let the market open."""
        device, made = self._device, self.configuration
        device.configure_feed(settings.Feed(session="HAIRPIN001"), at=self.now)
        device.configure_global(made.portfolio.settings(made.portfolio.firm, made.portfolio.token_prefix))
        for symbol, setup in self.setups.items():
            own = made.symbol(setup.stock)
            device.configure_symbol(symbol, setup)
            device.configure_limits(symbol, own.limits.settings())
            device.configure_quoter(symbol, own.quoter.settings(settings.PRICE_UNIT * setup.tick))
        device.login("HAIRPN", "demo")
        self.advance(START + STEP)

    def command(self, data: bytes) -> Answer:
        return self._device.command(data, self.now)

    def advance(self, to: int) -> None:
        """Frames and answers that are due, in their order, then a tick and a heartbeat."""
        while True:
            self.venue.advance(to)
            frame = int(self.frames.timestamps[self._frame]) if self._frame < len(self.frames) else to
            has_answer = self._answered < self.venue.answer_count
            at, data = self.venue.answer(self._answered) if has_answer else (to, b"")
            if min(frame, at) >= to:
                break
            if at < frame:
                self._answered += 1
                self._hand(at, data, Port.SESSION)
            else:
                self._frame += 1
                self._hand(frame, self.frames[self._frame - 1], Port.FEED_A)
        self.now = max(self.now, to)
        self._device.heartbeat(at=self.now)
        self._device.tick(self.now)

    def _hand(self, at: int, data: bytes, port: Port) -> None:
        self.now = max(self.now, at)
        self._device.process(np.array([(self.now, 0, len(data), port)], INPUT), data)

    def _submit(self, batch: Batch) -> None:
        self.venue.submit_all(batch.outputs, batch.payload)
