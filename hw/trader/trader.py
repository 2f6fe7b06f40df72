"""The trader: takes an item and does all that follows from it before it takes the next one."""

from amaranth.hdl import Module, Mux
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.host.ring import Event
from hw.items import BookItem, ItemKind
from hw.ouch.message import Outbound
from hw.parameters import Parameters
from hw.trader import commands, evaluation, feed, sending, session, taking
from hw.trader.desk import QUOTE_READY, Desk
from wire.reasons import REASON_COUNT
from wire.records import SLOT_BITS, OuchVersion, SessionState

COUNTERS = (
    "evaluations",
    "orders_new",
    "orders_replace",
    "orders_cancel",
    "orders_refused",
    "session_packets",
    "session_malformed",
    "accepted",
    "replaced",
    "executed",
    "cancelled",
    "rejected",
    "cancel_rejected",
    "ouch_other",
    "unknown_token",
    "commands",
    "commands_refused",
    "ticks",
)


class Trader(wiring.Component):
    """The one writer of positions, own orders, limits and session.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    i : In(stream of BookItem)
        Items. One is taken when all that follows from it is done.
    events : Out(stream of Event)
        What the host is told, in order.
    o : Out(stream of Outbound)
        Orders and session packets, in order.
    kill : In(1)
        Emergency kill, as KILL with scope GLOBAL, without an item.
    slots_busy : Out(symbols)
        Symbols that have an own order which is not IDLE.
    session_clear : Out(1)
        The order session's stream begins anew.
    ouch : Out(OuchVersion)
        What the order session speaks. It changes when no order is at ``o``.
    login_done : Out(1)
        A LOGIN command has been dealt with; ``ouch`` is what it said two cycles before, at the latest.
    idle : Out(1)
        No item is at work and none is waiting.
    session_state, session_sequence, feed_whole, killed, killed_strategies : Out
        For the registers.
    count_... : Out(1)
        Pulses of the counters of ``wire.counters`` with these names.
    count_refused : Out(REASON_COUNT)
        Pulses of the reasons' counters.

    A feed message that changes nothing takes a cycle; one that changes the best price, without an order, about 20. An order of
    the taker is at ``o`` 7 cycles after the item was at ``i``, one of the quoter 19, and takes about 15 more until the next.
    It waits for the order port and, at most 8 cycles, for the event ring; never for the host.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        super().__init__(
            {
                "i": In(stream.Signature(BookItem(parameters))),
                "events": Out(stream.Signature(Event)),
                "o": Out(stream.Signature(Outbound)),
                "kill": In(1),
                "slots_busy": Out(parameters.symbols),
                "session_clear": Out(1),
                "ouch": Out(OuchVersion),
                "login_done": Out(1),
                "idle": Out(1),
                "session_state": Out(SessionState),
                "session_sequence": Out(64),
                "feed_whole": Out(1),
                "killed": Out(1),
                "killed_strategies": Out(16),
                **{f"count_{name}": Out(1) for name in COUNTERS},
                "count_refused": Out(REASON_COUNT),
            }
        )

    @property
    def counters(self):
        """The counters' pulses by name."""
        return {name: getattr(self, f"count_{name}") for name in COUNTERS}

    def elaborate(self, platform):
        m = Module()
        desk = Desk(m, self)
        command = commands.Command(m, desk)
        m.d.comb += [
            getattr(self, name).eq(getattr(desk, name))
            for name in ("session_state", "session_sequence", "ouch", "feed_whole", "killed", "killed_strategies")
        ]
        with m.If(desk.age != QUOTE_READY):
            m.d.sync += desk.age.eq(desk.age + 1)
        with m.If(desk.unsettled != 0):
            m.d.sync += desk.unsettled.eq(desk.unsettled - 1)
        taking.judge(m, desk)
        with m.FSM():
            self._clear(m, desk)
            self._take(m, desk, command)
            feed.add_states(m, desk)
            session.add_states(m, desk)
            commands.add_states(m, desk, command)
            taking.add_states(m, desk)
            evaluation.add_states(m, desk)
            sending.add_states(m, desk)
            with m.State("DONE"):
                m.d.comb += self.i.ready.eq(1)
                m.next = "NEXT"
        return m

    def _clear(self, m, desk):
        """Empties the memories after reset."""
        with m.State("CLEAR"):
            m.d.comb += [each.store.eq(1) for each in desk.rows]
            m.d.comb += [desk.slots.store.eq(1), desk.exposure.clear.eq(1)]
            m.d.sync += desk.place.eq(desk.place + 1)
            with m.If(desk.place.all()):
                m.d.sync += desk.symbol.eq(desk.symbol + 1)
                with m.If(desk.symbol == self.parameters.symbols - 1):
                    m.d.sync += desk.symbol.eq(0)
                    m.next = "NEXT"

    def _take(self, m, desk, command):
        """The next item: finds its symbol and slot; their rows are there when its own steps begin.

        Most messages change nothing here. They are done with in the cycle in which they come.
        """
        entry, kind = desk.entry, desk.item.kind
        order_id = Mux(kind == ItemKind.SESSION, desk.inbound.order_id, command.order_id)
        about_order = (kind == ItemKind.SESSION) | ((kind == ItemKind.COMMAND) & command.names_order())
        is_book_message = (kind == ItemKind.MESSAGE) & entry.mapped
        m.d.comb += [
            desk.next_symbol.eq(desk.symbol),
            desk.next_place.eq(desk.place),
            desk.next_direct.eq(desk.direct),
        ]

        with m.State("NEXT"):
            m.d.comb += [self.idle.eq(~self.i.valid), desk.next_symbol.eq(entry.symbol), desk.next_place.eq(0)]
            m.d.comb += desk.next_direct.eq(is_book_message)
            with m.If(kind == ItemKind.COMMAND):
                m.d.comb += desk.next_symbol.eq(command.symbol)
            with m.If(about_order):
                m.d.comb += [desk.next_place.eq(order_id[:3]), desk.next_symbol.eq(order_id[3:SLOT_BITS])]
            m.d.sync += [
                desk.symbol.eq(desk.next_symbol),
                desk.place.eq(desk.next_place),
                desk.direct.eq(is_book_message),
                desk.fresh.eq(is_book_message),
                desk.followed.eq(0),
                desk.sweeping.eq(0),
                desk.age.eq(1),
            ]
            with m.If(self.i.valid):
                with m.Switch(kind):
                    for each in ItemKind:
                        with m.Case(each):
                            m.next = "DONE" if each is ItemKind.ALIVE else each.name
                            if each in (ItemKind.ALIVE, ItemKind.MESSAGE):
                                m.d.sync += desk.last_feed.eq(desk.stamp)
                            if each is ItemKind.MESSAGE:
                                m.d.sync += desk.expected.eq(desk.cause + 1)
                with m.If(entry.is_level):
                    m.next = "LEVEL"
                with m.Elif((kind == ItemKind.MESSAGE) & feed.is_quiet(desk)):
                    m.d.comb += self.i.ready.eq(1)
                    m.next = "NEXT"
