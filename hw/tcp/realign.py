"""Bytes moved from some lanes of a word to others, across words."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.streams import BEAT_BYTES

LANES = range(BEAT_BYTES)


class Realigned(data.Struct):
    """A word of which the lanes below ``end`` mean something; in the ``first`` those from the target lane on."""

    data: 64
    first: 1
    last: 1
    end: 4


class Realign(wiring.Component):
    """Takes a run of bytes out of words and lays it down with another alignment.

    Parameters
    ----------
    length_bits : int

    Members
    -------
    start : In(1)
        Pulse: a run begins, whatever became of the one before. The cycle in which ``i`` is taken first is the next but one.
    lane, target, length : In
        Where its first byte is in the first word, where it is to be, and how many bytes it has, at least 1. With ``start``.
    i : In(stream of 64 bits)
        Words from the first byte's on. ``ready`` as long as some of the run are missing.
    o : Out(stream of Realigned)
        2 cycles behind the word that completes it, a word per cycle.
    busy : Out(1)
        Not all of the run has been taken from ``o``.
    """

    def __init__(self, length_bits: int):
        super().__init__(
            {
                "start": In(1),
                "lane": In(3),
                "target": In(3),
                "length": In(length_bits),
                "i": In(stream.Signature(64)),
                "o": Out(stream.Signature(Realigned)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        i, o = self.i, self.o
        words = len(self.length) - 2

        # ``sources`` words are to be taken, ``results`` to be given. Where bytes move into lower lanes, the first word
        # alone gives nothing; where they move into higher ones, the last word may give two.
        turn, end, lags = Signal(3), Signal(3), Signal()
        sources, results, steps = Signal(words), Signal(words), Signal(words)
        setting = Signal()
        source_bytes, result_bytes = Signal(len(self.length) + 1), Signal(len(self.length) + 1)
        m.d.sync += setting.eq(self.start)
        with m.If(self.start):
            m.d.sync += [
                turn.eq(self.target - self.lane),
                lags.eq(self.target < self.lane),
                source_bytes.eq(self.lane + self.length + (BEAT_BYTES - 1)),
                result_bytes.eq(self.target + self.length + (BEAT_BYTES - 1)),
            ]

        move = Signal()
        turned, turned_valid, turned_first, previous = Signal(64), Signal(), Signal(), Signal(64)
        first, waits = Signal(), Signal()
        step = Signal()
        m.d.comb += [
            move.eq(o.ready | ~o.valid),
            i.ready.eq(move & (sources != 0)),
            # When all words are in there may be one more to come out.
            step.eq((steps != 0) & (i.valid | (sources == 0))),
            self.busy.eq(self.start | setting | (steps != 0) | turned_valid | o.valid),
        ]
        octets = Array(i.payload[8 * n : 8 * n + 8] for n in LANES)
        with m.If(move):
            m.d.sync += [turned_valid.eq(step), o.valid.eq(0)]
            with m.If(step):
                m.d.sync += [
                    turned.eq(Cat(octets[(n - turn)[:3]] for n in LANES)),
                    turned_first.eq(first),
                    first.eq(0),
                    steps.eq(steps - 1),
                ]
                with m.If(sources != 0):
                    m.d.sync += sources.eq(sources - 1)
            with m.If(turned_valid):
                m.d.sync += previous.eq(turned)
                with m.If(~(turned_first & lags)):
                    m.d.sync += [
                        o.valid.eq(1),
                        o.payload.data.eq(
                            Cat(
                                Mux(n < turn, previous[8 * n : 8 * n + 8], turned[8 * n : 8 * n + 8])
                                for n in LANES
                            )
                        ),
                        o.payload.first.eq(waits),
                        o.payload.last.eq(results == 1),
                        o.payload.end.eq(Mux(results == 1, end + 1, BEAT_BYTES)),
                        waits.eq(0),
                        results.eq(results - 1),
                    ]
        with m.If(setting):
            m.d.sync += [
                sources.eq(source_bytes[3:]),
                results.eq(result_bytes[3:]),
                steps.eq(result_bytes[3:] + lags),
                end.eq(result_bytes[:3]),
                first.eq(1),
                waits.eq(1),
            ]
        with m.If(self.start):
            m.d.sync += [sources.eq(0), steps.eq(0), turned_valid.eq(0)]
        return m
