"""The worst-case position never exceeds its limit: docs/architecture.md, Semantics, sections 8 to 10."""

from types import SimpleNamespace

from amaranth.hdl import Assert, Assume, Cat, Module, Mux, ResetSignal, Signal, Value, signed
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In

from hw.formal.risk import AnyProduct
from hw.orders.changes import SlotChanges, at_most, found, open_shares, pending_shares, traded
from hw.orders.exposure import Sums, sums_without
from hw.orders.slots import GENERATION_BITS, SIDES, Slot
from hw.pipeline import delayed
from hw.risk.gate import LATENCY, RiskGate
from hw.trader.desk import Order
from wire.reasons import Reason
from wire.records import MAX_ORDER_QUANTITY, SLOTS, SlotState

SHOWN = 2
JUDGED = SHOWN + LATENCY
"""Cycles from the choice of an order until the gate has it, and until its answer."""

QUANTITY_BITS = MAX_ORDER_QUANTITY.bit_length()
POSITION_BITS = 31
"""Of a limit."""
WIDE = signed(40)
CHAIN_LIMIT = 1 << 31


class Event(enum.Enum, shape=4):
    """What happens next; from ``ACCEPTED`` on the exchange says so."""

    NOTHING = 0
    ELSEWHERE = 1
    SET_LIMITS = 2
    ORDER = 3
    CANCEL = 4
    ACCEPTED = 8
    REPLACED = 9
    EXECUTED = 10
    CANCELLED = 11
    REJECTED = 12
    CANCEL_REJECTED = 13


Truth = data.StructLayout(
    {
        "alive": 1,
        "accepted": 1,
        "replacing": 1,  # another one was sent to replace it
        "left": QUANTITY_BITS,
        "executed": 32,  # of it and all that it replaced
        "total": 32,  # of the one that is to replace it, with what was executed
        "next": signed(QUANTITY_BITS + 1),  # the same without
        "id": GENERATION_BITS,
        "new_id": GENERATION_BITS,
    }
)
"""An order as the exchange has it, as far as it has told of it."""


def may_trade(order: data.View) -> Value:
    """Shares that an order may still trade: it, or the one that is to replace it."""
    replaced = Mux(order.replacing & (order.next > 0), order.next[:QUANTITY_BITS], 0)
    return Mux(order.alive, Mux(replaced > order.left, replaced, order.left), 0)


