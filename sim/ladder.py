"""Which prices a device's ladder should have for a stock of a tape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.sources.tape import Listing, Tape, Vector
from wire import itch

LEVELS = 4096
DOLLAR = 10_000
_SAMPLE = 512


@dataclass(frozen=True, slots=True)
class Ladder:
    """Prices ``base_price + index * tick`` for ``levels`` indices, in 1e-4."""

    listing: Listing
    base_price: int
    tick: int
    levels: int

    @property
    def span(self) -> int:
        """From the first price to the one behind the last."""
        return self.levels * self.tick


def ladder_for(tape: Tape, stock: str, *, levels: int = LEVELS, tick: int | None = None) -> Ladder:
    """A ladder around the opening price of a stock.

    The opening price lies between the bids and the offers entered before the market opens, and among the first
    orders in any case. The tick is a cent, below a dollar 1e-4.

    Raises
    ------
    ValueError
        The tape does not list the stock, or has no orders of it.
    """
    listing = next((listing for listing in tape.listings() if listing.stock == stock), None)
    if listing is None:
        listed = ", ".join(listing.stock for listing in tape.listings()[:20])
        raise ValueError(f"the tape lists no {stock!r}; it has {listed}")
    price = _opening_price(tape, listing.stock_locate)
    if price is None:
        raise ValueError(f"the tape has no orders of {stock!r}")
    step = tick or (100 if price >= DOLLAR else 1)
    middle = price // step
    return Ladder(listing, max(middle - levels // 2, 0) * step, step, levels)


def _opening_price(tape: Tape, locate: int) -> int | None:
    ours = np.flatnonzero(tape.locates == locate)
    added = ours[np.isin(tape.types[ours], (ord("A"), ord("F")))]
    if len(added) == 0:
        return None
    opened = np.flatnonzero(tape.types == ord("S"))
    codes = _byte(tape, opened, itch.SYSTEM_EVENT.offset("event_code"))
    opens = opened[codes == ord("Q")]
    before = int(np.searchsorted(added, opens[0])) if len(opens) else 0
    first = added[: max(before, min(len(added), _SAMPLE))][:: max(1, before // 100_000)]
    sides = _byte(tape, first, itch.ADD_ORDER.offset("side"))
    prices = _word(tape, first, itch.ADD_ORDER.offset("price"))
    # Half of the buyers bid more than the median of the bids, and few of them absurdly much.
    bids, asks = prices[sides == ord("B")], prices[sides == ord("S")]
    if len(bids) and len(asks):
        return int(np.quantile(bids, 0.9) + np.quantile(asks, 0.1)) // 2
    return int(np.median(prices))


def _byte(tape: Tape, messages: Vector, offset: int) -> Vector:
    return tape.buffer[tape.offsets[messages] + offset]


def _word(tape: Tape, messages: Vector, offset: int) -> Vector:
    at = tape.offsets[messages] + offset
    octets = tape.buffer[at[:, None] + np.arange(4)].astype(np.int64)
    return octets @ np.array([1 << 24, 1 << 16, 1 << 8, 1])
