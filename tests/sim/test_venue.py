"""The venue's answers, one rule of OUCH 4.2 after the other, on a tape made by hand."""

from typing import Any

import pytest

from sim.sources.tape import Tape, from_bytes
from sim.venue import Venue, VenueConfig
from tests.sim.orders import cancel, enter, modify, replace
from wire import itch, ouch42, soupbintcp

OPEN = 34_200_000_000_000
SECOND = 1_000_000_000
BID, ASK = 100_0000, 100_0200
Answer = dict[str, Any]


class Market:
    """A tape written step by step, a millisecond each, with 100 x 300 shares on either side at the open."""

    def __init__(self) -> None:
        self.time, self.reference, self.messages = OPEN - SECOND, 0, []
        for locate, stock in ((1, "AAA"), (2, "BBB")):
            self.put(itch.STOCK_DIRECTORY, stock_locate=locate, stock=stock)
            self.put(itch.TRADING_ACTION, stock_locate=locate, stock=stock, trading_state="T")
        self.bid = [self.add("B", 300, BID), self.add("B", 200, BID - 100)]
        self.ask = [self.add("S", 100, ASK), self.add("S", 50, ASK), self.add("S", 400, ASK + 100)]
        self.time = OPEN
        self.put(itch.SYSTEM_EVENT, stock_locate=0, event_code="Q")

    def put(self, record: Any, **fields: Any) -> None:
        self.time += 1_000_000
        fields.setdefault("stock_locate", 1)
        self.messages.append(record.pack(fields, timestamp=self.time))

    def add(self, side: str, shares: int, price: int, locate: int = 1) -> int:
        self.reference += 1
        names = {1: "AAA", 2: "BBB"}
        fields = {"order_reference": self.reference, "side": side, "shares": shares, "price": price}
        self.put(itch.ADD_ORDER, stock_locate=locate, stock=names[locate], **fields)
        return self.reference

    def execute(self, reference: int, shares: int) -> None:
        match = len(self.messages)
        self.put(itch.ORDER_EXECUTED, order_reference=reference, executed_shares=shares, match_number=match)

    def trade(self, price: int, shares: int) -> None:
        match = len(self.messages)
        self.put(itch.TRADE, side="B", stock="AAA", price=price, shares=shares, match_number=match)

    def at(self, seconds: float) -> None:
        self.time = OPEN + int(seconds * SECOND)

    def tape(self) -> Tape:
        return from_bytes(self.messages)


class Session:
    """A venue with us logged in; answers as dictionaries with the time of their arrival."""

    def __init__(self, market: Market, config: VenueConfig | None = None) -> None:
        self.venue, self.seen = Venue(market.tape(), config or VenueConfig(heartbeat_ns=0)), 0
        self.venue.submit(OPEN - SECOND, soupbintcp.login_request("me", "secret"))
        self.venue.advance(OPEN - 1)
        self.seen = self.venue.answer_count

    def send(self, seconds: float, *packets: bytes) -> None:
        for packet in packets:
            self.venue.submit(OPEN + int(seconds * SECOND), packet)

    def until(self, seconds: float) -> list[Answer]:
        """New answers up to a time, sequenced ones taken apart."""
        self.venue.advance(OPEN + int(seconds * SECOND))
        found = [
            {"at": at, **ouch42.OUTBOUND.unpack(p.payload)} if p.code == "S" else {"at": at, "type": f"soup {p.code}"}
            for at, p in self.venue.answers(self.seen)
        ]
        self.seen = self.venue.answer_count
        return found

    def ask(self, seconds: float, *packets: bytes) -> list[Answer]:
        """What comes of packets at once."""
        self.send(seconds, *packets)
        return self.until(seconds + 0.001)


def short(answers: list[Answer]) -> list[tuple[Any, ...]]:
    """Type, token, and what matters of each type."""
    names = {
        "A": ("shares", "price", "order_state"),
        "U": ("shares", "price", "previous_order_token"),
        "E": ("executed_shares", "execution_price", "liquidity_flag"),
        "C": ("decrement_shares", "reason"),
        "J": ("reason",),
        "M": ("side", "shares"),
    }
    return [
        (a["type"], a.get("order_token", a.get("replacement_order_token")), *(a[n] for n in names[a["type"]]))
        for a in answers
    ]


@pytest.fixture
def market() -> Market:
    return Market()


