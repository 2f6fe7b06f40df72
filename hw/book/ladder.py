"""The ladder: quantity and order count of every price level, and which levels are occupied."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hw.book.first_set import FirstSet
from hw.parameters import WORD_LEVELS, Parameters
from wire.records import Side


class Ladder(wiring.Component):
    """Price levels of all symbols, and a search for the best ones.

    Levels are kept by position, counted from the best price that there can be on a side: the index for sells,
    its complement for buys. So the best level is the lowest position that is occupied, on both sides. A word
    of 64 bits says which of 64 levels are occupied, and a summary which of the words are not 0. What a level
    holds means nothing while it is not occupied: only the words are cleared after reset.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    symbol, side : In
        The row; held while the ladder works.
    apply : In(1)
        Changes level ``index``: ``quantity`` comes, or goes if ``take``, and an order with it if ``order``.
    search : In(1)
        Looks for the best level of the row.
    following : In(1)
        Looks for the next best one after that which the last search found.
    index, quantity, take, order : In
        Of the change; held like the row.
    done : Out(1)
        Pulse: the work is done, and what follows is valid until the next begins.
    has : Out(1)
        The level is occupied, or a level was found.
    best, total, orders : Out
        Index, quantity and order count of the level that was changed or found.
    busy : Out(1)
        The words are being cleared after reset.

    ``apply`` takes 8 cycles, ``search`` 13, ``following`` 9 or 13. Quantities wrap at 2^32.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        super().__init__(
            {
                "symbol": In(parameters.symbol_bits),
                "side": In(1),
                "apply": In(1),
                "search": In(1),
                "following": In(1),
                "index": In(parameters.index_bits),
                "quantity": In(32),
                "take": In(1),
                "order": In(1),
                "done": Out(1),
                "has": Out(1),
                "best": Out(parameters.index_bits),
                "total": Out(32),
                "orders": Out(parameters.order_bits),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self.parameters
        rows = 2 << parameters.symbol_bits
        words = parameters.levels // WORD_LEVELS
        word_bits = words.bit_length() - 1
        bit_bits = WORD_LEVELS.bit_length() - 1
        level_shape = data.StructLayout({"quantity": 32, "orders": parameters.order_bits})
        used_rows = 2 * parameters.symbols
        m.submodules.levels = levels = memory.Memory(
            shape=level_shape, depth=used_rows * parameters.levels, init=[]
        )
        m.submodules.words = occupancy = memory.Memory(shape=WORD_LEVELS, depth=used_rows * words, init=[])
        m.submodules.summaries = summaries = memory.Memory(shape=words, depth=used_rows, init=[])
        m.submodules.first = first = FirstSet(WORD_LEVELS)
        ports = {
            each: (store.read_port(), store.write_port())
            for each, store in (("level", levels), ("word", occupancy), ("summary", summaries))
        }
        (level_read, level_write), (word_read, word_write), (summary_read, summary_write) = ports.values()

        row = Signal(range(rows))
        number, bit = Signal(max(1, word_bits)), Signal(bit_bits)  # word of the row, level of the word
        position = Cat(bit, number[:word_bits])
        level, word, summary = Signal(level_shape), Signal(WORD_LEVELS), Signal(words)
        occupied = Signal()
        sweep, clearing = Signal(range(used_rows * words)), Signal(init=1)
        with m.If(clearing):
            m.d.sync += sweep.eq(sweep + 1)
            with m.If(sweep == used_rows * words - 1):
                m.d.sync += clearing.eq(0)
        m.d.comb += [
            self.busy.eq(clearing),
            *(port.en.eq(1) for port in (level_read, word_read, summary_read)),
            *(port.addr.eq(Cat(position, row)) for port in (level_read, level_write)),
            word_read.addr.eq(Cat(number[:word_bits], row)),
            word_write.addr.eq(Mux(clearing, sweep, Cat(number[:word_bits], row))),
            word_write.data.eq(Mux(clearing, 0, word)),
            word_write.en.eq(clearing),
            summary_read.addr.eq(row),
            summary_write.addr.eq(Mux(clearing, sweep >> word_bits, row)),
            summary_write.data.eq(Mux(clearing, 0, summary)),
            summary_write.en.eq(clearing),
            level_write.data.eq(level),
        ]
        m.d.comb += [
            self.best.eq(Mux(self.side == Side.BUY, ~position, position)),
            self.total.eq(level.quantity),
            self.orders.eq(level.orders),
        ]
        waiting = Signal(2)

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [row.eq(Cat(self.side, self.symbol)), waiting.eq(2)]
                with m.If(self.apply):
                    at = Mux(self.side == Side.BUY, ~self.index, self.index)
                    m.d.sync += [bit.eq(at), number.eq(at[bit_bits:])]
                    m.next = "READ"
                with m.If(self.search):
                    m.next = "READ SUMMARY"
                with m.If(self.following):
                    m.d.sync += word.eq(word & (word - 1))
                    m.next = "REST"

            # -- change a level --------------------------------------------------------------------
            with m.State("READ"):
                m.next = "LATCH"
            with m.State("LATCH"):
                m.d.sync += [
                    level.eq(level_read.data),
                    word.eq(word_read.data),
                    summary.eq(summary_read.data),
                ]
                m.next = "OCCUPIED"
            with m.State("OCCUPIED"):
                m.d.sync += occupied.eq(word.bit_select(bit, 1))
                m.next = "SUM"
            with m.State("SUM"):
                with m.If(self.take):
                    m.d.sync += [
                        level.quantity.eq(level.quantity - self.quantity),
                        level.orders.eq(level.orders - self.order),
                    ]
                with m.Elif(occupied):
                    m.d.sync += [
                        level.quantity.eq(level.quantity + self.quantity),
                        level.orders.eq(level.orders + self.order),
                    ]
                with m.Else():
                    m.d.sync += [level.quantity.eq(self.quantity), level.orders.eq(self.order)]
                m.next = "MARK"
            with m.State("MARK"):
                m.d.comb += level_write.en.eq(1)
                m.d.sync += [self.has.eq(level.orders != 0), word.bit_select(bit, 1).eq(level.orders != 0)]
                m.next = "WORD"
            with m.State("WORD"):
                m.d.comb += word_write.en.eq(1)
                m.d.sync += summary.bit_select(number[:word_bits], 1).eq(word.any())
                m.next = "SUMMARY"
            with m.State("SUMMARY"):
                m.d.comb += summary_write.en.eq(1)
                m.next = "DONE"

            # -- find the best ---------------------------------------------------------------------
            with m.State("READ SUMMARY"):
                m.next = "LATCH SUMMARY"
            with m.State("LATCH SUMMARY"):
                m.d.sync += summary.eq(summary_read.data)
                m.next = "FIND WORD"
            with m.State("REST"):
                m.d.sync += summary.eq(summary & (summary - 1))
                m.next = "FIND WORD"
                with m.If(word.any()):
                    m.d.sync += summary.eq(summary)
                    m.next = "FIND BIT"
            with m.State("FIND WORD"):
                m.d.comb += first.i.eq(summary)
                m.d.sync += [waiting.eq(waiting - 1), number.eq(first.o), self.has.eq(summary.any())]
                with m.If(waiting == 0):
                    m.d.sync += waiting.eq(2)
                    m.next = "READ WORD"
                    with m.If(~self.has):
                        m.next = "DONE"
            with m.State("READ WORD"):
                m.next = "LATCH WORD"
            with m.State("LATCH WORD"):
                m.d.sync += word.eq(word_read.data)
                m.next = "FIND BIT"
            with m.State("FIND BIT"):
                m.d.comb += first.i.eq(word)
                m.d.sync += [waiting.eq(waiting - 1), bit.eq(first.o)]
                with m.If(waiting == 0):
                    m.next = "READ LEVEL"
            with m.State("READ LEVEL"):
                m.next = "LATCH LEVEL"
            with m.State("LATCH LEVEL"):
                m.d.sync += level.eq(level_read.data)
                m.next = "DONE"

            with m.State("DONE"):
                m.d.comb += self.done.eq(1)
                m.next = "IDLE"
        return m
