"""Scripts from a seed: everything that can come to a device, mostly sensible, sometimes not.

They hold no expectation: two devices that run one must say the same. While a script is written a device runs it, so
that a venue can answer what it sends; the finished script is the same for every device.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from tests.scenarios.build import (
    PREFIX,
    Processor,
    Script,
    add,
    cancel,
    delete,
    execute,
    mold_frame,
    operational_halt,
    order_id,
    packets_of,
    reg_sho,
    replace,
    system_event,
    trading_action,
)
from wire import itch, ouch42, soupbintcp
from wire.records import KillScope, Opcode, Port, Side

LOCATES = (10, 11)  # of symbols 0 and 1
UNMAPPED = 12
BASE, TICK, LEVELS = 990_000, 100, 64
SYMBOLS = len(LOCATES)


class Market:
    """A random row of ITCH messages that mostly make sense together."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.alive: dict[int, int] = {}  # reference to locate
        self.next_reference = 1
        self.middle = [32, 32]

    def price(self, n: int, side: str) -> int:
        """A price around the middle; now and then across it, off the ticks or out of the ladder."""
        rng = self.rng
        away = int(rng.expovariate(0.3)) + 1
        index = self.middle[n] + (away if side == "S" else -away) + rng.choice([0] * 30 + [-4, 4])
        odd = rng.choice([0] * 400 + [1, 50, 99, -7_000, 7_000])
        return max(1, BASE + index * TICK + odd)

    def message(self) -> bytes:
        rng = self.rng
        n = rng.randrange(SYMBOLS)
        locate = rng.choice([LOCATES[n]] * 40 + [UNMAPPED])
        reference = rng.choice(list(self.alive)) if self.alive and rng.random() < 0.98 else rng.randrange(1, 1 << 40)
        owner = self.alive.get(reference, locate)
        if rng.random() < 0.05:
            self.middle[n] = min(max(self.middle[n] + rng.choice((-1, 1)), 8), 56)
        kinds = rng.choices("AFDXECUPHYhSW?!", (40, 3, 22, 5, 5, 2, 15, 2, 1, 1, 0.5, 0.2, 0.05, 0.5, 0.5))
        match kinds[0] if len(self.alive) < 45 else "D":
            case "A" | "F":
                side = rng.choice("BS" * 200 + "X")
                shares = rng.choice([rng.randrange(1, 500), 100, 100] * 100 + [0])
                if rng.random() < 0.99:
                    reference = self.next_reference
                    self.next_reference += rng.randrange(1, 70_000)
                self.alive.setdefault(reference, locate)
                return add(locate, reference, side, shares, self.price(n, side))
            case "D":
                self.alive.pop(reference, None)
                return delete(owner, reference)
            case "X":
                return cancel(owner, reference, rng.choice([1, 10, 50, 1, 10, 50, 1, 10, 50, 100, 10_000, 0]))
            case "E":
                return execute(owner, reference, rng.choice([1, 5, 10, 50, 1, 5, 10, 100, 0]), rng.randrange(1 << 64))
            case "C":
                return itch.ORDER_EXECUTED_WITH_PRICE.pack(
                    stock_locate=owner,
                    order_reference=reference,
                    executed_shares=rng.choice([1, 100]),
                    match_number=rng.randrange(1 << 64),
                    printable=rng.choice("YN"),
                    execution_price=self.price(n, "B"),
                )
            case "U":
                new = self.next_reference
                self.next_reference += 1
                if self.alive.pop(reference, None) is not None:
                    self.alive[new] = owner
                place = LOCATES.index(owner) if owner in LOCATES else 0
                return replace(owner, reference, new, rng.choice([100, 200, 7]), self.price(place, rng.choice("BS")))
            case "P":
                return itch.TRADE.pack(stock_locate=locate, side=rng.choice("BS"), shares=5, price=BASE, match_number=3)
            case "H":
                return trading_action(locate, rng.choice("TTTTTTHPQ"))
            case "Y":
                return reg_sho(locate, rng.choice("0012"))
            case "h":
                return operational_halt(locate, rng.choice("QQB"), rng.choice("TTTTH"))
            case "S":
                return system_event(rng.choice("QQQQQQMOSEC"))
            case "W":
                return itch.MWCB_STATUS.pack(breached_level="1")
            case "?":
                return bytes(rng.randrange(256) for _ in range(rng.randrange(60)))
            case _:
                return itch.NET_ORDER_IMBALANCE.pack(stock_locate=locate)


@dataclass
class Resting:
    """An order that the exchange has."""

    side: str
    open: int
    price: int
    total: int  # of its chain
    filled: int = 0