def test_an_order_is_accepted_as_it_came_and_on_time(market: Market) -> None:
    config = VenueConfig(order_latency_ns=3_000, answer_latency_ns=4_000, heartbeat_ns=0)
    (answer,) = Session(market, config).ask(1, enter("HP000000000001", "T", 70, "BBB", 50_0100, 99_999))
    assert answer["at"] == OPEN + SECOND + 7_000
    assert answer["timestamp"] == OPEN + SECOND + 3_000
    expected = {
        "type": "A", "order_token": "HP000000000001", "side": "T", "shares": 70, "stock": "BBB", "price": 50_0100,
        "time_in_force": 99_999, "firm": "TEST", "display": "Y", "capacity": "P", "intermarket_sweep": "N",
        "minimum_quantity": 0, "cross_type": "N", "order_state": "L", "order_reference": market.reference + 1,
    }  # fmt: skip
    assert {name: answer[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (enter("t", "B", 100, "NOPE", BID), "S"),
        (enter("t", "B", 0, "AAA", BID), "Z"),
        (enter("t", "B", 1_000_000, "AAA", BID), "Z"),
        (enter("t", "B", 100, "AAA", 0), "X"),
        (enter("t", "B", 100, "AAA", BID + 50), "X"),
        (enter("t", "B", 100, "AAA", 2_000_000_000), "X"),
        (enter("t", "B", 100, "AAA", BID, display="x"), "D"),
        (enter("t", "B", 100, "AAA", BID, minimum_quantity=10), "N"),
        (enter("t", "B", 100, "AAA", BID, 0, minimum_quantity=101), "N"),
        (enter("t", "Q", 100, "AAA", BID), "O"),
        (enter("t", "B", 100, "AAA", BID, 100_000), "O"),
    ],
)
def test_a_wrong_order_is_rejected_with_its_reason(market: Market, packet: bytes, reason: str) -> None:
    session = Session(market)
    assert short(session.ask(1, packet)) == [("J", "t", reason)]
    assert session.venue.counters["rejected"] == 1
    # The token was not used up.
    assert short(session.ask(2, enter("t", "B", 999_999, "AAA", 9_999))) == [("A", "t", 999_999, 9_999, "L")]


def test_orders_are_taken_while_the_market_is_open_and_the_stock_trades(market: Market) -> None:
    market.at(2)
    market.put(itch.TRADING_ACTION, stock="AAA", trading_state="H")
    market.at(4)
    market.put(itch.TRADING_ACTION, stock="AAA", trading_state="T")
    market.at(6)
    market.put(itch.SYSTEM_EVENT, stock_locate=0, event_code="M")
    session = Session(market)
    assert short(session.ask(-0.5, enter("a", "B", 1, "AAA", BID - 200))) == [("J", "a", "C")]
    assert short(session.ask(1, enter("b", "B", 1, "AAA", BID - 200))) == [("A", "b", 1, BID - 200, "L")]
    assert short(session.ask(3, enter("c", "B", 1, "AAA", BID))) == [("J", "c", "H")]
    assert short(session.ask(3.5, enter("d", "B", 1, "BBB", BID))) == [("A", "d", 1, BID, "L")]
    assert short(session.ask(5, enter("e", "B", 1, "AAA", BID - 200, 99_999))) == [("A", "e", 1, BID - 200, "L")]
    # At the end of market hours those that were good for them go.
    assert sorted(short(session.until(6.5))) == [("C", "b", 1, "T"), ("C", "d", 1, "T")]
    assert short(session.ask(7, enter("f", "B", 1, "AAA", BID))) == [("J", "f", "C")]
    assert session.venue.orders["alive"].tolist() == [False, False, True]


def test_a_token_is_used_once(market: Market) -> None:
    session = Session(market)
    session.ask(1, enter("t", "B", 100, "AAA", BID - 300))
    assert session.ask(2, enter("t", "S", 100, "AAA", ASK)) == []
    session.ask(3, cancel("t"))
    assert session.ask(4, enter("t", "B", 100, "AAA", BID)) == []
    assert session.venue.counters["ignored"] == 2


def test_a_marketable_order_takes_price_and_time_priority_and_rests_with_the_rest(market: Market) -> None:
    session = Session(market)
    assert short(session.ask(1, enter("t", "B", 600, "AAA", ASK + 100))) == [
        ("A", "t", 600, ASK + 100, "L"),
        ("E", "t", 100, ASK, "R"),
        ("E", "t", 50, ASK, "R"),
        ("E", "t", 400, ASK + 100, "R"),
    ]
    fills = session.venue.fills
    assert fills["against"].tolist() == [2, 3, 4]  # the tape's third, fourth and fifth order
    assert fills["message"].tolist() == [-1] * 3
    assert len(set(fills["match_number"].tolist())) == 3
    (order,) = session.venue.orders
    assert (order["remaining"], order["executed"], order["ahead"], bool(order["alive"])) == (50, 550, 0, True)


