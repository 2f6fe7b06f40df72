"""The order-flow model: its statistics against the facts of a real day, its messages against a plain book."""

import numpy as np
import pytest

from sim.sources.flow import MIX, OPEN, STOCKS, FlowConfig, OrderFlow, flow
from sim.sources.tape import Tape, Vector, joined
from wire import itch
from wire.itch import ITCH

COUNT = 400_000
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def trading() -> Tape:
    """Messages between open and close, from a market at rest."""
    market = OrderFlow(FlowConfig(seed=11, stocks=STOCKS[:2]))
    market.opening()
    market.more(100_000)
    return market.more(COUNT)


def word(tape: Tape, kind: str, name: str) -> Vector:
    """A field of all messages of a type."""
    record = ITCH.by_code[ord(kind)]
    at = tape.offsets[tape.types == ord(kind)] + record.offset(name)
    width = record[name].width
    octets = tape.buffer[at[:, None] + np.arange(width)].astype(np.int64)
    return octets @ (1 << 8 * np.arange(width - 1, -1, -1))


def test_the_message_mix_is_that_of_a_real_day(trading: Tape) -> None:
    """Design page, section 5. Five standard errors of the sample; a market order comes in several messages, and the
    number of live orders wanders, which two tenths of a percent cover."""
    counts = trading.counts()
    for kind, percent in MIX.items():
        share = percent / 100
        error = 5 * (share * (1 - share) / len(trading)) ** 0.5
        assert abs(counts[kind] / len(trading) - share) < error + 0.002, kind
    assert set(counts) == set(MIX)
    lengths = trading.lengths
    assert abs(lengths.mean() - 28.7) < 5 * lengths.std() / len(lengths) ** 0.5 + 0.05


def test_sizes_are_round_lots_with_a_power_tail(trading: Tape) -> None:
    shares = word(trading, "A", "shares")
    n = len(shares)
    assert abs((shares % 100 != 0).mean() - 0.15) < 5 * (0.15 * 0.85 / n) ** 0.5 + 1e-3
    lots = shares[shares % 100 == 0] // 100
    assert lots.max() == 100
    for k in (2, 4, 8, 16, 32):
        expected = k**-1.6
        assert abs((lots >= k).mean() - expected) < 5 * (expected / len(lots)) ** 0.5 + 5e-4, k
    # The maximum-likelihood exponent of the tail between 4 and 100 lots (Clauset, Shalizi, Newman 2009, discrete).
    tail = lots[(lots >= 4) & (lots < 100)]
    exponents = np.linspace(1.2, 2.0, 161)
    ks = np.arange(4, 100)
    mass = ks[None, :] ** -exponents[:, None] - (ks[None, :] + 1.0) ** -exponents[:, None]
    mass /= mass.sum(axis=1, keepdims=True)
    likelihood = np.log(mass) @ np.bincount(tail, minlength=100)[4:]
    assert abs(exponents[likelihood.argmax()] - 1.6) < 5 * 1.6 / len(tail) ** 0.5 + 0.02