class Venue:
    """An exchange that answers what it gets: mostly as it should, sometimes with lies, never at once."""

    def __init__(self, rng: random.Random, script: Script) -> None:
        self.rng, self.script = rng, script
        self.orders: dict[str, Resting] = {}
        self.inbox: list[dict[str, Any]] = []

    def step(self) -> None:
        """Answers one message, or does something of its own accord."""
        rng, script = self.rng, self.script
        if self.inbox and rng.random() < 0.7:
            self.answer(self.inbox.pop(0))
        elif self.orders and rng.random() < 0.9:
            name = rng.choice(list(self.orders))
            self.happen(name, self.orders[name])
        elif rng.random() < 0.9:
            script.session(soupbintcp.server_heartbeat())
        else:
            script.executed(rng.randrange(1 << 20), 10, BASE)  # of an order that nobody knows

    def answer(self, message: dict[str, Any]) -> None:
        rng, script = self.rng, self.script
        match message["type"]:
            case "O":
                name, shares, price = message["order_token"], message["shares"], message["price"]
                if rng.random() < 0.1:
                    script.rejected(identity(name))
                    return
                dead = message["time_in_force"] == 0 or rng.random() < 0.05
                script.accepted(identity(name), shares, price, state="D" if dead else "L")
                if not dead:
                    self.orders[name] = Resting(message["side"], shares, price, shares)
            case "U":
                old, new = message["existing_order_token"], message["replacement_order_token"]
                resting = self.orders.get(old)
                if resting is None:
                    return  # too late: it was filled or cancelled
                if rng.random() < 0.15:
                    script.rejected(identity(new))
                    return
                left = max(message["shares"] - resting.filled, 0)
                dead = left == 0 or rng.random() < 0.05
                script.replaced(identity(new), identity(old), left, message["price"], state="D" if dead else "L")
                del self.orders[old]
                if not dead:
                    self.orders[new] = Resting(resting.side, left, message["price"], message["shares"], resting.filled)
            case "X":
                name = message["order_token"]
                if name not in self.orders:
                    return
                if rng.random() < 0.2:
                    script.cancel_rejected(identity(name))
                else:
                    script.cancelled(identity(name), self.orders.pop(name).open)

    def happen(self, name: str, resting: Resting) -> None:
        """A fill, a partial cancel, news of a trade that was."""
        rng, script = self.rng, self.script
        shares = min(resting.open, rng.choice([1, 10, 50, 100, 1_000]))
        match rng.choices("EGCDB", (6, 1, 1, 0.5, 0.3))[0]:
            case "E":
                script.executed(identity(name), shares, resting.price)
                resting.filled += shares
            case "G":
                record = ouch42.EXECUTED_WITH_REFERENCE_PRICE
                script.ouch(
                    record, order_token=name, executed_shares=shares, execution_price=resting.price, match_number=4
                )
                resting.filled += shares
            case "C":
                script.cancelled(identity(name), shares)
            case "D":
                script.ouch(ouch42.AIQ_CANCELLED, order_token=name, decrement_shares=shares, reason="Q")
            case _:
                script.ouch(ouch42.BROKEN_TRADE, order_token=name, match_number=5)
                return
        resting.open -= shares
        if resting.open == 0:
            del self.orders[name]


def identity(name: str) -> int:
    """The order id in a token."""
    return int(name[len(PREFIX) :], 16)


