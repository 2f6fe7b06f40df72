"""From stock locate to symbol, and from price to ladder level."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.items import Item, ItemKind
from hw.parameters import Parameters
from wire.records import SET_SYMBOL, CommandError, Opcode

SYMBOL_TYPES = "HYhAFECXDUP"
"""Messages that belong to a symbol."""

PRICED_TYPES = "AFU"
"""Messages that put an order at a price."""


TICK_BITS = 16
"""A tick is below 2^16, because levels * tick * tick is below 2^32."""


class Ticks(data.Struct):
    """The prices of a ladder: ``base`` is level 0, ``span`` is levels * tick, ``reciprocal`` is 2^32 // tick
    + 1.
    """

    base: 32
    tick: 32
    reciprocal: 32
    span: 32


class Place(data.StructLayout):
    """Where a price lies: on level ``index`` if ``in_band``, else ``below``, ``above``, or between two
    levels.
    """

    def __init__(self, parameters: Parameters):
        super().__init__({"in_band": 1, "below": 1, "above": 1, "index": parameters.index_bits})


class MappedItem(data.StructLayout):
    """An item with its symbol; ``error`` is the verdict on SET_SYMBOL, ``place`` that of the price of A, F
    and U.
    """

    def __init__(self, parameters: Parameters):
        super().__init__(
            {
                "item": Item,
                "symbol": parameters.symbol_bits,
                "mapped": 1,
                "error": CommandError,
                "base": 32,
                "tick": 32,
                "place": Place(parameters),
            }
        )


class SymbolMap(wiring.Component):
    """Finds the symbol of a message or a command and the ladder level of a price; maps symbols.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    i : In(stream of Item)
    o : Out(stream of MappedItem)
    mapped : Out(symbols)
        Which symbols are mapped.
    live : In(symbols)
        Which symbols have orders in the book.
    slots_busy : In(symbols)
        Which symbols have own orders that are not IDLE.
    settled : In(1)
        All items that went out have been handled, so that ``live`` and ``slots_busy`` are the truth.
    busy : Out(1)
        An item is inside, or the map is being cleared after reset.
    count_messages_unmapped : Out(1)

    A message takes 5 cycles, with a price 11, a command 3, SET_SYMBOL 24. One item at a time. After reset it
    takes ``locates`` cycles to clear the map.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        super().__init__(
            {
                "i": In(stream.Signature(Item)),
                "o": Out(stream.Signature(MappedItem(parameters))),
                "mapped": Out(parameters.symbols),
                "live": In(parameters.symbols),
                "slots_busy": In(parameters.symbols),
                "settled": In(1),
                "busy": Out(1),
                "count_messages_unmapped": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self.parameters
        locate_bits = (parameters.locates - 1).bit_length()
        entry = data.StructLayout({"mapped": 1, "symbol": parameters.symbol_bits})
        depth = max(2, parameters.symbols)
        m.submodules.locates = locates = memory.Memory(shape=entry, depth=parameters.locates, init=[])
        m.submodules.ticks = ticks = memory.Memory(shape=Ticks, depth=depth, init=[])
        # A symbol's own locate is unmapped when it gets another.
        m.submodules.own = own = memory.Memory(shape=locate_bits, depth=depth, init=[])
        locate_read, locate_write = locates.read_port(), locates.write_port()
        ticks_read, ticks_write = ticks.read_port(), ticks.write_port()
        own_read, own_write = own.read_port(), own.write_port()

        item = Signal(Item)
        symbol, error = Signal(parameters.symbol_bits), Signal(CommandError)
        mapped, known = Signal(), Signal(parameters.symbols)
        place = Signal(Place(parameters))
        message, command = item.payload.message, item.payload.command
        locate = Signal(16)
        m.d.comb += [
            self.mapped.eq(known),
            self.o.payload.item.eq(item),
            self.o.payload.symbol.eq(symbol),
            self.o.payload.mapped.eq(mapped),
            self.o.payload.error.eq(error),
            self.o.payload.place.eq(place),
            self.o.payload.base.eq(ticks_read.data.base),
            self.o.payload.tick.eq(ticks_read.data.tick),
            *(port.addr.eq(symbol) for port in (ticks_read, ticks_write, own_read, own_write)),
            *(port.en.eq(1) for port in (ticks_read, own_read, locate_read)),
            locate_read.addr.eq(locate),
        ]

        def is_type(types):
            return Cat(message.type == ord(code) for code in types).any()

        # -- the level of a price: (price - base) * reciprocal >> 32, by halves of 16 bits ------
        distance, below, inside = Signal(32), Signal(), Signal()
        reciprocal, tick = ticks_read.data.reciprocal, ticks_read.data.tick[:TICK_BITS]
        low, first, second, high = (Signal(32, name=f"part_{n}") for n in range(4))
        index, steps, on_level = Signal(parameters.index_bits), Signal(32), Signal()
        m.d.sync += [
            low.eq(distance[:16] * reciprocal[:16]),
            first.eq(distance[:16] * reciprocal[16:]),
            second.eq(distance[16:] * reciprocal[:16]),
            high.eq(distance[16:] * reciprocal[16:]),
            index.eq(((low[16:] + first + second) >> 16) + high),
            steps.eq(index * tick),
            on_level.eq(steps == distance),
            inside.eq(distance < ticks_read.data.span),
        ]

        # -- SET_SYMBOL --------------------------------------------------------------------------
        def setting(name):
            return SET_SYMBOL.bits(command, name)

        number = setting("symbol")
        in_range = Signal()
        m.d.comb += in_range.eq(number < parameters.symbols)
        bits_left = Signal(range(TICK_BITS + 1))
        multiplier = Signal(TICK_BITS)
        # (reciprocal - 1) * tick and span * tick, bit by bit of the tick
        factors = [Signal(32 + TICK_BITS, name=f"factor_{n}") for n in range(2)]
        products = [Signal(33 + TICK_BITS, name=f"product_{n}") for n in range(2)]
        wrong = Signal(8)
        settings = Signal(Ticks)
        m.d.comb += [
            settings.base.eq(setting("base_price")),
            settings.tick.eq(setting("tick")),
            settings.reciprocal.eq(setting("tick_reciprocal")),
            settings.span.eq(setting("span")),
            ticks_write.data.eq(settings),
            own_write.data.eq(setting("stock_locate")),
        ]

        waiting = Signal(range(8))
        sweep = Signal(range(parameters.locates + 1))
        with m.FSM() as fsm:
            with m.State("CLEAR"):
                m.d.comb += [locate_write.addr.eq(sweep), locate_write.en.eq(1)]
                m.d.sync += sweep.eq(sweep + 1)
                with m.If(sweep == parameters.locates - 1):
                    m.next = "IDLE"
            with m.State("IDLE"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [item.eq(self.i.payload), error.eq(CommandError.NONE), mapped.eq(0)]
                with m.If(self.i.valid):
                    m.next = "SEND"
                    with m.Switch(self.i.payload.kind):
                        with m.Case(ItemKind.MESSAGE):
                            m.next = "MESSAGE"
                        with m.Case(ItemKind.COMMAND):
                            m.next = "COMMAND"

            with m.State("MESSAGE"):
                m.d.sync += locate.eq(message.stock_locate)
                m.next = "SEND"
                with m.If(is_type(SYMBOL_TYPES) & ~message.unknown & ~message.bad_length):
                    m.next = "LOCATE"
            with m.State("LOCATE"):
                m.next = "SYMBOL"
            with m.State("SYMBOL"):
                found = Signal()
                m.d.comb += found.eq(locate_read.data.mapped & (locate >> locate_bits == 0))
                m.d.comb += self.count_messages_unmapped.eq(~found)
                m.d.sync += [mapped.eq(found), symbol.eq(locate_read.data.symbol)]
                m.next = "TICKS"
            with m.State("TICKS"):
                m.next = "SEND"
                with m.If(mapped & is_type(PRICED_TYPES)):
                    m.next = "DISTANCE"
            with m.State("DISTANCE"):
                m.d.sync += [
                    Cat(distance, below).eq(message.price - ticks_read.data.base),
                    waiting.eq(4),
                ]
                m.next = "LEVEL"
            with m.State("LEVEL"):
                m.d.sync += waiting.eq(waiting - 1)
                with m.If(waiting == 0):
                    m.d.sync += [
                        place.in_band.eq(~below & inside & on_level),
                        place.below.eq(below),
                        place.above.eq(~below & ~inside),
                        place.index.eq(index),
                    ]
                    m.next = "SEND"

            with m.State("COMMAND"):
                m.d.sync += [symbol.eq(number), locate.eq(setting("stock_locate"))]
                m.next = "OWNED"
            with m.State("OWNED"):
                m.d.sync += mapped.eq(in_range & known.bit_select(symbol, 1))
                m.next = "SEND"
                with m.If(setting("opcode") == Opcode.SET_SYMBOL):
                    m.next = "SETTLE"
            with m.State("SETTLE"), m.If(self.settled):
                m.d.sync += [
                    multiplier.eq(settings.tick),
                    bits_left.eq(TICK_BITS),
                    factors[0].eq(settings.reciprocal - 1),
                    factors[1].eq(settings.span),
                    *(product.eq(0) for product in products),
                ]
                m.next = "MULTIPLY"
                with m.If(~in_range):
                    m.d.sync += error.eq(CommandError.BAD_SYMBOL)
                    m.next = "SEND"
                with m.Elif((self.live | self.slots_busy).bit_select(symbol, 1)):
                    m.d.sync += error.eq(CommandError.BUSY)
                    m.next = "SEND"
            with m.State("MULTIPLY"):
                m.d.sync += [bits_left.eq(bits_left - 1), multiplier.eq(multiplier >> 1)]
                for factor, product in zip(factors, products, strict=True):
                    m.d.sync += factor.eq(factor << 1)
                    with m.If(multiplier[0]):
                        m.d.sync += product.eq(product + factor)
                with m.If(bits_left == 1):
                    m.next = "JUDGE"
            with m.State("JUDGE"):
                m.d.sync += wrong.eq(
                    Cat(
                        (settings.tick == 0) | (settings.tick >> TICK_BITS != 0),
                        settings.span != settings.tick << parameters.index_bits,
                        (settings.reciprocal == 0) | (products[0] > 1 << 32),
                        products[0] + settings.tick <= 1 << 32,
                        products[1] >> 32 != 0,
                        (settings.base + settings.span)[32],
                        (locate == 0)
                        | (locate >> locate_bits != 0)
                        | (locate_read.data.mapped & (locate_read.data.symbol != symbol)),
                        setting("enabled") > 1,
                    )
                )
                m.next = "UNMAP"
            with m.State("UNMAP"):
                m.next = "MAP"
                with m.If(wrong.any()):
                    m.d.sync += error.eq(CommandError.BAD_VALUE)
                    m.next = "SEND"
                with m.Elif(mapped):
                    m.d.comb += [locate_write.addr.eq(own_read.data), locate_write.en.eq(1)]
            with m.State("MAP"):
                m.d.comb += [
                    locate_write.addr.eq(locate),
                    locate_write.data.mapped.eq(1),
                    locate_write.data.symbol.eq(symbol),
                    *(port.en.eq(1) for port in (locate_write, ticks_write, own_write)),
                ]
                m.d.sync += [known.bit_select(symbol, 1).eq(1), mapped.eq(1)]
                m.next = "TICKS"

            with m.State("SEND"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "IDLE"

        m.d.comb += self.busy.eq(~fsm.ongoing("IDLE") | self.i.valid)
        return m
