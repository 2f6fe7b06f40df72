"""Packets that the peer has not acknowledged, as they were sent, and their way out once more."""

from types import SimpleNamespace

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hw.streams import BEAT_BYTES

SPARE = 2
"""Slots that must be free before another packet may come: its own, and one for a packet that is just being built."""


class Replay(wiring.Component):
    """A ring of packets in block RAM, a slot of 64 bytes for each.

    Parameters
    ----------
    slots : int
        A power of 2, at least 4. All can be full when packets come without a pause, all but one otherwise.

    Members
    -------
    clear : In(1)
        Nothing was sent; ``start`` is the sequence number of what will be. Held for 4 cycles at least.
    start : In(32)
    write_enable, write_address, write_data : In
        A beat of the packet that goes into ``slot``.
    read_enable, read_address : In
    read_data : Out(64)
        A cycle after its address.
    slot : Out(range(slots))
        Where the next packet goes.
    accepted : In(1)
        Pulse: a packet goes into ``slot``.
    kept, kept_slot, kept_length, kept_sum : In
        Pulse: it is there, with so many bytes and this sum of them.
    room : Out(1)
        There is a slot for another packet. Right 8 cycles after ``accepted``.
    acknowledged : In(32)
        The first sequence number that the peer has not acknowledged.
    resend_all, resend_first : In(1)
        Pulse: all packets, or the oldest alone, are to be sent again.
    resending : Out(1)
        Some are still to be.
    request_valid : Out(1)
        The next of them: ``request_sequence``, ``request_length``, ``request_slot``, ``request_sum``. It goes when the
        peer acknowledges it, and while packets are freed.
    request_taken : In(1)

    A packet is freed at most 8 cycles after it was acknowledged, one in 6 cycles. One that is acknowledged in part stays,
    and is sent again whole.
    """

    def __init__(self, slots: int = 64):
        if slots < 4 or slots & (slots - 1):
            raise ValueError(f"slots is {slots}, not a power of 2 from 4 on")
        self.slots = slots
        super().__init__(
            {
                "clear": In(1),
                "start": In(32),
                "write_enable": In(1),
                "write_address": In(range(slots * BEAT_BYTES)),
                "write_data": In(64),
                "read_enable": In(1),
                "read_address": In(range(slots * BEAT_BYTES)),
                "read_data": Out(64),
                "slot": Out(range(slots)),
                "accepted": In(1),
                "kept": In(1),
                "kept_slot": In(range(slots)),
                "kept_length": In(7),
                "kept_sum": In(16),
                "room": Out(1),
                "acknowledged": In(32),
                "resend_all": In(1),
                "resend_first": In(1),
                "resending": Out(1),
                "request_valid": Out(1),
                "request_sequence": Out(32),
                "request_length": Out(7),
                "request_slot": Out(range(slots)),
                "request_sum": Out(16),
                "request_taken": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.beats = beats = memory.Memory(shape=64, depth=self.slots * BEAT_BYTES, init=[])
        description = data.StructLayout({"length": 7, "sum": 16})
        m.submodules.descriptions = descriptions = memory.Memory(shape=description, depth=self.slots, init=[])
        write, read = beats.write_port(), beats.read_port()
        m.d.comb += [
            write.en.eq(self.write_enable),
            write.addr.eq(self.write_address),
            write.data.eq(self.write_data),
            read.en.eq(self.read_enable),
            read.addr.eq(self.read_address),
            self.read_data.eq(read.data),
        ]
        describe, look_up = descriptions.write_port(), descriptions.read_port()
        m.d.comb += [
            describe.en.eq(self.kept),
            describe.addr.eq(self.kept_slot),
            describe.data.length.eq(self.kept_length),
            describe.data.sum.eq(self.kept_sum),
        ]

        # Packets are in the slots from ``oldest`` on, ``count`` of them. ``oldest_end`` is behind the oldest's last byte,
        # ``passed`` says that it is acknowledged; both are right once ``measured`` and ``compared`` are set.
        oldest, count = Signal(range(self.slots)), Signal(range(self.slots + 1))
        oldest_sequence, oldest_end = Signal(32), Signal(32)
        measured, compared, passed, free = Signal(), Signal(), Signal(), Signal()
        m.d.sync += [
            compared.eq(measured & ~free),
            passed.eq(~(self.acknowledged - oldest_end)[31]),
            count.eq(count + self.kept - free),
            self.slot.eq(self.slot + self.accepted),
            self.room.eq(count <= self.slots - SPARE),
        ]

        # What is to be sent again: ``left`` packets from slot ``request_slot`` on; ``known`` is the first of them.
        left, known = Signal(range(self.slots + 1)), Signal()
        all_wanted, first_wanted = Signal(), Signal()
        m.d.comb += [
            self.resending.eq((left != 0) | all_wanted | first_wanted),
            self.request_valid.eq(known & compared & ~passed),
        ]

        def step_on(sequence):
            m.d.sync += [
                self.request_slot.eq(self.request_slot + 1),
                self.request_sequence.eq(sequence),
                left.eq(left - 1),
                known.eq(0),
            ]

        with m.If(self.request_taken):
            step_on(self.request_sequence + self.request_length)

        # One thing at a time, so that nothing moves while its description is looked up.
        for_oldest, looked_up = Signal(), Signal(description)
        m.d.comb += look_up.addr.eq(Mux(for_oldest, oldest, self.request_slot))
        round_begins = Signal()
        with m.FSM() as fsm:
            with m.State("CHOOSE"), m.If(~self.request_taken):
                m.d.sync += for_oldest.eq(~measured)
                with m.If(measured & compared & passed):
                    m.d.comb += free.eq(1)
                    m.d.sync += [oldest.eq(oldest + 1), oldest_sequence.eq(oldest_end), measured.eq(0)]
                    with m.If((left != 0) & (self.request_slot == oldest)):
                        step_on(oldest_end)
                with m.Elif(~measured & (count != 0)):
                    m.next = "READ"
                with m.Elif((all_wanted | first_wanted) & (compared | (count == 0))):
                    m.d.comb += round_begins.eq(1)
                    m.d.sync += [
                        self.request_slot.eq(oldest),
                        self.request_sequence.eq(oldest_sequence),
                        left.eq(Mux(all_wanted, count, count != 0)),
                        known.eq(0),
                        all_wanted.eq(0),
                        first_wanted.eq(0),
                    ]
                with m.Elif((left != 0) & ~known):
                    m.next = "READ"
            with m.State("READ"):
                m.next = "KEEP"
            with m.State("KEEP"):
                m.d.sync += looked_up.eq(look_up.data)
                m.next = "USE"
            with m.State("USE"):
                with m.If(for_oldest):
                    m.d.sync += [oldest_end.eq(oldest_sequence + looked_up.length), measured.eq(1)]
                with m.Else():
                    m.d.sync += [
                        self.request_length.eq(looked_up.length),
                        self.request_sum.eq(looked_up.sum),
                        known.eq(1),
                    ]
                m.next = "CHOOSE"
            ongoing = {state: fsm.ongoing(state) for state in tuple(fsm.encoding)}
        # A cycle later, when ``passed`` knows of an acknowledgement that came by the same segment.
        all_later, first_later = Signal(), Signal()
        m.d.sync += [all_later.eq(self.resend_all), first_later.eq(self.resend_first)]
        with m.If(all_later):
            m.d.sync += all_wanted.eq(1)
        with m.If(first_later):
            m.d.sync += first_wanted.eq(1)
        with m.If(self.clear):
            m.d.sync += [
                oldest.eq(0),
                count.eq(0),
                self.slot.eq(0),
                oldest_sequence.eq(self.start),
                measured.eq(0),
                left.eq(0),
                known.eq(0),
                all_wanted.eq(0),
                first_wanted.eq(0),
            ]
        # Proofs look at these (hw.formal.replay).
        self.inside = SimpleNamespace(
            descriptions=descriptions, ongoing=ongoing, oldest=oldest, count=count, oldest_sequence=oldest_sequence,
            oldest_end=oldest_end, measured=measured, compared=compared, passed=passed, left=left, known=known,
            all_wanted=all_wanted, first_wanted=first_wanted, all_later=all_later, first_later=first_later,
            for_oldest=for_oldest, look_up=look_up, looked_up=looked_up, round_begins=round_begins,
        )  # fmt: skip
        return m
