"""The slow lane of the book: commands, and what the arbiter found out about all symbols."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.book.ladder import DEPTH
from hw.book.mapper import Mapper
from hw.book.symbol_map import Ticks
from hw.items import PAYLOAD_BITS, Item, ItemKind, Level
from hw.parameters import Parameters
from wire.records import (
    NO_SYMBOL,
    SET_FEED,
    SET_SYMBOL,
    SNAPSHOT,
    TRUST,
    CommandError,
    Opcode,
    Side,
    SnapshotPart,
)


class Commands(wiring.Component):
    """Handles COMMAND, JOINED and RESUMED, one at a time, while no step is on its way.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    start, item : In(1), In(Item)
    busy : Out(1)
        One is being handled.
    known, live, slots_busy, settled : In
        Symbols that are mapped, have orders in the book, have own orders; the last two are the truth.
    locate, found, found_symbol : Out, In, In
        Looks a stock locate up, a cycle later.
    set, number, own, ticks : Out
        Maps a symbol.
    strict : Out(1)
        From the last SET_FEED.
    restore, doubt, restored : Out, Out, In
        Of the trust.
    hold, held : Out(1), In(1)
        The ladder's search is needed, and is ours.
    search, side, behind, last : Out
        For the ladder, of the symbol ``number``.
    done, has, position, quantity, orders : In
        Its answer.
    valid, ready, is_level, mapped : Out(1), In(1), Out(1), Out(1)
        The item, or a level, is ready to leave.
    idle : In(1)
        What left is out.
    error, trust_changed, level : Out
        What leaves with it; the price of the level is missing.

    A command takes 4 cycles, SET_SYMBOL 60, a level of a snapshot about 25.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        symbols = parameters.symbols
        super().__init__(
            {
                "start": In(1),
                "item": In(Item),
                "busy": Out(1),
                "known": In(symbols),
                "live": In(symbols),
                "slots_busy": In(symbols),
                "settled": In(1),
                "locate": Out(16),
                "found": In(1),
                "found_symbol": In(parameters.symbol_bits),
                "set": Out(1),
                "number": Out(parameters.symbol_bits),
                "own": Out(16),
                "ticks": Out(Ticks),
                "strict": Out(1),
                "restore": Out(symbols),
                "doubt": Out(1),
                "restored": In(symbols),
                "hold": Out(1),
                "held": In(1),
                "search": Out(1),
                "side": Out(1),
                "behind": Out(1),
                "last": Out(parameters.index_bits),
                "done": In(1),
                "has": In(1),
                "position": In(parameters.index_bits),
                "quantity": In(32),
                "orders": In(parameters.order_bits),
                "valid": Out(1),
                "ready": In(1),
                "is_level": Out(1),
                "mapped": Out(1),
                "idle": In(1),
                "error": Out(CommandError),
                "trust_changed": Out(symbols),
                "level": Out(Level(parameters)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self.parameters
        m.submodules.mapper = mapper = Mapper(parameters)
        command, is_command = Signal(PAYLOAD_BITS), Signal()
        mapped, here = self.mapped, Signal(parameters.symbols)
        number = SET_SYMBOL.bits(command, "symbol")
        opcode = SET_SYMBOL.bits(command, "opcode")
        depth = SNAPSHOT.bits(command, "depth")
        in_range = Signal()
        waiting = Signal(range(DEPTH + 1))
        m.d.comb += [
            in_range.eq(number < parameters.symbols),
            here.eq(1 << self.number),
            self.number.eq(number),
            self.own.eq(SET_SYMBOL.bits(command, "stock_locate")),
            self.locate.eq(self.own),
            self.ticks.eq(mapper.ticks),
            mapper.command.eq(command),
            mapper.elsewhere.eq(self.found & (self.found_symbol != self.number)),
        ]

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [
                    command.eq(self.item.payload.command),
                    is_command.eq(self.item.kind == ItemKind.COMMAND),
                    self.error.eq(CommandError.NONE),
                    self.trust_changed.eq(0),
                    mapped.eq(0),
                ]
                with m.If(self.start):
                    m.d.sync += self.busy.eq(1)
                    m.next = "OPEN"
            with m.State("OPEN"):
                m.next = "DISPATCH"
                m.d.sync += mapped.eq(in_range & (self.known & here).any())
                with m.If(~is_command):
                    m.d.comb += self.doubt.eq(1)
                    m.d.sync += mapped.eq(0)
                    m.next = "SEND"
            with m.State("DISPATCH"):
                m.next = "SEND"
                with m.Switch(opcode):
                    with m.Case(Opcode.SET_SYMBOL):
                        m.next = "SETTLE"
                    with m.Case(Opcode.SET_FEED):
                        m.d.sync += self.strict.eq(SET_FEED.bits(command, "strict") != 0)
                        m.d.comb += self.restore.eq(~0)
                    with m.Case(Opcode.TRUST):
                        m.d.comb += self.restore.eq(
                            Mux(TRUST.bits(command, "symbol") == NO_SYMBOL, self.known, Mux(mapped, here, 0))
                        )
                        m.d.sync += self.trust_changed.eq(self.restored)
                    with m.Case(Opcode.SNAPSHOT):
                        m.d.sync += [waiting.eq(DEPTH), self.side.eq(Side.BUY)]
                        wanted = SNAPSHOT.bits(command, "parts") & SnapshotPart.BOOK
                        with m.If(mapped & (wanted != 0) & (depth != 0)):
                            m.next = "HOLD"

            with m.State("SETTLE"), m.If(self.settled):
                m.next = "SEND"
                with m.If(~in_range):
                    m.d.sync += self.error.eq(CommandError.BAD_SYMBOL)
                with m.Elif(((self.live | self.slots_busy) & here).any()):
                    m.d.sync += self.error.eq(CommandError.BUSY)
                with m.Else():
                    m.d.comb += mapper.start.eq(1)
                    m.next = "MAP"
            with m.State("MAP"), m.If(mapper.done):
                m.next = "SEND"
                with m.If(mapper.wrong):
                    m.d.sync += self.error.eq(CommandError.BAD_VALUE)
                with m.Else():
                    m.d.comb += [self.set.eq(1), self.restore.eq(here)]
                    m.d.sync += mapped.eq(1)

            # -- snapshot ----------------------------------------------------------------------------
            with m.State("HOLD"):
                m.d.comb += self.hold.eq(1)
                m.d.sync += waiting.eq(Mux(waiting == 0, 0, waiting - 1))
                with m.If(self.held & (waiting == 0)):
                    m.d.sync += [self.behind.eq(0), self.level.rank.eq(0)]
                    m.next = "SEARCH"
            with m.State("SEARCH"):
                m.d.comb += [self.hold.eq(1), self.search.eq(1)]
                m.d.sync += [
                    self.last.eq(Mux(self.done, self.position, self.last)),
                    self.level.side.eq(self.side),
                    self.level.quantity.eq(self.quantity),
                    self.level.orders.eq(self.orders),
                ]
                with m.If(self.done):
                    m.next = "LEVEL"
                    with m.If(~self.has):
                        m.next = "OTHER SIDE"
            with m.State("LEVEL"):
                m.d.comb += [self.hold.eq(1), self.valid.eq(1), self.is_level.eq(1)]
                with m.If(self.ready):
                    m.next = "OUT"
            with m.State("OUT"):
                m.d.comb += self.hold.eq(1)
                with m.If(self.idle):
                    m.d.sync += [self.level.rank.eq(self.level.rank + 1), self.behind.eq(1)]
                    m.next = "SEARCH"
                    with m.If(self.level.rank + 1 == depth):
                        m.next = "OTHER SIDE"
            with m.State("OTHER SIDE"):
                m.d.comb += self.hold.eq(1)
                m.d.sync += self.side.eq(Side.SELL)
                m.next = "HOLD"
                with m.If(self.side == Side.SELL):
                    m.next = "SEND"

            with m.State("SEND"):
                m.d.comb += self.valid.eq(1)
                with m.If(self.ready):
                    m.next = "GONE"
            with m.State("GONE"), m.If(self.idle):
                m.d.sync += self.busy.eq(0)
                m.next = "IDLE"
        return m
