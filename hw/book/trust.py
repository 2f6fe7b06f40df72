"""Which symbols are trusted."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw.book.orders import Effect
from hw.parameters import Parameters
from wire.records import TrustCause


class Trust(wiring.Component):
    """A symbol is trusted if nothing happened that costs trust, and no order lies beyond its ladder.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    valid, effect : In(1), In(Effect)
        What becomes effective with this clock edge.
    restore, doubt : In(symbols), In(1)
        Symbols that are trusted from now on, as far as it was an event that cost it; all are not. No
        ``effect`` meanwhile.
    trusted : Out(symbols)
        After the effect.
    changed : Out(symbols)
        The symbol whose trust the item changed of which this is the final step.
    cause : Out(TrustCause)
        Why.
    restored : Out(symbols)
        The symbols whose trust ``restore`` changes.

    Latency 0, an effect per cycle.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        symbols = parameters.symbols
        super().__init__(
            {
                "valid": In(1),
                "effect": In(Effect(parameters)),
                "restore": In(symbols),
                "doubt": In(1),
                "trusted": Out(symbols),
                "changed": Out(symbols),
                "cause": Out(TrustCause),
                "restored": Out(symbols),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters, effect = self.parameters, self.effect
        symbols = parameters.symbols
        # How many orders of a symbol are beyond; it means nothing unless it ``strays``.
        m.submodules.beyond = beyond = memory.Memory(
            shape=parameters.order_bits, depth=max(2, symbols), init=[]
        )
        reader, writer = beyond.read_port(domain="comb"), beyond.write_port()
        ok, stray = Signal(symbols, init=(1 << symbols) - 1), Signal(symbols)
        here, before, was = Signal(symbols), Signal(), Signal()
        strays = Signal()
        still = Signal()
        m.d.comb += [
            here.eq(1 << effect.symbol),
            reader.addr.eq(effect.symbol),
            writer.addr.eq(effect.symbol),
            strays.eq((stray & here).any()),
            writer.en.eq(self.valid & (effect.come | effect.gone)),
            writer.data.eq(Mux(effect.come, Mux(strays, reader.data, 0) + 1, reader.data - 1)),
            still.eq(effect.come | (strays & ~(effect.gone & (reader.data == 1)))),
        ]

        next_ok, next_stray = Signal(symbols), Signal(symbols)
        m.d.comb += [
            next_ok.eq(ok & ~Mux(effect.cause != 0, here, 0)),
            next_stray.eq(Mux(still, stray | here, stray & ~here)),
            before.eq((ok & ~stray & here).any()),
            self.trusted.eq(next_ok & ~next_stray),
            self.changed.eq(
                Mux((self.trusted & here).any() != Mux(effect.second, was, before), here, 0)
            ),
            self.restored.eq(self.restore & ~ok & ~stray),
        ]
        with m.If(self.valid):
            m.d.sync += [ok.eq(next_ok), stray.eq(next_stray)]
            with m.If(effect.first):
                m.d.sync += was.eq(before)
        with m.If(self.doubt):
            m.d.sync += ok.eq(0)
        with m.Elif(self.restore.any()):
            m.d.sync += ok.eq(ok | self.restore)

        first_cause = Signal(TrustCause)
        with m.If(self.valid & effect.first):
            m.d.sync += first_cause.eq(effect.cause)
        with m.If(effect.cause != 0):
            m.d.comb += self.cause.eq(effect.cause)
        with m.Elif(effect.second & (first_cause != 0)):
            m.d.comb += self.cause.eq(first_cause)
        with m.Else():
            m.d.comb += self.cause.eq(TrustCause.BEYOND)
        return m
