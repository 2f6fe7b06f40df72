"""A segment held against what the connection expects: the comparisons of RFC 9293 section 3.10.7."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.tcp.segment import FIRST_BYTE, Header

LATENCY = 3
"""Cycles from ``begin`` to the answers."""


class Expected(data.Struct):
    """What the connection knows, by its names in RFC 9293."""

    receive_next: 32
    send_unacknowledged: 32
    send_next: 32
    window_edge: 32  # the first sequence number beyond the peer's window
    window: 16  # as the peer said last
    window_sequence: 32  # of the segment in which it said so: SND.WL1
    recover: 32  # RFC 6582: what was sent when the loss was noticed
    fin_sent: 1


class Judged(data.Struct):
    """Answers about one segment.

    Sequence numbers are compared as RFC 9293 says: a number is behind another if it is less than 2^31 behind.
    """

    header: Header
    edge: 32  # acknowledgment and window: beyond it nothing may be sent
    after: 32  # the sequence number behind the segment; behind the SYN if it has one
    acceptable: 1  # some of it is in the receive window, or it is empty and at the window
    exact: 1  # it begins with the byte expected next
    beyond: 1  # acknowledges what was never sent
    fresh: 1  # acknowledges something for the first time
    old: 1  # acknowledges less than is acknowledged already
    ancient: 1  # so much less that it cannot be an honest one: RFC 5961 section 5
    complete: 1  # acknowledges all that was sent
    finishes: 1  # acknowledges our FIN
    newer: 1  # not older than the segment that the window was taken from
    shrinks: 1  # takes back a window that was offered
    same_window: 1
    recovered: 1  # acknowledges all that was sent when the loss was noticed
    occupies: 1  # has bytes, SYN or FIN
    delivers: 1  # has the byte expected next
    clipped: 1  # has bytes beyond what there is room for
    early: 1  # a hole is before it
    fin: 1  # with what is taken of it, all before its FIN has come
    take: 16  # how many bytes are taken
    skip: 16  # how many bytes of the segment lie before them, from its byte ``FIRST_BYTE`` on


class Judge(wiring.Component):
    """Compares, in stages of one addition or comparison each.

    Members
    -------
    header : In(Header)
        Held from ``begin`` on for 3 cycles.
    begin : In(1)
        Pulse: a header is there.
    expected : In(Expected)
        Held from ``begin`` on for 2 cycles.
    window : In(16)
        Bytes that there is room for, from ``receive_next`` on. Held in the two cycles behind ``begin``.
    o : Out(Judged)
        3 cycles after ``begin``, until 3 cycles after the next.
    place : Out(1)
        Pulse when the answers are there.

    Latency 3 cycles, a segment every 3 cycles.
    """

    header: In(Header)
    begin: In(1)
    expected: In(Expected)
    window: In(16)
    o: Out(Judged)
    place: Out(1)

    def elaborate(self, platform):
        m = Module()
        o, expected = self.o, self.expected

        # Distances, modulo 2^32.
        header, second = Signal(Header), Signal()
        offset, news, left, age, recovery = (
            Signal(32, name=name) for name in ("offset", "news", "left", "age", "recovery")
        )
        edge, size, fin_sent = Signal(32), Signal(17), Signal()
        m.d.sync += second.eq(self.begin)
        with m.If(self.begin):
            seen = self.header
            m.d.sync += [
                header.eq(seen),
                offset.eq(seen.sequence - expected.receive_next),
                news.eq(seen.acknowledgment - expected.send_unacknowledged),
                left.eq(expected.send_next - seen.acknowledgment),
                age.eq(seen.sequence - expected.window_sequence),
                recovery.eq(seen.acknowledgment - expected.recover),
                edge.eq(seen.acknowledgment + seen.window),
                fin_sent.eq(expected.fin_sent),
                size.eq(Mux(seen.syn, 1, seen.length + seen.fin)),
            ]

        # Signs, and the end of the segment.
        third = Signal()
        kept, window = Signal(Header), Signal(16)
        exact, before, near, within, empty = (
            Signal(name=name) for name in ("exact", "before", "near", "within", "empty")
        )
        end, repeated = Signal(32), Signal(16)
        beyond, none_left, no_news, old = (Signal(name=name) for name in ("beyond", "none_left", "no_news", "old"))
        m.d.sync += third.eq(second)
        with m.If(second):
            m.d.sync += [
                kept.eq(header),
                window.eq(self.window),
                exact.eq(offset == 0),
                before.eq(offset[31]),
                near.eq(offset[16:] == 0),
                within.eq(offset[:16] < self.window),
                empty.eq(~(header.syn | header.fin) & (header.length == 0)),
                end.eq(offset + header.length),
                beyond.eq(left[31]),
                none_left.eq(left == 0),
                no_news.eq(news == 0),
                old.eq(news[31]),
                o.finishes.eq((left == 0) & fin_sent),
                o.ancient.eq(news[31] & ~news[16:31].all()),
                o.newer.eq(~age[31]),
                o.recovered.eq(~recovery[31]),
                o.shrinks.eq((edge - expected.window_edge)[31]),
                o.same_window.eq(header.window == expected.window),
                o.edge.eq(edge),
                o.after.eq(header.sequence + size),
                repeated.eq(-offset),
            ]

        # Answers. ``end`` is where the bytes end, from the one expected next on; it is negative if all of them are old.
        ends_later, ends_here = Signal(), Signal()
        fits, inside = Signal(), Signal()
        m.d.comb += [
            ends_later.eq(~end[31] & (end != 0)),
            ends_here.eq(end == 0),
            fits.eq((end[16:] == 0) & (end[:16] <= window)),
            inside.eq(near & within),
        ]
        closes = kept.syn | kept.fin
        m.d.sync += self.place.eq(third)
        with m.If(third):
            m.d.sync += [
                o.header.eq(kept),
                o.exact.eq(exact),
                o.beyond.eq(beyond),
                o.complete.eq(none_left),
                o.fresh.eq(~no_news & ~old),
                o.old.eq(old),
                o.occupies.eq(~empty),
                o.acceptable.eq(exact | inside | (before & (ends_later | (ends_here & closes)))),
                o.delivers.eq((exact | before) & ends_later),
                o.clipped.eq(ends_later & ~fits),
                o.early.eq(inside & ~exact & ~empty),
                o.fin.eq(kept.fin & (exact | before) & ((ends_later & fits) | ends_here)),
                o.skip.eq(repeated + Cat(Const(0, 2), kept.offset) - FIRST_BYTE),
                o.take.eq(Mux(fits, end[:16], window)),
            ]
        return m
