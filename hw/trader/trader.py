"""The trader: values messages as they come, and does all that follows from one item before it attends to the next."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.host.ring import Event
from hw.items import BookItem, ItemKind, is_evaluated
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
        Items. A message about a book is taken as it comes; another item when all that follows from it is done.
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

    A message that changes nothing takes a cycle. One that changes the best price and calls for no order takes two, one that
    is a trade too takes three: 14 of them can be on their way through valuation and backlog. An order of the taker is at ``o``
    7 cycles after the item was at ``i``, one of the quoter 20, if nothing is on its way before it, and takes about 15 more
    until the next. It waits for the order port, never for the host.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        super().__init__(
            {
                "i": In(stream.Signature(BookItem(parameters))),
                "events": Out(stream.Signature(Event, always_ready=True)),
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
        self._accept(m, desk)
        # A cycle after the steps are done, while they look for what is next: they have no path into the book.
        leaves = Signal()
        m.d.sync += leaves.eq(0)
        with m.If(leaves):
            m.d.comb += self.i.ready.eq(1)
        m.d.sync += desk.loads.eq(0)
        with m.If(desk.loads):
            m.d.sync += desk.slot.eq(desk.slots.slot)
        with m.FSM():
            self._clear(m, desk)
            self._take(m, desk, command)
            taking.add_states(m, desk)
            evaluation.add_states(m, desk)
            for desk.group, steps in enumerate((feed, session, commands, sending)):
                steps.add_states(m, desk, *([command] if steps is commands else []))
            with m.State("DONE"):
                m.d.sync += [desk.attending.eq(0), leaves.eq(desk.attending)]
                m.next = "NEXT"
        return m

    def _clear(self, m, desk):
        """Empties the memories after reset."""
        with m.State("CLEAR"):
            m.d.comb += [each.store.eq(1) for each in desk.rows]
            m.d.comb += [
                desk.slots.store.eq(1),
                desk.exposure.clear.eq(1),
                desk.valuation.clear.eq(1),
                desk.backlog.clear.eq(1),
            ]
            m.d.sync += desk.place.eq(desk.place + 1)
            with m.If(desk.place.all()):
                m.d.sync += desk.symbol.eq(desk.symbol + 1)
                with m.If(desk.symbol == self.parameters.symbols - 1):
                    m.d.sync += desk.symbol.eq(0)
                    m.next = "NEXT"

    def _accept(self, m, desk):
        """Messages leave the port as they come: most change nothing, the others go to the valuation through ``first``.

        One from which the taker wants an order stays in ``first`` until the steps are done with all before it.
        """
        entry, item, first, valuation = desk.entry, desk.item, desk.first, desk.valuation
        message = desk.message
        is_message = item.kind == ItemKind.MESSAGE
        comes, loads, free = Signal(), Signal(), Signal()
        known = ~(desk.taker.row.enabled & desk.session_up) | (desk.looked & ~desk.first_wanted)
        m.d.comb += [
            free.eq(desk.first_valid & ~valuation.clash & desk.backlog.room & known),
            # No path goes from here back into the book but this short one.
            comes.eq(self.i.valid & ~desk.first_valid & ((is_message & ~entry.general) | (item.kind == ItemKind.ALIVE))),
            loads.eq(comes & is_message & feed.changes_book(desk)),
            desk.ahead.eq(Mux(desk.first_valid, first.symbol, Mux(desk.attending, desk.symbol, entry.symbol))),
        ]
        with m.If(free | desk.attaches):  # else it may be a step that wants a symbol evaluated
            m.d.comb += valuation.go.eq(1)
        with m.If(comes):
            m.d.comb += self.i.ready.eq(1)
        m.d.sync += [
            desk.heard.eq(comes),
            desk.heard_message.eq(is_message),
            desk.heard_stamp.eq(item.stamp),
            desk.heard_cause.eq(item.cause),
        ]
        with m.If(desk.heard):
            m.d.sync += desk.last_feed.eq(desk.heard_stamp)
            with m.If(desk.heard_message):
                m.d.sync += desk.expected.eq(desk.heard_cause + 1)
        m.d.sync += [
            desk.looked.eq(desk.first_valid & ~loads),
            desk.first_wanted.eq(taking.wants(desk, first.stamp)[0]),
        ]
        with m.If(loads):
            m.d.sync += [
                desk.first_valid.eq(1),
                desk.first_new_stamp.eq(item.stamp != first.stamp),
                first.stamp.eq(item.stamp),
                first.cause.eq(item.cause),
                first.trusted.eq(entry.trusted.bit_select(entry.symbol, 1)),
                first.trust_changed.eq(entry.trust_changed.any()),
                *(first[name].eq(entry[name]) for name in ("symbol", "trust_cause", "top_changed", "top", "trade")),
                *(first[name].eq(message[name]) for name in ("match_number", "type", "printable")),
            ]
        with m.Elif(valuation.go):
            m.d.sync += desk.first_valid.eq(0)

    def _take(self, m, desk, command):
        """What is done next: a message that was valued; one that can be attended to while it is; another item.

        Another item finds its symbol and slot; the slot is there when its own steps begin, the other rows a cycle later.
        """
        entry, item, kind = desk.entry, desk.item, desk.item.kind
        backlog, valuation = desk.backlog, desk.valuation
        order_id = Mux(kind == ItemKind.SESSION, desk.inbound.order_id, command.order_id)
        about_order = (kind == ItemKind.SESSION) | ((kind == ItemKind.COMMAND) & command.names_order())
        others, waits, dispatches = Signal(), Signal(), Signal()
        item_symbol, item_place = Signal.like(desk.symbol), Signal.like(desk.place)
        m.d.comb += [
            others.eq(~valuation.idle | ~backlog.empty),  # some message is on its way
            waits.eq(self.i.valid & ~self.i.ready & ~desk.first_valid),
            desk.attaches.eq(desk.resting & desk.first_valid & ~others),
            dispatches.eq(desk.resting & waits & ~others),
            item_symbol.eq(Mux(about_order, order_id[3:SLOT_BITS], Mux(kind == ItemKind.COMMAND, command.symbol, entry.symbol))),
            item_place.eq(Mux(about_order, order_id[:3], 0)),
            desk.early_symbol.eq(Mux(desk.resting & desk.first_valid, desk.first.symbol, desk.symbol)),
            desk.next_symbol.eq(Mux(desk.resting, Mux(desk.first_valid, desk.first.symbol, item_symbol), desk.symbol)),
            desk.next_place.eq(Mux(desk.resting, item_place, desk.place)),
            backlog.open.eq(desk.told_only),
        ]
        m.d.sync += desk.resting.eq(0)

        with m.State("NEXT"):
            m.d.comb += [
                self.idle.eq(~(self.i.valid | desk.first_valid | others | desk.telling)),
                backlog.open.eq(1),
                backlog.take.eq(backlog.valid),
            ]
            m.d.sync += [
                desk.resting.eq(~(backlog.valid | desk.attaches | dispatches)),
                desk.place.eq(0),
                desk.direct.eq(backlog.valid | desk.attaches),
                desk.told_only.eq(backlog.valid & ~backlog.calls),
                desk.is_marked.eq(backlog.valid),
                desk.is_quoted.eq(backlog.valid),
                desk.taking.eq(0),
                desk.sweeping.eq(0),
                desk.age.eq(1),
            ]
            with m.If(backlog.valid):
                change = backlog.first
                m.d.comb += self.counters["evaluations"].eq(is_evaluated(change) & ~backlog.calls)
                m.d.sync += [desk.marked.eq(backlog.first_money), desk.quotes.eq(backlog.first_quotes)]
                desk.begin(m, change)
                feed.tell(m, desk, change)
            with m.Elif(desk.attaches):
                change = desk.first
                desk.begin(m, change)
                m.d.sync += [
                    desk.money.pnl.eq(valuation.pnl),
                    desk.money.pnl_total.eq(valuation.pnl_total),
                    desk.age.eq(2),
                ]
                with m.If(is_evaluated(change)):
                    taking.look(m, desk, change.stamp)
                feed.tell(m, desk, change)
            with m.Elif(dispatches):
                m.d.sync += [desk.symbol.eq(item_symbol), desk.place.eq(item_place), desk.attending.eq(1), desk.loads.eq(1)]
                m.d.sync += [desk.stamp.eq(item.stamp), desk.cause.eq(item.cause)]
                with m.Switch(kind):
                    for each in ItemKind:
                        if each is not ItemKind.ALIVE:
                            with m.Case(each):
                                m.next = each.name
                with m.If(entry.is_level):
                    m.next = "LEVEL"
