"""The TCP engine in Verilator with a port of frames and a session's bytes around it, driven from Python."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.tcp.engine import COUNTERS, TcpEngine
from hw.tcp.segment import State
from tests.hw.verilated import Model

LOCAL_MAC, REMOTE_MAC = 0x02_00_00_00_00_02, 0x02_00_00_00_00_01
LOCAL_ADDRESS, REMOTE_ADDRESS = 0x0A090002, 0x0A090001  # 10.9.0.2 and 10.9.0.1
LOCAL_PORT, REMOTE_PORT = 40123, 4000
PULSES = ("reset_received", "closed", "timed_out", *(f"count_{name}" for name in COUNTERS))
HELD = (
    "local_mac", "remote_mac", "local_address", "remote_address", "local_port", "remote_port", "initial_sequence",
    "rto_initial", "rto_maximum", "time_wait",
)  # fmt: skip
COMMANDS = ("connect", "close", "abort")


class Bench(wiring.Component):
    """The engine with ports that fit machine words, a clock of microseconds, and counters of its pulses."""

    def __init__(self, **parameters: int) -> None:
        self.engine = TcpEngine(**parameters)
        members = self.engine.signature.members
        super().__init__(
            {
                **{name: members[name] for name in HELD},
                "command": In(len(COMMANDS)),
                "microsecond": In(8),  # cycles
                "rx_data": In(64),
                "rx_control": In(7),  # count, last, bad, valid
                "send_data": In(64),
                "send_control": In(6),  # count, last, valid
                "tx_ready": In(1),
                "receive_ready": In(1),
                "tx_data": Out(64),
                "receive_data": Out(64),
                "control": Out(14),  # tx count, last, valid; receive count, last, valid; send ready; established
                "state": Out(State),
                "remote_window": Out(16),
                "unacknowledged": Out(16),
                **{name: Out(32) for name in PULSES},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.engine = engine = self.engine
        rx, send = engine.rx, engine.send
        m.d.comb += [getattr(engine, name).eq(getattr(self, name)) for name in HELD]
        m.d.comb += [
            Cat(getattr(engine, name) for name in COMMANDS).eq(self.command),
            rx.payload.data.eq(self.rx_data),
            Cat(rx.payload.count, rx.payload.last, rx.payload.bad, rx.valid).eq(self.rx_control),
            send.payload.data.eq(self.send_data),
            Cat(send.payload.count, send.payload.last, send.valid).eq(self.send_control),
            engine.tx.ready.eq(self.tx_ready),
            engine.receive.ready.eq(self.receive_ready),
            self.tx_data.eq(engine.tx.payload.data),
            self.receive_data.eq(engine.receive.payload.data),
            self.control.eq(
                Cat(
                    *(Cat(each.payload.count, each.payload.last, each.valid) for each in (engine.tx, engine.receive)),
                    send.ready,
                    engine.established,
                )
            ),
            *(getattr(self, name).eq(getattr(engine, name)) for name in ("state", "remote_window", "unacknowledged")),
        ]
        cycle = Signal(8)
        m.d.comb += engine.tick_us.eq(cycle == 0)
        m.d.sync += cycle.eq(cycle + 1)
        with m.If(cycle >= self.microsecond - 1):
            m.d.sync += cycle.eq(0)
        for name in PULSES:
            with m.If(getattr(engine, name)):
                m.d.sync += getattr(self, name).eq(getattr(self, name) + 1)
        return m


_MODELS: dict[tuple[tuple[str, int], ...], Model] = {}


def _model(parameters: dict[str, int]) -> Model:
    """A model after reset: made once for the same parameters, used by one card at a time."""
    key = tuple(sorted(parameters.items()))
    if key not in _MODELS:
        _MODELS[key] = Model(Bench(**parameters))
    model = _MODELS[key]
    for name in ("rx_control", "send_control", "command"):
        model[name].value = 0
    model["rst"].value = 1
    model.step()
    model["rst"].value = 0
    model.settle()
    model.cycles = 0
    return model


def beats(data: bytes, bad: bool = False) -> list[tuple[int, int]]:
    """Data and control of the beats of a frame or packet."""
    pieces = [data[n : n + 8] for n in range(0, max(len(data), 1), 8)]
    last = len(pieces) - 1
    return [(int.from_bytes(piece, "little"), len(piece) | (n == last) << 4 | bad << 5) for n, piece in enumerate(pieces)]


class Card:
    """The engine and what is at its ports.

    Parameters
    ----------
    microsecond : int
        Cycles.
    parameters
        Of :class:`TcpEngine`.

    ``frames`` is what it has transmitted, each with the cycle of its first beat; ``received`` what the session got,
    ``chunks`` where it was cut by ``last``. ``arrive`` puts a frame on the port, ``order`` a packet before the session.
    ``on_frame`` is called with each frame when its last beat has left.
    """

    def __init__(self, microsecond: int = 8, **parameters: int) -> None:
        self.model = _model(parameters)
        self.frames: list[tuple[int, bytes]] = []
        self.received, self.chunks = bytearray(), []
        self.inbox: deque[tuple[int, int]] = deque()
        self.outbox: deque[tuple[int, int]] = deque()
        self.offered: dict[int, int] = {}
        self.accepted: list[tuple[int, int]] = []  # cycle of the first beat at the port, and of its being taken
        self.on_frame: Callable[[int, bytes], None] | None = None
        self.tx_ready: Callable[[int], int] | None = None
        self.receive_ready: Callable[[int], int] | None = None
        self._before = dict.fromkeys(PULSES, 0)
        self._frame, self._began, self._since, self._middle = bytearray(), 0, None, False
        self.configure(
            microsecond=microsecond, local_mac=LOCAL_MAC, remote_mac=REMOTE_MAC, local_address=LOCAL_ADDRESS,
            remote_address=REMOTE_ADDRESS, local_port=LOCAL_PORT, remote_port=REMOTE_PORT, initial_sequence=1000,
            rto_initial=200, rto_maximum=1600, time_wait=100,
        )  # fmt: skip
        self.set("tx_ready", 1)
        self.set("receive_ready", 1)
        self.run(10)

    def set(self, name: str, value: int) -> None:
        self.model[name].value = value

    def get(self, name: str) -> int:
        return self.model[name].value

    def configure(self, **values: int) -> None:
        for name, value in values.items():
            self.set(name, value)

    def pulse(self, name: str) -> None:
        """A command."""
        self.set("command", 1 << COMMANDS.index(name))
        self.run(1)
        self.set("command", 0)

    @property
    def state(self) -> State:
        return State(self.get("state"))

    @property
    def cycles(self) -> int:
        return self.model.cycles

    def counts(self) -> Counter[str]:
        """What was counted since the last call, without the zeros."""
        now = {name: self.get(name) for name in PULSES}
        found = Counter({name.removeprefix("count_"): now[name] - self._before[name] for name in PULSES})
        self._before = now
        return +found

    def arrive(self, frame: bytes, bad: bool = False, gap: int = 0) -> None:
        """A frame on the port, after ``gap`` idle cycles."""
        self.inbox.extend([(0, 0)] * gap)
        self.inbox.extend((data, control | 1 << 6) for data, control in beats(frame, bad))

    def order(self, packet: bytes) -> None:
        """A packet for the session to send."""
        self.outbox.extend(beats(packet))

    def run(self, cycles: int) -> None:
        for _ in range(cycles):
            self.step()

    def until(self, condition: Callable[[], object], limit: int = 100_000) -> None:
        """Runs until a condition holds."""
        for _ in range(limit):
            if condition():
                return
            self.step()
        raise AssertionError(f"it did not come to be within {limit} cycles; state {self.state.name}")

    def step(self) -> None:
        """A cycle: what is at the ports is exchanged, then the clock ticks."""
        model, now = self.model, self.model.cycles
        control = model["control"].value
        if self.tx_ready is not None:
            self.set("tx_ready", self.tx_ready(now))
        if self.receive_ready is not None:
            self.set("receive_ready", self.receive_ready(now))
        if control & 0x20:  # tx valid
            if not self._frame:
                self._began = self._began or now
            if model["tx_ready"].value:
                count = control & 15
                self._frame += model["tx_data"].value.to_bytes(8, "little")[:count]
                if control & 0x10:
                    frame = bytes(self._frame)
                    self.frames.append((self._began, frame))
                    self._frame.clear()
                    self._began = 0
                    if self.on_frame is not None:
                        self.on_frame(now, frame)
                else:
                    assert count == 8
        else:
            assert not self._frame, "a hole in a frame"
        if control & 0x800 and model["receive_ready"].value:
            count = control >> 6 & 15
            self.received += model["receive_data"].value.to_bytes(8, "little")[:count]
            if control & 0x400:
                self.chunks.append(len(self.received))
            else:
                assert count == 8
        if self.inbox:
            model["rx_data"].value, model["rx_control"].value = self.inbox.popleft()
        else:
            model["rx_control"].value = 0
        if self.outbox:
            data, flags = self.outbox[0]
            model["send_data"].value, model["send_control"].value = data, flags | 1 << 5
            if self._since is None and not self._middle:
                self._since = now
            if control & 0x1000:  # send ready
                self.outbox.popleft()
                if not self._middle:
                    self.accepted.append((self._since, now))
                    self._since = None
                self._middle = not flags & 0x10
        else:
            model["send_control"].value = 0
        model.step()
