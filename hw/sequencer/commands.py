"""Commands of the host, as items."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.items import PAYLOAD_BITS, Item, ItemKind
from hw.streams import Beat
from wire.records import LOGIN, RECORD_LENGTH, Opcode

BEATS = RECORD_LENGTH // 8


class CommandReader(wiring.Component):
    """A COMMAND item from every 64 bytes.

    Members
    -------
    i : In(stream of Beat)
        8 full beats, ``last`` with the eighth.
    stamp : In(64)
        The clock in ns, taken over with the first beat.
    o : Out(stream of Item)
    login : Out(1)
        It is a LOGIN.
    busy : Out(1)
        A command is inside.

    The item comes 1 cycle after the last beat, a command every 9 cycles. One of another length is passed on with
    opcode 0, which the trader refuses.
    """

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(Beat)),
                "stamp": In(64),
                "o": Out(stream.Signature(Item)),
                "login": Out(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        command, stamp, count = Signal(PAYLOAD_BITS), Signal(64), Signal(range(BEATS + 2))
        beat = self.i.payload
        m.d.comb += [self.i.ready.eq(~self.o.valid), self.busy.eq(self.o.valid | (count != 0))]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [command.eq((beat.data << (PAYLOAD_BITS - 64)) | command[64:]), count.eq(count + 1)]
            with m.If(count == 0):
                m.d.sync += stamp.eq(self.stamp)
            with m.If(count == BEATS + 1):
                m.d.sync += count.eq(count)
            with m.If(beat.last):
                m.d.sync += [count.eq(0), self.o.valid.eq(1)]
                with m.If((count != BEATS - 1) | (beat.count != 8)):
                    m.d.sync += command[:8].eq(0)
        m.d.comb += self.login.eq(LOGIN.bits(command, "opcode") == Opcode.LOGIN)
        item = self.o.payload
        m.d.comb += [item.kind.eq(ItemKind.COMMAND), item.stamp.eq(stamp), item.payload.command.eq(command)]
        return m
