"""How the protocols say what a frame is made of: half words, put in any order."""

from collections.abc import Sequence

from amaranth.hdl import Module, Value
from amaranth.lib import data, enum

LENGTH_BITS = 11
"""Of a frame's length in bytes."""

MAX_HALVES = 64
"""Half words that can be put; what is behind comes from the frame that is answered."""


class Operand(enum.Enum, shape=5):
    """Where a half word comes from: what all the protocols need is kept once, beside the transmitter.

    The two highest bits say from whom, the others which half word of it.
    """

    DATA = 0
    CHECKSUM = 1 << 3
    """Internet checksum of the half words put since the last one, or since the frame's first."""
    MAC_0 = 2 << 3
    MAC_1 = 2 << 3 | 1
    MAC_2 = 2 << 3 | 2
    ADDRESS_0 = 2 << 3 | 3
    ADDRESS_1 = 2 << 3 | 4
    SENDER_0 = 3 << 3
    """MAC address of whom the frame at hand came from."""
    SENDER_1 = 3 << 3 | 1
    SENDER_2 = 3 << 3 | 2
    SOURCE_0 = 3 << 3 | 3
    """And its IPv4 address."""
    SOURCE_1 = 3 << 3 | 4


class Put(data.Struct):
    """A half word into place ``index`` of the frame, bytes 2 * index and 2 * index + 1, the first in the high bits.

    With ``last`` it is none: it sends the frame, and is taken when that is done. ``data`` has the length in its low
    bits; with ``FROM_FRAME`` what is behind the first ``TAIL`` bytes comes from the frame at hand.
    """

    index: range(MAX_HALVES)
    operand: Operand
    data: 16
    last: 1


TAIL = 40
"""Bytes before the frame at hand: Ethernet and IPv4 header, and the first six of ICMP."""

FROM_FRAME = 15
"""The bit of ``data``."""

MAC = (Operand.MAC_0, Operand.MAC_1, Operand.MAC_2)
ADDRESS = (Operand.ADDRESS_0, Operand.ADDRESS_1)
SENDER = (Operand.SENDER_0, Operand.SENDER_1, Operand.SENDER_2)
SOURCE = (Operand.SOURCE_0, Operand.SOURCE_1)

Source = Operand | Value | int


def halves(value: Value) -> tuple[Value, ...]:
    """The half words of a value, highest first."""
    return tuple(value[low : low + 16] for low in reversed(range(0, len(value), 16)))


def play(m: Module, payload: data.View, step: Value, program: Sequence[tuple[int, Source]], first: int = 0) -> int:
    """Drives a :class:`Put` with one of a list of (place, what) per step from ``first`` on; the step behind them."""
    with m.Switch(step):
        for n, (index, source) in enumerate(program, first):
            with m.Case(n):
                m.d.comb += payload.index.eq(index)
                if isinstance(source, Operand):
                    m.d.comb += payload.operand.eq(source)
                else:
                    m.d.comb += payload.data.eq(source)
    return first + len(program)


def send(payload: data.View, length: Value | int, *, from_frame: bool = False) -> list:
    """The statements that make a :class:`Put` the one that sends."""
    return [
        payload.last.eq(1),
        payload.data[:LENGTH_BITS].eq(length),
        payload.data[FROM_FRAME].eq(from_frame),
    ]
