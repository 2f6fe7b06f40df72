"""Messages out of a stream of bytes in which each has two bytes of length before it.

The framing of MoldUDP64's message blocks and of SoupBinTCP's packets: a big-endian length, then as many
bytes.
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.streams import BEAT_BYTES, Beat

LENGTH_BYTES = 2


class Splitter(wiring.Component):
    """Cuts a stream of bytes into messages.

    Members
    -------
    i : In(stream of Beat)
        The bytes. ``last`` means nothing, any beat may hold 0 to 8 bytes: a stream may be cut anywhere, and
        goes on.
    o : Out(stream of Beat)
        The messages without their length, each from byte 0 of a beat on, its end marked with ``last``. A
        message of length 0 is one beat with count 0.
    clear : In(1)
        Forgets what has come in, also half a message.
    busy : Out(1)
        Something can still come out without more bytes.

    A beat of a message comes out 2 cycles after the last byte of it has come in. A full beat takes 2 cycles,
    a length one more. What does not fit waits at ``i``.
    """

    i: In(stream.Signature(Beat))
    o: Out(stream.Signature(Beat))
    clear: In(1)
    busy: Out(1)

    def elaborate(self, platform):
        m = Module()
        size = 2 * BEAT_BYTES
        # A ring of 16 bytes: read at ``front``, filled at ``back``, ``level`` bytes in between.
        ring = [Signal(8, name=f"byte_{n}") for n in range(size)]
        front, back, level = Signal(range(size)), Signal(range(size)), Signal(range(size + 1))
        remaining, inside = Signal(16), Signal()  # bytes of the message still to come
        short = Signal()
        wanted = Signal(4)
        m.d.comb += [
            short.eq(remaining <= BEAT_BYTES),
            wanted.eq(Mux(short, remaining, BEAT_BYTES)),
        ]
        ahead = Signal(8 * BEAT_BYTES)
        with m.Switch(front):
            for n in range(size):
                with m.Case(n):
                    m.d.comb += ahead.eq(Cat(ring[(n + k) % size] for k in range(BEAT_BYTES)))

        free, header, body = Signal(), Signal(), Signal()
        m.d.comb += [
            free.eq(self.o.ready | ~self.o.valid),
            header.eq(~inside & (level >= LENGTH_BYTES)),
            body.eq(inside & (level >= wanted)),
            self.i.ready.eq(~header & ~body & (level <= BEAT_BYTES)),
            self.busy.eq(header | body | self.o.valid | self.i.valid),
        ]
        with m.If(free):
            m.d.sync += self.o.valid.eq(0)

        with m.If(header):
            m.d.sync += [
                remaining.eq(Cat(ahead[8:16], ahead[:8])),
                inside.eq(1),
                front.eq(front + LENGTH_BYTES),
                level.eq(level - LENGTH_BYTES),
            ]
        with m.Elif(body & free):
            m.d.sync += [
                self.o.valid.eq(1),
                self.o.payload.data.eq(ahead),
                self.o.payload.count.eq(wanted),
                self.o.payload.last.eq(short),
                remaining.eq(remaining - wanted),
                inside.eq(~short),
                front.eq(front + wanted),
                level.eq(level - wanted),
            ]

        # Eight bytes go in wherever ``back`` is; those beyond the beat's count are overwritten by the next.
        turned = Signal(8 * BEAT_BYTES)
        octets = [self.i.payload.data[8 * n : 8 * n + 8] for n in range(BEAT_BYTES)]
        with m.Switch(back[:3]):
            for n in range(BEAT_BYTES):
                with m.Case(n):
                    m.d.comb += turned.eq(Cat(octets[(k - n) % BEAT_BYTES] for k in range(BEAT_BYTES)))
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [level.eq(level + self.i.payload.count), back.eq(back + self.i.payload.count)]
            for n, octet in enumerate(ring):
                lane = n % BEAT_BYTES
                with m.If((n - back)[:4] < BEAT_BYTES):
                    m.d.sync += octet.eq(turned[8 * lane : 8 * lane + 8])

        with m.If(self.clear):
            m.d.sync += [signal.eq(0) for signal in (level, front, back, inside, self.o.valid)]
        return m
