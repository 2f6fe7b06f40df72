"""CRC-32 of Ethernet (IEEE 802.3 clause 3.2.9), in software and in gates from one declaration.

The state is held bit-reversed: bit 0 belongs to the bit that goes first on the wire. ``advance`` is the definition. Where
it is linear, ``Linear`` makes the gates out of it, whatever the number of bytes.
"""

from collections.abc import Callable

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.net.mac.frame import DELIMITER, FCS_BYTES, PREAMBLE

POLYNOMIAL = 0xEDB88320
INITIAL = 0xFFFFFFFF
WIDTH = 32
BYTES = 8


def advance(state: int, data: bytes) -> int:
    """State after more bytes."""
    for octet in data:
        state ^= octet
        for _ in range(8):
            state = state >> 1 ^ (POLYNOMIAL if state & 1 else 0)
    return state


def frame_check_sequence(data: bytes) -> bytes:
    """The four bytes that follow a frame, in the order of the wire."""
    return (advance(INITIAL, data) ^ INITIAL).to_bytes(FCS_BYTES, "little")


RESIDUE = advance(INITIAL, frame_check_sequence(b""))
"""State after any frame and its frame check sequence."""


class Linear:
    """A linear map of bits: of an ``int`` it gives an ``int``, of a ``Value`` the exclusive-ors.

    Parameters
    ----------
    function : callable
        The map on integers, with ``function(a ^ b) == function(a) ^ function(b)``.
    width : int
        Bits that go in.
    """

    def __init__(self, function: Callable[[int], int], width: int):
        columns = [function(1 << n) for n in range(width)]
        self.rows = [
            sum((column >> bit & 1) << n for n, column in enumerate(columns)) for bit in range(max(columns).bit_length())
        ]
        """Which bits of what goes in make each bit of what comes out."""

    def __call__(self, word):
        if isinstance(word, int):
            return sum(((word & row).bit_count() & 1) << bit for bit, row in enumerate(self.rows))
        word = Value.cast(word)
        return Cat(Cat(bit for n, bit in enumerate(word) if row >> n & 1).xor() for row in self.rows)


STEP = Linear(lambda word: advance(0, word.to_bytes(1, "little")), 8)
"""``state >> 8 ^ STEP((state ^ byte) & 0xFF)`` is the state after a byte."""

WORD = Linear(lambda word: advance(0, word.to_bytes(BYTES, "little")), 8 * BYTES)
"""``WORD(state ^ word)`` is the state after eight bytes, the state on the first four of them."""


class FrameCheck(wiring.Component):
    """Says whether a frame ends with its frame check sequence.

    Works on words as they lie on the wire, so a frame may begin in the middle of one. A last word that is not full is
    taken for a full one with zeros: a state is known from the state some zeros later, so it is enough to compare with
    what the residue becomes after as many zeros.

    Members
    -------
    data : In(64)
        Eight bytes; what is behind the end of the frame must be 0.
    keep : In(8)
        Byte n and all before it belong to the frame, or to the preamble before it.
    first : In(1)
        The first word with bytes of the frame.
    middle : In(1)
        With ``first``: the frame begins in byte 4, behind the second half of a preamble. Else in byte 0.
    good : Out(1)
        All words up to the one of the cycle before are a frame with its frame check sequence. Not for a frame that
        ends in its first word.

    One word per cycle, from ``first`` on without a hole. Latency 1 cycle, without a register at ``good``.
    """

    data: In(64)
    keep: In(8)
    first: In(1)
    middle: In(1)
    good: Out(1)

    def elaborate(self, platform):
        m = Module()
        # The initial state is an inversion of the first four bytes, which go through the same map as the data.
        begin = WORD(INITIAL)
        begin_middle = WORD(INITIAL << WIDTH | int.from_bytes([*3 * [PREAMBLE], DELIMITER], "little"))
        # What the residue has become behind a last word of n bytes; 0 behind a full one, which is not the last.
        ends = [advance(RESIDUE, bytes(BYTES - n)) for n in range(BYTES)] + [0]
        steps = [ends[n] ^ ends[n + 1] for n in range(BYTES)]
        words, state, first = Signal(WIDTH), Signal(WIDTH), Signal()
        masks = [(ends[0], 1), *zip(steps, self.keep, strict=True)]
        masks += [(begin, self.first & ~self.middle), (begin_middle, self.first & self.middle)]
        mapped = WORD(self.data)
        for bit in range(WIDTH):
            terms = [mapped[bit], *(term for mask, term in masks if mask >> bit & 1)]
            m.d.sync += words[bit].eq(Cat(terms).xor())
        m.d.sync += [first.eq(self.first), state.eq(WORD(words ^ Mux(first, 0, state)))]
        m.d.comb += self.good.eq(words == state)
        return m


class FrameCheckSequence(wiring.Component):
    """The frame check sequence of a frame.

    Members
    -------
    data : In(64)
        Eight bytes.
    keep : In(8)
        Byte n is part of the frame; else there is a zero in its place: padding.
    count : In(range(9))
        With the last word: how many bytes belong to the frame, padding included. No padding in bytes 4 to 7 of it.
    add : In(1)
        A word of the frame. A cycle without one ends it.
    rest : Out(32)
        In the cycle of the last word, if ``count`` is less than 4: bytes of the state that those of the frame do not
        reach. They belong to the sequence where they lie: byte n of the sequence follows byte ``count + n`` - 1, and is
        byte n of ``fcs`` ^ byte ``count + n`` of ``rest``, which has none from 4 on.
    fcs : Out(32)
        The four bytes, in the order of the wire, but for ``rest``; from the cycle after the last word until the next
        ``add``.

    One word per cycle. Latency 1 cycle, without a register at ``fcs`` and ``rest``.
    """

    data: In(64)
    keep: In(8)
    count: In(range(BYTES + 1))
    add: In(1)
    rest: Out(32)
    fcs: Out(32)

    def elaborate(self, platform):
        m = Module()
        # The state is ``words ^ before``: what the last word gave, and what all before it did.
        words = Signal(WIDTH)
        before = Signal(WIDTH, init=INITIAL)
        octets = [Mux(self.keep[n], self.data.word_select(n, 8), 0) for n in range(BYTES)]
        m.d.comb += self.rest.eq(words ^ before)
        m.d.sync += [words.eq(WORD(Cat(octets))), before.eq(WORD(self.rest))]
        with m.If(~self.add):
            m.d.sync += [words.eq(0), before.eq(INITIAL)]

        # The last bytes are moved to the end of a word: zeros before them change nothing.
        mixed = Cat(octets[:4], self.data[32:]) ^ self.rest
        moved = Signal(8 * BYTES)
        with m.If(self.add), m.Switch(self.count):
            for n in range(BYTES + 1):
                with m.Case(n):
                    m.d.sync += moved.eq(mixed << 8 * (BYTES - n))
        m.d.comb += self.fcs.eq(~WORD(moved))
        return m
