"""One stream of items out of all that comes in."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.items import Item, ItemKind
from hw.one_hot import select
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
        TICK, SET_FEED and RESUME_FEED for the feed handler, which gives them back at ``feed`` when it takes them, a command
        without its payload.
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

        # The way through the feed handler, one at a time. A command stays at ``command`` until it is back from there.
        opcode = HEARTBEAT.bits(self.command.payload.payload.command, "opcode")
        routed = (opcode == Opcode.SET_FEED) | (opcode == Opcode.RESUME_FEED)
        command_away, tick_away, tick_stamp = Signal(), Signal(), Signal(64)
        control = self.control.payload
        m.d.comb += [
            self.control.valid.eq(command_away | tick_away),
            control.kind.eq(Mux(tick_away, ItemKind.TICK, ItemKind.COMMAND)),
            control.stamp.eq(Mux(tick_away, tick_stamp, self.command.payload.stamp)),
            control.payload.eq(self.command.payload.payload),
        ]
        with m.If(~self.control.valid):
            with m.If(self.command.valid & routed):
                m.d.sync += command_away.eq(1)
            with m.Elif(self.tick.valid):
                m.d.comb += self.tick.ready.eq(1)
                m.d.sync += [tick_away.eq(1), tick_stamp.eq(self.stamp)]
        with m.Elif(self.control.ready):
            m.d.sync += [command_away.eq(0), tick_away.eq(0)]

        # In turns: whoever was served last comes last.
        sources = [self.feed, self.session, self.command]
        count = len(sources)
        valids = Cat(self.feed.valid, self.session.valid, self.command.valid & ~routed)
        last, chosen = Signal(count, init=1), Signal(count)

        def goes_before(one, other):
            return Cat(last[n] for n in range(count) if (one - n - 1) % count < (other - n - 1) % count).any()

        for one in range(count):
            others = [~valids[other] | goes_before(one, other) for other in range(count) if other != one]
            m.d.comb += chosen[one].eq(valids[one] & Cat(others).all())
        into, item = merged.i, merged.i.payload
        with m.If(into.valid & into.ready):
            m.d.sync += last.eq(chosen)
        # Where the command's payload goes: also with the command that is back.
        is_command = chosen[2] | (chosen[0] & (self.feed.payload.kind == ItemKind.COMMAND))
        payloads = [Value.cast(each.payload.payload) for each in sources]
        from_feed, from_session, from_command = chosen[0], chosen[1], is_command
        m.d.comb += [
            into.valid.eq(valids.any()),
            item.kind.eq(select(chosen, (each.payload.kind for each in sources))),
            item.stamp.eq(select(chosen, (each.payload.stamp for each in sources))),
            item.cause.eq(select(chosen, (each.payload.cause for each in sources))),
            Value.cast(item.payload).eq(select(Cat(from_feed, from_session, from_command), payloads)),
            self.feed.ready.eq(into.ready & chosen[0]),
            self.session.ready.eq(into.ready & chosen[1]),
            self.command.ready.eq(Mux(routed, command_away & self.control.ready, into.ready & chosen[2])),
        ]

        wiring.connect(m, merged.o, wiring.flipped(self.o))
        latest = Signal(64)  # of all that have passed
        newer = merged.o.payload.stamp > latest
        m.d.comb += self.o.payload.stamp.eq(Mux(newer, merged.o.payload.stamp, latest))
        with m.If(merged.o.valid & newer):
            m.d.sync += latest.eq(merged.o.payload.stamp)

        m.d.comb += self.busy.eq(merged.o.valid | self.control.valid)
        return m
