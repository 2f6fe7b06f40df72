"""The worst-case position never exceeds its limit: docs/architecture.md, Semantics, sections 8 to 10."""

from types import SimpleNamespace

from amaranth.hdl import Assert, Assume, Module, Mux, ResetSignal, Signal, Value, signed
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
    MUTATIONS = ("alone", "unfilled", "only_new", "shrinks", "freed", "side")

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
                shares_in_all = (slot.chain_executed + order.quantity)[:32]
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
                SlotChanges(m, executed, after, "comb").finish()
                if mutation != "unfilled":
                    m.d.sync += self.card_position.eq(traded(self.card_position, self.side, shares))
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

        # The worst case follows from what changes; that it is the sum of what it is the sum of is arithmetic.
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
        slot, truth, order = self.slot, self.truth, self.asked_order
        mine = may_trade(truth)
        worst = self.worsts
        was_sent, bound = Signal(), delayed(m, self.bound, "bound_before")
        m.d.sync += was_sent.eq(self.sent)
        m.d.comb += [
            *(Assert(each <= self.ceiling) for each in worst),
            Assert(~was_sent | (Mux(self.side, worst[1], worst[0]) <= bound)),
            # What makes it inductive.
            Assert(self.card_position == self.real),
            Assert(self.bound <= self.ceiling),
            Assert(self.asking <= JUDGED),
            Assert(slot.state <= SlotState.PENDING_CANCEL.value),
            Assert((slot.state == SlotState.IDLE) == ~truth.alive),
            Assert(~self.sent | (self.asking == JUDGED)),
        ]
        with m.If(truth.alive):
            m.d.comb += [
                Assert(slot.generation == truth.id),
                Assert(slot.remaining == truth.left),
                Assert(slot.chain_executed == truth.executed),
                Assert(slot.open == mine),
                Assert((slot.state == SlotState.PENDING_NEW) == ~truth.accepted),
                Assert((slot.state == SlotState.PENDING_REPLACE) == truth.replacing),
                Assert(truth.id <= self.generations),
                Assert(truth.left <= MAX_ORDER_QUANTITY),
                Assert(truth.executed < CHAIN_LIMIT),
            ]
            with m.If(truth.replacing):
                m.d.comb += [
                    Assert(slot.pending_shares == truth.total),
                    Assert(slot.pending_generation == truth.new_id),
                    Assert((truth.new_id <= self.generations) & (truth.new_id > truth.id)),
                    Assert((truth.next <= MAX_ORDER_QUANTITY) & (truth.next >= -MAX_ORDER_QUANTITY)),
                    Assert(truth.next + MAX_ORDER_QUANTITY >= truth.left),
                ]
        with m.If(~self.resting):
            m.d.comb += Assert(slot.state == Mux(order.replace, SlotState.LIVE, SlotState.IDLE))
        with m.If(self.asking >= SHOWN):
            m.d.comb += Assert(self.found_others == Mux(self.side, self.rest[1], self.rest[0]))
        # The gate's sums, and that they are about what is.
        base, gate = Mux(self.side, self.bases[1], self.bases[0]), self.gate
        position = gate.bounds.position
        taken = delayed(m, Mux(~gate.order.side, position, -position) + gate.exposure.others, "taken")
        wanted = delayed(m, taken + delayed(m, gate.order.quantity, "quantity"), "wanted")
        standing = delayed(m, taken + delayed(m, gate.exposure.remaining, "remaining"), "standing")
        with m.If(self.asking > SHOWN):
            m.d.comb += Assert(taken == base)
        with m.If(self.asking > SHOWN + 1):
            m.d.comb += [Assert(wanted == taken + order.quantity), Assert(~order.replace | (standing == taken + slot.remaining))]
        with m.If(self.sent):
            m.d.comb += [
                Assert(order.quantity <= MAX_ORDER_QUANTITY),
                Assert(wanted <= self.bound),
                Assert(~order.replace | (standing <= self.bound)),
            ]
