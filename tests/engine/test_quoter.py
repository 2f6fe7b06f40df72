"""Signals and quotes: what the formulas of Semantics section 7 give, and what must hold whatever they give."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, example, given

from engine.path import Engine
from engine.signals import bid_share
from tests.scenarios.build import Result, Script, add, delete, order_id, run
from wire.records import QUOTER_STRATEGY, TIME_IN_FORCE_DAY, Action, EventType, Opcode, Side

LOCATE, BASE, TICK, LEVELS = 10, 990_000, 100, 64
BUY_ID, SELL_ID = order_id(1, 0, Side.BUY, 0), order_id(2, 0, Side.SELL, 0)

QUANTITY = st.one_of(st.integers(0, 300), st.integers(0, (1 << 32) - 1))


@given(QUANTITY, QUANTITY)
@example(1, 0)
@example(0, 1)
@example((1 << 32) - 1, (1 << 32) - 1)
@example((1 << 32) - 1, 0)
@example(1024, 1023)
def test_the_bids_share_is_within_a_fifth_of_a_percent(bid: int, ask: int) -> None:
    assume(bid + ask > 0)
    share = bid_share(bid, ask)
    assert 0 <= share <= 65536
    assert abs(Fraction(share, 65536) - Fraction(bid, bid + ask)) <= Fraction(2, 1000)


def test_equal_quantities_meet_in_the_middle() -> None:
    for exponent in range(32):
        assert bid_share(1 << exponent, 1 << exponent) == 32768


@dataclass(frozen=True)
class Case:
    """A market and a quoter."""

    bid: int = 20
    ask: int = 30
    bid_quantity: int = 100
    ask_quantity: int = 100
    position: int = 0
    offset: int = 0
    half_spread: int = 2 << 16
    skew: int = 0
    size: int = 10
    min_change: int = 1

    @property
    def quoter(self) -> dict[str, int]:
        names = ("offset", "half_spread", "skew", "size", "min_change")
        return {name: getattr(self, name) for name in names} | {"enabled": 1}

    def quotes(self) -> dict[Side, int | None]:
        """The prices wanted, by the formulas in plain integers; the share of the bid is taken as it is."""
        if self.ask <= self.bid:
            return {Side.BUY: None, Side.SELL: None}
        weight = int(bid_share(self.bid_quantity, self.ask_quantity))
        microprice = self.bid * 65536 + (self.ask - self.bid) * weight
        fair = microprice + self.offset - min(max(self.position * self.skew, -(2**31)), 2**31 - 1)
        buy = min((fair - self.half_spread) // 65536, self.ask - 1)
        sell = max(-((-fair - self.half_spread) // 65536), self.bid + 1)
        return {
            side: BASE + index * TICK if 0 <= index < LEVELS and self.size else None
            for side, index in ((Side.BUY, buy), (Side.SELL, sell))
        }


def market(case: Case) -> Script:
    """The session up, nothing limited, and the market of a case, before the quoter is on."""
    script = Script().set_global().set_symbol(0, LOCATE, base=BASE, tick=TICK, levels=LEVELS).set_limits(0)
    script.command(Opcode.SET_FEED, start_sequence=1).open_market().log_in()
    script.command(Opcode.SET_POSITION, 0, position=case.position)
    buy = add(LOCATE, 1, "B", case.bid_quantity, BASE + case.bid * TICK)
    return script.feed(buy, add(LOCATE, 2, "S", case.ask_quantity, BASE + case.ask * TICK))


def sent(result: Result, since: int = 0) -> list[tuple[Action, Side, int]]:
    """(action, side, price) of the orders that left, after the first ``since``."""
    orders = result.of(EventType.ORDER_SENT)[since:]
    return [(Action(int(e["info"]) & 0xFF), Side(e["side"]), int(e["price"])) for e in orders]


def engine() -> Engine:
    return Engine(1, LEVELS, 64)


SHARES = st.integers(1, 100_000)
CASES = st.builds(
    Case,
    st.integers(0, LEVELS - 1),
    st.integers(0, LEVELS - 1),
    SHARES,
    SHARES,
    st.integers(-5_000, 5_000),
    st.integers(-(1 << 31), (1 << 31) - 1) | st.integers(-(1 << 18), 1 << 18),
    st.integers(0, (1 << 32) - 1) | st.integers(0, 1 << 20),
    st.integers(-(1 << 31), (1 << 31) - 1) | st.integers(-2_000, 2_000),
    st.integers(0, 1_000),
)


@given(CASES)
@example(Case())
@example(Case(position=1 << 30, skew=(1 << 31) - 1))
@example(Case(position=-(1 << 31), skew=-(1 << 31)))
@example(Case(half_spread=0))
@example(Case(half_spread=1))
@example(Case(bid=29, half_spread=0))
def test_quotes_are_where_the_formulas_put_them(case: Case) -> None:
    result = run(engine(), market(case).command(Opcode.SET_QUOTER, 0, **case.quoter))
    wanted = case.quotes()
    expected = [(Action.NEW, side, price) for side, price in wanted.items() if price is not None]
    buy, sell = wanted[Side.BUY], wanted[Side.SELL]
    if buy is not None and sell is not None and sell <= buy:
        expected = expected[:1]  # the gate does not let us trade with ourselves
        assert result.counters["refused_self_trade"] == 1
    assert sent(result) == expected
    for order in result.orders:
        assert (order["shares"], order["time_in_force"]) == (case.size, TIME_IN_FORCE_DAY)
    assert (result.of(EventType.ORDER_SENT)["info"] >> 16 == QUOTER_STRATEGY).all()


@given(CASES)
def test_no_quote_ever_takes_from_the_market(case: Case) -> None:
    result = run(engine(), market(case).command(Opcode.SET_QUOTER, 0, **case.quoter))
    for _, side, price in sent(result):
        if side is Side.BUY:
            assert price < BASE + case.ask * TICK
        else:
            assert price > BASE + case.bid * TICK


def prices(case: Case) -> list[int]:
    return [price for _, _, price in sent(run(engine(), market(case).command(Opcode.SET_QUOTER, 0, **case.quoter)))]


def test_a_position_moves_both_quotes_against_it() -> None:
    skew = 1 << 16  # a tick per share
    flat, long, short = (prices(Case(position=p, skew=skew)) for p in (0, 3, -3))
    assert long == [price - 3 * TICK for price in flat]
    assert short == [price + 3 * TICK for price in flat]


def quoting(case: Case) -> Script:
    """Both quotes live, where the formulas put them."""
    wanted = case.quotes()
    script = market(case).command(Opcode.SET_QUOTER, 0, **case.quoter)
    return script.accepted(BUY_ID, case.size, wanted[Side.BUY]).accepted(SELL_ID, case.size, wanted[Side.SELL])


@pytest.mark.parametrize("min_change", [0, 1, 2, 5])
@pytest.mark.parametrize("moved", [1, 2, 3, 5, 6])
def test_a_small_move_leaves_the_quote(min_change: int, moved: int) -> None:
    """The offset moves the fair value by whole ticks."""
    case = Case(
        min_change=min_change, half_spread=8 << 16
    )  # so wide that neither quote runs into the other's old price
    script = quoting(case).command(Opcode.SET_QUOTER, 0, **(case.quoter | {"offset": moved << 16}))
    result = run(engine(), script)
    expected = [
        (Action.REPLACE, side, price + moved * TICK) for side, price in case.quotes().items() if price is not None
    ]
    assert sent(result, 2) == (expected if moved >= max(min_change, 1) else [])


def test_the_change_is_measured_from_what_the_exchange_confirmed() -> None:
    """Accepted a tick worse than asked for: one more tick is a change of two."""
    case = Case(min_change=2)
    buy, sell = case.quotes()[Side.BUY], case.quotes()[Side.SELL]
    assert buy is not None
    script = market(case).command(Opcode.SET_QUOTER, 0, **case.quoter)
    script.accepted(BUY_ID, 10, buy - TICK).accepted(SELL_ID, 10, sell)
    script.command(Opcode.SET_QUOTER, 0, **(case.quoter | {"offset": 1 << 16}))
    assert sent(run(engine(), script), 2) == [(Action.REPLACE, Side.BUY, buy + TICK)]


def test_a_quote_that_waits_for_the_exchange_is_left_alone() -> None:
    case = Case()
    script = market(case).command(Opcode.SET_QUOTER, 0, **case.quoter)
    script.command(Opcode.SET_QUOTER, 0, **(case.quoter | {"offset": 5 << 16})).tick()
    assert len(sent(run(engine(), script))) == 2


PULLS = {
    "switched off": lambda s: s.command(Opcode.SET_QUOTER, 0, enabled=0),
    "size 0": lambda s: s.command(Opcode.SET_QUOTER, 0, **Case(size=0).quoter),
    "no bid": lambda s: s.feed(delete(LOCATE, 1)),
    "no offer": lambda s: s.feed(delete(LOCATE, 2)),
    "locked": lambda s: s.feed(add(LOCATE, 3, "B", 100, BASE + 30 * TICK)),
    "crossed": lambda s: s.feed(add(LOCATE, 3, "B", 100, BASE + 31 * TICK)),
    "out of the ladder": lambda s: s.command(Opcode.SET_QUOTER, 0, **Case(half_spread=60 << 16).quoter),
    "book untrusted": lambda s: s.feed(add(LOCATE, 3, "B", 0, BASE)),
    "gap": lambda s: s.packet(50).wait(1).tick(),
    "disabled": lambda s: s.command(Opcode.SET_TRADING, 0, enabled=0, trading_state=" ", reg_sho=" ", market_open=2),
    "market closed": lambda s: s.command(Opcode.SET_TRADING, enabled=2, market_open=0),
    "stale": lambda s: s.set_global(stale_ns=1_000).wait(1_001).tick(),
    "host silent": lambda s: s.command(Opcode.HEARTBEAT).set_global(heartbeat_ns=1_000).wait(1_001).tick(),
}


@pytest.mark.parametrize("name", PULLS)
def test_doubt_pulls_both_quotes(name: str) -> None:
    result = run(engine(), PULLS[name](quoting(Case())))
    assert [(action, side) for action, side, _ in sent(result, 2)] == [
        (Action.CANCEL, side) for side in Side if side < 2
    ]


def test_a_replace_that_the_gate_refuses_is_a_cancel() -> None:
    case = Case()
    script = quoting(case).set_limits(0, max_quantity=9)
    script.command(Opcode.SET_QUOTER, 0, **(case.quoter | {"offset": 1 << 16}))
    result = run(engine(), script)
    assert [action for action, _, _ in sent(result, 2)] == [Action.CANCEL, Action.CANCEL]
    assert result.counters["refused_max_quantity"] == 2
    kinds = result.events["type"][-4:]
    assert np.array_equal(kinds, [EventType.ORDER_REFUSED, EventType.ORDER_SENT] * 2)
