"""A frame that a receiver began is ended, once."""

from amaranth.hdl import Assert, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hw.net.mac.frame import MINIMUM_BYTES
from hw.net.mac.xgmii import XgmiiReceiver
from hw.net.mac.xgmii.characters import LANES

MAXIMUM = MINIMUM_BYTES
CYCLES = MAXIMUM // LANES + 1 + 3
"""From the delimiter to the last beat: the words that the longest frame may have begun, and the verdict."""


class Forgetful(XgmiiReceiver):
    """Forgets a frame that ends in the word of its delimiter."""

    def _ends(self, inside, completes, beyond, whole):
        return inside & (beyond | ~whole)


class Endless(XgmiiReceiver):
    """Does not end a frame that is too long."""

    def _ends(self, inside, completes, beyond, whole):
        return (inside | completes) & ~whole


RECEIVERS = {None: XgmiiReceiver, "forgets": Forgetful, "endless": Endless}


class FramesEnd(wiring.Component):
    """The receiver alone, XGMII free: any characters in any lane.

    Asserted: a beat appears only between the pulse ``sfd`` and the beat with ``last`` that ends it; no second pulse
    comes before that; and the beat with ``last`` is there at most 12 cycles after the pulse, with the smallest
    maximum. A greater one only makes frames longer.

    Parameters
    ----------
    mutation : str, optional
        ``forgets``: no end for a frame that is cut off behind its delimiter. ``endless``: none for one that is too long.
        Either must be caught.
    """

    def __init__(self, mutation: str | None = None):
        if mutation not in RECEIVERS:
            raise ValueError(f"{mutation!r} is no mutation of this proof")
        self.make = RECEIVERS[mutation]
        super().__init__({"rx_data": In(8 * LANES), "rx_control": In(LANES)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = receiver = self.make(MAXIMUM)
        m.d.comb += [receiver.rx_data.eq(self.rx_data), receiver.rx_control.eq(self.rx_control)]
        begun, age = Signal(), Signal(range(CYCLES + 2))
        last = receiver.o.valid & receiver.o.payload.last
        with m.If(receiver.sfd):
            m.d.sync += [begun.eq(1), age.eq(0)]
        with m.Else():
            m.d.sync += [begun.eq(begun & ~last), age.eq(age + (age <= CYCLES))]
        m.d.comb += [
            Assert(~receiver.o.valid | begun),
            Assert(~receiver.sfd | ~begun | last),
            Assert(~begun | (age < CYCLES)),
        ]
        return m
