"""What keeps the best levels of every row from running out, and compares them with the ladder."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.book.ladder import DEPTH
from hw.book.tops import Line
from hw.parameters import Parameters


class Refill(wiring.Component):
    """Walks the rows: one that runs short gets its next level from the ladder; of another it looks up the best
    level, which must be the same in both.

    A search starts when all changes from before are in the ladder. It is in vain if meanwhile a level changes
    that it could have found, or has found, and then done again: of a row that is compared any level, else those
    behind the levels of the row but not behind the one that is found; or if the row loses its last one to the
    ladder.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    short : In(2 * symbols)
        Rows that miss levels.
    urgent, urgent_row : In(1), In
        A row that somebody waits for.
    look, line, quantity : Out, In(Line), In(32)
        A row.
    advance : In(1)
        The tops go on with this clock edge.
    fires, row, outside, lost, changes, changed : In
        Level ``changed`` of a row changes with this clock edge; it is behind those of the row; the row loses one.
    search, symbol, side, behind, last : Out
        For the ladder.
    done, has, position, found_quantity, orders : In
        Its answer.
    valid, ready : Out(1), In(1)
        There is something to append to ``look``: what the ladder answered.
    appendable, appended : Out(1), In(1)
        Nothing came in between; it becomes effective with this clock edge, if so.
    hold, held : In(1), Out(1)
        Starts no other search; none is going on.
    disagreement : Out(1)
        Pulse: the best level of a row is not that of the ladder.

    A level takes about 30 cycles, and 10 fewer in the most frequent case. It never holds up anything but what
    waits for a row.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        row = parameters.symbol_bits + 1
        super().__init__(
            {
                "short": In(2 * parameters.symbols),
                "urgent": In(1),
                "urgent_row": In(row),
                "look": Out(row),
                "line": In(Line(parameters)),
                "quantity": In(32),
                "advance": In(1),
                "fires": In(1),
                "row": In(row),
                "outside": In(1),
                "lost": In(1),
                "changed": In(parameters.index_bits),
                "changes": In(1),
                "search": Out(1),
                "behind": Out(1),
                "last": Out(parameters.index_bits),
                "done": In(1),
                "has": In(1),
                "position": In(parameters.index_bits),
                "found_quantity": In(32),
                "orders": In(parameters.order_bits),
                "valid": Out(1),
                "ready": In(1),
                "appendable": Out(1),
                "appended": In(1),
                "hold": In(1),
                "held": Out(1),
                "disagreement": Out(1),
            }
        )

    def in_vain(self, changed):
        """The search would have found something else after a change of that level, behind those of the row."""
        return ~self.has | (changed <= self.position)

    def elaborate(self, platform):
        m = Module()
        rows = 2 * self.parameters.symbols
        row, appends, vain = self.look, Signal(), Signal()
        waiting = Signal(range(DEPTH + 1))
        hit = Signal()
        m.d.comb += [
            hit.eq(self.fires & (self.row == row)),
            self.behind.eq(appends),
            self.appendable.eq(~vain),
        ]
        # The first level behind those of the row that changed while it was not known which one would be found.
        known, some, nearest = Signal(), Signal(), Signal(self.parameters.index_bits)
        with m.If(hit & (self.lost | (self.changes & ~appends))):
            m.d.sync += vain.eq(1)
        with m.If(hit & self.outside):
            with m.If(known):
                with m.If(self.in_vain(self.changed)):
                    m.d.sync += vain.eq(1)
            with m.Elif(~some | (self.changed < nearest)):
                m.d.sync += [some.eq(1), nearest.eq(self.changed)]
        # The quantities follow the levels when the tops go on.
        moved, any_short = Signal(), Signal()
        with m.If(self.advance):
            m.d.sync += moved.eq(1)
        m.d.sync += any_short.eq(self.short.any())
        best = self.line.ranks[0]
        same, equal = Signal(), Signal()

        with m.FSM():
            with m.State("PICK"):
                m.d.comb += self.held.eq(1)
                m.d.sync += appends.eq(self.short.bit_select(row, 1))
                with m.If(~self.hold):
                    m.next = "START"
            with m.State("START"):
                m.d.sync += [vain.eq(0), known.eq(0), some.eq(0), moved.eq(0), waiting.eq(DEPTH)]
                for rank in self.line.ranks:
                    with m.If(rank.has):
                        m.d.sync += self.last.eq(rank.position)
                m.next = "SETTLE"
                # It has changed in the last cycle, or does now.
                with m.If(appends != self.short.bit_select(row, 1)):
                    m.next = "PICK"
            with m.State("SETTLE"):
                m.d.sync += waiting.eq(waiting - 1)
                with m.If(vain | (any_short & ~appends)):
                    m.next = "NEXT"
                with m.Elif(waiting == 0):
                    m.next = "SEARCH"
            with m.State("SEARCH"):
                m.d.comb += self.search.eq(1)
                with m.If(self.done):
                    m.d.sync += known.eq(1)
                    m.next = "COMPARE"
                    with m.If(appends):
                        m.next = "FOUND"
            with m.State("COMPARE"), m.If(moved):
                m.d.sync += [
                    same.eq((best.has == self.has) & (best.position == self.position) & (best.orders == self.orders)),
                    equal.eq(self.quantity == self.found_quantity),
                ]
                m.next = "JUDGE"
            with m.State("JUDGE"):
                m.d.comb += self.disagreement.eq(~vain & ~(same & equal) & (self.has | best.has))
                m.next = "NEXT"
            with m.State("FOUND"):
                # Without orders it is what was left of one that went during the search.
                with m.If((some & self.in_vain(nearest)) | (self.has & (self.orders == 0))):
                    m.d.sync += vain.eq(1)
                m.next = "APPEND"
            with m.State("APPEND"):
                m.d.comb += self.valid.eq(~vain)
                with m.If(vain):
                    m.next = "NEXT"
                with m.Elif(self.ready):
                    m.next = "APPENDED"
            with m.State("APPENDED"), m.If(self.appended):
                m.next = "NEXT"
            with m.State("NEXT"):
                m.d.sync += row.eq(row + 1)
                with m.If(row == rows - 1):
                    m.d.sync += row.eq(0)
                with m.If(self.urgent):
                    m.d.sync += row.eq(self.urgent_row)
                m.next = "PICK"
        return m
