"""The card's interrupt: what the host is called for, and when."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out


class Causes(data.Struct):
    """What the host can be called for."""

    events: 1
    """Events wait: more than the threshold, or for longer than the timeout."""
    overrun: 1
    """Events were lost."""
    dma: 1
    """A ring stopped with an error."""
    link: 1
    """A link came up or went down."""
    fault: 1
    """The card found something wrong with itself or its order session."""


class Interrupts(wiring.Component):
    """Causes collected into one level.

    Members
    -------
    level : In(32)
        Events that wait for the host.
    threshold : In(32)
        So many are worth an interrupt; 0: no number is.
    timeout : In(32)
        So many cycles may events wait; 0: for ever.
    overrun, dma, fault : In(1)
        In this cycle.
    link : In(links)
        Which links are up. A change is a cause.
    enable : In(Causes)
        What raises the line.
    clear : In(Causes)
        What is cleared in this cycle, unless it is caused again.
    pending : Out(Causes)
        What has happened and was not cleared. ``events`` comes back at once while there are ``threshold`` of them, and with
        the timeout after it was cleared while there are any: a host that clears, reads all and goes to sleep misses none.
    interrupt : Out(1)
        Something enabled is pending.

    Parameters
    ----------
    links : int

    From cause to ``interrupt`` 2 cycles, 3 for the threshold and the timeout.
    """

    def __init__(self, links: int = 3):
        if links < 1:
            raise ValueError(f"links is {links}, not 1 or more")
        super().__init__(
            {
                "level": In(32),
                "threshold": In(32),
                "timeout": In(32),
                "overrun": In(1),
                "dma": In(1),
                "fault": In(1),
                "link": In(links),
                "enable": In(Causes),
                "clear": In(Causes),
                "pending": Out(Causes),
                "interrupt": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        before = Signal.like(self.link)
        m.d.sync += before.eq(self.link)

        # Events wait from the first one on, or from the last time that the host was told and cleared it.
        waited, waiting, many, late = Signal(32), Signal(), Signal(), Signal()
        m.d.sync += [
            waiting.eq(self.level.any()),
            many.eq((self.level >= self.threshold) & self.threshold.any()),
            late.eq(waiting & (waited >= self.timeout) & self.timeout.any()),
            waited.eq(waited + 1),
        ]
        with m.If(~waiting | self.pending.events | late):
            m.d.sync += waited.eq(0)

        caused, pending = Signal(Causes), Value.cast(self.pending)
        m.d.comb += [
            caused.events.eq(many | late),
            caused.overrun.eq(self.overrun),
            caused.dma.eq(self.dma),
            caused.link.eq(self.link != before),
            caused.fault.eq(self.fault),
        ]
        m.d.sync += [
            pending.eq((pending & ~Value.cast(self.clear)) | Value.cast(caused)),
            self.interrupt.eq((pending & Value.cast(self.enable)).any()),
        ]
        return m
