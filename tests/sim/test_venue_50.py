"""The venue in OUCH 5.0: it does what it does in 4.2, and says so in the other words; and what only 5.0 has."""

from typing import Any

import numpy as np
import pytest

from sim.venue import Venue, VenueConfig
from tests import dialect
from tests.sim.test_venue import ASK, BID, OPEN, SECOND, Market
from wire import ouch42, ouch50, soupbintcp
from wire.appendage import pack, unpack
from wire.records import OuchVersion, token

SPOKEN = VenueConfig(heartbeat_ns=0, ouch=OuchVersion.V5_0)
REASONS = {"C": 2, "D": 3, "H": 7, "N": 13, "O": 15, "Z": 19, "S": 23, "X": 29}


def venue(config: VenueConfig, market: Market) -> Venue:
    made = Venue(market.tape(), config)
    made.submit(OPEN - SECOND, soupbintcp.login_request("me", "secret"))
    return made


def enter(number: int, side: str = "B", quantity: int = 10, price: int = BID - 300, **values: Any) -> bytes:
    options = {name: values.pop(name) for name in ("expire_time", "minimum_quantity", "firm") if name in values}
    fields = {
        "user_reference_number": number,
        "side": side,
        "quantity": quantity,
        "symbol": "AAA",
        "price": price,
        "time_in_force": "0",
        "display": "Y",
        "capacity": "P",
        "intermarket_sweep_eligibility": "N",
        "cross_type": "N",
        "client_order_id": token("HP", number),
    }
    return pack(ouch50.ENTER_ORDER, fields | values, {"firm": "FIRM"} | options)


def replace(old: int, number: int, quantity: int, price: int, letter: str = "0", **options: int) -> bytes:
    fields = {
        "original_user_reference_number": old,
        "user_reference_number": number,
        "quantity": quantity,
        "price": price,
        "time_in_force": letter,
        "display": "Y",
        "intermarket_sweep_eligibility": "N",
        "client_order_id": token("HP", number),
    }
    return pack(ouch50.REPLACE_ORDER_REQUEST, fields, options)


def cancel(number: int, quantity: int = 0) -> bytes:
    return ouch50.CANCEL_ORDER_REQUEST.pack(user_reference_number=number, quantity=quantity)


def answers(of: Venue) -> list[tuple[int, bytes]]:
    return [(at, packet.payload) for at, packet in of.answers(1) if packet.code == "S"]


def after(*messages: bytes) -> tuple[Venue, list[dict[str, Any]]]:
    """A venue that was sent these, and its answers, field by field."""
    made = venue(SPOKEN, Market())
    for nth, message in enumerate(messages):
        made.submit(OPEN + SECOND + nth, soupbintcp.unsequenced(message))
    made.advance(OPEN + 2 * SECOND)
    found = []
    for _, message in answers(made):
        _, fields, options = unpack(ouch50.OUTBOUND, message)
        found.append(fields | {"options": options})
    return made, found


def conversation(rng: np.random.Generator) -> list[bytes]:
    """Orders, good and bad, and what becomes of them."""
    number, said = 0, []
    for _ in range(400):
        old = int(rng.integers(1, number + 2))
        letter = str(rng.choice(["0", "3", "5", "6"]))
        expiry = {"expire_time": int(rng.integers(1, 4))} if letter == "6" else {}
        price = int(rng.choice([BID - 100, BID, ASK, ASK + 100, ASK + 1, 0]))
        quantity = int(rng.choice([0, 1, 20, 300, 1_000_000], p=[0.05, 0.25, 0.35, 0.3, 0.05]))
        kind = rng.random()
        if kind < 0.5:
            number += 1 << 12
            more: dict[str, Any] = {"symbol": str(rng.choice(["AAA", "AAA", "AAA", "BBB", "ZZZ"]))}
            if letter == "3" and rng.random() < 0.5:
                more["minimum_quantity"] = int(rng.integers(1, 400))
            side = str(rng.choice(list("BST")))
            said.append(enter(number, side, quantity, price, time_in_force=letter, **more, **expiry))
        elif kind < 0.75:
            number += 1 << 12
            said.append(replace(_near(rng, old), number, quantity, price, letter, **expiry))
        else:
            said.append(cancel(_near(rng, old), int(rng.choice([0, 5]))))
    return said


