"""A recorded session for parity: what a device was given while a market, a network and an exchange were about it.

The engine runs in the loop, so that answers follow from its own orders; every input is kept in its order. Feeds have loss, what
both lost is asked for again or given up, the exchange answers with everything that OUCH lets it (and with what it does not), the
host trades, kills and changes limits. All of it from a seed. Exchange and host are for stimulation, not for realism.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from drivers import commands
from drivers.settings import Feed, GlobalLimits, Limits, Quoter, SymbolSetup, Taker
from sim import faults, publisher
from sim.sources.tape import Tape
from tests import dialect
from tests.parity.oddities import odd_frame
from wire import frames, moldudp64, ouch42, soupbintcp
from wire.records import INPUT, EventType, OuchVersion, Port, SessionState, Side, SnapshotPart

LATENCY_NS = 60_000
USER, PASSWORD, PREFIX = "USER", "PASSWORD", "HP"


@dataclass(frozen=True)
class Recording:
    """Inputs as they were handed over, and the buffer that they index."""

    inputs: Any
    buffer: Any

    def part(self, count: int) -> Recording:
        """The first inputs."""
        return Recording(self.inputs[:count], self.buffer)


@dataclass
class Config:
    """What happens; rates are probabilities per occasion."""

    seed: int = 0
    loss: float = 0.01
    common_loss: float = 0.0002
    tick_ns: int = 20_000_000
    symbols: dict[int, SymbolSetup] = field(default_factory=dict)
    levels: int = 4096
    host_orders: int = 200
    host_changes: int = 60
    odd_frames: int = 60
    revivals: int = 40
    strict: bool = True
    ouch: OuchVersion = OuchVersion.V4_2


class Exchange:
    """Answers orders, by chance. ``due`` are (stamp, bytes of the order session). It thinks in OUCH 4.2, and may speak 5.0."""

    def __init__(self, rng: np.random.Generator, ouch: OuchVersion) -> None:
        self.rng, self.ouch = rng, ouch
        self.live: dict[str, list[int]] = {}  # token -> price, shares that remain
        self.match = 1000
        self.due: list[tuple[int, bytes]] = []

    def say(self, stamp: int, record: Any, token: str, **values: Any) -> None:
        name = "replacement_order_token" if record is ouch42.REPLACED else "order_token"
        message = record.pack({name: token, "timestamp": stamp} | values)
        if self.ouch is OuchVersion.V5_0:
            message = self._translated(message)
        self.due.append((stamp, soupbintcp.sequenced(message)))

    def _translated(self, message: bytes) -> bytes:
        """In 5.0, with options or without; now and then something that is not quite a message."""
        options = {"secondary_order_reference": 7, "bbo_weight_indicator": "1", "firm": "FIRM"}
        count = int(self.rng.integers(0, len(options) + 1))
        told = dialect.from_exchange(message, **dict(list(options.items())[:count]))
        if self.chance(0.02):
            at = int(self.rng.integers(1, len(told)))
            told = told[:at] + self.rng.bytes(1) + told[at + 1 :]
        return told[: -int(self.rng.integers(1, 4))] if self.chance(0.02) else told

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def take(self, stamp: int, packet: bytes) -> None:
        """One packet from the device."""
        kind = packet[2:3]
        if kind == b"L":
            self.due.append((stamp + LATENCY_NS, soupbintcp.login_accepted("", 1)))
        if kind != b"U":
            return
        when = stamp + LATENCY_NS + int(self.rng.integers(0, 20_000))
        read = ouch42.INBOUND.unpack if self.ouch is OuchVersion.V4_2 else dialect.from_device
        values = read(packet[soupbintcp.HEADER_LENGTH :])
        {"O": self._enter, "U": self._replace, "X": self._cancel}[values["type"]](when, values)

    def _enter(self, when: int, values: Any) -> None:
        token = values["order_token"]
        if self.chance(0.05):
            return self.say(when, ouch42.REJECTED, token, reason="T")
        dead = self.chance(0.02)
        reference = int(self.rng.integers(1, 1 << 60))
        price, shares = values["price"], values["shares"]
        self.say(
            when, ouch42.ACCEPTED, token,
            price=price, shares=shares, order_state="D" if dead else "L", order_reference=reference,
        )  # fmt: skip
        if dead:
            return None
        self.live[token] = [price, shares]
        if self.chance(0.3):
            self._execute(when + int(self.rng.integers(1, 3_000_000)), token)
        return None

    def _execute(self, when: int, token: str) -> None:
        order = self.live.get(token)
        if order is None:
            return
        price, remaining = order
        shares = remaining if self.chance(0.5) else int(self.rng.integers(0, remaining + 2))
        order[1] -= min(shares, remaining)
        record = ouch42.EXECUTED if self.chance(0.9) else ouch42.EXECUTED_WITH_REFERENCE_PRICE
        self.match += 1
        self.say(
            when, record, token,
            executed_shares=shares, execution_price=price - int(self.rng.integers(0, 3)) * 100,
            liquidity_flag="A", match_number=self.match,
        )  # fmt: skip
        if order[1] == 0:
            self.live.pop(token)

    def _replace(self, when: int, values: Any) -> None:
        old, new = values["existing_order_token"], values["replacement_order_token"]
        if self.chance(0.1):
            self._execute(when - 5, old)
        if self.chance(0.1):
            return self.say(when, ouch42.REJECTED, new, reason="R")
        dead = self.chance(0.05)
        shares = 0 if self.chance(0.03) else values["shares"]
        self.live.pop(old, None)
        if not dead and shares:
            self.live[new] = [values["price"], shares]
        return self.say(
            when, ouch42.REPLACED, new,
            previous_order_token=old, price=values["price"], shares=shares, order_state="D" if dead else "L",
            order_reference=int(self.rng.integers(1, 1 << 60)),
        )  # fmt: skip

    def _cancel(self, when: int, values: Any) -> None:
        token = values["order_token"]
        if self.chance(0.1):
            self._execute(when - 5, token)
        if self.chance(0.1):
            return self.say(when, ouch42.CANCEL_REJECT, token)
        _, remaining = self.live.get(token, (0, 0))
        shares = remaining if self.chance(0.8) else int(self.rng.integers(0, remaining + 1))
        if shares >= remaining:
            self.live.pop(token, None)
        else:
            self.live[token][1] -= shares
        record = ouch42.CANCELED if self.chance(0.9) else ouch42.AIQ_CANCELLED
        return self.say(when, record, token, decrement_shares=shares, reason="U")

    def noise(self, stamp: int) -> None:
        """Something that the device did not ask for."""
        tokens = [*self.live, f"{PREFIX}{int(self.rng.integers(0, 1 << 16)):012X}", f"{PREFIX}00000000000G", "XX"]
        token = str(self.rng.choice(tokens))
        kinds = [
            lambda: self.say(stamp, ouch42.BROKEN_TRADE, token, match_number=self.match, reason="E"),
            lambda: self.say(stamp, ouch42.TRADE_CORRECTION, token, match_number=self.match),
            lambda: self.say(stamp, ouch42.CANCEL_PENDING, token),
            lambda: self.say(stamp, ouch42.ORDER_PRIORITY_UPDATE, token),
            lambda: self.say(stamp, ouch42.ACCEPTED, token, price=1_000_000, shares=7, order_state="L"),
            lambda: self.say(stamp, ouch42.REPLACED, token, price=1_000_000, shares=7, order_state="L"),
            lambda: self.say(stamp, ouch42.CANCEL_REJECT, token),
            lambda: self.say(stamp, ouch42.REJECTED, token, reason="Z"),
            lambda: self._execute(stamp, token),
            lambda: self.due.append((stamp, soupbintcp.server_heartbeat())),
            lambda: self.due.append((stamp, soupbintcp.debug("hello"))),
            lambda: self.due.append((stamp, soupbintcp.sequenced(b"Q" + self.rng.bytes(20)))),
            lambda: self.due.append((stamp, soupbintcp.sequenced(b"E" + self.rng.bytes(9)))),
            lambda: self.due.append((stamp, b"\0\0")),
            lambda: self.due.append((stamp, b"\0\3?ab")),
            lambda: self.due.append(
                (stamp, soupbintcp.sequenced(ouch42.SYSTEM_EVENT.pack(timestamp=stamp, event_code="S")))
            ),
        ]
        kinds[int(self.rng.integers(len(kinds)))]()


class Session:
    """The loop: inputs by stamp into the engine, what follows from its answers into the queue."""

    def __init__(self, engine: Any, tape: Tape, config: Config) -> None:
        self.engine, self.tape, self.config = engine, tape, config
        self.rng = np.random.default_rng([config.seed, 0x57])
        self.exchange = Exchange(self.rng, config.ouch)
        self.queue: list[tuple[int, int, Port, bytes]] = []
        self.count = 0
        self.rows: list[tuple[int, int, int, int]] = []
        self.bytes = bytearray()
        self.clock = 0
        self.orders: list[int] = []
        self.gave_up = 0

    def put(self, stamp: int, port: Port, data: bytes = b"") -> None:
        self.count += 1
        heapq.heappush(self.queue, (stamp, self.count, port, data))

    def run(self) -> Recording:
        start = int(self.tape.timestamps[0]) - 1_000_000
        self._configure(start)
        self._feeds()
        self._clock_and_host(start, int(self.tape.timestamps[-1]))
        while self.queue:
            self._step()
        return Recording(np.array(self.rows, INPUT), np.frombuffer(bytes(self.bytes), np.uint8))

    # -- what is known beforehand ----------------------------------------------------------------

    def _configure(self, stamp: int) -> None:
        config, rng = self.config, self.rng
        setup = [
            self._more_credit(),
            commands.set_feed(
                Feed(
                    session=publisher.SESSION, hold_ns=100_000, strict=config.strict,
                    address_a=publisher.FEED_A.address, port_a=publisher.FEED_A.port,
                    address_b=publisher.FEED_B.address, port_b=0,
                )
            ),
            *[commands.set_symbol(symbol, each, config.levels) for symbol, each in config.symbols.items()],
            *[commands.set_limits(symbol, self._limits()) for symbol in config.symbols],
            *[commands.set_quoter(symbol, self._quoter()) for symbol in config.symbols],
            commands.heartbeat(tag=1),
            self._login(),
        ]  # fmt: skip
        if rng.random() < 0.5:
            setup.append(commands.set_trading(market_open=True))
        for data in setup:
            self.put(stamp, Port.COMMAND, data)

    def _login(self) -> bytes:
        return commands.login(USER, PASSWORD, ouch=self.config.ouch)

    def _more_credit(self) -> bytes:
        """Limits over all, with credit beyond what was executed so far."""
        rng, executed = self.rng, int(self.engine.state.core["executed_notional"][0])
        return commands.set_global(
            GlobalLimits(
                max_gross=int(rng.choice([10**12, 10**10])), credit=executed + int(rng.choice([10**14, 5 * 10**9])),
                loss_limit=10**11, stale_ns=5 * 10**9, heartbeat_ns=int(rng.choice([10**10, 900_000_000])),
                rate_interval=1_000_000, rate_burst=20_000_000, firm="FIRM", token_prefix=PREFIX,
            )
        )  # fmt: skip

    def _limits(self) -> Limits:
        rng = self.rng
        return Limits(
            max_quantity=int(rng.integers(200, 1000)), max_position=int(rng.integers(500, 5000)),
            max_notional=int(rng.integers(10**8, 10**10)), loss_limit=int(rng.integers(10**7, 10**10)),
            collar=int(rng.integers(0, 20_000)), max_open_orders=int(rng.integers(2, 9)),
            locate_quantity=int(rng.integers(0, 2000)),
            rate_interval=int(rng.integers(0, 3)) * 1_000_000, rate_burst=int(rng.integers(0, 10)) * 1_000_000,
            duplicate_window=int(rng.integers(0, 2)) * 1_000_000, max_repeats=int(rng.integers(0, 2)) * 3,
        )  # fmt: skip

    def _quoter(self) -> Quoter:
        rng = self.rng
        return Quoter(
            half_spread=int(rng.integers(0, 6 << 16)), size=int(rng.integers(1, 300)),
            offset=int(rng.integers(-1 << 16, 1 << 16)), skew=int(rng.integers(-200, 400)),
            min_change=int(rng.integers(0, 4)), enabled=bool(rng.random() < 0.9),
            decay=int(rng.integers(10, 28)), min_life=int(rng.integers(0, 3)) * 100_000,
            ofi_weight=int(rng.integers(-20, 60)), trade_weight=int(rng.integers(-20, 100)),
            variance_weight=int(rng.integers(0, 2000)),
        )  # fmt: skip

    def _taker(self, symbol: int) -> Taker:
        rng, tick = self.rng, self.config.symbols[symbol].tick
        return Taker(
            value=self._touch(symbol) + int(rng.integers(-3, 5)) * tick, edge=int(rng.integers(0, 4)) * tick,
            size=int(rng.integers(0, 300)), max_age=int(rng.integers(0, 3)) * 100_000_000,
            enabled=bool(rng.random() < 0.9),
        )  # fmt: skip

    def _feeds(self) -> None:
        config = self.config
        holes = faults.holes(len(self.tape), faults.CommonLoss(config.common_loss), config.seed)
        for port, of, feed, window in (
            (Port.FEED_A, publisher.FEED_A, 0, 0),
            (Port.FEED_B, publisher.FEED_B, 1, 2_000),
        ):
            packed = publisher.FeedConfig(address=of.address, port=of.port, source=of.source, window_ns=window)
            sent = publisher.publish(self.tape, packed)
            way = faults.FaultConfig(
                loss=config.loss, duplication=0.005, reordering=0.005, corruption=0.002, delay_ns=1_000 + 7 * feed
            )
            came = faults.arrivals(sent, way, seed=config.seed, feed=feed, holes=holes)
            buffer = came.buffer.tobytes()
            for at, length, stamp in zip(
                came.offsets.tolist(), came.lengths.tolist(), came.timestamps.tolist(), strict=True
            ):
                self.put(stamp, port, buffer[at : at + length])

    def _clock_and_host(self, start: int, end: int) -> None:
        config, rng = self.config, self.rng
        for stamp in range(start, end + 3 * config.tick_ns, config.tick_ns):
            self.put(stamp, Port.TICK)
        for stamp in range(start, end, 1_000_000_000):
            self.put(stamp, Port.COMMAND, commands.heartbeat(tag=2))
        for stamp in range(start, end, 5_000_000_000):
            self.put(stamp, Port.SESSION, soupbintcp.server_heartbeat())
        for stamp in range(start, end, max((end - start) // config.revivals, 1)):
            self.put(stamp, Port.COMMAND, commands.trust())
            self.put(stamp, Port.COMMAND, b"credit")
            self.put(stamp, Port.COMMAND, b"login")
            for symbol in config.symbols:
                self._let_trade(stamp, symbol)
        for stamp in np.sort(rng.integers(start, end, config.host_orders)).tolist():
            self.put(stamp, Port.COMMAND, b"order")
        for stamp in np.sort(rng.integers(start, end, config.host_changes)).tolist():
            self.put(stamp, Port.COMMAND, b"change")
        for stamp in np.sort(rng.integers(start, end, config.host_changes)).tolist():
            self.put(stamp, Port.SESSION, b"noise")
        for stamp in np.sort(rng.integers(start, end, config.odd_frames)).tolist():
            number = 1 + int(np.searchsorted(self.tape.timestamps, stamp))
            self.put(stamp, Port(int(rng.integers(3))), odd_frame(rng, number))

    def _let_trade(self, stamp: int, symbol: int) -> None:
        """Undoes what has come in the way of trading so far."""
        rng = self.rng
        size = int(rng.integers(1, 300))
        limits = Limits(
            max_quantity=1000, max_position=int(rng.integers(2 * size, 5000)), max_notional=10**10, loss_limit=10**10,
            collar=20_000, max_open_orders=8, locate_quantity=5000,
        )  # fmt: skip
        quoter = Quoter(
            half_spread=int(rng.integers(0, 8 << 16)), size=size, skew=int(rng.integers(0, 400)),
            decay=int(rng.integers(10, 28)), ofi_weight=int(rng.integers(0, 60)), trade_weight=int(rng.integers(0, 60)),
            variance_weight=int(rng.integers(0, 500)), min_life=int(rng.integers(0, 2)) * 50_000,
        )  # fmt: skip
        mark = self.config.symbols[symbol].base_price
        self.put(stamp, Port.COMMAND, commands.set_position(symbol, position=int(rng.integers(-size, size)), mark=mark))
        self.put(stamp, Port.COMMAND, commands.set_limits(symbol, limits))
        self.put(stamp, Port.COMMAND, commands.set_quoter(symbol, quoter))
        self.put(stamp, Port.COMMAND, b"value")

    # -- what follows from the device's answers --------------------------------------------------

    def _step(self) -> None:
        """Everything up to the first answer that this could cause."""
        first = self.queue[0][0]
        rows, data = [], bytearray()
        while self.queue and self.queue[0][0] < first + LATENCY_NS:
            stamp, _, port, content = heapq.heappop(self.queue)
            self.clock = stamp = max(stamp, self.clock)
            content = self._chosen(content)
            if content is None:
                self._answers()
                continue
            rows.append((stamp, len(data), len(content), port))
            data += content
        if not rows:
            return
        inputs = np.array(rows, INPUT)
        batch = self.engine.process(inputs, np.frombuffer(bytes(data), np.uint8))
        inputs["offset"] += len(self.bytes)
        self.rows += inputs.tolist()
        self.bytes += data
        payload = batch.payload.tobytes()
        for output in batch.outputs:
            at = int(output["offset"])
            self.exchange.take(int(output["timestamp"]), payload[at : at + int(output["length"])])
        self._answers()
        for event in batch.events[batch.events["type"] == EventType.GAP]:
            self._recover(int(event["timestamp"]), int(event["value"]), int(event["quantity"]))
        sent = batch.events[batch.events["type"] == EventType.ORDER_SENT]
        self.orders = (self.orders + sent["order_id"].tolist())[-20:]

    def _answers(self) -> None:
        """Bytes of the order session, cut anyhow."""
        for stamp, data in sorted(self.exchange.due, key=lambda each: each[0]):
            while data:
                cut = len(data) if self.rng.random() < 0.9 else int(self.rng.integers(1, len(data) + 1))
                self.put(stamp, Port.SESSION, data[:cut])
                data = data[cut:]
        self.exchange.due.clear()

    def _recover(self, stamp: int, first: int, count: int) -> None:
        if self.rng.random() < 0.2:
            self.put(stamp + 300_000, Port.COMMAND, commands.resume_feed(first + count))
            self.put(stamp + 400_000, Port.COMMAND, commands.trust())
            return
        number = first
        while number < first + count:
            last = min(first + count, number + int(self.rng.integers(1, 20)))
            if self.rng.random() < 0.9:
                messages = [self.tape[i - 1] for i in range(number, last)]
                self.put(stamp + 200_000, Port.RECOVERY, _recovery_frame(number, messages))
            number = last

    def _chosen(self, content: bytes) -> bytes | None:
        if content == b"noise":
            self.exchange.noise(self.clock + LATENCY_NS)
            return None
        if content == b"order":
            return self._host_order()
        if content == b"value":
            symbol = self._symbol()
            return commands.set_taker(symbol, self._taker(symbol))
        if content == b"change":
            return self._host_change()
        if content == b"credit":
            return self._more_credit()
        if content == b"login":
            down = self.engine.state.core["session"][0] == SessionState.DOWN
            return self._login() if down else None
        return content

    def _symbol(self) -> int:
        return int(self.rng.choice(list(self.config.symbols)))

    def _host_order(self) -> bytes:
        rng = self.rng
        kind, tag = rng.random(), int(rng.integers(1, 1 << 32))
        symbol = self._symbol()
        setup = self.config.symbols[symbol]
        if kind < 0.6 or not self.orders:
            price = self._touch(symbol) + int(rng.integers(-5, 6)) * setup.tick
            return commands.new_order(
                symbol, Side(int(rng.integers(2))), max(price, 0), int(rng.integers(0, 500)),
                strategy=int(rng.integers(0, 18)), time_in_force=int(rng.choice([0, 99_998])), tag=tag,
            )  # fmt: skip
        order_id = int(rng.choice(self.orders))
        if kind < 0.8:
            price = self._touch(symbol) + int(rng.integers(-5, 6)) * setup.tick
            return commands.replace_order(order_id, max(price, 0), int(rng.integers(0, 400)), tag=tag)
        if kind < 0.97:
            return commands.cancel_order(order_id, tag=tag)
        return commands.cancel_all(*([symbol] if rng.random() < 0.7 else []), tag=tag)

    def _touch(self, symbol: int) -> int:
        """About where the symbol trades."""
        state = self.engine.state.symbols[symbol]
        setup = self.config.symbols[symbol]
        if state["has_bid"]:
            return setup.base_price + int(state["bid_index"]) * setup.tick
        return setup.base_price + self.config.levels // 2 * setup.tick

    def _host_change(self) -> bytes:
        rng, symbol = self.rng, self._symbol()
        scope: dict[str, int] = [{}, {"symbol": symbol}, {"strategy": int(rng.integers(0, 4))}][int(rng.integers(3))]
        choices = [
            lambda: commands.set_limits(symbol, self._limits()),
            lambda: commands.set_limits(symbol, self._limits()),
            lambda: commands.set_quoter(symbol, self._quoter()),
            lambda: commands.set_quoter(symbol, self._quoter()),
            lambda: commands.set_taker(symbol, self._taker(symbol)),
            lambda: commands.set_taker(symbol, self._taker(symbol)),
            lambda: self._for_a_while(commands.kill(**scope), commands.clear_kill(**scope)),
            lambda: commands.clear_kill(**scope),
            lambda: commands.snapshot(symbol, SnapshotPart(int(rng.integers(0, 16))), depth=int(rng.integers(0, 12))),
            lambda: commands.set_trading(symbol, reg_sho=str(rng.choice(list("012")))),
            lambda: self._for_a_while(
                commands.set_trading(symbol, trading_state=str(rng.choice(list("HPQ")))),
                commands.set_trading(symbol, trading_state="T"),
            ),
            lambda: self._for_a_while(
                commands.set_trading(symbol, enabled=False), commands.set_trading(symbol, enabled=True)
            ),
            lambda: commands.set_trading(market_open=True),
            lambda: commands.trust(symbol),
            lambda: commands.trust(),
            lambda: commands.set_position(
                symbol, position=int(rng.integers(-500, 500)), cash=int(rng.integers(-(10**9), 10**9)), mark=1_000_000
            ),
            lambda: commands.set_symbol(symbol, self.config.symbols[symbol], self.config.levels),
            lambda: self._for_a_while(
                commands.session_down() if rng.random() < 0.5 else commands.logout(), self._login()
            ),
            lambda: bytes([int(rng.integers(0, 256))]) + rng.bytes(1) + bytes([symbol, 0]) + rng.bytes(60)
            if rng.random() < 0.3
            else commands.snapshot(15, SnapshotPart.BOOK),
        ]
        return choices[int(rng.integers(len(choices)))]()

    def _for_a_while(self, done: bytes, undone: bytes) -> bytes:
        self.put(self.clock + int(self.rng.integers(1_000_000, 40_000_000)), Port.COMMAND, undone)
        return done


def _recovery_frame(number: int, messages: list[bytes]) -> bytes:
    of = publisher.RECOVERY
    return frames.udp_frame(
        moldudp64.packet(publisher.SESSION, number, messages),
        source=of.source, destination=of.address, source_port=of.port, destination_port=of.port,
    )  # fmt: skip


def record(tape: Tape, config: Config, *, symbols: int = 16, orders: int = 16384) -> Recording:
    """The inputs of a session over a tape."""
    from engine.path import Engine

    return Session(Engine(symbols, config.levels, orders), tape, config).run()
