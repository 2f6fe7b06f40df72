"""The card: every stage of the path, wired together."""

from amaranth.hdl import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.book import Book
from hw.feed import Feed
from hw.host.bank import RegisterBank
from hw.host.counters import CounterBank
from hw.host.register_map import HOST_IDENTIFICATION, REGISTERS
from hw.host.ring import EventRing
from hw.parameters import Parameters
from hw.sequencer.commands import CommandReader
from hw.sequencer.sequencer import Sequencer
from hw.soupbin.receiver import SessionReceiver
from hw.soupbin.sender import SoupBinSender
from hw.streams import Beat
from hw.trader.trader import Trader
from wire.counters import COUNTER_COUNT, COUNTERS, FIRST_ITCH, FIRST_REFUSED, ITCH_PREFIX, NUMBER, REFUSED_PREFIX
from wire.itch import ITCH
from wire.reasons import Reason
from wire.records import HOLD_SLOTS, SLOTS

OURS = tuple(each for each in REGISTERS if each.address < HOST_IDENTIFICATION.address)
"""The registers of the path; those behind them are the host interface's."""

TICK = stream.Signature(1)
EVENT = stream.Signature(64)


class Appliance(wiring.Component):
    """A tick goes in, an order comes out.

    Parameters
    ----------
    parameters : Parameters
    build : int
        What the register ``build`` says, 32 bits.

    Members
    -------
    feed_a, feed_b, recovery : In(stream of Beat)
        Ethernet frames without preamble and frame check sequence.
    feed_bad : In(2)
        Of feed A and B, with the last beat: the frame is to leave no trace.
    session_in : In(stream of Beat)
        Bytes of the order session's TCP stream, cut anywhere.
    command : In(stream of Beat)
        Commands of 64 bytes, ``last`` with the eighth beat.
    tick : In(stream)
        The clock went on; the payload is nothing.
    now : In(64)
        The clock in ns. It stamps an input when its first beat is taken.
    order : Out(stream of Beat)
        SoupBinTCP packets to the exchange, one per ``last``.
    order_stamp, order_cause : Out(64)
        Stamp and feed sequence number of what caused the packet at ``order``, while it is there.
    event : Out(stream of unsigned(64))
        Events, 8 beats each. If they are not taken they are lost, never the orders.
    event_lost : Out(1)
        Pulse: one is.
    csr_address : In(16)
        Byte address of a register.
    csr_write, csr_write_data : In(1), In(32)
    csr_read, csr_read_data : In(1), Out(32)
        The value comes one cycle after ``csr_read``.
    idle : Out(1)
        Nothing is in flight: no input is being taken, all items are handled, all orders and events are out.
    """

    def __init__(self, parameters: Parameters, build: int = 0):
        self.parameters, self.build = parameters, build
        super().__init__(
            {
                "feed_a": In(stream.Signature(Beat)),
                "feed_b": In(stream.Signature(Beat)),
                "recovery": In(stream.Signature(Beat)),
                "feed_bad": In(2),
                "session_in": In(stream.Signature(Beat)),
                "command": In(stream.Signature(Beat)),
                "tick": In(TICK),
                "now": In(64),
                "order": Out(stream.Signature(Beat)),
                "order_stamp": Out(64),
                "order_cause": Out(64),
                "event": Out(EVENT),
                "event_lost": Out(1),
                "csr_address": In(16),
                "csr_write": In(1),
                "csr_write_data": In(32),
                "csr_read": In(1),
                "csr_read_data": Out(32),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self.parameters
        m.submodules.feed = feed = Feed()
        m.submodules.receiver = receiver = SessionReceiver()
        m.submodules.reader = reader = CommandReader()
        m.submodules.sequencer = sequencer = Sequencer()
        m.submodules.book = book = Book(parameters)
        m.submodules.trader = trader = Trader(parameters)
        m.submodules.sender = sender = SoupBinSender()
        m.submodules.ring = ring = EventRing()
        m.submodules.counters = counters = CounterBank(COUNTER_COUNT)
        m.submodules.bank = bank = RegisterBank(OURS)

        # in
        connect(m, flipped(self.feed_a), feed.a)
        connect(m, flipped(self.feed_b), feed.b)
        connect(m, flipped(self.recovery), feed.recovery)
        connect(m, flipped(self.session_in), receiver.i)
        connect(m, flipped(self.command), reader.i)
        connect(m, flipped(self.tick), sequencer.tick)
        m.d.comb += feed.bad.eq(self.feed_bad)
        m.d.comb += [each.stamp.eq(self.now) for each in (feed, receiver, reader, sequencer)]

        # through
        connect(m, feed.o, sequencer.feed)
        connect(m, sequencer.control, feed.control)
        connect(m, receiver.o, sequencer.session)
        connect(m, reader.o, sequencer.command)
        connect(m, sequencer.o, book.i)
        connect(m, book.o, trader.i)
        m.d.comb += [
            book.slots_busy.eq(trader.slots_busy),
            book.trader_idle.eq(trader.idle),
            receiver.clear.eq(trader.session_clear),
            receiver.ouch.eq(trader.ouch),
            receiver.login.eq(reader.o.valid & reader.o.ready & reader.login),
            receiver.login_done.eq(trader.login_done),
            sender.ouch.eq(trader.ouch),
        ]

        # out
        connect(m, trader.o, sender.i)
        connect(m, sender.o, flipped(self.order))
        connect(m, trader.events, ring.i)
        connect(m, ring.o, flipped(self.event))
        m.d.comb += self.event_lost.eq(ring.count_events_lost)
        m.d.comb += [self.order_stamp.eq(sender.stamp), self.order_cause.eq(sender.cause)]

        ports = (self.feed_a, self.feed_b, self.recovery, self.session_in, self.command, self.tick)
        offered = [each.valid for each in ports]
        busy = [each.busy for each in (feed, receiver, reader, sequencer, book, sender)]
        waiting = [each.valid for each in (feed.o, receiver.o, reader.o, sequencer.o, book.o, trader.o, trader.events)]
        m.d.comb += self.idle.eq(~Cat(offered, busy, waiting).any() & trader.idle & ring.empty)

        self._count(m, counters, (feed, book, trader, ring))
        self._registers(m, bank, counters, trader, ring)
        return m

    def _count(self, m, counters, stages):
        """Every counter of wire.counters, wherever its pulse comes from."""
        feed, _, trader, _ = stages
        missing = set(COUNTERS)
        for stage in stages:
            for name in stage.signature.members:
                counter = name.removeprefix("count_")
                if name.startswith("count_") and counter in NUMBER:
                    m.d.comb += counters.steps[NUMBER[counter]].eq(getattr(stage, name))
                    missing.remove(counter)
        for number, record in enumerate(ITCH.records):
            of_type = feed.count_itch & (feed.count_itch_index == number)
            m.d.comb += counters.steps[FIRST_ITCH + number].eq(of_type)
            missing.remove(f"{ITCH_PREFIX}{record.code}")
        for reason in Reason:
            m.d.comb += counters.steps[FIRST_REFUSED + reason].eq(trader.count_refused[reason])
            missing.remove(f"{REFUSED_PREFIX}{reason.name.lower()}")
        if missing:
            raise LookupError(f"no stage counts {', '.join(sorted(missing))}")

    def _registers(self, m, bank, counters, trader, ring):
        parameters = self.parameters
        reports = {
            "build_hash": self.build,
            "symbols_count": parameters.symbols,
            "levels_count": parameters.levels,
            "orders_count": parameters.orders,
            "slots_order_slots": SLOTS,
            "slots_hold_slots": HOLD_SLOTS,
            "counters_count": COUNTER_COUNT,
            "status_idle": self.idle,
            "status_feed_whole": trader.feed_whole,
            "status_killed": trader.killed,
            "status_session": trader.session_state,
            "status_killed_strategies": trader.killed_strategies,
            "session_sequence_messages": trader.session_sequence,
            "event_sequence_next": ring.sequence,
            "counter_data": counters.data,
        }
        m.d.comb += [getattr(bank, name).eq(value) for name, value in reports.items()]
        with m.If(self.idle):
            m.d.sync += bank.status_ready.eq(1)
        m.d.comb += [
            bank.address.eq(self.csr_address),
            bank.write.eq(self.csr_write),
            bank.write_data.eq(self.csr_write_data),
            bank.read.eq(self.csr_read),
            self.csr_read_data.eq(bank.read_data),
            counters.index.eq(bank.counter_index),
            trader.kill.eq(bank.control_kill),
            ring.enable.eq(bank.event_enable_types),
        ]
