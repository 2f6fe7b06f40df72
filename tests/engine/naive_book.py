"""The book in the plainest Python: what architecture.md, sections 3 and 4, says, and nothing for speed.

It takes messages as dictionaries of fields, so that it shares no offset, table or array with the engine.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from wire.records import TrustCause

BUY, SELL = 0, 1
Fields = dict[str, Any]
Event = tuple[Any, ...]


@dataclass
class Symbol:
    base: int
    tick: int
    span: int
    ok: bool = True


@dataclass
class Order:
    symbol: int
    side: int
    price: int
    quantity: int

    def index(self, of: Symbol) -> int | None:
        distance = self.price - of.base
        return distance // of.tick if 0 <= distance < of.span and distance % of.tick == 0 else None

    def is_beyond(self, of: Symbol) -> bool:
        if self.index(of) is not None:
            return False
        distance = self.price - of.base
        outside = distance >= of.span if self.side == BUY else distance < 0
        return outside or 0 <= distance < of.span


class NaiveBook:
    """All orders in one dictionary; the order in it is time priority."""

    def __init__(self, capacity: int, *, strict: bool) -> None:
        self.capacity, self.strict = capacity, strict
        self.symbols: dict[int, Symbol] = {}
        self.located: dict[int, int] = {}
        self.orders: dict[int, Order] = {}
        self.counters: Counter[str] = Counter()

    def queue(self, symbol: int, side: int, index: int) -> list[tuple[int, int]]:
        of = self.symbols[symbol]
        return [
            (reference, order.quantity)
            for reference, order in self.orders.items()
            if (order.symbol, order.side, order.index(of)) == (symbol, side, index)
        ]

    def levels(self, symbol: int, side: int) -> list[tuple[int, int, int]]:
        of = self.symbols[symbol]
        found: dict[int, list[int]] = {}
        for order in self.orders.values():
            if order.symbol == symbol and order.side == side and order.index(of) is not None:
                found.setdefault(order.price, []).append(order.quantity)
        rows = sorted(found.items(), reverse=side == BUY)
        return [(price, sum(quantities) % 2**32, len(quantities)) for price, quantities in rows]

    def top(self, symbol: int) -> list[tuple[int, int] | None]:
        found = (self.levels(symbol, side) for side in (BUY, SELL))
        return [rows[0][:2] if rows else None for rows in found]

    def live(self, symbol: int) -> int:
        return sum(order.symbol == symbol for order in self.orders.values())

    def beyond(self, symbol: int) -> int:
        of = self.symbols[symbol]
        return sum(order.symbol == symbol and order.is_beyond(of) for order in self.orders.values())

    def is_trusted(self, symbol: int) -> bool:
        return self.symbols[symbol].ok and self.beyond(symbol) == 0

    def apply(self, fields: Fields) -> list[Event]:
        """The events of a message, in their order."""
        kind = fields["type"]
        self.counters[f"itch_{kind}"] += 1
        if kind == "S":
            return [("market", "S", fields["event_code"])]
        if kind == "W":
            return [("market", "W", fields["breached_level"])]
        if kind not in "HYhAFECXDUP":
            return []
        symbol = self.located.get(fields["stock_locate"])
        if symbol is None:
            self.counters["messages_unmapped"] += 1
            return []
        if kind == "H":
            return [("state", symbol, "H", fields["trading_state"])]
        if kind == "Y":
            return [("state", symbol, "Y", fields["reg_sho_action"])]
        if kind == "h":
            halt = ("state", symbol, "h", fields["operational_halt_action"])
            return [halt] if fields["market_code"] == "Q" else []
        if kind == "P":
            side = BUY if fields["side"] == "B" else SELL
            return [("trade", symbol, "P", side, fields["price"], fields["shares"], fields["match_number"], True)]

        trusted, top = self.is_trusted(symbol), self.top(symbol)
        cause, trades = self._change(kind, symbol, fields)
        if cause:
            self.symbols[symbol].ok = False
        events: list[Event] = []
        if self.is_trusted(symbol) != trusted:
            events.append(("trust", symbol, not trusted, cause or TrustCause.BEYOND))
        events += trades
        if self.top(symbol) != top:
            self.counters["top_changes"] += 1
            events.append(("top", symbol))
        return events

    def _change(self, kind: str, symbol: int, fields: Fields) -> tuple[TrustCause | None, list[Event]]:
        if kind in "AF":
            side = {"B": BUY, "S": SELL}.get(fields["side"])
            return self._add(symbol, side, fields["order_reference"], fields), []
        reference = fields["original_order_reference" if kind == "U" else "order_reference"]
        order = self.orders.get(reference)
        if order is None or order.symbol != symbol:
            self.counters["unknown_reference"] += 1
            return TrustCause.UNKNOWN_REFERENCE if self.strict else None, []
        if kind == "D":
            del self.orders[reference]
            return None, []
        if kind == "U":
            del self.orders[reference]
            return self._add(symbol, order.side, fields["new_order_reference"], fields), []
        cause, shares = None, fields["cancelled_shares" if kind == "X" else "executed_shares"]
        if shares > order.quantity:
            self.counters["over_execution"] += 1
            cause, shares = TrustCause.OVER_EXECUTION, order.quantity
        order.quantity -= shares
        if order.quantity == 0:
            del self.orders[reference]
        if kind == "X" or shares == 0:
            return cause, []
        inside = order.index(self.symbols[symbol]) is not None
        price = fields["execution_price"] if kind == "C" else order.price if inside else 0
        printable = kind == "E" or fields["printable"] == "Y"
        return cause, [("trade", symbol, kind, order.side, price, shares, fields["match_number"], printable)]

    def _add(self, symbol: int, side: int | None, reference: int, fields: Fields) -> TrustCause | None:
        if fields["shares"] == 0 or side is None:
            self.counters["bad_value"] += 1
            return TrustCause.BAD_VALUE
        if reference in self.orders:
            self.counters["duplicate_reference"] += 1
            return TrustCause.DUPLICATE_REFERENCE
        if len(self.orders) >= self.capacity:
            self.counters["order_overflow"] += 1
            return TrustCause.OVERFLOW
        order = Order(symbol, side, fields["price"], fields["shares"])
        self.orders[reference] = order
        self.counters["orders_added"] += 1
        self.counters["out_of_band"] += order.index(self.symbols[symbol]) is None
        return None
