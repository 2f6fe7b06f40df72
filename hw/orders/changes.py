"""What becomes of a slot of own orders, and of the position. docs/architecture.md, Semantics, sections 8 to 10."""

from amaranth.hdl import Module, Mux, Value
from amaranth.lib import data

from wire.records import SlotState


class SlotChanges:
    """What an order that is sent, and a message about it, make of its slot.

    Each method adds its statements where ``m`` stands: to a step of the trader, or to a proof.

    Parameters
    ----------
    m : Module
    slot : Slot
        As it is.
    new : Slot, optional
        What is assigned to; ``slot`` itself if none is given.
    domain : str
        Where it is assigned.
    """

    def __init__(self, m: Module, slot: data.View, new: data.View | None = None, domain: str = "sync"):
        self.m, self.slot, self.new, self.domain = m, slot, slot if new is None else new, domain

    def _set(self, **fields) -> None:
        self.m.d[self.domain] += [self.new[name].eq(value) for name, value in fields.items()]

    # -- what is sent ----------------------------------------------------------------------------------

    def send_new(self, order, generation, marking) -> None:
        """A NEW was sent."""
        self._set(
            state=SlotState.PENDING_NEW,
            generation=generation,
            price=order.price,
            remaining=order.quantity,
            chain_executed=0,
            strategy=order.strategy,
            tag=order.tag,
            marking=marking,
            time_in_force=order.time_in_force,
            cancel_wanted=0,
            notional=0,
        )

    def send_replace(self, order, generation, shares) -> None:
        """A REPLACE was sent; ``shares`` with what was executed before."""
        self._set(
            state=SlotState.PENDING_REPLACE,
            pending_generation=generation,
            pending_price=order.price,
            pending_shares=shares,
        )

    def send_cancel(self) -> None:
        """A CANCEL was sent."""
        self._set(state=SlotState.PENDING_CANCEL, cancel_wanted=0)

    # -- what the exchange says --------------------------------------------------------------------------

    def accept(self, shares, price, dead) -> None:
        """Accepted."""
        self._set(price=price, remaining=shares)
        with self.m.If(dead):
            self._set(state=SlotState.IDLE)
        with self.m.Elif(self.slot.state == SlotState.PENDING_NEW):
            self._set(state=SlotState.LIVE)

    def replace(self, shares, price, dead) -> None:
        """Replaced."""
        self._set(
            generation=self.slot.pending_generation,
            price=price,
            remaining=shares,
            state=Mux(dead | (shares == 0), SlotState.IDLE, SlotState.LIVE),
        )

    def execute(self, shares) -> None:
        """So many shares, :func:`at_most` what remains, were executed; :meth:`finish` is to follow."""
        self._set(remaining=self.slot.remaining - shares, chain_executed=self.slot.chain_executed + shares)

    def finish(self) -> None:
        """The order is done with if nothing remains of it."""
        with self.m.If(self.slot.remaining == 0):
            self._set(state=SlotState.IDLE)

    def cancel(self, shares) -> None:
        """So many shares, :func:`at_most` what remains, were cancelled."""
        self._set(remaining=self.slot.remaining - shares)
        with self.m.If(self.slot.remaining == shares):
            self._set(state=SlotState.IDLE)
        with self.m.Elif(self.slot.state == SlotState.PENDING_CANCEL):
            self._set(state=SlotState.LIVE)

    def reject(self, of_order) -> None:
        """Rejected: the order itself, or the one that was to replace it."""
        with self.m.If(of_order):
            with self.m.If(self.slot.state == SlotState.PENDING_NEW):
                self._set(state=SlotState.IDLE)
        with self.m.Else():
            self._set(state=SlotState.LIVE)

    def reject_cancel(self) -> None:
        """Cancel rejected."""
        with self.m.If(self.slot.state == SlotState.PENDING_CANCEL):
            self._set(state=SlotState.LIVE)


def found(slot: data.View, generation, is_replaced, is_rejected) -> tuple[Value, Value]:
    """Whether a message about this id is about the slot, and whether the id is that of the order that replaces it.

    A message about that one is a Replaced or a Rejected; one about the order itself is anything but a Replaced.
    """
    current = (slot.state != SlotState.IDLE) & (generation == slot.generation)
    pending = (slot.state == SlotState.PENDING_REPLACE) & (generation == slot.pending_generation)
    return Mux(is_replaced, pending, Mux(is_rejected, pending | current, current)), pending


def at_most(shares, remaining) -> Value:
    """Shares that a message is about, of those that remain."""
    return Mux(shares < remaining, shares, remaining)


def pending_shares(slot: data.View) -> Value:
    """Shares that may trade when the order is replaced; 0 if it is not to be."""
    left = slot.pending_shares - slot.chain_executed
    return Mux((slot.state == SlotState.PENDING_REPLACE) & (left > 0), left[:32], 0)


def open_shares(slot: data.View, pending) -> Value:
    """Shares that may still trade at worst; ``pending`` is :func:`pending_shares`."""
    worst = Mux(pending > slot.remaining, pending, slot.remaining)
    return Mux(slot.state == SlotState.IDLE, 0, worst)


def traded(position, side, shares) -> Value:
    """The position after so many shares were bought or sold."""
    return Mux(side, position - shares, position + shares)
