"""One stream of items out of all that comes in."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.items import Item, ItemKind
from hw.streams import StreamRegister
from wire.records import HEARTBEAT, Opcode

ITEM = stream.Signature(Item)


class Sequencer(wiring.Component):
    """Merges feed, order session, commands and clock.

    Ticks, and the commands that the arbiter has to know, take the way through the feed handler: what they cause there
    comes out before them. No command overtakes another.

    Members
    -------
    feed, session, command : In(stream of Item)
        What the feed handler, the session receiver and the command reader give.
    tick : In(stream)
        The clock went on; the payload is nothing.
    stamp : In(64)
        The clock in ns, for the tick.
    control : Out(stream of Item)
        TICK, SET_FEED and RESUME_FEED for the feed handler, which gives them back at ``feed``.
    o : Out(stream of Item)
        Everything, one after the other. Stamps never go back: one that would is set to that of the item before.
    busy : Out(1)
        An item is inside.

    Latency 1 cycle, an item per cycle. The three take turns when more than one has an item; each can be held up by
    the trader.
    """

    def __init__(self):
        super().__init__(
            {
                "feed": In(ITEM),
                "session": In(ITEM),
                "command": In(ITEM),
                "tick": In(stream.Signature(1)),
                "stamp": In(64),
                "control": Out(ITEM),
                "o": Out(ITEM),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.merged = merged = StreamRegister(Item)
        m.submodules.controlled = controlled = StreamRegister(Item)

        # The way through the feed handler. A command waits until the one before it is back from there.
        opcode = HEARTBEAT.bits(self.command.payload.payload.command, "opcode")
        routed = (opcode == Opcode.SET_FEED) | (opcode == Opcode.RESUME_FEED)
        away, command_now = Signal(), Signal()
        m.d.comb += command_now.eq(self.command.valid & ~away)
        control = controlled.i
        with m.If(command_now & routed):
            m.d.comb += [control.valid.eq(1), control.payload.eq(self.command.payload)]
            with m.If(control.ready):
                m.d.sync += away.eq(1)
        with m.Elif(self.tick.valid):
            m.d.comb += [
                control.valid.eq(1),
                control.payload.kind.eq(ItemKind.TICK),
                control.payload.stamp.eq(self.stamp),
                self.tick.ready.eq(control.ready),
            ]
        with m.If(self.feed.valid & self.feed.ready & (self.feed.payload.kind == ItemKind.COMMAND)):
            m.d.sync += away.eq(0)

        # In turns: whoever was served last comes last.
        sources = [self.feed, self.session, self.command]
        valids = [self.feed.valid, self.session.valid, command_now & ~routed]
        last = Signal(range(len(sources)))
        chosen = Signal(range(len(sources)))
        with m.Switch(last):
            for before in range(len(sources)):
                with m.Case(before):
                    for offset in range(len(sources), 0, -1):
                        candidate = (before + offset) % len(sources)
                        with m.If(valids[candidate]):
                            m.d.comb += chosen.eq(candidate)
        into = merged.i
        with m.Switch(chosen):
            for number, (source, valid) in enumerate(zip(sources, valids, strict=True)):
                with m.Case(number):
                    m.d.comb += [into.payload.eq(source.payload), into.valid.eq(valid)]
                    if source is not self.command:
                        m.d.comb += source.ready.eq(into.ready)
        with m.If(into.valid & into.ready):
            m.d.sync += last.eq(chosen)
        direct_ready = into.ready & (chosen == 2)
        m.d.comb += self.command.ready.eq(~away & Mux(routed, control.ready, direct_ready))

        wiring.connect(m, merged.o, wiring.flipped(self.o))
        latest = Signal(64)  # of all that have passed
        newer = merged.o.payload.stamp > latest
        m.d.comb += self.o.payload.stamp.eq(Mux(newer, merged.o.payload.stamp, latest))
        with m.If(merged.o.valid & newer):
            m.d.sync += latest.eq(merged.o.payload.stamp)

        wiring.connect(m, controlled.o, wiring.flipped(self.control))
        m.d.comb += self.busy.eq(merged.o.valid | controlled.o.valid)
        return m
