"""Segments without data: which of them wait to be sent."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.tcp.template import COUNTED_LENGTH, DATA_FLAGS
from hw.tcp.transmit import MSS_BYTES, MSS_KIND
from wire.tcp import DATA_OFFSET, TCP, Flag

SETTLE = 6
"""Cycles until what a segment is to say has reached the template."""


def difference(flags, mss=None):
    """What a segment's checksum has more than that of a segment with data and no bytes in it (RFC 1624)."""
    own, length = DATA_OFFSET << 8 | flags, TCP.length
    if mss is not None:
        length += MSS_BYTES
        own += (MSS_BYTES // 4 << 12) + (MSS_KIND << 8 | MSS_BYTES) + mss
    return (own + length - (DATA_OFFSET << 8 | DATA_FLAGS) - COUNTED_LENGTH) % 0xFFFF


class Control(wiring.Component):
    """Keeps the wishes for SYN, FIN, RST, window probe and acknowledgement, and names the one to be sent next.

    Parameters
    ----------
    maximum_segment : int
        The MSS that is announced.

    Members
    -------
    syn, fin, probe : In(1)
        Pulse: one is to be sent. A SYN acknowledges with ``syn_acknowledges``.
    syn_acknowledges : In(1)
    reset, reset_sequence, reset_acknowledges : In
        Pulse: a RST with this sequence number is to be sent; lost while another waits.
    due : In(1)
        An acknowledgement is due.
    hold_fin : In(1)
        Packets that come before the FIN are still to be sent again.
    next : In(32)
        The sequence number behind all that was sent.
    clear : In(1)
        Pulse: nothing but a RST is to be sent any more.
    valid, sequence, flags, option, sum : Out
        What is to be sent next, as the transmitter takes it.
    taken : In(1)
        Pulse: it is being sent.
    reset_waits : Out(1)

    What is asked for is at ``valid`` 8 cycles later, an acknowledgement that is due 1 cycle later. A wish that comes again
    before it is sent is sent once.
    """

    def __init__(self, maximum_segment: int = 1460):
        self.maximum_segment = maximum_segment
        super().__init__(
            {
                "syn": In(1),
                "syn_acknowledges": In(1),
                "fin": In(1),
                "probe": In(1),
                "reset": In(1),
                "reset_sequence": In(32),
                "reset_acknowledges": In(1),
                "due": In(1),
                "hold_fin": In(1),
                "next": In(32),
                "clear": In(1),
                "valid": Out(1),
                "sequence": Out(32),
                "flags": Out(8),
                "option": Out(1),
                "sum": Out(16),
                "taken": In(1),
                "reset_waits": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        syn, fin, probe, reset = (Signal(name=name) for name in ("syn_waits", "fin_waits", "probe_waits", "reset_waits"))
        sequence, acknowledges, before = Signal(32), Signal(), Signal(32)
        settling = Signal(range(SETTLE + 1))
        m.d.comb += self.reset_waits.eq(reset)
        m.d.sync += before.eq(self.next - 1)

        choice = Signal(4)  # RST, SYN, FIN, probe; none for an acknowledgement
        settled = settling == 0
        waiting = [reset & settled, syn & settled, fin & settled & ~self.hold_fin, probe & settled]

        def choose(number, at, flags, mss=None):
            m.d.sync += [
                choice.eq(1 << number if number is not None else 0),
                self.sequence.eq(at),
                self.flags.eq(flags),
                self.option.eq(mss is not None),
                self.sum.eq(difference(flags, mss)),
            ]

        # The FIN acknowledges, and until it is sent nothing may have the number behind it.
        alone = self.due & ~fin
        m.d.sync += self.valid.eq((waiting[0] | waiting[1] | waiting[2] | waiting[3] | alone) & ~self.taken)
        with m.If(waiting[0]):
            with m.If(acknowledges):
                choose(0, sequence, Flag.RST | Flag.ACK)
            with m.Else():
                choose(0, sequence, Flag.RST)
        with m.Elif(waiting[1]):
            with m.If(self.syn_acknowledges):
                choose(1, before, Flag.SYN | Flag.ACK, self.maximum_segment)
            with m.Else():
                choose(1, before, Flag.SYN, self.maximum_segment)
        with m.Elif(waiting[2]):
            choose(2, before, Flag.FIN | Flag.ACK)
        with m.Elif(waiting[3]):
            choose(3, before, Flag.ACK)
        with m.Else():
            choose(None, self.next, Flag.ACK)

        with m.If(settling != 0):
            m.d.sync += settling.eq(settling - 1)
        with m.If(self.syn | self.fin | self.probe | self.reset):
            m.d.sync += settling.eq(SETTLE)
        with m.If(self.taken):
            m.d.sync += [each.eq(each & ~choice[n]) for n, each in enumerate((reset, syn, fin, probe))]
        with m.If(self.clear):
            m.d.sync += [syn.eq(0), fin.eq(0), probe.eq(0)]
        for pulse, wish in ((self.syn, syn), (self.fin, fin), (self.probe, probe), (self.reset, reset)):
            with m.If(pulse):
                m.d.sync += wish.eq(1)
        with m.If(self.reset & ~reset):
            m.d.sync += [sequence.eq(self.reset_sequence), acknowledges.eq(self.reset_acknowledges)]
        return m
