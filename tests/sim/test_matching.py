"""The venue beside a plain model of it, on random markets with random orders of ours; and what must always hold."""

import numpy as np
import pytest

from sim.sources.flow import STOCKS, FlowConfig, OrderFlow, flow
from sim.sources.tape import Tape, joined
from sim.venue import Venue, VenueConfig
from tests.sim.naive_venue import NaiveVenue
from tests.sim.orders import cancel, enter, replace
from wire import ouch42, soupbintcp
from wire.itch import ITCH

DIRECT = VenueConfig(order_latency_ns=0, answer_latency_ns=1, heartbeat_ns=0)
NAMES = STOCKS[:2]


def market(seed: int) -> Tape:
    """Small and thin, so that little is ahead of us and much goes through our prices."""
    made = OrderFlow(FlowConfig(seed=seed, stocks=NAMES, orders=40, rate=1_000.0))
    return joined(made.opening(), made.more(4_000))


class Trader:
    """Random orders near the market, from a seed: (time, packet) in the order of time."""

    def __init__(self, tape: Tape, rng: np.random.Generator, count: int) -> None:
        self.begin = int(tape.timestamps[np.flatnonzero(tape.types == ord("S"))[2]])
        span = int(tape.timestamps[-1]) - self.begin
        self.times = np.sort(self.begin + 1 + rng.integers(0, span, count))
        self.rng, self.tokens = rng, 0

    def token(self) -> str:
        self.tokens += 1
        return f"T{self.tokens:05}"


@pytest.mark.parametrize("number", range(6))
def test_fills_and_places_in_the_queue_are_those_of_a_plain_model(seed: int, number: int) -> None:
    rng = np.random.default_rng([seed, number])
    tape = market(int(rng.integers(1 << 30)))
    trader = Trader(tape, rng, 150)
    venue, plain = Venue(tape, DIRECT), NaiveVenue()
    venue.submit(0, soupbintcp.login_request("me", ""))
    done, live = 0, []
    for time in trader.times.tolist():
        # The tape first at the same nanosecond.
        end = int(np.searchsorted(tape.timestamps, time, side="right"))
        for i in range(done, end):
            plain.message(ITCH.unpack(tape[i]))
        done = end
        stock = int(rng.integers(2))
        shown = [o for o in plain.shown.values() if o.stock == stock + 1]
        bid = max(o.price for o in shown if o.side == "B")
        ask = min(o.price for o in shown if o.side == "S")
        side = "BS"[int(rng.integers(2))]
        near = bid if side == "B" else ask
        price = near + 100 * int(rng.integers(-3, 4))
        shares = int(rng.integers(1, 400))
        if live and rng.random() < 0.3:
            token = live.pop(int(rng.integers(len(live))))
            plain.cancel(token)
            venue.submit(time, cancel(token))
        else:
            token = trader.token()
            live.append(token)
            plain.rest(token, side, price, shares, stock + 1)
            venue.submit(time, enter(token, side, shares, NAMES[stock], price))
        venue.advance(time + 1)
        orders = venue.orders
        resting = {o["token"].decode().strip(): (int(o["remaining"]), int(o["ahead"])) for o in orders if o["alive"]}
        assert resting == {order.token: (order.shares, order.ahead) for order in plain.ours}
    for i in range(done, len(tape)):
        plain.message(ITCH.unpack(tape[i]))
    venue.advance(int(tape.timestamps[-1]) + 1)
    tokens = [token.decode().strip() for token in venue.orders["token"]]
    found = [(tokens[f["order"]], int(f["price"]), int(f["shares"])) for f in venue.fills]
    assert found == plain.fills
    resting = [f for f in venue.fills if f["message"] >= 0]
    assert len(found) > 50
    assert len(resting) > 10


@pytest.fixture(scope="module")
def busy() -> tuple[Tape, Venue]:
    """A longer day with orders, replacements and cancellations, all of it."""
    tape, rng = flow(FlowConfig(seed=21, stocks=NAMES, orders=60, messages=30_000)), np.random.default_rng(21)
    trader, venue = Trader(tape, rng, 3_000), Venue(tape, VenueConfig(jitter_ns=500_000), seed=3)
    venue.submit(0, soupbintcp.login_request("me", ""))
    live: list[tuple[str, int]] = []
    price = {}
    for message in tape.part(0, 300):
        fields = ITCH.unpack(message)
        if fields["type"] == "A":
            price.setdefault((fields["stock_locate"], fields["side"]), fields["price"])
    for time in trader.times.tolist():
        u, token = rng.random(), trader.token()
        if live and u < 0.3:
            venue.submit(time, cancel(live.pop(int(rng.integers(len(live))))[0], int(rng.integers(0, 60))))
        elif live and u < 0.6:
            at = int(rng.integers(len(live)))
            old, around = live[at]
            live[at] = token, around
            venue.submit(time, replace(old, token, int(rng.integers(1, 400)), around + 100 * int(rng.integers(-9, 9))))
        else:
            stock, side = int(rng.integers(2)), "BS"[int(rng.integers(2))]
            around = price[stock + 1, side]
            live.append((token, around))
            limit = around + 100 * int(rng.integers(-9, 9))
            shares, good = int(rng.integers(1, 400)), [99_998, 0, 1][int(rng.integers(3))]
            venue.submit(time, enter(token, side, shares, NAMES[stock], limit, good))
        venue.advance(time)
    venue.advance(int(tape.timestamps[-1]) + 1)
    return tape, venue