def _near(rng: np.random.Generator, old: int) -> int:
    return max(1, old >> 12) << 12


def told_in_50(message: bytes) -> bytes:
    """An answer of 4.2 as the venue has it in 5.0: with time in force, firm and reason."""
    record = ouch42.OUTBOUND.of(message)
    told = record.unpack(message)
    if record in (ouch42.ACCEPTED, ouch42.REPLACED):
        record_50, own, _ = unpack(ouch50.OUTBOUND, dialect.from_exchange(message))
        letters = {0: "3", 99_998: "0", 99_999: "5"}
        own["time_in_force"] = letters.get(told["time_in_force"], "6")
        own["intermarket_sweep_eligibility"] = told["intermarket_sweep"]
        return pack(record_50, own, {"firm": told["firm"]})
    said = dialect.from_exchange(message)
    if record is ouch42.REJECTED:
        return ouch50.REJECTED.pack(ouch50.REJECTED.unpack(said) | {"reason": REASONS[told["reason"]]})
    return said


@pytest.mark.parametrize("seed", range(8))
def test_both_protocols_get_the_same_answers(seed: int, rng: np.random.Generator) -> None:
    market = Market()
    for _ in range(20):
        market.at(1 + rng.random() * 6)
        market.execute(market.add(str(rng.choice(["B", "S"])), 100, BID + 100), 60)
    market.messages.sort(key=lambda each: each[5:11])
    new, old = venue(SPOKEN, market), venue(VenueConfig(heartbeat_ns=0), market)
    for nth, message in enumerate(conversation(np.random.default_rng([seed, 0x50]))):
        stamp = OPEN + SECOND + nth * 50_000_000
        fields = dialect.from_device(message)
        record = ouch42.INBOUND.by_code[ord(fields["type"])]
        new.submit(stamp, soupbintcp.unsequenced(message))
        old.submit(stamp, soupbintcp.unsequenced(record.pack(fields)))
    for each in (new, old):
        each.advance(OPEN + 20 * SECOND)
    theirs, ours = answers(old), answers(new)
    assert [at for at, _ in ours] == [at for at, _ in theirs]
    assert [said for _, said in ours] == [told_in_50(said) for _, said in theirs]
    assert (new.fills == old.fills).all()
    assert new.counters == old.counters
    assert list(new.orders["token"]) == list(old.orders["token"])
    counters = new.counters
    assert min(counters[name] for name in ("accepted", "replaced", "cancelled", "rejected", "ignored", "fills")) > 0


def test_user_reference_numbers_must_rise_and_are_used_up_by_what_is_refused() -> None:
    made, found = after(enter(5), enter(5), enter(4), enter(6, quantity=0), enter(6), replace(5, 6, 20, BID), enter(7))
    assert [(each["type"], each["user_reference_number"]) for each in found] == [("A", 5), ("J", 6), ("A", 7)]
    assert made.counters["ignored"] == 4


def test_an_account_query_is_told_the_next_number() -> None:
    _, found = after(b"Q", enter(77), b"Q")
    assert [each["next_user_reference_number"] for each in found if each["type"] == "Q"] == [1, 78]


def test_a_time_is_needed_where_it_is_said() -> None:
    times = [enter(number, time_in_force=letter) for number, letter in ((1, "6"), (2, "X"), (4, "E"))]
    _, found = after(times[0], times[1], enter(3, price=1 << 32), times[2])
    assert [(each["type"], each.get("reason")) for each in found] == [("J", 15), ("J", 15), ("J", 29), ("A", None)]


@pytest.mark.parametrize(
    "message",
    [
        enter(1)[:-1],
        enter(1) + b"\0",
        enter(1)[:-1] + b"\xff",
        enter(1)[:47] + b"\x05\x63ABCD",
        cancel(1) + b"\0",
        ouch42.CANCEL_ORDER.pack(order_token="HP000000000001"),
        b"",
    ],
    ids=["cut", "too long", "firm that is no text", "option that does not exist", "cancel too long", "of 4.2", "empty"],
)
def test_what_is_malformed_is_counted(message: bytes) -> None:
    made, found = after(message)
    assert (made.counters["malformed"], found) == (1, [])
