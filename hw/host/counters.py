"""The counters of the card: steps in, 32-bit totals in one memory."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

STEP_BITS = 2


class CounterBank(wiring.Component):
    """Totals, kept in a block RAM.

    Each counter has a small register that collects its steps; a walker goes round and adds it to the memory.
    A read gives memory and register together: it is exact at every moment.

    Parameters
    ----------
    count : int
        Number of counters.

    Members
    -------
    steps : In(count x 2 bits)
        How far each counter goes up in this cycle, 0 to 3.
    index : In(range(count))
        The counter to be read.
    data : Out(32)
        Its value at the clock edge after ``index`` was there.

    Latency 1 cycle, one read per cycle. A counter may step in every cycle: its register holds more than a round of
    the walker brings.
    """

    def __init__(self, count: int):
        if count < 2:
            raise ValueError(f"count is {count}: a bank has at least 2 counters")
        self.count = count
        super().__init__({"steps": In(data.ArrayLayout(STEP_BITS, count)), "index": In(range(count)), "data": Out(32)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.totals = totals = memory.Memory(shape=32, depth=self.count, init=[])
        walk, look, store = totals.read_port(), totals.read_port(), totals.write_port()

        # The walker: read total and pending in one cycle, write the sum in the next.
        at, reading = Signal(range(self.count)), Signal(init=1)
        width = STEP_BITS + (2 * self.count).bit_length()
        pending = Array([Signal(width, name=f"pending_{n}") for n in range(self.count)])
        m.d.comb += [walk.addr.eq(at), store.addr.eq(at), store.data.eq(walk.data + pending[at]), store.en.eq(~reading)]
        m.d.sync += reading.eq(~reading)
        with m.If(~reading):
            m.d.sync += at.eq(at + 1)
            with m.If(at == self.count - 1):
                m.d.sync += at.eq(0)
        for number, each in enumerate(pending):
            taken = ~reading & (at == number)
            m.d.sync += each.eq(Mux(taken, 0, each) + self.steps[number])

        # A read that meets the walker's write sees the old total and the pending that goes with it.
        extra = Signal(width)
        m.d.comb += [look.addr.eq(self.index), self.data.eq(look.data + extra)]
        m.d.sync += extra.eq(pending[self.index])
        return m