def test_times_come_in_bursts_at_the_rate_that_was_asked_for(trading: Tape) -> None:
    times = trading.timestamps
    seconds = (times[-1] - times[0]) / SECOND
    counts = np.bincount((times - times[0]) // (SECOND // 10))
    error = counts.std() / counts.mean() / len(counts) ** 0.5
    assert abs(len(times) / seconds / 2_000.0 - 1) < 5 * error + 0.01
    assert counts.var() / counts.mean() > 10  # 1 for a Poisson process
    in_100_us = np.searchsorted(times, times + 100_000) - np.arange(len(times))
    assert in_100_us.max() > 100


def test_the_price_diffuses(trading: Tape) -> None:
    """The variance of price changes grows with the time, as a random walk's does; at short times less, as known of
    zero-intelligence markets (Smith et al. 2003)."""
    for locate in (1, 2):
        hidden = (trading.types == ord("P")) & (trading.locates == locate)
        at = trading.offsets[hidden] + itch.TRADE.offset("price")
        octets = trading.buffer[at[:, None] + np.arange(4)].astype(np.int64)
        middle = (octets @ np.array([1 << 24, 1 << 16, 1 << 8, 1])) / 100
        short, long = (np.var(middle[k:] - middle[:-k]) for k in (4, 64))
        assert 2 < long / short < 64
        assert middle.max() - middle.min() > 5


class PlainBook:
    """All orders in one dictionary per stock and side, prices in another."""

    def __init__(self) -> None:
        self.orders: dict[int, tuple[int, str, int, int]] = {}
        self.levels: dict[tuple[int, str], dict[int, int]] = {}

    def change(self, locate: int, side: str, price: int, shares: int) -> None:
        level = self.levels.setdefault((locate, side), {})
        level[price] = level.get(price, 0) + shares
        if level[price] == 0:
            del level[price]

    def add(self, reference: int, locate: int, side: str, price: int, shares: int) -> None:
        assert shares > 0
        assert reference not in self.orders
        self.orders[reference] = (locate, side, price, shares)
        self.change(locate, side, price, shares)

    def take(self, reference: int, shares: int | None) -> tuple[int, str, int]:
        locate, side, price, had = self.orders.pop(reference)
        gone = had if shares is None else shares
        assert 0 < gone <= had
        self.change(locate, side, price, -gone)
        if gone < had:
            self.orders[reference] = (locate, side, price, had - gone)
        return locate, side, price

    def best(self, locate: int) -> tuple[int, int]:
        return max(self.levels[locate, "B"]), min(self.levels[locate, "S"])


def test_every_reference_is_valid_and_the_book_is_never_crossed(seed: int) -> None:
    tape = flow(FlowConfig(seed=seed, messages=20_000, stocks=STOCKS[:3], orders=60))
    book, matches, tops, moves = PlainBook(), set(), {}, 0
    opened = False
    for message in tape:
        fields = ITCH.unpack(message)
        kind, locate = fields["type"], fields["stock_locate"]
        if kind in "AF":
            book.add(fields["order_reference"], locate, fields["side"], fields["price"], fields["shares"])
        elif kind in "ECX":
            shares = fields["cancelled_shares" if kind == "X" else "executed_shares"]
            before = book.best(locate)
            _, side, price = book.take(fields["order_reference"], shares)
            if kind in "EC":
                assert price == before[side == "S"], "not the best price was executed"
        elif kind == "D":
            book.take(fields["order_reference"], None)
        elif kind == "U":
            locate, side, _ = book.take(fields["original_order_reference"], None)
            book.add(fields["new_order_reference"], locate, side, fields["price"], fields["shares"])
        if kind in "ECP":
            assert fields["match_number"] not in matches
            matches.add(fields["match_number"])
        if kind == "S":
            opened = opened or fields["event_code"] == "Q"
        elif opened and kind not in "PI":
            bid, ask = book.best(locate)
            assert bid < ask
            moves += tops.get(locate) != (bid, ask)
            tops[locate] = bid, ask
    assert 0.005 < moves / len(tape) < 0.2


def test_a_day_begins_and_ends_as_days_do(seed: int) -> None:
    tape = flow(FlowConfig(seed=seed, messages=500, orders=20, stocks=STOCKS[:2]))
    messages = [ITCH.unpack(m) for m in tape]
    events = [(i, m["event_code"], m["timestamp"]) for i, m in enumerate(messages) if m["type"] == "S"]
    assert "".join(code for _, code, _ in events) == "OSQMEC"
    assert events[0][0] == 0
    assert events[2][2] == OPEN
    assert [m["type"] for m in messages[1:7]] == ["R", "H", "Y"] * 2
    opening = messages[8 : events[2][0]]
    assert [m["type"] for m in opening] == ["A"] * 40
    assert all(m["timestamp"] < OPEN for m in opening)
    assert [i for i, _, _ in events[3:]] == [len(messages) - 3, len(messages) - 2, len(messages) - 1]
    assert [listing.stock for listing in tape.listings()] == ["HPNA", "HPNB"]


def test_a_seed_makes_one_market_and_another_makes_another() -> None:
    small = {"messages": 2_000, "orders": 50}
    first = flow(FlowConfig(seed=3, **small)).digest()
    assert flow(FlowConfig(seed=3, **small)).digest() == first
    assert flow(FlowConfig(seed=4, **small)).digest() != first
    one, two = OrderFlow(FlowConfig(seed=3, **small)), OrderFlow(FlowConfig(seed=3, **small))
    parts = [[m.opening(), m.more(700), m.more(1_300), m.closing()] for m in (one, two)]
    assert joined(*parts[0]).digest() == joined(*parts[1]).digest()


@pytest.mark.parametrize(
    "wrong", [{"stocks": ()}, {"stocks": ("A", "A")}, {"orders": 3}, {"rate": 0}, {"prices": (1,)}, {"levels": 2}]
)
def test_impossible_markets_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"stocks|orders|prices"):
        FlowConfig(**wrong)
    with pytest.raises(ValueError, match="opening prices"):
        OrderFlow(FlowConfig(stocks=("A",), prices=(1_000,)))
