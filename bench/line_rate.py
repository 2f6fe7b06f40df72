"""The simulated card at the rate of a 10G line: both feeds full, nothing between two frames but what Ethernet asks for.

Twice: in packets as large as they come, and with one message each. The card quotes all its stocks. A market in which every
message changes the best price shows that nothing is lost or held up and that the books are the engine's. A market like the
real one, in bursts, with an exchange that answers between them, gives trigger to order under load.
"""

import sys
from dataclasses import dataclass, replace

import numpy as np

from bench.figures import Figure, write
from drivers import commands
from drivers.card import CardDevice
from drivers.latency import LATENCY, trigger_to_order
from drivers.registers import EVENT_ENABLE
from drivers.settings import Feed, GlobalLimits, Limits, Quoter, SymbolSetup
from drivers.software import SoftwareDevice
from sim import publisher
from sim.sources.churn import TICK, base, churn
from sim.sources.flow import FlowConfig, flow
from sim.sources.tape import Tape
from sim.twin import Mode, Twin, power_on
from wire import ouch42, soupbintcp
from wire.records import INPUT, MAX_PAYLOAD, EventType, Port

COMMAND = "make bench ONLY=line_rate"
MESSAGES = 2_000_000
STOCKS = tuple(f"HP{number:02}" for number in range(8))
SIZES = {"symbols": 16, "levels": 4096, "orders": 16384}
LEVELS, ORDERS, PER_LEVEL = 512, 4096, 16
QUOTER = Quoter(half_spread=3 << 15, size=100, decay=4, ofi_weight=1, variance_weight=1)
BETWEEN = 8 + 4 + 12
"""Bytes of preamble, check sequence and gap that a frame takes on the wire."""
NS_PER_BYTE = 0.8
START = 34_200_000_000_000
SHORTER = MAX_PAYLOAD - 40
"""Bytes of payload in the largest packets of feed B."""
PERCENTILES = {"minimum": 0, "p50": 50, "p99": 99, "maximum": 100}
BURST_MESSAGES, BURSTS = 1_000, 400
"""Of the market like the real one: messages of a burst, and how many bursts."""


@dataclass(frozen=True)
class Inputs:
    """Inputs and the bytes that they point into."""

    rows: np.ndarray
    buffer: np.ndarray

    def part(self, first: int, last: int, start: int) -> "Inputs":
        """Some of them, the first one at ``start``."""
        rows = self.rows[first:last].copy()
        rows["timestamp"] = rows["timestamp"] - rows["timestamp"][0] + start
        return Inputs(rows, self.buffer)


def paced(tape: Tape, feed: publisher.FeedConfig, port: Port, start: int, first: int, alone: bool = False) -> Inputs:
    """A tape, its first message number ``first``, as frames that leave one behind the other.

    Each message is ``alone`` in its frame, or there are as many as fit.
    """
    times = np.arange(len(tape)) if alone else np.zeros(len(tape), np.int64)
    tape = Tape(tape.buffer, tape.offsets, tape.lengths, times)
    packets = publisher.publish(tape, feed, first_sequence=first, heartbeat_ns=0, end_packets=0)
    rows = np.zeros(len(packets), INPUT)
    ends = np.cumsum((packets.lengths + BETWEEN) * NS_PER_BYTE)
    rows["timestamp"][0] = start
    rows["timestamp"][1:] = start + ends[:-1].astype(np.int64)
    rows["offset"], rows["length"], rows["port"] = packets.offsets, packets.lengths, port
    return Inputs(rows, packets.buffer)


def both(tape: Tape, start: int, first: int, alone: bool) -> Inputs:
    """Both feeds; B cuts its packets elsewhere and comes half a microsecond later."""
    a = paced(tape, publisher.FEED_A, Port.FEED_A, start, first, alone)
    b = paced(tape, replace(publisher.FEED_B, max_payload=SHORTER), Port.FEED_B, start + 500, first, alone)
    b.rows["offset"] += len(a.buffer)
    rows = np.concatenate([a.rows, b.rows])
    return Inputs(rows[np.argsort(rows["timestamp"], kind="stable")], np.concatenate([a.buffer, b.buffer]))


