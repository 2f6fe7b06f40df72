"""The book alone: a model of the gateware driven message by message, and a plain book to compare it with."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from amaranth.lib import data

from hw.book import Book
from hw.items import BookItem, Item, ItemKind, Message
from hw.parameters import Parameters
from tests.hw.front import Fields
from tests.hw.verilated import Model
from wire.itch import ITCH
from wire.records import Opcode, Side, TrustCause, command

BASE, TICK = 100_000, 100
LOCATES = (11, 12, 13, 14)


def message(code: str, **fields: int) -> dict[str, Any]:
    """A decoded message; stock locate 11 and side NONE unless given."""
    return {"type": ord(code), "index": [str(each.code) for each in ITCH.records].index(code)} | (
        {"stock_locate": LOCATES[0], "side": Side.NONE} | fields
    )


def item_bits(fields: dict[str, Any], cause: int) -> int:
    """The bits of the item that carries a message."""
    layout, inner = data.Layout.cast(Item), data.Layout.cast(Message)
    number = sum(int(value) << inner[name].offset for name, value in fields.items())
    return ItemKind.MESSAGE.value | cause << layout["cause"].offset | number << layout["payload"].offset


def command_bits(content: bytes) -> int:
    """The bits of the item that carries a command."""
    return ItemKind.COMMAND.value | int.from_bytes(content, "little") << data.Layout.cast(Item)["payload"].offset


@dataclass(slots=True)
class Answer:
    """What came out for an item: when it was taken, when ``o`` became valid, and ``o``'s fields."""

    taken: int
    given: int
    entry: Any


class BookCard:
    """The gateware. Every symbol is mapped to the locate of its number in ``LOCATES``."""

    def __init__(self, parameters: Parameters, component: Callable[[Parameters], Book] = Book):
        self.parameters = parameters
        book = component(parameters)
        self.model = Model(book)
        self.layout = BookItem(parameters)
        self.counts: Counter[str] = Counter()
        self.counted = [name for name in book.signature.members if name.startswith("count_")]
        self.model["trader_idle"].value = 1
        self.map()

    def map(self) -> None:
        """Maps all symbols."""
        for symbol in range(self.parameters.symbols):
            self.run([command_bits(self.set_symbol(symbol))])

    def set_symbol(self, symbol: int) -> bytes:
        return command(
            Opcode.SET_SYMBOL, symbol, stock_locate=LOCATES[symbol], base_price=BASE, tick=TICK,
            span=self.parameters.levels * TICK, tick_reciprocal=(1 << 32) // TICK + 1, enabled=1, trading_state="T",
        )  # fmt: skip

    def cycle(self) -> None:
        for name in self.counted:
            self.counts[name] += self.model[name].value
        self.counts["disagreements"] += self.model["count_disagreements"].value
        self.model.step()

    def run(
        self,
        items: Sequence[int],
        gap: Callable[[], int] = lambda: 0,
        ready: Callable[[], int] = lambda: 1,
        settle: int = 2,
    ) -> list[Answer]:
        """Hands over the items, each ``gap()`` cycles after it could be; the answers, levels of snapshots among them.

        ``settle`` cycles more follow when all is out.
        """
        model, answers, taken = self.model, [], []
        place, wait = 0, gap()
        given: int | None = None
        while place < len(items) or model["busy"].value or settle > 0:
            if place == len(items) and not model["busy"].value:
                settle -= 1
            offered = place < len(items) and wait == 0
            model["i__valid"].value = int(offered)
            if offered:
                model["i__payload"].value = items[place]
            model["o__ready"].value = ready()
            model.settle()
            if model["o__valid"].value:
                given = model.cycles if given is None else given
                if model["o__ready"].value:
                    entry = Fields(self.layout, model["o__payload"].value)
                    answers.append(Answer(0, given, entry))
                    given = None
            if offered and model["i__ready"].value:
                taken.append(model.cycles)
                place, wait = place + 1, gap()
            elif wait:
                wait -= 1
            self.cycle()
            assert model.cycles < 20_000_000, "the book is stuck"
        number = 0
        for answer in answers:
            answer.taken = taken[number]
            number += not answer.entry.is_level
        assert number == len(items)
        return answers