def test_fills_of_a_message_never_exceed_its_shares_and_are_at_or_through_its_price(busy: tuple[Tape, Venue]) -> None:
    tape, venue = busy
    orders, shown, used = venue.orders, [], {}
    references: dict[int, int] = {}
    for message in tape:
        fields = ITCH.unpack(message)
        if fields["type"] in "AF":
            references[fields["order_reference"]] = len(shown)
            shown.append((fields["side"], fields["price"], fields["shares"]))
        elif fields["type"] == "U":
            side = shown[references[fields["original_order_reference"]]][0]
            references[fields["new_order_reference"]] = len(shown)
            shown.append((side, fields["price"], fields["shares"]))
    traded: dict[int, int] = {}
    for fill in venue.fills:
        order, against, message = orders[fill["order"]], int(fill["against"]), int(fill["message"])
        buys, price, shares = order["side"] == b"B", int(fill["price"]), int(fill["shares"])
        assert shares > 0
        if message < 0:  # ours took: not beyond its limit, and at the price of what it took
            assert price == shown[against][1]
            assert price <= order["price"] if buys else price >= order["price"]
            assert shown[against][0] == ("S" if buys else "B")
            used[against] = used.get(against, 0) + shares
            continue
        assert price == order["price"]
        fields = ITCH.unpack(tape[message])
        traded[message] = traded.get(message, 0) + shares
        if fields["type"] in "EC":
            side, at, _ = shown[references[fields["order_reference"]]]
            assert side == ("B" if buys else "S")
            assert price >= at if buys else price <= at
            assert traded[message] <= fields["executed_shares"]
        elif fields["type"] == "P":
            assert price > fields["price"] if buys else price < fields["price"]
            assert traded[message] <= fields["shares"]
        else:
            side, at, total = shown[against]
            assert side == ("S" if buys else "B")
            assert price >= at if buys else price <= at
            assert traded[message] <= total == fields["shares"]
            used[against] = used.get(against, 0) + shares
    assert all(count <= shown[o][2] for o, count in used.items())
    kinds = {ITCH.unpack(tape[m])["type"] for m in traded}
    assert kinds >= {"E", "A", "U", "P"}


def test_what_the_answers_say_adds_up(busy: tuple[Tape, Venue]) -> None:
    """Shares accepted = executed + cancelled + replaced away + still open, for each token, from the answers alone."""
    _, venue = busy
    open_shares: dict[str, int] = {}
    executed, matches, references, last = 0, set(), set(), 0
    for at, packet in venue.answers():
        assert at >= last
        last = at
        if packet.code != "S":
            continue
        m = ouch42.OUTBOUND.unpack(packet.payload)
        token = m.get("order_token", m.get("replacement_order_token"))
        if m["type"] == "A":
            assert token not in open_shares
            open_shares[token] = m["shares"]
        elif m["type"] == "U":
            assert open_shares[m["previous_order_token"]] > 0
            open_shares[m["previous_order_token"]] = 0
            open_shares[token] = m["shares"]
        elif m["type"] == "E":
            open_shares[token] -= m["executed_shares"]
            executed += m["executed_shares"]
            assert m["match_number"] not in matches
            matches.add(m["match_number"])
        elif m["type"] == "C":
            open_shares[token] -= m["decrement_shares"]
        if m["type"] in "AU":
            assert m["order_reference"] not in references
            references.add(m["order_reference"])
        assert min(open_shares.values(), default=0) >= 0
    orders = venue.orders
    assert executed == venue.fills["shares"].sum() > 10_000
    assert {t: n for t, n in open_shares.items() if n} == {
        o["token"].decode().strip(): int(o["remaining"]) for o in orders if o["alive"]
    }
    assert min(matches) > venue.columns.last_match
    assert min(references) > venue.columns.last_reference
    counters = venue.counters
    assert counters["fills"] == len(matches)
    assert counters["accepted"] + counters["replaced"] == len(orders)
    assert min(counters[name] for name in ("accepted", "replaced", "cancelled", "ignored")) > 100


def test_nothing_that_happens_depends_on_how_often_one_looks(busy: tuple[Tape, Venue]) -> None:
    """The same orders, submitted at once or one by one, the venue moved on in few steps or in many."""
    tape, venue = busy
    end, orders = int(tape.timestamps[-1]) + 1, venue.orders
    packets = [
        (int(o["entered"]), enter(o["token"].decode(), o["side"].decode(), 99, NAMES[o["stock"]], int(o["price"])))
        for o in orders
    ]

    def answers(steps: int, seed: int) -> list[tuple[int, bytes]]:
        each, sent = Venue(tape, VenueConfig(jitter_ns=200_000), seed), 0
        each.submit(0, soupbintcp.login_request("me", ""))
        for time in np.linspace(int(tape.timestamps[0]), end, steps, dtype=np.int64).tolist():
            while sent < len(packets) and (packets[sent][0] < time or steps == 2):
                each.submit(*packets[sent])
                sent += 1
            each.advance(time)
        return [each.answer(i) for i in range(each.answer_count)]

    at_once = answers(2, 1)
    assert len(at_once) > len(packets)
    assert answers(700, 1) == at_once
    assert answers(2, 2) != at_once
