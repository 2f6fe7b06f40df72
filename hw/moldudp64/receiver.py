"""The downstream packets of MoldUDP64, received whole before anything is believed."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.net.ipv4 import big_endian
from hw.net.segment import Segment, Verdict
from hw.net.strip import Strip
from hw.streams import BEAT_BYTES
from wire.moldudp64 import DOWNSTREAM, END_OF_SESSION, HEADER_LENGTH, HEARTBEAT
from wire.records import MAX_PAYLOAD

BUFFER_WORDS = -(-(MAX_PAYLOAD - HEADER_LENGTH) // BEAT_BYTES)
"""Words of a packet buffer: the message blocks of the longest packet."""


class Packet(data.Struct):
    """A valid packet; its ``length`` bytes of message blocks lie in the packet buffer from word 0 on."""

    stamp: 64
    sequence: 64
    count: 16
    length: 11


class Receiver(wiring.Component):
    """Checks a packet while it is written to the packet buffer.

    Members
    -------
    i : In(stream of Segment)
        UDP payloads.
    session : In(80)
        The session wanted, first character in the low bits. Blank takes any.
    write_address, write_data, write_enable : Out
        A word of message blocks for the packet buffer.
    o : Out(stream of Packet)
        A packet that is valid and whole in the buffer, but for its stamp. Until it is taken nothing more is
        received, so that the buffer stays as it is.
    verdict : Out(Verdict)
        The verdict on a frame.
    judged : Out(1)
        ``verdict`` is valid: one pulse per frame.

    A packet is offered 6 cycles after its last beat. One beat per cycle, but a beat in which more than one
    message begins takes a cycle for each; 5 cycles more per packet.
    """

    i: In(stream.Signature(Segment))
    session: In(80)
    write_address: Out(range(BUFFER_WORDS))
    write_data: Out(64)
    write_enable: Out(1)
    o: Out(stream.Signature(Packet))
    verdict: Out(Verdict)
    judged: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.strip = strip = Strip(lanes=(4,), wait=2)
        connect(m, flipped(self.i), strip.i)
        blocks = strip.o.payload

        # -- header ----------------------------------------------------------------------------
        beat = self.i.payload.data
        blank = int.from_bytes(b" " * DOWNSTREAM["session"].width, "little")
        any_session = Signal()
        m.d.sync += any_session.eq(self.session == blank)
        same = Signal(2)
        sequence, count = Signal(64), Signal(16)
        short = Signal()
        with m.If(strip.taken), m.Switch(strip.number):
            with m.Case(0):
                m.d.sync += [same[0].eq(beat == self.session[:64]), short.eq(1)]
            with m.Case(1):
                m.d.sync += [
                    same[1].eq(beat[:16] == self.session[64:]),
                    sequence[16:].eq(big_endian(beat[16:])),
                ]
            with m.Case(2):
                m.d.sync += [
                    sequence[:16].eq(big_endian(beat[:16])),
                    count.eq(big_endian(beat[16:32])),
                    short.eq(self.i.payload.count < 4),
                ]
        m.d.comb += [
            strip.count.eq(self.i.payload.count),
            strip.begin.eq(strip.number == 2),
            strip.lane.eq(4),
        ]
        with m.If(short):
            m.d.comb += strip.verdict.eq(Verdict.PACKETS_MALFORMED)
        with m.Elif(~same.all() & ~any_session):
            m.d.comb += strip.verdict.eq(Verdict.PACKETS_OTHER_SESSION)

        # -- message blocks --------------------------------------------------------------------
        skip = Signal(17)  # bytes from the beginning of this beat to the next length
        high, split = Signal(8), Signal()  # a length whose first byte ended the beat before
        found, broken = Signal(16), Signal()
        word = Signal(range(BUFFER_WORDS + 1))

        octets = [blocks.data[8 * n : 8 * n + 8] for n in range(BEAT_BYTES)]
        size = Signal(16)
        behind = Signal(18)
        with m.Switch(skip[:3]):
            for n in range(BEAT_BYTES - 1):
                with m.Case(n):
                    m.d.comb += size.eq(Cat(octets[n + 1], octets[n]))
        starts = Signal()
        m.d.comb += [starts.eq((skip < blocks.count) & ~split), behind.eq(skip)]
        with m.If(split & (blocks.count != 0)):
            m.d.comb += behind.eq(1 + Cat(octets[0], high))
        with m.Elif(starts):
            m.d.comb += behind.eq(Mux(skip + 1 == blocks.count, blocks.count, skip + 2 + size))
        done = Signal()  # with this beat
        m.d.comb += done.eq(behind >= blocks.count)

        sound, complete = Signal(), Signal()
        packet = Signal(Packet)
        with m.FSM():
            with m.State("RECEIVE"):
                m.d.comb += strip.o.ready.eq(done)
                with m.If(strip.o.valid):
                    m.d.sync += [skip.eq(Mux(done, behind - BEAT_BYTES, behind)), split.eq(0)]
                    with m.If((split & (blocks.count != 0)) | (starts & (skip + 1 != blocks.count))):
                        m.d.sync += found.eq(found + 1)
                    with m.If(starts & (skip + 1 == blocks.count)):
                        m.d.sync += [
                            split.eq(~blocks.last),
                            broken.eq(blocks.last),
                            high.eq(octets[BEAT_BYTES - 1]),
                        ]
                    with m.If(split & (blocks.count == 0)):
                        m.d.sync += broken.eq(1)
                    with m.If(done & (word != BUFFER_WORDS)):
                        m.d.comb += self.write_enable.eq(1)
                        m.d.sync += [
                            word.eq(word + 1),
                            packet.length.eq(packet.length + blocks.count),
                        ]
                    with m.If(done & blocks.last):
                        m.d.sync += [
                            complete.eq(behind == blocks.count),
                            self.verdict.eq(blocks.verdict),
                            # By the next beat these may be the next frame's.
                            packet.sequence.eq(sequence),
                            packet.count.eq(count),
                        ]
                        m.next = "COMPARE"
            with m.State("COMPARE"):
                with m.If((packet.count == HEARTBEAT) | (packet.count == END_OF_SESSION)):
                    m.d.sync += sound.eq((packet.length == 0) & ~packet.sequence[-1])
                with m.Else():
                    m.d.sync += sound.eq(
                        complete & ~broken & (found == packet.count) & ~packet.sequence[-1]
                    )
                m.next = "JUDGE"
            with m.State("JUDGE"):
                with m.If((self.verdict == Verdict.OK) & ~sound):
                    m.d.sync += self.verdict.eq(Verdict.PACKETS_MALFORMED)
                m.next = "COUNT"
            with m.State("COUNT"):
                m.d.comb += self.judged.eq(1)
                m.d.sync += [skip.eq(0), split.eq(0), found.eq(0), broken.eq(0), word.eq(0)]
                with m.If(self.verdict == Verdict.OK):
                    m.next = "OFFER"
                with m.Else():
                    m.d.sync += packet.length.eq(0)
                    m.next = "RECEIVE"
            with m.State("OFFER"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.d.sync += packet.length.eq(0)
                    m.next = "RECEIVE"

        m.d.comb += [
            self.write_address.eq(word),
            self.write_data.eq(blocks.data),
            self.o.payload.eq(packet),
        ]
        return m
