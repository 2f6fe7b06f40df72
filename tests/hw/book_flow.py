"""Random messages for the book alone, on so few references, levels and symbols that neighbours are about the same."""

from __future__ import annotations

import random
from typing import Any

from tests.hw.book_card import BASE, LOCATES, TICK, PlainBook, message


def flow(
    seed: random.Random, book: PlainBook, count: int, levels: int = 6, references: int = 12, faults: float = 0.1
) -> list[dict[str, Any]]:
    """``count`` messages. ``levels`` near the middle of the ladder, ``references`` in use, ``faults`` of other prices."""
    symbols, middle = book.parameters.symbols, book.parameters.levels // 2

    def price() -> int:
        if seed.random() < faults:
            return seed.choice((BASE - TICK, BASE + TICK * book.parameters.levels, BASE + 1, BASE, 0, 0xFFFFFFFF))
        return BASE + TICK * (middle + seed.randrange(-(levels // 2), levels - levels // 2))

    def quantity() -> int:
        return seed.choice((1, 100, 100, 100, 200, 0xFFFFFFFF, seed.choice((0, 100))))

    def reference() -> int:
        """A few that have a bucket in common; more of them would not find a place there."""
        number = seed.randrange(references)
        return number << 20 if references <= 8 else number * 0x9E3779B97F4A7C15 & (1 << 64) - 1

    out = []
    recent = [reference() for _ in range(3)]
    for _ in range(count):
        if seed.random() < 0.4:
            recent = [*recent[-2:], reference()]
        old = seed.choice(recent)
        code = seed.choice("AAAAFEECXDDDUUUPH")
        fields: dict[str, Any] = {"stock_locate": LOCATES[seed.choice((0, 0, 0, *range(symbols)))]}
        if seed.random() < 0.01:
            fields["stock_locate"] = seed.choice((0, 999))
        if code in "AF":
            side = seed.choice((0, 0, 0, 1, 1, 1, 2 if faults else 0))
            fields |= {"order_reference": old, "side": side, "quantity": quantity(), "price": price()}
        elif code in "ECX":
            fields |= {"order_reference": old, "quantity": quantity()}
            if code == "C":
                fields["price"] = price()
        elif code == "D":
            fields["order_reference"] = old
        elif code == "U":
            new = seed.choice((old, reference(), reference(), seed.choice(recent)))
            fields |= {"order_reference": old, "new_order_reference": new, "quantity": quantity(), "price": price()}
            recent = [*recent[-2:], new]
        elif code == "P":
            fields |= {"side": seed.randrange(3), "quantity": quantity(), "price": price()}
        out.append(message(code, **fields))
    return out
