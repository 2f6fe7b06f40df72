"""Events out: records of 64 bytes as beats of 64 bits."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.block_memory import read_block
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
        Events that wait, a power of 2.

    Members
    -------
    i : In(stream of Event)
        Events. Nobody waits for the ring.
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

    An event per cycle; first beat 3 cycles after the event, then a beat per cycle.
    """

    def __init__(self, records: int = 512):
        if records < 2 or records & (records - 1):
            raise ValueError(f"records is {records}, not a power of 2")
        self.records = records
        super().__init__(
            {
                "i": In(stream.Signature(Event, always_ready=True)),
                "o": Out(stream.Signature(64)),
                "enable": In(32, init=0xFFFFFFFF),
                "sequence": Out(32),
                "empty": Out(1),
                "count_events_lost": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.ring = ring = memory.Memory(shape=8 * RECORD_LENGTH, depth=self.records, init=[])
        write = ring.write_port()
        pointer = range(2 * self.records)
        put_at, take_at, following = Signal(pointer), Signal(pointer), Signal(pointer)

        wanted, full = Signal(), Signal()
        m.d.comb += [
            wanted.eq(self.i.valid & (self.enable >> self.i.payload.type[:5])[0]),
            full.eq((put_at ^ take_at) == self.records),
            write.en.eq(wanted & ~full),
            write.addr.eq(put_at[:-1]),
            write.data.eq(Cat(self.sequence, self.i.payload)),
            self.count_events_lost.eq(wanted & full),
        ]
        with m.If(wanted):
            m.d.sync += self.sequence.eq(self.sequence + 1)
        with m.If(write.en):
            m.d.sync += put_at.eq(put_at + 1)

        # The first one stands behind the memory when it is wanted.
        found, there = read_block(m, ring, following[:-1]), Signal()
        record, left, loads = Signal(8 * RECORD_LENGTH), Signal(range(BEATS + 1)), Signal()
        m.d.comb += [
            loads.eq(there & ((left == 0) | ((left == 1) & self.o.ready))),
            following.eq(take_at + loads),
            self.o.valid.eq(left != 0),
            self.o.payload.eq(record[:64]),
            self.empty.eq((put_at == take_at) & (left == 0)),
        ]
        m.d.sync += [there.eq(put_at != following), take_at.eq(following)]
        with m.If(loads):
            m.d.sync += [record.eq(found), left.eq(BEATS)]
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += [record.eq(record >> 64), left.eq(left - 1)]
        return m