def test_displayed_shares_are_taken_once(market: Market) -> None:
    session = Session(market)
    assert ("E", "a", 60, ASK, "R") in short(session.ask(1, enter("a", "B", 60, "AAA", ASK, 0)))
    assert short(session.ask(2, enter("b", "B", 200, "AAA", ASK, 0))) == [
        ("A", "b", 200, ASK, "L"),
        ("E", "b", 40, ASK, "R"),
        ("E", "b", 50, ASK, "R"),
        ("C", "b", 110, "I"),
    ]
    assert short(session.ask(3, enter("c", "B", 10, "AAA", ASK, 0))) == [("A", "c", 10, ASK, "L"), ("C", "c", 10, "I")]


def test_what_replaces_a_taken_order_is_taken_too(market: Market) -> None:
    market.at(2)
    fields = {"original_order_reference": market.ask[0], "new_order_reference": 99, "shares": 130, "price": ASK}
    market.put(itch.ORDER_REPLACE, **fields)
    session = Session(market)
    session.ask(1, enter("a", "B", 100, "AAA", ASK, 0))
    found = short(session.ask(3, enter("b", "B", 500, "AAA", ASK, 0)))
    assert found[1:] == [("E", "b", 50, ASK, "R"), ("E", "b", 30, ASK, "R"), ("C", "b", 420, "I")]


def test_immediate_or_cancel_never_rests(market: Market) -> None:
    session = Session(market)
    assert short(session.ask(1, enter("t", "S", 100, "AAA", ASK, 0))) == [("A", "t", 100, ASK, "L"), ("C", "t", 100, "I")]
    assert not session.venue.orders["alive"].any()


def test_a_minimum_quantity_is_all_or_nothing(market: Market) -> None:
    session = Session(market)
    assert short(session.ask(1, enter("a", "B", 300, "AAA", ASK, 0, minimum_quantity=151))) == [
        ("A", "a", 300, ASK, "L"),
        ("C", "a", 300, "I"),
    ]
    assert short(session.ask(2, enter("b", "B", 300, "AAA", ASK, 0, minimum_quantity=150)))[1:] == [
        ("E", "b", 100, ASK, "R"),
        ("E", "b", 50, ASK, "R"),
        ("C", "b", 150, "I"),
    ]


def test_a_resting_order_waits_for_what_is_ahead_and_is_then_filled(market: Market) -> None:
    market.at(2)
    behind = market.add("B", 500, BID)  # after ours
    market.at(3)
    market.execute(market.bid[0], 250)  # 300 were ahead
    market.put(itch.ORDER_CANCEL, order_reference=market.bid[0], cancelled_shares=20)
    market.at(4)
    market.execute(market.bid[0], 30)
    market.at(5)
    market.execute(behind, 60)
    market.at(6)
    market.execute(behind, 100)
    session = Session(market)
    session.ask(1, enter("t", "B", 100, "AAA", BID))
    assert session.venue.orders["ahead"].tolist() == [300]
    session.until(2.5)
    assert session.venue.orders["ahead"].tolist() == [300]  # who comes later stands behind
    assert session.until(3.5) == []
    assert session.venue.orders["ahead"].tolist() == [30]
    assert session.until(4.5) == []
    assert session.venue.orders["ahead"].tolist() == [0]
    (partial,) = session.until(5.5)
    assert short([partial]) == [("E", "t", 60, BID, "A")]
    assert partial["at"] - 10_000 == partial["timestamp"] == OPEN + 5 * SECOND + 1_000_000
    assert short(session.until(6.5)) == [("E", "t", 40, BID, "A")]


def test_an_execution_behind_us_does_not_reach_us_while_others_are_ahead(market: Market) -> None:
    market.at(2)
    behind = market.add("B", 500, BID)
    market.at(3)
    market.execute(behind, 300)  # the 300 ahead of us would have had it
    market.at(4)
    market.execute(behind, 310)
    session = Session(market)
    session.ask(1, enter("t", "B", 100, "AAA", BID))
    assert session.until(3.5) == []
    assert short(session.until(4.5)) == []  # only 200 are left of it


