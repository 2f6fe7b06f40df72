"""Message blocks of MoldUDP64 packets: where each message lies in the beats that pass."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.datagram import Passing, big_endian, octet
from hw.streams import BEAT_BYTES
from wire.moldudp64 import LEAST_MESSAGE, MOST_MESSAGES


class Piece(data.Struct):
    """Eight bytes, and what of a message is in them.

    The bytes from lane ``phase`` on belong to word ``word`` of the message, those before it to the word before; a word is
    eight bytes of the message. ``inside``: there is a message in them at all. ``head``: from lane ``next_phase`` on they
    are word 0 of the next message. ``ends``: the message, of ``length`` bytes
    and ``number`` in the packet, from 0 on, ends in them.
    """

    data: 64
    inside: 1
    phase: 3
    word: 4
    ends: 1
    length: 11
    number: 7
    head: 1
    next_phase: 3


class Jump(data.Struct):
    """From a length on: the message's, and where the next length is, in ``lane`` of the beat that ``wait`` others come before,
    not counting this one; ``wrong``: there is no such message.
    """

    length: 11
    wait: 9
    lane: 3
    one: 1  # beat on
    two: 1
    wrong: 1


class Blocks(wiring.Component):
    """Finds the messages of a packet, one after the other, and says whether their blocks fill it exactly.

    Members
    -------
    i : In(stream of Passing)
        Frames.
    count : In(16)
        Messages of the packet, as its header says; from the cycle behind the one with ``begin`` on.
    o : Out(stream of Piece)
        Every beat of a frame, a cycle later.
    complete : Out(1)
        2 cycles behind the last beat of a frame: there were as many blocks as there should be, none too short or too
        long, and nothing behind them.

    Latency 1 cycle. A beat per cycle: a message has at least LEAST_MESSAGE bytes, else the packet is not
    ``complete``, so no beat has the beginnings of two.

    What follows from a length is worked out for all lanes at once, a cycle before it is known in which lane the length lies:
    the loop from one length to the next is a choice of eight and a count.
    """

    i: In(stream.Signature(Passing, always_ready=True))
    count: In(16)
    o: Out(stream.Signature(Piece, always_ready=True))
    complete: Out(1)

    def elaborate(self, platform):
        m = Module()
        arriving, passing, piece = self.i.payload, Signal(Passing), self.o.payload
        beat, valid = passing.beat, Signal()
        m.d.sync += valid.eq(self.i.valid)
        with m.If(self.i.valid):
            m.d.sync += passing.eq(arriving)

        def jump_from(first, second, lane):
            """What follows if the length's first byte lies in ``lane``, a cycle later."""
            jump, ready = Signal(Jump, name=f"from_{lane}"), Signal(Jump, name=f"jump_{lane}")
            end = Signal(12, name=f"end_{lane}")
            size = big_endian(first, second)
            behind = lane + 2 if lane < last_lane else 1  # where the message begins, from the beat's begin on
            m.d.comb += [
                end.eq(size[:11] + (behind - BEAT_BYTES)),
                jump.length.eq(size),
                jump.wait.eq(end[3:]),
                jump.lane.eq(end),
                jump.one.eq(jump.wait == 0),
                jump.two.eq(jump.wait == 1),
                jump.wrong.eq((size < LEAST_MESSAGE) | size[11:].any()),
            ]
            with m.If(self.i.valid):
                m.d.sync += ready.eq(jump)
            return ready

        last_lane = BEAT_BYTES - 1
        octets = [octet(arriving.beat.data, lane) for lane in range(BEAT_BYTES)]
        jumps = [jump_from(*octets[lane : lane + 2], lane) for lane in range(last_lane)]
        # A length that lies across two beats: its first byte is the last of the beat before.
        jumps.append(jump_from(octet(beat.data, last_lane), octets[0], last_lane))

        # -- where the next length is: in this beat, or so many beats on, in which lane ---------------------
        here, one, wait, lane = Signal(), Signal(), Signal(9), Signal(3)
        split = Signal()  # it began in the last lane of the beat before, and ends in this one

        # -- how many messages are still to come --------------------------------------------------------------
        more, left = Signal(), Signal(7)
        starts = Signal()
        m.d.comb += starts.eq(here & more)
        with m.If(valid):
            with m.If(passing.begin):
                m.d.sync += [left.eq(self.count - 1), more.eq(self.count != 1)]
            with m.Elif(starts):
                m.d.sync += [left.eq(left - 1), more.eq(left != 1)]

        # -- the message that is passing ------------------------------------------------------------------
        inside, phase, word, length, number = Signal(), Signal(3), Signal(4), Signal(11), Signal(7)
        to_the_end = one & (lane == 0)  # the next length would be in lane 0 of the next beat
        m.d.comb += [
            self.o.valid.eq(valid),
            piece.data.eq(beat.data),
            piece.inside.eq(inside),
            piece.phase.eq(phase),
            piece.word.eq(word),
            piece.ends.eq(inside & Mux(here, lane != 0, to_the_end)),
            piece.length.eq(length),
            piece.number.eq(number),
            piece.head.eq(starts & (lane < 6)),
            piece.next_phase.eq(lane + 2),
        ]
        jump = Signal(Jump)
        m.d.comb += jump.eq(Array(jumps)[lane])

        active, broken, whole, carried = Signal(), Signal(), Signal(), Signal()
        with m.If(valid):
            m.d.sync += [here.eq(one), one.eq(active & (wait == 2)), wait.eq(wait - 1), split.eq(0)]
            with m.If(~word.all()):
                m.d.sync += word.eq(word + 1)
            with m.If(piece.ends):
                m.d.sync += [inside.eq(0), number.eq(number + 1)]
            with m.If(passing.begin):
                m.d.sync += carried.eq(passing.carries)
            with m.If(starts):
                m.d.sync += [
                    active.eq(1),
                    inside.eq(1),
                    phase.eq(lane + 2),
                    word.eq(lane < 6),
                    split.eq(lane == last_lane),
                    here.eq(0),
                    one.eq(0),
                ]
            with m.Elif(here):
                m.d.sync += [whole.eq(passing.left == lane), active.eq(0), here.eq(0), one.eq(0)]
            with m.Elif(active & to_the_end & ~more):
                m.d.sync += [whole.eq(passing.left == BEAT_BYTES), active.eq(0), here.eq(0), one.eq(0)]
            with m.If(split | (starts & (lane != last_lane))):
                m.d.sync += [
                    length.eq(jump.length),
                    lane.eq(jump.lane),
                    wait.eq(jump.wait),
                    here.eq(jump.one),
                    one.eq(jump.two),
                ]
                with m.If(jump.wrong):
                    m.d.sync += [broken.eq(1), active.eq(0), inside.eq(0), here.eq(0), one.eq(0)]
            with m.If(passing.first):
                m.d.sync += [broken.eq(0), whole.eq(0)]
            with m.If(beat.last):  # nothing goes on in the next frame, wherever this one was cut
                m.d.sync += [active.eq(0), inside.eq(0), here.eq(0), one.eq(0), split.eq(0), more.eq(0), number.eq(0)]
        # Where the first length is, is known before its beat is here.
        with m.If(self.i.valid & arriving.begin):
            m.d.sync += [here.eq(1), lane.eq(Mux(arriving.lane_6, 6, 2)), more.eq(arriving.carries)]
        m.d.comb += self.complete.eq(whole & ~broken & ~(carried & (self.count > MOST_MESSAGES)))
        return m
