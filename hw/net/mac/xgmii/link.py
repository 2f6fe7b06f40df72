"""Link fault signalling of XGMII (IEEE 802.3 clause 46.3.4)."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.net.mac.xgmii.characters import LOCAL_FAULT, REMOTE_FAULT, SEQUENCE

ENOUGH = 4
"""Ordered sets of one kind that declare a fault."""

FORGET_WORDS = 64
"""Words without any that end it: 128 columns of four lanes."""


class LinkFault(wiring.Component):
    """What the other side says about the link.

    Members
    -------
    rx_data, rx_control : In(64), In(8)
        XGMII.
    local_fault : Out(1)
        The PHY below does not receive: four ordered sets said so, and none is further than 128 columns back.
    remote_fault : Out(1)
        The other end does not receive us, likewise.
    count_faults : Out(1)
        Pulse: a word with a local or remote fault ordered set.

    Latency 2 cycles from the ordered set to ``count_faults`` and to a fault. At most one of the faults is high.
    """

    rx_data: In(64)
    rx_control: In(8)
    local_fault: Out(1)
    remote_fault: Out(1)
    count_faults: Out(1)

    def elaborate(self, platform):
        m = Module()
        seen, remote = Signal(2), Signal(2)
        for column in range(2):
            data, control = self.rx_data.word_select(column, 32), self.rx_control.word_select(column, 4)
            head = (control == 1) & (data[:24] == SEQUENCE)
            is_remote = data[24:] == REMOTE_FAULT
            m.d.sync += [
                seen[column].eq(head & (is_remote | (data[24:] == LOCAL_FAULT))),
                remote[column].eq(is_remote),
            ]

        # Of two kinds in one word the later one counts.
        kind, kind_before = Signal(), Signal()
        number, words = Signal(range(ENOUGH + 1)), Signal(range(FORGET_WORDS + 1))
        increment, total = Signal(2), Signal(range(ENOUGH + 3))
        forget = words[-1]
        m.d.comb += [
            kind.eq(Mux(seen[1], remote[1], remote[0])),
            increment.eq(Mux(seen.all() & (remote[0] == remote[1]), 2, 1)),
            total.eq(Mux((kind == kind_before) & ~forget, number, 0) + increment),
        ]
        m.d.sync += self.count_faults.eq(seen.any())
        with m.If(seen.any()):
            m.d.sync += [words.eq(0), kind_before.eq(kind), number.eq(Mux(total > ENOUGH, ENOUGH, total))]
            with m.If(total >= ENOUGH):
                m.d.sync += Cat(self.local_fault, self.remote_fault).eq(Cat(~kind, kind))
        with m.Elif(~forget):
            m.d.sync += words.eq(words + 1)
        with m.Else():
            m.d.sync += Cat(self.local_fault, self.remote_fault).eq(0)
        return m
