"""Frames out: a packet that comes in leaves while it comes."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.streams import BEAT_BYTES, Beat
from hw.tcp.checksum import add, save_carries, words
from hw.tcp.template import DATA_FLAGS, HEADERS, SOUP_LENGTH_BYTES, Addresses, Prepared, headers
from wire.ipv4 import IPV4
from wire.tcp import DATA_OFFSET, TCP, Flag

MSS_KIND, MSS_BYTES = 2, 4
CHECKSUM_BEAT = HEADERS // BEAT_BYTES
"""The beat with the end of the header, its checksum in it."""

ABOVE_LINK = IPV4.length + TCP.length

SEEN_AT_ONCE = 6
"""Beats of a packet that are summed in time for the checksum when the frame begins 1 cycle behind the packet."""


def request_layout(slots):
    """What is to be sent but fresh packets.

    ``length`` bytes are behind the header: those of the MSS option with ``option``, else those of a kept packet.
    ``sum`` is what the checksum has more than ``Prepared.tcp_sum``, the sequence number left out.
    """
    return data.StructLayout({"sequence": 32, "flags": 8, "option": 1, "length": 7, "slot": range(slots), "sum": 16})


class Transmitter(wiring.Component):
    """Builds Ethernet frames with one TCP segment each.

    Parameters
    ----------
    slots : int
        Packets that are kept, a power of 2.
    maximum_segment : int
        The MSS that is announced.

    Members
    -------
    send : In(stream of Beat)
        SoupBinTCP packets of 3 to 64 bytes. Once one has begun its beats come without a hole.
    open : In(1)
        The next packet may go. ``send.ready`` follows it when no frame is being built.
    addresses : In(Addresses)
    prepared : In(Prepared)
        What the next frame's header has. Its sequence number is right 8 cycles after a packet was taken.
    request_valid, request : In
        Something else to be sent; it may change or go as long as it is not taken.
    request_taken : Out(1)
        Pulse: its frame begins.
    write_slot : In(range(slots))
        Where the next packet is kept.
    write_enable, write_address, write_data : Out
        Its beats: slot and beat make the address.
    read_enable, read_address : Out
    read_data : In(64)
        A beat of a kept packet, a cycle after its address, held while not enabled.
    accepted, length : Out(1), Out(7)
        Pulse: in the cycle before the first beat of a packet of so many bytes was taken.
    kept, kept_slot, kept_length, kept_sum : Out
        Pulse: a packet has been built, all of it is kept. Its checksum needs ``kept_sum`` as a ``Request`` has it.
    busy, taking : Out(1)
        A frame is being built; its packet is still coming in.
    started, acknowledges : Out(1)
        Pulse: a frame begins; one with an acknowledgement.
    tx : Out(stream of Beat)
        Frames without padding and frame check sequence. Without a hole as long as ``ready`` is high.
    fresh : Out(1)
        With a frame's first beat at ``tx``: it has a packet that came by ``send``.

    Latency: the first beat of a frame is at ``tx`` 1 cycle after the packet's at ``send`` for packets of up to 48 bytes,
    2 cycles for up to 56, 3 for up to 64. The checksum is in the frame's seventh beat, it covers all of the packet, and
    a beat is in it 2 cycles after it was seen: less is not possible without seeing the packet sooner. Other frames take 1
    cycle. A beat per cycle; frames follow each other without a gap. ``tx`` not ready: everything but ``send`` waits.
    """

    def __init__(self, slots: int = 64, maximum_segment: int = 1460):
        self.slots, self.maximum_segment = slots, maximum_segment
        super().__init__(
            {
                "send": In(stream.Signature(Beat)),
                "open": In(1),
                "addresses": In(Addresses),
                "prepared": In(Prepared),
                "request_valid": In(1),
                "request": In(request_layout(slots)),
                "request_taken": Out(1),
                "write_slot": In(range(slots)),
                "write_enable": Out(1),
                "write_address": Out(range(slots * BEAT_BYTES)),
                "write_data": Out(64),
                "read_enable": Out(1),
                "read_address": Out(range(slots * BEAT_BYTES)),
                "read_data": In(64),
                "accepted": Out(1),
                "length": Out(7),
                "kept": Out(1),
                "kept_slot": Out(range(slots)),
                "kept_length": Out(7),
                "kept_sum": Out(16),
                "busy": Out(1),
                "taking": Out(1),
                "started": Out(1),
                "acknowledges": Out(1),
                "tx": Out(stream.Signature(Beat)),
                "fresh": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        send, tx, prepared, request = self.send, self.tx, self.prepared, self.request

        active, taking = self.busy, self.taking
        fresh = send.valid & self.open
        begin_packet, begin = Signal(), Signal()
        taken = Signal()
        m.d.comb += [
            send.ready.eq(taking | (~active & self.open)),
            begin_packet.eq(fresh & ~active),
            self.request_taken.eq(self.request_valid & ~fresh & ~active),
            begin.eq(begin_packet | self.request_taken),
            taken.eq(send.valid & send.ready),
            self.started.eq(begin),
            self.acknowledges.eq(begin_packet | (self.request_taken & (request.flags & Flag.ACK).any())),
        ]

        # The first two bytes of a packet say how many follow. Only the second may differ from 0.
        following = send.payload.data[8:14]

        def above(length):
            """The packet at ``send`` has more bytes."""
            return following > length - SOUP_LENGTH_BYTES

        # -- what the frame has in its header ---------------------------------------------------------------------
        sequence, acknowledgment, window, flags = Signal(32), Signal(32), Signal(16), Signal(8)
        option, slot, is_fresh, total = Signal(), Signal(range(self.slots)), self.fresh, Signal(8)
        ip_checksum = Signal(16)
        last_beat, last_count = Signal(4), Signal(4)
        with m.If(~active):  # as if a frame began in every cycle: what is kept when one does
            m.d.sync += [
                sequence.eq(Mux(fresh, prepared.sequence, request.sequence)),
                acknowledgment.eq(prepared.acknowledgment),
                window.eq(prepared.window),
                flags.eq(Mux(fresh, int(DATA_FLAGS), request.flags)),
                option.eq(~fresh & request.option),
                slot.eq(Mux(fresh, self.write_slot, request.slot)),
                is_fresh.eq(fresh),
                self.length.eq(Mux(fresh, following + SOUP_LENGTH_BYTES, request.length)),
                total.eq(Mux(fresh, following + SOUP_LENGTH_BYTES + ABOVE_LINK, request.length + ABOVE_LINK)),
            ]
        behind = (self.length + (HEADERS - 1))[:7]
        m.d.sync += [
            self.accepted.eq(begin_packet),
            last_beat.eq(behind[3:]),
            last_count.eq(behind[:3] + 1),
            ip_checksum.eq(~add(prepared.ip_sum, total)),
        ]

        # -- the checksum -----------------------------------------------------------------------------------------
        # ``low`` and ``high`` add up to the sum. A packet's first beat is added whole, to what ``prepared`` has and to the
        # packet's length. What does not fit this way comes a cycle later by ``other``: bytes behind a short packet, taken
        # back; or a request's sequence number in place of the prepared one (RFC 1624).
        low, high, header_sum = Signal(16), Signal(16), Signal(16)
        other, adjusting, first = Signal(64), Signal(), Signal(init=1)  # ``first`` spares ``active`` its load
        mask, left = Signal(8, init=0xFF), Signal(7)
        beyond = Signal(64)
        m.d.comb += beyond.eq(Cat(Const(0, 24), *((~above(n)).replicate(8) for n in range(3, BEAT_BYTES))))
        replaced = [~prepared.sequence[16:], ~prepared.sequence[:16], request.sequence[16:], request.sequence[:16]]
        with m.If(~active):
            m.d.sync += [
                header_sum.eq(prepared.tcp_sum),
                other.eq(Mux(fresh, ~Cat(words(send.payload.data & beyond)), Cat(replaced))),
                left.eq(Mux(above(2 * BEAT_BYTES), following - (2 * BEAT_BYTES - SOUP_LENGTH_BYTES), 0)),
            ]
        with m.Elif(taken):
            m.d.sync += left.eq(Mux(left > BEAT_BYTES, left - BEAT_BYTES, 0))
        m.d.sync += adjusting.eq(begin & (~fresh | ~above(BEAT_BYTES - 1)))
        with m.If(begin):
            m.d.sync += [first.eq(0), mask.eq(Cat(above(BEAT_BYTES + n) for n in range(BEAT_BYTES)))]
        with m.Elif(taken):
            m.d.sync += mask.eq(Cat(left > n for n in range(BEAT_BYTES)))
        masked = Signal(64)
        m.d.comb += masked.eq(
            Cat(send.payload.data[8 * n : 8 * n + 8] & mask[n].replicate(8) for n in range(BEAT_BYTES))
        )
        terms = [Mux(adjusting, other[16 * n : 16 * n + 16], word) for n, word in enumerate(words(masked))]
        terms.append(Mux(first, prepared.tcp_sum, low))
        terms.append(Mux(first, words(send.payload.data)[0], high))
        sums = Cat(*save_carries(m, terms))
        with m.If(first | adjusting | taken):
            m.d.sync += Cat(low, high).eq(Mux(first & ~fresh, Cat(prepared.tcp_sum, request.sum), sums))
        folded = Signal(16)
        m.d.comb += folded.eq(add(low, high))
        total_sum, kept_sum = Signal(16), Signal(16)
        m.d.sync += [total_sum.eq(folded), kept_sum.eq(add(total_sum, ~header_sum))]

        # -- the packet is kept as it comes, and read back for the frame ------------------------------------------
        place = Signal(3)
        with m.If(taken):
            m.d.sync += [place.eq(Mux(send.payload.last, 0, place + 1)), taking.eq(~send.payload.last)]
        m.d.comb += [
            self.write_enable.eq(taken),
            self.write_address.eq(Cat(place, Mux(taking, slot, self.write_slot))),
            self.write_data.eq(send.payload.data),
        ]

        # -- beats ------------------------------------------------------------------------------------------------
        beat, wait = Signal(4), Signal()
        free, moves, load, is_last = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            free.eq(tx.ready | ~tx.valid),
            moves.eq(free & ~wait),
            load.eq(Mux(active, moves, begin & free & (~fresh | ~above(BEAT_BYTES * SEEN_AT_ONCE)))),
            is_last.eq(active & (beat == last_beat)),
        ]
        m.d.sync += wait.eq(begin_packet & above(BEAT_BYTES * (SEEN_AT_ONCE + 1)))
        with m.If(begin):
            m.d.sync += [active.eq(1), beat.eq(load)]
        with m.Elif(active & moves):
            m.d.sync += beat.eq(beat + 1)
            with m.If(is_last):
                m.d.sync += [active.eq(0), beat.eq(0), first.eq(1), mask.eq(0xFF)]
        m.d.sync += self.kept.eq(moves & is_last & is_fresh)
        m.d.comb += [self.kept_slot.eq(slot), self.kept_length.eq(self.length), self.kept_sum.eq(kept_sum)]

        octets = headers(
            self.addresses,
            total_length=total,
            ip_checksum=ip_checksum,
            sequence=sequence,
            acknowledgment=acknowledgment,
            data_offset=Mux(option, DATA_OFFSET + (MSS_BYTES // 4 << 4), DATA_OFFSET),
            flags=flags,
            window=window,
            tcp_checksum=~folded,
        )
        beats = [octets[64 * n : 64 * n + 64] for n in range(CHECKSUM_BEAT + 1)]

        # ``head`` is the beat to be loaded next where that is one of the inner beats of the header. Before a frame begins it
        # is the second, whether the first is loaded in this cycle or not.
        head = Signal(64)
        with m.Switch(beat + moves):
            with m.Case(0, 1):
                m.d.sync += head.eq(beats[1])
            for n in range(2, CHECKSUM_BEAT):
                with m.Case(n):
                    m.d.sync += head.eq(beats[n])

        # The word that the payload of the next beat begins with is in ``before``, or in ``word`` at the checksum's beat.
        before, word = Signal(64), Signal(64)
        mss = bytes([MSS_KIND, MSS_BYTES]) + self.maximum_segment.to_bytes(2, "big")
        m.d.comb += [
            self.read_enable.eq(moves),
            self.read_address.eq(Cat((beat - (CHECKSUM_BEAT - 2))[:3], slot)),
        ]
        with m.If(moves):
            m.d.sync += [word.eq(Mux(option, int.from_bytes(mss, "little"), self.read_data)), before.eq(word)]

        cut = len(beats[CHECKSUM_BEAT])
        with m.If(free):
            m.d.sync += [
                tx.valid.eq(load),
                tx.payload.last.eq(is_last),
                tx.payload.count.eq(Mux(is_last, last_count, BEAT_BYTES)),
            ]
            with m.Switch(beat):
                with m.Case(0):
                    m.d.sync += tx.payload.data.eq(beats[0])
                with m.Case(*range(1, CHECKSUM_BEAT)):
                    m.d.sync += tx.payload.data.eq(head)
                with m.Case(CHECKSUM_BEAT):
                    m.d.sync += tx.payload.data.eq(Cat(beats[CHECKSUM_BEAT], word[: 64 - cut]))
                with m.Default():
                    m.d.sync += tx.payload.data.eq(Cat(before[64 - cut :], word[: 64 - cut]))
        return m
