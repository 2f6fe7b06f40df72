"""Limit Up-Limit Down against a model that reckons everything anew at every tenth of a second."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.exchange.config import ConfigError, Flow, VenueConfig, load
from sim.exchange.day import Day
from sim.exchange.luld import SECOND, band_width, collar_step
from sim.exchange.matching.state import ALL_SHOWN, Command, Event
from tests.sim.exchange.plain_luld import PlainLuld
from tests.sim.exchange.plain_market import PlainMarket
from wire import itch

TENTH = SECOND // 10
BASE, TICK, LEVELS = 0, 100, 4096


def day_of(price: int, tier: int) -> Day:
    config = VenueConfig(
        symbols=("AAA",), prices=(price,), auction=False, tick=TICK, levels=LEVELS, orders=4096, luld_tiers=(tier,),
        flow=Flow(source="none"), ports=(),
    )  # fmt: skip
    return Day(config)


class Pair:
    """A day and the model, given the same orders at the same times."""

    def __init__(self, price: int, tier: int) -> None:
        self.day, self.price = day_of(price, tier), price
        core, day = self.day.venue.core, self.day
        base = int(core.memory[core.memory[18]])
        market = PlainMarket(base, TICK, LEVELS, price)
        self.model = PlainLuld(market, tier, price, (day.close - day.open) // TENTH)
        self.time, self.token = 0, 0
        self.references: dict[int, int] = {}
        self.events: list[list[int]] = []
        inner = day.venue.observer
        assert inner is not None

        def observe(events: Any) -> None:
            self.events += events.tolist()
            inner(events)

        day.venue.observer = observe

    def wait(self, tenths: int) -> None:
        """Time goes on; what was due at the old time happens, at the new one not yet."""
        for _ in range(tenths):
            self.model.rules(self.time)
            self.time += 1
        self.day.advance(self.day.open + self.time * TENTH)

    def enter(self, side: int, price: int, shares: int, display: int = ALL_SHOWN, flags: int = 0) -> None:
        self.token += 1
        self.day.venue.submit(
            Command.ENTER, side=side, price=price, shares=shares, display=display, flags=flags, token=self.token, owner=0
        )
        self.references[self.token] = self.day.venue.core.last_reference
        self.model.market.enter(self.token, 0, 0, side, price, shares, display, flags, 0)
        self.model.look(self.time)

    def cancel(self, which: int) -> None:
        there = [o.token for o in self.model.market.orders]
        if there:
            token = there[which % len(there)]
            self.day.venue.submit(Command.CANCEL, reference=self.references[token], token=token)
            self.model.market.cancel(token, 0, 0)
            self.model.look(self.time)

    def band(self, side: int) -> int:
        """Where a symbol is limited on a side, or would open beyond its collar."""
        market = self.model.market
        return (market.lower if side else market.upper) or (self.model.collar[1 - side] + (500 if side == 0 else -500))

    def said(self) -> list[tuple[Any, ...]]:
        out: list[tuple[Any, ...]] = []
        for row in self.events:
            time, detail = (row[1] - self.day.open) // TENTH, row[15]
            kind = Event(row[0])
            if kind is Event.STATE:
                out.append((time, "state", chr(detail)))
            elif kind is Event.CROSS:
                out.append((time, "cross", chr(detail), row[6], row[7]))
            elif kind is Event.BANDS and chr(detail) == "T":
                out.append((time, "bands", row[6], row[12]))
            elif kind is Event.BANDS:
                out.append((time, "collar", row[6], row[12], row[11], row[7]))
        return out

    def agree(self) -> None:
        assert self.said() == self.model.log
        for side in (0, 1):
            queue = [(o.price, o.open, o.displayed) for o in self.day.venue.core.queue(0, side)]
            assert queue == [(o.price, o.open, o.displayed) for o in self.model.market.book(side)]


near = st.integers(-3, 3)
step = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([1, 3, 10, 20, 149, 150, 151, 299, 300, 301, 1000, 2999, 3000, 3001])),
    st.tuples(st.just("trade"), st.integers(-60, 60), st.sampled_from([50, 100, 200])),
    st.tuples(st.just("band"), st.integers(0, 1), st.sampled_from([100, 200]), st.sampled_from([ALL_SHOWN, ALL_SHOWN, 0])),
    st.tuples(st.just("far"), st.integers(0, 1), st.sampled_from([5, 20, 60]), st.sampled_from([100, 300])),
    st.tuples(st.just("cancel"), st.integers(0, 7)),
    st.tuples(st.just("meet"), st.integers(0, 1), st.sampled_from([100, 1000])),
)


@given(
    st.sampled_from([(100_000, 1), (100_000, 2), (20_000, 1), (30_000, 2), (5_000, 1)]), st.lists(step, min_size=5, max_size=40),
    st.sampled_from([0, 0, 8_950, 218_000]),
)  # fmt: skip
@settings(max_examples=80)
def test_bands_limit_states_pauses_and_reopenings_are_those_of_the_model(
    listed: tuple[int, int], steps: list[tuple[Any, ...]], start: int
) -> None:
    pair = Pair(*listed)
    pair.wait(start + 1)
    pair.agree()
    for kind, *rest in steps:
        market = pair.model.market
        if kind == "wait":
            pair.wait(rest[0])
        elif kind == "trade":
            price = max(market.last // TICK + rest[0] * max(market.last // 100_000, 1), 1) * TICK
            pair.enter(0, price, rest[1], 0)
            pair.enter(1, price, rest[1], 0, 2)
        elif kind == "band":
            pair.enter(rest[0], pair.band(rest[0]), rest[1], rest[2])
        elif kind == "far":
            pair.enter(rest[0], pair.model.reference + (rest[1] if rest[0] == 0 else -rest[1]) * 10 * TICK, rest[2])
        elif kind == "cancel":
            pair.cancel(rest[0])
        else:
            pair.enter(rest[0], pair.band(1 - rest[0]), rest[1], ALL_SHOWN, 0)
        pair.agree()
    pair.wait(3200)
    pair.agree()


def test_the_percentages_are_those_of_the_plan() -> None:
    dollar = 10_000
    assert band_width(100 * dollar, 100 * dollar, 1) == 5 * dollar
    assert band_width(100 * dollar, 100 * dollar, 2) == 10 * dollar
    assert band_width(100 * dollar, 100 * dollar, 1, doubled=True) == 10 * dollar
    assert band_width(3 * dollar, 3 * dollar, 1) == band_width(3 * dollar, 3 * dollar, 2) == 6_000
    assert band_width(7_500, 7_500, 1) == 1_500
    assert band_width(7_000, 7_400, 1) == 1_500, "the lesser of 15 cents and 75 %"
    assert band_width(1_000, 7_400, 1) == 750
    assert band_width(1_000, 7_400, 1, doubled=True) == 1_500
    assert band_width(2 * dollar, 4 * dollar, 1) == 1_000, "the close of the day before decides"
    assert collar_step(100 * dollar) == 5 * dollar
    assert collar_step(3 * dollar) == 1_500


def published(day: Day) -> list[dict[str, Any]]:
    publication = day.venue.publication
    return [itch.ITCH.unpack(publication[i]) for i in range(len(publication))]


def test_a_bid_at_the_band_pauses_and_the_auction_reopens() -> None:
    pair = Pair(100_000, 1)
    pair.wait(10_000)
    assert (pair.model.market.lower, pair.model.market.upper) == (95_000, 105_000)
    pair.enter(1, 104_000, 50)
    pair.enter(0, 106_000, 300)
    assert pair.day.venue.core.queue(0, 0) == [], "beyond the band nothing stands"
    pair.enter(0, 105_000, 300)
    pair.wait(149)
    pair.cancel(0)
    pair.enter(0, 105_000, 300)
    pair.wait(151)
    pair.enter(1, 108_000, 200)
    pair.enter(0, 112_000, 400)
    pair.wait(3_000)
    pair.enter(1, 108_000, 200)
    pair.wait(3_001)
    pair.agree()
    told = published(pair.day)
    states = [(fields["trading_state"], fields["reason"].strip()) for fields in told if fields["type"] == "H"]
    assert states == [("T", ""), ("P", "LUDP"), ("Q", ""), ("T", "")]
    collars = [
        (fields["auction_collar_reference_price"], fields["lower_auction_collar_price"], fields["upper_auction_collar_price"],
         fields["auction_collar_extension"])
        for fields in told if fields["type"] == "J"
    ]  # fmt: skip
    assert collars == [(105_000, 95_000, 110_250, 0), (105_000, 95_000, 115_500, 1)]
    crosses = [(fields["cross_type"], fields["cross_price"], fields["shares"]) for fields in told if fields["type"] == "Q"]
    assert crosses == [("H", 108_000, 400)], "first 112,000, beyond the collar; then all are paired, and nearer to the band"
    indicated = [fields for fields in told if fields["type"] == "I"]
    assert len(indicated) > 590
    assert {fields["cross_type"] for fields in indicated} == {"H"}
    assert pair.model.reference == 108_000


def flow_config() -> VenueConfig:
    flow = Flow(messages=60_000, orders=100, rate=500.0, seed=5)
    return VenueConfig(symbols=("HPNA", "HPNB"), prices=(500_000, 400_000), luld_tiers=(1, 1), flow=flow)


def test_how_often_the_clock_is_looked_at_changes_nothing(rng: np.random.Generator) -> None:
    whole, pieces = Day(flow_config()), Day(flow_config())
    for day in (whole, pieces):
        day.advance(day.open + 5 * SECOND)
        for symbol, side in ((0, 0), (1, 1)):
            upper = day.luld.symbols[symbol].bands[1 - side]  # type: ignore[union-attr]
            day.venue.submit(Command.ENTER, symbol=symbol, side=side, price=upper, shares=500_000, display=ALL_SHOWN)
    whole.run()
    for time in np.sort(rng.integers(pieces.venue.time, pieces.close, 700)).tolist():
        pieces.advance(int(time))
    pieces.run()
    assert whole.venue.result() == pieces.venue.result()
    assert published(whole) == published(pieces)
    assert [fields["trading_state"] for fields in published(whole) if fields["type"] == "H"].count("P") == 2


def test_tiers_are_of_all_symbols_or_none(tmp_path: Any) -> None:
    path = tmp_path / "exchange.toml"
    path.write_text("[[venues]]\nsymbols = ['A', 'B']\nluld_tiers = [1]")
    with pytest.raises(ConfigError, match="1 luld_tiers for 2 symbols"):
        load(path)