class PositionStaysWithinLimit(wiring.Component):
    """One slot, whichever it is, what the trader makes of it, the gate, and the exchange; the symbol's other slots are numbers.

    The worst case of a side is the position if all that orders of that side may still trade does: what is left of each or, while
    a REPLACE is under way, of the one that is to replace it if that is more. Asserted, for every sequence of orders, replaces,
    cancels, limits and messages, unbounded: neither side's worst case ever exceeds the greatest limit that there was, which is
    the limit if it is never lowered; with an order that is sent, that of its side does not exceed the limit there is then, and
    nothing but an order raises it, so a limit that is lowered below it lets nothing through. The card's position is the true one.

    An event changes one slot. What happens in another is ``ELSEWHERE``: anything that leaves both sides within the limit, as what
    happens here is proved to; a position that the host sets is one of these. The gate gets what the other slots have open, as
    :class:`hw.formal.exposure.SumsAreOfTheSlots` says. A new order is for a slot that is IDLE, a replace or cancel for one
    that is LIVE, and nothing else happens until it is judged: the trader handles one item at a time. Of the gate POSITION
    and INVALID_ORDER count; whether anything else refuses an order is free.

    Assumed of the exchange, which tells what it does in order and once:

    - it accepts an order once, with no more shares than it was asked for; it trades and cancels no more than are left
    - what trades before a Replaced is of the order that is replaced; a Replaced leaves no more than the shares that were asked
      for less those that had been executed
    - an order that a trade or a cancel ended is not replaced any more; if the one that is to replace it is rejected it stays
    - an order itself is rejected only before it is accepted; a cancel that is rejected changes nothing
    - what it says about other ids may be anything, at any time

    And: fewer than 2^31 shares trade in a chain of replaced orders (OUCH has orders of 999,999 at most), limits are below 2^31 as
    positions are, and the 2^36 ids are not used up. There is no reset but the first.

    It is shown in three steps, for the solver: :class:`OrdersAreAsTold` and :class:`GateSeesTheOrders` are assumed here.

    Parameters
    ----------
    mutation : str, optional
        ``unfilled``: a trade does not change the position. ``twice``: it does so twice. ``backwards``: a sale adds to it. Each
        must be caught; what gate and slot could miss is among the mutations of the other two.
    """

    MUTATIONS = ("unfilled", "twice", "backwards")

    def __init__(self, mutation: str | None = None):
        if mutation is not None and mutation not in self.MUTATIONS:
            raise ValueError(f"{mutation!r} is no mutation of this proof")
        self.mutation = mutation
        super().__init__(
            {
                "side": In(1),
                "event": In(Event),
                "position": In(signed(32)),
                "others": In(34).array(SIDES),
                "base": In(WIDE).array(SIDES),
                "worst": In(WIDE).array(SIDES),
                "generation": In(GENERATION_BITS),
                "limit": In(POSITION_BITS),
                "order": In(Order),
                "about": In(GENERATION_BITS),
                "shares": In(32),
                "price": In(32),
                "dead": In(1),
                "refused": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        event, side = self.event, self.side
        begun = Signal()
        m.d.sync += begun.eq(1)
        m.d.comb += [Assume(~ResetSignal()), Assume(~begun | (side == delayed(m, side, "side_before")))]

        self.slot, self.truth = Signal(Slot), Signal(Truth)
        self.card_position, self.real = Signal(signed(32)), Signal(WIDE)
        self.bases, self.worsts = ([Signal(WIDE, name=f"{name}_{n}") for n in range(SIDES)] for name in ("base", "worst"))
        self.generations, self.rest = Signal(GENERATION_BITS), [Signal(34, name=f"rest_{n}") for n in range(SIDES)]
        self.bound, self.ceiling = Signal(POSITION_BITS), Signal(POSITION_BITS)
        self.asking, self.asked_order = Signal(range(JUDGED + 1)), Signal(Order)
        self.resting = self.asking == 0
        self.says = self.resting & event.as_value()[3]
        self.sent = Signal()

        self._change_elsewhere(m)
        self._judge(m)
        self._change_slot(m)
        self._follow_exchange(m)
        self._assert(m)
        return m

    def _change_elsewhere(self, m):
        """Other slots, the host's word on position and limits."""
        changes = self.resting & (self.event == Event.ELSEWHERE)
        with m.If(changes):
            m.d.sync += [
                self.card_position.eq(self.position),
                self.real.eq(self.position),
                self.generations.eq(self.generation),
                *(rest.eq(new) for rest, new in zip(self.rest, self.others, strict=True)),
                *(base.eq(new) for base, new in zip(self.bases, self.base, strict=True)),
                *(worst.eq(new) for worst, new in zip(self.worsts, self.worst, strict=True)),
            ]
            m.d.comb += [Assume(self.generation >= self.generations), Assume(~self.generation.all())]
        m.d.comb += Assume(~self.generations.all())
        for n, rest in enumerate(self.rest):
            m.d.comb += Assume(rest <= Mux(self.side == n, SLOTS - 1, SLOTS) * MAX_ORDER_QUANTITY)
        with m.If(changes):  # no other event takes a side beyond its limit either
            m.d.comb += [Assume(worst <= self.ceiling) for worst in self.worst]
        with m.If(self.resting & (self.event == Event.SET_LIMITS)):
            m.d.sync += self.bound.eq(self.limit)
            with m.If(self.limit > self.ceiling):
                m.d.sync += self.ceiling.eq(self.limit)

    def _judge(self, m):
        """An order is chosen, shown to the gate, judged and sent."""
        slot, order, mutation = self.slot, self.asked_order, self.mutation
        fits = slot.state == Mux(self.order.replace, SlotState.LIVE, SlotState.IDLE)
        chosen = self.resting & (self.event == Event.ORDER) & fits
        with m.If(chosen):
            m.d.sync += [self.asking.eq(1), order.eq(self.order)]
        with m.Elif(self.asking == JUDGED):
            m.d.sync += self.asking.eq(0)
        with m.Elif(~self.resting):
            m.d.sync += self.asking.eq(self.asking + 1)

        mine = Mux(slot.state == SlotState.IDLE, 0, slot.open)
        sums = [Signal(Sums, name=f"sums_{n}") for n in range(SIDES)]
        for n, each in enumerate(sums):
            m.d.comb += each.open.eq(self.rest[n] + Mux(self.side == n, mine, 0))
        at = ~self.side if mutation == "side" else self.side
        self.found_others, _ = sums_without(m, SimpleNamespace(sums=sums), at, slot, order.replace)

        m.submodules.gate = gate = self.gate = RiskGate(AnyProduct())
        m.d.comb += [
            gate.start.eq(self.asking == SHOWN),
            gate.order.side.eq(self.side),
            *(gate.order[name].eq(order[name]) for name in ("replace", "price", "quantity", "strategy")),
            gate.bounds.max_position.eq(self.bound),
            gate.bounds.position.eq(self.card_position),
            gate.exposure.others.eq(0 if mutation == "alone" else self.found_others),
            gate.exposure.remaining.eq(0 if mutation == "shrinks" else Mux(order.replace, slot.remaining, 0)),
            # Nothing but these two matters: whatever else may stand against an order is free.
            self.sent.eq(gate.done & ~gate.mask[Reason.POSITION] & ~gate.mask[Reason.INVALID_ORDER] & ~self.refused),
        ]

    def _change_slot(self, m):
        """What the card makes of it, as the trader does but in one cycle."""
        slot, order, event, mutation = self.slot, self.asked_order, self.event, self.mutation
        after, executed = Signal(Slot), Signal(Slot)
        changes = SlotChanges(m, slot, after, "comb")
        m.d.comb += [after.eq(slot), executed.eq(slot)]
        ours, _ = found(slot, self.about, event == Event.REPLACED, event == Event.REJECTED)
        shares = at_most(self.shares, slot.remaining)

        with m.If(self.sent):
            m.d.sync += self.generations.eq(self.generations + 1)
            with m.If(order.replace):
                executed_before = 0 if mutation == "uncounted" else slot.chain_executed
                shares_in_all = (executed_before + order.quantity)[:32]
                changes.send_replace(order, self.generations + 1, shares_in_all)
            with m.Else():
                changes.send_new(order, self.generations + 1, self.gate.marking)
        with m.Elif(self.resting & (event == Event.CANCEL) & (slot.state == SlotState.LIVE)):
            changes.send_cancel()
        with m.Elif(self.says & ours), m.Switch(event):
            with m.Case(Event.ACCEPTED):
                changes.accept(self.shares, self.price, self.dead)
            with m.Case(Event.REPLACED):
                changes.replace(self.shares, self.price, self.dead)
            with m.Case(Event.EXECUTED):
                SlotChanges(m, slot, executed, "comb").execute(shares)
                m.d.comb += after.eq(executed)
                if mutation != "kept":
                    SlotChanges(m, executed, after, "comb").finish()
                side, counted = (0 if mutation == "backwards" else self.side), (shares << 1 if mutation == "twice" else shares)
                if mutation != "unfilled":
                    m.d.sync += self.card_position.eq(traded(self.card_position, side, counted))
            with m.Case(Event.CANCELLED):
                changes.cancel(shares)
            with m.Case(Event.REJECTED):
                changes.reject(self.about == slot.generation)
                if mutation == "freed":
                    m.d.comb += after.state.eq(SlotState.IDLE)
            with m.Case(Event.CANCEL_REJECTED):
                changes.reject_cancel()

        pending = pending_shares(after)
        is_open = open_shares(after, pending)
        if mutation == "only_new":
            is_open = Mux(after.state == SlotState.PENDING_REPLACE, pending, is_open)
        m.d.sync += [slot.eq(after), slot.open.eq(is_open)]

    def _follow_exchange(self, m):
        """What the exchange may say, and what it then has."""
        truth, order, event, shares = self.truth, self.asked_order, self.event, self.shares
        names, names_new = self.about == truth.id, truth.replacing & (self.about == truth.new_id)
        known = truth.alive & (names | names_new)
        after, traded_now = Signal(Truth), Signal(QUANTITY_BITS)
        left = truth.left - shares[:QUANTITY_BITS]
        m.d.comb += after.eq(truth)
        m.d.sync += truth.eq(after)

        with m.If(self.says & known), m.Switch(event):
            with m.Case(Event.ACCEPTED):
                m.d.comb += Assume(names & ~truth.accepted & (shares <= truth.left))
                m.d.comb += [after.accepted.eq(1), after.left.eq(shares), after.alive.eq(~self.dead)]
            with m.Case(Event.REPLACED):
                m.d.comb += Assume(names_new & (shares <= Mux(truth.next < 0, 0, truth.next)))
                m.d.comb += [after.id.eq(truth.new_id), after.replacing.eq(0), after.left.eq(shares)]
                m.d.comb += after.alive.eq(~self.dead & (shares != 0))
            with m.Case(Event.EXECUTED):
                m.d.comb += Assume(names & (shares <= truth.left) & (truth.executed + shares < CHAIN_LIMIT))
                m.d.comb += [after.left.eq(left), after.alive.eq(left != 0), traded_now.eq(shares)]
                m.d.comb += [after.executed.eq(truth.executed + shares), after.next.eq(truth.next - shares[:QUANTITY_BITS])]
            with m.Case(Event.CANCELLED):
                m.d.comb += Assume(names & (shares <= truth.left))
                m.d.comb += [after.left.eq(left), after.alive.eq(left != 0)]
            with m.Case(Event.REJECTED):
                m.d.comb += Assume(names_new | ~truth.accepted)
                m.d.comb += [after.replacing.eq(0), after.alive.eq(names_new)]
            with m.Case(Event.CANCEL_REJECTED):
                m.d.comb += Assume(names)
        with m.If(self.sent & order.replace):
            m.d.comb += [
                after.replacing.eq(1),
                after.total.eq(truth.executed + order.quantity),
                after.next.eq(order.quantity),
                after.new_id.eq(self.generations + 1),
            ]
        with m.If(self.sent & ~order.replace):
            m.d.comb += [
                after.alive.eq(1),
                after.accepted.eq(0),
                after.replacing.eq(0),
                after.left.eq(order.quantity),
                after.executed.eq(0),
                after.id.eq(self.generations + 1),
            ]

        # Sums that follow what changes; that they are sums is arithmetic, which the solver need not find out: SumsFollow.
        opened = Signal(signed(QUANTITY_BITS + 2))
        m.d.comb += opened.eq(may_trade(after) - may_trade(truth))
        with m.If(~(self.resting & (event == Event.ELSEWHERE))):
            m.d.sync += self.real.eq(Mux(self.side, self.real - traded_now, self.real + traded_now))
            for n, (base, worst) in enumerate(zip(self.bases, self.worsts, strict=True)):
                moved = Mux(self.side == n, traded_now, -traded_now)
                m.d.sync += [base.eq(base + moved), worst.eq(worst + (moved + Mux(self.side == n, opened, 0)))]
        for n, (base, worst) in enumerate(zip(self.bases, self.worsts, strict=True)):
            m.d.comb += [
                Assume(base == ((-self.real if n else self.real) + self.rest[n])),
                Assume(worst == base + Mux(self.side == n, may_trade(truth), 0)),
            ]
        m.d.comb += Assume(~(truth.alive & truth.replacing) | (truth.next == truth.total - truth.executed))

    def _assert(self, m):
        m.d.comb += [Assert(each) for each in self._claims(m)]
        m.d.comb += [Assert(self.card_position == self.real), Assert(self.bound <= self.ceiling)]
        self._add_order(m, Assume)
        self._add_sums(m, Assume)

    def _claims(self, m):
        was_sent, may_rise, bound = Signal(), Signal(init=1), delayed(m, self.bound, "bound_before")
        m.d.sync += [was_sent.eq(self.sent), may_rise.eq(self.resting & (self.event == Event.ELSEWHERE))]
        return [
            *(worst <= self.ceiling for worst in self.worsts),
            ~was_sent | (Mux(self.side, self.worsts[1], self.worsts[0]) <= bound),
            *(
                may_rise | (was_sent & (self.side == n)) | (worst <= delayed(m, worst, f"worst_{n}_before").as_signed())
                for n, worst in enumerate(self.worsts)
            ),
        ]

    def _add_order(self, m, holds):
        """What :class:`OrdersAreAsTold` proves."""
        slot, truth = self.slot, self.truth
        m.d.comb += [
            holds((slot.state == SlotState.IDLE) == ~truth.alive),
            holds(slot.state <= SlotState.PENDING_CANCEL.value),
            holds(self.asking <= JUDGED),
            holds(~self.sent | ((self.asking == JUDGED) & (self.asked_order.quantity <= MAX_ORDER_QUANTITY))),
        ]
        with m.If(truth.alive):
            m.d.comb += [
                holds(slot.open == may_trade(truth)),
                holds(slot.generation == truth.id),
                holds(slot.remaining == truth.left),
                holds(slot.chain_executed == truth.executed),
                holds((slot.state == SlotState.PENDING_NEW) == ~truth.accepted),
                holds((slot.state == SlotState.PENDING_REPLACE) == truth.replacing),
                holds(truth.id <= self.generations),
                holds(truth.left <= MAX_ORDER_QUANTITY),
                holds(truth.executed < CHAIN_LIMIT),
            ]
            with m.If(truth.replacing):
                m.d.comb += [
                    holds(slot.pending_shares == truth.total),
                    holds(slot.pending_generation == truth.new_id),
                    holds((truth.new_id <= self.generations) & (truth.new_id > truth.id)),
                    holds((truth.next <= MAX_ORDER_QUANTITY) & (truth.next >= -MAX_ORDER_QUANTITY)),
                    holds(truth.next + MAX_ORDER_QUANTITY >= truth.left),
                ]
        with m.If(~self.resting):
            m.d.comb += holds(slot.state == Mux(self.asked_order.replace, SlotState.LIVE, SlotState.IDLE))

    def _add_sums(self, m, holds):
        """What :class:`GateSeesTheOrders` proves."""
        slot, order, gate = self.slot, self.asked_order, self.gate
        base, position = Mux(self.side, self.bases[1], self.bases[0]), gate.bounds.position
        taken = delayed(m, Mux(~gate.order.side, position, -position) + gate.exposure.others, "taken")
        wanted = delayed(m, taken + delayed(m, gate.order.quantity, "quantity"), "wanted")
        standing = delayed(m, taken + delayed(m, gate.exposure.remaining, "remaining"), "standing")
        with m.If(self.asking >= SHOWN):
            m.d.comb += holds(self.found_others == Mux(self.side, self.rest[1], self.rest[0]))
        with m.If(self.asking > SHOWN):
            m.d.comb += holds(taken == base)
        with m.If(self.asking > SHOWN + 1):
            m.d.comb += [holds(wanted == taken + order.quantity), holds(~order.replace | (standing == taken + slot.remaining))]
        with m.If(self.sent):
            m.d.comb += [holds(wanted <= self.bound), holds(~order.replace | (standing <= self.bound))]


class GateSeesTheOrders(PositionStaysWithinLimit):
    """The same, for what the gate adds up: :class:`PositionStaysWithinLimit` takes it for granted.

    Asserted, for every sequence of inputs, unbounded: from its first sum on what the gate has is the true position and all
    that the other orders of the side may still trade, and an order that it lets through is, with these, within the limit.
    Assumed is what :class:`PositionStaysWithinLimit` asserts, of the cycle before: so neither rests on itself.

    Parameters
    ----------
    mutation : str, optional
        ``alone``: the gate does not see the other orders. ``side``: it sees the other side's. ``shrinks``: it does not see
        what is left of an order that is to be replaced. Each must be caught.
    """

    MUTATIONS = ("alone", "side", "shrinks")

    def _assert(self, m):
        begun = Signal()
        m.d.sync += begun.eq(1)
        self._add_order(m, Assume)
        self._add_sums(m, Assert)
        claims = [*self._claims(m), self.card_position == self.real, self.bound <= self.ceiling]
        held = delayed(m, Cat(claims).all(), "held")
        m.d.comb += Assume(~begun | held)


class OrdersAreAsTold(PositionStaysWithinLimit):
    """The same, for what the slot has of its order: :class:`PositionStaysWithinLimit` takes it for granted.

    Asserted, for every sequence of inputs, unbounded: the slot is free when, and only when, the exchange has no order for it;
    else it has that order's id, the shares that are left, those that were executed, and those that may still trade at worst.

    Parameters
    ----------
    mutation : str, optional
        ``only_new``: while it is replaced an order is only what is to replace it. ``freed``: its slot is free when a replacement
        is rejected. ``uncounted``: what was executed before a REPLACE is not among its shares. ``kept``: an order of which all
        was traded stays in its slot. Each must be caught.
    """

    MUTATIONS = ("only_new", "freed", "uncounted", "kept")

    def _assert(self, m):
        self._add_order(m, Assert)


class SumsFollow(wiring.Component):
    """The arithmetic that :class:`PositionStaysWithinLimit` takes for granted: a sum is changed by what its parts change by.

    Parameters
    ----------
    mutation : str, optional
        ``part``: a part's change is left out.
    """

    def __init__(self, mutation: str | None = None):
        self.mutation = mutation
        names = ("real", "rest", "mine", "traded", "opened", "total", "executed")
        super().__init__({name: In(WIDE) for name in names})

    def elaborate(self, platform):
        m = Module()
        real, rest, mine, opened = self.real, self.rest, self.mine, self.opened
        traded = Value.cast(0) if self.mutation == "part" else self.traded

        def same(a, b):
            return Assert((a - b)[: len(real)] == 0)

        for sign in (1, -1):
            base = sign * real + rest
            worst, moved = base + mine, sign * traded
            m.d.comb += [
                same(sign * (real + self.traded) + rest, base + moved),
                same(sign * (real + self.traded) + rest + (mine + opened), worst + (moved + opened)),
            ]
        m.d.comb += same(self.total - (self.executed + self.traded), (self.total - self.executed) - traded)
        return m