def setup(bases: list[int], quoter: Quoter) -> list[bytes]:
    """What the host says before the day begins, with the base price of every stock's ladder."""
    limits = Limits(
        max_quantity=1000,
        max_position=10**6,
        max_notional=10**12,
        loss_limit=10**15,
        collar=10**6,
        locate_quantity=10**6,
        max_open_orders=8,
    )
    said = [
        commands.set_feed(Feed(start_sequence=1)),
        commands.set_global(GlobalLimits(max_gross=10**15, credit=10**15, loss_limit=10**15, token_prefix="HP")),
    ]
    for number, stock in enumerate(STOCKS):
        listing = SymbolSetup(stock=stock, stock_locate=number + 1, base_price=bases[number], tick=TICK)
        said += [
            commands.set_symbol(number, listing, SIZES["levels"]),
            commands.set_limits(number, limits),
            commands.set_quoter(number, quoter),
        ]
    return [*said, commands.set_trading(market_open=True), commands.login("USER", "SECRET")]


def serial(device, pieces: list[tuple[Port, bytes]], stamp: int):
    """Inputs one after the other."""
    rows = np.zeros(len(pieces), INPUT)
    rows["timestamp"], rows["port"] = stamp, [port for port, _ in pieces]
    rows["length"] = [len(piece) for _, piece in pieces]
    rows["offset"] = np.cumsum(rows["length"]) - rows["length"]
    return device.process(rows, np.frombuffer(b"".join(piece for _, piece in pieces), np.uint8))


def answers(batch) -> list[tuple[Port, bytes]]:
    """Everything that was asked for is done."""
    said = []
    for output in batch.outputs:
        at = int(output["offset"]) + soupbintcp.HEADER_LENGTH
        order = batch.payload[at : at + int(output["length"]) - soupbintcp.HEADER_LENGTH].tobytes()
        if order[:1] == b"O":
            fields = ouch42.ENTER_ORDER.unpack(order)
            names = ("order_token", "side", "shares", "stock", "price", "time_in_force", "firm")
            said.append(ouch42.ACCEPTED.pack({name: fields[name] for name in names}, order_state="L"))
        elif order[:1] == b"U":
            fields = ouch42.REPLACE_ORDER.unpack(order)
            said.append(
                ouch42.REPLACED.pack(
                    replacement_order_token=fields["replacement_order_token"],
                    previous_order_token=fields["existing_order_token"],
                    shares=fields["shares"],
                    price=fields["price"],
                    order_state="L",
                )
            )
        elif order[:1] == b"X":
            said.append(
                ouch42.CANCELED.pack(
                    order_token=ouch42.CANCEL_ORDER.unpack(order)["order_token"], decrement_shares=100, reason="U"
                )
            )
    return [(Port.SESSION, soupbintcp.sequenced(message)) for message in said]


def answer(device, batch, stamp: int) -> None:
    """The exchange answers until nothing more is asked for."""
    while len(batch.outputs):
        batch = serial(device, answers(batch), stamp)


def day(twin: Twin, tape: Tape, head: int, bases: list[int], quoter: Quoter) -> tuple[CardDevice, SoftwareDevice]:
    """A card and an engine that quote; the exchange has accepted it. ``head`` messages of the tape are through."""
    opening = paced(tape.part(0, head), publisher.FEED_A, Port.FEED_A, START, 1)
    twin.reset()
    card, software = CardDevice(twin, kind="twin"), SoftwareDevice(**SIZES)
    for device in (card, software):
        serial(device, [(Port.COMMAND, each) for each in setup(bases, quoter)], START)
        serial(device, [(Port.SESSION, soupbintcp.login_accepted("", 1))], START)
        answer(device, device.process(opening.rows, opening.buffer), int(opening.rows["timestamp"][-1]))
    twin.csr_write(EVENT_ENABLE.address, 0xFFFFFFFF & ~(1 << EventType.BOOK_TOP))
    return card, software


