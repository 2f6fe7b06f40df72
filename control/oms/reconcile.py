"""Our executions against the exchange's own account of them: its drop copy.

Every execution has to be told twice: by the order's connection and by the drop copy, the same in all that matters. One that
only one side knows is given some time, as the two connections are not in step. What is left then, or differs, is a break: it is
told with the order's name, and its stock is stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from wire.records import Side


@dataclass(frozen=True, slots=True)
class Fill:
    """An execution as one side tells it. ``order`` is the order's name at the exchange; ``bust``: the execution is void."""

    venue: int
    match_number: int
    order: str
    stock: str
    side: Side
    quantity: int
    price: int
    bust: bool = False

    @property
    def key(self) -> tuple[int, int, bool]:
        """By which both sides know it."""
        return self.venue, self.match_number, self.bust

    @property
    def shares(self) -> int:
        """What it does to the position."""
        shares = self.quantity if self.side is Side.BUY else -self.quantity
        return -shares if self.bust else shares


class BreakKind(StrEnum):
    """What is wrong."""

    ONLY_OURS = "the exchange does not know it"
    ONLY_THEIRS = "we do not know it"
    DIFFERENT = "the exchange tells it differently"
    POSITION = "the positions differ"


@dataclass(frozen=True, slots=True)
class Break:
    """A difference. ``ours`` and ``theirs`` are what each side told; of positions, the shares."""

    kind: BreakKind
    stock: str
    ours: Fill | int | None
    theirs: Fill | int | None

    @property
    def order(self) -> str:
        """Name of the order at the exchange, "" where it is about a position."""
        told = self.ours if isinstance(self.ours, Fill) else self.theirs
        return told.order if isinstance(told, Fill) else ""

    def __str__(self) -> str:
        if self.kind is BreakKind.POSITION:
            return f"{self.stock}: {self.kind}: {self.ours} shares here, {self.theirs} there"
        fill = self.ours if isinstance(self.ours, Fill) else self.theirs
        assert isinstance(fill, Fill)
        what = "bust of execution" if fill.bust else "execution"
        text = f"{self.stock}, order {self.order}: {what} {fill.match_number} of venue {fill.venue}: {self.kind}"
        if self.kind is BreakKind.DIFFERENT:
            text += ": " + ", ".join(self._differences())
        return text

    def _differences(self) -> Iterator[str]:
        for name in Fill.__slots__:
            ours, theirs = getattr(self.ours, name), getattr(self.theirs, name)
            if ours != theirs:
                yield f"{name} {ours} here, {theirs} there"


@dataclass(slots=True)
class Reconciler:
    """Compares both sides as they come.

    Parameters
    ----------
    alarm : callable
        Called with every break, once.
    stop : callable
        Called with the stock of every break, before the alarm.
    patience_ns : int
        How long an execution may be known to one side only.
    """

    alarm: Callable[[Break], None]
    stop: Callable[[str], None]
    patience_ns: int = 2_000_000_000
    breaks: list[Break] = field(default_factory=list)
    matched: int = 0
    _waiting: dict[tuple[int, int, bool], tuple[int, Fill, bool]] = field(default_factory=dict)
    _done: dict[tuple[int, int, bool], Fill] = field(default_factory=dict)
    _positions: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))

    def ours(self, fill: Fill, now: int) -> None:
        """The order's connection told of an execution."""
        self._take(fill, now, True)

    def theirs(self, fill: Fill, now: int) -> None:
        """The drop copy told of an execution."""
        self._take(fill, now, False)

    def _take(self, fill: Fill, now: int, ours: bool) -> None:
        known = self._done.get(fill.key)
        if known is not None:  # it came again: by a resend, say
            if known != fill:
                self._break(BreakKind.DIFFERENT, fill.stock, *((fill, known) if ours else (known, fill)))
            return
        waiting = self._waiting.get(fill.key)
        if waiting is not None and waiting[2] == ours:
            if waiting[1] != fill:
                self._break(BreakKind.DIFFERENT, fill.stock, waiting[1], fill)
            return
        self._positions[not ours][fill.stock] += fill.shares
        if waiting is None:
            self._waiting[fill.key] = now, fill, ours
            return
        del self._waiting[fill.key]
        self._done[fill.key] = fill
        other = waiting[1]
        if other == fill:
            self.matched += 1
        else:
            self._break(BreakKind.DIFFERENT, fill.stock, *((fill, other) if ours else (other, fill)))

    def tick(self, now: int) -> None:
        """Looks for what has waited too long."""
        for key, (since, fill, ours) in list(self._waiting.items()):
            if now - since >= self.patience_ns:
                del self._waiting[key]
                self._done[key] = fill
                kind = BreakKind.ONLY_OURS if ours else BreakKind.ONLY_THEIRS
                self._break(kind, fill.stock, *((fill, None) if ours else (None, fill)))

    def close_day(self, positions: dict[str, int], theirs: dict[str, int], now: int) -> list[Break]:
        """The end of the day: nothing is given time any more, and the positions of both sides are compared.

        Parameters
        ----------
        positions, theirs : dict
            Shares by stock as we, and as the exchange's statement, have them; a stock that is not there has none.

        Returns
        -------
        list of Break
            All of the day.
        """
        patience, self.patience_ns = self.patience_ns, 0
        self.tick(now)
        self.patience_ns = patience
        for stock in sorted(positions.keys() | theirs.keys()):
            ours, their = positions.get(stock, 0), theirs.get(stock, 0)
            if ours != their:
                self._break(BreakKind.POSITION, stock, ours, their)
        return list(self.breaks)

    @property
    def waiting(self) -> int:
        """Executions that one side has not told yet."""
        return len(self._waiting)

    def position(self, stock: str) -> tuple[int, int]:
        """Shares by what we, and by what the drop copy told so far."""
        ours, theirs = self._positions
        return ours[stock], theirs[stock]

    def _break(self, kind: BreakKind, stock: str, ours: Fill | int | None, theirs: Fill | int | None) -> None:
        found = Break(kind, stock, ours, theirs)
        self.breaks.append(found)
        self.stop(stock)
        self.alarm(found)
