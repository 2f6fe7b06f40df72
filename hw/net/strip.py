"""Taking a header off: the bytes behind it, realigned to whole beats."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.segment import Segment, Verdict


class Strip(wiring.Component):
    """The part that all layers share: cuts a frame behind its header, holds its end back until the layer has
    judged it.

    Parameters
    ----------
    lanes : sequence of int
        The bytes of a beat in which what is behind the header may begin.
    wait : int
        Cycles from the frame's last beat to the verdict on it, at least 1.

    Members
    -------
    i : In(stream of Segment)
    o : Out(stream of Segment)
        What is behind the header, from byte 0 of a beat on.
    taken : Out(1)
        A beat is taken from ``i`` in this cycle.
    number : Out(4)
        How many beats of the frame came before it, at most 15.
    begin, lane : In(1), In(3)
        The beat holds the first byte behind the header, in this lane.
    inject, inject_data : In(1), In(64)
        Puts a beat before what is behind the header. Only with a beat before it begins, or with that very
        beat.
    count : In(4)
        How many bytes of the beat count, at most as many as there are. When it is less than 8, nothing of the
        frame counts behind it.
    verdict : In(Verdict)
        The layer's own verdict, ``wait`` cycles after the last beat until the next frame begins.

    Latency 1 cycle, but the bytes of a beat that the next one completes wait for it. One beat per cycle, and
    ``wait + 1`` cycles more per frame. It overwrites nothing: a consumer that does not take stalls the
    producer.
    """

    def __init__(self, *, lanes: Sequence[int], wait: int):
        if wait < 1:
            raise ValueError(f"the verdict takes at least 1 cycle, not {wait}")
        self.lanes, self.wait = lanes, wait
        super().__init__(
            {
                "i": In(stream.Signature(Segment)),
                "o": Out(stream.Signature(Segment)),
                "taken": Out(1),
                "number": Out(4),
                "begin": In(1),
                "lane": In(3),
                "inject": In(1),
                "inject_data": In(64),
                "count": In(4),
                "verdict": In(Verdict),
            }
        )

    def elaborate(self, platform):
        m = Module()
        i, o = self.i, self.o

        active = Signal()  # behind the header
        ended = Signal()  # all bytes that count have been seen; the rest of the frame is swallowed
        judging = Signal()  # the last beat has been taken
        timer = Signal(range(self.wait))
        lane = Signal(3)
        previous = Signal(64)
        rest = Signal(64)
        rest_count = Signal(4)
        verdict_before = Signal(Verdict)

        free = Signal()
        m.d.comb += [
            free.eq(o.ready | ~o.valid),
            i.ready.eq(free & ~judging),
            self.taken.eq(i.valid & i.ready),
        ]
        with m.If(free):
            m.d.sync += o.valid.eq(0)

        current = i.payload.data
        merged, behind, behind_count = Signal(64), Signal(64), Signal(4)
        at = Signal(3)
        m.d.comb += at.eq(Mux(active, lane, self.lane))
        with m.Switch(at):
            for n in self.lanes:
                with m.Case(n):
                    m.d.comb += [
                        merged.eq(Cat(previous[8 * n :], current[: 8 * n])),
                        behind.eq(current[8 * n :]),
                        behind_count.eq(Mux(self.count > n, self.count - n, 0)),
                    ]
        final = i.payload.last | (self.count != 8)

        def emit(what):
            m.d.sync += [
                o.valid.eq(1),
                o.payload.data.eq(what),
                o.payload.count.eq(8),
                o.payload.last.eq(0),
                o.payload.verdict.eq(Verdict.OK),
            ]

        def keep(what, count):
            m.d.sync += [rest.eq(what), rest_count.eq(count), ended.eq(1)]

        with m.If(self.taken):
            m.d.sync += [
                self.number.eq(Mux(self.number == 15, 15, self.number + 1)),
                previous.eq(current),
                timer.eq(self.wait - 1),
                judging.eq(i.payload.last),
                verdict_before.eq(i.payload.verdict),
            ]
            with m.If(active):
                with m.If(final):
                    m.d.sync += active.eq(0)
                    keep(merged, 8 - lane + self.count)
                with m.If(~final | (self.count > lane)):
                    emit(merged)
                with m.If(final & (self.count > lane)):
                    keep(behind, behind_count)
            with m.Elif(~ended):
                with m.If(self.inject):
                    emit(self.inject_data)
                with m.If(self.begin):
                    m.d.sync += [active.eq(~final), lane.eq(self.lane)]
                with m.If(final & self.begin):
                    keep(behind, behind_count)
                with m.Elif(i.payload.last):
                    keep(0, 0)

        with m.If(judging):
            with m.If(timer != 0):
                m.d.sync += timer.eq(timer - 1)
            with m.Elif(free):
                m.d.sync += [
                    o.valid.eq(1),
                    o.payload.data.eq(rest),
                    o.payload.count.eq(rest_count),
                    o.payload.last.eq(1),
                    o.payload.verdict.eq(Mux(verdict_before == Verdict.OK, self.verdict, verdict_before)),
                    judging.eq(0),
                    ended.eq(0),
                    self.number.eq(0),
                ]
        return m