def test_a_trade_through_our_price_fills_us_at_our_price(market: Market) -> None:
    market.at(2)
    market.execute(market.bid[0], 50)
    market.at(3)
    market.trade(BID + 50, 30)
    session = Session(market)
    session.ask(1, enter("b", "B", 100, "AAA", BID + 100), enter("s", "S", 100, "AAA", ASK + 900))
    assert short(session.until(2.5)) == [("E", "b", 50, BID + 100, "A")]
    assert short(session.until(3.5)) == [("E", "b", 30, BID + 100, "A")]
    assert session.venue.fills["against"].tolist() == [0, -1]


def test_a_real_order_that_crosses_ours_trades_with_it_at_our_price(market: Market) -> None:
    market.at(2)
    crossing = market.add("S", 70, BID)
    session = Session(market)
    session.ask(1, enter("low", "B", 50, "AAA", BID), enter("high", "B", 40, "AAA", BID + 100))
    # 300 real shares are ahead of the lower one: they would have had the rest.
    assert short(session.until(3)) == [("E", "high", 40, BID + 100, "A")]
    assert session.venue.fills["against"].tolist() == [crossing - 1]
    # 40 of its 70 shares are gone for us.
    found = short(session.ask(4, enter("late", "B", 100, "AAA", BID, 0)))
    assert found[1:] == [("E", "late", 30, BID, "R"), ("C", "late", 70, "I")]


def test_better_prices_of_ours_go_first_then_older_ones(market: Market) -> None:
    market.at(2)
    market.execute(market.bid[0], 120)
    session = Session(market)
    session.ask(
        1,
        enter("old", "B", 50, "AAA", BID + 100),
        enter("new", "B", 50, "AAA", BID + 100),
        enter("worse", "B", 50, "AAA", BID),
    )
    session.ask(1.5, cancel("old", 30))
    assert short(session.until(3)) == [("E", "old", 30, BID + 100, "A"), ("E", "new", 50, BID + 100, "A")]


def test_a_cancel_leaves_what_it_says_and_one_for_a_dead_order_is_ignored(market: Market) -> None:
    session = Session(market)
    session.ask(1, enter("t", "B", 100, "AAA", BID - 300))
    assert short(session.ask(2, cancel("t", 40))) == [("C", "t", 60, "U")]
    assert session.ask(3, cancel("t", 40)) == []
    assert short(session.ask(4, cancel("t"))) == [("C", "t", 40, "U")]
    assert session.ask(5, cancel("t"), cancel("nobody")) == []
    assert session.venue.counters["ignored"] == 3


def test_a_replacement_counts_the_shares_of_its_whole_chain(market: Market) -> None:
    market.at(2)
    market.execute(market.bid[0], 30)
    session = Session(market)
    session.ask(1, enter("a", "B", 100, "AAA", BID + 100))
    assert short(session.until(3)) == [("E", "a", 30, BID + 100, "A")]
    (answer,) = session.ask(4, replace("a", "b", 90, BID))
    assert short([answer]) == [("U", "b", 60, BID, "a")]
    assert (answer["stock"], answer["side"], answer["order_state"], answer["firm"]) == ("AAA", "B", "L", "TEST")
    orders = session.venue.orders
    assert orders["remaining"].tolist() == [70, 60]
    assert orders["executed"].tolist() == [30, 30]
    assert orders["ahead"].tolist()[1] == 270
    assert orders["alive"].tolist() == [False, True]
    # Marketable: it takes at once.
    assert short(session.ask(5, replace("b", "c", 50, ASK))) == [("U", "c", 20, ASK, "b"), ("E", "c", 20, ASK, "R")]
    assert session.ask(6, replace("c", "d", 500, ASK)) == []  # filled, so not there any more


def test_a_replacement_that_cannot_be_ends_the_old_order(market: Market) -> None:
    """OUCH 4.2: the existing order is cancelled, the replacement's token stays unused."""
    market.at(2)
    market.execute(market.bid[0], 30)
    session = Session(market)
    session.ask(1, enter("a", "B", 100, "AAA", BID + 100), enter("b", "B", 100, "AAA", BID - 500))
    session.until(3)
    assert short(session.ask(4, replace("a", "x", 30, BID))) == [("C", "a", 70, "U")]
    assert short(session.ask(5, replace("b", "x", 100, BID + 1))) == [("C", "b", 100, "U")]
    assert short(session.ask(6, enter("x", "B", 1, "AAA", BID - 500)))[0][:2] == ("A", "x")
    # A token that was used, or an order that is not there: ignored.
    assert session.ask(7, replace("x", "a", 100, BID), replace("a", "y", 100, BID)) == []