@dataclass
class PlainBook:
    """The rules of section 4, with dictionaries: orders by reference, and levels summed up anew for every question."""

    parameters: Parameters
    strict: bool = False
    orders: dict[int, list[int]] = field(default_factory=dict)  # symbol, side, price, quantity
    ok: dict[int, bool] = field(default_factory=lambda: dict.fromkeys(range(len(LOCATES)), True))
    counts: Counter[str] = field(default_factory=Counter)
    levels: dict[tuple[int, int], dict[int, list[int]]] = field(default_factory=dict)
    beyond: Counter[int] = field(default_factory=Counter)

    def band(self, price: int) -> int | None:
        distance = price - BASE
        inside = 0 <= distance < self.parameters.levels * TICK and distance % TICK == 0
        return distance // TICK if inside else None

    def is_beyond(self, side: int, price: int) -> bool:
        distance = price - BASE
        above, below = distance >= self.parameters.levels * TICK, distance < 0
        return self.band(price) is None and not (below if side == Side.BUY else above)

    def put(self, order: list[int], quantity: int, orders: int) -> None:
        """Shares and orders come to the level of an order."""
        symbol, side, price, _ = order
        if self.band(price) is None:
            self.beyond[symbol] += orders * self.is_beyond(side, price)
            return
        level = self.levels.setdefault((symbol, side), {}).setdefault(price, [0, 0])
        level[0], level[1] = (level[0] + quantity) & 0xFFFFFFFF, level[1] + orders
        if not level[1]:
            del self.levels[symbol, side][price]

    def best(self, symbol: int, side: int) -> tuple[int, int, int, int]:
        row = self.levels.get((symbol, side))
        if not row:
            return (0, 0, 0, 0)
        price = max(row) if side == Side.BUY else min(row)
        return (1, (price - BASE) // TICK, row[price][0], price)

    def top(self, symbol: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self.best(symbol, Side.BUY), self.best(symbol, Side.SELL)

    def trusted(self, symbol: int) -> bool:
        return self.ok[symbol] and not self.beyond[symbol]

    def apply(self, m: dict[str, Any]) -> dict[str, Any]:
        """What the book says of a message."""
        code, symbol = chr(m["type"]), LOCATES.index(m["stock_locate"]) if m["stock_locate"] in LOCATES else -1
        if not 0 <= symbol < self.parameters.symbols:
            self.counts["messages_unmapped"] += 1
            return {"mapped": 0}
        top, trusted = self.top(symbol), self.trusted(symbol)
        cause, trade = 0, None
        adding = None
        if code in "AF":
            adding = (m["order_reference"], m["side"], m["price"], m["quantity"])
        elif code == "P":
            trade = (int(m["side"] != Side.BUY), m["price"], m["quantity"])
        elif code in "ECXDU":
            order = self.orders.get(m["order_reference"])
            if order is None or order[0] != symbol:
                self.counts["unknown_reference"] += 1
                cause = TrustCause.UNKNOWN_REFERENCE if self.strict else 0
            else:
                taken = order[3] if code in "DU" else m["quantity"]
                if taken > order[3]:
                    self.counts["over_execution"] += 1
                    cause, taken = TrustCause.OVER_EXECUTION, order[3]
                if taken and code in "EC":
                    level = order[2] if self.band(order[2]) is not None else 0
                    trade = (order[1], m["price"] if code == "C" else level, taken)
                if taken:
                    order[3] -= taken
                    self.put(order, -taken, -(order[3] == 0))
                    if not order[3]:
                        del self.orders[m["order_reference"]]
                if code == "U":
                    adding = (m["new_order_reference"], order[1], m["price"], m["quantity"])
        if adding:
            reference, side, price, quantity = adding
            if not quantity or side == Side.NONE:
                name, cause = "bad_value", TrustCause.BAD_VALUE
            elif reference in self.orders:
                name, cause = "duplicate_reference", TrustCause.DUPLICATE_REFERENCE
            elif len(self.orders) == self.parameters.orders:
                name, cause = "order_overflow", TrustCause.OVERFLOW
            else:
                name = "orders_added"
                self.orders[reference] = [symbol, side, price, quantity]
                self.put(self.orders[reference], quantity, 1)
                self.counts["out_of_band"] += self.band(price) is None
            self.counts[name] += 1
        if cause:
            self.ok[symbol] = False
        changed = self.top(symbol) != top
        self.counts["top_changes"] += changed
        return {
            "mapped": 1,
            "symbol": symbol,
            "top": self.top(symbol),
            "top_changed": changed,
            "trade": trade,
            "trusted": self.trusted(symbol),
            "trust_changed": self.trusted(symbol) != trusted,
            "trust_cause": cause or TrustCause.BEYOND,
        }


def said(entry: Any, expected: dict[str, Any]) -> dict[str, Any]:
    """What the gateware said, as far as it is expected to say something."""
    if not entry.mapped:
        return {"mapped": 0}
    symbol, trade = entry.symbol, entry.trade
    best = [(each.has, each.index, each.quantity, each.price) for each in (entry.top.bid, entry.top.ask)]
    return {
        "mapped": 1,
        "symbol": symbol,
        "top": tuple(best),
        "top_changed": bool(entry.top_changed),
        "trade": (trade.side, trade.price, trade.quantity) if trade.valid else None,
        "trusted": bool(entry.trusted >> symbol & 1),
        "trust_changed": bool(entry.trust_changed),
        "trust_cause": entry.trust_cause if entry.trust_changed else expected["trust_cause"],
    }


def check(card: BookCard, book: PlainBook, messages: Sequence[dict[str, Any]], **how: Any) -> list[Answer]:
    """Runs messages through both: they must agree in every answer and every counter."""
    before = Counter(card.counts)
    answers = card.run([item_bits(each, n) for n, each in enumerate(messages)], **how)
    for n, (each, answer) in enumerate(zip(messages, answers, strict=True)):
        assert answer.entry.item.cause == n
        expected = book.apply(each)
        assert said(answer.entry, expected) == expected, f"message {n}: {each}"
    counts = {name.removeprefix("count_"): card.counts[name] - before[name] for name in card.counted}
    assert counts == {name: book.counts[name] for name in counts}
    book.counts.clear()
    assert not card.counts["disagreements"]
    return answers


def random_gap(seed: random.Random, most: int) -> Callable[[], int]:
    return lambda: seed.choice((0, 0, 0, seed.randrange(most + 1)))
