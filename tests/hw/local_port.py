"""A port's local responder as a model: frames in, frames out, milliseconds, counters."""

from __future__ import annotations

import random

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.net.local.responder import COUNTERS, LocalResponder
from hw.net.mac.frame import Received
from tests.hw.verilated import Model
from wire.ipv4 import address

MAC = bytes.fromhex("02cafe123456")
ADDRESS, NETMASK, GATEWAY = "10.77.0.2", "255.255.255.0", "10.77.0.254"
TICK_CYCLES = 40
"""Of a millisecond here: what the membership table needs for one sweep."""

# Short times, so that tests are; one set for all of them, so that there is one model to build.
ENTRIES, TRIES, RETRY_MS, AGE_SECONDS = 4, 3, 20, 3
BURST, INTERVAL_MS = 4, 3
GROUPS = 8


class Port(wiring.Component):
    """The responder with totals of its counters; ``rx`` without its constant ``ready``."""

    def __init__(self, groups: int = GROUPS):
        arp = {"entries": ENTRIES, "tries": TRIES, "retry_ms": RETRY_MS, "age_seconds": AGE_SECONDS}
        self.responder = LocalResponder(groups, arp=arp, icmp={"burst": BURST, "interval_ms": INTERVAL_MS})
        members = dict(self.responder.signature.members)
        for name in COUNTERS:
            del members[f"count_{name}"]
        super().__init__(
            {
                **members,
                "rx": In(stream.Signature(Received)),
                **{f"total_{name}": Out(32) for name in COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.responder = responder = self.responder
        m.d.comb += [
            responder.rx.payload.eq(self.rx.payload),
            responder.rx.valid.eq(self.rx.valid),
            self.rx.ready.eq(1),
        ]
        for name in ("mac", "address", "netmask", "gateway", "groups", "tick_ms", "announce"):
            if name in self.signature.members:
                m.d.comb += getattr(responder, name).eq(getattr(self, name))
        connect(m, flipped(self.resolve), responder.resolve)
        connect(m, responder.resolved, flipped(self.resolved))
        connect(m, responder.tx, flipped(self.tx))
        for name in COUNTERS:
            total = getattr(self, f"total_{name}")
            m.d.sync += total.eq(total + getattr(responder, f"count_{name}"))
        return m


def beats(frame: bytes, bad: bool = False) -> list[int]:
    """Payloads of ``rx`` that carry a frame."""
    pieces = [frame[n : n + 8] for n in range(0, max(len(frame), 1), 8)]
    last = len(pieces) - 1
    return [
        int.from_bytes(piece, "little") | (n == last) << 64 | len(piece) << 65 | (bad and n == last) << 69
        for n, piece in enumerate(pieces)
    ]


class LocalPort:
    """Runs a port cycle by cycle.

    ``sent`` has the frames that came out; ``stalls`` is the share of cycles in which ``tx`` is not ready. A frame of
    ``tx`` with a hole in it fails at once.
    """

    def __init__(self, component: Port | None = None):
        self.model = Model(component or Port())
        self._valid, self._ready, self._payload = (self.model[f"tx__{name}"] for name in ("valid", "ready", "payload"))
        self.reset()

    def reset(self, seed: int = 1) -> None:
        """As new. Only the memories keep what is in them, as on the card."""
        self.seed, self.stalls = random.Random(seed), 0.0
        self.sent: list[bytes] = []
        self.sent_at: list[int] = []
        self._frame, self._inside = bytearray(), False
        self.milliseconds, self.latest = 0, 0
        ports = self.model
        for name in ("tick_ms", "announce", "rx__valid", "resolve__valid", "resolved__ready", "groups"):
            if name in ports.ports:
                ports[name].value = 0
        ports["mac"].value = int.from_bytes(MAC, "big")
        for name, value in (("address", ADDRESS), ("netmask", NETMASK), ("gateway", GATEWAY)):
            ports[name].value = address(value)
        ports["rst"].value = 1
        ports.step()
        ports["rst"].value = 0
        self._before = dict.fromkeys(COUNTERS, 0)
        self.run(20)

    def cycle(self) -> None:
        """One cycle."""
        self.run(1)

    def run(self, cycles: int) -> None:
        """Cycles in which the inputs stay."""
        model, step, valid, ready = self.model, self.model.step, self._valid, self._ready
        ready.value = 1
        model.settle()
        for _ in range(cycles):
            if self.stalls:
                ready.value = self.seed.random() >= self.stalls
                model.settle()
            if valid.value:
                self._beat(bool(ready.value))
            else:
                assert not self._inside, "a hole in a frame"
            step()

    def _beat(self, taken: bool) -> None:
        if not self._inside:
            self._begun = self.model.cycles
        if taken:
            payload = self._payload.value
            count, last = payload >> 65, payload >> 64 & 1
            assert count == 8 or (last and 0 < count < 8)
            self._frame += (payload & (1 << 64) - 1).to_bytes(8, "little")[:count]
            self._inside = not last
            if last:
                self.sent.append(bytes(self._frame))
                self.sent_at.append(self._begun)
                self._frame.clear()

    def send(self, frame: bytes, *, bad: bool = False, holes: float = 0.0) -> None:
        """A frame into ``rx``, with holes between its beats."""
        for payload in beats(frame, bad):
            while holes and self.seed.random() < holes:
                self.cycle()
            self.model["rx__valid"].value, self.model["rx__payload"].value = 1, payload
            self.cycle()
            self.model["rx__valid"].value = 0
        self.latest = self.model.cycles

    def settle(self, quiet: int = 300) -> None:
        """Until nothing has come out for a while that is longer than any frame takes to be answered."""
        before, left = len(self.sent), 1100
        while left > 0:
            self.run(20)
            left -= 20
            if self._inside or len(self.sent) != before:
                before, left = len(self.sent), quiet

    def tick(self, milliseconds: int = 1, cycles: int = TICK_CYCLES) -> None:
        """Lets milliseconds pass, and waits for what they set off."""
        for _ in range(milliseconds):
            self.model["tick_ms"].value = 1
            self.run(1)
            self.model["tick_ms"].value = 0
            self.run(cycles - 1)
            self.milliseconds += 1

    def skip(self, seconds: int) -> None:
        """Lets seconds pass a millisecond per cycle: only for times in which nothing waits for its millisecond."""
        self.model["tick_ms"].value = 1
        self.run(1000 * seconds)
        self.model["tick_ms"].value = 0
        self.run(TICK_CYCLES)

    def taken(self) -> list[bytes]:
        """The frames sent since the last call."""
        frames, self.sent = self.sent, []
        self.sent_at = []
        return frames

    def counted(self) -> dict[str, int]:
        """What the counters have counted since the last call, without those that did not count."""
        now = {name: self.model[f"total_{name}"].value for name in COUNTERS}
        before, self._before = self._before, now
        return {name: now[name] - before[name] for name in COUNTERS if now[name] != before[name]}

    # -- configuration -----------------------------------------------------------------------------

    def groups(self, *table: str | None) -> None:
        """The table of groups, from its first place; None is not enabled."""
        value = 0
        for n, group in enumerate(table):
            if group is not None:
                value |= (address(group) | 1 << 32) << 33 * n
        self.model["groups"].value = value

    def pulse(self, name: str) -> None:
        self.model[name].value = 1
        self.cycle()
        self.model[name].value = 0

    # -- resolving -----------------------------------------------------------------------------------

    def ask(self, target: str) -> None:
        """Hands an address to ``resolve``."""
        ports = self.model
        ports["resolve__payload"].value, ports["resolve__valid"].value = address(target), 1
        for _ in range(5000):
            ports.settle()
            ready = ports["resolve__ready"].value
            self.cycle()
            if ready:
                ports["resolve__valid"].value = 0
                return
        raise AssertionError("resolve is stuck")

    def answer(self) -> bytes | bool | None:
        """The MAC address that was found, False if none was, None if there is no answer yet."""
        ports = self.model
        ports.settle()
        if not ports["resolved__valid"].value:
            return None
        payload = ports["resolved__payload"].value
        ports["resolved__ready"].value = 1
        self.cycle()
        ports["resolved__ready"].value = 0
        return (payload & (1 << 48) - 1).to_bytes(6, "big") if payload >> 48 else False
