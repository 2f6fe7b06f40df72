"""A card that only echoes: the ports of `hw.appliance.Appliance`, so that the harness is tested without it.

Every frame, session chunk and tick comes back as an order packet (a tick as one byte), stamped with ``now``
at its first beat, its cause the number of packets before it. Every command comes back as an event.
``pause`` cycles go by after each before the next is taken; register 0 reads a constant, register 4 counts
what was taken, register 8 keeps what is written.
"""

from pathlib import Path

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from sim.twin import Design

MAGIC = 0x57A2D121


class Beat(data.Struct):
    data: 64
    last: 1
    count: 4


class StandIn(wiring.Component):
    def __init__(self, pause: int, *, deaf: bool = False):
        self.pause, self.deaf = pause, deaf
        beats = {
            name: In(stream.Signature(Beat))
            for name in ("feed_a", "feed_b", "recovery", "session_in", "command")
        }
        super().__init__(
            beats
            | {
                "tick": In(stream.Signature(1)),
                "now": In(64),
                "order": Out(stream.Signature(Beat)),
                "order_stamp": Out(64),
                "order_cause": Out(64),
                "event": Out(stream.Signature(64)),
                "csr_address": In(16),
                "csr_write": In(1),
                "csr_write_data": In(32),
                "csr_read": In(1),
                "csr_read_data": Out(32),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.orders = orders = fifo.SyncFIFOBuffered(width=69 + 64 + 64, depth=64)
        m.submodules.events = events = fifo.SyncFIFOBuffered(width=64, depth=64)
        taken, kept = Signal(32), Signal(32)
        rest, chosen, busy, inside = Signal(range(self.pause + 2)), Signal(range(6)), Signal(), Signal()
        stamp = Signal(64)
        m.d.comb += [
            Cat(self.order.payload.as_value(), self.order_stamp, self.order_cause).eq(orders.r_data),
            self.order.valid.eq(orders.r_rdy),
            orders.r_en.eq(self.order.ready),
            self.event.payload.eq(events.r_data),
            self.event.valid.eq(events.r_rdy),
            events.r_en.eq(self.event.ready),
            self.idle.eq(~busy & (rest == 0) & (orders.level == 0) & (events.level == 0)),
        ]

        ports = [self.feed_a, self.feed_b, self.recovery, self.session_in, self.command, self.tick]
        with m.If(rest != 0):
            m.d.sync += rest.eq(rest - 1)
        with m.If(~busy & (rest == 0)):
            for number, port in reversed(list(enumerate(ports))):
                with m.If(port.valid & (not self.deaf)):
                    m.d.sync += [chosen.eq(number), busy.eq(1)]
        first_stamp = Mux(inside, stamp, self.now)
        with m.Switch(chosen):
            for number, port in enumerate(ports):
                with m.Case(number):
                    beat = port.payload if number < 5 else Beat.const({"last": 1, "count": 1})
                    room = events.w_rdy if number == 4 else orders.w_rdy
                    m.d.comb += port.ready.eq(busy & room)
                    if number == 4:
                        m.d.comb += [events.w_data.eq(beat.data), events.w_en.eq(port.valid & busy)]
                    else:
                        bits = beat.as_value()
                        m.d.comb += [
                            orders.w_data.eq(Cat(bits, first_stamp, Cat(taken, kept[:0], Signal(32)))),
                            orders.w_en.eq(port.valid & busy),
                        ]
                    with m.If(port.valid & port.ready):
                        m.d.sync += [inside.eq(1), stamp.eq(first_stamp)]
                        with m.If(beat.last):
                            m.d.sync += [taken.eq(taken + 1), busy.eq(0), inside.eq(0), rest.eq(self.pause)]

        with m.If(self.csr_write & (self.csr_address == 8)):
            m.d.sync += kept.eq(self.csr_write_data)
        with m.If(self.csr_read), m.Switch(self.csr_address):
            for address, value in {0: MAGIC, 4: taken, 8: kept}.items():
                with m.Case(address):
                    m.d.sync += self.csr_read_data.eq(value)
        return m


def stand_in(pause: int = 3, *, deaf: bool = False, **more: object) -> Design:
    """The stand-in as a design of the twin; ``deaf`` takes nothing."""
    return Design("stand-in", lambda: StandIn(pause, deaf=deaf), f"{pause} {deaf}", (Path(__file__),), **more)