class Fuzz:
    """A script in the making. ``device`` tells what it sends, so that the venue can answer."""

    def __init__(self, seed: int, device: Processor) -> None:
        self.rng = random.Random(seed)
        self.device = device
        self.market = Market(self.rng)
        self.script = Script()
        self.venue = Venue(self.rng, self.script)
        self.done = 0

    def advance(self) -> None:
        """Lets the device do what is new in the script."""
        batch = self.device.process(*self.script.arrays(self.done))
        self.done = len(self.script)
        messages = [ouch42.INBOUND.unpack(packet[3:]) for packet in packets_of(batch) if packet[2:3] == b"U"]
        self.venue.inbox += messages

    def write(self, length: int) -> Script:
        """``length`` steps after the configuration."""
        script, rng = self.script, self.rng
        script.set_global(**self.global_limits(always=True))
        for n, locate in enumerate(LOCATES):
            script.set_symbol(n, locate, base=BASE, tick=TICK, levels=LEVELS)
            script.set_limits(n, **self.limits()).command(Opcode.SET_QUOTER, n, **self.quoter())
        script.command(Opcode.SET_FEED, start_sequence=1, hold_ns=50_000, strict=rng.randrange(2))
        script.open_market().log_in()
        steps = (self.feed, self.venue.step, self.order, self.host, self.noise, self.tick)
        for _ in range(length):
            script.wait(rng.choice([0, 0, 1, 100, 1_000, 20_000]))
            rng.choices(steps, (50, 25, 10, 4, 1, 3))[0]()
            self.advance()
        return script

    # -- the feed ------------------------------------------------------------------------------

    def feed(self) -> None:
        """A packet on A, B, both or neither, now and then late, repeated or recovered."""
        rng, script = self.rng, self.script
        messages = [self.market.message() for _ in range(rng.choice([1, 1, 1, 2, 3, 8]))]
        first = script.sequence
        frame = mold_frame(first, messages)
        script.sequence += len(messages)
        fate = rng.random()
        if fate < 0.95:
            for port in rng.choice([(0,), (1,), (0, 1), (1, 0)]):
                script.frame(frame, Port(port))
        elif fate < 0.97:
            script.packet(script.sequence, port=Port(rng.randrange(2))).wait(rng.choice([10, 60_000]))
            script.frame(frame, Port.RECOVERY)
        elif fate < 0.99:
            for _ in range(rng.choice([1, 1, 4, 5])):
                script.packet(script.sequence, self.market.message(), port=Port(rng.randrange(2))).wait(10)
                script.sequence += 1
            script.wait(rng.choice([10, 60_000])).frame(frame, Port.RECOVERY)
        else:  # lost, and the host gives it up
            script.packet(script.sequence).wait(60_000).tick().command(Opcode.RESUME_FEED, sequence=script.sequence)
        if rng.random() < 0.2:
            script.command(Opcode.TRUST)
        if rng.random() < 0.1:
            n = rng.randrange(SYMBOLS)
            script.command(Opcode.SET_TRADING, n, enabled=1, trading_state="T", reg_sho=" ", market_open=1)
            script.feed(operational_halt(LOCATES[n], "Q", "T"))

    # -- the host ------------------------------------------------------------------------------

    def order(self) -> None:
        rng, script = self.rng, self.script
        n, side = rng.randrange(SYMBOLS), rng.choice((Side.BUY, Side.SELL))
        price = BASE + rng.randrange(LEVELS) * TICK + rng.choice([0, 0, 0, 1])
        quantity = rng.choice([1, 10, 100, 100, 0])
        match rng.choices("NRC", (5, 3, 1))[0]:
            case "N":
                script.new_order(
                    n, side, price, quantity, strategy=rng.choice([1, 2, 3, 16]), tag=rng.randrange(1 << 32)
                )
            case "R":
                script.command(Opcode.REPLACE_ORDER, order_id=self.some_order(), price=price, quantity=quantity)
            case _:
                script.command(Opcode.CANCEL_ORDER, order_id=self.some_order())

    def some_order(self) -> int:
        """The id of an order that the venue has, or of none."""
        names = list(self.venue.orders)
        return identity(self.rng.choice(names)) if names and self.rng.random() < 0.9 else order_id(1, 0, 0, 1)

    def limits(self) -> dict[str, int]:
        """Limits that are met now and then."""
        rng = self.rng
        every = {
            "max_notional": rng.choice([100 * BASE, 101 * BASE, 1 << 60]),
            "loss_limit": rng.choice([10**7, 10**9, 1 << 60]),
            "max_quantity": rng.choice([99, 100, 1_000]),
            "max_position": rng.choice([200, 100_000]),
            "collar": rng.choice([500, 1_000_000]),
            "locate_quantity": rng.choice([0, 150, 100_000, 100_000]),
            "rate_interval": rng.choice([0, 9_000]),
            "rate_burst": 10_000,
            "duplicate_window": rng.choice([0, 50_000]),
            "max_repeats": rng.choice([0, 3]),
            "max_open_orders": rng.choice([2, 8]),
        }
        return {name: value for name, value in every.items() if rng.random() < 0.5}

    def global_limits(self, always: bool = False) -> dict[str, int]:
        rng = self.rng
        every = {
            "max_gross": rng.choice([500 * BASE, 1 << 60]),
            "credit": rng.choice([1_000 * BASE, 1 << 60]),
            "loss_limit": rng.choice([10**8, 1 << 60]),
            "stale_ns": rng.choice([0, 1_000_000]),
            "heartbeat_ns": 0 if always else rng.choice([0, 0, 10_000_000]),
            "rate_interval": rng.choice([0, 7_000]),
            "rate_burst": 20_000,
        }
        return {name: value for name, value in every.items() if rng.random() < 0.5}

    def quoter(self) -> dict[str, int]:
        rng = self.rng
        return {
            "offset": rng.randrange(-(1 << 16), 1 << 16),
            "half_spread": rng.randrange(1 << 18),
            "skew": rng.choice([0, 300, -300, 20_000]),
            "size": rng.choice([100, 100, 10, 0]),
            "min_change": rng.choice([0, 1, 3]),
            "enabled": rng.choice([1, 1, 1, 0]),
            "decay": rng.choice([0, 4, 8, 31, 32]),
            "min_life": rng.choice([0, 0, 1_000, 50_000]),
            "ofi_weight": rng.choice([0, 30, -500, 1 << 30]),
            "trade_weight": rng.choice([0, 100, -1_000, -(1 << 31)]),
            "variance_weight": rng.choice([0, 1 << 12, (1 << 32) - 1]),
        }

    def taker(self) -> dict[str, int]:
        rng = self.rng
        return {
            "value": BASE + 100 * rng.randrange(64),
            "edge": rng.choice([0, 100, 700, 1 << 31]),
            "size": rng.choice([0, 10, 50, 5_000]),
            "max_age": rng.choice([0, 0, 10_000, 1_000_000]),
            "enabled": rng.choice([1, 1, 1, 1, 0, 2]),
        }

    def host(self) -> None:
        """Any other command."""
        rng, script = self.rng, self.script
        n = rng.randrange(SYMBOLS)
        one = rng.choice([n, 0xFFFF, n, SYMBOLS])
        choices = (
            lambda: script.command(Opcode.HEARTBEAT, tag=3),
            lambda: script.set_limits(n, **self.limits()),
            lambda: script.set_global(**self.global_limits()),
            lambda: script.command(Opcode.SET_QUOTER, n, **self.quoter()),
            lambda: script.command(Opcode.SET_TAKER, one, 4, **self.taker()),
            lambda: script.command(Opcode.SET_TRADING, one, enabled=rng.choice([1, 2, 2, 0]), market_open=2),
            lambda: script.command(Opcode.SET_TRADING, n, enabled=1, trading_state="T", reg_sho="0", market_open=1),
            lambda: script.command(
                Opcode.SET_POSITION, n, position=rng.randrange(-300, 300), cash=rng.randrange(-(10**6), 10**6)
            ),
            lambda: self.kill(one),
            lambda: script.command(Opcode.TRUST, one),
            lambda: script.command(Opcode.CANCEL_ALL, one),
            lambda: script.command(Opcode.SNAPSHOT, one, 8, parts=rng.randrange(16), depth=rng.randrange(9)),
            self.outage,
            lambda: script.set_symbol(n, LOCATES[n], base=BASE, tick=TICK, levels=LEVELS),
        )
        rng.choice(choices)()

    def outage(self) -> None:
        """The session goes down for a while, in which the host goes on."""
        self.script.command(self.rng.choice((Opcode.SESSION_DOWN, Opcode.LOGOUT)))
        self.order()
        self.venue.step()
        self.script.log_in()

    def kill(self, symbol: int) -> None:
        """Something is killed for a while, in which the host goes on."""
        values = {"scope": self.rng.choice(list(KillScope)), "strategy": self.rng.choice([0, 1, 2])}
        self.script.command(Opcode.KILL, symbol, **values)
        self.order()
        self.feed()
        self.script.command(Opcode.CLEAR_KILL, symbol, **values)

    def noise(self) -> None:
        """What no one should send."""
        rng, script = self.rng, self.script
        junk = bytes(rng.randrange(256) for _ in range(rng.randrange(80)))
        match rng.randrange(4):
            case 0:
                script.frame(junk, Port(rng.randrange(3)))
            case 1:
                frame = bytearray(mold_frame(script.sequence, [self.market.message()]))
                frame[rng.randrange(len(frame))] ^= 1 << rng.randrange(8)
                script.frame(bytes(frame), Port(rng.randrange(2)))
            case 2:
                script.input(Port.COMMAND, (junk + bytes(64))[:64])
            case _:
                script.session(len(junk).to_bytes(2, "big") + junk)

    def tick(self) -> None:
        self.script.wait(self.rng.choice([0, 1_000, 60_000, 1_000_000_000])).tick()
        if self.rng.random() < 0.8:
            self.script.command(Opcode.HEARTBEAT)


def script(seed: int, device: Processor, length: int = 400) -> Script:
    """The script of a seed. ``device``, just reset, has 2 symbols, 64 levels and 64 orders; it runs the script."""
    return Fuzz(seed, device).write(length)
