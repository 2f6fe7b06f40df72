"""The ladder: quantity and order count of every price level, and which levels are occupied."""

from itertools import pairwise

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.block_memory import read_block
from hw.book.first_set import FirstSet
from hw.parameters import WORD_LEVELS, Parameters

DEPTH = 8
"""Cycles after which a change is everywhere in the ladder."""

BLOCK_BITS = 16384
BIT_BITS = ceil_log2(WORD_LEVELS)


class LevelChange(data.StructLayout):
    """``quantity`` comes to (``add``) or goes from a level, and an order with it if ``order``."""

    def __init__(self, parameters: Parameters):
        super().__init__(
            {
                "symbol": parameters.symbol_bits,
                "side": 1,
                "position": parameters.index_bits,
                "quantity": 32,
                "add": 1,
                "order": 1,
            }
        )


class Ladder(wiring.Component):
    """Price levels of all symbols, and a search for the best ones.

    Levels are kept by position, counted from the best price that there can be on a side: the index for sells,
    its complement for buys. So the best level is the lowest position that is occupied, on both sides. A word
    of 64 bits says which of 64 levels are occupied, and a summary which of the words are not 0. A level
    without orders has quantity 0.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    valid, change : In(1), In(LevelChange)
        A change, in any cycle.
    search, symbol, side : In
        Looks for the best level of a row, or, if ``behind``, of its levels behind position ``last``. Held until
        ``done``.
    done : Out(1)
        Pulse: what follows is valid until the next search.
    has, position, quantity, orders : Out
        A level was found, and what it holds.
    clear, busy : In(1), Out(1)
        Clears all levels, after a reset that is not the first.

    A change per cycle, never held up; ``DEPTH`` cycles later it is everywhere. A search takes 10 to 16 cycles
    and a cycle without a change. It finds what it looks for if none of the levels it looks at changes meanwhile.
    Quantities wrap at 2^32. Clearing takes a cycle per level.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        super().__init__(
            {
                "valid": In(1),
                "change": In(LevelChange(parameters)),
                "search": In(1),
                "symbol": In(parameters.symbol_bits),
                "side": In(1),
                "behind": In(1),
                "last": In(parameters.index_bits),
                "done": Out(1),
                "has": Out(1),
                "position": Out(parameters.index_bits),
                "quantity": Out(32),
                "orders": Out(parameters.order_bits),
                "clear": In(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self.parameters
        rows = 2 * parameters.symbols
        words = parameters.levels // WORD_LEVELS
        word_bits = ceil_log2(words)
        row_bits = parameters.symbol_bits + 1
        place_bits = parameters.index_bits + row_bits
        level = data.StructLayout({"quantity": 32, "orders": parameters.order_bits})
        # One block of RAM is 16384 bits: slices that fit need no choice between blocks behind them.
        depth, width = rows * parameters.levels, level.size
        slice_bits = max(1, BLOCK_BITS // depth) if depth <= BLOCK_BITS else width
        slices = []
        for at in range(0, width, slice_bits):
            levels = memory.Memory(shape=min(slice_bits, width - at), depth=depth, init=[])
            m.submodules[f"levels_{at}"] = levels
            slices.append(levels)
        m.submodules.words = occupancy = memory.Memory(shape=WORD_LEVELS, depth=rows * words, init=[])
        m.submodules.summaries = summaries = memory.Memory(shape=words, depth=rows, init=[])
        word_write = occupancy.write_port()
        summary_read, summary_look = (summaries.read_port(domain="comb") for _ in range(2))
        summary_write = summaries.write_port()

        def word_of(place):
            return place[BIT_BITS:]

        def number_of(place):
            return place[BIT_BITS : parameters.index_bits]

        def row_of(place):
            return place[parameters.index_bits :]

        sweep, clearing = Signal(range(rows * parameters.levels)), Signal()
        with m.If(self.clear):
            m.d.sync += clearing.eq(1)
        with m.If(clearing):
            m.d.sync += sweep.eq(sweep + 1)
            with m.If(sweep == rows * parameters.levels - 1):
                m.d.sync += [clearing.eq(0), sweep.eq(0)]
        m.d.comb += self.busy.eq(clearing)

        # -- changes, by the stage they are in; a probe is one that changes nothing -----------------------
        valid = [Signal(name=f"valid_{n}") for n in range(7)]
        probe = [Signal(name=f"probe_{n}") for n in range(4)]
        place = [Signal(place_bits, name=f"place_{n}") for n in range(7)]
        m.d.sync += [after.eq(before) for before, after in pairwise(valid)]
        m.d.sync += [after.eq(before) for before, after in pairwise(probe)]
        m.d.sync += [after.eq(before) for before, after in pairwise(place)]

        probing, probed = Signal(), Signal(place_bits)  # of the search
        change = self.change
        quantity, order = ([Signal(width, name=f"by_{width}_{n}") for n in range(3)] for width in (33, 2))
        m.d.sync += [
            valid[0].eq(self.valid),
            probe[0].eq(probing & ~self.valid),
            place[0].eq(Mux(self.valid, Cat(change.position, change.side, change.symbol), probed)),
            # What is added, beginning with a carry.
            quantity[0].eq(Mux(change.add, Cat(0, change.quantity), Cat(1, ~change.quantity))),
            order[0].eq(Cat(change.order, change.order & ~change.add)),  # 0, 1 or -1
        ]
        with m.If(~self.valid):
            m.d.sync += [quantity[0].eq(0), order[0].eq(0)]
        for chain in (quantity, order):
            m.d.sync += [after.eq(before) for before, after in pairwise(chain)]

        # Stages 0 and 1: read. Stage 2: add. Stage 3: write. Those up to 3 before it are not in the memory yet.
        read = Signal(level)  # stage 2
        sums = [Signal(level, name=f"sum_{n}") for n in (3, 4, 5)]
        same = Signal(3)
        m.d.sync += [
            read.eq(Cat(read_block(m, each, place[0]) for each in slices)),
            same.eq(Cat(valid[n] & (place[1] == place[n]) for n in (2, 3, 4))),
            *(after.eq(before) for before, after in pairwise(sums)),
        ]
        base = Signal(level)
        m.d.comb += base.eq(read)
        for n in (2, 1, 0):
            with m.If(same[n]):
                m.d.comb += base.eq(sums[n])
        m.d.sync += [
            sums[0].quantity.eq((Cat(quantity[2][0], base.quantity) + quantity[2])[1:]),
            sums[0].orders.eq(base.orders + order[2].as_signed()),
        ]
        written = Mux(clearing, 0, sums[0])
        for at, each in zip(range(0, width, slice_bits), slices, strict=True):
            writer = each.write_port()
            m.d.comb += [
                writer.addr.eq(Mux(clearing, sweep, place[3])),
                writer.data.eq(written[at : at + slice_bits]),
                writer.en.eq(clearing | valid[3]),
            ]

        # Stages 2 and 3: read the word. Stage 4: mark. Stage 5: write, and is it 0? Stage 6: the summary.
        word = Signal(WORD_LEVELS)  # stage 4
        marked = [Signal(WORD_LEVELS, name=f"word_{n}") for n in (5, 6, 7)]
        one, occupied, same_word = Signal(WORD_LEVELS), Signal(), Signal(3)
        some = Signal()
        base_word = Signal(WORD_LEVELS)
        m.d.comb += base_word.eq(word)
        for n in (2, 1, 0):
            with m.If(same_word[n]):
                m.d.comb += base_word.eq(marked[n])
        m.d.sync += [
            word.eq(read_block(m, occupancy, word_of(place[2]))),
            one.eq(1 << place[3][:BIT_BITS]),
            occupied.eq(sums[0].orders != 0),
            same_word.eq(Cat(valid[n] & (word_of(place[3]) == word_of(place[n])) for n in (4, 5, 6))),
            marked[0].eq(Mux(occupied, base_word | one, base_word & ~one)),
            *(after.eq(before) for before, after in pairwise(marked)),
            some.eq(marked[0].any()),
        ]
        m.d.comb += [
            word_write.addr.eq(Mux(clearing, sweep >> BIT_BITS, word_of(place[5]))),
            word_write.data.eq(Mux(clearing, 0, marked[0])),
            word_write.en.eq(clearing | valid[5]),
        ]
        one_word = 1 << number_of(place[6]) if word_bits else Const(1)
        m.d.comb += [
            summary_read.addr.eq(row_of(place[6])),
            summary_write.addr.eq(Mux(clearing, sweep >> parameters.index_bits, row_of(place[6]))),
            summary_write.data.eq(
                Mux(
                    clearing,
                    0,
                    Mux(some, summary_read.data | one_word, summary_read.data & ~one_word),
                )
            ),
            summary_write.en.eq(clearing | valid[6]),
        ]

        self._search(m, occupancy, summary_look, probing, probed, probe[3], sums[0])
        return m

    def _search(self, m, occupancy, summary_look, probing, probed, answered, answer):
        """The search for the best level, or the next one."""
        words = self.parameters.levels // WORD_LEVELS
        word_bits = ceil_log2(words)
        m.submodules.first = first = FirstSet(WORD_LEVELS)
        row = Cat(self.side, self.symbol)
        number, bit = Signal(word_bits), Signal(BIT_BITS)
        last_number, last_bit = self.last[BIT_BITS:], self.last[:BIT_BITS]
        word, summary = Signal(WORD_LEVELS), Signal(words)
        behind_word, behind_summary = Signal(WORD_LEVELS), Signal(words)
        waiting = Signal(2)
        position = Cat(bit, number)
        look = read_block(m, occupancy, Cat(number, row))
        m.d.comb += [
            summary_look.addr.eq(row),
            probed.eq(Cat(position, row)),
            self.position.eq(position),
        ]
        m.d.sync += [
            behind_word.eq(Cat(last_bit < n for n in range(WORD_LEVELS))),
            behind_summary.eq(Cat(last_number < n for n in range(words)) if word_bits else 0),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += waiting.eq(2)
                with m.If(self.search & ~self.done):
                    m.d.sync += number.eq(last_number)
                    m.next = "SUMMARY"
            with m.State("SUMMARY"):
                m.d.sync += summary.eq(
                    summary_look.data & Mux(self.behind, behind_summary, (1 << words) - 1)
                )
                m.next = "FIND WORD"
                with m.If(self.behind):
                    m.next = "LATCH REST"
            with m.State("LATCH REST"):
                m.d.sync += word.eq(look & behind_word)
                m.next = "REST"
            with m.State("REST"):
                m.next = "FIND WORD"
                with m.If(word.any()):
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
                m.d.sync += word.eq(look)
                m.next = "FIND BIT"
            with m.State("FIND BIT"):
                m.d.comb += first.i.eq(word)
                m.d.sync += [waiting.eq(waiting - 1), bit.eq(first.o), self.has.eq(1)]
                with m.If(waiting == 0):
                    m.next = "PROBE"
            with m.State("PROBE"):
                m.d.comb += probing.eq(1)
                with m.If(~self.valid):
                    m.next = "ANSWER"
            with m.State("ANSWER"):
                m.d.sync += [self.quantity.eq(answer.quantity), self.orders.eq(answer.orders)]
                with m.If(answered):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.done.eq(1)
                m.next = "IDLE"
