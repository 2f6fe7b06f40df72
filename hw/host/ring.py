"""Commands in, events out: records of 64 bytes as beats of 64 bits."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO, SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from wire.records import EVENT, RECORD_LENGTH

BEATS = RECORD_LENGTH // 8

Event = data.StructLayout({each.name: 8 * each.width for each in EVENT.fields if each.name != "sequence"})
"""An event without its sequence number, which the ring gives it."""


class EventRing(wiring.Component):
    """Events on their way to the host.

    Events are numbered here. What the host does not take in time is lost, and the hole in the numbers says so.

    Parameters
    ----------
    records : int
        Events that wait to be cut into beats, a power of 2. Inside the card only: it is drained at one event in 8
        cycles.
    beats : int
        Beats that wait for the host, at least 16.

    Members
    -------
    i : In(stream of Event)
        Events. ``ready`` depends on the serialiser, never on the host.
    o : Out(stream of unsigned(64))
        8 beats per event, first byte in bits 0..7 of the first.
    enable : In(32)
        Bit n: events of type n are taken; others vanish without a number.
    sequence : Out(32)
        Number of the next event.
    empty : Out(1)
        Nothing is waiting.
    count_events_lost : Out(1)
        An event found the ring full.

    First beat 3 cycles after the event, then a beat per cycle. An event that finds less than 8 beats free is dropped
    whole.
    """

    def __init__(self, records: int = 16, beats: int = 1024):
        if records < 2 or records & (records - 1):
            raise ValueError(f"records is {records}, not a power of 2")
        if beats < 2 * BEATS:
            raise ValueError(f"beats is {beats}: the ring holds at least 2 events")
        self.records, self.beats = records, beats
        super().__init__(
            {
                "i": In(stream.Signature(Event)),
                "o": Out(stream.Signature(64)),
                "enable": In(32, init=0xFFFFFFFF),
                "sequence": Out(32),
                "empty": Out(1),
                "count_events_lost": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.waiting = waiting = SyncFIFO(width=Event.size, depth=self.records)
        m.submodules.ring = ring = SyncFIFOBuffered(width=64, depth=self.beats)

        wanted = (self.enable >> self.i.payload.type[:5])[0]
        m.d.comb += [
            waiting.w_data.eq(self.i.payload),
            waiting.w_en.eq(self.i.valid & wanted),
            self.i.ready.eq(waiting.w_rdy),
        ]

        # One event at a time is shifted out; the room for all of it is made sure of before its first beat.
        record, left = Signal(8 * RECORD_LENGTH), Signal(range(BEATS + 1))
        fits = ring.w_level <= ring.depth - BEATS
        m.d.comb += [ring.w_data.eq(record[:64]), ring.w_en.eq(left != 0)]
        with m.If(left > 1):
            m.d.sync += [record.eq(record >> 64), left.eq(left - 1)]
        with m.Else():
            m.d.sync += left.eq(0)
            # While the last beat is being written the level is one short, hence one more is asked for.
            room = fits & ((left == 0) | (ring.w_level != ring.depth - BEATS))
            with m.If(waiting.r_rdy):
                m.d.comb += [waiting.r_en.eq(1), self.count_events_lost.eq(~room)]
                m.d.sync += self.sequence.eq(self.sequence + 1)
                with m.If(room):
                    m.d.sync += [record.eq(Cat(self.sequence, waiting.r_data)), left.eq(BEATS)]

        m.d.comb += [
            self.o.payload.eq(ring.r_data),
            self.o.valid.eq(ring.r_rdy),
            ring.r_en.eq(self.o.ready),
            self.empty.eq(~waiting.r_rdy & (left == 0) & (ring.level == 0)),
        ]
        return m