def whole(twin: Twin, messages: int, alone: bool, per_level: int = PER_LEVEL) -> dict:
    """A day in one go, against the engine. The quotes stay, and every message is a reason to look at them."""
    tape = churn(messages, stocks=STOCKS, levels=LEVELS, orders=ORDERS, per_level=per_level)
    head = 2 * len(STOCKS)
    card, software = day(
        twin, tape, head, [base(number) for number in range(len(STOCKS))], replace(QUOTER, min_life=(1 << 32) - 1)
    )
    rest = both(tape.part(head, len(tape)), START + 1_000, head + 1, alone)
    before, begin = card.counters(), twin.cycles
    run = twin.process(rest.rows, rest.buffer, mode=Mode.PACED)
    software.process(rest.rows, rest.buffer)
    counted = {name: value - before[name] for name, value in card.counters().items()}
    beats = -(-rest.rows["length"].astype(np.int64) // 8)
    first, last = run.input_cycles.astype(np.int64).T
    return {
        "messages": counted["messages"],
        "frames": len(rest.rows),
        "cycles": int(last.max()) - begin,
        "top_changes": counted["top_changes"],
        "evaluations": counted["evaluations"],
        "stalled": int((last - first - beats + 1).max()),
        "lost": counted["packets_dropped"] + counted["gaps"],
        "behind": twin.cycles - int(last.max()),
        "books_equal": card.snapshot(depth=20).books == software.snapshot(depth=20).books,
    }


def loaded(twin: Twin, alone: bool) -> np.ndarray:
    """Trigger to order in bursts at line rate, the exchange's answers between them: rows of `drivers.latency.LATENCY`."""
    tape = flow(FlowConfig(seed=5, messages=BURSTS * BURST_MESSAGES, stocks=STOCKS, levels=1024))
    head = int(np.flatnonzero(tape.types == ord("S"))[2]) + 1  # start of messages, of system hours, the open
    adds = tape.buffer[tape.offsets[:head][tape.types[:head] == ord("A")][:, None] + np.arange(36)]
    bases = []
    for locate in range(1, len(STOCKS) + 1):
        first = adds[adds[:, 2] == locate][0]
        bases.append(max(0, int.from_bytes(first[32:36].tobytes(), "big") // TICK - SIZES["levels"] // 2) * TICK)
    card, _ = day(twin, tape, head, bases, QUOTER)
    found, at = [np.zeros(0, LATENCY)], head
    stamp = START + 1_000_000
    for _ in range(BURSTS):
        burst = both(tape.part(at, at + BURST_MESSAGES), stamp, at + 1, alone)
        run = twin.process(burst.rows, burst.buffer, mode=Mode.PACED)
        found.append(trigger_to_order(burst.rows, burst.buffer, run))
        stamp = int(burst.rows["timestamp"][-1]) + 100_000
        answer(card, run, stamp)
        at, stamp = at + BURST_MESSAGES, stamp + 100_000
    counted = card.counters()
    if counted["packets_dropped"] or counted["unknown_token"]:
        raise SystemExit(f"under load: {counted['packets_dropped']} packets dropped, {counted['unknown_token']} answers unknown")
    return np.concatenate(found)


def main() -> None:
    """Measure, print, keep the figures."""
    twin = power_on(**SIZES)
    figures, table = [], {}
    for name, alone in (("largest", False), ("smallest", True)):
        print(f"  packets of the {name} size ...", file=sys.stderr, flush=True)
        found = table[name] = whole(twin, MESSAGES, alone)
        print(f"  {name} packets: " + ", ".join(f"{key} {value:,}" for key, value in found.items()))
        print("  with orders ...", file=sys.stderr, flush=True)
        rows = loaded(twin, alone)
        first = rows[rows["rank"] == 0]
        found["orders"] = len(first)
        print(f"    {len(first):,} messages with orders of the quoter, to the first one, minimum / p50 / p99 / maximum:")
        for since, column in (("the message's last byte", "cycles"), ("the frame's last byte", "frame_cycles")):
            spread = {name: float(np.percentile(first[column], each)) for name, each in PERCENTILES.items()}
            found[f"since {since}"] = spread
            print(f"      since {since}: {' / '.join(f'{value:g}' for value in spread.values())} cycles")
        figures += [
            Figure(f"line rate, {name} packets: messages, both feeds", found["messages"], "messages", COMMAND),
            Figure(
                f"line rate, {name} packets: lost, or books unlike the engine's",
                found["lost"] + (not found["books_equal"]),
                "",
                COMMAND,
            ),
            Figure(f"line rate, {name} packets: cycles that a frame was held up, maximum", found["stalled"], "cycles", COMMAND),
            *(
                Figure(f"line rate, {name} packets: trigger to order of the quoter, {which}", round(value), "cycles", COMMAND)
                for which, value in found["since the message's last byte"].items()
            ),
        ]
    write("bench", figures, line_rate=table)


if __name__ == "__main__":
    main()
