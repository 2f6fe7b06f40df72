"""The simulated card: clock cycles and messages per second, and trigger to order in cycles by trigger type."""

import time

import numpy as np

from bench.figures import Figure, write
from drivers.card import CardDevice
from drivers.latency import trigger_to_order
from drivers.settings import Feed, GlobalLimits, Limits, Quoter, SymbolSetup
from sim.publisher import FEED_A, SESSION, publish
from sim.sources.flow import FlowConfig, flow
from sim.twin import power_on
from wire import soupbintcp
from wire.itch import ITCH
from wire.records import INPUT, Port

SIZES = {"symbols": 16, "levels": 4096, "orders": 16384}
MESSAGES = 20_000
COMMAND = "make bench ONLY=twin"
WIDE = (1 << 31) - 1


def set_up(card: CardDevice, tape) -> None:
    """One stock that is quoted at the touch, behind limits that hold nothing back."""
    listing = tape.listings()[0]
    adds = [m for m in tape if m[:1] == b"A" and m[1:3] == listing.stock_locate.to_bytes(2, "big")]
    first = int.from_bytes(adds[0][32:36], "big")
    base = max(0, first // 100 - SIZES["levels"] // 2) * 100
    card.configure_global(GlobalLimits(max_gross=1 << 62, credit=1 << 62, loss_limit=1 << 62, firm="HPIN"), at=1)
    card.configure_feed(Feed(session=SESSION))
    setup = SymbolSetup(stock=listing.stock, stock_locate=listing.stock_locate, base_price=base, tick=100)
    card.configure_symbol(0, setup)
    limits = Limits(
        max_quantity=WIDE, max_position=WIDE, max_notional=1 << 62, loss_limit=1 << 62,
        collar=WIDE, max_open_orders=8, locate_quantity=WIDE,
    )  # fmt: skip
    card.configure_limits(0, limits)
    card.login("HPIN", "demo")
    hello = soupbintcp.login_accepted("", 1)
    card.process(np.array([(card.clock, 0, len(hello), Port.SESSION)], INPUT), hello)
    # Inside the spread: every change of the top moves the quotes.
    card.configure_quoter(0, Quoter(half_spread=1 << 16, size=100))


def accepting(card: CardDevice, packets) -> tuple[np.ndarray, bytes, int]:
    """The frames of a feed, through the card in pieces between which the exchange accepts what was sent.

    Gives latency rows, seconds and cycles.
    """
    from wire import ouch42

    rows, seconds, cycles = [], 0.0, 0
    piece = 50
    for start in range(0, len(packets), piece):
        frames = [packets[i] for i in range(start, min(start + piece, len(packets)))]
        lengths = np.array([len(each) for each in frames])
        inputs = np.zeros(len(frames), INPUT)
        inputs["timestamp"] = np.maximum(packets.timestamps[start : start + len(frames)], card.clock)
        inputs["offset"], inputs["length"] = np.cumsum(lengths) - lengths, lengths
        data = b"".join(frames)
        before, begun = card.cycles, time.perf_counter()
        batch = card.process(inputs, data)
        seconds += time.perf_counter() - begun
        cycles += card.cycles - before
        rows.append(trigger_to_order(inputs, data, batch))
        answers = bytearray()
        for number in range(len(batch.outputs)):
            packet = batch.output(number)
            if packet[2:3] != b"U":
                continue
            values = ouch42.INBOUND.unpack(packet[soupbintcp.HEADER_LENGTH :])
            if values["type"] == "O":
                message = ouch42.ACCEPTED.pack(
                    order_token=values["order_token"], shares=values["shares"], price=values["price"],
                    order_state="L", order_reference=1,
                )  # fmt: skip
            elif values["type"] == "U":
                message = ouch42.REPLACED.pack(
                    replacement_order_token=values["replacement_order_token"],
                    previous_order_token=values["existing_order_token"],
                    shares=values["shares"], price=values["price"], order_state="L", order_reference=2,
                )  # fmt: skip
            else:
                message = ouch42.CANCELED.pack(order_token=values["order_token"], decrement_shares=1 << 20, reason="U")
            answers += soupbintcp.sequenced(message)
        if answers:
            card.process(np.array([(card.clock, 0, len(answers), Port.SESSION)], INPUT), bytes(answers))
    return np.concatenate(rows), seconds, cycles


def main() -> None:
    tape = flow(FlowConfig(seed=5, messages=MESSAGES, stocks=("AMZN",)))
    packets = publish(tape, FEED_A, end_packets=0, heartbeat_ns=0)
    with CardDevice(power_on(**SIZES), kind="twin") as card:
        set_up(card, tape)
        rows, seconds, cycles = accepting(card, packets)
        counters = card.counters()
    figures = [
        Figure("twin: clock cycles per second", round(cycles / seconds / 1000), "thousand cycles/s", COMMAND),
        Figure("twin: messages per second, one at a time", round(counters["messages"] / seconds), "messages/s", COMMAND),
    ]
    print(f"{counters['messages']} messages, {cycles} cycles, {seconds:.1f} s, {len(rows)} orders")
    first = rows[rows["rank"] == 0]
    table = {}
    for kind in np.unique(first["type"]):
        chosen = first[first["type"] == kind]["cycles"]
        name = ITCH.by_code[kind[0]].name
        low, middle, high = int(chosen.min()), float(np.median(chosen)), int(chosen.max())
        table[kind.decode()] = {"orders": len(chosen), "minimum": low, "median": middle, "maximum": high}
        print(f"  {kind.decode()} {name}: {len(chosen)} orders, {low} / {middle:g} / {high} cycles")
        figures.append(
            Figure(f"twin: trigger to order, {name} ({kind.decode()}), median", middle, "cycles", COMMAND)
        )
    write("bench", figures, trigger_to_order=table)


if __name__ == "__main__":
    main()