def test_seconds_run_out(market: Market) -> None:
    session = Session(market)
    session.ask(1, enter("a", "B", 100, "AAA", BID - 500, 2), enter("b", "B", 100, "AAA", BID - 500, 1))
    found = session.until(10)
    assert short(found) == [("C", "b", 100, "T"), ("C", "a", 100, "T")]
    assert [a["timestamp"] - OPEN for a in found] == [2 * SECOND + 10_000, 3 * SECOND + 10_000]


def test_a_sale_can_be_marked_otherwise(market: Market) -> None:
    session = Session(market)
    session.ask(1, enter("t", "S", 100, "AAA", ASK + 500), enter("b", "B", 100, "AAA", BID - 500))
    assert short(session.ask(2, modify("t", "T", 60))) == [("M", "t", "T", 60)]
    assert session.ask(3, modify("b", "S", 60), modify("t", "B", 50), modify("none", "S", 1)) == []
    assert session.venue.orders["remaining"].tolist() == [60, 100]


def test_login_wants_name_password_and_session(market: Market) -> None:
    venue = Venue(market.tape(), VenueConfig(username="Trader", password="pass", session="S1", heartbeat_ns=0))
    requests = [
        soupbintcp.login_request("other", "pass"),
        soupbintcp.login_request("trader", "wrong"),
        soupbintcp.login_request("TRADER", "PASS", "S2"),
        soupbintcp.login_request("trader", "pass", "S1", 2),
        enter("t", "B", 100, "AAA", BID),
        soupbintcp.login_request("trader", "pass", "S1"),
    ]
    for i, packet in enumerate(requests):
        venue.submit(OPEN + SECOND + i, packet)
    venue.advance(OPEN + 2 * SECOND)
    packets = [packet for _, packet in venue.answers()]
    assert [p.code + p.payload.decode()[:1].strip() for p in packets] == ["JA", "JA", "JS", "JS", "A"]
    accepted = soupbintcp.parse_login_accepted(packets[-1])
    assert (accepted.session, accepted.sequence_number) == ("S1", 1)
    assert venue.counters["ignored"] == 1  # the order that came before the login


def test_a_second_login_gets_what_it_missed(market: Market) -> None:
    session = Session(market)
    sent = session.ask(1, *(enter(f"t{i}", "B", 1, "AAA", BID - 300) for i in range(5)))
    session.send(2, soupbintcp.logout_request())
    session.send(2.1, enter("lost", "B", 1, "AAA", BID))
    session.send(3, soupbintcp.login_request("me", "", "", 4))
    again = session.until(4)
    assert again[0]["type"] == "soup A"
    login = soupbintcp.parse_login_accepted(session.venue.answers()[-3][1])
    assert login.sequence_number == 4
    assert [{**a, "at": 0} for a in again[1:]] == [{**a, "at": 0} for a in sent[3:]]
    # A new message goes on after them.
    session.ask(5, enter("next", "B", 1, "AAA", BID - 300))
    session.send(6, soupbintcp.login_request("me", "", "", 6))
    assert [a.get("order_token") for a in session.until(7)] == [None, "next"]


def test_silence_is_filled_with_heartbeats() -> None:
    session = Session(Market(), VenueConfig())
    session.ask(0.5, enter("t", "B", 1, "AAA", BID - 300))
    beats = [(a["at"], a["type"]) for a in session.until(4)]
    assert beats == [(OPEN + (2 * i + 1) * SECOND // 2 + 20_000, "soup H") for i in (1, 2, 3)]


def test_what_is_malformed_is_counted_and_has_no_effect(market: Market) -> None:
    session = Session(market)
    packets = [
        b"\0\1S",  # a server's packet
        soupbintcp.unsequenced(b""),
        soupbintcp.unsequenced(b"Z"),
        soupbintcp.unsequenced(enter("t", "B", 1, "AAA", BID)[3:-1]),
        b"\0\5U12",
    ]
    assert session.ask(1, *packets) == []
    assert session.venue.counters["malformed"] == len(packets)
    assert session.ask(2, soupbintcp.client_heartbeat(), soupbintcp.debug("hello")) == []


@pytest.mark.parametrize(
    "wrong",
    [{"order_latency_ns": -1}, {"order_latency_ns": 0, "answer_latency_ns": 0}, {"username": "sevenup"}],
)
def test_impossible_venues_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"latency|username"):
        VenueConfig(**wrong)
