"""The counters of the card: steps in, 32-bit totals in small memories."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hw.pipeline import delayed

STEP_BITS = 2
GROUP = 16
"""Counters in one memory: as deep as a distributed RAM of the ECP5."""
PENDING_BITS = STEP_BITS + GROUP.bit_length() - 1


class CounterBank(wiring.Component):
    """Totals, kept in distributed RAM.

    Each counter has a small register that collects its steps; a walker goes round the counters of every group at once and
    adds the registers to the memories. A read gives memory, what is on its way there, and register together: it is exact
    at every moment, a cycle behind the steps.

    Parameters
    ----------
    count : int
        Number of counters.

    Members
    -------
    steps : In(count x 2 bits)
        How far each counter goes up in this cycle, 0 to 3. They may come a long way across the card: a register takes them up.
    index : In(range(count))
        The counter to be read.
    data : Out(32)
        Its value at the clock edge after ``index`` was there.

    Latency 1 cycle, one read per cycle. A counter may step in every cycle: its register holds what a round of the walker,
    16 cycles, brings.
    """

    def __init__(self, count: int):
        if count < 2:
            raise ValueError(f"count is {count}: a bank has at least 2 counters")
        self.count = count
        super().__init__({"steps": In(data.ArrayLayout(STEP_BITS, count)), "index": In(range(count)), "data": Out(32)})

    def elaborate(self, platform):
        m = Module()
        at = Signal(range(GROUP))
        m.d.sync += at.eq(at + 1)
        row, group = self.index[: len(at)], self.index[len(at) :]
        steps = data.View(self.steps.shape(), delayed(m, self.steps, "steps"))
        groups = [self._group(m, first, steps, at, row) for first in range(0, self.count, GROUP)]
        total, collected, coming = (delayed(m, Array(each)[group], "read") for each in zip(*groups, strict=True))
        m.d.comb += self.data.eq(total + (collected + coming))
        return m

    def _group(self, m, first, steps, at, row):
        """Counters ``first`` to ``first + 15``: the total of one, what is collected for it, and what is on its way."""
        m.submodules[f"totals_{first}"] = kept = memory.Memory(shape=32, depth=GROUP, init=[])
        walk, look, store = kept.read_port(domain="comb"), kept.read_port(domain="comb"), kept.write_port()
        pending = Array(Signal(PENDING_BITS, name=f"pending_{n}") if n < self.count else 0 for n in range(first, first + GROUP))
        for n, each in enumerate(pending[: self.count - first]):
            m.d.sync += each.eq(Mux(at == n, 0, each) + steps[first + n])

        # The walker: a cycle to choose, one to add, one to store.
        amount, at_amount = Signal(PENDING_BITS, name=f"amount_{first}"), Signal.like(at, name=f"at_amount_{first}")
        m.d.sync += [amount.eq(pending[at]), at_amount.eq(at)]
        m.d.comb += walk.addr.eq(at_amount)
        m.d.sync += [store.data.eq(walk.data + amount), store.addr.eq(at_amount), store.en.eq(1)]

        m.d.comb += look.addr.eq(row)
        total = Mux(store.en & (store.addr == row), store.data, look.data)
        return total, pending[row], Mux(at_amount == row, amount, 0)
