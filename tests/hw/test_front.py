"""Frames to book in gateware against the engine: events, counters, snapshots."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from engine.path import Engine
from hw.arbiter.arbiter import COUNTERS as ARBITER_COUNTERS
from hw.book.book import COUNTERS
from hw.parameters import Parameters
from tests.hw.frames import frame, packet
from tests.hw.front import FrontModel
from tests.shared_data import shared_data
from wire import itch
from wire.binaryfile import read
from wire.counters import NUMBER
from wire.records import INPUT, EventType, Opcode, Port, TrustCause, command

pytestmark = [pytest.mark.gateware, pytest.mark.parity]

PARAMETERS = Parameters(symbols=4, levels=1024, orders=2048)
Inputs = list[tuple[int, int, bytes]]


def engine_answer(inputs: Inputs, engine: Engine) -> tuple[np.ndarray, np.ndarray]:
    """Events and counters of the engine."""
    table = np.zeros(len(inputs), INPUT)
    at = 0
    for row, (port, stamp, content) in zip(table, inputs, strict=True):
        row["timestamp"], row["offset"], row["length"], row["port"] = stamp, at, len(content), port
        at += len(content)
    content = b"".join(content for _, _, content in inputs)
    events = engine.process(table, np.frombuffer(content + bytes(8), np.uint8)[: len(content)]).events
    return events, engine.counters


def compare(inputs: Inputs) -> tuple[np.ndarray, dict[str, int]]:
    """Runs the inputs through both; they must agree. Events and counters."""
    front = FrontModel(PARAMETERS)
    engine = Engine(PARAMETERS.symbols, PARAMETERS.levels, PARAMETERS.orders)
    events, counters = engine_answer(inputs, engine)
    place = 0

    def check(number: int) -> None:
        nonlocal place
        for event in front.events():
            expected = {name: int(events[place][name]) for name in event}
            assert event == expected, f"event {place}, input {number}"
            place += 1

    for number, (port, stamp, content) in enumerate(inputs):
        front.take(port, stamp, content)
        check(number)
    front.settle()
    check(len(inputs))
    assert place == len(events)
    found = front.counters()
    assert found == {name: int(counters[NUMBER[name]]) for name in found}
    return events, found


def set_symbol(symbol: int, locate: int, base: int, tick: int = 100, **fields: int) -> bytes:
    reciprocal = (1 << 32) // tick + 1 if tick > 1 else 0
    given = {"span": PARAMETERS.levels * tick, "tick_reciprocal": reciprocal, "enabled": 1}
    return command(
        Opcode.SET_SYMBOL,
        symbol,
        stock_locate=locate,
        base_price=base,
        tick=tick,
        trading_state="T",
        **(given | fields),
    )


def set_feed(**fields: object) -> bytes:
    return command(Opcode.SET_FEED, **({"start_sequence": 1, "hold_ns": 5_000, "session": "20260731AB"} | fields))


SYMBOLS: Inputs = [
    (Port.COMMAND, 2, set_symbol(symbol, locate, 100_000)) for symbol, locate in enumerate((11, 12, 16383))
]


@pytest.mark.oracle
def test_a_recorded_day_gives_the_same_books():
    messages = list(read(shared_data("itch/AMZN_2012-06-21_full_day_level5.itch.gz")))[:20_000]
    inputs: Inputs = [(Port.COMMAND, 1, set_feed()), (Port.COMMAND, 2, set_symbol(1, 1, 2_190_000))]
    for n in range(0, len(messages), 30):
        inputs.append((Port.FEED_A, 1000 + n, frame(packet(n + 1, messages[n : n + 30]))))
        if n % 3000 == 0:
            inputs.append((Port.COMMAND, 1001 + n, command(Opcode.SNAPSHOT, 1, tag=n, parts=1, depth=255)))
    events, counters = compare(inputs)
    assert len(events) > 5000
    assert counters["messages"] == len(messages)


@pytest.mark.oracle
def test_genuine_pieces_of_many_symbols_give_the_same_books():
    """References to orders that were added earlier, nearly all symbols not mapped, every type that there
    is."""
    inputs: Inputs = [(Port.COMMAND, 1, set_feed(strict=1))]
    pieces = ["12302019_SNIPPET_open_1000msgs.NASDAQ_ITCH50", "12302019_first_1000msgs.NASDAQ_ITCH50"]
    messages = [message for piece in pieces for message in read(shared_data(f"itch/{piece}"))]
    busiest = Counter(int.from_bytes(message[1:3], "big") for message in messages if message[:1] in b"AFDU")
    for symbol, (locate, _) in enumerate(busiest.most_common(PARAMETERS.symbols)):
        inputs.append((Port.COMMAND, 2, set_symbol(symbol, locate, 100_000, 1000)))
    for n in range(0, len(messages), 25):
        inputs.append((Port.FEED_B, 1000 + n, frame(packet(n + 1, messages[n : n + 25]))))
    compare(inputs)


class Flow:
    """Random messages on a few orders, prices and symbols, so that everything that can go wrong does."""

    def __init__(self, seed: random.Random):
        self.seed = seed
        self.references: list[int] = []
        self.locates = [11, 12, 16383, 40, 16384, 0]

    def reference(self, fresh: float) -> int:
        seed = self.seed
        if not self.references or seed.random() < fresh:
            number = seed.randrange(1 << seed.choice((4, 20, 64)))
            self.references = [*self.references[-60:], number]
            return number
        return seed.choice(self.references)

    def message(self) -> bytes:
        seed = self.seed
        head = {"stock_locate": seed.choice((*self.locates, 11, 11, 12, 12)), "timestamp": seed.randrange(1 << 40)}
        code = seed.choice("AAAAAAFFEEECCXXDDDDUUUUUUPPHYhSWRQI")
        ticks = seed.choice((seed.randrange(8), seed.randrange(-300, 1300)))
        price = 100_000 + seed.choice((100, 100, 100, 50, 1)) * ticks
        if head["stock_locate"] == 16383:  # this book has no order beyond the ladder, so trust can come back
            price = 100_000 + 100 * seed.randrange(8)
        quantity = seed.choice((0, 1, 50, 100, 100, 200, 300, 0xFFFFFFFF))
        side = seed.choice("BBBBBSSSSSX")
        match code:
            case "A" | "F":
                fields = {"order_reference": self.reference(0.8), "side": side, "shares": quantity, "price": price}
            case "E" | "C":
                fields = {"order_reference": self.reference(0.02), "executed_shares": quantity}
                fields["match_number"] = seed.randrange(1 << 64)
                if code == "C":
                    fields |= {"printable": seed.choice("YN "), "execution_price": price}
            case "X":
                fields = {"order_reference": self.reference(0.02), "cancelled_shares": quantity}
            case "D":
                fields = {"order_reference": self.reference(0.02)}
            case "U":
                original = self.reference(0.02)
                fields = {
                    "original_order_reference": original,
                    "new_order_reference": self.reference(0.9) if seed.random() < 0.9 else original,
                    "shares": quantity,
                    "price": price,
                }
            case "P":
                fields = {"side": side, "shares": quantity, "price": price, "match_number": seed.randrange(1 << 64)}
            case "H":
                fields = {"trading_state": seed.choice("HPQT")}
            case "Y":
                fields = {"reg_sho_action": seed.choice("012")}
            case "h":
                fields = {"market_code": seed.choice("QB"), "operational_halt_action": seed.choice("HTX")}
            case "S":
                fields = {"event_code": seed.choice("OSQMEC")}
            case _:
                fields = {}
        message = itch.ITCH.by_code[ord(code)].pack(**head, **fields)
        if seed.random() < 0.02:
            message = seed.choice((message[:-1], message + b"x", b"z" + message[1:], message[:8], message * 3))
        if seed.random() < 0.001:  # so short that the packet is malformed
            message = message[: seed.randrange(8)]
        return message


def random_command(seed: random.Random) -> bytes:
    symbol = seed.choice((0, 1, 2, 3, 4, 0xFFFF))
    match seed.randrange(8):
        case 0:
            tick = seed.choice((100, 100, 50, 0, 1, 2, 2047, 2048, 0x10000, 65536 + 100))
            fields = seed.choice(
                (
                    {},
                    {},
                    {"tick_reciprocal": seed.choice((0, 1, (1 << 32) // max(tick, 2), (1 << 32) // max(tick, 2) + 2))},
                    {"span": (PARAMETERS.levels * tick + 1) & 0xFFFFFFFF},
                    {"enabled": seed.randrange(4)},
                )
            )
            span = (PARAMETERS.levels * tick) & 0xFFFFFFFF
            base = seed.choice((100_000, 0, 0xFFFFFFFF - span, 0x100000000 - span)) & 0xFFFFFFFF
            given = {"span": span, "tick_reciprocal": (1 << 32) // tick + 1 if tick > 1 else 0} | fields
            return set_symbol(symbol, seed.choice((11, 12, 40, 16383, 16384, 0, 41)), base, tick, **given)
        case 1 | 2:
            return command(Opcode.TRUST, symbol, tag=seed.randrange(1 << 32))
        case _:
            return command(Opcode.SNAPSHOT, symbol, parts=1, depth=seed.choice((0, 1, 3, 255)))


@pytest.mark.fuzz
@pytest.mark.parametrize("number", range(4))
def test_hostile_messages_give_the_same_books(number):
    seed = random.Random(number)
    flow = Flow(seed)
    inputs: Inputs = [(Port.COMMAND, 1, set_feed(strict=number & 1)), *SYMBOLS]
    sequence, stamp = 1, 10
    for _ in range(500):
        messages = [flow.message() for _ in range(seed.randrange(1, 12))]
        inputs.append((Port.FEED_A, stamp, frame(packet(sequence, messages))))
        sequence += len(messages)
        stamp += seed.randrange(1000)
        if seed.random() < 0.4:
            inputs.append((Port.COMMAND, stamp, random_command(seed)))
    events, counters = compare(inputs)
    causes = Counter(zip(events["type"], events["info"], strict=True))
    assert causes[EventType.TRUST_REGAINED, TrustCause.HOST]
    assert causes[EventType.TRUST_LOST, TrustCause.BAD_VALUE] or causes[EventType.TRUST_LOST, TrustCause.UNKNOWN_REFERENCE]
    never = {"order_overflow", "disagreements"}
    assert min(counters[name] for name in (*COUNTERS, "itch_unknown", "itch_bad_length") if name not in never)
    assert not counters["disagreements"]


@pytest.mark.fuzz
@pytest.mark.parametrize("number", range(4))
def test_lost_late_and_double_packets_give_the_same_items(number):
    """Both feeds with different packet boundaries and faults; recovery, resume, ticks, a new start in between."""
    seed = random.Random(100 + number)
    flow = Flow(seed)
    messages = [flow.message() for _ in range(2500)]
    inputs: Inputs = [(Port.COMMAND, 1, set_feed(start_sequence=int(number != 0), hold_ns=500)), *SYMBOLS]
    sent: list[tuple[float, int, bytes]] = []
    for port in (Port.FEED_A, Port.FEED_B):
        at = 0
        while at < len(messages):
            size = seed.randrange(1, 9)
            if seed.random() > (0.1, 0.2, 0.3, 0.4)[number]:
                late = 200 * seed.random() ** 12
                sent.append((at + late, port, packet(at + 1, messages[at : at + size])))
            if seed.random() < 0.05:
                count = seed.choice((0, 0xFFFF))
                sent.append((at, port, packet(at + 1 + seed.choice((0, size)), [], count=count)))
            at += size
    sent.append((1200, Port.COMMAND, set_feed(start_sequence=seed.choice((0, 1201)), hold_ns=2000)))

    # What comes from the re-request server, and when the host gives up, follows from what the engine is waiting for.
    engine = Engine(PARAMETERS.symbols, PARAMETERS.levels, PARAMETERS.orders)
    engine_answer(inputs, engine)
    core = engine.state.core[0]

    def give(port: int, content: bytes) -> None:
        inputs.append((port, 10 + 100 * len(inputs), frame(content) if port <= Port.RECOVERY else content))
        engine_answer(inputs[-1:], engine)

    for _, port, content in sorted(sent, key=lambda each: each[0]):
        give(port, content)
        chance, expected = seed.random(), int(core["expected"])
        if chance < 0.04:
            give(Port.TICK, b"")
        elif core["recovering"] and chance < 0.5:
            at = max(0, expected - 1 - seed.randrange(3))
            give(Port.RECOVERY, packet(at + 1, messages[at : at + seed.randrange(1, 30)]))
        elif core["recovering"] and chance < 0.6:
            give(Port.COMMAND, command(Opcode.RESUME_FEED, sequence=expected + seed.randrange(-3, 30)))
    events, counters = compare(inputs)
    causes = Counter(zip(events["type"], events["info"], strict=True))
    assert counters["messages"] > 1500
    assert min(counters[name] for name in ARBITER_COUNTERS)
    assert causes[EventType.TRUST_REGAINED, TrustCause.GAP]
    assert causes[EventType.TRUST_LOST, TrustCause.RESUMED]
    assert number or causes[EventType.TRUST_LOST, TrustCause.JOINED]


def test_the_book_holds_exactly_as_many_orders_as_it_says():
    inputs: Inputs = [(Port.COMMAND, 1, set_feed()), (Port.COMMAND, 1, set_symbol(0, 11, 100_000))]
    seed = random.Random(5)
    references = [seed.randrange(1 << 30) * 64 for _ in range(PARAMETERS.orders + 20)]
    add = [
        itch.ADD_ORDER.pack(stock_locate=11, order_reference=each, side="B", shares=1, price=100_000 + each % 900 * 100)
        for each in references
    ]
    remove = [itch.ORDER_DELETE.pack(stock_locate=11, order_reference=each) for each in references]
    messages = [*add, *remove[:5], *add[-10:], *remove]
    for n in range(0, len(messages), 30):
        inputs.append((Port.FEED_A, 10 + n, frame(packet(n + 1, messages[n : n + 30]))))
    inputs.append((Port.COMMAND, 1 << 30, set_symbol(0, 12, 200_000)))
    compare(inputs)
