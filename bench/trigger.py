"""Trigger to order of the taker on the simulated card: cycles per trigger type, over many triggers of each.

One book, one level on each side, and a value at which the offer that the trigger makes is to be had. The card is idle before
every trigger, so minimum and maximum are the same or the card is not constant.
"""

import numpy as np

from bench.figures import Figure, write
from drivers import commands
from drivers.latency import trigger_to_order
from drivers.settings import Feed, GlobalLimits, Limits, SymbolSetup, Taker
from sim import publisher
from wire import frames, itch, moldudp64, ouch42, soupbintcp
from wire.records import INPUT, TAKER_SLOT, Port, Side, slot_number, token

COMMAND = "make bench ONLY=trigger"
TRIGGERS = 200
LOCATE, BASE, TICK, PREFIX = 7, 1_000_000, 100, "HP"
OFFER, VALUE = BASE + 200 * TICK, BASE + 190 * TICK
START, STEP = 34_200_000_000_000, 1_000_000


class Inputs:
    """Inputs in their order, a step of time between two."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, int, int]] = []
        self.bytes = bytearray()
        self.sequence = 1

    def put(self, port: Port, content: bytes) -> None:
        """One input."""
        self.rows.append((START + STEP * len(self.rows), len(self.bytes), len(content), port))
        self.bytes += content

    def feed(self, message: bytes) -> None:
        """The next message of the feed, in a frame of its own."""
        of = publisher.FEED_A
        payload = moldudp64.packet(publisher.SESSION, self.sequence, [message])
        where = {"source": of.source, "destination": of.address, "source_port": of.port, "destination_port": of.port}
        self.put(Port.FEED_A, frames.udp_frame(payload, **where))
        self.sequence += 1


def set_up(made: Inputs, levels: int) -> None:
    """Commands for a symbol, limits, a taker and a login."""
    setup = SymbolSetup(stock="HPNA", stock_locate=LOCATE, base_price=BASE, tick=TICK)
    limits = Limits(
        max_quantity=1000, max_position=10**6, max_notional=10**12, loss_limit=10**15, collar=10**6, max_open_orders=8
    )
    everywhere = GlobalLimits(max_gross=10**15, credit=10**15, loss_limit=10**15, token_prefix=PREFIX)
    for data in (
        commands.set_feed(Feed(start_sequence=1)),
        commands.set_global(everywhere),
        commands.set_symbol(0, setup, levels),
        commands.set_limits(0, limits),
        commands.set_taker(0, Taker(value=VALUE, edge=0, size=100)),
        commands.set_trading(market_open=True),
        commands.login("USER", "SECRET"),
    ):
        made.put(Port.COMMAND, data)


def triggers(levels: int) -> tuple[Inputs, list[int]]:
    """A set-up card, and triggers A and U in turn; the numbers of the inputs that trigger."""
    made, found = Inputs(), []
    set_up(made, levels)
    made.put(Port.SESSION, soupbintcp.login_accepted("", 1))
    reference = 1

    def add(side: str, price: int) -> bytes:
        values = {"stock_locate": LOCATE, "order_reference": reference, "shares": 100, "stock": "HPNA"}
        return itch.ADD_ORDER.pack(**values, side=side, price=price)

    made.feed(add("B", BASE + 100 * TICK))
    for number in range(TRIGGERS):
        reference += 2
        if number % 2:
            made.feed(add("S", OFFER))
            found.append(len(made.rows))
            made.feed(
                itch.ORDER_REPLACE.pack(
                    stock_locate=LOCATE, original_order_reference=reference, new_order_reference=reference + 1,
                    shares=100, price=VALUE - TICK,
                )
            )  # fmt: skip
        else:
            found.append(len(made.rows))
            made.feed(add("S", VALUE - TICK))
        identity = (number + 1) << 12 | slot_number(0, Side.BUY, TAKER_SLOT)
        done = ouch42.CANCELED.pack(order_token=token(PREFIX, identity), decrement_shares=100, reason="I")
        made.feed(itch.ORDER_DELETE.pack(stock_locate=LOCATE, order_reference=reference + number % 2))
        made.put(Port.SESSION, soupbintcp.sequenced(done))
    return made, found


def main() -> None:
    """Measure, print, keep the figures."""
    from drivers.card import CardDevice
    from sim.twin import power_on

    card = power_on(symbols=16, levels=4096, orders=16384)
    device = CardDevice(card, kind="twin")
    made, expected = triggers(4096)
    inputs, buffer = np.array(made.rows, INPUT), np.frombuffer(bytes(made.bytes), np.uint8)
    batch = device.process(inputs, buffer)
    rows = trigger_to_order(inputs, buffer, batch)
    device.close()
    if len(rows) != len(expected):
        raise SystemExit(f"{len(rows)} orders to {len(expected)} triggers")
    figures, table = [], {}
    for kind in (b"A", b"U"):
        cycles = rows["cycles"][rows["type"] == kind]
        low, middle, high = int(cycles.min()), float(np.median(cycles)), int(cycles.max())
        name = itch.ITCH.by_code[kind[0]].name
        table[kind.decode()] = {"orders": len(cycles), "minimum": low, "median": middle, "maximum": high}
        print(f"  {kind.decode()} {name}: {len(cycles)} orders of the taker, {low} / {middle:g} / {high} cycles")
        figures += [
            Figure(f"twin: trigger to order of the taker, {name} ({kind.decode()}), {which}", value, "cycles", COMMAND)
            for which, value in (("minimum", low), ("maximum", high))
        ]
    write("bench", figures, taker=table)


if __name__ == "__main__":
    main()
