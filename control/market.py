"""From a configuration to a world with a device in it: what comes in, which stocks, how the device is set."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import drivers
from control.configuration import SYNTHETIC, Configuration, Faults
from control.events import described
from drivers import commands, settings
from drivers.device import Answer, Batch, Device
from wire.records import CommandError, EventType

if TYPE_CHECKING:
    from control.failover.pair import Pair
    from sim.faults import FaultConfig
    from sim.run import Run
    from sim.sources.tape import Tape
    from sim.world import World

PAIR = "pair"
log = logging.getLogger("hairpin.market")


class RunError(RuntimeError):
    """A run that cannot be made; ``used_wrongly`` where what was asked for is why."""

    def __init__(self, text: str, *, used_wrongly: bool = False) -> None:
        super().__init__(text)
        self.used_wrongly = used_wrongly


@dataclass(frozen=True)
class Source:
    """What comes in: the tape, what it is in words, and by symbol the ladder of each stock followed."""

    tape: Tape
    description: str
    setups: Mapping[int, settings.SymbolSetup]

    @property
    def stocks(self) -> list[str]:
        """The stocks that are followed, by symbol."""
        return [setup.stock for _, setup in sorted(self.setups.items())]


# -- what comes in -------------------------------------------------------------------------------


def source(configuration: Configuration) -> Source:
    """The tape and the stocks that a configuration asks for.

    Raises
    ------
    RunError
        No such file, none that is understood, or a stock that it does not have.
    """
    tape, description = _tape(configuration)
    if not len(tape):
        raise RunError(f"{configuration.input.source}: no messages", used_wrongly=True)
    return Source(tape, description, _setups(configuration, tape))


def _tape(configuration: Configuration) -> tuple[Tape, str]:
    from sim.sources import load

    wanted = configuration.input
    if wanted.source == SYNTHETIC:
        return _synthetic(configuration)
    path = Path(wanted.source)
    try:
        tape = load(path, wanted.symbols or None)
    except OSError as error:
        raise RunError(f"{path}: {error.strerror or error}", used_wrongly=True) from error
    except ValueError as error:
        raise RunError(f"{path}: {error}", used_wrongly=True) from error
    if wanted.messages:
        tape = tape.part(0, wanted.messages)
    return tape, path.name


def _synthetic(configuration: Configuration) -> tuple[Tape, str]:
    from sim.sources.flow import STOCKS, FlowConfig, flow

    wanted = configuration.input
    try:
        config = FlowConfig(
            seed=wanted.seed,
            messages=wanted.messages,
            stocks=wanted.symbols or STOCKS[: min(4, configuration.device.symbols)],
            rate=float(wanted.rate),
            orders=wanted.orders,
        )
        return flow(config), f"Synthetic market, seed {wanted.seed}"
    except ValueError as error:
        raise RunError(f"synthetic market: {error}", used_wrongly=True) from error


def _setups(configuration: Configuration, tape: Tape) -> dict[int, settings.SymbolSetup]:
    """The ladder of each stock: as configured, else around the first prices."""
    from sim.ladder import ladder_for

    room = configuration.device.symbols
    chosen = configuration.input.symbols
    setups: dict[int, settings.SymbolSetup] = {}
    for stock in chosen or [listing.stock for listing in tape.listings()]:
        own = configuration.symbol(stock)
        tick = None if own.tick is None else settings.price(own.tick)
        try:
            ladder = ladder_for(tape, stock, levels=configuration.device.levels, tick=tick)
        except ValueError as error:
            if chosen:
                raise RunError(f"{configuration.input.source}: {error}", used_wrongly=True) from error
            continue  # listed, but without orders: nothing to follow
        base = ladder.base_price if own.base_price is None else settings.price(own.base_price)
        setups[len(setups)] = settings.SymbolSetup(
            stock=stock,
            stock_locate=ladder.listing.stock_locate,
            base_price=base,
            tick=ladder.tick,
            enabled=own.enabled,
        )
        if len(setups) == room:
            break
    if not setups:
        raise RunError(f"{configuration.input.source}: no stock with orders", used_wrongly=True)
    return setups


# -- the world -----------------------------------------------------------------------------------


def world(configuration: Configuration, tape: Tape) -> World:
    """The world around a tape."""
    from sim.faults import CommonLoss
    from sim.publisher import FEED_A, FEED_B
    from sim.venue import VenueConfig
    from sim.world import World, WorldConfig

    feed, venue = configuration.feed, configuration.venue
    config = WorldConfig(
        seed=configuration.input.seed,
        session=feed.session,
        feed_a=replace(FEED_A, address=int(feed.address_a), port=feed.port_a, window_ns=feed.packing_ns),
        feed_b=replace(FEED_B, address=int(feed.address_b), port=feed.port_b, window_ns=feed.packing_ns),
        faults_a=_faults(feed.a),
        faults_b=_faults(feed.b),
        common_loss=CommonLoss(float(feed.common.rate), float(feed.common.messages)),
        venue=VenueConfig(
            order_latency_ns=venue.order_latency_ns,
            answer_latency_ns=venue.answer_latency_ns,
            jitter_ns=venue.jitter_ns,
            username=venue.username,
            password=venue.password,
            ouch=venue.version,
        ),
        tick_ns=configuration.device.tick_ns,
        host_heartbeat_ns=configuration.portfolio.heartbeat_ns // 3,
        recovery_ns=feed.recovery_ns or None,
    )
    return World(tape, config)


def _faults(faults: Faults) -> FaultConfig:
    from sim.faults import FaultConfig

    return FaultConfig(
        loss=float(faults.loss),
        duplication=float(faults.duplication),
        reordering=float(faults.reordering),
        corruption=float(faults.corruption),
        delay_ns=faults.delay_ns,
        jitter_ns=faults.jitter_ns,
        late_ns=faults.late_ns,
    )


# -- the device ----------------------------------------------------------------------------------


def open_device(
    name: str, configuration: Configuration, say: Callable[[str], None], *, waveform: Path | None = None
) -> Device:
    """A device of the configured size; the twin is built where it is not there yet, and writes the waveform.

    ``pair`` is the twin with the engine as its shadow (`control.failover.pair`).

    Raises
    ------
    RunError
        It could not be made; the text says what to do.
    """
    sizes = configuration.device
    made = {"symbols": sizes.symbols, "levels": sizes.levels, "orders": sizes.orders}
    try:
        if name == "twin":
            return drivers.open(name, **made, report=say, waveform=waveform)
        if name == PAIR:
            return _pair(made, say)
        return drivers.open(name, **made)
    except (RuntimeError, ImportError) as error:
        raise RunError(f"{name}: {error}\nhairpin doctor says what is missing") from error
    except ValueError as error:
        raise RunError(f"{name}: {error}", used_wrongly=True) from error


def _pair(sizes: dict[str, int], say: Callable[[str], None]) -> Pair:
    from control.failover.pair import Pair
    from drivers.card import CardDevice
    from drivers.software import SoftwareDevice

    card, shadow = drivers.open("twin", **sizes, report=say), SoftwareDevice(**sizes)
    assert isinstance(card, CardDevice)
    return Pair(card, shadow, lambda text: log.critical("%s", text), shadow.begin_after)


def commands_for(configuration: Configuration, setups: Mapping[int, settings.SymbolSetup]) -> list[bytes]:
    """What sets a device from nothing: feed, limits, symbols, quoters; then a heartbeat, and the login.

    Raises
    ------
    RunError
        A value that does not fit the device.
    """
    feed, venue, general = configuration.feed, configuration.venue, configuration.portfolio
    made = [
        commands.set_feed(
            settings.Feed(
                start_sequence=1,
                hold_ns=feed.hold_ns,
                session=feed.session,
                address_a=int(feed.address_a),
                port_a=feed.port_a,
                address_b=int(feed.address_b),
                port_b=feed.port_b,
                strict=feed.strict,
            )
        ),
        commands.set_global(general.settings(general.firm, general.token_prefix)),
    ]
    for symbol, setup in setups.items():
        own = configuration.symbol(setup.stock)
        try:
            quoter = own.quoter.settings(setup.tick * settings.PRICE_UNIT)
            made += [
                commands.set_symbol(symbol, setup, configuration.device.levels),
                commands.set_limits(symbol, own.limits.settings()),
                commands.set_quoter(symbol, quoter),
            ]
        except ValueError as error:
            raise RunError(f"{setup.stock}: {error}", used_wrongly=True) from error
    return [*made, commands.heartbeat(), commands.login(venue.username, venue.password, ouch=venue.version)]


def start(
    around: World,
    device: Any,
    configuration: Configuration,
    setups: Mapping[int, settings.SymbolSetup],
    **options: Any,
) -> Run:
    """A device in its world, configured at the world's beginning and logging in.

    Raises
    ------
    RunError
        A value that does not fit the device, or that it refused.
    """
    refused: list[str] = []

    def check(batch: Batch) -> None:
        events = batch.events
        for event in events[(events["type"] == EventType.COMMAND) & (events["info"] != CommandError.NONE)]:
            told = described(event, [setup.stock for setup in setups.values()])
            refused.append(f"{told['command']} {told.get('stock', '')}: {told['error']}")

    begin = around.begin
    run = around.start(device, [(begin, data) for data in commands_for(configuration, setups)], **options)
    stop = device.subscribe(check)
    run.advance(begin + 1)
    stop()
    if refused:
        raise RunError(f"the device refused its configuration: {'; '.join(refused)}")
    return run


# -- the demo market -----------------------------------------------------------------------------


class DemoMarket:
    """A synthetic or recorded market that goes on in its own time, with a device in it.

    Parameters
    ----------
    configuration : Configuration
    name : str
        Which device.
    say : callable
        Told what is being done.
    """

    def __init__(self, configuration: Configuration, name: str, say: Callable[[str], None]) -> None:
        wanted = configuration.input
        if wanted.source == SYNTHETIC:
            rate = configuration.serve.rate
            messages = 60 * configuration.serve.minutes * rate
            wanted = wanted.model_copy(update={"messages": messages, "rate": rate})
            say(f"making a market of {configuration.serve.minutes} minutes")
        self._configuration = configuration.model_copy(update={"input": wanted})
        self.source = source(self._configuration)
        self._world = world(self._configuration, self.source.tape)
        self._device = open_device(name, configuration, say)
        self._check: Callable[[], None] | None = getattr(self._device, "check", None)
        self._run: Run | None = None
        self._opens = self._opening()

    @property
    def device(self) -> Device:
        """The device."""
        return self._device

    @property
    def now(self) -> int:
        """The market's time, ns since midnight."""
        return self._world.begin if self._run is None else self._run.now

    @property
    def finished(self) -> bool:
        """Whether the tape is over."""
        return self._run is not None and self._run.finished

    @property
    def setups(self) -> Mapping[int, settings.SymbolSetup]:
        """The ladder of every symbol."""
        return self.source.setups

    def open(self) -> None:
        """Configure the device and let the market come to its opening, as fast as it goes."""
        self._run = start(self._world, self._device, self._configuration, self.source.setups, keep_events=False)
        self._run.advance(self._opens)

    def advance(self, to: int) -> None:
        """Let everything happen before ``to``."""
        if self._run is not None:
            self._run.advance(min(to, self._world.end))
            if self._check is not None:
                self._check()

    def command(self, data: bytes) -> Answer:
        """Hand the device a command now."""
        return self._device.command(data, max(self.now, self._device.clock))

    def _opening(self) -> int:
        """When trading begins: at the system event Q, or with the first message."""
        import numpy as np

        from wire.itch import SYSTEM_EVENT

        tape = self.source.tape
        events = np.flatnonzero(tape.types == ord("S"))
        codes = tape.buffer[tape.offsets[events] + SYSTEM_EVENT.offset("event_code")]
        opens = events[codes == ord("Q")]
        return int(tape.timestamps[opens[0] if len(opens) else 0])
